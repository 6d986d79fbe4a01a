"""Nodes from YAML events, and reports of what YAML allows but params files don't.

Events are used instead of PyYAML's nodes because they still show anchors, tags and quotes, and let the depth be
watched while reading instead of after a recursion.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Iterator

import yaml

from generator.params.nodes import Mapping, Node, Scalar, Sequence
from generator.params.texts import HIDDEN_IN_TEXT, describe, shown
from generator.params.trouble import Problems, Unreadable

MAX_DEPTH = 40
"""Deepest nesting of mappings and lists; a params file needs about five."""
MAX_VALUES = 20_000
"""Most values in one file; a megabyte of brackets would take seconds."""

_EDGE = re.compile(r"^\s|\s\Z")


@dataclass
class _Frame:
    """A mapping or a list whose end hasn't been read yet."""

    start: yaml.CollectionStartEvent
    items: dict | list
    wants_key: bool
    key: str | None = None
    """Key whose value comes next; None where the key was refused, so that its value goes too."""
    key_line: int = 0
    merge_key: bool = False


class Composer:
    """Builds nodes from events, and reports what YAML allows but params files don't."""

    def __init__(self, problems: Problems):
        self.problems = problems
        self.stack: list[_Frame] = []
        self.top: Node | None = None

    def compose(self, events: Iterator[yaml.Event]) -> None:
        """Read one document; `body` has what came of it."""
        documents = 0
        for count, event in enumerate(events):
            if count > 2 * MAX_VALUES:
                # A key and its value are two events, and so are the two ends of a list.
                message = f"the file holds more than {MAX_VALUES} values"
                raise Unreadable(event.start_mark.line + 1, message, "params are a few dozen: look here")
            if isinstance(event, yaml.DocumentStartEvent):
                documents += 1
                if documents > 1:
                    message = "a second document starts here; a params file is one"
                    self._report(event, message, "move it to a file of its own, or remove the `---`")
                    return
            elif isinstance(event, yaml.ScalarEvent):
                self._take(Scalar(event.value, not event.style, event.start_mark.line + 1), event)
            elif isinstance(event, yaml.AliasEvent):
                self._take(None, event)
            elif isinstance(event, yaml.CollectionStartEvent):
                mapping = isinstance(event, yaml.MappingStartEvent)
                if len(self.stack) == MAX_DEPTH:
                    message = f"values are nested deeper than {MAX_DEPTH} levels"
                    fix = "params are a few levels deep: look here"
                    raise Unreadable(event.start_mark.line + 1, message, fix)
                self.stack.append(_Frame(event, {} if mapping else [], wants_key=mapping))
            elif isinstance(event, yaml.CollectionEndEvent):
                frame = self.stack.pop()
                line = frame.start.start_mark.line + 1
                if isinstance(frame.items, dict):
                    self._take(Mapping(frame.items, line), frame.start)
                else:
                    self._take(Sequence(tuple(frame.items), line), frame.start)
        if not documents or (isinstance(self.top, Scalar) and self.top.null):
            raise Unreadable(0, "the file is empty", "write settings into it, or remove it")
        if self.top and not isinstance(self.top, Mapping):
            kind = "a list" if isinstance(self.top, Sequence) else "one text"
            message = f"the file is {kind} where keys with values are expected"
            fix = "write `key: value` lines, with a space after the colon"
            raise Unreadable(self.top.line, message, fix)

    def body(self) -> Mapping:
        """Return the top mapping, as far as it was read."""
        if isinstance(self.top, Mapping):
            return self.top
        if self.stack and isinstance(self.stack[0].items, dict):
            return Mapping(dict(self.stack[0].items), 1)
        return Mapping({}, 1)

    def _take(self, node: Node | None, event: yaml.NodeEvent) -> None:
        """Put a finished node where it belongs: as a key, a value, an item, or the top."""
        frame = self.stack[-1] if self.stack else None
        if frame and frame.wants_key:
            frame.key, frame.key_line = self._key(node, event, frame), event.start_mark.line + 1
            frame.wants_key = False
            return
        welcome = self._welcome(node, event)
        if frame is None:
            self.top = node if welcome else None
        elif isinstance(frame.items, list):
            frame.items.extend([node] if welcome else [])
        else:
            if welcome and frame.key is not None:
                frame.items[frame.key] = (frame.key_line, node)
            frame.key, frame.wants_key = None, True

    def _welcome(self, node: Node | None, event: yaml.NodeEvent) -> bool:
        """Tell whether a node may stay; report why not."""
        if isinstance(event, yaml.AliasEvent):
            if not (self.stack and self.stack[-1].merge_key):
                message = f"`*{shown(event.anchor)}` is a YAML alias; params files have none"
                fix = "repeat the value, or move what is shared to a file and `extends` it"
                self._report(event, message, fix)
            return False
        if event.anchor:
            message = f"`&{shown(event.anchor)}` is a YAML anchor; params files have none"
            self._report(event, message, "remove it; what is shared goes to a file that others `extends`")
            return False
        if event.tag:
            tag = shown(event.tag.replace("tag:yaml.org,2002:", "!!", 1))
            message = f"`{tag}` is a YAML tag; a value here is the text that is written"
            self._report(event, message, "remove the tag, or put a text that starts with `!` in quotes")
            return False
        hidden = isinstance(node, Scalar) and HIDDEN_IN_TEXT.search(node.value)
        if hidden:
            message = f"the text holds {describe(hidden[0])}"
            self._report(event, message, "remove the character")
            return False
        edge = isinstance(node, Scalar) and node.plain and _EDGE.search(node.value)
        if edge:
            # YAML takes off ASCII blanks; what is left was copied from a web page.
            message = f"the text begins or ends with {describe(edge[0])}"
            self._report(event, message, "write an ordinary space, or none")
            return False
        return True

    def _key(self, node: Node | None, event: yaml.NodeEvent, frame: _Frame) -> str | None:
        """Return the key a node is, or None after reporting why it is none."""
        frame.merge_key = False
        if not isinstance(node, (Scalar, type(None))):
            fix = "write a text before the colon"
            if frame.start.flow_style and isinstance(node, Mapping):
                fix = "nothing is filled in in params: write the value itself instead of `{{ ... }}`"
            kind = "mapping" if isinstance(node, Mapping) else "list"
            self._report(event, f"a {kind} can't be a key", fix)
            return None
        if not self._welcome(node, event):
            return None
        if node.value == "" or node.null:
            fix = "write the key before the colon (in quotes if it is `null`)"
            self._report(event, "a key is empty or null", fix)
            return None
        if node.plain and node.value == "<<":
            frame.merge_key = True
            message = "`<<` is a YAML merge key; params files have none"
            self._report(event, message, "repeat the keys, or move what is shared to a file and `extends` it")
            return None
        if "\n" in node.value:
            self._report(event, "a key holds a line break", "write the key on one line")
            return None
        if node.value in frame.items:
            first = frame.items[node.value][0]
            frame.key = node.value
            message = f"the key is given twice, in lines {first} and {node.line}"
            self._report(event, message, "keep one of the two")
            return None
        return node.value

    def _report(self, event: yaml.Event, message: str, fix: str) -> None:
        self.problems.add(event.start_mark.line + 1, self._place(), message, fix)

    def _place(self) -> str:
        """Return the dotted key of what is being read."""
        parts: list[str] = []
        for frame in self.stack:
            if isinstance(frame.items, list):
                parts.append(str(len(frame.items)))
            elif frame.key is not None:
                parts.append(frame.key)
        return ".".join(parts)
