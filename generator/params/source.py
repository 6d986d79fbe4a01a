"""One params file as a tree in which every value knows its line and keeps its text.

YAML 1.1 reads the account `012345670123` as 1402433619, `26.10` as 26.1 and `on` as true. Here nothing
changes type: a scalar is the text that was written, and whether it stood without quotes. PyYAML does the
parsing.
"""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path

from generator.errors import Problem
from generator.params.composing import Composer
from generator.params.content import read_text, relative
from generator.params.nodes import Mapping, Scalar, Sequence
from generator.params.syntax import LOADER, events
from generator.params.texts import HIDDEN_IN_FILE, describe
from generator.params.trouble import Enough, Problems, Unreadable


@dataclass(frozen=True)
class Source:
    """What one params file says, and what is wrong with it.

    A file with problems still has a body: of what could be read, without the values the problems are about.
    """

    file: str
    """Path relative to the project folder, with forward slashes."""
    body: Mapping
    """The file without `extends` and `abstract`."""
    extends: Scalar | None = None
    """The name of the file this one builds on."""
    abstract: bool = False
    """Whether the file is only there to be extended."""
    problems: tuple[Problem, ...] = ()
    complete: bool = True
    """Whether it was read to its end; if not, the body holds what came before that stopped."""


class Reader:
    """Reads each file of one project once, however many environments build on it."""

    def __init__(self, root: Path):
        self.root = root
        self._sources: dict[str, Source] = {}

    def read(self, path: Path) -> Source:
        """Return what `read` returns for the path, from memory when it was asked before."""
        key = os.path.abspath(path)
        if key not in self._sources:
            self._sources[key] = read(path, self.root)
        return self._sources[key]


def read(path: Path, root: Path) -> Source:
    """Read one params file of the project at `root`.

    Raises nothing for what is wrong with the file (missing, a FIFO, 10 MB, Latin-1, not YAML, ...): that is
    in `problems` of what it returns.
    """
    file = relative(path, root)
    try:
        text = read_text(path, root)
    except Unreadable as error:
        problem = Problem(file, error.line, "", error.message, error.fix)
        return Source(file, Mapping({}, 1), problems=(problem,), complete=False)
    return parse(text, file)


def parse(text: str, file: str, loader: type = LOADER) -> Source:
    """Return the source that `text` is; `file` is the name its problems carry, `loader` a PyYAML loader."""
    problems = Problems(file)
    # One kind of line end, so that lines are counted as editors count them.
    text = text.replace("\r\n", "\n").replace("\r", "\n")
    composer = Composer(problems)
    extends, abstract, complete = None, False, True
    try:
        clean = _without_hidden(text, problems)
        try:
            composer.compose(events(clean, loader))
        except Unreadable as error:
            complete = False
            # A hidden character is most often why the file isn't YAML either.
            if clean == text:
                problems.add(error.line, "", error.message, error.fix)
        body = composer.body()
        abstract, extends = _abstract(body, problems), _extends(body, problems)
    except Enough:
        body, complete = composer.body(), False
    items = {key: item for key, item in body.items.items() if key not in ("extends", "abstract")}
    found = tuple(sorted(problems.found))
    return Source(file, Mapping(items, body.line), extends, abstract, found, complete)


def _without_hidden(text: str, problems: Problems) -> str:
    """Report hidden characters, in comments too; return the text without them, its lines as they were."""
    for match in HIDDEN_IN_FILE.finditer(text):
        line = text.count("\n", 0, match.start()) + 1
        problems.add(line, "", f"the line holds {describe(match[0])}", "remove the character")
    return HIDDEN_IN_FILE.sub("_", text)


def _extends(body: Mapping, problems: Problems) -> Scalar | None:
    line, node = body.items.get("extends", (0, None))
    if node is None:
        return None
    if isinstance(node, Scalar) and not node.null and node.value:
        return node
    message, fix = "this names no file", "write one file name (`extends: base.yaml`), or remove the line"
    if isinstance(node, Sequence):
        message = "a file builds on one other, not on a list"
        fix = "name one file; let that one extend the next (`extends: base.yaml`)"
    problems.add(line, "extends", message, fix)
    return None


def _abstract(body: Mapping, problems: Problems) -> bool:
    line, node = body.items.get("abstract", (0, None))
    if node is None:
        return False
    if isinstance(node, Scalar) and node.plain and node.value in ("true", "false"):
        return node.value == "true"
    fix = "write `abstract: true` in a file that is only there to be extended, else remove the line"
    problems.add(line, "abstract", "this is neither true nor false", fix)
    return True
