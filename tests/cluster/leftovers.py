"""What a running or a killed engine has on a machine: processes, control groups, mounts."""

from __future__ import annotations

import contextlib
import os
import signal
import time
from collections.abc import Callable, Iterable
from pathlib import Path

_CGROUPS = Path("/sys/fs/cgroup")
_PROC = Path("/proc")


def naming(text: str, programs: Iterable[str]) -> set[int]:
    """Processes of these programs that have a text in their arguments."""
    wanted = set(programs)
    found = set()
    for pid in _every_process():
        with contextlib.suppress(OSError):
            arguments = (_PROC / str(pid) / "cmdline").read_bytes().split(b"\0")
            if os.path.basename(arguments[0].decode(errors="replace")) in wanted and any(
                    text.encode() in one for one in arguments[1:]):
                found.add(pid)
    return found


def in_cgroup(name: str) -> set[int]:
    """Processes in the control groups of that name and those below, in every hierarchy."""
    found = set()
    for folder in cgroups(name):
        with contextlib.suppress(OSError):
            found.update(map(int, (folder / "cgroup.procs").read_text("ascii").split()))
    return found


def cgroups(name: str) -> list[Path]:
    """Folders of the control groups of that name, the innermost first; of version 1 (one hierarchy for each
    controller) and of version 2."""
    tops = [_CGROUPS / name, *_CGROUPS.glob(f"*/{name}")]
    return [Path(folder) for top in tops if top.is_dir() for folder, _, _ in os.walk(top, topdown=False)]


def weigh(name: str, processes: int) -> None:
    """Make the control group of that name weigh as much as so many processes when they compete for the cores.

    A process that is in no group below has a weight of 1024 (100 in version 2), and so has a whole group.
    Where control groups can't be written the machine shares its cores as it likes.
    """
    for controller, file, unit in (("cpu", "cpu.shares", 1024), (".", "cpu.weight", 100)):
        group = _CGROUPS / controller / name
        if not (group.parent / "cgroup.procs").exists():
            continue
        with contextlib.suppress(OSError):
            group.mkdir(exist_ok=True)
            (group / file).write_text(str(processes * unit), "ascii")


def mounts(folder: Path) -> list[Path]:
    """Mount points at a folder or below, the last mounted first."""
    found = []
    for line in (_PROC / "self/mountinfo").read_text("utf-8").splitlines():
        point = Path(line.split()[4].encode().decode("unicode_escape"))
        if point == folder or folder in point.parents:
            found.append(point)
    return found[::-1]


def kill(find: Callable[[], set[int]], patience: float = 10) -> set[int]:
    """Kill processes until no more are found; returns those that are there after `patience` seconds still."""
    until = time.monotonic() + patience
    while (pids := set(filter(alive, find()))) and time.monotonic() < until:
        for pid in pids:
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
        time.sleep(0.05)
    return pids


def alive(pid: int) -> bool:
    """Whether there is such a process, zombies left out."""
    try:
        return (_PROC / str(pid) / "stat").read_text("utf-8").rpartition(")")[2].split()[0] != "Z"
    except OSError:
        return False


def _every_process() -> list[int]:
    return [int(entry.name) for entry in _PROC.iterdir() if entry.name.isdigit()]
