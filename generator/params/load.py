"""From a merged tree to settings: every problem of the environment at once, each at the line that made it."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from generator.errors import CatalogError, Problem
from generator.keycloak import catalog as catalogs
from generator.params import describe, files, merge, rules
from generator.params.merge import Loaded
from generator.params.model import Settings
from generator.params.secrets import secret_in
from generator.params.texts import text_problem
from generator.params.tree import KeyPath, RawScalar, Tree, dotted
from generator.params.wording import meant_key, worded


@dataclass(frozen=True)
class Environment:
    """An environment whose params are right."""

    name: str
    settings: Settings
    catalog: catalogs.Catalog
    tree: Tree
    warnings: tuple[Problem, ...]


@dataclass(frozen=True)
class Outcome:
    """What came of one params file: an environment, or why there is none."""

    name: str
    file: str
    environment: Environment | None
    problems: tuple[Problem, ...]


def load_all(root: Path) -> list[Outcome]:
    """Every environment of the project at `root`, by name, each with its settings or its problems."""
    return [_outcome(loaded, root) for loaded in merge.load_all(root)]


def _outcome(loaded: Loaded, root: Path) -> Outcome:
    if loaded.tree is None:
        return Outcome(loaded.name, loaded.file, None, loaded.problems)
    return validate(loaded.tree, root)


def validate(tree: Tree, root: Path) -> Outcome:
    """Settings from a tree; `root` is where paths in params start."""
    raw = tree.plain()
    problems, secrets = _text_problems(tree)
    _drop_nulls(raw)
    settings, wrong_paths, found = _settings(raw, tree)
    # What no key may hold has a wrong form as well: said once.
    told = {problem.key for problem in problems if problem not in secrets}
    problems += [problem for problem in found if problem.key not in told]
    wrong = {dotted(path) for path in wrong_paths}
    catalog = None
    if settings is not None:
        catalog, found = _catalog(settings, tree, wrong)
        problems += found
        if catalog is None:
            wrong.add("keycloak.version")
        problems += _complaints(settings, catalog, tree, wrong)
        problems += [_complained(tree, complaint) for complaint in files.complaints(settings, root)
                     if not any(_overlap(complaint.key, bad) for bad in wrong)]
    problems = sorted({problem for problem in problems if not _repeats(problem, secrets)})
    errors = tuple(problem for problem in problems if problem.severity == "error")
    if errors or settings is None or catalog is None:
        return Outcome(tree.name, tree.file, None, tuple(problems))
    return Outcome(tree.name, tree.file, Environment(tree.name, settings, catalog, tree, tuple(problems)), ())


def _problem(tree: Tree, path: KeyPath, message: str, fix: str, severity: str = "error") -> Problem:
    place = tree.where(path)
    return Problem(place.file, place.line, dotted(path), message, fix, severity)


def _text_problems(tree: Tree) -> tuple[list[Problem], dict[Problem, str]]:
    """(problems of texts that no key may hold, those of secrets -> the secret, which no problem repeats)."""
    problems = []
    secrets = {}
    for path, value in tree.leaves():
        text = getattr(value, "text", None)
        if text is None:
            continue
        if found := text_problem(text):
            problems.append(_problem(tree, path, *found))
        if what := secret_in(_name(path), text, catalogs.masked):
            problem = _problem(tree, path, f"holds {what}",
                               "keep it in Secrets Manager and name its ARN in keycloak.secret_options")
            problems.append(problem)
            secrets[problem] = text
    return problems, secrets


def _name(path: KeyPath) -> str:
    """The name that says whether a value is a secret; empty for keys of the model, whose type says what they hold."""
    while path and isinstance(path[-1], int):
        path = path[:-1]
    if not path or path[-1] in describe.names_at(path[:-1]) or path[:2] in (
            ("keycloak", "secret_options"), ("stack", "logical_ids")):
        return ""
    return str(path[-1])


def _repeats(problem: Problem, secrets: dict[Problem, str]) -> bool:
    """Whether a problem of another sort repeats the secret that stands at its key."""
    return problem not in secrets and any(
        problem.key == secret.key and text in problem.message + problem.fix for secret, text in secrets.items())


def _drop_nulls(raw: dict, path: KeyPath = ()) -> None:
    """Takes plain nulls out of `raw`: they mean the default, as long as the key exists."""
    known = describe.names_at(path)
    for name, value in list(raw.items()):
        if isinstance(value, dict):
            _drop_nulls(value, (*path, name))
        elif isinstance(value, RawScalar) and value.null and name in known:
            del raw[name]


def _settings(raw: dict, tree: Tree) -> tuple[Settings | None, list[KeyPath], list[Problem]]:
    """(settings, paths that are wrong, problems); settings have defaults or examples where values are wrong,
    so that rules over the other keys can still speak."""
    problems: list[Problem] = []
    wrong: list[KeyPath] = []
    for attempt in range(6):
        try:
            return Settings.model_validate(raw), wrong, problems
        except ValidationError as error:
            for detail in error.errors(include_url=False, include_input=True):
                path = tuple(step for step in detail["loc"] if step != "[key]")
                if attempt == 0 or not any(path[: len(known)] == known for known in wrong):
                    problems.append(_problem(tree, path, *worded(path, detail)))
                # A key nobody knows is read by no rule, but the one that was meant is.
                if detail["type"] != "extra_forbidden":
                    wrong.append(path)
                elif meant := meant_key(path):
                    wrong.append((*path[:-1], meant))
                _mend(raw, path, detail["type"] == "missing")
    return None, wrong, problems


def _mend(raw: dict, path: KeyPath, missing: bool) -> None:
    """Takes the value at `path` out of `raw`, or puts an example there if it is missing."""
    node: Any = raw
    for step in path[:-1]:
        try:
            node = node[step]
        except (KeyError, IndexError, TypeError):
            return
    last = path[-1]
    if missing and isinstance(node, dict):
        field = describe.field_at(path)
        inner = describe.section_of(field.annotation) if field else None
        schema = describe.schema_at(path)
        example = describe.example_at(path).strip('"')
        if schema.get("type") == "array":
            node[last] = [describe.example_at((*path, 0)).strip('"')] if schema.get("minItems") else []
        else:
            node[last] = {} if inner else example
    elif isinstance(node, list) and isinstance(last, int) and last < len(node):
        # Not removed, or the indexes of later errors would point elsewhere.
        example = describe.example_at(path).strip('"')
        node[last] = example
    elif isinstance(node, dict):
        node.pop(last, None)


def _catalog(settings: Settings, tree: Tree, wrong: set[str]) -> tuple[catalogs.Catalog | None, list[Problem]]:
    path = ("keycloak", "version")
    if "keycloak.version" in wrong or "keycloak" in wrong:
        return None, []
    try:
        catalog = catalogs.load(settings.keycloak.version)
    except CatalogError as error:
        return None, [_problem(tree, path, str(error), f"write {catalogs.versions()[-1]}")]
    if catalog.note:
        return catalog, [_problem(tree, path, catalog.note, "", "warning")]
    return catalog, []


def _complaints(settings: Settings, catalog: catalogs.Catalog | None, tree: Tree, wrong: set[str]) -> list[Problem]:
    """What the rules say that read no wrong key; without a catalog, `keycloak.version` is among the wrong ones."""
    problems = []
    for rule in rules.RULES:
        if any(_overlap(key, bad) for key in rule.keys for bad in wrong):
            continue
        problems += [_complained(tree, complaint) for complaint in rule.check(settings, catalog)]
    return problems


def _complained(tree: Tree, complaint: rules.Complaint) -> Problem:
    path = tuple(int(step) if step.isdigit() else step for step in complaint.key.split("."))
    return _problem(tree, path, complaint.message, complaint.fix, complaint.severity)


def _overlap(key: str, bad: str) -> bool:
    return bad == key or bad.startswith(key + ".") or key.startswith(bad + ".")
