"""A program of the sandbox's environment, that ends with whoever started it."""

from __future__ import annotations

import os
import re
import subprocess
import time
from collections.abc import Mapping, Sequence
from pathlib import Path

from generator.sandbox.environment import SandboxError

_HERE = Path(__file__).parent
_PATIENCE = 60.0
"""Seconds until a program that says nothing is given up; it takes half of one."""


class Program:
    """One of the programs in inside/. It reads its standard input and ends when that is closed: also where
    this process was killed."""

    def __init__(
        self,
        python: Path,
        arguments: Sequence[str],
        folder: Path,
        settings: Mapping[str, str],
        *,
        enter: Sequence[str] = (),
        says: str = r"Running on (http://\S+)",
    ):
        """Starts it in `folder`, with nothing of this process's environment but `settings`, and waits for
        what it `says` when it can be asked: the first group is `said`. Its output is in `folder`, in a file
        named as the first of `arguments`. Raises SandboxError where it ends first."""
        self.output = folder / f"{arguments[0]}.log"
        with self.output.open("wb") as file:
            self._process = subprocess.Popen(
                [*enter, str(python), "-m", "inside", *arguments],
                env={
                    "PATH": os.environ.get("PATH", os.defpath),
                    "HOME": str(folder),
                    "TMPDIR": str(folder),
                    "PYTHONPATH": str(_HERE),
                    "PYTHONUNBUFFERED": "1",
                    "PYTHONDONTWRITEBYTECODE": "1",
                    **settings,
                },
                cwd=folder,
                stdin=subprocess.PIPE,
                stdout=file,
                stderr=subprocess.STDOUT,
                # Ctrl-C is for whoever started it, who ends it.
                start_new_session=True,
            )
        self.said = ""
        try:
            end = time.monotonic() + _PATIENCE
            while not self.said:
                text = self.output.read_text("utf-8", "replace")
                found = re.search(says, text)
                if found is not None:
                    self.said = found[1]
                elif self._process.poll() is not None or time.monotonic() > end:
                    last = [line for line in text.splitlines() if line.strip()][-1:] or ["it said nothing"]
                    raise SandboxError(f"the local AWS didn't start: {last[0].strip()} (see {self.output})")
                else:
                    time.sleep(0.02)
        except BaseException:
            self.end()
            raise

    @property
    def id(self) -> int:
        """Its process id."""
        return self._process.pid

    @property
    def running(self) -> bool:
        """Whether it is there."""
        return self._process.poll() is None

    def end(self) -> None:
        """Ends it; it may have ended before."""
        if self._process.stdin is not None:
            self._process.stdin.close()
        self._process.terminate()
        try:
            self._process.wait(10)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
