"""What stands in a project and is made from the program alone: the schema editors use, the reference of
params, the rules' pages."""

from __future__ import annotations

from pathlib import Path

from generator.linting import pages as rules
from generator.params import pages as params


def made() -> dict[str, str]:
    """Path below the project folder -> text of each of them."""
    return {**params.made(), **rules.made()}


def stale(root: Path, missing: bool = False) -> list[str]:
    """Paths of those in the project at `root` that aren't what the program gives; with `missing`, also of
    those that aren't there.

    The rules' pages go with docs/rules/: a project that has the folder has all of them, and none of a rule
    that is gone; one that hasn't needs none, since `lint --explain` prints them. Raises OSError for a file
    that can't be read.
    """
    folder = root / rules.FOLDER
    found = [name for name, text in params.made().items() if _is_stale(root / name, text, missing)]
    if folder.is_dir():
        pages = rules.made()
        found += [name for name, text in pages.items() if _is_stale(root / name, text, True)]
        here = sorted(folder.glob("*.md"))
        found += [name for file in here if (name := f"{rules.FOLDER}/{file.name}") not in pages]
    return found


def _is_stale(file: Path, text: str, missing: bool) -> bool:
    return file.read_bytes() != text.encode("utf-8") if file.is_file() else missing
