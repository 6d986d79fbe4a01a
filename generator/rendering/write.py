"""The folder `rendered/`: compare it with what was rendered in memory, and write what differs, all or nothing."""

from __future__ import annotations

import contextlib
import difflib
import os
import shutil
import signal
import tempfile
import threading
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from generator.errors import ProjectError

FOLDER = "rendered"


@dataclass(frozen=True)
class Difference:
    """A file of `rendered/<env>/` that isn't what rendering gives."""

    path: str
    """Relative to the project folder, with slashes."""
    kind: str
    """`missing`, `stale` or `extra` (rendering makes no such file)."""
    diff: str
    """Unified diff from the file to what it should be; empty for binary content."""


def compare(root: Path, environment: str, files: Mapping[str, bytes]) -> list[Difference]:
    """What differs between `rendered/<environment>/` and `files`, sorted by path.

    Raises ProjectError where something there can't be read, or is a link out of the folder.
    """
    folder = root / FOLDER / environment
    present = _present(folder)
    found = []
    for name in sorted(set(files) | set(present)):
        path = f"{FOLDER}/{environment}/{name}"
        if name not in files:
            found.append(Difference(path, "extra", ""))
        elif name not in present:
            found.append(Difference(path, "missing", _diff(path, b"", files[name])))
        elif (content := _content(folder / name)) != files[name]:
            found.append(Difference(path, "stale", _diff(path, content, files[name])))
    return found


def _present(folder: Path) -> list[str]:
    if folder.is_symlink():
        raise ProjectError(f"{folder} is a link: rendering writes into the project folder only")
    names = []
    for parent, folders, files in os.walk(folder):
        for name in [*files, *(one for one in folders if (Path(parent) / one).is_symlink())]:
            names.append((Path(parent) / name).relative_to(folder).as_posix())
    return names


def _content(file: Path) -> bytes:
    if file.is_symlink():
        raise ProjectError(f"{file} is a link: delete it, rendering writes a file there")
    try:
        return file.read_bytes()
    except OSError as error:
        raise ProjectError(f"{file} can't be read: {error.strerror}") from error


def _diff(path: str, old: bytes, new: bytes) -> str:
    try:
        before, after = old.decode("utf-8"), new.decode("utf-8")
    except UnicodeDecodeError:
        return ""
    lines = difflib.unified_diff(before.splitlines(keepends=True), after.splitlines(keepends=True),
                                 path, f"{path} (as rendered)", n=2)
    return "".join(line if line.endswith("\n") else line + "\n\\ No newline at end of file\n" for line in lines)


def write(root: Path, environment: str, files: Mapping[str, bytes], differences: list[Difference]) -> None:
    """Makes `rendered/<environment>/` hold exactly `files`; `differences` are those that `compare` found.

    Everything is staged beside the folder first, so a full disk or an interruption leaves the old files whole; the
    renames at the end are not interrupted by Ctrl-C. Raises ProjectError where the disk doesn't let it.
    """
    base = root / FOLDER
    folder = base / environment
    try:
        base.mkdir(exist_ok=True)
        stage = Path(tempfile.mkdtemp(prefix=f".{environment}-", dir=base))
    except OSError as error:
        raise ProjectError(f"{base} can't be written: {error.strerror}") from error
    try:
        prefix = f"{FOLDER}/{environment}/"
        wanted = [one.path.removeprefix(prefix) for one in differences if one.kind != "extra"]
        for name in wanted:
            staged = stage / name
            staged.parent.mkdir(parents=True, exist_ok=True)
            staged.write_bytes(files[name])
        with uninterrupted():
            for name in wanted:
                target = folder / name
                target.parent.mkdir(parents=True, exist_ok=True)
                os.replace(stage / name, target)
            for one in differences:
                if one.kind == "extra":
                    (root / one.path).unlink()
            _remove_empty(folder)
    except OSError as error:
        raise ProjectError(f"{folder} can't be written: {error.strerror}") from error
    finally:
        shutil.rmtree(stage, ignore_errors=True)


def _remove_empty(folder: Path) -> None:
    for parent, _, _ in os.walk(folder, topdown=False):
        if Path(parent) != folder and not os.listdir(parent):
            os.rmdir(parent)


@contextlib.contextmanager
def uninterrupted() -> Iterator[None]:
    """Holds Ctrl-C and SIGTERM back until the block is done, then lets them act."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    arrived: list[int] = []
    old = {number: signal.signal(number, lambda number, frame: arrived.append(number))
           for number in (signal.SIGINT, signal.SIGTERM)}
    try:
        yield
    finally:
        for number, handler in old.items():
            signal.signal(number, handler)
        if arrived:
            signal.raise_signal(arrived[0])


def orphans(root: Path, names: list[str]) -> list[str]:
    """Folders of `rendered/` whose environment has no params file (any more)."""
    folder = root / FOLDER
    if not folder.is_dir():
        return []
    return sorted(f"{FOLDER}/{one.name}" for one in folder.iterdir()
                  if one.is_dir() and not one.name.startswith(".") and one.name not in names)
