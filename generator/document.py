"""A CloudFormation document as plain data in which every value still knows its line.

PyYAML composes the text (libyaml does the work where it is there); short intrinsic forms become the long
ones, so that whoever reads a document meets one shape: `!GetAtt Database.Endpoint.Port` is
`{"Fn::GetAtt": ["Database", "Endpoint.Port"]}`.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any, NamedTuple

import yaml

from generator.errors import DocumentError, Problem

Path = tuple[Any, ...]
"""Where a value is: mapping keys (str) and list positions (int), `("Resources", "Service", "Type")`."""

_Loader = getattr(yaml, "CSafeLoader", yaml.SafeLoader)

# Deeper than any template, shallower than what libyaml's composer (it recurses in C) or ours can take.
_MAX_DEPTH = 300

# Text to CloudFormation, although YAML 1.1 has a type for it: `Version: 2012-10-17` is no date.
_TEXT_TAGS = {"tag:yaml.org,2002:str", "tag:yaml.org,2002:timestamp", "tag:yaml.org,2002:value", "!"}
_TYPED_TAGS = {f"tag:yaml.org,2002:{name}" for name in ("bool", "float", "int", "null")}
_PLAIN_TAGS = {"tag:yaml.org,2002:map", "tag:yaml.org,2002:seq", "!"}
_MERGE_TAG = "tag:yaml.org,2002:merge"

# `${Name}` and `${Name.Attribute}`; `${!Name}` stands for the literal text `${Name}`.
_SUB_VARIABLE = re.compile(r"\$\{\s*([^!}][^}]*?)\s*\}")
_ODD_CHARACTER = re.compile("[\x7f-\x9f\u2028\u2029\ufffe\uffff]")
_NOT_YAML = re.compile("[\t\x7f-\x9f\u2028\u2029\ufffe\uffff]|\\\\u[dD]")
_SURROGATE_PAIR = re.compile(
    r"(?<!\\)((?:\\\\)*)\\u(d[89ab][0-9a-f]{2})\\u(d[c-f][0-9a-f]{2})", re.IGNORECASE
)


class Span(NamedTuple):
    """Where something is written; all four count from 1 and the end column is the first one behind it."""

    line: int
    column: int
    end_line: int
    end_column: int


class MalformedDocument(DocumentError):
    """Text that can't be read as a document; `problem` says where and why, `column` counts from 1."""

    def __init__(self, problem: Problem, column: int = 1):
        self.problem = problem
        self.column = column
        super().__init__(str(problem))


@dataclass(frozen=True)
class Resource:
    """One entry of `Resources`."""

    logical_id: str
    type: str
    """Empty where the resource has none."""
    properties: dict[str, Any]
    attributes: dict[str, Any]
    """Everything beside Type and Properties: DependsOn, DeletionPolicy, Condition, Metadata..."""
    line: int

    @property
    def path(self) -> Path:
        """Where the resource is in the document."""
        return ("Resources", self.logical_id)

    @property
    def depends_on(self) -> list[str]:
        """What its `DependsOn` names, as a list in either form."""
        named = self.attributes.get("DependsOn", [])
        return [name for name in (named if isinstance(named, list) else [named]) if isinstance(name, str)]


@dataclass(frozen=True, eq=False)
class Document:
    """A parsed template. Two documents are the same only if they are one object; compare their `data`."""

    name: str
    text: str = field(repr=False)
    data: dict[str, Any]
    spans: dict[Path, Span] = field(repr=False)
    """Of every mapping key and every list item, under the path of the value it leads to."""

    @cached_property
    def resources(self) -> dict[str, Resource]:
        """Logical id to resource, in the order of the text; entries that aren't mappings are left out."""
        section = self.data.get("Resources")
        return {
            logical_id: Resource(
                logical_id,
                body["Type"] if isinstance(body.get("Type"), str) else "",
                body["Properties"] if isinstance(body.get("Properties"), dict) else {},
                {key: value for key, value in body.items() if key not in ("Type", "Properties")},
                self.line(("Resources", logical_id)),
            )
            for logical_id, body in (section.items() if isinstance(section, dict) else ())
            if isinstance(body, dict)
        }

    def of_type(self, *types: str) -> list[Resource]:
        """The resources of the given types, in the order of the text."""
        return [resource for resource in self.resources.values() if resource.type in types]

    def span(self, path: Path) -> Span:
        """Where the key or list item at `path` is written; its nearest ancestor where there is none."""
        path = tuple(path)
        while path and path not in self.spans:
            path = path[:-1]
        return self.spans.get(path, Span(1, 1, 1, 1))

    def line(self, path: Path) -> int:
        """The line of `path`, from 1; that of the nearest ancestor where `path` doesn't exist."""
        return self.span(path).line

    def references(self, value: Any) -> set[str]:
        """Logical ids of resources and parameters that Ref, Fn::GetAtt and Fn::Sub anywhere in `value` name.

        Pseudo parameters (`AWS::Region`) are no logical ids. What a Fn::Sub gives a value of its
        own isn't one either.
        """
        return set(_references(value))

    @cached_property
    def dependencies(self) -> dict[str, set[str]]:
        """Logical id of each resource to those its references and its DependsOn name: one step."""
        return {
            logical_id: (self.references(resource.properties) | set(resource.depends_on))
            & self.resources.keys()
            for logical_id, resource in self.resources.items()
        }

    def waits_for(self, logical_id: str) -> set[str]:
        """Every resource that CloudFormation finishes before it starts `logical_id`: any number of steps."""
        found: set[str] = set()
        waiting = [logical_id]
        while waiting:
            fresh = self.dependencies.get(waiting.pop(), set()) - found
            found |= fresh
            waiting.extend(fresh)
        return found

    def leaves(self, path: Path = ()) -> Iterator[tuple[Path, Any]]:
        """(path, value) of each scalar below `path`, in the order of the text; empty mappings
        and lists have none.
        """
        value: Any = self.data
        for step in path:
            value = value[step]
        return _leaves(tuple(path), value)


def parse(text: str, name: str = "template.yaml") -> Document:
    """Read YAML or JSON text; `name` is what messages call it.

    Raises MalformedDocument, which knows the line, for text that is no YAML, duplicate keys, YAML
    aliases (CloudFormation: "aliases are not allowed"), keys that aren't scalars and anything but a
    mapping at the top.
    """
    reader = _Reader(name)
    try:
        source = _as_yaml(text)
        _guard_depth(source, reader)
        loader = _Loader(source)
        try:
            node = loader.get_single_node()
            reader.scalar = loader.construct_object
            data = reader.read(node, ()) if node is not None else None
        finally:
            loader.dispose()
    except _Alias as found:
        raise _alias_problem(text, name) from found
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        message = ", ".join(part for part in (error.context, error.problem) if part)
        raise reader.problem(message, mark) from error
    except yaml.reader.ReaderError as error:
        before = text[: error.position] if isinstance(error.position, int) else ""
        line, column = before.count("\n") + 1, len(before) - before.rfind("\n")
        message = f"a character that YAML doesn't allow: {error.reason}"
        raise MalformedDocument(Problem(name, line, "", message), column) from error
    except RecursionError as error:
        raise reader.problem("nested too deeply", None) from error
    except ValueError as error:  # half a surrogate pair, a `!!int` that isn't one
        raise reader.problem(f"a value can't be read: {error}", None) from error
    if not isinstance(data, dict):
        line = node.start_mark.line + 1 if node is not None else 1
        raise MalformedDocument(Problem(name, line, "", "a template is a mapping at the top"))
    return Document(name, text, data, reader.spans)


class _Alias(Exception):
    """A node was met a second time, which only an alias does."""


class _Reader:
    """Turns composed nodes into plain data and notes where they stood."""

    def __init__(self, name: str):
        self.name = name
        self.spans: dict[Path, Span] = {}
        self.scalar: Any = None
        self._seen: set[int] = set()

    def problem(self, message: str, mark: Any, fix: str = "") -> MalformedDocument:
        line, column = (mark.line + 1, mark.column + 1) if mark is not None else (0, 1)
        return MalformedDocument(Problem(self.name, line, "", message, fix), column)

    def read(self, node: Any, path: Path) -> Any:
        # An alias hands out the node of its anchor again, so the second visit is the alias.
        if id(node) in self._seen:
            raise _Alias
        self._seen.add(id(node))
        tag = node.tag
        if tag[0] == "!" and len(tag) > 1:
            return self._intrinsic(node, tag[1:], path)
        if isinstance(node, yaml.ScalarNode):
            if tag in _TEXT_TAGS:
                return node.value
            if tag in _TYPED_TAGS:
                return self.scalar(node)
        if tag not in _PLAIN_TAGS:
            raise self.problem(f"a YAML tag that CloudFormation doesn't know: {tag}", node.start_mark)
        if isinstance(node, yaml.SequenceNode):
            return self._sequence(node, path)
        return self._mapping(node, path)

    def _sequence(self, node: Any, path: Path) -> list[Any]:
        items = []
        for index, item in enumerate(node.value):
            here = (*path, index)
            self.spans[here] = _span(item)
            items.append(self.read(item, here))
        return items

    def _mapping(self, node: Any, path: Path) -> dict[str, Any]:
        mapping: dict[str, Any] = {}
        for key_node, value_node in node.value:
            if key_node.tag == _MERGE_TAG:
                message = "a YAML merge key (<<), which CloudFormation doesn't allow"
                raise self.problem(message, key_node.start_mark, "write the keys out that it brings")
            if not isinstance(key_node, yaml.ScalarNode):
                raise self.problem("a key has to be plain text", key_node.start_mark)
            if id(key_node) in self._seen:
                raise _Alias
            self._seen.add(id(key_node))
            key = key_node.value
            here = (*path, key)
            if key in mapping:
                first = self.spans[here].line
                raise self.problem(
                    f"{key!r} is there twice; the first is in line {first}", key_node.start_mark
                )
            self.spans[here] = _span(key_node)
            value = self.read(value_node, here)
            mapping[key] = _attribute(value) if key == "Fn::GetAtt" else value
        return mapping

    def _intrinsic(self, node: Any, name: str, path: Path) -> dict[str, Any]:
        function = name if name in ("Ref", "Condition") else f"Fn::{name}"
        here = (*path, function)
        self.spans[here] = _span(node)
        if isinstance(node, yaml.ScalarNode):
            value: Any = node.value
        elif isinstance(node, yaml.SequenceNode):
            value = self._sequence(node, here)
        else:
            value = self._mapping(node, here)
        return {function: _attribute(value) if function == "Fn::GetAtt" else value}


def _guard_depth(text: str, reader: _Reader) -> None:
    """Refuse text nested deeper than `_MAX_DEPTH`, before anything recurses over it.

    Counting brackets and indentation tells of almost every text that it can't be; the rest is
    counted event by event.
    """
    indentation = max((len(line) - len(line.lstrip(" -?:")) for line in text.splitlines()), default=0)
    if text.count("[") + text.count("{") + indentation <= _MAX_DEPTH:
        return
    depth = 0
    for event in yaml.parse(text, Loader=_Loader):
        if isinstance(event, (yaml.MappingStartEvent, yaml.SequenceStartEvent)):
            depth += 1
            if depth > _MAX_DEPTH:
                raise reader.problem("nested too deeply", event.start_mark)
        elif isinstance(event, (yaml.MappingEndEvent, yaml.SequenceEndEvent)):
            depth -= 1


def _span(node: Any) -> Span:
    start, end = node.start_mark, node.end_mark
    return Span(start.line + 1, start.column + 1, end.line + 1, end.column + 1)


def _attribute(value: Any) -> Any:
    """`Resource.Attribute` as the list it stands for; anything else as it is."""
    return value.split(".", 1) if isinstance(value, str) else value


def _alias_problem(text: str, name: str) -> MalformedDocument:
    """The first alias of a text that has one; nodes forget that they came by an alias, so
    the events are asked.
    """
    for event in yaml.parse(_as_yaml(text), Loader=_Loader):
        if isinstance(event, yaml.AliasEvent):
            break
    message = f"a YAML alias (*{event.anchor}), which CloudFormation doesn't allow"
    mark = event.start_mark
    return MalformedDocument(
        Problem(name, mark.line + 1, "", message, "write the value out"), mark.column + 1
    )


def _as_yaml(text: str) -> str:
    """JSON text with what YAML 1.1 reads otherwise written as YAML does; any other text as it is."""
    if not text.lstrip("\ufeff \t\r\n").startswith("{") or not _NOT_YAML.search(text):
        return text
    try:
        json.loads(text.lstrip("\ufeff"))
    except ValueError:
        return text
    # Being JSON, it has tabs between its tokens only and the other characters inside its strings only.
    text = _ODD_CHARACTER.sub(lambda match: f"\\u{ord(match[0]):04x}", text.replace("\t", " "))
    return _SURROGATE_PAIR.sub(_join_surrogates, text)


def _join_surrogates(match: re.Match[str]) -> str:
    high, low = int(match[2], 16), int(match[3], 16)
    return f"{match[1]}\\U{0x10000 + ((high - 0xD800) << 10) + (low - 0xDC00):08x}"


def _references(value: Any) -> Iterator[str]:
    if isinstance(value, list):
        for item in value:
            yield from _references(item)
    elif isinstance(value, dict):
        for key, inner in value.items():
            if key == "Ref" and isinstance(inner, str):
                yield from _logical_id(inner)
            elif key == "Fn::GetAtt" and isinstance(inner, (list, str)) and inner:
                target = inner[0] if isinstance(inner, list) else inner.split(".")[0]
                yield from _logical_id(target) if isinstance(target, str) else ()
            elif key == "Fn::Sub":
                yield from _substitutions(inner)
            else:
                yield from _references(inner)


def _substitutions(value: Any) -> Iterator[str]:
    template, own = (value, {}) if isinstance(value, str) else ("", {})
    if isinstance(value, list) and value and isinstance(value[0], str):
        template = value[0]
        own = value[1] if len(value) > 1 and isinstance(value[1], dict) else {}
    for name in _SUB_VARIABLE.findall(template):
        if name not in own:
            yield from _logical_id(name.split(".")[0])
    yield from _references(own)


def _logical_id(name: str) -> Iterator[str]:
    if name and not name.startswith("AWS::"):
        yield name


def _leaves(path: Path, value: Any) -> Iterator[tuple[Path, Any]]:
    if isinstance(value, dict):
        for key, inner in value.items():
            yield from _leaves((*path, key), inner)
    elif isinstance(value, list):
        for index, inner in enumerate(value):
            yield from _leaves((*path, index), inner)
    else:
        yield path, value
