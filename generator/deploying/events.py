"""What CloudFormation says happened to a stack's resources."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from generator.aws import Connection

STACK = "AWS::CloudFormation::Stack"


@dataclass(frozen=True)
class Event:
    """One event of a stack."""

    id: str
    time: float
    """Seconds since the epoch."""
    logical_id: str
    physical_id: str
    """Empty before AWS has made the resource."""
    type: str
    status: str
    """`CREATE_IN_PROGRESS`, …; for the stack itself such as `UPDATE_ROLLBACK_IN_PROGRESS` as well."""
    reason: str
    token: str = ""
    """The client request token of what began it; empty where nobody gave one."""
    operation: str = ""
    """The operation's id; a deployment that was rolled back has two. Empty where AWS gives none."""
    about_stack: bool = False
    """Whether it is about the stack as a whole."""


def read(connection: Connection, stack_id: str, since: str = "") -> list[Event]:
    """A stack's events after the one with the id `since`, the oldest first; all of them without it, as far back
    as AWS keeps them. Raises AwsError or CredentialsError."""
    found = []
    for one in connection.every("cloudformation", "describe_stack_events", "StackEvents", StackName=stack_id):
        if one.get("EventId") == since:
            break
        found.append(_event(one))
    return found[::-1]


def operation(events: Iterable[Event], token: str) -> list[Event]:
    """The events of what was begun with a token, in order: from the stack's own event that has it up to the end,
    whichever operations these were. All of them where none has it."""
    listed = list(events)
    first = next((n for n, one in enumerate(listed) if one.about_stack and one.token == token), 0)
    return listed[first:]


def _event(told: dict[str, Any]) -> Event:
    moment = told.get("Timestamp")
    return Event(
        str(told.get("EventId", "")),
        moment.timestamp() if moment is not None else 0.0,
        str(told.get("LogicalResourceId", "")),
        str(told.get("PhysicalResourceId", "")),
        str(told.get("ResourceType", "")),
        str(told.get("ResourceStatus", "")),
        " ".join(str(told.get("ResourceStatusReason", "")).split()),
        str(told.get("ClientRequestToken", "")),
        str(told.get("OperationId", "")),
        # A nested stack has the type, too, but another physical id than the stack that tells of it.
        told.get("ResourceType") == STACK and told.get("PhysicalResourceId") == told.get("StackId"),
    )
