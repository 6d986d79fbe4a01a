"""How a stack is, and what may be done to it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from generator.aws import Connection
from generator.errors import AwsError

# States by what a deployment may do in them (CloudFormation API reference, StackStatus).
REVIEW = "REVIEW_IN_PROGRESS"
"""A stack that is nothing but a change set that would make it."""
READY = frozenset(
    (
        "CREATE_COMPLETE",
        "UPDATE_COMPLETE",
        "UPDATE_ROLLBACK_COMPLETE",
        "IMPORT_COMPLETE",
        "IMPORT_ROLLBACK_COMPLETE",
    )
)
NEVER_MADE = frozenset(("ROLLBACK_COMPLETE", "CREATE_FAILED", "ROLLBACK_FAILED"))
"""Its first creation failed: it can't be updated, only deleted."""
STUCK = frozenset(("UPDATE_ROLLBACK_FAILED", "UPDATE_FAILED", "IMPORT_ROLLBACK_FAILED", "DELETE_FAILED"))
"""Nothing goes on until somebody says how."""
GONE = "DELETE_COMPLETE"


@dataclass(frozen=True)
class Stack:
    """A stack as AWS describes it."""

    id: str
    """ARN; with it a deleted stack can be asked for as well."""
    name: str
    status: str
    reason: str
    """Why it has that status; empty where AWS doesn't say."""
    created: float
    updated: float
    """Seconds since the epoch; `created` where it was never updated."""
    protected: bool
    """Termination protection."""
    role: str | None
    """ARN of the service role that CloudFormation uses for it."""
    parameters: Mapping[str, str] = field(repr=False)
    """Values by name; of a NoEcho parameter AWS gives stars."""
    tags: Mapping[str, str] = field(repr=False)
    outputs: tuple[tuple[str, str, str], ...] = field(repr=False)
    """(key, value, description)."""
    notifications: tuple[str, ...] = ()

    @property
    def busy(self) -> bool:
        """Whether something is going on that a new operation has to wait for."""
        return self.status.endswith("_IN_PROGRESS") and self.status != REVIEW

    @property
    def exists(self) -> bool:
        """Whether it has ever been made: something to compare with."""
        return self.status not in (REVIEW, GONE) and self.status not in NEVER_MADE


def look(connection: Connection, name: str) -> Stack | None:
    """The stack of that name or id; None where there is none. Raises AwsError or CredentialsError."""
    try:
        found = connection.ask("cloudformation", "describe_stacks", StackName=name)["Stacks"]
    except AwsError as error:
        # The API has no code of its own for it.
        if error.code == "ValidationError" and "does not exist" in error.said:
            return None
        raise
    return _stack(found[0]) if found else None


def template(connection: Connection, stack: Stack) -> str:
    """The text that the stack was made from; empty where AWS gives none. Raises AwsError or CredentialsError."""
    body = connection.ask("cloudformation", "get_template", StackName=stack.id, TemplateStage="Original").get(
        "TemplateBody", ""
    )
    if isinstance(body, str):
        return body
    # boto3 parses a body that is JSON.
    import json

    return json.dumps(body)


@dataclass(frozen=True)
class Resource:
    """A resource that a stack has."""

    logical_id: str
    physical_id: str
    type: str
    status: str
    reason: str
    drift: str
    """`IN_SYNC`, `MODIFIED`, `DELETED`, `NOT_CHECKED`; empty where AWS doesn't say."""


def resources(connection: Connection, stack_id: str) -> tuple[Resource, ...]:
    """What the stack has, from all pages: DescribeStackResources would stop at 100. Raises AwsError or
    CredentialsError."""
    return tuple(
        Resource(
            str(one["LogicalResourceId"]),
            str(one.get("PhysicalResourceId", "")),
            str(one["ResourceType"]),
            str(one.get("ResourceStatus", "")),
            " ".join(str(one.get("ResourceStatusReason", "")).split()),
            str(one.get("DriftInformation", {}).get("StackResourceDriftStatus", "")),
        )
        for one in connection.every(
            "cloudformation", "list_stack_resources", "StackResourceSummaries", StackName=stack_id
        )
    )


def _stack(told: dict[str, Any]) -> Stack:
    created = told["CreationTime"].timestamp()
    updated = told.get("LastUpdatedTime")
    return Stack(
        str(told.get("StackId", "")),
        str(told["StackName"]),
        str(told["StackStatus"]),
        " ".join(str(told.get("StackStatusReason", "")).split()),
        created,
        updated.timestamp() if updated is not None else created,
        told.get("EnableTerminationProtection") is True,
        told.get("RoleARN") or None,
        {
            str(one["ParameterKey"]): str(one.get("ParameterValue", ""))
            for one in told.get("Parameters", ())
        },
        {str(one["Key"]): str(one.get("Value", "")) for one in told.get("Tags", ())},
        tuple(
            (str(one["OutputKey"]), str(one.get("OutputValue", "")), str(one.get("Description", "")))
            for one in told.get("Outputs", ())
        ),
        tuple(str(one) for one in told.get("NotificationARNs", ())),
    )
