"""Which environments a project has."""

from __future__ import annotations

import os
import re
from dataclasses import dataclass
from pathlib import Path

from generator.errors import Problem, ProjectError
from generator.params.content import inside
from generator.params.source import Reader
from generator.params.texts import shown

NAME = re.compile(r"[a-z][a-z0-9-]{0,30}")
"""What an environment may be called: it becomes part of resource names and of a folder's name."""


@dataclass(frozen=True, order=True)
class Environment:
    """One environment: a params file that isn't abstract."""

    name: str
    file: str
    """`params/prod.yaml`"""


@dataclass(frozen=True)
class Environments:
    """The params files of a project."""

    found: tuple[Environment, ...]
    """Environments with a proper name, by name."""
    misnamed: tuple[str, ...]
    """Environments whose file has a name that no environment can have; `problems` says so for each."""
    abstract: tuple[str, ...]
    """Files that are only there to be extended."""
    problems: tuple[Problem, ...]
    """What is wrong with the names; what is wrong inside the files shows when they are loaded."""


def environments(root: Path, reader: Reader | None = None) -> Environments:
    """Return the environments of a project: every `params/*.yaml` without `abstract: true`.

    A file that can't be read counts as an environment, so that loading it says what is wrong with it. Names
    that start with a dot (an editor's lock files) are left alone.
    Raises ProjectError where the folder `params/` can't be listed or leads out of the project.
    """
    reader = reader or Reader(root)
    found, misnamed, abstract, problems = [], [], [], []
    names = _listed(root)
    for name in names:
        stem, suffix = os.path.splitext(name)
        file = f"params/{name}"
        if suffix.lower() not in (".yaml", ".yml"):
            continue
        if suffix != ".yaml":
            misnamed.append(file)
            problems.append(_suffix_problem(stem, suffix, names))
            continue
        source = reader.read(root / file)
        if source.abstract:
            abstract.append(file)
        elif NAME.fullmatch(stem):
            found.append(Environment(stem, file))
        else:
            misnamed.append(file)
            # Where reading stopped early, `abstract: true` may stand further down.
            if source.complete:
                problems.append(_name_problem(stem, names))
    return Environments(tuple(sorted(found)), tuple(misnamed), tuple(abstract), tuple(sorted(problems)))


def _suffix_problem(stem: str, suffix: str, taken: list[str]) -> Problem:
    right = _free(stem, taken) if f"{stem}.yaml" in taken else shown(stem)
    message = f"params files end in `.yaml`, not in `{suffix}`"
    return Problem(shown(f"params/{stem}{suffix}"), 0, "", message, f"rename it to params/{right}.yaml")


def _name_problem(stem: str, taken: list[str]) -> Problem:
    message = (
        f"`{shown(stem)}` can't be the name of an environment: "
        "it takes up to 31 lower-case letters, digits and hyphens, a letter first"
    )
    fix = f"rename it to params/{_free(stem, taken)}.yaml, or write `abstract: true` if others extend it"
    return Problem(shown(f"params/{stem}.yaml"), 0, "", message, fix)


def _free(stem: str, taken: list[str]) -> str:
    """Return a proper name near `stem` that no file has yet."""
    near = re.sub(r"[^a-z0-9]+", "-", stem.lower()).lstrip("-0123456789")[:31].rstrip("-") or "env"
    name, number = near, 2
    while f"{name}.yaml" in taken:
        name, number = f"{near[:27]}-{number}", number + 1
    return name


def _listed(root: Path) -> list[str]:
    folder = root / "params"
    if not inside(folder, root):
        raise ProjectError(f"{folder} leads out of the project folder (make it a folder of the project)")
    try:
        return sorted(name for name in os.listdir(folder) if not name.startswith("."))
    except OSError as error:
        raise ProjectError(f"{folder} can't be listed: {error.strerror}") from None
