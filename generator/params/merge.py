"""Params files to one tree per environment: layers merged, every value with its history.

Mappings merge key by key and scalars override. A plain `null` takes away what was inherited, so that the
default holds again. Lists never merge silently: over an inherited list a file says `replace` or `append`.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Iterator

from generator.errors import Problem
from generator.params import project
from generator.params.extends import layers
from generator.params.nodes import NULLS, Mapping, Node, Scalar, Sequence
from generator.params.source import Reader, Source
from generator.params.texts import shown
from generator.params.tree import Branch, Gone, Items, KeyPath, Leaf, Setting, Tree, Value, dotted

FORMS = ("replace", "append")
"""The two things a list can do to an inherited one."""


@dataclass(frozen=True)
class Loaded:
    """What came of one params file: a tree, or what is wrong with the files it is made from."""

    name: str
    file: str
    tree: Tree | None
    problems: tuple[Problem, ...]


def load_all(root: Path) -> list[Loaded]:
    """Return every environment of a project, by name, each with its tree or with its problems.

    A params file that is no environment (a base that nothing extends, a wrong name) is among them if it has
    problems. Environments that share a base carry the same problems.
    Raises ProjectError where `params/` can't be listed.
    """
    reader = Reader(root)
    known = project.environments(root, reader)
    names = {environment.file: environment.name for environment in known.found}
    every = []
    for file in sorted({*names, *known.misnamed, *known.abstract}):
        misnamed = tuple(problem for problem in known.problems if problem.file == shown(file))
        loaded = _load(reader, names.get(file, Path(file).stem), file, misnamed)
        if file in names or loaded.problems:
            every.append(loaded)
    return sorted(every, key=lambda loaded: (loaded.name, loaded.file))


def _load(reader: Reader, name: str, file: str, known: tuple[Problem, ...]) -> Loaded:
    problems = list(known)
    sources = layers(reader, reader.root / file, problems)
    root = merge(sources, problems)
    tree = None if problems else Tree(name, file, tuple(one.file for one in sources), root)
    return Loaded(name, file, tree, tuple(sorted(set(problems))))


def merge(sources: list[Source], problems: list[Problem]) -> Branch:
    """Merge files, the deepest base first, and append to `problems` what doesn't fit together."""
    root = Branch({}, ())
    for layer in sources:
        here = Setting(layer.file, 0, "")
        root = _merge_mapping(root, layer.body, here, (), problems)
    return root


def _merge(
    old: Value | Gone | None, new: Node, here: Setting, path: KeyPath, problems: list[Problem]
) -> Value | Gone:
    """Lay a node over what was inherited at the same place (None: nothing ever was)."""
    if isinstance(new, Scalar):
        if new.null and old is not None and not (isinstance(old, Leaf) and old.null):
            return _remove(old, here)
        if isinstance(old, (Items, Branch)):
            problems.append(_conflict(old, new, here, path))
            return old
        return Leaf(new.value, new.plain, _chain(old, here))
    form, items = _form(new)
    if items is None:
        if isinstance(old, Items) or _is_text(old):
            problems.append(_conflict(old, new, here, path))
            return old
        return _merge_mapping(old, new, here, path, problems)
    if isinstance(old, Branch) or _is_text(old):
        problems.append(_conflict(old, new, here, path))
        return old
    before = old.items if isinstance(old, Items) and form != "replace" else ()
    if isinstance(old, Items) and not form:
        problems.append(_silent(old, here, path))
    made = [_merge(None, item, Setting(here.file, item.line, _text(item)), path, problems) for item in items]
    return Items((*before, *made), _chain(old, here))


def _merge_mapping(
    old: Value | Gone | None, new: Mapping, here: Setting, path: KeyPath, problems: list[Problem]
) -> Branch:
    merged: dict[str, Value | Gone] = {}
    if isinstance(old, Branch):
        merged = dict(old.items)
    elif isinstance(old, Gone):
        merged = dict(old.under)
    for key, (line, node) in new.items.items():
        place = Setting(here.file, line, _text(node))
        merged[key] = _merge(merged.get(key), node, place, (*path, key), problems)
    return Branch(merged, _chain(old, here))


def _form(node: Mapping | Sequence) -> tuple[str, tuple[Node, ...] | None]:
    """Return ("replace" or "append" or "", the items); None for the items where the node is no list."""
    if isinstance(node, Sequence):
        return "", node.items
    if len(node.items) == 1:
        ((word, (_, value)),) = node.items.items()
        if word in FORMS and isinstance(value, Sequence):
            return word, value.items
    return "", None


def _is_text(old: Value | Gone | None) -> bool:
    return isinstance(old, Leaf) and not old.null


def _remove(old: Value | Gone, here: Setting) -> Gone:
    chain = (*old.chain, here)
    if isinstance(old, Branch):
        return Gone({key: _remove(value, here) for key, value in old.items.items()}, chain)
    if isinstance(old, Gone):
        return Gone({key: _remove(value, here) for key, value in old.under.items()}, chain)
    return Gone({}, chain)


def _chain(old: Value | Gone | None, here: Setting) -> tuple[Setting, ...]:
    return (*(old.chain if old is not None else ()), here)


def _silent(old: Items, here: Setting, path: KeyPath) -> Problem:
    key = path[-1]
    message = f"a list stands over the one in {old.chain[-1].origin}; lists don't merge silently"
    fix = f"write `{key}: {{replace: [...]}}` to have only these, or `{key}: {{append: [...]}}` to add them"
    return Problem(here.file, here.line, dotted(path), message, fix)


def _conflict(old: Value, new: Node, here: Setting, path: KeyPath) -> Problem:
    kinds = {Leaf: "a text", Items: "a list", Branch: "a mapping", Scalar: "a text", Sequence: "a list"}
    written = kinds.get(type(new), "a mapping")
    if isinstance(new, Mapping) and _form(new)[1] is not None:
        written = "a list"
    message = f"{old.chain[-1].origin} has {kinds[type(old)]} here, this file writes {written}"
    fix = f"write {kinds[type(old)]} too, or take the inherited one away with `{path[-1]}: null`"
    if isinstance(old, Items):
        fix = f"write `{path[-1]}: {{replace: [...]}}`, `{path[-1]}: {{append: [...]}}` or `{path[-1]}: null`"
    return Problem(here.file, here.line, dotted(path), message, fix)


_ROOM = 100
"""Longest text of a list or a mapping in a Setting, in characters."""


def _text(node: Node) -> str:
    """Return a node as somebody would write it on one line; a long list or mapping is cut."""
    if isinstance(node, Scalar):
        if node.null:
            return "null"
        clear = node.value and "\n" not in node.value and (node.plain or node.value not in NULLS)
        return node.value if clear else json.dumps(node.value, ensure_ascii=False)
    pieces, length = [], 0
    for piece in _pieces(node):
        pieces.append(piece)
        length += len(piece)
        if length > _ROOM:
            break
    return shown("".join(pieces), _ROOM)


def _pieces(node: Node) -> Iterator[str]:
    if isinstance(node, Scalar):
        yield _text(node) if node.plain else json.dumps(node.value, ensure_ascii=False)
    elif isinstance(node, Sequence):
        yield "["
        for index, item in enumerate(node.items):
            yield ", " if index else ""
            yield from _pieces(item)
        yield "]"
    else:
        yield "{"
        for index, (key, (_, value)) in enumerate(node.items.items()):
            yield f"{', ' if index else ''}{key}: "
            yield from _pieces(value)
        yield "}"
