"""How a deployed environment is: its stack, its service, its database; what happened to it; what it gives."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from generator.aws import Connection
from generator.deploying import events as log
from generator.deploying import executing, masking, progress, readiness, stacks, tasks
from generator.deploying.events import Event
from generator.deploying.stacks import Resource, Stack
from generator.deploying.target import DeployError, Target
from generator.document import Document, parse
from generator.errors import AwsError, DocumentError
from generator.resolving import scalar_text
from generator.showing.literals import hides

RESTS, BUSY, STUCK, ABSENT, UNMADE = "rests", "busy", "stuck", "absent", "unmade"

AS_RENDERED, DIFFERS, NOT_DEPLOYED, UNKNOWN = "as rendered", "differs", "not deployed", "unknown"

HIDDEN = "[hidden]"

# What a stack's status means (CloudFormation user guide, "Stack status codes").
_WORDS: Mapping[str, str] = {
    "CREATE_COMPLETE": "created",
    "CREATE_IN_PROGRESS": "being created",
    "CREATE_FAILED": "its creation failed",
    "DELETE_COMPLETE": "deleted",
    "DELETE_FAILED": "its deletion failed",
    "DELETE_IN_PROGRESS": "being deleted",
    "REVIEW_IN_PROGRESS": "not made yet: only a change set that would make it",
    "ROLLBACK_COMPLETE": "its creation failed and was undone",
    "ROLLBACK_FAILED": "its creation failed and couldn't be undone",
    "ROLLBACK_IN_PROGRESS": "its creation failed and is being undone",
    "UPDATE_COMPLETE": "updated",
    "UPDATE_COMPLETE_CLEANUP_IN_PROGRESS": "updated; what it no longer needs is being deleted",
    "UPDATE_FAILED": "its update failed and wasn't undone",
    "UPDATE_IN_PROGRESS": "being updated",
    "UPDATE_ROLLBACK_COMPLETE": "its update failed and was undone",
    "UPDATE_ROLLBACK_COMPLETE_CLEANUP_IN_PROGRESS": "its update failed and was undone; what is left goes",
    "UPDATE_ROLLBACK_FAILED": "its update failed and couldn't be undone",
    "UPDATE_ROLLBACK_IN_PROGRESS": "its update failed and is being undone",
    "IMPORT_COMPLETE": "resources were imported",
    "IMPORT_IN_PROGRESS": "resources are being imported",
    "IMPORT_ROLLBACK_COMPLETE": "an import failed and was undone",
    "IMPORT_ROLLBACK_FAILED": "an import failed and couldn't be undone",
    "IMPORT_ROLLBACK_IN_PROGRESS": "an import failed and is being undone",
}
_BEGINNINGS = frozenset(
    (
        "CREATE_IN_PROGRESS",
        "UPDATE_IN_PROGRESS",
        "DELETE_IN_PROGRESS",
        "IMPORT_IN_PROGRESS",
        "REVIEW_IN_PROGRESS",
    )
)
_BEGIN_BACK = frozenset(
    ("ROLLBACK_IN_PROGRESS", "UPDATE_ROLLBACK_IN_PROGRESS", "IMPORT_ROLLBACK_IN_PROGRESS")
)
_AT_ONCE = 100
"""Tasks that one DescribeTasks takes (ECS API reference)."""


@dataclass(frozen=True)
class Running:
    """How an ECS service is."""

    logical_id: str
    active: bool
    wanted: int
    running: int
    healthy: int | None
    """Tasks that ECS calls healthy; None where that couldn't be asked."""
    rollout: str
    """`IN_PROGRESS`, `COMPLETED`, `FAILED` of the last deployment; empty where ECS doesn't say."""
    reason: str
    failed_tasks: int
    """Of the last deployment."""
    targets: tuple[tuple[str, tuple[tuple[str, int], ...]], ...]
    """(logical id of the target group, ((state, how many), …)) for those that could be asked."""


@dataclass(frozen=True)
class Database:
    """How a database is."""

    logical_id: str
    status: str
    """As RDS calls it: `available`, `modifying`, …"""


@dataclass(frozen=True)
class Status:
    """How one environment is."""

    environment: str
    stack_name: str
    account: str
    region: str
    condition: str
    """`rests`, `busy`, `stuck`, `absent` (no stack), `unmade` (it can only be deleted)."""
    status: str
    """As CloudFormation calls it; empty where there is no stack."""
    words: str
    reason: str
    changed: float
    """When it was deployed last, in seconds since the epoch; 0 where it wasn't."""
    deployed: str
    """`as rendered`, `differs`, `not deployed`, `unknown`."""
    differing: tuple[str, ...]
    """Of `template`, `parameters`, `tags`: what differs."""
    way_out: str
    """What frees it, where it is stuck; empty elsewhere."""
    working: tuple[progress.Working, ...]
    """What AWS works on, where it is busy."""
    services: tuple[Running, ...]
    databases: tuple[Database, ...]
    protected: bool
    """Whether it has termination protection."""
    protection_wanted: bool
    """Whether it is to have it."""
    drift: str
    """`IN_SYNC`, `DRIFTED`, `NOT_CHECKED`, `UNKNOWN`, as last checked; empty where there is no stack."""
    drift_checked: float
    """When; 0 where it never was."""
    notes: tuple[str, ...] = ()
    """What couldn't be asked."""


def status(connection: Connection, target: Target, now: float | None = None) -> Status:
    """How an environment is. What AWS refuses about its parts becomes a note; raises AwsError or
    CredentialsError where the stack itself can't be asked for.
    """
    stack = stacks.look(connection, target.stack_name)
    if stack is None or stack.status == stacks.GONE:
        return _status(target, None, ABSENT, NOT_DEPLOYED)
    if stack.status == stacks.REVIEW:
        return _status(target, stack, ABSENT, NOT_DEPLOYED)
    hidden, notes = masking.of(target), _Notes()
    condition = _condition(stack)
    deployed, differing = NOT_DEPLOYED, ()
    if stack.exists:
        deployed, differing = _compared(connection, target, stack)
    working: tuple[progress.Working, ...] = ()
    if stack.busy:
        seen = progress.Progress.begin((), (), stack.updated)
        seen.feed(newest(log.read(connection, stack.id)))
        working = seen.working(time.time() if now is None else now)
    there = stacks.resources(connection, stack.id)
    drift, checked = _drift(connection, stack)
    return _status(
        target,
        stack,
        condition,
        deployed,
        differing=differing,
        way_out=hidden.hide(readiness.way_out(target, stack)),
        working=working,
        services=_services(connection, there, hidden, notes),
        databases=_databases(connection, there, notes),
        drift=drift,
        drift_checked=checked,
        notes=tuple(notes.said),
    )


def words(status: str) -> str:
    """What a stack's status means; the status itself where it is a new one."""
    return _WORDS.get(status, status)


# --- Events ---


@dataclass(frozen=True)
class Told:
    """An event, with how long what it ends took."""

    event: Event
    took: float | None
    """Seconds since that resource's (or the stack's) step began; None where nothing ends."""
    cancelled: bool
    """Whether it failed only because something else did."""


def find(connection: Connection, target: Target) -> Stack:
    """The environment's stack; the newest deleted one of its name where there is none. Raises DeployError
    where there never was one, AwsError or CredentialsError."""
    stack = stacks.look(connection, target.stack_name)
    if stack is not None:
        return stack
    gone = [
        one
        for one in connection.every(
            "cloudformation", "list_stacks", "StackSummaries", StackStatusFilter=[stacks.GONE]
        )
        if one.get("StackName") == target.stack_name
    ]
    if gone:
        newest_ = max(gone, key=lambda one: one.get("DeletionTime") or one["CreationTime"])
        stack = stacks.look(connection, str(newest_["StackId"]))
    if stack is None:
        raise DeployError(not_there(target))
    return stack


def existing(connection: Connection, target: Target) -> Stack:
    """The environment's stack as it is. Raises DeployError where there is none, AwsError or
    CredentialsError."""
    stack = stacks.look(connection, target.stack_name)
    if stack is None or stack.status in (stacks.REVIEW, stacks.GONE):
        raise DeployError(not_there(target))
    return stack


def not_there(target: Target) -> str:
    """That an environment isn't deployed."""
    return (
        f"there is no stack {target.stack_name} in account {target.account}, {target.region} "
        f"(deploy it: cloakform deploy {target.name})"
    )


def operations(events: Iterable[Event]) -> list[list[Event]]:
    """Events by the operation that they belong to, both oldest first. A rollback belongs to what it undoes;
    one that is continued later is an operation of its own."""
    found: list[list[Event]] = []
    last = ""
    for one in events:
        if one.about_stack:
            begins = one.status in _BEGINNINGS or (one.status in _BEGIN_BACK and last.endswith("_FAILED"))
            # A stack that a change set makes was under review before.
            if begins and last not in (one.status, "REVIEW_IN_PROGRESS"):
                found.append([])
            last = one.status
        if not found:
            found.append([])
        found[-1].append(one)
    return found


def newest(events: Iterable[Event]) -> list[Event]:
    """The events of the newest operation."""
    found = operations(events)
    return found[-1] if found else []


class Telling:
    """Events with their durations, which need those that came before."""

    def __init__(self) -> None:
        self._begun: dict[tuple[str, str], float] = {}

    def tell(self, events: Iterable[Event]) -> Iterator[Told]:
        """The events, in order."""
        for one in events:
            verb, _, rest = one.status.partition("_")
            key = (one.logical_id, "" if one.about_stack else verb)
            took = None
            if one.status.endswith("_IN_PROGRESS"):
                if one.about_stack and one.status in _BEGINNINGS:
                    self._begun[key] = (
                        one.time
                    )  # what was under review before took as long as somebody thought
                elif not one.about_stack:
                    self._begun.setdefault(key, one.time)
            elif key in self._begun and rest:
                took = one.time - self._begun.pop(key)
            yield Told(one, took, progress.cancelled(one))


def follow(
    connection: Connection,
    stack_id: str,
    since: str = "",
    tell: Callable[[str], None] = lambda _: None,
    sleep: Callable[[float], None] = time.sleep,
) -> Iterator[tuple[Stack, list[Event]]]:
    """Yields (the stack, its events after the one with the id `since`) at every look until it rests. Raises
    AwsError or CredentialsError."""
    following = executing.Following(connection, stack_id, since=since)
    while True:
        new = following.look(tell)
        stack = following.stack
        if stack is not None:
            yield stack, new
            if not stack.busy:
                return
        sleep(following.pause)


# --- Outputs ---


@dataclass(frozen=True)
class Output:
    """What a stack gives to others."""

    key: str
    value: str
    """`[hidden]` where it is made from a secret."""
    description: str
    hidden: str = ""
    """Why it is hidden; empty where it isn't."""


def outputs(connection: Connection, target: Target) -> tuple[Stack, tuple[Output, ...]]:
    """The outputs of an environment's stack. CloudFormation shows what is made from a NoEcho parameter in the
    clear (CloudFormation user guide, "Parameters", NoEcho); here it is hidden.

    Raises DeployError where it isn't deployed, AwsError or CredentialsError.
    """
    stack = existing(connection, target)
    made_from = secret_outputs(_document(stacks.template(connection, stack)))
    hidden = masking.of(target)
    found = []
    for key, value, description in stack.outputs:
        reason = made_from.get(key, "")
        if not reason and (hidden.hide(value) != value or hides((key,), value)):
            reason = "it looks like a secret"
        found.append(Output(key, HIDDEN if reason else value, description, reason))
    return stack, tuple(found)


def secret_outputs(document: Document | None) -> dict[str, str]:
    """Output key -> why nobody is to see it: CloudFormation shows what is made from a NoEcho parameter in the clear."""
    if document is None:
        return {}
    secret = set(masking.silent(document))
    listed = document.data.get("Outputs")
    found = {}
    for key, one in listed.items() if isinstance(listed, dict) else ():
        names = sorted(secret & document.references(one)) if isinstance(one, dict) else []
        if names:
            found[str(key)] = f"it is made from the NoEcho parameter {', '.join(names)}"
    return found


# --- Parts of a status ---


class _Notes:
    """Asks AWS, and keeps what it refuses."""

    def __init__(self) -> None:
        self.said: list[str] = []

    def ask(self, about: str, work: Callable[[], Any]) -> Any:
        try:
            return work()
        except AwsError as error:
            self.said.append(f"{about}: {error}")
            return None


def _status(target: Target, stack: Stack | None, condition: str, deployed: str, **more: Any) -> Status:
    rest = {
        "differing": (),
        "way_out": "",
        "working": (),
        "services": (),
        "databases": (),
        "drift": "",
        "drift_checked": 0.0,
        **more,
    }
    hidden = masking.of(target)
    return Status(
        target.name,
        target.stack_name,
        target.account,
        target.region,
        condition,
        stack.status if stack is not None else "",
        words(stack.status) if stack is not None else "there is no stack",
        hidden.hide(stack.reason) if stack is not None else "",
        stack.updated if stack is not None and stack.status != stacks.REVIEW else 0.0,
        deployed,
        protected=stack is not None and stack.protected,
        protection_wanted=target.protected,
        **rest,
    )


def _condition(stack: Stack) -> str:
    if stack.busy:
        return BUSY
    if stack.status in stacks.READY:
        return RESTS
    return UNMADE if stack.status in stacks.NEVER_MADE else STUCK


def _compared(connection: Connection, target: Target, stack: Stack) -> tuple[str, tuple[str, ...]]:
    """Whether what is deployed is what is rendered, and what differs."""
    text = stacks.template(connection, stack)
    if not text:
        return UNKNOWN, ()
    different = []
    if not _same_text(text, target.template):
        different.append("template")
    if not _same_parameters(target, stack):
        different.append("parameters")
    if dict(stack.tags) != dict(target.tags):
        different.append("tags")
    return (DIFFERS, tuple(different)) if different else (AS_RENDERED, ())


def _same_text(one: str, other: str) -> bool:
    if one.strip() == other.strip():
        return True
    # A template in JSON comes back as an object; then only what it says can be compared.
    first, second = _document(one), _document(other)
    return (
        one.lstrip().startswith("{")
        and first is not None
        and second is not None
        and first.data == second.data
    )


def _same_parameters(target: Target, stack: Stack) -> bool:
    """Values that are rendered, and defaults, against those of the stack. Of a NoEcho one AWS tells stars,
    which may stand for anything."""
    document = _document(target.template)
    if document is None:
        return dict(target.parameters) == dict(stack.parameters)
    secret = masking.silent(document)
    defaults = {name: scalar_text(one.get("Default")) for name, one in masking.declared(document).items()}
    wanted = {**defaults, **target.parameters}
    return set(target.parameters) <= set(stack.parameters) and all(
        name in secret or value == wanted.get(name) for name, value in stack.parameters.items()
    )


def _document(text: str) -> Document | None:
    try:
        return parse(text)
    except DocumentError:
        return None


def _drift(connection: Connection, stack: Stack) -> tuple[str, float]:
    """(what the last check of drift said, when it was)."""
    listed = connection.ask("cloudformation", "describe_stacks", StackName=stack.id)["Stacks"]
    told = listed[0].get("DriftInformation", {}) if listed else {}
    moment = told.get("LastCheckTimestamp")
    return str(told.get("StackDriftStatus", "NOT_CHECKED")), moment.timestamp() if moment is not None else 0.0


def _services(
    connection: Connection, there: Sequence[Resource], hidden: masking.Masking, notes: _Notes
) -> tuple[Running, ...]:
    groups = {
        one.physical_id: one.logical_id
        for one in there
        if one.type == "AWS::ElasticLoadBalancingV2::TargetGroup" and one.physical_id
    }
    found = []
    for logical_id, (cluster, name) in tasks.services(there).items():
        told = notes.ask(
            logical_id,
            lambda logical_id=logical_id, cluster=cluster, name=name: tasks.look_at(
                connection, logical_id, cluster, name, float("inf"), hidden
            ),
        )
        if told is None:
            continue
        healthy = notes.ask(
            f"tasks of {logical_id}", lambda cluster=cluster, name=name: _healthy(connection, cluster, name)
        )
        newest_ = told.rollouts[0] if told.rollouts else None
        found.append(
            Running(
                logical_id,
                told.active,
                told.desired,
                told.running,
                healthy,
                newest_.state if newest_ is not None else "",
                newest_.reason if newest_ is not None else "",
                newest_.failed_tasks if newest_ is not None else 0,
                tuple(_targets(connection, told.target_groups, groups, notes)),
            )
        )
    return tuple(found)


def _healthy(connection: Connection, cluster: str, name: str) -> int:
    """Tasks of a service that ECS calls healthy."""
    arns = list(
        connection.every(
            "ecs", "list_tasks", "taskArns", cluster=cluster, serviceName=name, desiredStatus="RUNNING"
        )
    )
    return sum(
        one.get("healthStatus") == "HEALTHY" and one.get("lastStatus") == "RUNNING"
        for start in range(0, len(arns), _AT_ONCE)
        for one in connection.ask(
            "ecs", "describe_tasks", cluster=cluster, tasks=arns[start : start + _AT_ONCE]
        )["tasks"]
    )


def _targets(
    connection: Connection, arns: Iterable[str], groups: Mapping[str, str], notes: _Notes
) -> Iterator[tuple[str, tuple[tuple[str, int], ...]]]:
    for arn in arns:
        told = notes.ask(
            groups.get(arn, arn),
            lambda arn=arn: connection.ask("elbv2", "describe_target_health", TargetGroupArn=arn),
        )
        if told is None:
            continue
        counted: dict[str, int] = {}
        for one in told.get("TargetHealthDescriptions", ()):
            state = str(one.get("TargetHealth", {}).get("State", "unknown"))
            counted[state] = counted.get(state, 0) + 1
        yield groups.get(arn, arn), tuple(sorted(counted.items()))


def _databases(connection: Connection, there: Sequence[Resource], notes: _Notes) -> tuple[Database, ...]:
    found = []
    for one in there:
        if not one.physical_id:
            continue
        if one.type == "AWS::RDS::DBInstance":
            ask, key, name, state = (
                "describe_db_instances",
                "DBInstances",
                "DBInstanceIdentifier",
                "DBInstanceStatus",
            )
        elif one.type == "AWS::RDS::DBCluster":
            ask, key, name, state = "describe_db_clusters", "DBClusters", "DBClusterIdentifier", "Status"
        else:
            continue
        told = notes.ask(
            one.logical_id,
            lambda ask=ask, name=name, one=one: connection.ask("rds", ask, **{name: one.physical_id}),
        )
        if told is not None and told.get(key):
            found.append(Database(one.logical_id, str(told[key][0].get(state, ""))))
    return tuple(found)
