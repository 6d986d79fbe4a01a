"""The same function over many items in several processes, of which none outlives the call.

The standard library's pools end badly: one waits for ever for a worker that died, the other can't be
interrupted without a traceback of its own. Pipes say all that has to be known: a pipe that closes is
a process that went.
"""

from __future__ import annotations

import contextlib
import multiprocessing
import signal
from collections.abc import Callable, Iterator, Sequence
from multiprocessing import connection, resource_tracker
from typing import Any


def map_in_processes(function: Callable[[Any], Any], items: Sequence[Any], workers: int) -> list[Any]:
    """`[function(item) for item in items]`, by `workers` processes.

    `function`, its items and its results have to be picklable. An exception of `function`'s is raised here.
    However the call ends, by an interrupt too, the processes are gone when it has. The work of a process that
    dies is done by the others, at last by this one.
    """
    # Spawned, not forked: the caller may have threads (a progress display), and those don't survive a fork.
    context = multiprocessing.get_context("spawn")
    crew: dict[Any, Any] = {}
    try:
        with _interrupts_held():  # a worker sees them, too, until it says it doesn't
            for _ in range(workers):
                here, there = context.Pipe()
                worker = context.Process(target=_work, args=(there, function), daemon=True)
                worker.start()
                there.close()
                crew[here] = worker
        return _share_out(function, items, list(crew))
    finally:
        for here, worker in crew.items():
            worker.terminate()
            here.close()
        for worker in crew.values():
            worker.join()


def _share_out(function: Callable[[Any], Any], items: Sequence[Any], idle: list[Any]) -> list[Any]:
    results: dict[int, Any] = {}
    waiting = list(range(len(items)))[::-1]
    busy: dict[Any, int] = {}
    while len(results) < len(items):
        while idle and waiting:
            pipe, index = idle.pop(), waiting.pop()
            try:
                pipe.send(items[index])
                busy[pipe] = index
            except OSError:
                waiting.append(index)
        if not busy:
            index = waiting.pop()
            results[index] = function(items[index])
        for pipe in connection.wait(list(busy)) if busy else ():
            index = busy.pop(pipe)
            try:
                succeeded, result = pipe.recv()
            except (EOFError, OSError):
                waiting.append(index)
                continue
            if not succeeded:
                raise result
            results[index] = result
            idle.append(pipe)
    return [results[index] for index in range(len(items))]


def _work(pipe: Any, function: Callable[[Any], Any]) -> None:
    """Answer every item that comes until nobody asks any more: a parent that goes closes the pipe."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    with contextlib.suppress(EOFError, OSError):
        while True:
            item = pipe.recv()
            try:
                answer = (True, function(item))
            except Exception as error:  # the parent's to handle
                answer = (False, error)
            pipe.send(answer)


@contextlib.contextmanager
def _interrupts_held() -> Iterator[None]:
    """Ctrl-C waits until the end of the block, and processes started in it see none before they ask to."""
    if not hasattr(signal, "pthread_sigmask"):  # Windows
        yield
        return
    # The first process of all would start it, and its start lets interrupts through again.
    resource_tracker.ensure_running()
    before = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)
