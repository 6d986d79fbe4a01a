"""The Python that the local AWS is installed for. ministack pins botocore, so it gets an environment of its
own."""

from __future__ import annotations

import contextlib
import fcntl
import hashlib
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

from generator.errors import CloakformError
from generator.folder import make_cache

PINS = Path(__file__).with_name("requirements.txt")
"""Every package with its hashes, for every Python that the program runs on."""


class SandboxError(CloakformError):
    """The local AWS can't be made or started on this machine."""


def python(root: Path, tell: Callable[[str], None] = lambda text: None) -> Path:
    """The Python to start it with; `root` is the project folder, whose cache keeps the environment.

    Where there is none yet it is made, with pip and its package index; `tell` hears that first. Raises
    SandboxError where it can't be made.
    """
    cache = root / ".cache"
    digest = hashlib.sha256(PINS.read_bytes() + sys.version.encode()).hexdigest()[:12]
    folder = cache / "sandbox" / digest
    found, ready = folder / "bin" / "python", folder / ".ready"
    if ready.exists():
        return found
    try:
        make_cache(cache)
        (cache / "sandbox").mkdir(exist_ok=True)
        with _alone(folder.with_suffix(".lock")):
            if not ready.exists():
                tell("installing ministack and microburst, which is done once")
                shutil.rmtree(folder, ignore_errors=True)
                _run(sys.executable, "-m", "venv", str(folder))
                _run(
                    str(found),
                    "-m",
                    "pip",
                    "install",
                    "--quiet",
                    "--disable-pip-version-check",
                    "--require-hashes",
                    "--requirement",
                    str(PINS),
                )
                ready.touch()
    except OSError as error:
        raise SandboxError(
            f"the local AWS can't be installed in {folder}: {error.strerror or error}"
        ) from error
    return found


def _run(*command: str) -> None:
    done = subprocess.run(
        command, stdin=subprocess.DEVNULL, capture_output=True, text=True, errors="replace", check=False
    )
    if done.returncode:
        said = [line for line in (done.stdout + done.stderr).splitlines() if line.strip()]
        told = next(
            (line for line in said if "ERROR" in line), said[-1] if said else f"exit code {done.returncode}"
        )
        hint = (
            "install Python's venv module, on Debian python3-venv"
            if "venv" in command
            else "pip needs its package index once"
        )
        raise SandboxError(f"the local AWS can't be installed: {told.strip()} ({hint})")


@contextlib.contextmanager
def _alone(lock: Path) -> Iterator[None]:
    """Two runs at the same time make one environment."""
    with lock.open("w") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield
