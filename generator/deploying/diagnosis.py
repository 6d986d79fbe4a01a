"""Why a deployment failed: the first failure that isn't another's consequence, what followed from it, how
the stack is now, and how it gets free. `read` needs nothing but events; `diagnose` asks AWS for what
stands behind them."""

from __future__ import annotations

import re
import shlex
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from generator.aws import Connection
from generator.deploying import causes, masking
from generator.deploying.causes import Advice
from generator.deploying.events import STACK, Event
from generator.deploying.masking import Masking
from generator.deploying.stacks import Stack
from generator.deploying.target import TEMPLATE, Target
from generator.deploying.tasks import TaskEnd
from generator.document import Document, parse
from generator.errors import AwsError, DocumentError

REFUSED, STUCK = 4, 5
"""Exit codes: AWS said no or the stack rolled back; the stack needs a person."""

_BEGINS = {
    "CREATE_IN_PROGRESS": "create",
    "UPDATE_IN_PROGRESS": "update",
    "DELETE_IN_PROGRESS": "delete",
    "IMPORT_IN_PROGRESS": "import",
}
_GOES_BACK = ("ROLLBACK_IN_PROGRESS", "UPDATE_ROLLBACK_IN_PROGRESS", "IMPORT_ROLLBACK_IN_PROGRESS")
_CLEANS_UP = ("UPDATE_COMPLETE_CLEANUP_IN_PROGRESS", "UPDATE_ROLLBACK_COMPLETE_CLEANUP_IN_PROGRESS")

# What CloudFormation says of resources that only shared another's fate (wordings: aws/aws-cdk-cli, stack
# activity monitor and its tests; aws/copilot-cli).
_FOLLOWED = re.compile(
    r"^(?:Resource (?:creation|update|deletion|import) (?:cancell?ed|was cancell?ed)"
    r"|The following (?:resource\(s\)|resources?) failed to (?:create|update|delete|import)"
    r"|(?:Creation|Update|Deletion) cancell?ed)",
    re.IGNORECASE,
)
_HANDLER = re.compile(r'^Resource handler returned message: "(?P<said>.*)" \((?P<rest>RequestToken:.*)\)$')
_CODE = re.compile(r"HandlerErrorCode: (\w+)")
_SERVICE = re.compile(r"\s*\((?:Service|RequestToken|SDK Attempt Count): [^()]*\)")
_ERROR_CODE = re.compile(r"Error Code: (\w+)")

_STATES = {
    "ROLLBACK_COMPLETE": "the creation failed and was taken back",
    "ROLLBACK_FAILED": "the creation failed, and taking it back failed as well",
    "CREATE_FAILED": "the creation failed, and what was made is still there",
    "UPDATE_ROLLBACK_COMPLETE": "the update failed, and everything is as it was before",
    "UPDATE_ROLLBACK_FAILED": "the update failed, and so did going back: parts of the stack are new, parts "
    "are old",
    "UPDATE_FAILED": "the update failed and stopped where it was: parts of the stack are new, parts are old",
    "DELETE_FAILED": "the stack couldn't be deleted, a part of it is still there",
    "IMPORT_ROLLBACK_COMPLETE": "the import failed, and everything is as it was before",
    "IMPORT_ROLLBACK_FAILED": "the import failed, and so did going back",
    "REVIEW_IN_PROGRESS": "nothing was made",
    "DELETE_COMPLETE": "the stack is deleted",
}
_STUCK = frozenset(
    (
        "ROLLBACK_FAILED",
        "CREATE_FAILED",
        "UPDATE_ROLLBACK_FAILED",
        "UPDATE_FAILED",
        "DELETE_FAILED",
        "IMPORT_ROLLBACK_FAILED",
    )
)


@dataclass(frozen=True)
class Failure:
    """A resource that failed for a reason of its own; the stack as a whole where no resource did."""

    logical_id: str
    type: str
    physical_id: str
    """Empty where AWS never made it."""
    status: str
    reason: str
    """What AWS says, without request ids and without secrets."""
    code: str
    """The error's code (`AlreadyExists`, `NotStabilized`, `InvalidParameterCombination`); empty where none
    is told."""
    time: float
    """Seconds since the epoch; 0 where it isn't known."""
    phase: str
    """`create`, `update`, `delete`, `import`, `rollback`, `cleanup`, `change set`."""
    line: int = 0
    """Line in the template; 0 where the resource isn't in it."""
    inside: tuple[str, ...] = ()
    """Logical ids of the nested stacks that it is in, the outermost first."""
    nested: str = ""
    """Name of the nested stack that it is in; empty for one of the stack's own."""
    advice: tuple[Advice, ...] = ()

    @property
    def name(self) -> str:
        """Logical id with those of the nested stacks around it: `Nested/Service`."""
        return "/".join((*self.inside, self.logical_id))

    @property
    def skipped_as(self) -> str:
        """What ContinueUpdateRollback's ResourcesToSkip calls it: a nested stack goes by its name there,
        not by its logical id (CloudFormation API reference)."""
        return f"{self.nested}.{self.logical_id}" if self.nested else self.logical_id


@dataclass(frozen=True)
class Evidence:
    """What AWS answers when it is asked about a failure."""

    about: str
    """Logical id."""
    kind: str
    """`tasks`, `log`, `service`, `targets`, `database`, `certificate`, `hook`, `template`, `holders`."""
    heading: str
    lines: tuple[str, ...]
    """In order of time where they have one, without secrets."""
    telling: str = ""
    """The one sentence of it that explains the failure; empty where it doesn't."""
    advice: tuple[Advice, ...] = ()


@dataclass(frozen=True)
class Command:
    """A way on."""

    say: str
    """What it does."""
    line: str
    """As cloakform has it; empty where it has none."""
    aws: str
    """As the AWS CLI has it; empty where cloakform's does more than one call."""


@dataclass(frozen=True)
class Diagnosis:
    """Why a deployment failed and what is to be done."""

    environment: str
    stack: str
    stack_id: str
    region: str
    status: str
    outcome: str
    """How the stack is now, as a sentence."""
    phase: str
    """What failed: `create`, `update`, `delete`, `import`, `rollback`, `change set`."""
    causes: tuple[Failure, ...]
    """Real failures in the order of time; the first is the one that the rest came after."""
    followed: tuple[str, ...]
    """Logical ids of resources that only shared its fate."""
    rollback: tuple[Failure, ...]
    """What failed while CloudFormation went back."""
    left: tuple[Failure, ...]
    """What couldn't be cleaned up: it is still there, and no longer the stack's."""
    kept: tuple[str, ...]
    """Logical ids of resources that stayed when the stack was taken back, as their DeletionPolicy says."""
    stuck: bool
    commands: tuple[Command, ...]
    evidence: tuple[Evidence, ...] = ()
    notes: tuple[str, ...] = ()
    """What couldn't be asked."""

    @property
    def exit_code(self) -> int:
        """4, or 5 where the stack needs a person."""
        return STUCK if self.stuck else REFUSED

    @property
    def advice(self) -> tuple[Advice, ...]:
        """What to do, the nearest to the root first: what a log says explains why tasks stop, and that
        explains why a service didn't settle."""
        near = [
            one
            for kind in ("log", "tasks", "template", "targets", "service", "")
            for told in self.evidence
            if kind == told.kind or not kind
            for one in told.advice
        ]
        groups = [[*near, *(one for failure in self.causes[:1] for one in failure.advice)]]
        groups += [list(failure.advice) for failure in (*self.causes[1:3], *self.left)]
        going_back = [list(failure.advice) for failure in self.rollback]
        # A stack that is stuck gets free by what holds it now, not by what came first.
        groups = [*going_back, *groups] if self.stuck else [*groups, *going_back]
        return tuple(dict.fromkeys(one for group in groups for one in _precise(group)))


def diagnose(
    connection: Connection,
    stack: Stack,
    events: Sequence[Event],
    target: Target,
    tasks: Sequence[TaskEnd] = (),
) -> Diagnosis:
    """What `events` (of one deployment, the oldest first; where there are more, the last attempt counts) tell
    of a stack that failed, and what AWS answers about the resources that did. `tasks` are the ends that a
    `tasks.Watcher` saw.

    Raises nothing that AWS says: what can't be asked becomes a note.
    """
    from generator.deploying import investigating

    hidden = masking.of(target)
    found = read(stack, events, target, hidden)
    return investigating.investigate(connection, found, stack, events, target, tasks, hidden)


def refused(connection: Connection, target: Target, change_set: str, reason: str) -> Diagnosis:
    """Why a change set couldn't be made: `change_set` is its ARN, `reason` its StatusReason. Raises
    nothing that AWS says."""
    hidden = masking.of(target)
    failures: tuple[Failure, ...] = ()
    notes: list[str] = []
    if "validation" in reason.lower() or "hook" in reason.lower():
        try:
            told = list(
                connection.every(
                    "cloudformation",
                    "describe_events",
                    "OperationEvents",
                    ChangeSetName=change_set,
                    Filters={"FailedEvents": True},
                )
            )
            failures = validations(told, target, hidden)
        except AwsError as error:
            notes.append(hidden.hide(f"why the change set was refused can't be asked: {error}"))
    if not failures:
        failures = (_whole(target.stack_name, reason, "FAILED", 0.0, "change set", hidden),)
    return Diagnosis(
        target.name,
        target.stack_name,
        "",
        target.region,
        "FAILED",
        "CloudFormation refused the change set: nothing was changed",
        "change set",
        failures,
        (),
        (),
        (),
        (),
        False,
        (),
        notes=tuple(notes),
    )


def validations(
    told: Iterable[Mapping[str, Any]], target: Target, hidden: Masking | None = None
) -> tuple[Failure, ...]:
    """What failed of DescribeEvents' answer for a change set: early validation and hooks, each once."""
    hidden = hidden or masking.of(target)
    document = _document(target)
    found = []
    for one in told:
        validation = one.get("ValidationStatusReason")
        reason = str(validation or one.get("HookStatusReason") or one.get("ResourceStatusReason") or "")
        failed = one.get("ValidationStatus") == "FAILED" or "FAIL" in str(one.get("HookStatus", ""))
        logical_id = str(one.get("LogicalResourceId", ""))
        if not reason or not failed or not logical_id:
            continue
        if one.get("ValidationFailureMode", one.get("HookFailureMode")) == "WARN":
            continue
        name = str(one.get("ValidationName") or one.get("HookType") or "")
        path = str(one.get("ValidationPath") or "")
        moment = one.get("Timestamp")
        text = hidden.hide(" ".join(reason.split()))
        kind = str(one.get("ResourceType", ""))
        found.append(
            Failure(
                logical_id,
                kind,
                str(one.get("PhysicalResourceId", "")),
                "FAILED",
                f"{text} (at {path})" if path else text,
                name,
                moment.timestamp() if hasattr(moment, "timestamp") else 0.0,
                "change set",
                _line(document, logical_id, path),
                advice=causes.known(f"{name}: {text}", kind),
            )
        )
    return tuple(dict.fromkeys(found))


def read(stack: Stack, events: Sequence[Event], target: Target, hidden: Masking | None = None) -> Diagnosis:
    """The same as `diagnose` without asking anybody."""
    hidden = hidden or masking.of(target)
    document = _document(target)
    tried, phase = attempt(events)
    real: list[Failure] = []
    back: list[Failure] = []
    left: list[Failure] = []
    followed: list[str] = []
    # An event that tells of a failure may lack it.
    physical = {
        one.logical_id: one.physical_id for one in events[: len(events) - len(tried)] if one.physical_id
    }
    for part, one in _parts(tried):
        if one.physical_id:
            physical[one.logical_id] = one.physical_id
        if one.about_stack or not one.status.endswith("_FAILED"):
            continue
        if _FOLLOWED.search(one.reason):
            followed.append(one.logical_id)
            continue
        told = _failure(one, physical.get(one.logical_id, ""), part or phase, document, hidden)
        {"rollback": back, "cleanup": left}.get(part, real).append(told)
    failed = {one.logical_id for one in (*real, *back, *left)}
    real, back, left = (_once(listed) for listed in (real, back, left))
    if not real and phase != "rollback":
        real = _of_stack(stack, tried, phase, hidden)
    if not real and back:
        phase = "rollback"
    kept = [one.logical_id for one in tried if one.status == "DELETE_SKIPPED"]
    outcome = _STATES.get(stack.status) or (
        f"CloudFormation is still at it ({stack.status})" if stack.busy else f"the stack is {stack.status}"
    )
    return Diagnosis(
        target.name,
        stack.name,
        stack.id,
        target.region,
        stack.status,
        outcome,
        phase,
        tuple(real),
        tuple(dict.fromkeys(one for one in followed if one not in failed)),
        tuple(back),
        tuple(left),
        tuple(dict.fromkeys(kept)),
        stack.status in _STUCK,
        commands(stack, target, back or real),
    )


def commands(stack: Stack, target: Target, failed: Sequence[Failure]) -> tuple[Command, ...]:
    """What frees a stack in its state; `failed` is what holds it. Nothing where it needs nothing."""
    status = stack.status
    here = f"--stack-name {shlex.quote(stack.name)} --region {shlex.quote(target.region)}"
    ours = f"cloakform deploy {shlex.quote(target.name)}"
    names = [shlex.quote(one.skipped_as) for one in failed if one.logical_id != stack.name]
    those = " ".join(names)
    if status == "UPDATE_ROLLBACK_FAILED":
        found = [
            Command(
                "when the reason above is mended, go back the rest of the way",
                f"{ours} --continue-rollback",
                f"aws cloudformation continue-update-rollback {here}",
            )
        ]
        if names:
            found.append(
                Command(
                    "or leave out what can't go back: it stays as it is now, not as the template says",
                    f"{ours} --continue-rollback {' '.join(f'--skip {one}' for one in names)}",
                    f"aws cloudformation continue-update-rollback {here} --resources-to-skip {those}",
                )
            )
        return tuple(found)
    if status == "UPDATE_FAILED":
        return (Command("go back to how it was", "", f"aws cloudformation rollback-stack {here}"),)
    if status in ("ROLLBACK_FAILED", "DELETE_FAILED", "CREATE_FAILED"):
        unlocked = (
            (
                Command(
                    "the stack is protected against deletion: lift that first",
                    "",
                    "aws cloudformation update-termination-protection --no-enable-termination-protection "
                    + here,
                ),
            )
            if stack.protected
            else ()
        )
        found = [
            *unlocked,
            Command(
                "when the reason above is mended, delete what is left (data that has a DeletionPolicy stays)",
                "",
                f"aws cloudformation delete-stack {here}",
            ),
        ]
        if names and status == "DELETE_FAILED":
            found.append(
                Command(
                    "or delete the stack and keep what can't be deleted",
                    "",
                    f"aws cloudformation delete-stack {here} --retain-resources {those}",
                )
            )
        return tuple(found)
    if status == "ROLLBACK_COMPLETE":
        return (
            Command(
                "mend the reason and deploy again: a stack that holds nothing is deleted first",
                ours,
                f"aws cloudformation delete-stack {here}",
            ),
        )
    if status == "IMPORT_ROLLBACK_FAILED":
        return (
            Command(
                "no call goes on from here: mend the reason, then ask AWS Support to set the stack's state",
                "",
                "",
            ),
        )
    return ()


def reduced(reason: str) -> tuple[str, str]:
    """(what AWS says, the error's code) of a reason, without request ids."""
    text = " ".join(reason.split())
    wrapped = _HANDLER.match(text)
    code = ""
    if wrapped:
        code = next(iter(_CODE.findall(wrapped["rest"])), "")
        text = wrapped["said"]
    else:
        code = next(iter(_CODE.findall(text)), "")
    code = next(iter(_ERROR_CODE.findall(text)), code)
    return _SERVICE.sub("", text).strip() or text, code


def _precise(advice: Sequence[Advice]) -> list[Advice]:
    """Without what is general, where anything is more precise."""
    return [one for one in advice if not one.general] or list(advice)


def attempt(events: Sequence[Event]) -> tuple[list[Event], str]:
    """The events of the last attempt, and what it tried."""
    listed = list(events)
    for number in range(len(listed) - 1, -1, -1):
        one = listed[number]
        if one.about_stack and one.status in _BEGINS:
            # With a change set the stack is told to be in REVIEW_IN_PROGRESS before.
            return listed[number:], _BEGINS[one.status]
    back = any(one.about_stack and one.status in _GOES_BACK for one in listed)
    return listed, "rollback" if back else "update"


def _parts(tried: Sequence[Event]) -> Iterable[tuple[str, Event]]:
    """Each event with the part of the attempt that it belongs to: empty for the attempt itself, then
    `rollback`, `cleanup`. A rollback is an operation of its own; an event that comes late still has the id
    of the first."""
    began = next((one.operation for one in tried if one.about_stack and one.operation), "")
    part = ""
    for one in tried:
        if one.about_stack and one.status in _GOES_BACK:
            part = "rollback"
        elif one.about_stack and one.status in _CLEANS_UP:
            part = "cleanup"
        late = part == "rollback" and one.operation == began and began and _two(tried)
        yield "" if late and not one.about_stack else part, one


def _two(tried: Sequence[Event]) -> bool:
    return len({one.operation for one in tried if one.operation}) > 1


def _failure(one: Event, physical_id: str, phase: str, document: Document | None, hidden: Masking) -> Failure:
    text, code = reduced(one.reason)
    return Failure(
        one.logical_id,
        one.type,
        physical_id,
        one.status,
        hidden.hide(text) or "AWS gives no reason",
        code,
        one.time,
        phase,
        _line(document, one.logical_id),
        advice=causes.known(hidden.hide(one.reason), one.type),
    )


def _once(listed: list[Failure]) -> list[Failure]:
    """Each resource once, by what was said of it first: a try that is repeated says it again."""
    found: dict[tuple[str, str], Failure] = {}
    for one in sorted(listed, key=lambda one: one.time):
        found.setdefault((one.logical_id, one.reason), one)
    return list(found.values())


def _of_stack(stack: Stack, tried: Sequence[Event], phase: str, hidden: Masking) -> list[Failure]:
    """The stack's own reason, where no resource has one."""
    for one in tried:
        if one.about_stack and one.reason and (one.status in _GOES_BACK or one.status.endswith("_FAILED")):
            return [_whole(stack.name, one.reason, one.status, one.time, phase, hidden)]
    if stack.reason:
        return [_whole(stack.name, stack.reason, stack.status, 0.0, phase, hidden)]
    return []


def _whole(name: str, reason: str, status: str, time: float, phase: str, hidden: Masking) -> Failure:
    text, code = reduced(reason)
    return Failure(
        name,
        STACK,
        "",
        status,
        hidden.hide(text),
        code,
        time,
        phase,
        advice=causes.known(hidden.hide(reason), STACK),
    )


def within(failures: Iterable[Failure], nested: Failure, stack_name: str) -> tuple[Failure, ...]:
    """Failures of a nested stack as the stack around it tells them; `nested` is its resource there."""
    return tuple(
        replace(
            one,
            inside=(nested.logical_id, *one.inside),
            nested=one.nested or stack_name,
            line=nested.line,
            phase=nested.phase,
        )
        for one in failures
    )


def _document(target: Target) -> Document | None:
    try:
        return parse(target.template, f"rendered/{target.name}/{TEMPLATE}")
    except DocumentError:
        return None


def _line(document: Document | None, logical_id: str, path: str = "") -> int:
    """The line of a resource, or of a ValidationPath (`/Resources/Service/Properties/Cluster`) in it."""
    if document is None or logical_id not in document.resources:
        return 0
    steps: list[Any] = [int(one) if one.isdigit() else one for one in path.split("/") if one]
    return document.line(
        tuple(steps) if steps[:2] == ["Resources", logical_id] else ("Resources", logical_id)
    )
