"""What the last complete render was made from: when nothing of it changed, there is nothing to do.

Rendering is pure, so the same params, templates, program and libraries give the same files. Comparing contents, not
times, costs a few milliseconds; a fresh clone or a hand-edited file is noticed like any other change.
"""

from __future__ import annotations

import hashlib
import importlib.util
import json
import os
from collections.abc import Iterable
from pathlib import Path

from generator.folder import make_cache

FORMAT = 1


def _add(digest, root: Path, file: str) -> None:
    digest.update(file.encode("utf-8", "surrogateescape") + b"\0")
    try:
        content = (root / file).read_bytes()
    except OSError:
        content = b"(unreadable)"
    digest.update(len(content).to_bytes(8, "big"))
    digest.update(content)


def _files(root: Path, folder: str) -> list[str]:
    found = []
    for parent, folders, files in os.walk(root / folder):
        folders[:] = sorted(name for name in folders if name != "__pycache__")
        found += [(Path(parent) / name).relative_to(root).as_posix() for name in files]
    return sorted(found)


def _libraries() -> list[str]:
    """Names and versions of the installed libraries, read off the folders beside them: importlib.metadata alone
    would take longer than everything else here."""
    spec = importlib.util.find_spec("cfnlint")
    folder = Path(spec.submodule_search_locations[0]).parent if spec else Path(__file__).parent
    return sorted(name for name in os.listdir(folder) if name.endswith(".dist-info"))


def inputs(root: Path, extra: Iterable[str] = ()) -> str:
    """A digest of the program and of what the project gives it; `extra` are further input files or folders."""
    made = hashlib.sha256(json.dumps([FORMAT, _libraries()]).encode())
    program = Path(__file__).parent
    for file in _files(program.parent, program.name):
        _add(made, program.parent, file)
    for folder in ("params", "templates"):
        for file in _files(root, folder):
            _add(made, root, file)
    for name in sorted(extra):
        for file in [name] if (root / name).is_file() else _files(root, name):
            _add(made, root, file)
    return made.hexdigest()


def digest(root: Path, extra: Iterable[str] = ()) -> str:
    """A digest of the inputs and of `rendered/`."""
    made = hashlib.sha256(inputs(root, extra).encode())
    for file in _files(root, "rendered"):
        _add(made, root, file)
    return made.hexdigest()


def load(root: Path) -> list[dict] | None:
    """Rows of the last complete render's summary, if everything is as it left it; else None."""
    try:
        stored = json.loads((root / ".cache" / "render.json").read_text("utf-8"))
        if stored["digest"] == digest(root, stored["extra"]):
            return stored["rows"]
    except (OSError, ValueError, KeyError, TypeError):
        pass
    return None


def store(root: Path, extra: list[str], rows: list[dict], before: str) -> None:
    """Remembers a complete render without errors; a folder that can't be written is no reason to fail.

    `before` is what `inputs` gave when the render began: if somebody saved a file meanwhile, nobody knows whether it
    was rendered, and nothing is remembered.
    """
    if inputs(root) != before:
        return
    file = root / ".cache" / "render.json"
    try:
        make_cache(file.parent)
        staged = file.with_name(f".render-{os.getpid()}.json")
        staged.write_text(json.dumps({"digest": digest(root, extra), "extra": extra, "rows": rows}), "utf-8")
        os.replace(staged, file)
    except OSError:
        pass
