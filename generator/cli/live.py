"""What goes on in a deployment, while it goes on: on a terminal a few lines that move, elsewhere plain
ones."""

from __future__ import annotations

import math
import sys
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, Protocol

from generator.deploying import progress as progresses
from generator.showing.escaping import plain

if TYPE_CHECKING:  # rich is loaded only where a terminal is to be drawn on
    from rich.console import Console

    from generator.cli.session import Session
    from generator.deploying.events import Event
    from generator.deploying.progress import Finished, Progress, Working

HEARTBEAT = 60.0
"""Seconds between two lines that say what AWS works on, where there is no terminal."""
_SHOWN = 3
"""Resources being worked on that the moving lines name."""

_RICH = {"error": "red", "warning": "yellow", "info": "cyan", "dim": "dim", "bold": "bold", "": ""}


class View(Protocol):
    """What shows an operation."""

    def update(self, events: Sequence[Event], now: float) -> None:
        """Takes in what is new, oldest first, and shows it; `now` in seconds since the epoch. To be called
        with nothing new, too: time has passed."""

    def say(self, text: str, style: str = "") -> None:
        """A line among the others, say of a task that ECS stopped. A quiet view leaves out all but errors."""


@contextmanager
def view(
    session: Session,
    progress: Progress,
    *,
    hide: Callable[[str], str] | None = None,
    console: Console | None = None,
) -> Iterator[View]:
    """Shows an operation for the length of a block, on standard error. Afterwards the terminal is as before,
    however the block ends.

    `hide` takes secrets out of AWS' reasons; by default what looks like one goes. `console` is where to draw
    instead, say in a test.
    """
    if hide is None:
        from generator.deploying.masking import Masking

        hide = Masking().hide
    told = _Words(hide)
    if console is None and not session.quiet and sys.stderr.isatty():
        from rich.console import Console

        console = Console(stderr=True, no_color=True if session.colour is False else None)
    if session.quiet or console is None or console.is_dumb_terminal:
        yield _Plain(session, progress, told)
        return
    from rich.live import Live

    shown = _Terminal(progress, console, told)
    with Live(
        get_renderable=shown.render,
        console=console,
        transient=True,
        refresh_per_second=2,
        redirect_stdout=False,
        redirect_stderr=False,
        vertical_overflow="crop",
    ) as live:
        shown.refresh = live.refresh
        yield shown


def words(seconds: float) -> str:
    """`45 s`, `12 min 5 s`, `1 h 3 min`."""
    whole = max(0, round(seconds))
    if whole < 60:
        return f"{whole} s"
    if whole < 3600:
        return f"{whole // 60} min {whole % 60} s" if whole % 60 else f"{whole // 60} min"
    return f"{whole // 3600} h {whole % 3600 // 60} min"


def about(seconds: float | None) -> str:
    """`about 8 min left`, coarse and rather too much than too little; `no estimate` for None."""
    if seconds is None:
        return "no estimate"
    if seconds <= 50:
        return f"about {max(10, math.ceil(seconds / 10) * 10)} s left"
    minutes = math.ceil(seconds / 60)
    return f"about {minutes} min left" if minutes < 60 else f"about {minutes // 60} h {minutes % 60} min left"


def count(progress: Progress) -> str:
    """`14 of 52`; `14 done` where nobody knows of how many."""
    return f"{progress.done} of {progress.total}" if progress.counted else f"{progress.done} done"


class _Lines:
    """The lines of an operation that stay, for both views."""

    def __init__(self, progress: Progress, told: _Words):
        self.progress, self.told = progress, told
        self._phase = progress.phase

    def new(self, events: Sequence[Event]) -> Iterator[tuple[str, str]]:
        """(style, text) of what the events tell, after the progress has taken them in."""
        for event in events:
            ended = self.progress.feed((event,))
            if self.progress.phase != self._phase:
                self._phase = self.progress.phase
                yield from self._turn()
            for one in ended:
                yield self.told.line(one)

    def _turn(self) -> Iterator[tuple[str, str]]:
        if self._phase == progresses.BACK:
            yield "error", f"rolling back: {self.told.reason(self.progress.reason)}".removesuffix(": ")
        elif self._phase == progresses.CLEAN_UP:
            yield "dim", "clean-up: what was replaced or isn't wanted any more is deleted"


class _Plain:
    """One line for each resource that is finished, and now and then one that says what is being worked on."""

    def __init__(self, session: Session, progress: Progress, told: _Words):
        self._session, self._lines = session, _Lines(progress, told)
        self._spoke: float | None = None

    def update(self, events: Sequence[Event], now: float) -> None:
        for style, text in self._lines.new(events):
            self.say(text, style)
        if self._spoke is None:
            self._spoke = now
        if now - self._spoke >= HEARTBEAT:
            self._spoke = now
            progress = self._lines.progress
            if not progress.ended:
                told = "; ".join(self._lines.told.doing(one) for one in progress.working(now)[:_SHOWN])
                self.say(
                    f"{words(progress.elapsed(now))}: {count(progress)}, {about(progress.left(now))}; now "
                    f"{told or 'nothing yet'}",
                    "dim",
                )

    def say(self, text: str, style: str = "") -> None:
        if style == "error":
            self._session.err(text, style)
        else:
            self._session.note(text, style)


class _Terminal:
    """Finished resources scroll by above a bar."""

    def __init__(self, progress: Progress, console: Console, told: _Words):
        self._lines, self._console = _Lines(progress, told), console
        # The screen is drawn by a thread of rich's while the caller takes in events.
        self._lock = threading.Lock()
        self._ahead = 0.0
        self.refresh = lambda: None

    def update(self, events: Sequence[Event], now: float) -> None:
        with self._lock:
            self._ahead = now - time.time()
            said = list(self._lines.new(events))
        for style, text in said:
            self.say(text, style)
        self.refresh()

    def say(self, text: str, style: str = "") -> None:
        from rich.text import Text

        self._console.print(Text(text, style=_RICH.get(style, "")), soft_wrap=True)

    def render(self) -> Any:
        """The lines that move."""
        from rich.console import Group
        from rich.progress_bar import ProgressBar
        from rich.table import Table
        from rich.text import Text

        with self._lock:
            progress, now = self._lines.progress, time.time() + self._ahead
            over, phase = progress.fraction(now), progress.phase
            far = f"{count(progress)}  {words(progress.elapsed(now))}, {about(progress.left(now))}"
            working = progress.working(now)
        colour = "red" if phase == progresses.BACK else "green"
        row = Table.grid(padding=(0, 1), expand=True)
        row.add_column(ratio=1, min_width=4)
        row.add_column(no_wrap=True, overflow="ellipsis")
        # A bar that nobody knows the length of doesn't pretend to one.
        total = 1.0 if progress.counted else None
        row.add_row(
            ProgressBar(total=total, completed=over, complete_style=colour, finished_style=colour),
            Text(far if phase in (progresses.FORWARD, progresses.WAITING) else f"{far}  {phase}"),
        )
        doing = self._lines.told.doing
        lines = [Text(f"  {doing(one)}", no_wrap=True, overflow="ellipsis") for one in working[:_SHOWN]]
        if len(working) > _SHOWN:
            lines.append(Text(f"  and {len(working) - _SHOWN} more", style="dim"))
        return Group(row, *lines)


class _Words:
    """What is said of steps."""

    def __init__(self, hide: Callable[[str], str]):
        self._hide = hide

    def reason(self, text: str) -> str:
        """What AWS says, without secrets and without what would steer a terminal."""
        return plain(self._hide(text))

    def doing(self, one: Working) -> str:
        """`creating Database (AWS::RDS::DBInstance) 3 min 20 s, longer than usual: its reason`."""
        text = f"{one.doing} {plain(one.logical_id)} ({plain(one.type)}) {words(one.seconds)}"
        if one.longer:
            text += ", longer than usual"
        return f"{text}: {self.reason(one.reason)}" if one.reason else text

    def line(self, one: Finished) -> tuple[str, str]:
        """(style, text) of a step that ended."""
        text = f"{one.outcome:<9} {plain(one.logical_id)}  {plain(one.type)}"
        if one.took is not None and one.outcome != "kept":
            text += f"  {words(one.took)}"
        if one.outcome == "failed":
            return "error", f"{text}  {one.doing}: {self.reason(one.reason) or 'AWS gives no reason'}"
        if one.outcome == "cancelled":
            return "dim", f"{text}  because something else failed"
        if one.outcome == "kept":
            return "dim", f"{text}  {plain(one.physical_id)} stays, outside the stack"
        return "", text
