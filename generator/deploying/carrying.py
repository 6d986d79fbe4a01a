"""What is done around the execution of a change set: a policy that gives way before, protection after."""

from __future__ import annotations

import time
from collections.abc import Callable

from generator.aws import Connection
from generator.deploying import executing, protection
from generator.deploying.preparing import Prepared
from generator.deploying.stacks import Stack
from generator.errors import AwsError, CredentialsError, RefusedError


def begin(
    connection: Connection,
    prepared: Prepared,
    tell: Callable[[str], None],
    sleep: Callable[[float], None] = time.sleep,
) -> tuple[str, str]:
    """Sets the policy that the stack is updated under, which lets go of what was allowed, and executes the change
    set. Returns (id of the last event before, token of the execution). Where AWS doesn't begin the policy is put
    back. Termination protection plays no part in an update and comes afterwards.

    Raises RefusedError where the change set can't be executed any more, AwsError or CredentialsError, UnclearError
    where AWS may have begun.
    """
    found = prepared.change_set
    assert found is not None, "nothing to execute"
    since = executing.last_event(connection, found.stack_id)
    told = False
    try:
        if prepared.stack is not None and prepared.stack.exists:
            told = _open(connection, prepared, tell)
        return since, executing.execute(connection, found.arn, since, sleep)
    except executing.UnclearError:
        raise
    except (AwsError, CredentialsError, RefusedError):
        if told:
            _put_back(connection, prepared, tell)
        raise


def yielding(prepared: Prepared) -> tuple[str, ...]:
    """The logical ids that were allowed to be replaced or deleted."""
    return tuple(
        dict.fromkeys(
            one.logical_id for one in prepared.hazards if one.allowed_by and one.kind in ("deleted", "replaced")
        )
    )


def settle(
    connection: Connection, prepared: Prepared, tell: Callable[[str], None], now: Stack | None = None
) -> None:
    """Termination protection and stack policy as the environment wants them. What is so already is left alone. `now`
    is the stack, where it isn't as it was prepared.

    Raises AwsError or CredentialsError.
    """
    target, stack = prepared.target, now or prepared.stack
    assert stack is not None, "nothing to protect"
    # The policy first: it may have been let go of for this deployment.
    if not protection.same(protection.policy(connection, stack.id), target.stack_policy):
        protection.set_policy(connection, stack.id, target.stack_policy)
        tell("the stack policy is set")
    if target.protected != stack.protected:
        protection.protect(connection, stack.id, target.protected)
        tell(f"termination protection is {'on' if target.protected else 'off'}")


def _open(connection: Connection, prepared: Prepared, tell: Callable[[str], None]) -> bool:
    """The policy for the length of the deployment. Returns whether AWS was told of another one than it had."""
    leaving, target = yielding(prepared), prepared.target
    wanted = protection.opened(target.stack_policy, leaving)
    if protection.same(prepared.policy, wanted):
        return False
    try:
        protection.set_policy(connection, prepared.stack.id, wanted)
    except (AwsError, CredentialsError):
        # Its answer may be what was lost.
        _put_back(connection, prepared, tell)
        raise
    tell(
        f"the stack policy lets go of {', '.join(leaving)} for this deployment"
        if leaving and wanted != target.stack_policy
        else "the stack policy is set"
    )
    return True


def _put_back(connection: Connection, prepared: Prepared, tell: Callable[[str], None]) -> None:
    """The policy that was there before."""
    try:
        protection.set_policy(connection, prepared.stack.id, prepared.policy)
        tell("the stack policy is what it was")
    except (AwsError, CredentialsError) as error:
        name = prepared.target.name
        tell(f"the stack policy may not be what it was: `cloakform deploy {name}` sets it again ({error})")
