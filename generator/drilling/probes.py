"""What clients see while something is broken: probes at a steady rate, and the outage they tell of."""

from __future__ import annotations

import math
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace

from generator.drilling.http import NoAnswer
from generator.drilling.pace import Pace
from generator.drilling.promises import Sample

SLOW = 2.0
"""Seconds after which a client counts as unserved although its answer comes: as long as people wait without
wondering."""
APART = 5.0
"""Seconds of good answers that make what comes after them another disturbance."""


class Failed(Exception):
    """A probe that got an answer, but the wrong one; says which in a few words."""


@dataclass(frozen=True)
class Outage:
    """What a series of probes says. Times in seconds."""

    probes: int
    failed: int
    slow: int
    """Answers that came late."""
    longest: float
    """The longest disturbance: from the first unserved request to the moment since which requests are served
    again."""
    began: float
    """When the longest disturbance began, seconds since the epoch; 0 where there was none."""
    slowest: float
    """The longest wait for a good answer."""
    errors: tuple[tuple[str, int], ...]
    """(kind, how many), the commonest first."""

    @property
    def text(self) -> str:
        """`12 of 300 probes failed (timed out 10, HTTP 502 2), 3 more took over 2 s`."""
        kinds = ", ".join(f"{kind} {count}" for kind, count in self.errors)
        late = f", {self.slow} more took over {SLOW:.0f} s" if self.slow else ""
        return f"{self.failed} of {self.probes} probes failed{f' ({kinds})' if kinds else ''}{late}"


class Prober:
    """Asks each of `questions` `rate` times a second, as a context manager. A question raises NoAnswer or
    Failed."""

    def __init__(self, questions: dict[str, Callable[[], object]], rate: float = 5.0):
        self._questions = questions
        self._samples: list[Sample] = []
        self._lock = threading.Lock()
        self._paces = [Pace(rate, self._asker(kind)) for kind in questions]

    def __enter__(self) -> Prober:
        for pace in self._paces:
            pace.__enter__()
        return self

    def __exit__(self, *_: object) -> None:
        for pace in self._paces:
            pace.stop()

    @property
    def samples(self) -> list[Sample]:
        """All samples so far, by the moment they were sent."""
        with self._lock:
            return sorted(self._samples, key=lambda one: (one.time, one.kind))

    def good_in_a_row(self, since: float = 0.0) -> int:
        """How many probes of every kind sent from `since` on went well, from the last one answered back."""
        found = [one for one in self.samples if one.time >= since]
        return min(
            (_tail([one for one in found if one.kind == kind]) for kind in self._questions), default=0
        )

    def _asker(self, kind: str) -> Callable[[int], None]:
        def ask(_: int) -> None:
            sample = measured(kind, self._questions[kind])
            with self._lock:
                self._samples.append(sample)
        return ask


def measured(kind: str, question: Callable[[], object]) -> Sample:
    """Asks once."""
    sent, began, error = time.time(), time.perf_counter(), ""
    try:
        question()
    except NoAnswer as gone:
        error = gone.kind
    except Failed as wrong:
        error = str(wrong)
    return Sample(sent, time.perf_counter() - began, kind, error)


def outage(
    samples: Iterable[Sample], interval: float = 0.2, since: float = 0.0, until: float = math.inf
) -> Outage:
    """What probes sent from `since` to `until` say, `interval` seconds apart.

    An answer after `until` is none: a request that hangs at a frozen node has one as soon as the node is given
    back, which says nothing of when the others were served.

    A disturbance begins with the sending of the first unserved request. It ends `interval` after the sending
    of the last one that failed (the next one was served), or when the last slow answer came; good answers
    between two unserved ones don't end it unless they go on for APART seconds: with two nodes, every second
    request may be served.
    """
    found = sorted(
        (_answered(one, until) for one in samples if since <= one.time < until), key=lambda one: one.time
    )
    bad = [one for one in found if one.error or one.seconds > SLOW]
    spans: list[tuple[float, float]] = []
    for one in bad:
        end = one.time + (interval if one.error else one.seconds)
        if spans and one.time - spans[-1][1] < APART:
            spans[-1] = (spans[-1][0], max(spans[-1][1], end))
        else:
            spans.append((one.time, end))
    longest = max(spans, key=lambda span: span[1] - span[0], default=(0.0, 0.0))
    return Outage(
        probes=len(found),
        failed=sum(bool(one.error) for one in found),
        slow=sum(not one.error for one in bad),
        longest=longest[1] - longest[0],
        began=longest[0],
        slowest=max((one.seconds for one in found if not one.error), default=0.0),
        errors=tuple(Counter(one.error for one in found if one.error).most_common()),
    )


def _answered(one: Sample, until: float) -> Sample:
    """The same, but failed where it was answered too late to count."""
    late = not one.error and one.seconds > SLOW and one.time + one.seconds >= until
    return replace(one, error="no answer") if late else one


def _tail(samples: Sequence[Sample]) -> int:
    count = 0
    for one in reversed(samples):
        if one.error:
            break
        count += 1
    return count
