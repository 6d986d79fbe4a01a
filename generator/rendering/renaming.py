"""Logical ids that a stack which is there already has for its resources (`stack.logical_ids`): put into what
was rendered.

The text is changed where ids stand in it, so that comments and layout stay; that nothing else was changed,
and nothing forgotten, is then seen by comparing the data with a document whose ids were changed one by one.
"""

from __future__ import annotations

import difflib
import re
from collections.abc import Callable, Iterator, Mapping
from typing import Any

from generator.document import Document, Path, parse
from generator.errors import ParamsError, Problem
from generator.params.load import Environment

_SECTION = re.compile(r"[A-Za-z]")
_WORD = re.compile(r"[A-Za-z0-9]+")
_VARIABLE = re.compile(r"(\$\{\s*)([A-Za-z0-9]+)(?=\s*[.}])")
_SHORT = re.compile(r"(!(?:Ref|GetAtt)\s+\[?\s*[\"']?)([A-Za-z0-9]+)")
_LONG = re.compile(r"((?<![A-Za-z0-9])(?:Ref|Fn::GetAtt)[\"']?\s*:\s*\[?\s*[\"']?)([A-Za-z0-9]+)")
_KEY = re.compile(r"(  [\"']?)([A-Za-z0-9]+)(?=[\"']?:)")
_DEPENDS = re.compile(r"\s*[\"']?DependsOn[\"']?:")


def renamed_template(text: str, environment: Environment) -> str:
    """A rendered template with the ids that `stack.logical_ids` gives; the very same text without any.

    Every line stays in its place. Raises ParamsError for an id that the template doesn't have, for one that
    two resources would share, and where a template of the user's writes an id in a way that can't be changed.
    """
    ids = dict(environment.settings.stack.logical_ids)
    if not ids:
        return text
    before = parse(text, "template.yaml")
    problems = list(_problems(ids, list(before.resources), environment))
    if problems:
        raise ParamsError(problems)
    shadowed = _shadowed(before)
    changed = "\n".join(_lines(text.split("\n"), ids, shadowed))
    if parse(changed, "template.yaml").data != renamed_data(before.data, ids):
        wrong = [
            old
            for old, new in ids.items()
            if new not in before.resources and not _alone(before, old, new, shadowed)
        ]
        raise ParamsError(
            [
                _problem(
                    environment,
                    old,
                    f"the templates write {old} in a way that can't be renamed",
                    "write references as !Ref, !GetAtt, ${...} and DependsOn, or take this out",
                )
                for old in wrong or ids
            ]
        )
    return changed


def renamed_prose(text: str, environment: Environment) -> str:
    """A text for people in which ids stand between backticks."""
    ids = environment.settings.stack.logical_ids
    return (
        re.sub(r"`([A-Za-z0-9]+)`", lambda match: f"`{ids.get(match[1], match[1])}`", text) if ids else text
    )


def _problem(environment: Environment, old: str, message: str, fix: str) -> Problem:
    place = environment.tree.where(("stack", "logical_ids", old))
    return Problem(place.file, place.line, f"stack.logical_ids.{old}", message, fix)


def _problems(ids: Mapping[str, str], present: list[str], environment: Environment) -> Iterator[Problem]:
    taken = {one: one for one in present if one not in ids}
    for old, new in ids.items():
        if old not in present:
            near = difflib.get_close_matches(old, present, 1, 0.5)
            yield _problem(
                environment,
                old,
                f"this environment renders no resource {old}",
                f"did you mean {near[0]}?" if near else "take it out",
            )
        elif new in taken:
            yield _problem(
                environment,
                old,
                f"{taken[new]} is called {new} as well: two resources can't share an id",
                "write another one, or rename that one too",
            )
        else:
            taken[new] = old


def _shadowed(document: Document) -> dict[int, set[str]]:
    """Line number -> names that a Fn::Sub with variables of its own says there, which are no ids then."""
    found: dict[int, set[str]] = {}

    def walk(value: Any, path: Path) -> None:
        for key, inner in value.items() if isinstance(value, dict) else enumerate(value):
            here = (*path, key)
            if (
                key == "Fn::Sub"
                and isinstance(inner, list)
                and len(inner) == 2
                and isinstance(inner[1], dict)
            ):
                span = document.span((*here, 0))
                for number in range(span.line, span.end_line + 1):
                    found.setdefault(number, set()).update(inner[1])
            if isinstance(inner, (dict, list)):
                walk(inner, here)

    walk(document.data, ())
    return found


def _lines(lines: list[str], ids: Mapping[str, str], shadowed: Mapping[int, set[str]]) -> Iterator[str]:
    """The lines with the ids changed wherever CloudFormation reads one."""

    def swap(match: re.Match[str]) -> str:
        return match[1] + ids.get(match[2], match[2])

    section, depends = "", -1
    for number, line in enumerate(lines, 1):
        if _SECTION.match(line):
            section = line.partition(":")[0]
        indent = len(line) - len(line.lstrip(" "))
        if depends >= 0 and line.strip() and indent <= depends and not line.lstrip().startswith("- "):
            depends = -1
        if line.lstrip().startswith("#"):
            yield line
            continue
        if section == "Resources" and indent == 2:
            line = _KEY.sub(swap, line, count=1)
        found = _DEPENDS.match(line)
        if found:
            depends = indent
            line = found[0] + _words(line[found.end() :], ids)
        elif depends >= 0:
            line = _words(line, ids)
        for pattern in (_SHORT, _LONG):
            line = pattern.sub(swap, line)
        own = shadowed.get(number, ())
        yield _VARIABLE.sub(lambda match: match[0] if match[2] in own else swap(match), line)


def _words(text: str, ids: Mapping[str, str]) -> str:
    code, mark, comment = text.partition(" #")
    return _WORD.sub(lambda match: ids.get(match[0], match[0]), code) + mark + comment


def _alone(document: Document, old: str, new: str, shadowed: Mapping[int, set[str]]) -> bool:
    """Whether renaming one id alone comes out right, to a name that no resource has."""
    alone = {old: new}
    changed = "\n".join(_lines(document.text.split("\n"), alone, shadowed))
    return parse(changed, "template.yaml").data == renamed_data(document.data, alone)


def renamed_data(data: Mapping[str, Any], ids: Mapping[str, str]) -> dict[str, Any]:
    """A template's data with ids changed where they are ids."""
    resources = {ids.get(name, name): _resource(body, ids) for name, body in data["Resources"].items()}
    return {key: resources if key == "Resources" else _value(value, ids) for key, value in data.items()}


def _resource(body: Any, ids: Mapping[str, str]) -> Any:
    if not isinstance(body, dict):
        return body
    return {
        key: _names(value, ids) if key == "DependsOn" else _value(value, ids) for key, value in body.items()
    }


def _names(value: Any, ids: Mapping[str, str]) -> Any:
    if isinstance(value, list):
        return [_names(one, ids) for one in value]
    return ids.get(value, value) if isinstance(value, str) else value


def _value(value: Any, ids: Mapping[str, str]) -> Any:
    if isinstance(value, list):
        return [_value(one, ids) for one in value]
    if not isinstance(value, dict):
        return value
    return {
        key: _FUNCTIONS[key](one, ids) if key in _FUNCTIONS and len(value) == 1 else _value(one, ids)
        for key, one in value.items()
    }


def _get_att(value: Any, ids: Mapping[str, str]) -> Any:
    if isinstance(value, list) and value:
        return [_names(value[0], ids), *(_value(one, ids) for one in value[1:])]
    return value


def _sub(value: Any, ids: Mapping[str, str]) -> Any:
    if isinstance(value, str):
        return _substituted(value, ids)
    if (
        isinstance(value, list)
        and len(value) == 2
        and isinstance(value[0], str)
        and isinstance(value[1], dict)
    ):
        outside = {old: new for old, new in ids.items() if old not in value[1]}
        return [_substituted(value[0], outside), _value(value[1], ids)]
    return _value(value, ids)


def _substituted(text: str, ids: Mapping[str, str]) -> str:
    return _VARIABLE.sub(lambda match: match[1] + ids.get(match[2], match[2]), text)


_FUNCTIONS: dict[str, Callable[[Any, Mapping[str, str]], Any]] = {
    "Ref": _names,
    "Fn::GetAtt": _get_att,
    "Fn::Sub": _sub,
}
