"""A params file and the files it `extends`, found and read: the layers that an environment is merged from."""

from __future__ import annotations

import difflib
import os
from pathlib import Path

from generator.errors import Problem
from generator.params.source import Reader, Source
from generator.params.texts import shown


def layers(reader: Reader, path: Path, problems: list[Problem]) -> list[Source]:
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
    name = shown(wanted, 200)
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
            shown(os.path.relpath(os.path.join(where, file), folder))
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
