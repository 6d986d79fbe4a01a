"""Brings a stack into a state in which it can be deployed to, or says why that can't be."""

from __future__ import annotations

import time
from collections.abc import Callable

from generator.aws import Connection
from generator.deploying import protection, stacks
from generator.deploying.stacks import Stack
from generator.deploying.target import Target
from generator.errors import RefusedError, StuckError

_LOOK_EVERY = 5.0


def ready(
    connection: Connection,
    target: Target,
    patience: float = 0.0,
    tell: Callable[[str], None] = lambda _: None,
    sleep: Callable[[float], None] = time.sleep,
    say: Callable[[str], None] = lambda _: None,
) -> Stack | None:
    """The stack, when something may be begun with it; None where there is none.

    Waits up to `patience` seconds for one that is busy; `tell` hears how long. One whose creation failed is deleted
    where it holds nothing, which `say` hears. Raises RefusedError for a busy one, StuckError for one that needs a
    person, AwsError or CredentialsError.
    """
    stack = rested(connection, target, patience, tell, sleep)
    if stack is None or stack.status in stacks.READY or stack.status == stacks.REVIEW:
        return stack
    if stack.status in stacks.NEVER_MADE:
        _without_failed(connection, target, stack, tell, sleep, say)
        return None
    raise StuckError(f"the stack {stack.name} is {stack.status}{_why(stack)}: {way_out(target, stack)}")


def way_out(target: Target, stack: Stack) -> str:
    """What frees a stack that is stuck, as an instruction; empty where it isn't."""
    aws = f"--region {target.region} --stack-name {stack.name}"
    if stack.status in ("UPDATE_ROLLBACK_FAILED", "IMPORT_ROLLBACK_FAILED"):
        return (
            f"mend what kept the rollback from working, then `cloakform deploy {target.name} "
            f"--continue-rollback` (with --skip LOGICAL_ID for what can't be mended; in the console: Stack "
            f"actions, Continue update rollback; `aws cloudformation continue-update-rollback {aws}`)"
        )
    if stack.status == "UPDATE_FAILED":
        return f"roll it back: `aws cloudformation rollback-stack {aws}`"
    if stack.status == "DELETE_FAILED":
        return (
            f"see why in `cloakform events {target.name} --failed`, mend it and delete again: "
            f"`cloakform delete {target.name}` (with --retain LOGICAL_ID for what is to stay)"
        )
    if stack.status in ("ROLLBACK_FAILED", "CREATE_FAILED"):
        return (
            f"its first creation failed and left resources: look at them, then `cloakform delete {target.name}`"
        )
    return ""


def rested(
    connection: Connection,
    target: Target,
    patience: float = 0.0,
    tell: Callable[[str], None] = lambda _: None,
    sleep: Callable[[float], None] = time.sleep,
) -> Stack | None:
    """The stack when nothing goes on with it, for which up to `patience` seconds are waited; None where there is
    none. Raises RefusedError for one that is still busy, AwsError or CredentialsError."""
    waited = 0.0
    while True:
        stack = stacks.look(connection, target.stack_name)
        if stack is None or not stack.busy:
            return stack
        if waited >= patience:
            raise RefusedError(
                f"the stack {stack.name} is busy ({stack.status}): wait for it (--wait MINUTES), or see "
                f"`cloakform events {target.name} --follow`"
            )
        tell(f"{stack.name} is busy ({stack.status}), waiting ({waited:.0f} s)")
        sleep(_LOOK_EVERY)
        waited += _LOOK_EVERY


def _without_failed(connection, target, stack, tell, sleep, say) -> None:
    """Deletes a stack that was never made, if nothing of it is left."""
    left = [
        one.logical_id
        for one in stacks.resources(connection, stack.id)
        if one.physical_id and one.status not in ("DELETE_COMPLETE", "DELETE_SKIPPED")
    ]
    if left:
        raise StuckError(
            f"the stack {stack.name} is {stack.status}{_why(stack)} and still has {', '.join(left[:8])}"
            f"{', …' if len(left) > 8 else ''}: {way_out(target, stack) or _delete(target)}"
        )
    unprotected = ", its termination protection is taken away" if stack.protected else ""
    say(f"{stack.name} is {stack.status} and holds nothing{unprotected}: it is deleted, since AWS can't update it")
    if stack.protected:
        protection.protect(connection, stack.id, False)
    remove(connection, stack, tell, sleep)


def remove(
    connection: Connection,
    stack: Stack,
    tell: Callable[[str], None] = lambda _: None,
    sleep: Callable[[float], None] = time.sleep,
    patience: float = 600.0,
) -> None:
    """Deletes a stack that holds nothing, and waits until it is gone. Raises StuckError where it stays."""
    connection.ask("cloudformation", "delete_stack", StackName=stack.id)
    waited = 0.0
    while (now := stacks.look(connection, stack.id)) is not None and now.status != stacks.GONE:
        if not now.busy and now.status != stack.status or waited > patience:
            raise StuckError(f"the stack {stack.name} can't be deleted: {now.status}{_why(now)}")
        tell(f"{stack.name} is being deleted ({waited:.0f} s)")
        sleep(0.5 if waited < 5 else _LOOK_EVERY)
        waited += 0.5 if waited < 5 else _LOOK_EVERY


def _why(stack: Stack) -> str:
    return f" ({stack.reason})" if stack.reason else ""


def _delete(target: Target) -> str:
    return f"`cloakform delete {target.name}`"
