"""What a shell makes of a script: its commands one by one, with what the shell would put in left unknown.

Source: POSIX.1-2017, Shell Command Language, 2.2 to 2.10, with what bash adds to it.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import NamedTuple

SHELLS = ("sh", "bash", "ash", "dash", "ksh", "zsh")

# Words before a command that belong to the shell, and programs that only start another one.
_RESERVED = tuple("if then else elif do while until for case ! { } fi done esac time".split())
_OPENS = ("if", "while", "until", "for", "case", "{")
_CLOSES = ("fi", "done", "esac", "}")
_TESTS = (["["], ["[["], ["test"])
_STARTERS = ("exec", "command", "env", "nohup", "setsid", "tini", "dumb-init", "catatonit", "--")
_OTHER_USERS = ("su", "runuser")
_LEVELS = 4
_ASSIGNMENT = re.compile(r"[A-Za-z_][A-Za-z0-9_]*\+?=.*", re.DOTALL)
_REDIRECTION = re.compile(r"\d*(?![<>]\()(<<<|<<-?|<>|>>|>&|<&|>\||<|>|&>>?)")
_OPERATOR = re.compile(r"&&|\|\||;;&?|;&|\|&|[;&|()\n]")
_VARIABLE = re.compile(r"[A-Za-z_][A-Za-z0-9_]*|[0-9@*#?$!-]")
_COMMAND_FLAG = re.compile(r"-[A-Za-z]*c[A-Za-z]*")

_UNKNOWN = "${…}"
"""Stands for what a command prints that the shell puts in."""


@dataclass(frozen=True)
class Call:
    """A command of a script."""

    words: tuple[str, ...]
    """The program and its arguments, with `${…}` for what the shell puts in; never empty."""
    executed: bool
    """Whether it takes the shell's place by `exec`."""
    last: bool
    """Whether the script ends with it: nothing waits for it, comes behind it or reads what it prints."""
    always: bool = True
    """Whether it runs in any case, as far as what is before it succeeds: no condition, loop or `||` decides."""

    @property
    def program(self) -> str:
        """The program's name, without its folder."""
        return name(self.words[0])


def name(program: str) -> str:
    """A program's name, without its folder."""
    return program.rpartition("/")[2]


def unwrapped(words: list[str]) -> int:
    """How many words at the beginning only start another program: `tini --`, `env X=y`."""
    number = 0
    while number < len(words) and name(words[number]) in _STARTERS:
        number += 1
        while number < len(words) and (_ASSIGNMENT.fullmatch(words[number]) or words[number].startswith("-")):
            number += 1
    return number


def script(words: list[str]) -> int | None:
    """Which of a shell's words is the script behind its `-c`; None where there is none."""
    flags = (number for number, word in enumerate(words[:-1]) if number and _COMMAND_FLAG.fullmatch(word))
    found = next(flags, None)
    return None if found is None else found + 1


def calls(text: str) -> tuple[Call, ...]:
    """The commands of a script in their order; instead of a shell that is given a script, those of that one."""
    return tuple(_with_inner(text, 0))


def _with_inner(text: str, level: int) -> Iterator[Call]:
    found = list(_calls(text))
    for number, one in enumerate(found):
        last = one.last and number == len(found) - 1
        words = list(one.words)
        inner = script(words) if one.program in (*SHELLS, *_OTHER_USERS) and level < _LEVELS else None
        if inner is None:
            yield replace(one, last=last)
            continue
        for call in _with_inner(words[inner], level + 1):
            stays = call.executed and (one.executed or last)
            yield replace(call, executed=stays, last=call.last and last, always=call.always and one.always)


def _calls(text: str) -> Iterator[Call]:
    words: list[str] = []
    depth, before, asked = 0, "", False
    for kind, value in (*_Lexer(text), ("operator", "\n")):
        if kind == "word":
            words.append(value)
            depth += (len(words) == 1) * ((value in _OPENS) - (value in _CLOSES))
            if len(words) == 1 and value in _RESERVED and value not in ("for", "case"):
                words = []
            continue
        if value == "\n" and not words:
            continue
        # A word before `)` is a pattern of `case`, or what a subshell does.
        always = depth == 0 and before != "||" and not (before == "&&" and asked)
        if found := _call(words, depth == 0 and value in (";", "\n"), always):
            yield found
        asked = value == "&&" and (before == "&&" and asked or words[:1] in _TESTS)
        words, before = [], value
        depth = max(depth + (value == "(") - (value == ")"), 0)


def _call(words: list[str], last: bool, always: bool) -> Call | None:
    if words[:1] in (["for"], ["case"]):
        return None
    start = 0
    while start < len(words) and _ASSIGNMENT.fullmatch(words[start]):
        start += 1
    executed = words[start : start + 1] == ["exec"]
    start += unwrapped(words[start:])
    return Call(tuple(words[start:]), executed, last, always) if words[start:] else None


class _Token(NamedTuple):
    kind: str
    """word or operator"""
    value: str


class _Lexer:
    """Takes a script apart into words and operators. Redirections and comments are left out."""

    def __init__(self, text: str):
        self._text = text.replace("\\\n", "")
        self._at = 0
        self._ends: list[str] = []

    def __iter__(self) -> Iterator[_Token]:
        text, redirected = self._text, False
        while self._at < len(text):
            if text[self._at] in " \t\r":
                self._at += 1
            elif text[self._at] == "#":
                self._at = _or_end(text.find("\n", self._at), text)
            elif found := self._redirection():
                redirected = found != "<<"
            elif match := _OPERATOR.match(text, self._at):
                self._at = match.end()
                redirected = False
                yield _Token("operator", match[0])
                if match[0] == "\n":
                    self._skip_documents()
            else:
                word = self._word()
                if not redirected:
                    yield _Token("word", word)
                redirected = False

    def _redirection(self) -> str:
        """Passes over a redirection's sign, and the word behind it where it is a here-document's; empty where
        there is none."""
        match = _REDIRECTION.match(self._text, self._at)
        if match is None:
            return ""
        self._at = match.end()
        if match[1] in ("<<", "<<-"):
            while self._at < len(self._text) and self._text[self._at] in " \t":
                self._at += 1
            self._ends.append(self._word())
            return "<<"
        return match[1]

    def _skip_documents(self) -> None:
        for end in self._ends:
            lines = re.compile(rf"^\t*{re.escape(end)}$", re.MULTILINE).search(self._text, self._at)
            self._at = lines.end() if lines else len(self._text)
        self._ends = []

    def _word(self) -> str:
        text, found, start = self._text, [], self._at
        while self._at < len(text):
            one = text[self._at]
            if text[self._at : self._at + 2] in ("<(", ">("):
                self._at += 1
                self._closing("(", ")")
                found.append(_UNKNOWN)
            elif one in " \t\r\n;&|()<>":
                break
            elif one == "'":
                end = _or_end(text.find("'", self._at + 1), text)
                found.append(text[self._at + 1 : end])
                self._at = end + 1
            elif one == '"':
                found.append(self._quoted())
            elif one == "\\":
                found.append(text[self._at + 1 : self._at + 2])
                self._at += 2
            else:
                found.append(self._plain())
        self._at = max(self._at, start + 1)
        return "".join(found)

    def _quoted(self) -> str:
        """A text in double quotes."""
        found = []
        self._at += 1
        while self._at < len(self._text) and self._text[self._at] != '"':
            if self._text[self._at] == "\\" and self._text[self._at + 1 : self._at + 2] in ("$", "`", '"', "\\"):
                found.append(self._text[self._at + 1])
                self._at += 2
            else:
                found.append(self._plain())
        self._at += 1
        return "".join(found)

    def _plain(self) -> str:
        """A character, or what stands for something the shell puts in."""
        text, start = self._text, self._at
        self._at += 1
        if text[start] == "`":
            self._at = _or_end(text.find("`", self._at), text) + 1
            return _UNKNOWN
        if text[start] != "$":
            return text[start]
        if text[self._at : self._at + 1] == "(":
            self._closing("(", ")")
            return _UNKNOWN
        if text[self._at : self._at + 1] == "{":
            self._closing("{", "}")
            return text[start : self._at]
        if text[self._at : self._at + 1] == "'":
            return ""
        if match := _VARIABLE.match(text, self._at):
            self._at = match.end()
            return f"${{{match[0]}}}"
        return "$"

    def _closing(self, opens: str, closes: str) -> None:
        """Passes over what stands in brackets, the opening one at the place."""
        depth = 0
        while self._at < len(self._text):
            one = self._text[self._at]
            self._at += 1
            depth += (one == opens) - (one == closes)
            if depth == 0:
                return


def _or_end(found: int, text: str) -> int:
    return len(text) if found < 0 else found
