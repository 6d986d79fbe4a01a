"""A params file in the making: values with the comment that says where they come from, written in the model's
order.
"""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from typing import Annotated, Any

from pydantic import TypeAdapter, ValidationError

from generator.params import describe
from generator.params.secrets import secret_in
from generator.params.texts import text_problem

Key = tuple[str, ...]

WIDTH = 110

UNSET = "SET-THIS"
"""What no key takes: it waits for somebody to write a value."""

_PLAIN = re.compile(r"[A-Za-z/][A-Za-z0-9_./:@-]*(?<!:)")
_WORDS = ("y", "n", "yes", "no", "on", "off", "true", "false", "null", "none")


@dataclass(frozen=True)
class Entry:
    """One line of params."""

    value: Any
    """None where somebody has to write it."""
    comment: str = ""
    corrected: bool = False


class Draft:
    """Values by dotted key."""

    def __init__(self) -> None:
        self.entries: dict[Key, Entry] = {}

    def set(self, key: str, value: Any, comment: str = "", corrected: bool = False) -> None:
        """Write a value; the last one of a key holds."""
        self.entries[_path(key)] = Entry(value, comment, corrected)

    def ask(self, key: str, what: str) -> None:
        """Leave a line that has to be filled in, which rendering refuses as it is."""
        if _path(key) not in self.entries:
            # An empty line would mean the default, where there is one.
            waiting = UNSET if isinstance(default(key), (int, str)) else None
            self.entries[_path(key)] = Entry(waiting, f"set this: {what}")

    def has(self, key: str) -> bool:
        """Whether a key, or something below it, is written."""
        path = _path(key)
        return any(one[: len(path)] == path for one in self.entries)

    def value(self, key: str) -> Any:
        """What is written at a key; None for nothing."""
        found = self.entries.get(_path(key))
        return found.value if found else None

    def text(self) -> str:
        """The keys as YAML, each with its comment."""
        tree: dict[str, Any] = {}
        for path, entry in self.entries.items():
            node = tree
            for step in path[:-1]:
                node = node.setdefault(step, {})
            node[path[-1]] = entry
        return "\n".join(_lines(tree, (), 0)) + "\n"


def default(key: str) -> Any:
    """What a key of the model is where nobody writes it; None for one without a default."""
    field = describe.field_at(_path(key))
    found = field.get_default(call_default_factory=True) if field is not None else None
    return None if type(found).__name__ == "PydanticUndefinedType" else found


def fits(key: str, value: Any) -> bool:
    """Whether the model takes a value at a key, and no secret stands in it."""
    field = describe.field_at(_path(key))
    if field is None:
        return False
    kind = Annotated[(field.annotation, *field.metadata)] if field.metadata else field.annotation
    try:
        TypeAdapter(kind).validate_python(value)
    except ValidationError:
        return False
    texts = value if isinstance(value, list) else [value]
    return not any(isinstance(one, str) and (secret_in("", one) or text_problem(one)) for one in texts)


def _path(key: str) -> Key:
    return tuple(key.split("."))


def _lines(tree: dict[str, Any], path: Key, depth: int) -> list[str]:
    order = {name: number for number, name in enumerate(describe.names_at(path))}
    found = []
    margin = "  " * depth
    for name in sorted(tree, key=lambda one: order.get(one, len(order))):
        inner = tree[name]
        if depth == 0 and found and not isinstance(inner, Entry):
            found.append("")
        if isinstance(inner, Entry):
            found += _written(margin, name, inner)
        else:
            found.append(f"{margin}{scalar(name)}:")
            found += _lines(inner, (*path, name), depth + 1)
    return found


def _written(margin: str, name: str, entry: Entry) -> list[str]:
    if isinstance(entry.value, list) and entry.value and isinstance(entry.value[0], dict):
        lines = [f"{margin}{scalar(name)}:"]
        for item in entry.value:
            pairs = [f"{key}: {scalar(value)}" for key, value in item.items()]
            lines += [f"{margin}  {'-' if not number else ' '} {pair}" for number, pair in enumerate(pairs)]
        comment_of = 0
    else:
        shown = "" if entry.value is None else " " + scalar(entry.value)
        lines, comment_of = [f"{margin}{scalar(name)}:{shown}"], 0
    if entry.comment:
        lines[comment_of] += f"  # {comment(entry.comment)}"
    return lines


def comment(text: str) -> str:
    """Text as it may stand behind `#`: one line, nothing that a terminal or a reader could stumble over."""
    return "".join(one if one.isprintable() else " " for one in text)


def scalar(value: Any) -> str:
    """A value as YAML on one line."""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, int):
        return str(value)
    if isinstance(value, list):
        return (
            "["
            + ", ".join(scalar(one) if isinstance(one, (bool, int)) else _quoted(one) for one in value)
            + "]"
        )
    if value == {}:
        return "{}"
    return _quoted(str(value))


def _quoted(text: str) -> str:
    bare = _PLAIN.fullmatch(text) or re.fullmatch(r"\d+\.\d+\.\d+(\.\d+/\d+)?", text)
    return text if bare and text.lower() not in _WORDS else json.dumps(text, ensure_ascii=False)
