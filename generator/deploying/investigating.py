"""What AWS answers when it is asked about resources that failed: tasks, targets, database events,
certificates, hooks.

Each question stands alone: what is refused, takes too long or comes back in another shape becomes a note,
never an error.
"""

from __future__ import annotations

import re
import threading
import time
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timezone
from functools import partial
from typing import Any, TypeVar

from generator.aws import Connection
from generator.deploying import causes, diagnosis, stacks, tasks
from generator.deploying import events as stack_events
from generator.deploying.causes import Advice
from generator.deploying.diagnosis import Diagnosis, Evidence, Failure
from generator.deploying.events import STACK, Event
from generator.deploying.masking import Masking
from generator.deploying.stacks import Stack
from generator.deploying.target import TEMPLATE, Target
from generator.deploying.tasks import TaskEnd
from generator.document import parse
from generator.errors import AwsError, CloakformError

EACH, ALL = 15.0, 60.0
"""Seconds that one question may take, and all of them."""
_ASKED = 4
"""Failures that are asked about: what came first explains the rest."""
_NESTED = 3
"""How deep nested stacks are followed."""
_LOG = 10
"""Log lines that are kept for a report."""

_STOPPED = (137, 143)
"""Exit codes of a process that was killed, or asked to stop."""

_SERVICE = "AWS::ECS::Service"
_HEALTH = re.compile(r"health ?check|unhealthy", re.IGNORECASE)
_DATABASE = re.compile(
    r"connection attempt failed|acquisition timeout|connect timed out|Connection to \S+ refused|"
    r"SocketTimeout",
    re.IGNORECASE,
)
_SECRET = re.compile(r"arn:aws[\w-]*:secretsmanager:[\w-]+:\d{12}:secret:[\w/+=.@-]+")
_VERSION = re.compile(r"Cannot find version (?P<version>\d+)[\w.]* for (?P<engine>[\w-]+)")
_RECORD = re.compile(r"Content of DNS Record is: (?P<record>\{.*\})")

_Answer = TypeVar("_Answer")


@dataclass
class _Case:
    """What is asked about, and what has been found."""

    connection: Connection
    target: Target
    hidden: Masking
    ends: Sequence[TaskEnd]
    until: float
    notes: list[str] = field(default_factory=list)

    def answer(self, what: str, ask: Callable[[], _Answer], otherwise: _Answer) -> _Answer:
        """An answer, within the time that there is."""
        left = min(EACH, self.until - time.monotonic())
        if left <= 0:
            self._note(f"{what}: not asked any more, it took too long")
            return otherwise
        given: list[_Answer] = []
        failed: list[Exception] = []

        def run() -> None:
            try:
                given.append(ask())
            # Whatever AWS' answer holds: the deployment's own failure has to be told.
            except Exception as error:
                failed.append(error)

        thread = threading.Thread(target=run, daemon=True)
        thread.start()
        thread.join(left)
        if given:
            return given[0]
        if failed and not isinstance(failed[0], CloakformError):
            self._note(f"{what}: the answer can't be read ({type(failed[0]).__name__}: {failed[0]})")
        else:
            self._note(f"{what}: {failed[0] if failed else f'no answer within {left:.0f} s'}")
        return otherwise

    def _note(self, text: str) -> None:
        text = " ".join(self.hidden.hide(text).split())
        # What was refused once is refused again: told once.
        if not any(text.split(": ", 1)[-1] in note for note in self.notes):
            self.notes.append(text)


def investigate(
    connection: Connection,
    found: Diagnosis,
    stack: Stack,
    events: Sequence[Event],
    target: Target,
    ends: Sequence[TaskEnd],
    hidden: Masking,
) -> Diagnosis:
    """A diagnosis with what AWS answers about its failures."""
    case = _Case(connection, target, hidden, ends, time.monotonic() + ALL)
    tried, _ = diagnosis.attempt(events)
    known: dict[str, Sequence[Event]] = {"": tried}
    real = _unfolded(case, found.causes, known, _NESTED)
    back = _unfolded(case, found.rollback, known, _NESTED)
    evidence: list[Evidence] = []
    asked = set()
    for one in (*real[:_ASKED], *back[:_ASKED], *found.left[:1]):
        if (one.nested, one.logical_id) in asked:
            continue
        asked.add((one.nested, one.logical_id))
        for kinds, question in _QUESTIONS:
            if one.type.startswith(kinds):
                what = f"{one.name} ({one.type})"
                evidence += case.answer(what, partial(question, case, one, known.get(one.nested, tried)), [])
        if "hook" in one.reason.lower():
            evidence += case.answer(f"hooks of {one.name}", partial(_hooks, case, one, stack), [])
    # Tasks that stop explain a service that never settled, even where something else ended the deployment.
    if not any(one.kind == "tasks" for one in evidence):
        failed = any(one.type == _SERVICE for one in real)
        evidence += _of_tasks([one for one in ends if failed or one.repeated])
    return replace(
        found,
        causes=real,
        rollback=back,
        commands=diagnosis.commands(stack, target, back or real),
        evidence=tuple(_masked(one, hidden) for one in evidence),
        notes=(*found.notes, *case.notes),
    )


def _masked(one: Evidence, hidden: Masking) -> Evidence:
    return replace(
        one,
        heading=hidden.hide(one.heading),
        lines=tuple(hidden.hide(line) for line in one.lines),
        telling=hidden.hide(one.telling),
        advice=tuple(
            replace(known, say=hidden.hide(known.say), do=hidden.hide(known.do)) for known in one.advice
        ),
    )


def _unfolded(
    case: _Case, failures: Sequence[Failure], known: dict[str, Sequence[Event]], depth: int
) -> tuple[Failure, ...]:
    """Failures, with those of a nested stack in the place of its own."""
    result: list[Failure] = []
    for one in failures:
        inner: tuple[Failure, ...] = ()
        if one.type == STACK and one.physical_id and one.phase != "change set" and depth:
            inner = case.answer(f"nested stack {one.name}", partial(_nested, case, one, known, depth), ())
        result += inner or (one,)
    return tuple(result)


def _nested(case: _Case, one: Failure, known: dict[str, Sequence[Event]], depth: int) -> tuple[Failure, ...]:
    stack = stacks.look(case.connection, one.physical_id)
    if stack is None:
        return ()
    events = stack_events.read(case.connection, stack.id)
    if one.status != "DELETE_FAILED":
        # The rollback of the stack around it deletes a nested stack that was new.
        ends = [
            n for n, event in enumerate(events) if event.about_stack and event.status == "DELETE_IN_PROGRESS"
        ]
        events = events[: ends[-1]] if ends else events
    known[stack.name], _ = diagnosis.attempt(events)
    # Its template isn't at hand: only its own events count.
    found = diagnosis.read(stack, events, replace(case.target, template=""), case.hidden)
    failures = found.rollback if one.phase == "rollback" and found.rollback else found.causes
    return diagnosis.within(_unfolded(case, failures, known, depth - 1), one, stack.name)


# --- ECS ---


def _service(case: _Case, one: Failure, events: Sequence[Event]) -> list[Evidence]:
    since = min((event.time for event in events), default=0.0)
    found: list[Evidence] = []
    ends = [end for end in case.ends if end.service == one.logical_id]
    if not ends:
        watcher = tasks.Watcher(case.connection, lambda: events, since, case.hidden)
        ends = watcher.look()
        case.notes += [note for note in watcher.notes if note not in case.notes]
    found += _of_tasks(ends)
    found += case.answer("secrets of tasks", partial(_secrets, case, one, ends), [])
    named = tasks.services(events).get(one.logical_id)
    state = None
    if named is not None:
        looking = partial(tasks.look_at, case.connection, one.logical_id, *named, since, case.hidden)
        state = case.answer(f"service {one.name}", looking, None)
    found += _of_service(one.logical_id, state, ends)
    if state is not None:
        for arn in state.target_groups:
            found += case.answer(f"health of {arn}", partial(_targets, case, one, arn), [])
    told = " ".join(
        [
            one.reason,
            *(text for end in ends for text in (end.reason, end.complaint, *end.log)),
            *(text for piece in found for text in piece.lines),
        ]
    )
    if _HEALTH.search(told) or _DATABASE.search(told):
        found += _template(case, one)
    return found


def _of_tasks(ends: Sequence[TaskEnd]) -> list[Evidence]:
    """What tasks that stopped tell: their reasons, each once, and the last log that there is."""
    if not ends:
        return []
    alike: dict[tuple[Any, ...], list[TaskEnd]] = {}
    for end in ends:
        alike.setdefault(tasks.kind(end), []).append(end)
    groups = sorted(alike.values(), key=len, reverse=True)
    advice = [
        known
        for group in groups
        for text, of in (
            (group[-1].reason, causes.TASK),
            *((one.reason, causes.TASK) for one in group[-1].containers if one.reason),
            *((str(one.exit_code), causes.EXIT) for one in group[-1].containers if one.exit_code),
        )
        for known in causes.known(text, of)
    ]
    lines = [_told(group) for group in groups]
    service = ends[-1].service
    found = [
        Evidence(
            service,
            "tasks",
            f"Tasks of {service} that stopped: {len(ends)}",
            tuple(lines),
            lines[0],
            tuple(dict.fromkeys(advice)),
        )
    ]
    logged = next((end for end in reversed(ends) if end.log), None)
    if logged is not None:
        meant = [
            known
            for text in (logged.complaint, *reversed(logged.log))
            for known in causes.known(text, causes.LOG)
        ]
        # A container that was stopped from outside said nothing about it.
        failed = any(one.exit_code not in (None, 0, *_STOPPED) for one in logged.containers)
        found.append(
            Evidence(
                service,
                "log",
                f"Last lines of the log of task {logged.task[:8]}",
                logged.log[-_LOG:],
                logged.complaint if failed or meant else "",
                tuple(dict.fromkeys(meant)),
            )
        )
    return found


def _told(alike: Sequence[TaskEnd]) -> str:
    last = alike[-1]
    rest = last.text.split(" stopped ", 1)[-1]
    if len(alike) == 1:
        return f"task {last.task[:8]} stopped {rest}"
    return f"{len(alike)} tasks stopped for the same reason, the last one {rest}"


def _of_service(logical_id: str, state: tasks.Service | None, ends: Sequence[TaskEnd]) -> list[Evidence]:
    """What ECS says of a service, now or when its tasks stopped."""
    rollouts = [
        f"rollout of {one.definition} {one.state.lower()}: {one.reason}"
        for one in (state.rollouts if state is not None else ())
        if one.state == "FAILED" or one.failed_tasks
    ]
    texts = [text for _, text in state.messages] if state is not None else []
    texts = texts or list(dict.fromkeys(text for end in ends for text in end.said))
    # The same again and again, with other task ids.
    said = Counter(re.sub(r"\(task [\w-]+\)|task [0-9a-f]{32}", "(task)", text) for text in texts)
    lines = [f"{text} ({number} times)" if number > 1 else text for text, number in said.most_common()]
    if not lines and not rollouts:
        return []
    advice = [known for text in (*lines, *rollouts) for known in causes.known(text, _SERVICE)]
    telling = next(
        (text for text in said if any(not one.general for one in causes.known(text, _SERVICE))), ""
    )
    if state is not None and state.active:
        lines.append(f"now {state.running} of {state.desired} tasks run, {state.pending} are starting")
    return [
        Evidence(
            logical_id,
            "service",
            f"What ECS says of {logical_id}",
            (*rollouts, *lines),
            telling or next(iter(said), ""),
            tuple(dict.fromkeys(advice)),
        )
    ]


def _targets(case: _Case, one: Failure, arn: str) -> list[Evidence]:
    try:
        told = case.connection.ask("elbv2", "describe_target_health", TargetGroupArn=arn)[
            "TargetHealthDescriptions"
        ]
    except AwsError as error:
        if "TargetGroupNotFound" in error.code:
            return []
        raise
    lines, advice, well = [], [], 0
    for target in told:
        health = target.get("TargetHealth", {})
        if health.get("State") == "healthy":
            well += 1
            continue
        where = f"{target['Target'].get('Id', '?')}:{target['Target'].get('Port', '?')}".removesuffix(":?")
        reason, description = str(health.get("Reason", "")), str(health.get("Description", ""))
        more = " ".join(part for part in (description, f"({reason})" if reason else "") if part)
        lines.append(
            case.hidden.hide(f"{where} {health.get('State', 'unknown')}{f': {more}' if more else ''}")
        )
        if reason not in (
            "Target.DeregistrationInProgress",
            "Elb.InitialHealthChecking",
            "Elb.RegistrationInProgress",
        ):
            advice += causes.known(f"{reason} {description}", causes.TARGET)
    if not lines:
        return []
    name = arn.split(":targetgroup/")[-1].split("/")[0]
    return [
        Evidence(
            one.logical_id,
            "targets",
            f"Health in the target group {name}: {well} healthy, {len(lines)} not",
            tuple(lines),
            lines[0] if advice else "",
            tuple(dict.fromkeys(advice)),
        )
    ]


def _target_group(case: _Case, one: Failure, events: Sequence[Event]) -> list[Evidence]:
    return _targets(case, one, one.physical_id) if one.physical_id else []


def _secrets(case: _Case, one: Failure, ends: Sequence[TaskEnd]) -> list[Evidence]:
    """How secrets are that a task couldn't get: never what is in them."""
    named = dict.fromkeys(arn for end in ends for arn in _SECRET.findall(end.reason))
    lines = []
    for arn in list(named)[:3]:
        try:
            told = case.connection.ask("secretsmanager", "describe_secret", SecretId=arn)
        except AwsError as error:
            if error.code != "ResourceNotFoundException":
                raise
            lines.append(f"{arn} isn't there")
            continue
        if told.get("DeletedDate"):
            lines.append(f"{arn} is being deleted since {told['DeletedDate']:%Y-%m-%d %H:%M} UTC")
        else:
            lines.append(
                f"{arn} is there: look at the execution role, the key that is asked for and the network"
            )
    return (
        [Evidence(one.logical_id, "secrets", "Secrets that tasks couldn't get", tuple(lines))]
        if lines
        else []
    )


def _template(case: _Case, one: Failure) -> list[Evidence]:
    """What the template itself proves about tasks that nobody reaches, or that reach no database."""
    from generator.drilling.causes import unserved
    from generator.rehearsing.reading import read

    target = case.target
    file = f"rendered/{target.name}/{TEMPLATE}"
    try:
        topology = read(
            parse(target.template, file),
            target.name,
            stack={"region": target.region, "account": target.account, "stack_name": target.stack_name},
            file=file,
            parameters=target.parameters,
        )
        proved = unserved(topology)
    except CloakformError:
        # A template that describes no Keycloak that could be started: nothing is proved.
        return []
    if not proved:
        return []
    return [
        Evidence(
            one.logical_id,
            "template",
            "What the template itself says",
            tuple(f"{cause.text} ({file}:{cause.line})" if cause.line else cause.text for cause in proved),
            proved[0].text,
            tuple(Advice(cause.text, cause.fix, file) for cause in proved if cause.fix),
        )
    ]


# --- Others ---


def _database(case: _Case, one: Failure, events: Sequence[Event]) -> list[Evidence]:
    found: list[Evidence] = []
    wanted = _VERSION.search(one.reason)
    if wanted:
        found += case.answer("engine versions of RDS", partial(_versions, case, one, wanted), [])
    if not one.physical_id:
        return found
    kind = "db-cluster" if one.type.endswith("DBCluster") else "db-instance"
    since = min((event.time for event in events), default=0.0)
    told = case.connection.every(
        "rds",
        "describe_events",
        "Events",
        SourceIdentifier=one.physical_id,
        SourceType=kind,
        StartTime=datetime.fromtimestamp(since, timezone.utc),
    )
    lines = [f"{event['Date']:%H:%M:%S} {event.get('Message', '')}" for event in told if event.get("Date")]
    if lines:
        advice = [known for text in lines for known in causes.known(text, one.type)]
        found.append(
            Evidence(
                one.logical_id,
                "database",
                f"What RDS says of {one.physical_id} (UTC)",
                tuple(case.hidden.hide(" ".join(text.split())) for text in lines),
                "",
                tuple(dict.fromkeys(advice)),
            )
        )
    return found


def _versions(case: _Case, one: Failure, wanted: re.Match[str]) -> list[Evidence]:
    there = [
        str(version["EngineVersion"])
        for version in case.connection.every(
            "rds", "describe_db_engine_versions", "DBEngineVersions", Engine=wanted["engine"]
        )
    ]
    same = [text for text in there if text.split(".")[0] == wanted["version"]] or there
    if not same:
        return []
    text = f"{wanted['engine']} in {case.target.region}: {', '.join(same[-12:])}"
    return [Evidence(one.logical_id, "database", "Versions that RDS has", (text,))]


def _certificate(case: _Case, one: Failure, events: Sequence[Event]) -> list[Evidence]:
    lines: list[str] = []
    if one.physical_id.startswith("arn:"):
        try:
            told = case.connection.ask("acm", "describe_certificate", CertificateArn=one.physical_id)[
                "Certificate"
            ]
        except AwsError as error:
            if error.code != "ResourceNotFoundException":
                raise
            told = {}
        if told.get("FailureReason"):
            lines.append(f"ACM: {told['FailureReason']}")
        for option in told.get("DomainValidationOptions", ()):
            record = option.get("ResourceRecord", {})
            wanted = f": {record['Name']} {record['Type']} {record['Value']}" if record else ""
            lines.append(f"{option.get('DomainName', '?')} {option.get('ValidationStatus', '?')}{wanted}")
    if not lines:
        # It is gone with the rollback; CloudFormation named the record while it waited.
        lines = [
            f"the record that was waited for: {found['record']}"
            for event in events
            if event.logical_id == one.logical_id and (found := _RECORD.search(event.reason))
        ]
    if not lines:
        return []
    advice = [known for text in (*lines, "PENDING_VALIDATION") for known in causes.known(text, one.type)]
    return [
        Evidence(
            one.logical_id,
            "certificate",
            "DNS records that show ACM whose the domain is",
            tuple(dict.fromkeys(lines)),
            "",
            tuple(dict.fromkeys(advice)),
        )
    ]


def _holders(case: _Case, one: Failure, events: Sequence[Event]) -> list[Evidence]:
    """What keeps a security group, a subnet or a VPC from being deleted."""
    if one.status != "DELETE_FAILED" or not one.physical_id:
        return []
    name = {"SecurityGroup": "group-id", "Subnet": "subnet-id", "VPC": "vpc-id"}.get(
        one.type.rsplit("::")[-1]
    )
    if name is None:
        return []
    identifier = one.physical_id
    lines = [
        f"network interface {found['NetworkInterfaceId']} ({found.get('Status', '')}): "
        f"{found.get('Description', '')}"
        for found in case.connection.every(
            "ec2",
            "describe_network_interfaces",
            "NetworkInterfaces",
            Filters=[{"Name": name, "Values": [identifier]}],
        )
    ]
    if name == "group-id":
        for rule in ("ip-permission.group-id", "egress.ip-permission.group-id"):
            lines += [
                f"a rule of the security group {found['GroupId']} ({found.get('GroupName', '')})"
                for found in case.connection.every(
                    "ec2",
                    "describe_security_groups",
                    "SecurityGroups",
                    Filters=[{"Name": rule, "Values": [identifier]}],
                )
                if found["GroupId"] != identifier
            ]
    if not lines:
        return []
    return [
        Evidence(one.logical_id, "holders", f"What uses {identifier}", tuple(dict.fromkeys(lines)), lines[0])
    ]


def _cloud_map(case: _Case, one: Failure, events: Sequence[Event]) -> list[Evidence]:
    """What a namespace or a service of Cloud Map holds."""
    if one.status != "DELETE_FAILED" or not one.physical_id:
        return []
    if one.type.endswith("Namespace"):
        lines = [
            f"service {found.get('Name', '')} ({found.get('Id', '')})"
            for found in case.connection.every(
                "servicediscovery",
                "list_services",
                "Services",
                Filters=[{"Name": "NAMESPACE_ID", "Values": [one.physical_id], "Condition": "EQ"}],
            )
        ]
    else:
        lines = [
            f"instance {found.get('Id', '')}: {found.get('Attributes', {}).get('AWS_INSTANCE_IPV4', '')}"
            for found in case.connection.every(
                "servicediscovery", "list_instances", "Instances", ServiceId=one.physical_id
            )
        ]
    return (
        [Evidence(one.logical_id, "holders", f"What {one.physical_id} holds", tuple(lines))] if lines else []
    )


def _hooks(case: _Case, one: Failure, stack: Stack) -> list[Evidence]:
    """Why a hook refused a resource: its event has no reason, the hook's own has."""
    told = case.connection.ask("cloudformation", "describe_stack_events", StackName=stack.id)["StackEvents"]
    lines = [
        f"{event.get('HookType', 'a hook')}: {' '.join(str(event.get('HookStatusReason', '')).split())}"
        for event in told
        if event.get("LogicalResourceId") == one.logical_id
        and str(event.get("HookStatus", "")).endswith("FAILED")
        and event.get("HookFailureMode") != "WARN"
    ]
    if not lines:
        return []
    lines = [case.hidden.hide(text) for text in dict.fromkeys(lines)]
    return [Evidence(one.logical_id, "hook", f"Hooks that refused {one.logical_id}", tuple(lines), lines[0])]


_QUESTIONS: tuple[
    tuple[tuple[str, ...], Callable[[_Case, Failure, Sequence[Event]], list[Evidence]]], ...
] = (
    ((_SERVICE,), _service),
    (("AWS::ElasticLoadBalancingV2::TargetGroup",), _target_group),
    (("AWS::RDS::DBInstance", "AWS::RDS::DBCluster"), _database),
    (("AWS::CertificateManager::Certificate",), _certificate),
    (("AWS::EC2::SecurityGroup", "AWS::EC2::Subnet", "AWS::EC2::VPC"), _holders),
    (("AWS::ServiceDiscovery::",), _cloud_map),
)
