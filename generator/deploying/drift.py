"""What somebody changed beside CloudFormation: the resources of a stack as they are, against what it made of
them."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from generator.aws import Connection
from generator.deploying import masking, stacks
from generator.deploying.operating import HIDDEN
from generator.deploying.stacks import Stack
from generator.deploying.target import Target
from generator.errors import RefusedError
from generator.showing.literals import hides

IN_SYNC, MODIFIED, DELETED = "IN_SYNC", "MODIFIED", "DELETED"

_LOOK_EVERY = 3.0


@dataclass(frozen=True)
class Difference:
    """A property that isn't as CloudFormation made it."""

    path: str
    """`/Properties` is left out: `/Tags/0/Value`."""
    kind: str
    """`ADD`, `REMOVE` or `NOT_EQUAL`."""
    expected: str
    actual: str
    """As AWS writes them; `[hidden]` where they are secrets."""


@dataclass(frozen=True)
class Drifted:
    """A resource that was looked at."""

    logical_id: str
    physical_id: str
    type: str
    status: str
    """`IN_SYNC`, `MODIFIED`, `DELETED`; `UNKNOWN` where it couldn't be looked at."""
    differences: tuple[Difference, ...]
    reason: str = ""
    """Why it couldn't be looked at."""


@dataclass(frozen=True)
class Drift:
    """What a detection found."""

    stack: Stack
    complete: bool
    """Whether every resource that can be looked at was."""
    reason: str
    """Why it isn't complete; empty where it is."""
    resources: tuple[Drifted, ...]
    """Those that were looked at."""
    unsupported: tuple[tuple[str, str], ...]
    """(logical id, type) of those that AWS can't look at."""

    @property
    def drifted(self) -> tuple[Drifted, ...]:
        """Those that differ or are gone."""
        return tuple(one for one in self.resources if one.status in (MODIFIED, DELETED))

    @property
    def failed(self) -> tuple[Drifted, ...]:
        """Those that AWS tried to look at and couldn't."""
        return tuple(one for one in self.resources if one.status not in (MODIFIED, DELETED, IN_SYNC))


def detect(
    connection: Connection,
    target: Target,
    stack: Stack,
    tell: Callable[[str], None] = lambda _: None,
    sleep: Callable[[float], None] = time.sleep,
) -> Drift:
    """Has AWS look at the resources of a stack, and waits until it has. That changes nothing, and goes on in
    AWS where nobody waits.

    Raises RefusedError for a stack in a state in which AWS doesn't look, AwsError or CredentialsError.
    """
    # CloudFormation user guide, "Considerations when detecting drift".
    if stack.status not in (*stacks.READY, "UPDATE_ROLLBACK_FAILED"):
        raise RefusedError(f"the stack {stack.name} is {stack.status}: AWS detects drift only when it rests")
    detection = connection.ask("cloudformation", "detect_stack_drift", StackName=stack.id)[
        "StackDriftDetectionId"
    ]
    waited = 0.0
    while True:
        told = connection.ask(
            "cloudformation", "describe_stack_drift_detection_status", StackDriftDetectionId=detection
        )
        if told["DetectionStatus"] != "DETECTION_IN_PROGRESS":
            break
        tell(f"AWS looks at the resources of {stack.name} ({waited:.0f} s)")
        sleep(_LOOK_EVERY)
        waited += _LOOK_EVERY
    hidden = masking.of(target)
    resources = tuple(_read(one, hidden) for one in _pages(connection, stack.id))
    seen = {one.logical_id for one in resources}
    unsupported = tuple(
        (one.logical_id, one.type)
        for one in stacks.resources(connection, stack.id)
        if one.logical_id not in seen and one.status != "DELETE_COMPLETE"
    )
    complete = told["DetectionStatus"] == "DETECTION_COMPLETE"
    reason = hidden.hide(" ".join(str(told.get("DetectionStatusReason", "")).split()))
    return Drift(stack, complete, "" if complete else reason or "AWS gives no reason", resources, unsupported)


def _pages(connection: Connection, stack_id: str) -> Iterator[dict[str, Any]]:
    """boto3 has no paginator for it."""
    more: dict[str, str] = {}
    while True:
        page = connection.ask(
            "cloudformation", "describe_stack_resource_drifts", StackName=stack_id, MaxResults=100, **more
        )
        yield from page.get("StackResourceDrifts", ())
        if not page.get("NextToken"):
            return
        more = {"NextToken": page["NextToken"]}


def _read(told: dict[str, Any], hidden: masking.Masking) -> Drifted:
    return Drifted(
        str(told["LogicalResourceId"]),
        str(told.get("PhysicalResourceId", "")),
        str(told.get("ResourceType", "")),
        str(told.get("StackResourceDriftStatus", "UNKNOWN")),
        tuple(_difference(one, hidden) for one in told.get("PropertyDifferences", ())),
        hidden.hide(" ".join(str(told.get("DriftStatusReason", "")).split())),
    )


def _difference(told: dict[str, Any], hidden: masking.Masking) -> Difference:
    path = str(told.get("PropertyPath", ""))
    steps = tuple(step for step in path.split("/") if step and not step.isdigit())
    expected, actual = (
        _shown(steps, str(told.get(key, "")), hidden) for key in ("ExpectedValue", "ActualValue")
    )
    return Difference(path, str(told.get("DifferenceType", "")), expected, actual)


def _shown(steps: Sequence[str], text: str, hidden: masking.Masking) -> str:
    """A value, without what is secret in it: AWS gives whole objects as JSON."""
    try:
        value = json.loads(text)
    except (ValueError, RecursionError):
        value = text
    if isinstance(value, (dict, list)):
        return hidden.hide(json.dumps(_without(tuple(steps), value), ensure_ascii=False))
    return HIDDEN if hides(tuple(steps), text) else hidden.hide(text)


def _without(steps: tuple[str, ...], value: Any) -> Any:
    if isinstance(value, dict):
        # A container's variable and a parameter of a group have their name beside their value.
        named = next(
            (value[key] for key in ("Name", "Key", "ParameterName") if isinstance(value.get(key), str)), None
        )
        return {
            key: _without((*steps, *((f"[{named}]",) if key == "Value" and named else ()), str(key)), one)
            for key, one in value.items()
        }
    if isinstance(value, list):
        return [_without(steps, one) for one in value]
    return HIDDEN if isinstance(value, str) and hides(steps, value) else value
