"""Params files to one tree per environment: `extends` followed, layers merged, every value with its history.

Mappings merge key by key and scalars override. A plain `null` takes away what was inherited, so that the
default holds again. Lists never merge silently: over an inherited list a file says `replace` or `append`.
"""

from __future__ import annotations

import difflib
import json
import os
from dataclasses import dataclass
from pathlib import Path
from typing import Iterator, Union

from generator.errors import ParamsError, Problem, ProjectError
from generator.params import project, source
from generator.params.source import NULLS, Mapping, Reader, Scalar, Sequence, Source

FORMS = ("replace", "append")
"""The two things a list can do to an inherited one."""

KeyPath = tuple[Union[str, int], ...]
"""Where a value is: keys, and numbers for list items, from the top."""


@dataclass(frozen=True)
class Origin:
    """A line that somebody wrote; line 0 is the file as a whole."""

    file: str
    line: int

    def __str__(self) -> str:
        return f"{self.file}:{self.line}" if self.line else self.file


@dataclass(frozen=True)
class Setting:
    """One file's word on a value."""

    file: str
    line: int
    text: str
    """What it wrote, on one line; a long list or mapping is cut. `null` where it took the value away."""

    @property
    def origin(self) -> Origin:
        return Origin(self.file, self.line)


@dataclass(frozen=True)
class Leaf:
    """A scalar: the text as written and whether it stood without quotes."""

    text: str
    plain: bool
    chain: tuple[Setting, ...]
    """Who set it, oldest first; the last one holds."""

    @property
    def null(self) -> bool:
        """Whether this is a plain null that took nothing away, since nothing was inherited."""
        return self.plain and self.text in NULLS


@dataclass(frozen=True)
class Items:
    """A list; every item has a chain of its own."""

    items: tuple[Value, ...]
    chain: tuple[Setting, ...]


@dataclass(frozen=True)
class Branch:
    """A mapping; `items` also remembers the keys that a null took away (as Gone)."""

    items: dict[str, Value | Gone]
    chain: tuple[Setting, ...]


@dataclass(frozen=True)
class Gone:
    """What a plain null took away; kept for its chain only."""

    under: dict[str, Gone]
    chain: tuple[Setting, ...]


Value = Union[Leaf, Items, Branch]


class RawScalar(str):
    """A scalar's text that still knows whether it stood without quotes."""

    plain: bool

    def __new__(cls, text: str, plain: bool):
        scalar = super().__new__(cls, text)
        scalar.plain = plain
        return scalar

    @property
    def null(self) -> bool:
        """Whether this is an unquoted `null`, `~` or nothing at all."""
        return self.plain and self in NULLS


@dataclass(frozen=True)
class Tree:
    """Everything that the files of one environment say."""

    name: str
    file: str
    """The environment's own file, relative to the project folder."""
    files: tuple[str, ...]
    """All files it was made from, the deepest base first and its own last."""
    root: Branch

    def get(self, key: str | KeyPath) -> Value | None:
        """Return the value at a dotted key (`network.subnets.0`) or path; None where nothing is set.

        Keys may hold dots themselves: the longest key that fits is taken.
        """
        if isinstance(key, str):
            found = _dotted(self.root, key.split(".")) if key else self.root
        else:
            found = self._at(key)
        return None if isinstance(found, Gone) else found

    def leaves(self) -> Iterator[tuple[KeyPath, Value]]:
        """Yield (path, value) of every scalar and of every empty list or mapping, as the files order them."""
        return _leaves((), self.root)

    def plain(self) -> dict:
        """Return new dicts and lists with a RawScalar for each scalar; what a null took away isn't in it.

        A null over which nothing was inherited is in it, so that a wrong key above it is still found.
        """
        return _plain(self.root)

    def where(self, path: KeyPath) -> Origin:
        """Return the line that set a value last; for a value that isn't there, of the nearest above it."""
        for length in range(len(path), 0, -1):
            node = self._at(path[:length])
            if node is not None:
                return node.chain[-1].origin
        return Origin(self.file, 0)

    def chain(self, path: KeyPath) -> tuple[Setting, ...]:
        """Return who set a value, oldest first; empty where nobody did.

        Where the last setting is a null that took a value away, the value isn't in the tree.
        """
        node = self._at(path)
        return node.chain if node is not None else ()

    def _at(self, path: KeyPath) -> Value | Gone | None:
        node: Value | Gone | None = self.root
        for step in path:
            node = _child(node, step)
            if node is None:
                return None
        return node


@dataclass(frozen=True)
class Loaded:
    """What came of one params file: a tree, or what is wrong with the files it is made from."""

    name: str
    file: str
    tree: Tree | None
    problems: tuple[Problem, ...]


def load(root: Path, name: str) -> Tree:
    """Return the tree of one environment.

    Raises ProjectError where there is no such environment, ParamsError with every problem of its files.
    """
    reader = Reader(root)
    file = f"params/{name}.yaml"
    # A proper name can't lead to another folder; everything else is looked up in the folder's listing.
    proper = project.NAME.fullmatch(name) and os.path.lexists(root / file)
    found = reader.read(root / file) if proper else None
    naming: tuple[Problem, ...] = ()
    if found is None or (found.abstract and not found.problems):
        known = project.environments(root, reader)
        misnamed = [one for one in known.misnamed if Path(one).stem == name]
        if not misnamed:
            raise ProjectError(_no_environment(name, known))
        file = misnamed[0]
        naming = tuple(problem for problem in known.problems if problem.file == source.shown(file))
    loaded = _load(reader, name, file, naming)
    if loaded.tree is None:
        raise ParamsError(list(loaded.problems))
    return loaded.tree


def load_all(root: Path) -> list[Loaded]:
    """Return every environment of a project, by name, each with its tree or with its problems.

    A params file that is no environment (a base that nothing extends, a wrong name) is among them if it has
    problems. Environments that share a base carry the same problems: `problems_of` has each of them once.
    Raises ProjectError where `params/` can't be listed.
    """
    reader = Reader(root)
    known = project.environments(root, reader)
    names = {environment.file: environment.name for environment in known.found}
    every = []
    for file in sorted({*names, *known.misnamed, *known.abstract}):
        misnamed = tuple(problem for problem in known.problems if problem.file == source.shown(file))
        loaded = _load(reader, names.get(file, Path(file).stem), file, misnamed)
        if file in names or loaded.problems:
            every.append(loaded)
    return sorted(every, key=lambda loaded: (loaded.name, loaded.file))


def problems_of(loaded: list[Loaded]) -> list[Problem]:
    """Return the problems of all environments, sorted, one of a shared base once."""
    return sorted({problem for one in loaded for problem in one.problems})


# --- from a file to its bases ---------------------------------------------------------------------


def _load(reader: Reader, name: str, file: str, known: tuple[Problem, ...] = ()) -> Loaded:
    problems = list(known)
    sources = _sources(reader, reader.root / file, problems)
    if not sources:
        return Loaded(name, file, None, tuple(sorted(set(problems))))
    root = merge(sources, problems)
    if problems:
        return Loaded(name, file, None, tuple(sorted(set(problems))))
    return Loaded(name, file, Tree(name, file, tuple(one.file for one in sources), root), ())


def _sources(reader: Reader, path: Path, problems: list[Problem]) -> list[Source]:
    """Return a file and what it extends, deepest base first; nothing where they go in a circle."""
    chain: list[Source] = []
    seen: list[str] = []
    while True:
        real = os.path.realpath(path)
        if real in seen:
            problems.append(_circle(chain[seen.index(real) :]))
            return []
        found = reader.read(path)
        problems.extend(found.problems)
        chain.append(found)
        seen.append(real)
        if found.extends is None:
            return chain[::-1]
        base = _base(path, found, reader.root)
        if isinstance(base, Problem):
            problems.append(base)
            return chain[::-1]
        path = base


def _base(path: Path, found: Source, root: Path) -> Path | Problem:
    """Return the file that a source extends: beside it, or counted from the project folder."""
    wanted = found.extends.value
    name = source.shown(wanted, 200)
    root = Path(os.path.abspath(root))
    folder = Path(os.path.abspath(path)).parent

    def problem(message: str, fix: str) -> Problem:
        return Problem(found.file, found.extends.line, "extends", message, fix)

    if os.path.isabs(wanted) or wanted.startswith("~"):
        fix = "name a file in params/, as in `extends: base.yaml`"
        return problem(f"`{name}` isn't relative to the project", fix)
    candidates = [Path(os.path.normpath(start / wanted)) for start in (folder, root)]
    candidates = [candidate for candidate in candidates if candidate.is_relative_to(root)]
    if not candidates:
        return problem(f"`{name}` leads out of the project folder", "keep the base in params/")
    for candidate in candidates:
        if os.path.lexists(candidate) and wanted.endswith(".yaml"):
            return candidate
        if os.path.lexists(candidate):
            fix = "rename it to end in `.yaml`, or name another file"
            return problem(f"`{name}` is no `.yaml` file", fix)
    return problem(f"there is no file `{name}`", _nearest(wanted, path, folder, root))


def _nearest(wanted: str, path: Path, folder: Path, root: Path) -> str:
    """Return, as a fix, the params file whose name is nearest to a wrong one."""
    names = []
    for where, folders, files in os.walk(root / "params"):
        folders.sort()
        names += [
            source.shown(os.path.relpath(os.path.join(where, file), folder))
            for file in sorted(files)
            if file.endswith(".yaml") and not file.startswith(".") and os.path.join(where, file) != str(path)
        ]
    # The suffix they all share would make every name look near.
    stems = {name.removesuffix(".yaml"): name for name in names}
    near = [name for name in names if Path(name).name == Path(wanted).name]
    near += [stems[stem] for stem in difflib.get_close_matches(os.path.splitext(wanted)[0], stems, 1, 0.5)]
    if near:
        return f"write `extends: {near[0]}`"
    return f"create it, or name one of {', '.join(names[:8])}" if names else "create it, or remove the line"


def _circle(members: list[Source]) -> Problem:
    # The same circle is told in the same words, wherever it was entered.
    first = min(range(len(members)), key=lambda index: members[index].file)
    members = members[first:] + members[:first]
    names = [member.file for member in members]
    message = f"the files extend each other in a circle: {' -> '.join([*names, names[0]])}"
    if len(members) == 1:
        message = "the file extends itself"
    fix = "let it extend a file that extends none of them"
    return Problem(names[0], members[0].extends.line, "extends", message, fix)


def _no_environment(name: str, known: project.Environments) -> str:
    if f"params/{name}.yaml" in known.abstract:
        reason = f"params/{name}.yaml is abstract: it is only there to be extended"
    else:
        reason = f"there is no environment `{source.shown(name)}`"
    near = difflib.get_close_matches(Path(name).stem, known.names, 1, 0.5)
    if near:
        return f"{reason} (did you mean `{near[0]}`?)"
    if known.names:
        return f"{reason} (there are {', '.join(known.names)})"
    return f"{reason} (there is none yet: write params/dev.yaml)"


# --- layers ---------------------------------------------------------------------------------------


def merge(sources: list[Source], problems: list[Problem]) -> Branch:
    """Merge files, the deepest base first, and append to `problems` what doesn't fit together."""
    root = Branch({}, ())
    for layer in sources:
        here = Setting(layer.file, 0, "")
        root = _merge_mapping(root, layer.body, here, (), problems)
    return root


def _merge(
    old: Value | Gone | None, new: source.Node, here: Setting, path: KeyPath, problems: list[Problem]
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


def _form(node: Mapping | Sequence) -> tuple[str, tuple[source.Node, ...] | None]:
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
    return Problem(here.file, here.line, _key(path), message, fix)


def _conflict(old: Value, new: source.Node, here: Setting, path: KeyPath) -> Problem:
    kinds = {Leaf: "a text", Items: "a list", Branch: "a mapping", Scalar: "a text", Sequence: "a list"}
    written = kinds.get(type(new), "a mapping")
    if isinstance(new, Mapping) and _form(new)[1] is not None:
        written = "a list"
    message = f"{old.chain[-1].origin} has {kinds[type(old)]} here, this file writes {written}"
    fix = f"write {kinds[type(old)]} too, or take the inherited one away with `{path[-1]}: null`"
    if isinstance(old, Items):
        fix = f"write `{path[-1]}: {{replace: [...]}}`, `{path[-1]}: {{append: [...]}}` or `{path[-1]}: null`"
    return Problem(here.file, here.line, _key(path), message, fix)


# --- reading a tree -------------------------------------------------------------------------------


def _child(node: Value | Gone | None, step: str | int) -> Value | Gone | None:
    if isinstance(node, Branch):
        return node.items.get(step)
    if isinstance(node, Gone):
        return node.under.get(step)
    if isinstance(node, Items) and isinstance(step, int) and 0 <= step < len(node.items):
        return node.items[step]
    return None


def _dotted(node: Value | Gone | None, parts: list[str]) -> Value | Gone | None:
    if not parts or node is None:
        return node
    if isinstance(node, Items):
        number = int(parts[0]) if parts[0].isascii() and parts[0].isdecimal() else None
        return _dotted(_child(node, number), parts[1:])
    for length in range(len(parts), 0, -1):
        found = _child(node, ".".join(parts[:length]))
        if found is not None:
            below = _dotted(found, parts[length:])
            if below is not None:
                return below
    return None


def _leaves(path: KeyPath, node: Value) -> Iterator[tuple[KeyPath, Value]]:
    below: list[tuple[str | int, Value]] = []
    if isinstance(node, Branch):
        below = [(key, value) for key, value in node.items.items() if not isinstance(value, Gone)]
    elif isinstance(node, Items):
        below = list(enumerate(node.items))
    if not below and path:
        yield path, node
    for step, value in below:
        yield from _leaves((*path, step), value)


def _plain(node: Value) -> dict | list | RawScalar:
    if isinstance(node, Leaf):
        return RawScalar(node.text, node.plain)
    if isinstance(node, Items):
        return [_plain(item) for item in node.items]
    return {key: _plain(value) for key, value in node.items.items() if not isinstance(value, Gone)}


def _key(path: KeyPath) -> str:
    return ".".join(str(step) for step in path)


_ROOM = 100
"""Longest text of a list or a mapping in a Setting, in characters."""


def _text(node: source.Node) -> str:
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
    return source.shown("".join(pieces), _ROOM)


def _pieces(node: source.Node) -> Iterator[str]:
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
