"""One params file as a tree in which every value knows its line and keeps its text.

YAML 1.1 reads the account `012345670123` as 1402433619, `26.10` as 26.1 and `on` as true. Here nothing
changes type: a scalar is the text that was written, and whether it stood without quotes. PyYAML does the
parsing; its events are used instead of its nodes because they still show anchors, tags and quotes, and let
the depth be watched while reading instead of after a recursion.
"""

from __future__ import annotations

import os
import re
import stat
import unicodedata
from dataclasses import dataclass, field
from pathlib import Path
from typing import Iterator, Union

import yaml

from generator.errors import Problem

MAX_BYTES = 1024 * 1024
"""Largest params file that is read, in bytes."""
MAX_DEPTH = 40
"""Deepest nesting of mappings and lists; a params file needs about five."""
MAX_VALUES = 20_000
"""Most values in one file; a megabyte of brackets would take seconds."""
MAX_NAME = 4096
"""Longest path that a message shows, in characters."""
MAX_PROBLEMS = 50
"""After so many problems in one file the rest of it isn't read: it is no params file."""

LOADER = getattr(yaml, "CBaseLoader", yaml.BaseLoader)
"""libyaml where PyYAML was built with it (about ten times faster), else the parser in Python."""

NULLS = frozenset({"", "~", "null", "Null", "NULL"})
"""Unquoted texts that mean "nothing" (https://yaml.org/type/null.html)."""

# Characters that hide in a review or end a line where no editor shows it: C0, DEL, C1, zero-width space, line
# and paragraph separator, bidi overrides and isolates, word joiner, surrogates, private use, BOM,
# non-characters.
_HIDDEN = (
    "\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\u200b\u2028\u2029\u202a-\u202e\u2060\u2066-\u2069"
    "\ud800-\udfff\ue000-\uf8ff\ufeff\ufffe\uffff"
)
_HIDDEN_IN_FILE = re.compile(f"[{_HIDDEN}]")
_HIDDEN_IN_TEXT = re.compile(f"[{_HIDDEN}\t\r]")
_PLACEHOLDER = re.compile(r"\{\{|\{%|\{#|\$\{")
_EDGE = re.compile(r"^\s|\s\Z")
_CONFLICT = re.compile(r"^<{7}( |$)", re.MULTILINE)


@dataclass(frozen=True, slots=True)
class Scalar:
    """A text as it was written, without its quotes."""

    value: str
    plain: bool
    """Whether it stood without quotes: only then can it be null, true or a number."""
    line: int
    """From 1."""
    column: int
    """From 1."""

    @property
    def null(self) -> bool:
        """Whether this is an unquoted `null`, `~` or nothing at all."""
        return self.plain and self.value in NULLS


@dataclass(frozen=True, slots=True)
class Mapping:
    """Keys in the order of the file; each with the line of the key and the node under it."""

    items: dict[str, tuple[int, Node]]
    line: int


@dataclass(frozen=True, slots=True)
class Sequence:
    """A list, in the order of the file."""

    items: tuple[Node, ...]
    line: int


Node = Union[Scalar, Mapping, Sequence]


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
        text = _decode(_content(path, root))
    except _Unreadable as error:
        problem = Problem(file, error.line, "", error.message, error.fix)
        return Source(file, Mapping({}, 1), problems=(problem,), complete=False)
    return parse(text, file)


def parse(text: str, file: str, loader: type = LOADER) -> Source:
    """Return the source that `text` is; `file` is the name its problems carry, `loader` a PyYAML loader."""
    problems = _Problems(file)
    # One kind of line end, so that lines are counted as editors count them.
    text = text.replace("\r\n", "\n").replace("\r", "\n")
    composer = _Composer(problems)
    extends, abstract, complete = None, False, True
    try:
        clean = _without_hidden(text, problems)
        try:
            composer.compose(_events(clean, loader))
        except _Unreadable as error:
            complete = False
            # A hidden character is most often why the file isn't YAML either.
            if clean == text:
                problems.add(error.line, "", error.message, error.fix)
        body = composer.body()
        abstract, extends = _abstract(body, problems), _extends(body, problems)
    except _Enough:
        body, complete = composer.body(), False
    items = {key: item for key, item in body.items.items() if key not in ("extends", "abstract")}
    found = tuple(sorted(problems.found))
    return Source(file, Mapping(items, body.line), extends, abstract, found, complete)


def text_problem(value: str, multiline: bool = False, placeholders: bool = False) -> tuple[str, str] | None:
    """Return what makes a text unfit for a rendered template, as (message, fix), or None.

    Args:
        value: the text, from a params file or from anywhere else.
        multiline: whether line breaks are fine in it.
        placeholders: whether `{{`, `{%`, `{#` and `${` are fine in it.
    """
    hidden = _HIDDEN_IN_TEXT.search(value)
    if hidden:
        return f"the text holds {_describe(hidden[0])}", "remove the character"
    if "\n" in value and not multiline:
        return "the text holds a line break", "write it on one line"
    placeholder = _PLACEHOLDER.search(value)
    if placeholder and not placeholders:
        return f"the text holds `{placeholder[0]}`, and nothing is filled in here", "write the value itself"
    return None


def relative(path: Path, root: Path) -> str:
    """Return the path as problems name it: from the project folder, forward slashes, links not followed."""
    return shown(Path(os.path.relpath(os.path.abspath(path), os.path.abspath(root))).as_posix(), MAX_NAME)


def shown(text: str, room: int = 80) -> str:
    """Return a text fit for one line of a message: nothing hidden in it, and not longer than `room`."""
    text = _HIDDEN_IN_TEXT.sub("?", text[: room + 1]).replace("\n", "?")
    return text if len(text) <= room else text[: room - 1] + "…"


def inside(path: Path, root: Path) -> bool:
    """Tell whether the path, with every link followed, is in the project folder."""
    real_root = os.path.realpath(root)
    return os.path.commonpath([real_root, os.path.realpath(path)]) == real_root


class _Unreadable(Exception):
    """The one problem that ends the reading of a file."""

    def __init__(self, line: int, message: str, fix: str):
        super().__init__(message)
        self.line, self.message, self.fix = line, message, fix


class _Enough(Exception):
    """So many problems that more of them help nobody."""


@dataclass
class _Problems:
    file: str
    found: list[Problem] = field(default_factory=list)

    def add(self, line: int, key: str, message: str, fix: str) -> None:
        self.found.append(Problem(self.file, line, key, message, fix))
        if len(self.found) == MAX_PROBLEMS:
            message = f"more than {MAX_PROBLEMS - 1} problems: the file isn't read further"
            self.found.append(Problem(self.file, line, "", message, "mend the ones above first"))
            raise _Enough


# --- bytes ----------------------------------------------------------------------------------------


def _content(path: Path, root: Path) -> bytes:
    if not inside(path, root):
        target = shown(os.path.realpath(path), MAX_NAME)
        message = f"the file leads out of the project folder, to {target}"
        raise _Unreadable(0, message, "keep a copy in the project")
    try:
        mode = os.stat(path).st_mode
        if not stat.S_ISREG(mode):
            kind = _KINDS.get(stat.S_IFMT(mode), "a device")
            fix = "move it away, or put a params file in its place"
            raise _Unreadable(0, f"this is {kind}, not a file", fix)
        # Not blocking: what was a file a moment ago may be a FIFO now.
        descriptor = os.open(path, os.O_RDONLY | getattr(os, "O_NONBLOCK", 0))
        with open(descriptor, "rb") as stream:
            content = stream.read(MAX_BYTES + 1)
    except FileNotFoundError:
        if os.path.islink(path):
            target = shown(os.readlink(path), MAX_NAME)
            message = f"the link leads to {target}, which doesn't exist"
            raise _Unreadable(0, message, "mend the link") from None
        raise _Unreadable(0, "the file doesn't exist", "create it, or mend its name") from None
    except OSError as error:
        message = f"the file can't be read: {error.strerror}"
        raise _Unreadable(0, message, "make it a file you may read") from None
    if len(content) > MAX_BYTES:
        fix = "params are a few kilobytes: look what got in here"
        raise _Unreadable(0, "the file is larger than 1 MiB", fix)
    return content


_KINDS = {
    stat.S_IFDIR: "a folder",
    stat.S_IFIFO: "a FIFO",
    stat.S_IFSOCK: "a socket",
}

_UTF_8 = "save the file as UTF-8"


def _decode(content: bytes) -> str:
    if content.startswith((b"\xff\xfe", b"\xfe\xff", b"\x00\x00\xfe\xff")):
        raise _Unreadable(0, "the file is UTF-16 or UTF-32, not UTF-8", _UTF_8)
    if b"\x00" in content:
        # Latin text in UTF-16 is NUL at every other byte.
        if content.count(b"\x00") * 3 > len(content):
            raise _Unreadable(0, "the file looks like UTF-16 or UTF-32, not UTF-8", _UTF_8)
        line = content.count(b"\n", 0, content.index(b"\x00")) + 1
        raise _Unreadable(line, "the file holds a NUL byte, so it is no text file", "remove the byte")
    try:
        return content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        # `error.object` and its positions are without a byte order mark; lines are the same.
        line = error.object.count(b"\n", 0, error.start) + 1
        byte = error.object[error.start]
        message = f"byte 0x{byte:02X} isn't UTF-8; the file may be Latin-1 or Windows-1252"
        raise _Unreadable(line, message, _UTF_8) from None


def _without_hidden(text: str, problems: _Problems) -> str:
    """Report hidden characters, in comments too; return the text without them, its lines as they were."""
    for match in _HIDDEN_IN_FILE.finditer(text):
        line = text.count("\n", 0, match.start()) + 1
        problems.add(line, "", f"the line holds {_describe(match[0])}", "remove the character")
    return _HIDDEN_IN_FILE.sub("_", text)


def _describe(character: str) -> str:
    if character == "\t":
        return "a tab"
    code = ord(character)
    kind = "invisible character"
    if 0xE000 <= code <= 0xF8FF:
        kind = "private-use character"
    elif 0xD800 <= code <= 0xDFFF:
        kind = "half of a surrogate pair"
    elif code < 0xA0:
        kind = "control character"
    return f"U+{code:04X} ({unicodedata.name(character, kind).lower()})"


# --- events to nodes ------------------------------------------------------------------------------


def _events(text: str, loader: type) -> Iterator[yaml.Event]:
    """Yield PyYAML's events; raise _Unreadable, in words, where the text isn't YAML."""
    events = yaml.parse(text, Loader=loader)
    while True:
        try:
            event = next(events, None)
        except (yaml.YAMLError, ValueError) as error:
            # ValueError: the parser in Python lets chr() fail on an escape such as "\U00110000".
            raise _explain(error, text) from None
        if event is None:
            return
        yield event


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


class _Composer:
    """Builds nodes from events, and reports what YAML allows but params files don't."""

    def __init__(self, problems: _Problems):
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
                raise _Unreadable(event.start_mark.line + 1, message, "params are a few dozen: look here")
            if isinstance(event, yaml.DocumentStartEvent):
                documents += 1
                if documents > 1:
                    message = "a second document starts here; a params file is one"
                    self._report(event, message, "move it to a file of its own, or remove the `---`")
                    return
            elif isinstance(event, yaml.ScalarEvent):
                line, column = event.start_mark.line + 1, event.start_mark.column + 1
                self._take(Scalar(event.value, not event.style, line, column), event)
            elif isinstance(event, yaml.AliasEvent):
                self._take(None, event)
            elif isinstance(event, yaml.CollectionStartEvent):
                mapping = isinstance(event, yaml.MappingStartEvent)
                if len(self.stack) == MAX_DEPTH:
                    message = f"values are nested deeper than {MAX_DEPTH} levels"
                    fix = "params are a few levels deep: look here"
                    raise _Unreadable(event.start_mark.line + 1, message, fix)
                self.stack.append(_Frame(event, {} if mapping else [], wants_key=mapping))
            elif isinstance(event, yaml.CollectionEndEvent):
                frame = self.stack.pop()
                line = frame.start.start_mark.line + 1
                if isinstance(frame.items, dict):
                    self._take(Mapping(frame.items, line), frame.start)
                else:
                    self._take(Sequence(tuple(frame.items), line), frame.start)
        if not documents or (isinstance(self.top, Scalar) and self.top.null):
            raise _Unreadable(0, "the file is empty", "write settings into it, or remove it")
        if self.top and not isinstance(self.top, Mapping):
            kind = "a list" if isinstance(self.top, Sequence) else "one text"
            message = f"the file is {kind} where keys with values are expected"
            fix = "write `key: value` lines, with a space after the colon"
            raise _Unreadable(self.top.line, message, fix)

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
        hidden = isinstance(node, Scalar) and _HIDDEN_IN_TEXT.search(node.value)
        if hidden:
            message = f"the text holds {_describe(hidden[0])}"
            self._report(event, message, "remove the character")
            return False
        edge = isinstance(node, Scalar) and node.plain and _EDGE.search(node.value)
        if edge:
            # YAML takes off ASCII blanks; what is left was copied from a web page.
            message = f"the text begins or ends with {_describe(edge[0])}"
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


def _extends(body: Mapping, problems: _Problems) -> Scalar | None:
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


def _abstract(body: Mapping, problems: _Problems) -> bool:
    line, node = body.items.get("abstract", (0, None))
    if node is None:
        return False
    if isinstance(node, Scalar) and node.plain and node.value in ("true", "false"):
        return node.value == "true"
    fix = "write `abstract: true` in a file that is only there to be extended, else remove the line"
    problems.add(line, "abstract", "this is neither true nor false", fix)
    return True


# --- syntax errors in words -----------------------------------------------------------------------

# (part of PyYAML's "context: problem", from libyaml or from the parser in Python; whether the line is where
# the broken construct starts instead of where it was noticed; message; fix). The first that fits is taken.
_EXPLANATIONS = (
    (
        r"mapping values are not allowed",
        False,
        "a `: ` where no key can stand: inside a value, or in a line indented too far",
        "put a value that holds `: ` in quotes, or line the key up with its neighbours",
    ),
    (r"mapping keys are not allowed", False, "a `? ` where no key can stand", "put the value in quotes"),
    (
        r"sequence entries are not allowed",
        False,
        "a `- ` where no list can start",
        "start the list in the line after its key, or write `key: [a, b]`",
    ),
    (
        r"quot.*found unexpected",
        True,
        "the quote that opens here isn't closed",
        "close it with the same quote",
    ),
    (
        r"flow sequence.*'\]'",
        True,
        "the `[` that opens here isn't closed, or a comma is missing",
        "close it with `]`, and put commas between items",
    ),
    (
        r"flow mapping.*'}'",
        True,
        "the `{` that opens here isn't closed, or a comma is missing",
        "close it with `}`, and put commas between keys",
    ),
    (r"simple key", True, "this line is no `key: value`", "write a key, a colon, a space and the value"),
    (
        r"unknown escape",
        False,
        "a backslash in double quotes starts an escape that doesn't exist",
        "write the backslash twice, or use single quotes",
    ),
    (
        r"Unicode character escape|hexa?decimal|chr\(\)",
        False,
        "an escape in double quotes names no character",
        r"write the character itself, or its number as `\uXXXX` or `\UXXXXXXXX`",
    ),
    (r"scanning an alias", True, "a value can't start with `*`", "put the value in quotes"),
    (r"scanning an anchor", True, "a value can't start with `&`", "put the value in quotes"),
    (r"\btag\b", True, "a value can't start with `!`", "put the value in quotes"),
    (
        r"block (collection|sequence)",
        False,
        "this line isn't part of the list above it",
        "start it with `- `, or indent it like the key of the list",
    ),
    (
        r"block mapping",
        False,
        "this line doesn't fit the keys above it: its indentation differs, or text follows a value's end",
        "line keys of one level up, and put a value in quotes as a whole",
    ),
    (
        r"block scalar",
        False,
        "text follows a `|` or `>`",
        "start the text in the next line, or put it in quotes",
    ),
    (r"node content", False, "a value is missing here", "write it, or remove the comma or bracket"),
    (
        r"directive|incompatible YAML",
        False,
        "a line that starts with `%` or names a YAML version isn't for params files",
        "remove the line",
    ),
    (
        r"document start",
        False,
        "something follows the end of the document",
        "a params file is `key: value` lines, and nothing after `...`",
    ),
)


def _explain(error: Exception, text: str) -> _Unreadable:
    """Return PyYAML's error in words that name the cure."""
    lines = text.split("\n")
    context = getattr(error, "context", None) or ""
    problem = getattr(error, "problem", None) or str(error)
    noticed = getattr(error, "problem_mark", None)
    started = getattr(error, "context_mark", None) or noticed
    last = len(text.rstrip("\n").split("\n"))

    def number(mark: yaml.Mark | None) -> int:
        # A file that ends too early is noticed in the line after its last one.
        return min(mark.line + 1, last) if mark else 0

    conflict = _CONFLICT.search(text)
    if conflict:
        line = text.count("\n", 0, conflict.start()) + 1
        fix = "resolve it, then remove the marks"
        return _Unreadable(line, "the file holds an unresolved merge conflict", fix)
    here = lines[noticed.line] if noticed and noticed.line < len(lines) else ""
    if re.match(r" *\t", here) or "tab character" in problem:
        return _Unreadable(number(noticed), "the line is indented with a tab", "indent with spaces")
    if "cannot start any token" in problem:
        first = here[noticed.column : noticed.column + 1]
        message = f"a value can't start with {'a backtick' if first == '`' else f'`{first}`'}"
        return _Unreadable(number(noticed), message, "put the value in quotes")
    wanted = re.search("block mapping|node content", f"{context}: {problem}")
    if wanted and here[noticed.column :].startswith(":"):
        return _Unreadable(number(noticed), "a key is missing before the colon", "write the key")
    for pattern, at_start, message, fix in _EXPLANATIONS:
        if re.search(pattern, f"{context}: {problem}"):
            return _Unreadable(number(started if at_start else noticed), message, fix)
    return _Unreadable(number(noticed), f"this isn't YAML: {problem}", "mend this line or the one above it")
