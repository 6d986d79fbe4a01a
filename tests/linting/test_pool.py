"""Several processes: the same answers, the same errors, and nothing lost when one of them dies."""

from __future__ import annotations

import multiprocessing
import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from generator.errors import ProjectError
from generator.linting.pool import map_in_processes
from tests.cases import PROJECT


def in_worker() -> bool:
    return multiprocessing.parent_process() is not None


def double(number: int) -> tuple[int, bool]:
    return 2 * number, in_worker()


def refuse(number: int) -> int:
    if number == 3:
        raise ProjectError("three is refused")
    return number


def die_of_two(number: int) -> int:
    if number == 2 and in_worker():
        os._exit(7)
    return number


def blocks_interrupts(_: int) -> bool:
    return signal.SIGINT in signal.pthread_sigmask(signal.SIG_BLOCK, ())


def test_no_worker_sees_an_interrupt():
    """From its first moment on, also in a program whose first pool this is, no process can be met by Ctrl-C."""
    code = ("from generator.linting.pool import map_in_processes; from test_pool import blocks_interrupts; "
            "print(map_in_processes(blocks_interrupts, [1, 2, 3], 2))")
    ran = subprocess.run([sys.executable, "-c", code], cwd=Path(__file__).parent, capture_output=True, text=True,
                         check=True, env={**os.environ, "PYTHONPATH": str(PROJECT)})
    assert ran.stdout == "[True, True, True]\n"


def test_answers_stand_in_the_order_of_the_items():
    """Whoever was faster, the first answer is the first item's; and it was another process that gave it."""
    assert map_in_processes(double, [5, 4, 3, 2, 1], 2) == [
        (10, True),
        (8, True),
        (6, True),
        (4, True),
        (2, True),
    ]


def test_nothing_to_do_is_nothing_done():
    """No items, no answers."""
    assert map_in_processes(double, [], 2) == []


def test_an_exception_comes_home():
    """What the function raises there is raised here, and the others are stopped."""
    with pytest.raises(ProjectError, match="three is refused"):
        map_in_processes(refuse, list(range(10)), 2)
    assert multiprocessing.active_children() == []


@pytest.mark.parametrize("workers", [1, 2])
def test_the_work_of_the_dead_is_done(workers):
    """An item that kills each process it meets is at last answered in this one; no other answer is lost."""
    assert map_in_processes(die_of_two, [0, 1, 2, 3, 4], workers) == [0, 1, 2, 3, 4]
    assert multiprocessing.active_children() == []
