"""Which tasks of an ECS service stop while it is deployed, and why: CloudFormation says nothing of it for
up to three hours, ECS within seconds, and forgets it after about one hour."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from typing import Any

from generator.aws import Connection
from generator.deploying.events import Event
from generator.deploying.masking import Masking
from generator.deploying.stacks import Resource
from generator.errors import AwsError, CloakformError
from generator.keycloak.logs import complaint, entry

Source = Callable[[], Iterable["Event | Resource"]]
"""What is known of the stack's resources by now: its events, its resources, or both."""

LOG_LINES = 20
"""Lines of a log that are read at a task's end."""

_SERVICE, _CLUSTER, _DEFINITION = "AWS::ECS::Service", "AWS::ECS::Cluster", "AWS::ECS::TaskDefinition"
_GOES_BACK = "ROLLBACK_IN_PROGRESS"
_AT_ONCE = 100
"""Tasks that one DescribeTasks takes (ECS API reference)."""
_LOGS = 2
"""Logs that are read of tasks that stop for the same reason: a third says nothing else."""
_SAID = 10
"""Messages of a service that are kept with a task's end."""
_READ, _LINE = 8000, 400
"""Characters of a log's line that are looked at, and that are kept."""

# A task's containers have ended in these, although its network interface may still be there (ECS developer
# guide, "Task lifecycle": STOPPING, DEPROVISIONING, STOPPED).
_ENDED = ("DEPROVISIONING", "STOPPED")
# What the scheduler stops because it no longer needs it (a rollout, scaling, balance between zones) hasn't
# failed.
_SCHEDULER = "ServiceSchedulerInitiated"
_FAILED = re.compile(r"fail|unhealthy|error", re.IGNORECASE)
_TELLING = re.compile(
    r"unable|unhealthy|fail|deadlock|rolling back|insufficient|exceed|throttl", re.IGNORECASE
)
_GONE = ("ServiceNotFoundException", "ServiceNotActiveException", "ClusterNotFoundException")
# What differs between two tasks that stopped for the same reason.
_OWN = re.compile(
    r"arn:\S+|\b[0-9a-f]{8}-?(?:[0-9a-f]{4}-?){3}[0-9a-f]{12}\b|\b\d+(?:\.\d+){3}(?::\d+)?\b|\b\d+\b"
)

_EXITS = {
    0: "ended by itself",
    1: "an error",
    2: "its options were refused",
    126: "its command can't be run",
    127: "its command isn't there",
    137: "killed: out of memory, or it didn't stop in time",
    139: "a memory fault",
    143: "asked to stop",
    255: "an error",
}
"""Exit codes in words: 128 and a signal's number (POSIX shells), 2 from Keycloak's option parser (measured
on 24.0.5 to 26.7.4)."""


@dataclass(frozen=True)
class ContainerEnd:
    """How one container of a task ended."""

    name: str
    exit_code: int | None
    """None where it never ran."""
    reason: str
    """Empty where ECS gives none."""

    @property
    def text(self) -> str:
        """In words."""
        if self.exit_code is None:
            return f"{self.name} never ran{f': {self.reason}' if self.reason else ''}"
        known = _EXITS.get(self.exit_code, "")
        more = ", ".join(one for one in (known, self.reason) if one)
        return f"{self.name} exited with {self.exit_code}{f' ({more})' if more else ''}"


@dataclass(frozen=True)
class TaskEnd:
    """A task that stopped and wasn't meant to."""

    task: str
    """The end of its ARN."""
    service: str
    """Logical id."""
    definition: str
    """`family:revision`."""
    stopped: float
    """Seconds since the epoch."""
    lived: float | None
    """Seconds from its start to its end; None where it never ran."""
    code: str
    """`TaskFailedToStart`, `EssentialContainerExited`, `ServiceSchedulerInitiated`, `UserInitiated`, …"""
    reason: str
    """stoppedReason, without secrets."""
    containers: tuple[ContainerEnd, ...]
    log: tuple[str, ...] = ()
    """The last lines of the log of the container that ended it, without secrets."""
    complaint: str = ""
    """What in that log best says why; empty where there is no log."""
    said: tuple[str, ...] = ()
    """What the service said of trouble by then: a rollback takes it away."""
    again: int = 1
    """How many tasks of the deployment have stopped for the same reason by now, with this one."""
    repeated: bool = False
    """Whether tasks stop again and again: two for the same reason, or three in all."""

    @property
    def text(self) -> str:
        """In one line."""
        lived = "before it ran" if self.lived is None else f"after {self.lived:.0f} s"
        told = [one.text for one in self.containers if one.exit_code not in (None, 0) or one.reason]
        return f"task {self.task[:8]} stopped {lived}: {'; '.join([self.reason or self.code, *told])}"


@dataclass(frozen=True)
class Rollout:
    """A deployment of a service, as ECS calls it."""

    id: str
    definition: str
    """`family:revision`."""
    state: str
    """`IN_PROGRESS`, `COMPLETED`, `FAILED`; empty where ECS doesn't say."""
    reason: str
    failed_tasks: int
    created: float
    """Seconds since the epoch."""


@dataclass(frozen=True)
class Service:
    """An ECS service as it is."""

    logical_id: str
    cluster: str
    name: str
    active: bool
    desired: int
    running: int
    pending: int
    rollouts: tuple[Rollout, ...]
    """The one that the service wants to be at (ECS calls it PRIMARY) first."""
    messages: tuple[tuple[float, str], ...]
    """(seconds since the epoch, text) of its events that tell of trouble since the deployment began, the
    oldest first."""
    target_groups: tuple[str, ...]
    """ARNs."""


def services(source: Iterable[Event | Resource]) -> dict[str, tuple[str, str]]:
    """Logical id -> (cluster, name) of the ECS services that are known by now."""
    found: dict[str, tuple[str, str]] = {}
    cluster = "default"
    known = list(source)
    for one in known:
        if one.type == _CLUSTER and one.physical_id:
            cluster = one.physical_id.rsplit("/", 1)[-1]
    for one in known:
        if one.type == _SERVICE and one.physical_id:
            # arn:aws:ecs:REGION:ACCOUNT:service/CLUSTER/NAME; the form without a cluster ended with 2021.
            words = one.physical_id.split(":service/", 1)[-1].split("/")
            found[one.logical_id] = (words[0] if len(words) > 1 else cluster, words[-1])
    return found


def look_at(
    connection: Connection, logical_id: str, cluster: str, name: str, since: float, masking: Masking
) -> Service | None:
    """A service as ECS describes it; None where there is none. Raises AwsError or CredentialsError."""
    try:
        found = connection.ask("ecs", "describe_services", cluster=cluster, services=[name])["services"]
    except AwsError as error:
        if error.code in _GONE:
            return None
        raise
    if not found:
        return None
    told = found[0]
    return Service(
        logical_id,
        cluster,
        name,
        told.get("status") == "ACTIVE",
        int(told.get("desiredCount", 0)),
        int(told.get("runningCount", 0)),
        int(told.get("pendingCount", 0)),
        tuple(
            Rollout(
                str(one.get("id", "")),
                _short(one.get("taskDefinition", "")),
                str(one.get("rolloutState", "")),
                masking.hide(_one_line(one.get("rolloutStateReason", ""))),
                int(one.get("failedTasks", 0)),
                _seconds(one.get("createdAt")) or 0.0,
            )
            # ECS names no order.
            for one in sorted(told.get("deployments", ()), key=lambda one: one.get("status") != "PRIMARY")
        ),
        tuple(
            sorted(
                (_seconds(one.get("createdAt")) or 0.0, masking.hide(_one_line(one.get("message", ""))))
                for one in told.get("events", ())
                if (_seconds(one.get("createdAt")) or 0.0) >= since
                and _TELLING.search(one.get("message", ""))
            )
        ),
        tuple(
            str(one["targetGroupArn"]) for one in told.get("loadBalancers", ()) if one.get("targetGroupArn")
        ),
    )


class Watcher:
    """Looks for tasks that stop. A look takes a call while all is well, two when there are tasks that have
    stopped, and one for each hundred that are new; then two logs for each reason."""

    def __init__(self, connection: Connection, source: Source, since: float, masking: Masking | None = None):
        """`source` tells at each look what is known of the stack's resources; `since` is when the
        deployment began (seconds since the epoch). As soon as `source` has events of it, the first of them
        says so by AWS' clock."""
        self.notes: list[str] = []
        """What couldn't be asked, each once."""
        self.services: tuple[Service, ...] = ()
        """The services at the last look."""
        self.messages: list[str] = []
        """What the services said that they hadn't said at the look before."""
        self._connection, self._source, self._since = connection, source, since
        self._masking = masking or Masking()
        self._older: dict[str, set[str]] = {}
        self._newer: dict[str, set[str]] = {}
        self._seen: set[str] = set()
        self._told: set[tuple[float, str]] = set()
        self._kinds: Counter[tuple[Any, ...]] = Counter()
        self._definitions: dict[str, list[dict[str, Any]]] = {}

    def look(self) -> list[TaskEnd]:
        """Tasks of the deployment's own revision that have stopped since the last look, the oldest first.
        Raises nothing: what AWS refuses becomes a note."""
        self.messages = []
        found: list[TaskEnd] = []
        states = []
        known = list(self._source())
        # Whole seconds: not every time that ECS tells has more.
        self._since = min(
            (float(int(one.time)) for one in known if isinstance(one, Event)), default=self._since
        )
        for logical_id, (cluster, name) in services(known).items():
            try:
                state = look_at(self._connection, logical_id, cluster, name, self._since, self._masking)
                if state is None:
                    continue
                states.append(state)
                self.messages += [text for one in state.messages if one not in self._told for text in one[1:]]
                self._told.update(state.messages)
                own = self._own(state, known)
                if own:
                    found += self._ended(state, own)
            except CloakformError as error:
                self._note(error)
        self.services = tuple(states)
        return sorted(found, key=lambda one: one.stopped)

    def _own(self, state: Service, known: Iterable[Event | Resource]) -> set[str]:
        """The revisions that the deployment brings: those that CloudFormation made. Where it made none,
        those of rollouts that began with it, without one that was there before, which comes back when ECS
        goes back."""
        older = self._older.setdefault(state.logical_id, set())
        newer = self._newer.setdefault(state.logical_id, set())
        for one in state.rollouts:
            (newer if one.created >= self._since else older).add(one.definition)
        families = {_family(one) for one in older | newer}
        return {one for one in _made(known) if _family(one) in families} or newer - older or newer

    def _ended(self, state: Service, own: set[str]) -> list[TaskEnd]:
        try:
            listed = [
                arn
                for arn in self._connection.every(
                    "ecs",
                    "list_tasks",
                    "taskArns",
                    cluster=state.cluster,
                    serviceName=state.name,
                    desiredStatus="STOPPED",
                )
                if arn not in self._seen
            ]
        except AwsError as error:
            if error.code in _GONE:
                return []
            raise
        found: list[tuple[TaskEnd, dict[str, Any]]] = []
        for start in range(0, len(listed), _AT_ONCE):
            described = self._connection.ask(
                "ecs", "describe_tasks", cluster=state.cluster, tasks=listed[start : start + _AT_ONCE]
            )["tasks"]
            for one in described:
                if one.get("lastStatus") not in _ENDED:
                    continue
                self._seen.add(one["taskArn"])
                reason = _one_line(one.get("stoppedReason", ""))
                made = _seconds(one.get("createdAt"))
                if (
                    _short(one.get("taskDefinitionArn", "")) in own
                    and (made is None or made >= self._since)
                    and (one.get("stopCode") != _SCHEDULER or _FAILED.search(reason))
                ):
                    found.append((self._end(state, one, reason), one))
        return [self._judged(*one) for one in sorted(found, key=lambda one: (one[0].stopped, one[0].task))]

    def _end(self, state: Service, told: dict[str, Any], reason: str) -> TaskEnd:
        started = _seconds(told.get("startedAt"))
        stopped = next(
            (
                moment
                for key in ("executionStoppedAt", "stoppingAt", "stoppedAt")
                if (moment := _seconds(told.get(key))) is not None
            ),
            self._since,
        )
        return TaskEnd(
            str(told["taskArn"]).rsplit("/", 1)[-1],
            state.logical_id,
            _short(told.get("taskDefinitionArn", "")),
            stopped,
            max(stopped - started, 0.0) if started is not None else None,
            str(told.get("stopCode", "")),
            self._masking.hide(reason),
            tuple(
                ContainerEnd(
                    str(one.get("name", "")),
                    int(one["exitCode"]) if one.get("exitCode") is not None else None,
                    self._masking.hide(_one_line(one.get("reason", ""))),
                )
                for one in told.get("containers", ())
            ),
            said=tuple(text for _, text in state.messages[-_SAID:]),
        )

    def _with_log(self, end: TaskEnd, told: dict[str, Any]) -> TaskEnd:
        """The same with the log of the container that most likely ended it; itself where there is none to
        read."""
        ran = sorted(
            (one for one in end.containers if one.exit_code is not None), key=lambda one: one.exit_code == 0
        )
        if not ran:
            return end
        try:
            definition = self._definition(str(told.get("taskDefinitionArn", "")))
            for container in ran:
                where = _stream(definition, container.name, end.task)
                if where is None:
                    continue
                events = self._connection.ask("logs", "get_log_events", limit=LOG_LINES, **where)["events"]
                lines = [str(one.get("message", "")) for one in events]
                if lines:
                    return replace(
                        end,
                        log=tuple(self._shown(line) for line in lines if line.strip()),
                        complaint=self._masking.hide(_one_line(complaint(lines))[:_READ])[:_LINE],
                    )
        except AwsError as error:
            # A task that wrote nothing has no stream.
            if error.code != "ResourceNotFoundException":
                self._note(error)
        except CloakformError as error:
            self._note(error)
        return end

    def _shown(self, line: str) -> str:
        told = entry(line.rstrip())
        message = told.message.removeprefix("ERROR: ")
        text = f"{told.level} {message}" if told.level else message
        # Hidden in far more than is shown, so that no half of a secret is.
        return self._masking.hide(text[:_READ])[:_LINE]

    def _definition(self, arn: str) -> list[dict[str, Any]]:
        if arn not in self._definitions:
            told = self._connection.ask("ecs", "describe_task_definition", taskDefinition=arn)
            self._definitions[arn] = list(told["taskDefinition"].get("containerDefinitions", ()))
        return self._definitions[arn]

    def _judged(self, end: TaskEnd, told: dict[str, Any]) -> TaskEnd:
        alike = kind(end)
        self._kinds[alike] += 1
        again = self._kinds[alike]
        if again <= _LOGS:
            end = self._with_log(end, told)
        return replace(end, again=again, repeated=again >= 2 or self._kinds.total() >= 3)

    def _note(self, error: CloakformError) -> None:
        """One note for each call that fails, whatever the moment's request id."""
        text = self._masking.hide(f"tasks can't be watched in full: {error}")
        if not any(text.split(": ", 2)[:2] == one.split(": ", 2)[:2] for one in self.notes):
            self.notes.append(text)


def repeated(ends: Sequence[TaskEnd]) -> bool:
    """Whether tasks stop again and again."""
    return any(one.repeated for one in ends)


def kind(end: TaskEnd) -> tuple[Any, ...]:
    """What is the same for two tasks that stopped for the same reason."""
    return (
        end.service,
        end.code,
        _OWN.sub("", end.reason),
        tuple((one.name, one.exit_code, _OWN.sub("", one.reason)) for one in end.containers),
    )


def _stream(definition: list[dict[str, Any]], name: str, task: str) -> dict[str, Any] | None:
    """Where a container of a task writes, as GetLogEvents takes it: the stream is prefix/container/task
    (ECS developer guide, "Send Amazon ECS logs to CloudWatch"). None where it isn't known."""
    driver = next((one.get("logConfiguration") or {} for one in definition if one.get("name") == name), {})
    options = driver.get("options") or {}
    if driver.get("logDriver") != "awslogs" or not options.get("awslogs-stream-prefix"):
        return None
    return {
        "logGroupName": options.get("awslogs-group", ""),
        "logStreamName": f"{options['awslogs-stream-prefix']}/{name}/{task}",
    }


def _made(known: Iterable[Event | Resource]) -> set[str]:
    """Revisions that CloudFormation made before it went back, if it did: then it tells of the one before."""
    found = set()
    for one in known:
        if not isinstance(one, Event):
            continue
        if one.about_stack and one.status.endswith(_GOES_BACK):
            break
        # What begins a replacement has the physical id of what is replaced.
        if one.type == _DEFINITION and one.status in ("CREATE_COMPLETE", "UPDATE_COMPLETE"):
            found.add(_short(one.physical_id))
    return found


def _family(definition: str) -> str:
    return definition.rsplit(":", 1)[0]


def _short(arn: Any) -> str:
    return str(arn).rsplit("/", 1)[-1]


def _seconds(moment: Any) -> float | None:
    """A time of boto3's as seconds since the epoch."""
    return moment.timestamp() if hasattr(moment, "timestamp") else None


def _one_line(text: Any) -> str:
    return " ".join(str(text or "").split())
