"""What is done around the execution of a change set: protection before, the policy that is to stay after."""

from __future__ import annotations

from collections.abc import Callable

from generator.aws import Connection
from generator.deploying import executing, protection
from generator.deploying.preparing import Prepared
from generator.deploying.stacks import Stack


def begin(connection: Connection, prepared: Prepared, tell: Callable[[str], None]) -> tuple[str, str]:
    """Protects the stack, lets its policy give way for what was allowed, and executes the change set. Returns
    (id of the last event before, token of the execution).

    Raises RefusedError where the change set can't be executed any more, AwsError or CredentialsError.
    """
    found = prepared.change_set
    assert found is not None, "nothing to execute"
    since = executing.last_event(connection, found.stack_id)
    if prepared.stack is not None and prepared.stack.exists:
        settle(connection, prepared, tell, leaving=yielding(prepared))
    return since, executing.execute(connection, found.arn)


def yielding(prepared: Prepared) -> tuple[str, ...]:
    """The logical ids that were allowed to be replaced or deleted."""
    return tuple(
        dict.fromkeys(
            one.logical_id for one in prepared.hazards if one.allowed_by and one.kind in ("deleted", "replaced")
        )
    )


def settle(
    connection: Connection,
    prepared: Prepared,
    tell: Callable[[str], None],
    leaving: tuple[str, ...] = (),
    now: Stack | None = None,
) -> None:
    """Termination protection and stack policy as the environment wants them; with `leaving` the policy lets go of
    these resources. What is so already is left alone. `now` is the stack, where it isn't as it was prepared.

    Raises AwsError or CredentialsError.
    """
    target, stack = prepared.target, now or prepared.stack
    assert stack is not None, "nothing to protect"
    if target.protected != stack.protected:
        protection.protect(connection, stack.id, target.protected)
        tell(f"termination protection is {'on' if target.protected else 'off'}")
    wanted = protection.opened(target.stack_policy, leaving)
    if not protection.same(protection.policy(connection, stack.id), wanted):
        protection.set_policy(connection, stack.id, wanted)
        tell(
            f"the stack policy lets go of {', '.join(leaving)} for this deployment"
            if leaving and wanted != target.stack_policy
            else "the stack policy is set"
        )
