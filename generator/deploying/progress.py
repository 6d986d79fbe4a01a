"""How far an operation on a stack is, from what is planned and what CloudFormation has said so far.

A step is one thing that AWS does to one resource. A replacement is two of them: the new one is made while the
stack goes forward, the old one deleted in the clean-up. When an operation rolls back, what had not begun
falls away and what had begun gets a step back.
"""

from __future__ import annotations

import statistics
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType

from generator.deploying.events import Event

WAITING, FORWARD, CLEAN_UP, BACK, DELETING, ENDED = (
    "waiting",
    "going forward",
    "clean-up",
    "rolling back",
    "deleting",
    "ended",
)

_CREATE, _UPDATE, _DELETE = "create", "update", "delete"

# What a type usually takes, in seconds: (create, update). rain's table of historical averages
# (aws-cloudformation/rain, internal/cmd/forecast/estimate.go, November 2025); its column for deletions is 1 s
# throughout and isn't used.
_TYPES: Mapping[str, tuple[float, float]] = MappingProxyType(
    {
        "AWS::CertificateManager::Certificate": (239, 5),
        "AWS::EC2::EIP": (17, 2),
        "AWS::EC2::InternetGateway": (17, 16),
        "AWS::EC2::NatGateway": (106, 5),
        "AWS::EC2::RouteTable": (12, 11),
        "AWS::EC2::SecurityGroup": (6, 2),
        "AWS::EC2::Subnet": (4, 10),
        "AWS::EC2::VPC": (12, 2),
        "AWS::EC2::VPCEndpoint": (47, 11),
        "AWS::EC2::VPCGatewayAttachment": (12, 11),
        "AWS::ECS::Cluster": (5, 2),
        "AWS::ECS::Service": (119, 71),
        "AWS::ElasticLoadBalancingV2::LoadBalancer": (116, 2),
        "AWS::ElasticLoadBalancingV2::TargetGroup": (18, 6),
        "AWS::IAM::Role": (12, 17),
        "AWS::KMS::Key": (122, 71),
        "AWS::RDS::DBCluster": (222, 62),
        "AWS::RDS::DBInstance": (595, 171),
        "AWS::Route53::RecordSet": (20, 2),
        "AWS::ServiceDiscovery::PrivateDnsNamespace": (46, 12),
        "AWS::ServiceDiscovery::Service": (1, 22),
    }
)
# Deletions that take long: a service drains for as long as its targets may (5 min 30 s, hashicorp/terraform
# 9521); a database takes between 5 min (hashicorp/terraform 32358) and 12 min (binbashar/le-tf-infra-aws
# 359).
_DELETIONS: Mapping[str, float] = MappingProxyType({"AWS::ECS::Service": 330, "AWS::RDS::DBInstance": 480})
_OTHERWISE: Mapping[str, float] = MappingProxyType({_CREATE: 5.0, _UPDATE: 5.0, _DELETE: 5.0})
"""Most types take a few seconds (the same table: 1 to 7 s for nine of ten)."""
_UNKNOWABLE = ("Custom::", "AWS::CloudFormation::")
"""Types that wait for somebody's own program, or are a stack of their own."""

_LONGER, _GRACE = 2.0, 60.0
"""A step that has taken this many times what was expected, and this many seconds more, tells that the
estimate is none."""
_TAIL = 0.1
"""Part of the expected time that a step is thought to take still, however long it has been at work."""
_CEILING = 0.99
"""What a bar shows at most before the end."""


@dataclass(frozen=True)
class Planned:
    """What is to be done to one resource."""

    logical_id: str
    type: str
    action: str
    """`Add`, `Modify`, `Remove` or `Replace`; any other counts as `Modify`."""


@dataclass(frozen=True)
class Working:
    """What AWS works on now."""

    logical_id: str
    type: str
    doing: str
    """`creating`, `updating`, `replacing`, `deleting` or `restoring`."""
    seconds: float
    """Since it began."""
    reason: str
    """What CloudFormation said of it last; may be empty."""
    longer: bool
    """Whether it takes longer than was expected."""


@dataclass(frozen=True)
class Finished:
    """A step that has ended."""

    logical_id: str
    physical_id: str
    type: str
    outcome: str
    """`created`, `updated`, `replaced`, `deleted`, `kept`, `restored`, `failed` or `cancelled`: the last is
    what CloudFormation gave up because something else failed."""
    doing: str
    """What AWS was at, as in Working."""
    time: float
    """Seconds since the epoch."""
    took: float | None
    """Seconds; None where its beginning wasn't seen."""
    reason: str


@dataclass
class _Step:
    """One thing to do to one resource."""

    logical_id: str
    type: str
    kind: str
    """What it is expected to take as long as: a creation, an update or a deletion."""
    round: int
    """0 forward, 1 clean-up or deletion, 2 rolling back: one after the other."""
    doing: str
    physical_id: str = ""
    began: float | None = None
    state: str = "to do"
    """`to do`, `working`, `done`, `failed`, `dropped`."""
    reason: str = ""

    @property
    def open(self) -> bool:
        return self.state in ("to do", "working")


_OUTCOMES = {
    "creating": "created",
    "updating": "updated",
    "replacing": "replaced",
    "deleting": "deleted",
    "restoring": "restored",
}
_ROUNDS = {WAITING: 0, FORWARD: 0, CLEAN_UP: 1, DELETING: 1, BACK: 2, ENDED: 0}


class Progress:
    """How far one operation is. `begin` makes it; `feed` tells it what happened; the rest may be asked at any
    time. Times are seconds since the epoch.
    """

    def __init__(self, planned: Sequence[Planned], past: Sequence[Event], now: float):
        self.phase = WAITING
        """`waiting`, `going forward`, `clean-up`, `rolling back`, `deleting` or `ended`."""
        self.status = ""
        """The stack's own last status; empty before its first event."""
        self.reason = ""
        """Why it has that status, as far as CloudFormation says."""
        self.counted = bool(planned)
        """Whether `total` is what there is to do; otherwise it is only what was seen so far."""
        self._steps: list[_Step] = []
        self._seen: set[str] = set()
        self._failures: list[Finished] = []
        self._began, self._latest = now, 0.0
        self._high, self._estimated = 0.0, False
        self._learned = _durations(past)
        for one in planned:
            if one.action == "Remove":
                self._plan(one, _DELETE, 1, "deleting")
            elif one.action == "Add":
                self._plan(one, _CREATE, 0, "creating")
            elif one.action == "Replace":
                self._plan(one, _CREATE, 0, "replacing")
                self._plan(one, _DELETE, 1, "deleting")
            else:
                self._plan(one, _UPDATE, 0, "updating")

    @classmethod
    def begin(cls, planned: Sequence[Planned], past: Sequence[Event], now: float) -> Progress:
        """An operation that begins `now`.

        `planned` is what the change set says, or every resource as `Remove` where the stack is deleted;
        without it there is a count and no estimate. `past` are the stack's earlier events, oldest first: how
        long the same took then is a better estimate than a table's.
        """
        return cls(planned, past, now)

    def feed(self, events: Iterable[Event]) -> list[Finished]:
        """Takes in events of this operation, oldest first, and gives the steps that they end. An event that
        was there before is left out.
        """
        ended = []
        for event in events:
            if event.id in self._seen:
                continue
            if event.id:
                self._seen.add(event.id)
            if not self._latest:
                self._began = min(self._began, event.time)
            self._latest = max(self._latest, event.time)
            if event.about_stack:
                self._turn(event)
            else:
                found = self._step(event)
                if found is not None:
                    ended.append(found)
        return ended

    @property
    def ended(self) -> bool:
        """Whether the stack rests, well or not."""
        return self.phase == ENDED

    @property
    def total(self) -> int:
        """Steps of this operation, as far as they are known; see `counted`."""
        return sum(one.state != "dropped" for one in self._steps)

    @property
    def done(self) -> int:
        """Steps that are done; never fewer than before."""
        return sum(one.state == "done" for one in self._steps)

    @property
    def failed(self) -> tuple[Finished, ...]:
        """Steps that failed, in order; one that is tried again stays. Without those that CloudFormation only
        cancelled.
        """
        return tuple(one for one in self._failures if one.outcome == "failed")

    def working(self, now: float) -> tuple[Working, ...]:
        """What AWS works on, the longest first."""
        clock = max(now, self._latest)
        found = []
        for one in self._steps:
            if one.state == "working":
                seconds = clock - (one.began if one.began is not None else clock)
                expected = self._expected(one)
                longer = expected is not None and seconds > expected * _LONGER + _GRACE
                found.append(Working(one.logical_id, one.type, one.doing, seconds, one.reason, longer))
        return tuple(sorted(found, key=lambda one: -one.seconds))

    def elapsed(self, now: float) -> float:
        """Seconds since the operation began."""
        return max(0.0, max(now, self._latest) - self._began)

    def left(self, now: float) -> float | None:
        """About how many seconds are left; None where nothing sensible can be said: the plan isn't known, a
        step waits for a program of somebody's, or takes far longer than it ever did.

        Of what can go on side by side the longest counts; one after the other go the network, what stands in
        it, the services, and what watches them. Without a new event it never grows while time passes.
        """
        if self.ended:
            return 0.0
        if not self.counted:
            return None
        clock = max(now, self._latest)
        longest: dict[tuple[int, int], float] = {}
        for one in self._steps:
            if not one.open:
                continue
            expected = self._expected(one)
            if expected is None:
                return None
            if one.began is not None:
                taken = clock - one.began
                if taken > expected * _LONGER + _GRACE:
                    return None
                expected = max(expected - taken, expected * _TAIL)
            key = (one.round, _tier(one.type))
            longest[key] = max(longest.get(key, 0.0), expected)
        return sum(longest.values())

    def fraction(self, now: float) -> float:
        """How much of the operation is over, from 0 to 1: of its time where that can be estimated, else of
        its steps. Never less than at the call before, and 1 only where the operation is complete.
        """
        if self.ended:
            if self.status.endswith("_COMPLETE"):
                self._high = 1.0
            return self._high
        left = self.left(now)
        if left is not None:
            self._estimated = True
            elapsed = self.elapsed(now)
            over = elapsed / (elapsed + left) if elapsed + left > 0 else 0.0
        else:
            over = self.done / self.total if self.counted and self.total and not self._estimated else 0.0
        self._high = max(self._high, min(over, _CEILING))
        return self._high

    def _plan(self, one: Planned, kind: str, round_: int, doing: str) -> None:
        self._steps.append(_Step(one.logical_id, one.type, kind, round_, doing))

    def _turn(self, event: Event) -> None:
        """Takes in an event of the stack itself."""
        self.status, self.reason = event.status, event.reason
        if event.status == "REVIEW_IN_PROGRESS":
            return
        if not event.status.endswith("_IN_PROGRESS"):
            self._end(event.status)
        elif "ROLLBACK" in event.status:
            self._go_back(BACK)
        elif "CLEANUP" in event.status:
            self._close(0)
            self.phase = CLEAN_UP
        elif event.status.startswith("DELETE"):
            # Deleted because its creation failed, or from the start.
            if self.phase == FORWARD:
                self._go_back(BACK)
            elif self.phase != BACK:
                self.phase = DELETING
        else:
            self.phase = FORWARD

    def _end(self, status: str) -> None:
        self.phase = ENDED
        if status.endswith("_COMPLETE"):
            # What had no event had nothing to do: CloudFormation passes over what turns out to be unchanged.
            for round_ in (0, 1, 2):
                self._close(round_)

    def _close(self, round_: int) -> None:
        for one in self._steps:
            if one.round == round_ and one.open:
                one.state = "done"

    def _go_back(self, phase: str) -> None:
        if self.phase == phase:
            return
        self.phase = phase
        for one in list(self._steps):
            if one.round == 2:
                continue
            began = one.began is not None or one.state == "done"
            if one.open or one.state == "failed":
                one.state = "dropped"
            if not began or one.round != 0:
                continue
            if one.doing == "creating":
                self._back(one, _DELETE, "deleting")
            else:
                self._back(one, _UPDATE, "restoring")
                if one.doing == "replacing":
                    self._back(one, _DELETE, "deleting")

    def _back(self, one: _Step, kind: str, doing: str) -> None:
        self._steps.append(_Step(one.logical_id, one.type, kind, 2, doing))

    def _step(self, event: Event) -> Finished | None:
        """Takes in an event of a resource; the step where it ends one."""
        verb, outcome = _read(event.status)
        if not outcome:
            return None
        found = self._find(event, verb, outcome)
        if found is None:
            return None
        if event.physical_id:
            found.physical_id = event.physical_id
        if event.reason:
            found.reason = event.reason
        if outcome == "begun":
            if found.state != "working":
                found.state, found.began = "working", event.time
            if found.doing == "updating" and _replaces(event.reason):
                # AWS found out only now that it has to make a new one.
                found.doing, found.kind = "replacing", _CREATE
                self._steps.append(_Step(found.logical_id, found.type, _DELETE, 1, "deleting"))
            return None
        took = event.time - found.began if found.began is not None else None
        if outcome == "failed":
            found.state = "failed"
            word = "cancelled" if cancelled(event) else "failed"
        else:
            found.state = "done"
            word = "kept" if outcome == "kept" else _OUTCOMES[found.doing]
        made = Finished(
            found.logical_id, event.physical_id, found.type, word, found.doing, event.time, took, event.reason
        )
        if outcome == "failed":
            self._failures.append(made)
        return made

    def _find(self, event: Event, verb: str, outcome: str) -> _Step | None:
        """The step that an event is about; None for one that was done before."""
        round_ = _ROUNDS[self.phase]
        if verb == _DELETE and round_ == 0:
            round_ = 1
        same = [
            one
            for one in self._steps
            if one.round == round_
            and one.logical_id == event.logical_id
            and (one.kind == _DELETE) == (verb == _DELETE)
            and one.state != "dropped"
            and (
                verb != _DELETE
                or not (one.physical_id and event.physical_id)
                or one.physical_id == event.physical_id
            )
        ]
        still = [one for one in same if one.state != "done"]
        if still:
            return next((one for one in still if one.physical_id == event.physical_id), still[0])
        if same and outcome != "begun":
            return None
        if verb == _DELETE:
            doing = "deleting"
        elif round_ == 2:
            doing = "restoring"
        else:
            doing = "creating" if verb == _CREATE else "updating"
        self._steps.append(_Step(event.logical_id, event.type, verb, round_, doing))
        return self._steps[-1]

    def _expected(self, one: _Step) -> float | None:
        """Seconds that a step takes; None where nobody can know."""
        if (took := self._learned.get((one.logical_id, one.kind))) is not None:
            return took
        if (took := self._learned.get((one.type, one.kind))) is not None:
            return took
        if one.type.startswith(_UNKNOWABLE) or not one.type:
            return None
        if one.kind == _DELETE:
            return _DELETIONS.get(one.type, _OTHERWISE[_DELETE])
        known = _TYPES.get(one.type)
        if known is None:
            return _OTHERWISE[one.kind]
        return known[0] if one.kind == _CREATE else known[1]


def cancelled(event: Event) -> bool:
    """Whether a failure only says that CloudFormation gave the resource up, because something else failed
    (`Resource creation cancelled`)."""
    return event.status.endswith("_FAILED") and event.reason.lower().rstrip(".").endswith(" cancelled")


def _read(status: str) -> tuple[str, str]:
    """(`create`, `update` or `delete`; `begun`, `done`, `kept` or `failed`) of a resource's status; two empty
    texts for one that says neither."""
    for ending, outcome in (
        ("_IN_PROGRESS", "begun"),
        ("_COMPLETE", "done"),
        ("_FAILED", "failed"),
        ("_SKIPPED", "kept"),
    ):
        if status.endswith(ending):
            verb = status.removesuffix(ending)
            if verb == "DELETE":
                return _DELETE, outcome
            return (_CREATE if verb in ("CREATE", "IMPORT") else _UPDATE), outcome
    return "", ""


def _replaces(reason: str) -> bool:
    """Whether an event of an update says that a new resource is made ("Requested update requires the creation
    of a new physical resource; hence creating one.", or "… required the provider to create a new physical
    resource")."""
    return "new physical resource" in reason


def _durations(past: Iterable[Event]) -> dict[tuple[str, str], float]:
    """Seconds that something took by (logical id, kind), the last time; and by (type, kind), the median."""
    begun: dict[tuple[str, str, bool], tuple[float, str]] = {}
    found: dict[tuple[str, str], float] = {}
    types: dict[str, str] = {}
    for event in past:
        verb, outcome = _read(event.status)
        if event.about_stack or not outcome or "ROLLBACK" in event.status:
            continue
        key = (event.logical_id, event.physical_id if verb == _DELETE else "", verb == _DELETE)
        if outcome == "begun":
            since, kind = begun.get(key, (event.time, verb))
            begun[key] = since, _CREATE if _replaces(event.reason) else kind
        elif key in begun:
            since, kind = begun.pop(key)
            if outcome == "done" and event.time >= since:
                found[(event.logical_id, kind)] = event.time - since
                types[event.logical_id] = event.type
    for kind in (_CREATE, _UPDATE, _DELETE):
        grouped: dict[str, list[float]] = {}
        for logical_id, type_ in types.items():
            if (logical_id, kind) in found:
                grouped.setdefault(type_, []).append(found[(logical_id, kind)])
        for type_, listed in grouped.items():
            # A logical id has no colon, so a type is never taken for one.
            found[(type_, kind)] = statistics.median(listed)
    return found


def _tier(type_: str) -> int:
    """When a resource's turn comes, in a stack that runs a service: 0 the network, 1 what stands in it, 2 the
    service, 3 what scales and watches it."""
    if type_ == "AWS::ECS::Service":
        return 2
    if type_.startswith(("AWS::ApplicationAutoScaling::", "AWS::CloudWatch::")):
        return 3
    if type_.startswith(("AWS::EC2::", "AWS::IAM::")) and type_ != "AWS::EC2::NatGateway":
        return 0
    return 1
