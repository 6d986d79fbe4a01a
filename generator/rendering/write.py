"""The folder `rendered/`: compare it with what was rendered in memory, and write what differs, all or nothing."""

from __future__ import annotations

import contextlib
import difflib
import os
import re
import shutil
import signal
import tempfile
import threading
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from generator.errors import ProjectError

try:
    import fcntl
except ImportError:  # Windows: nothing is swept there
    fcntl = None

FOLDER = "rendered"

_STAGE = re.compile(r"\.[a-z][a-z0-9-]{0,30}-[a-z0-9_]{8}")
"""Name of a folder that files are staged in: a dot, the environment, and what tempfile.mkdtemp adds."""


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
    names = []
    _refuse_link(folder.parent)
    _refuse_link(folder)
    for parent, folders, files in os.walk(folder, onerror=_unreadable):
        for name in folders:
            _refuse_link(Path(parent) / name)
        names += [(Path(parent) / name).relative_to(folder).as_posix() for name in files]
    return names


def _refuse_link(folder: Path) -> None:
    if folder.is_symlink():
        raise ProjectError(f"{folder} is a link: delete it, rendering writes into the project folder only")


def _unreadable(error: OSError) -> None:
    if not isinstance(error, (FileNotFoundError, NotADirectoryError)):
        raise ProjectError(f"{error.filename} can't be read: {error.strerror}") from error


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
    renames at the end are not interrupted by Ctrl-C, and taken back if one of them fails. Raises ProjectError where
    the disk doesn't let it.
    """
    base = root / FOLDER
    folder = base / environment
    with contextlib.ExitStack() as held:
        try:
            base.mkdir(exist_ok=True)
            with contextlib.suppress(OSError):  # a file system without locks; then nobody sweeps on it either
                held.enter_context(_claimed(base))
            stage = Path(tempfile.mkdtemp(prefix=f".{environment}-", dir=base))
        except OSError as error:
            raise ProjectError(f"{base} can't be written: {error.strerror}") from error
        try:
            prefix = f"{FOLDER}/{environment}/"
            kinds = {one.path.removeprefix(prefix): one.kind for one in differences}
            for name, kind in kinds.items():
                if kind != "extra":
                    _put(stage / "new" / name, files[name])
                if kind != "missing":  # kept until the end, to take everything back with
                    _put(stage / "old" / name, None)
                    shutil.copy2(folder / name, stage / "old" / name, follow_symlinks=False)
            with uninterrupted():
                _swap(folder, stage, kinds)
                shutil.rmtree(stage, ignore_errors=True)
        except OSError as error:
            raise ProjectError(f"{folder} can't be written: {error.strerror or error}") from error
        finally:
            shutil.rmtree(stage, ignore_errors=True)


def sweep(root: Path) -> None:
    """Removes the folders that renders which were killed while they staged files left in `rendered/`.

    Where some process stages files now, nothing is removed: what lies there may be its own.
    """
    base = root / FOLDER
    with contextlib.suppress(OSError), _claimed(base, alone=True):
        for folder in base.iterdir():
            if (_STAGE.fullmatch(folder.name) and folder.is_dir() and not folder.is_symlink()
                    and {"new", "old"}.issuperset(os.listdir(folder))):
                shutil.rmtree(folder, ignore_errors=True)


@contextlib.contextmanager
def _claimed(base: Path, alone: bool = False) -> Iterator[None]:
    """Shows other processes that files are staged in `base`; with `alone`, raises OSError where another one's are.

    It is a lock on the folder, so it ends with the process that holds it, however that ends.
    """
    if fcntl is None:
        raise OSError("no locks")
    handle = os.open(base, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW)
    try:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB if alone else fcntl.LOCK_SH)
        yield
    finally:
        os.close(handle)


def _put(file: Path, content: bytes | None) -> None:
    """Writes `content`; None makes the folder only."""
    file.parent.mkdir(parents=True, exist_ok=True)
    if content is not None:
        file.write_bytes(content)


def _swap(folder: Path, stage: Path, kinds: Mapping[str, str]) -> None:
    """Takes away what is too much, puts in place what was staged, and undoes both if the disk refuses a step."""
    done = []
    try:
        # First, since a file may stand where a folder has to be, or the other way round.
        for name in (name for name, kind in kinds.items() if kind == "extra"):
            done.append(name)
            (folder / name).unlink()
        _remove_empty(folder)
        for name in (name for name, kind in kinds.items() if kind != "extra"):
            done.append(name)
            _put(folder / name, None)
            os.replace(stage / "new" / name, folder / name)
    except OSError:
        for name in reversed(done):
            with contextlib.suppress(OSError):
                if kinds[name] == "missing":
                    (folder / name).unlink()
                else:
                    _put(folder / name, None)
                    os.replace(stage / "old" / name, folder / name)
        with contextlib.suppress(OSError):
            _remove_empty(folder)
        raise


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
