"""The timeline as a picture: probes and their latency, errors, tasks and views, and the moments between them.
SVG by hand, without scripts; colours are the page's, light or dark."""

from __future__ import annotations

import html
import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from generator.drilling.promises import Members, Moment, Sample, Timeline

WIDTH = 1000
_LEFT, _RIGHT = 110, 14
_PLOT = WIDTH - _LEFT - _RIGHT
_COLUMN = 2
"""Pixels of one column: samples in it are drawn together."""
_LATENCY, _ERRORS, _LANE, _GAP, _HEAD, _FOOT = 110, 34, 22, 14, 30, 26
_LEAST, _MOST = 0.005, 20.0
"""Seconds at the bottom and at the top of the latency scale."""
_UNSEEN = 15.0
"""Seconds."""
_STEPS = (0.5, 1, 2, 5, 10, 15, 30, 60, 120, 300, 600, 1200, 3600)

STYLE = """
.drill-picture { --ink: #1d2430; --dim: #667085; --grid: #e3e7ee; --answer: #8fb4e3; --median: #2f6fbf;
  --error: #c8322b; --healthy: #4c9f70; --starting: #e2b84b; --running: #9cc7ae; --stopping: #a5acb8; --loss: #c8322b;
  --recovery: #2e7d4f; --view: #6a4bbc; --note: #667085; font: 12px system-ui, sans-serif; }
@media (prefers-color-scheme: dark) { .drill-picture { --ink: #e6e9ef; --dim: #98a2b3; --grid: #333a46;
  --answer: #3f5f8a; --median: #86b6f0; --error: #ff7a70; --healthy: #5fb98a; --starting: #d9b45a;
  --running: #41725a; --stopping: #5d6573; --loss: #ff7a70; --recovery: #6fd19c; --view: #b29cf5; --note: #98a2b3; } }
.drill-picture text { fill: var(--ink); }
.drill-picture .dim { fill: var(--dim); }
.drill-picture .grid { stroke: var(--grid); fill: none; }
.drill-picture .answer { stroke: var(--answer); stroke-width: 2; fill: none; }
.drill-picture .median { stroke: var(--median); stroke-width: 2; fill: none; }
.drill-picture .error { stroke: var(--error); stroke-width: 2; fill: none; }
.drill-picture .healthy { fill: var(--healthy); } .drill-picture .starting { fill: var(--starting); }
.drill-picture .running { fill: var(--running); } .drill-picture .stopping { fill: var(--stopping); }
.drill-picture .loss { stroke: var(--loss); } .drill-picture .recovery { stroke: var(--recovery); }
.drill-picture .view { stroke: var(--view); }
.drill-picture .note { stroke: var(--note); stroke-dasharray: 2 3; }
.drill-picture .moment { stroke-width: 1.5; fill: none; }
.drill-picture .number { font-size: 10px; text-anchor: middle; }
.drill-picture .size { font-size: 10px; fill: var(--view); }
"""


@dataclass(frozen=True)
class Picture:
    """A part of the timeline that is drawn."""

    svg: str
    moments: tuple[tuple[int, float, str], ...]
    """(number in the picture, seconds from its beginning, text) of losses, recoveries and notes."""


def picture(timeline: Timeline, start: float, end: float, title: str, *, style: bool = False) -> Picture:
    """The time from `start` to `end`. With `style` the SVG stands by itself; else the page brings STYLE."""
    end = max(end, start + 1.0)
    samples = [one for one in timeline.samples if start <= one.time <= end]
    members = _known(timeline.members, start, end)
    moments = [one for one in timeline.moments if start <= one.time <= end]
    # By length first: keycloak-10 comes after keycloak-9.
    tasks = sorted({name for one in members for name, _ in one.tasks}, key=lambda name: (len(name), name))
    scale = _Scale(start, end)
    parts: list[str] = []
    numbered: list[tuple[int, float, str]] = []
    top = _HEAD
    if samples:
        parts += _latency(samples, scale, top)
        top += _LATENCY + _GAP
        parts += _errors(samples, scale, top)
        top += _ERRORS + _GAP
    for task in tasks:
        parts += _lane(task, members, moments, scale, top)
        top += _LANE + 6
    bottom = top + 4
    parts = [*_axis(scale, _HEAD, bottom), *parts]
    for moment in moments:
        if moment.kind == "view":
            continue
        numbered.append((len(numbered) + 1, moment.time - start, moment.text))
        x = scale.x(moment.time)
        parts.append(f'<path class="moment {_class(moment.kind)}" d="M{x:.1f} {_HEAD - 8}V{bottom}"><title>'
                     f'{html.escape(moment.text)}</title></path>')
        parts.append(f'<text class="number" x="{x:.1f}" y="{_HEAD - 12}">{len(numbered)}</text>')
    height = bottom + _FOOT
    inner = f"<style>{STYLE}</style>" if style else ""
    svg = (
        f'<svg xmlns="http://www.w3.org/2000/svg" class="drill-picture" viewBox="0 0 {WIDTH} {height}" '
        f'role="img" aria-label="{html.escape(title)}"><title>{html.escape(title)}</title>{inner}{"".join(parts)}</svg>'
    )
    return Picture(svg, tuple(numbered))


def _known(members: Sequence[Members], start: float, end: float) -> list[Members]:
    """The tasks as they were seen meanwhile; at the beginning as they were seen last before it, if that is not long
    ago."""
    before = [Members(start, one.tasks) for one in members if start - _UNSEEN <= one.time < start][-1:]
    return before + [one for one in members if start <= one.time <= end]


@dataclass(frozen=True)
class _Scale:
    start: float
    end: float

    def x(self, time: float) -> float:
        """Pixels from the left of the picture."""
        share = (min(max(time, self.start), self.end) - self.start) / (self.end - self.start)
        return _LEFT + share * _PLOT


def clock(seconds: float) -> str:
    """`5 s`, `1:30`."""
    return f"{seconds:g} s" if seconds < 60 else f"{int(seconds) // 60}:{int(seconds) % 60:02d}"


def _axis(scale: _Scale, top: int, bottom: int) -> Iterator[str]:
    length = scale.end - scale.start
    step = next((one for one in _STEPS if length / one <= 12), _STEPS[-1])
    for number in range(int(length // step) + 1):
        x = scale.x(scale.start + number * step)
        yield f'<path class="grid" d="M{x:.1f} {top}V{bottom}"/>'
        yield f'<text class="dim number" x="{x:.1f}" y="{bottom + 14}">{clock(number * step)}</text>'


def _latency(samples: Sequence[Sample], scale: _Scale, top: int) -> Iterator[str]:
    base = top + _LATENCY
    for seconds, name in ((0.01, "10 ms"), (0.1, "100 ms"), (1.0, "1 s"), (10.0, "10 s")):
        y = base - _high(seconds)
        yield f'<path class="grid" d="M{_LEFT} {y:.1f}H{WIDTH - _RIGHT}"/>'
        yield f'<text class="dim" x="{_LEFT - 8}" y="{y + 4:.1f}" text-anchor="end">{name}</text>'
    yield f'<text x="4" y="{top + 12}">answers</text>'
    slowest, median = [], []
    for x, column in _columns(samples, scale):
        times = sorted(one.seconds for one in column if not one.error)
        if times:
            slowest.append(f"M{x} {base}V{base - _high(times[-1]):.1f}")
            median.append(f"M{x} {base}V{base - _high(times[len(times) // 2]):.1f}")
    yield f'<path class="answer" d="{"".join(slowest)}"><title>slowest answer</title></path>'
    yield f'<path class="median" d="{"".join(median)}"><title>median</title></path>'


def _errors(samples: Sequence[Sample], scale: _Scale, top: int) -> Iterator[str]:
    base = top + _ERRORS
    yield f'<text x="4" y="{top + 14}">errors</text>'
    yield f'<path class="grid" d="M{_LEFT} {base}H{WIDTH - _RIGHT}"/>'
    bars = []
    for x, column in _columns(samples, scale):
        failed = sum(bool(one.error) for one in column)
        if failed:
            bars.append(f"M{x} {base}V{base - max(_ERRORS * failed / len(column), 3):.1f}")
    yield f'<path class="error" d="{"".join(bars)}"><title>share of failed requests</title></path>'


def _columns(samples: Sequence[Sample], scale: _Scale) -> list[tuple[int, list[Sample]]]:
    found: dict[int, list[Sample]] = {}
    for one in samples:
        x = int(scale.x(one.time)) // _COLUMN * _COLUMN
        found.setdefault(x, []).append(one)
    return sorted(found.items())


def _high(seconds: float) -> float:
    share = math.log(min(max(seconds, _LEAST), _MOST) / _LEAST) / math.log(_MOST / _LEAST)
    return max(share * _LATENCY, 1.0)


def _lane(
    task: str, members: Sequence[Members], moments: Sequence[Moment], scale: _Scale, top: int
) -> Iterator[str]:
    yield f'<text x="4" y="{top + 15}">{html.escape(task[:16])}</text>'
    for state, began, ended in _spans(task, members, scale.end):
        x, width = scale.x(began), max(scale.x(ended) - scale.x(began), 1.0)
        yield (
            f'<rect class="{_class(state)}" x="{x:.1f}" y="{top + 4}" width="{width:.1f}" '
            f'height="{_LANE - 8}"><title>{html.escape(f"{task}: {state}")}</title></rect>'
        )
    for moment in moments:
        if moment.kind == "view" and moment.task == task:
            x = scale.x(moment.time)
            size = "".join(character for character in moment.text if character.isdigit())
            yield (f'<path class="moment view" d="M{x:.1f} {top}V{top + _LANE}"><title>'
                   f'{html.escape(f"{task}: {moment.text}")}</title></path>')
            yield f'<text class="size" x="{x + 3:.1f}" y="{top + 3}">{html.escape(size)}</text>'


def _spans(task: str, members: Sequence[Members], end: float) -> list[tuple[str, float, float]]:
    """(state, from, to) of a task. What was seen last is taken to go on for a while after nobody looked any
    more."""
    found: list[tuple[str, float, float]] = []
    state, began = "", 0.0
    for one in members:
        now = dict(one.tasks).get(task, "")
        if now != state:
            if state:
                found.append((state, began, one.time))
            state, began = now, one.time
    if state and members:
        found.append((state, began, min(members[-1].time + _UNSEEN, end)))
    return found


def _class(word: str) -> str:
    known = ("healthy", "starting", "running", "stopping", "loss", "recovery", "view", "note")
    return word if word in known else "note"
