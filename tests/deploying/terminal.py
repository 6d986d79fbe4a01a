"""A command on a terminal of its own: it sees a terminal, and Ctrl-C comes from its line discipline."""

from __future__ import annotations

import fcntl
import os
import pty
import re
import select
import struct
import subprocess
import termios
import time
from collections.abc import Sequence
from pathlib import Path

_PATIENCE = 120.0
_ESCAPES = re.compile(r"\x1b(?:\[[0-?]*[ -/]*[@-~]|\][^\x07]*\x07|[@-Z\\-_])")


class Terminal:
    """A running command."""

    def __init__(self, command: Sequence[str], folder: Path, environment: dict[str, str]):
        self._own, theirs = pty.openpty()
        fcntl.ioctl(theirs, termios.TIOCSWINSZ, struct.pack("HHHH", 50, 160, 0, 0))
        self._process = subprocess.Popen(
            command,
            cwd=folder,
            env=environment,
            stdin=theirs,
            stdout=theirs,
            stderr=theirs,
            start_new_session=True,
            # Ctrl-C reaches whoever the terminal belongs to.
            preexec_fn=lambda: fcntl.ioctl(0, termios.TIOCSCTTY, 0),
        )
        os.close(theirs)
        self._raw = b""
        self._seen = 0

    @property
    def text(self) -> str:
        """What was shown so far, without the characters that move a cursor."""
        return _ESCAPES.sub("", self._raw.decode("utf-8", "replace"))

    def until(self, pattern: str) -> None:
        """Waits until something is shown, after what was waited for before."""
        end = time.monotonic() + _PATIENCE
        while True:
            found = re.compile(pattern).search(self.text, self._seen)
            if found is not None:
                self._seen = found.end()
                return
            assert time.monotonic() < end and self._read(), f"{pattern} isn't shown:\n{self.text}"

    def type(self, keys: str) -> None:
        """Types something."""
        os.write(self._own, keys.encode())

    def end(self) -> int:
        """Waits for the end; its exit code."""
        end = time.monotonic() + _PATIENCE
        while self._read():
            assert time.monotonic() < end, f"it doesn't end:\n{self.text}"
        return self._process.wait(_PATIENCE)

    def close(self) -> None:
        """Ends it, where it hasn't."""
        if self._process.poll() is None:
            self._process.kill()
            self._process.wait()
        os.close(self._own)

    def _read(self) -> bool:
        """Whether there was or may be more."""
        ready, _, _ = select.select([self._own], [], [], 1.0)
        if not ready:
            return self._process.poll() is None
        try:
            told = os.read(self._own, 65536)
        except OSError:
            return False  # the other end is closed
        self._raw += told
        return bool(told)
