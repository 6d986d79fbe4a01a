"""What a drill proves, as values: promises with their verdict, figures, evidence and causes."""

from __future__ import annotations

from dataclasses import dataclass

KEPT, BROKEN, NOT_RUN = "kept", "broken", "not run"


@dataclass(frozen=True)
class Figure:
    """Something measured."""

    name: str
    value: float
    unit: str = ""
    """`s`, `requests`; empty for a bare number."""
    limit: float | None = None
    """The most that it may be; None where nothing is promised about it."""

    @property
    def text(self) -> str:
        """`time to the new view 1.2 s (limit 3 s)`."""
        unit = f" {self.unit}" if self.unit else ""
        limit = f" (limit {number(self.limit)}{unit})" if self.limit is not None else ""
        return f"{self.name} {number(self.value)}{unit}{limit}"


@dataclass(frozen=True)
class Cause:
    """Why a promise is broken, as far as it can be proved, and what mends it."""

    text: str
    """What is so, without a full stop."""
    line: int = 0
    """Line of the template that makes it so; 0 where no line does."""
    fix: str = ""
    """What to write instead, as an instruction."""


@dataclass(frozen=True)
class Promise:
    """One thing that has to hold."""

    name: str
    """`failover.view`: the step, and what is promised."""
    text: str
    """The promise, as a sentence without a full stop."""
    verdict: str
    """KEPT, BROKEN or NOT_RUN."""
    reason: str = ""
    """What was seen instead, or why it wasn't tried."""
    figures: tuple[Figure, ...] = ()
    evidence: tuple[str, ...] = ()
    """Log lines, requests with their answers, one a line."""
    causes: tuple[Cause, ...] = ()


@dataclass(frozen=True)
class Moment:
    """Something that happened, for the timeline."""

    time: float
    """Seconds since the epoch."""
    kind: str
    """`loss` (a node or the database was made to fail), `recovery` (it was given back), `view` (a node
    installed a new view of the cluster) or `note`."""
    text: str
    task: str = ""


@dataclass(frozen=True)
class Sample:
    """One probe and what became of it."""

    time: float
    """When it was sent, seconds since the epoch."""
    seconds: float
    """Until the answer, or until the client gave up."""
    kind: str
    """What was asked: `introspection`, `document`, or an operation of the load."""
    error: str = ""
    """What went wrong; empty where nothing did."""


@dataclass(frozen=True)
class Members:
    """The tasks at one moment."""

    time: float
    tasks: tuple[tuple[str, str], ...]
    """(name, state), where a task whose health check passes is `healthy`."""


@dataclass(frozen=True)
class Timeline:
    """Everything that has a moment, in the order of time."""

    moments: tuple[Moment, ...] = ()
    samples: tuple[Sample, ...] = ()
    members: tuple[Members, ...] = ()


@dataclass(frozen=True)
class StepReport:
    """One step and its promises."""

    name: str
    title: str
    does: str
    """What it does to the environment, as a sentence."""
    started: float
    ended: float
    promises: tuple[Promise, ...]


@dataclass(frozen=True)
class Report:
    """A whole drill."""

    name: str
    """The environment."""
    file: str
    """Its template, as messages call it."""
    version: str
    """Keycloak's; empty where nothing tells."""
    local: bool
    """Whether it was a rehearsal."""
    started: float
    ended: float
    steps: tuple[StepReport, ...]
    timeline: Timeline = Timeline()
    interrupted: bool = False
    """Whether somebody stopped it before its end."""

    @property
    def promises(self) -> tuple[Promise, ...]:
        """Those of every step, in order."""
        return tuple(promise for step in self.steps for promise in step.promises)

    def count(self, verdict: str) -> int:
        """How many promises have that verdict."""
        return sum(promise.verdict == verdict for promise in self.promises)

    @property
    def kept(self) -> bool:
        """Whether nothing is broken and the drill came to its end. A drill that could prove nothing keeps
        nothing."""
        return not self.interrupted and not self.count(BROKEN) and self.count(KEPT) > 0


def number(value: float | None) -> str:
    """`12`, `1.2`, `0.04`: as many digits as a reader needs."""
    if value is None:
        return "-"
    if value == int(value):
        return f"{int(value):,}"
    return f"{value:.1f}" if abs(value) >= 0.95 else f"{value:.2f}"


def judged(
    name: str,
    text: str,
    broken: str,
    *,
    figures: tuple[Figure, ...] = (),
    evidence: tuple[str, ...] = (),
    causes: tuple[Cause, ...] = (),
) -> Promise:
    """A promise that was tried: kept if `broken` is empty, else broken for that reason. Causes are only named
    then."""
    return Promise(
        name, text, BROKEN if broken else KEPT, broken, figures, evidence, causes if broken else ()
    )


def not_run(name: str, text: str, reason: str, *, evidence: tuple[str, ...] = ()) -> Promise:
    """A promise that wasn't tried."""
    return Promise(name, text, NOT_RUN, reason, evidence=evidence)
