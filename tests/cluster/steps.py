"""Running other programs, and saying what goes on while they run."""

from __future__ import annotations

import contextlib
import fcntl
import os
import re
import subprocess
import sys
import threading
import time
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

_REMIND_AFTER = 15
"""Seconds after which a step that is still under way says so again."""


class ClusterError(Exception):
    """What keeps the cluster tests from running here, in one line."""


def say(text: str) -> None:
    """Print a line for whoever watches; what a command was asked for goes to standard output instead."""
    sys.stderr.write(text + "\n")  # at once, as several threads may have something to say
    sys.stderr.flush()


@contextlib.contextmanager
def step(name: str) -> Iterator[None]:
    """Announce a step that takes a while, remind while it runs, and say how long it took, in seconds."""
    started = time.monotonic()
    done = threading.Event()

    def remind() -> None:
        while not done.wait(_REMIND_AFTER):
            say(f"    … {time.monotonic() - started:.0f} s: {name}")

    say(f"{name} …")
    reminder = threading.Thread(target=remind, daemon=True)
    reminder.start()
    try:
        yield
    finally:
        done.set()
        reminder.join()
    say(f"{name}: {time.monotonic() - started:.1f} s")


def output(command: Sequence[str], *, purpose: str = "", environment: Mapping[str, str] | None = None,
           cwd: Path | None = None) -> str:
    """What a program prints.

    Raises ClusterError if it isn't there or fails, with the line of its output that tells why; `purpose` says
    what it was run for.
    """
    try:
        ran = subprocess.run(command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                             stderr=subprocess.PIPE, env=environment, cwd=cwd, text=True, errors="replace")
    except FileNotFoundError:
        raise ClusterError(f"{purpose or command[0]}: {command[0]} isn't on this machine") from None
    if ran.returncode:
        plain = re.sub(r"\x1b\[[0-9;]*m", "", ran.stderr + "\n" + ran.stdout)
        lines = [line.strip() for line in plain.splitlines() if line.strip()]
        told = [line for line in lines if "error" in line.lower() or line.startswith("E:")] or lines[-1:]
        raise ClusterError(f"{purpose or ' '.join(command[:3])}: "
                           f"{told[0] if told else f'exit code {ran.returncode}'}")
    return ran.stdout


def works(command: Sequence[str], environment: Mapping[str, str] | None = None, patience: float = 60) -> bool:
    """Whether a program is there and ends with 0 within `patience` seconds."""
    try:
        return subprocess.run(command, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, env=environment,
                              stderr=subprocess.DEVNULL, check=False, timeout=patience).returncode == 0
    except (FileNotFoundError, PermissionError, subprocess.TimeoutExpired):
        return False


@contextlib.contextmanager
def alone(lock: Path) -> Iterator[None]:
    """Hold a lock between processes; says so where another one has to be waited for."""
    lock.parent.mkdir(parents=True, exist_ok=True)
    with lock.open("w") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            say(f"waiting for another process that holds {lock}")
            fcntl.flock(file, fcntl.LOCK_EX)
        yield


def is_root() -> bool:
    """Whether this process may do everything."""
    return os.geteuid() == 0
