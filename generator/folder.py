"""Where a project is, and its caches. Imports next to nothing, since a run that finds nothing to do starts here."""

from __future__ import annotations

import os
from pathlib import Path

from generator.errors import ProjectError

_FOLDERS = ("params", "templates")


def find(start: Path) -> Path:
    """Return the nearest folder, from `start` upwards, that has both `params/` and `templates/`.

    Raises ProjectError, saying what was looked for and how far, where there is none.
    """
    folder = Path(os.path.abspath(start))
    halves = []
    for candidate in (folder, *folder.parents):
        missing = _missing(candidate)
        if not missing:
            return candidate
        if len(missing) < len(_FOLDERS):
            halves.append(f"{candidate} has no {missing[0]}/ beside its {_other(missing[0])}/")
    near = f"; {halves[0]}" if halves else ""
    raise ProjectError(
        f"no project in {folder} or above it: a project folder has params/ and templates/{near} "
        "(change into a project, or name one with --project)"
    )


def given(folder: Path) -> Path:
    """Return the folder that somebody named as the project, as an absolute path.

    Raises ProjectError where it isn't a project folder.
    """
    folder = Path(os.path.abspath(folder))
    missing = _missing(folder)
    if not os.path.isdir(folder):
        raise ProjectError(
            f"the project folder {folder} doesn't exist (name one that has params/ and templates/)"
        )
    if missing:
        raise ProjectError(
            f"{folder} is no project folder: it has no {'/ and no '.join(missing)}/ "
            "(name the folder that has both params/ and templates/)"
        )
    return folder


def make_cache(folder: Path) -> None:
    """Make a folder that git leaves alone. Raises OSError where that can't be."""
    folder.mkdir(parents=True, exist_ok=True)
    ignore = folder / ".gitignore"
    if not ignore.exists():
        ignore.write_text("*\n", "utf-8")


def _missing(folder: Path) -> list[str]:
    # os.path.isdir, unlike Path.is_dir, answers no where a folder may not be entered.
    return [name for name in _FOLDERS if not os.path.isdir(folder / name)]


def _other(name: str) -> str:
    return _FOLDERS[1 - _FOLDERS.index(name)]
