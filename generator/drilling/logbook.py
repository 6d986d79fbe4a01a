"""Reads the nodes' logs as they grow, and keeps what a drill asks of them."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable
from dataclasses import dataclass, field

from generator.drilling import views
from generator.drilling.views import Seen
from generator.keycloak import logs
from generator.rehearsing.target import LogLine, RunningTask, Target

_OVERLAP = 0.05
"""Seconds that are read twice: a moment that went through text and back may have lost its last digits."""
_COMPLAINTS = 200


@dataclass
class _Page:
    """The log of one task: a new task in an old slot has a page of its own."""

    read_to: float
    recent: set[tuple[float, str]] = field(default_factory=set)
    name: str = ""
    views: list[Seen] = field(default_factory=list)
    complaints: deque[str] = field(default_factory=lambda: deque(maxlen=_COMPLAINTS))


class LogBook:
    """What the logs said so far. Reading raises what the target raises."""

    def __init__(self, target: Target):
        self._target = target
        self._pages: dict[tuple[str, float], _Page] = {}

    def read(self, tasks: Iterable[RunningTask]) -> None:
        """Reads what these tasks have written since the last time."""
        for task in tasks:
            # One second: a log's clock and the one that says when a task started needn't be the same.
            page = self._pages.setdefault((task.name, task.started), _Page(task.started - 1.0))
            self._turn(page, task.name, self._target.logs(task.name, page.read_to - _OVERLAP))

    def name(self, task: RunningTask) -> str:
        """What the task's node calls itself in views; empty where its log hasn't said."""
        page = self._pages.get((task.name, task.started))
        return page.name if page else ""

    def views(self, task: RunningTask) -> list[Seen]:
        """The views that the task installed, in order."""
        page = self._pages.get((task.name, task.started))
        every = [view for one in self._pages.values() for view in one.views]
        return [views.named(view, every) for view in page.views] if page else []

    def every_view(self) -> list[Seen]:
        """The views of all tasks that ever were, by time."""
        return sorted(
            (view for page in self._pages.values() for view in page.views), key=lambda view: view.time
        )

    def complaints(self, task: RunningTask) -> list[str]:
        """The last warnings and errors of a task."""
        page = self._pages.get((task.name, task.started))
        return list(page.complaints) if page else []

    def _turn(self, page: _Page, task: str, lines: list[LogLine]) -> None:
        fresh = [line for line in lines if line.time >= page.read_to - _OVERLAP
                 and (line.time, line.text) not in page.recent]
        if not fresh:
            return
        page.read_to = max(page.read_to, *(line.time for line in fresh))
        page.recent = {one for one in page.recent if one[0] >= page.read_to - 2 * _OVERLAP}
        page.recent |= {(line.time, line.text) for line in fresh if line.time >= page.read_to - 2 * _OVERLAP}
        page.name = views.own_name(fresh) or page.name
        page.views += views.views(task, fresh)
        for line in fresh:
            # Cheap first, as most lines complain of nothing.
            if "WARN" in line.text or "ERROR" in line.text or "FATAL" in line.text:
                entry = logs.entry(line.text)
                if entry.level in ("WARN", "ERROR", "FATAL") and entry.message:
                    page.complaints.append(f"{entry.level} {entry.message.removeprefix('ERROR: ')}")
