"""Watches an operation of CloudFormation's until it ends, or until whoever watches leaves it."""

from __future__ import annotations

import signal
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import click

from generator.cli.environments import goes_on
from generator.errors import AwsError

_TASKS_EVERY = 10.0
"""Seconds between two looks at ECS."""


class Interrupted(SystemExit):
    """Whoever watched has left, or has cancelled the operation."""

    def __init__(self, outcome: str):
        super().__init__(130)
        self.outcome = outcome


@contextmanager
def deferred(tell: Callable[[], None]) -> Iterator[list[int]]:
    """Ctrl-C waits for the end of the block, which `tell` says: a call in it is neither half made nor lost. Yields
    a list that isn't empty where it came."""
    came: list[int] = []
    if threading.current_thread() is not threading.main_thread():
        yield came
        return

    def note(number, _frame) -> None:
        if not came:
            tell()
        came.append(number)

    before = signal.signal(signal.SIGINT, note)
    try:
        yield came
    finally:
        signal.signal(signal.SIGINT, signal.default_int_handler if before is None else before)


def watch(
    session, connection, target, following, planned=(), past=(), *, sleep=time.sleep, interrupted: bool = False
) -> tuple[list, bool]:
    """Shows an operation until it ends; returns (the ECS tasks that stopped meanwhile, whether it was cancelled).
    Ctrl-C asks what to do; `interrupted` says that it came already. Raises Interrupted where the operation is left,
    AwsError or CredentialsError where it can't be watched any more: AWS goes on with it."""
    from generator.cli import live
    from generator.deploying import masking, report, stacks, tasks
    from generator.deploying.progress import Progress

    progress = Progress.begin(planned, past, time.time())
    try:
        there = stacks.resources(connection, following.stack_id)
    except AwsError:
        # Only ECS' tasks are found by them.
        there = ()
    except KeyboardInterrupt:
        there, interrupted = (), True
    hidden = masking.of(target)
    watcher = tasks.Watcher(connection, lambda: (*there, *following.events), time.time(), hidden)
    stopped, asked, cancelled = [], 0.0, False
    while not following.outcome:
        try:
            if interrupted:
                interrupted = False
                raise KeyboardInterrupt
            with live.view(session, progress, hide=hidden.hide) as view:
                while not following.outcome:
                    view.update(following.look(lambda text: view.say(text, "warning")), time.time())
                    if time.monotonic() - asked >= _TASKS_EVERY:
                        asked = time.monotonic()
                        for ended in watcher.look():
                            stopped.append(ended)
                            for style, text in report.task_lines(ended):
                                view.say(text, style)
                        for text in watcher.messages:
                            view.say(f"ECS: {text}", "warning")
                    if not following.outcome:
                        sleep(following.pause)
        except KeyboardInterrupt:
            cancelled = _ask(session, connection, target, following) or cancelled
    return stopped, cancelled


def _ask(session, connection, target, following) -> bool:
    """Asks what is to become of the operation. Returns whether it was cancelled; raises Interrupted where it is
    left."""
    from generator.deploying import executing, stacks

    if not sys.stdin.isatty():
        session.err(f"interrupted. {left_alone(target)}")
        raise Interrupted("left")
    try:
        now = stacks.look(connection, following.stack_id)
    except AwsError:
        now = following.stack
    choices = {"w": "watch on", "l": "leave it (AWS goes on)"}
    if now is not None and now.status == "UPDATE_IN_PROGRESS":
        choices["c"] = "cancel the update (AWS rolls it back)"
    session.err(f"{target.stack_name} is being changed. " + ", ".join(f"{key}: {say}" for key, say in choices.items()))
    try:
        answer = click.prompt("What now", type=click.Choice(list(choices)), default="w", err=True)
    except click.Abort:
        answer = "l"
    if answer == "l":
        session.err(left_alone(target))
        raise Interrupted("left")
    if answer == "c":
        try:
            executing.cancel(connection, following.stack_id)
        except AwsError as error:
            session.err(f"it can't be cancelled any more: {error}", "warning")
            return False
        session.err("cancelled: AWS rolls back, which is watched (Ctrl-C again leaves it)")
        return True
    return False


def left_alone(target) -> str:
    """What goes on without us, and how its protection is put right afterwards."""
    return f"{goes_on(target)} `cloakform deploy {target.name}` again puts its protection right."
