"""The text of a params file, guarded against what may lie in its place: links out, FIFOs, 10 MB, other encodings."""

from __future__ import annotations

import os
import stat
from pathlib import Path

from generator.params.texts import shown
from generator.params.trouble import Unreadable

MAX_BYTES = 1024 * 1024
"""Largest params file that is read, in bytes."""
MAX_NAME = 4096
"""Longest path that a message shows, in characters."""


def read_text(path: Path, root: Path) -> str:
    """Return the text of a file of the project at `root`; raise Unreadable for what is none."""
    return _decode(_content(path, root))


def relative(path: Path, root: Path) -> str:
    """Return the path as problems name it: from the project folder, forward slashes, links not followed."""
    return shown(Path(os.path.relpath(os.path.abspath(path), os.path.abspath(root))).as_posix(), MAX_NAME)


def inside(path: Path, root: Path) -> bool:
    """Tell whether the path, with every link followed, is in the project folder."""
    real_root = os.path.realpath(root)
    return os.path.commonpath([real_root, os.path.realpath(path)]) == real_root


def _content(path: Path, root: Path) -> bytes:
    if not inside(path, root):
        target = shown(os.path.realpath(path), MAX_NAME)
        message = f"the file leads out of the project folder, to {target}"
        raise Unreadable(0, message, "keep a copy in the project")
    try:
        mode = os.stat(path).st_mode
        if not stat.S_ISREG(mode):
            kind = _KINDS.get(stat.S_IFMT(mode), "a device")
            fix = "move it away, or put a params file in its place"
            raise Unreadable(0, f"this is {kind}, not a file", fix)
        # Not blocking: what was a file a moment ago may be a FIFO now.
        descriptor = os.open(path, os.O_RDONLY | getattr(os, "O_NONBLOCK", 0))
        with open(descriptor, "rb") as stream:
            content = stream.read(MAX_BYTES + 1)
    except FileNotFoundError:
        if os.path.islink(path):
            target = shown(os.readlink(path), MAX_NAME)
            message = f"the link leads to {target}, which doesn't exist"
            raise Unreadable(0, message, "mend the link") from None
        raise Unreadable(0, "the file doesn't exist", "create it, or mend its name") from None
    except OSError as error:
        message = f"the file can't be read: {error.strerror}"
        raise Unreadable(0, message, "make it a file you may read") from None
    if len(content) > MAX_BYTES:
        fix = "params are a few kilobytes: look what got in here"
        raise Unreadable(0, "the file is larger than 1 MiB", fix)
    return content


_KINDS = {
    stat.S_IFDIR: "a folder",
    stat.S_IFIFO: "a FIFO",
    stat.S_IFSOCK: "a socket",
}

_UTF_8 = "save the file as UTF-8"


def _decode(content: bytes) -> str:
    if content.startswith((b"\xff\xfe", b"\xfe\xff", b"\x00\x00\xfe\xff")):
        raise Unreadable(0, "the file is UTF-16 or UTF-32, not UTF-8", _UTF_8)
    if b"\x00" in content:
        # Latin text in UTF-16 is NUL at every other byte.
        if content.count(b"\x00") * 3 > len(content):
            raise Unreadable(0, "the file looks like UTF-16 or UTF-32, not UTF-8", _UTF_8)
        line = content.count(b"\n", 0, content.index(b"\x00")) + 1
        raise Unreadable(line, "the file holds a NUL byte, so it is no text file", "remove the byte")
    try:
        return content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        # `error.object` and its positions are without a byte order mark; lines are the same.
        line = error.object.count(b"\n", 0, error.start) + 1
        byte = error.object[error.start]
        message = f"byte 0x{byte:02X} isn't UTF-8; the file may be Latin-1 or Windows-1252"
        raise Unreadable(line, message, _UTF_8) from None
