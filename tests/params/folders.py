"""Params files of a test's own, and the trees of their environments."""

from __future__ import annotations

from pathlib import Path

from generator.errors import ParamsError
from generator.params import merge
from generator.params.tree import Tree


def write(root: Path, **files: str) -> None:
    """Write params files, by stem."""
    for stem, text in files.items():
        (root / f"params/{stem}.yaml").write_text(text)


def load(root: Path, name: str) -> Tree:
    """Return the tree of one environment; raise ParamsError with its problems where it has none."""
    (loaded,) = [one for one in merge.load_all(root) if one.name == name]
    if loaded.tree is None:
        raise ParamsError(list(loaded.problems))
    return loaded.tree
