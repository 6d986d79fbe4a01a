"""Change sets: made once, awaited, described completely."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from typing import Any

from generator.aws import Connection
from generator.deploying.stacks import Stack
from generator.deploying.target import Target
from generator.errors import AwsError, StuckError

ADD, MODIFY, REMOVE = "Add", "Modify", "Remove"

# What a change set that has nothing to do says (aws-cli, customizations/cloudformation/deployer.py; SAM too).
_EMPTY = ("didn't contain changes", "no updates are to be performed")
# With this an answer lacks resources (aws-cdk-cli 1780, change-set-describer.ts).
_INCOMPLETE = "[WARN] --include-property-values"
_REMOVALS = 10
"""Tries to remove a change set that is being made, two seconds apart."""


@dataclass(frozen=True)
class Detail:
    """Why a resource changes: one property or attribute of it."""

    attribute: str
    """`Properties`, `Tags`, `Metadata`, …"""
    path: str
    """`/Properties/Engine`; the property's name where AWS gives no path."""
    recreation: str
    """Whether the change replaces the resource: `Never`, `Conditionally`, `Always`; may be empty."""
    before: str | None
    after: str | None
    """None where AWS gives no value."""
    source: str
    """`DirectModification`, `ResourceReference`, …"""
    cause: str
    """Who causes it (`Database.Endpoint.Address`); may be empty."""
    certain: bool
    """False where AWS only finds out while it works (`Dynamic`)."""


@dataclass(frozen=True)
class AwsChange:
    """What AWS will do to one resource."""

    action: str
    """`Add`, `Modify`, `Remove`, `Import`, `Dynamic`."""
    logical_id: str
    physical_id: str
    type: str
    replacement: str
    """`True`, `False`, `Conditional`; empty where it isn't modified."""
    policy_action: str
    """What becomes of what was there (`Retain`, `ReplaceAndSnapshot`, …); empty where AWS doesn't say."""
    details: tuple[Detail, ...]


@dataclass(frozen=True)
class Validation:
    """What AWS' check of a change set says before anything is done."""

    logical_id: str
    path: str
    """`/Resources/Database/Properties/Engine`; may be empty."""
    name: str
    """Name of the check; may be empty."""
    reason: str
    fails: bool
    """Whether it ends the deployment; otherwise it is a warning."""


@dataclass(frozen=True)
class ChangeSet:
    """A change set as AWS describes it, from all pages."""

    arn: str
    name: str
    stack_id: str
    status: str
    reason: str
    execution: str
    """`AVAILABLE`, `EXECUTE_COMPLETE`, `OBSOLETE`, …"""
    changes: tuple[AwsChange, ...]
    values: bool
    """Whether AWS gave the values of properties for all changes."""

    @property
    def empty(self) -> bool:
        """Whether there is nothing to do."""
        return self.status == "FAILED" and any(one in self.reason.lower() for one in _EMPTY)


def create(
    connection: Connection,
    target: Target,
    stack: Stack | None,
    name: str,
    template_url: str | None = None,
) -> str:
    """The ARN of a new change set. The name is unique to this deployment, so a call whose answer was lost isn't
    made twice. Raises AwsError or CredentialsError."""
    body = {"TemplateURL": template_url} if template_url else {"TemplateBody": target.template}
    arguments: dict[str, Any] = {
        **body,
        "StackName": target.stack_name,
        "ChangeSetName": name,
        "ClientToken": name,
        "ChangeSetType": "UPDATE" if stack is not None and stack.exists else "CREATE",
        "Description": f"{target.name}: template {target.digests['template.yaml'][:12]}",
        "Parameters": [
            {"ParameterKey": key, "ParameterValue": value} for key, value in target.parameters.items()
        ],
        "Tags": [{"Key": key, "Value": value} for key, value in target.tags.items()],
        "Capabilities": list(target.capabilities),
        "NotificationARNs": list(target.notifications),
    }
    if target.role:
        arguments["RoleARN"] = target.role
    try:
        return str(connection.ask("cloudformation", "create_change_set", **arguments)["Id"])
    except AwsError as error:
        # The answer to the first try was lost; the second one finds what the first one made.
        if error.code != "AlreadyExistsException":
            raise
        found = connection.ask(
            "cloudformation", "describe_change_set", ChangeSetName=name, StackName=target.stack_name
        )
        return str(found["ChangeSetId"])


def wait(
    connection: Connection,
    arn: str,
    patience: float,
    tell: Callable[[str], None] = lambda _: None,
    sleep: Callable[[float], None] = time.sleep,
) -> ChangeSet:
    """The change set when AWS is done with it, however that ended. Asked often at first, then every 5 seconds.

    Raises AwsError, CredentialsError, and StuckError where AWS needs more than `patience` seconds.
    """
    pause, waited = 0.5, 0.0
    while True:
        found = _page(connection, arn, values=False)
        if found["Status"] not in ("CREATE_PENDING", "CREATE_IN_PROGRESS"):
            return describe(connection, arn)
        if waited >= patience:
            raise StuckError(
                f"AWS is still making the change set after {waited:.0f} s ({found['Status']}): nothing was "
                f"executed; look at it in the console: {arn}"
            )
        tell(f"AWS looks at what would change ({waited:.0f} s)")
        sleep(pause)
        waited += pause
        pause = min(pause * 1.5, 5.0)


def describe(connection: Connection, arn: str) -> ChangeSet:
    """A change set with all of its changes, and the properties' values where AWS gives them.

    With values an answer may lack changes and say so in its reason only; then it is asked for again without them,
    and what has values is laid over that. Raises AwsError or CredentialsError.
    """
    first, told = _pages(connection, arn, values=True)
    changes = [_change(one) for one in told]
    values = True
    if str(first.get("StatusReason", "")).startswith(_INCOMPLETE):
        known = {one.logical_id: one for one in changes}
        first, told = _pages(connection, arn, values=False)
        plain = [_change(one) for one in told]
        changes = [known.get(one.logical_id, one) for one in plain]
        values = all(one.logical_id in known for one in plain)
    return _change_set(arn, first, changes, values)


def state(connection: Connection, arn: str) -> ChangeSet | None:
    """A change set without its changes; None where it is gone. Raises AwsError or CredentialsError."""
    try:
        found = _page(connection, arn, values=False)
    except AwsError as error:
        if error.code in ("ChangeSetNotFound", "ChangeSetNotFoundException"):
            return None
        raise
    return _change_set(arn, found, (), values=False)


def delete(
    connection: Connection,
    name: str,
    stack_name: str | None = None,
    sleep: Callable[[float], None] = time.sleep,
) -> None:
    """Removes a change set, named by its ARN, or by its name and the stack's; one that is gone is fine. One that AWS
    is still making can't be removed yet, and is waited for a while. Raises AwsError or CredentialsError."""
    whose = {"StackName": stack_name} if stack_name else {}
    for left in reversed(range(_REMOVALS)):
        try:
            connection.ask("cloudformation", "delete_change_set", ChangeSetName=name, **whose)
            return
        except AwsError as error:
            if error.code in ("ChangeSetNotFound", "ChangeSetNotFoundException") or "does not exist" in error.said:
                return
            if error.code not in ("InvalidChangeSetStatus", "InvalidChangeSetStatusException") or not left:
                raise
        sleep(2.0)


def validations(connection: Connection, arn: str) -> tuple[Validation, ...]:
    """What AWS' early checks found; the change set itself only says that they did (aws-cdk-cli 1000). Empty where
    the caller may not ask, or AWS doesn't know the call there."""
    try:
        found = list(
            connection.every(
                "cloudformation",
                "describe_events",
                "OperationEvents",
                ChangeSetName=arn,
                Filters={"FailedEvents": True},
            )
        )
    except AwsError:
        return ()
    return tuple(
        Validation(
            str(one.get("LogicalResourceId", "")),
            str(one.get("ValidationPath", "")),
            str(one.get("ValidationName", "")),
            " ".join(str(one.get("ValidationStatusReason") or one.get("ResourceStatusReason", "")).split()),
            one.get("ValidationFailureMode", "FAIL") != "WARN",
        )
        for one in found
        if one.get("EventType") in ("VALIDATION_ERROR", "HOOK_INVOCATION_ERROR", "PROVISIONING_ERROR", None)
        and (one.get("ValidationStatusReason") or one.get("ResourceStatusReason"))
    )


def without_hidden(changes: Iterable[AwsChange], hidden: Callable[[AwsChange, Detail], bool]) -> list[AwsChange]:
    """The changes with stars for values that nobody is to see."""
    stars = "****"
    return [
        replace(
            one,
            details=tuple(
                replace(
                    each,
                    before=stars if each.before is not None else None,
                    after=stars if each.after is not None else None,
                )
                if hidden(one, each)
                else each
                for each in one.details
            ),
        )
        for one in changes
    ]


def _page(connection: Connection, arn: str, values: bool, token: str = "") -> dict[str, Any]:
    asked = {"ChangeSetName": arn, **({"NextToken": token} if token else {})}
    # Left out rather than false: older regions and stand-ins don't know it.
    return connection.ask(
        "cloudformation", "describe_change_set", **asked, **({"IncludePropertyValues": True} if values else {})
    )


def _pages(connection: Connection, arn: str, values: bool) -> tuple[dict[str, Any], list[dict[str, Any]]]:
    """(first page, changes of all pages)."""
    first = page = _page(connection, arn, values)
    changes = list(page.get("Changes", ()))
    while token := page.get("NextToken"):
        page = _page(connection, arn, values, token)
        changes += page.get("Changes", ())
        # Whichever page says that something is missing.
        if str(page.get("StatusReason", "")).startswith(_INCOMPLETE):
            first = {**first, "StatusReason": page["StatusReason"]}
    return first, changes


def _change_set(arn: str, told: dict[str, Any], changes: Iterable[AwsChange], values: bool) -> ChangeSet:
    return ChangeSet(
        arn,
        str(told.get("ChangeSetName", "")),
        str(told.get("StackId", "")),
        str(told["Status"]),
        " ".join(str(told.get("StatusReason", "")).split()),
        str(told.get("ExecutionStatus", "")),
        tuple(changes),
        values,
    )


def _change(told: dict[str, Any]) -> AwsChange:
    one = told.get("ResourceChange", {})
    return AwsChange(
        str(one.get("Action", "")),
        str(one.get("LogicalResourceId", "")),
        str(one.get("PhysicalResourceId", "")),
        str(one.get("ResourceType", "")),
        str(one.get("Replacement", "")),
        str(one.get("PolicyAction", "")),
        tuple(_detail(each) for each in one.get("Details", ())),
    )


def _detail(told: dict[str, Any]) -> Detail:
    aim = told.get("Target", {})
    return Detail(
        str(aim.get("Attribute", "")),
        str(aim.get("Path") or aim.get("Name", "")),
        str(aim.get("RequiresRecreation", "")),
        aim.get("BeforeValue"),
        aim.get("AfterValue"),
        str(told.get("ChangeSource", "")),
        str(told.get("CausingEntity", "")),
        told.get("Evaluation", "Static") == "Static",
    )
