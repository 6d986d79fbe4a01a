"""What every part of the reading shares: the resolved document, and where problems and notes are gathered."""

from __future__ import annotations

import re
from collections.abc import Iterable

from generator.document import Document
from generator.errors import Problem, RehearsalError
from generator.resolving import Place, Reference, Resolver, Text, Unknown

# Control characters, line separators and halves of surrogate pairs: none of them belongs into a file made
# from this.
_CONTROL = re.compile("[\x00-\x1f\x7f-\x9f\u2028\u2029\ud800-\udfff]")
_CONTROL_BUT_LINES = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\u2028\u2029\ud800-\udfff]")
_LOGICAL_ID = re.compile(r"[A-Za-z0-9]{1,255}")
_ID = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.:/-]{0,254}")
_DYNAMIC = re.compile(r"\{\{(resolve:[^{}]*)\}\}")


class NotRehearsable(RehearsalError):
    """A template from which no rehearsal can be made; `problems` has every reason, sorted by line."""

    def __init__(self, problems: Iterable[Problem]):
        self.problems = sorted(set(problems))
        super().__init__("\n".join(str(problem) for problem in self.problems))


class Scene:
    """One template on its way to a topology."""

    def __init__(self, document: Document, file: str, resolver: Resolver):
        self.document = document
        self.file = file
        self.resolver = resolver
        self.problems: list[Problem] = []
        self.notes: list[str] = []

    @property
    def region(self) -> str:
        """The region the resolver knows, which is never empty here."""
        return self.resolver.region

    def problem(self, where: Place | int, message: str, fix: str = "") -> None:
        """Something that keeps the template from being rehearsed."""
        line = where if isinstance(where, int) else where.line
        self.problems.append(Problem(self.file, line, "", _CONTROL.sub("?", message), _CONTROL.sub("?", fix)))

    def note(self, sentence: str, where: Place | int = 0) -> None:
        """Something the template leaves open and how it was settled; each sentence is kept once."""
        line = where if isinstance(where, int) else where.line
        sentence = _CONTROL.sub("?", f"{sentence} (line {line})." if line else f"{sentence}.")
        if sentence not in self.notes:
            self.notes.append(sentence)

    def check(self) -> None:
        """Raises NotRehearsable where there are problems."""
        if self.problems:
            raise NotRehearsable(self.problems)

    def check_names(self) -> None:
        """Logical ids become names in files: a problem for each that CloudFormation wouldn't take either."""
        for logical_id, resource in self.document.resources.items():
            if not _LOGICAL_ID.fullmatch(logical_id):
                self.problem(resource.line, f"{logical_id!r} is no logical id", "use letters and digits only")

    def check_conditions(self, *types: str) -> None:
        """A problem for each resource of `types` of which nobody can tell whether it will be there."""
        for resource in self.resolver.resources(*types):
            exists = self.resolver.exists(resource.logical_id)
            if isinstance(exists, Unknown):
                message = f"whether {resource.logical_id} is there isn't known: {exists.reason}"
                self.problem(resource.line, message, remedy(exists))

    # --- values ---

    def text(self, place: Place, what: str, default: str = "", *, lines: bool = False) -> str:
        """Known text at `place`, `default` where nothing is written; a problem where it isn't known or holds
        control characters. `lines` lets line breaks and tabs through."""
        if not place:
            return default
        text = place.text
        if text is None:
            self.unknown(place, what)
            return default
        return self.clean(place, what, text, lines=lines)

    def clean(self, place: Place, what: str, text: str, *, lines: bool = False) -> str:
        """`text` itself; a problem where it holds control characters."""
        if (_CONTROL_BUT_LINES if lines else _CONTROL).search(text):
            self.problem(place, f"{what} holds control characters")
        return text

    def integer(self, place: Place, what: str, default: int = 0, *, least: int = 0, most: int = 2**31) -> int:
        """A known whole number from `least` to `most`; `default` where nothing is written."""
        if not place:
            return default
        number = place.integer
        if number is None:
            self.unknown(place, what, "no whole number")
            return default
        if not least <= number <= most:
            self.problem(place, f"{what} is {number}", f"write a number from {least} to {most}")
            return default
        return number

    def port(self, place: Place, what: str, default: int = 0) -> int:
        """A port number."""
        return self.integer(place, what, default, least=1, most=65535)

    def flag(self, place: Place, what: str, default: bool = False) -> bool:
        """A known true or false; `default` where nothing is written."""
        if not place:
            return default
        flag = place.flag
        if flag is None:
            self.unknown(place, what, "neither true nor false")
        return default if flag is None else flag

    def choice(self, place: Place, what: str, choices: Iterable[str], default: str = "") -> str:
        """One of `choices`; `default` where nothing is written."""
        text = self.text(place, what, default)
        if place and text not in choices and place.text is not None:
            self.problem(place, f"{what} is {text!r}", f"write one of {', '.join(choices)}")
            return default
        return text

    def unknown(self, place: Place, what: str, otherwise: str = "no text") -> None:
        """A problem that says why the value at `place` isn't known and what makes it known."""
        value, why = place.value, place.unknown
        if not place:
            self.problem(place, f"{what} is missing")
        elif why is not None:
            self.problem(place, f"{what} isn't known: {why.reason}", remedy(why))
        elif isinstance(value, (Reference, Text)):
            self.problem(place, f"{what} isn't known: {value} gets its value when it is deployed")
        elif isinstance(value, str) and (dynamic := _DYNAMIC.search(value)):
            self.problem(
                place, f"{what} isn't known: {{{{{dynamic[1]}}}}}", f"give --parameter '{dynamic[1]}=value'"
            )
        else:
            self.problem(place, f"{what} is {otherwise}")

    def known_list(self, place: Place, what: str) -> list[Place]:
        """The places of a list whose length is known; a problem where it isn't."""
        if place.unknown is not None and not isinstance(place.value, Text):
            self.unknown(place, what)
        return list(place)

    def identity(self, place: Place, what: str) -> str:
        """What to call something the template refers to: its logical id, the id or ARN that is written, the
        name of the parameter or export that has it. Empty, with a problem, where it is none of these."""
        value = place.value
        if isinstance(value, Reference):
            return value.logical_id
        if isinstance(value, Unknown) and value.name:
            return plain(value.name)
        if isinstance(value, str) and value.startswith("arn:"):
            return plain(value.split(":", 5)[-1])
        if isinstance(value, str) and _ID.fullmatch(value):
            return value
        if isinstance(value, Text):
            return plain(str(value))
        self.unknown(place, what, "no id")
        return ""


def remedy(unknown: Unknown) -> str:
    """What to do so that it is known, as an instruction; empty where nothing helps."""
    name = unknown.parameter or unknown.name
    return f"give --parameter {name}=value" if name else ""


def plain(name: str) -> str:
    """`name` with everything but letters, digits, dots and dashes replaced: fit to be a name in any file."""
    return re.sub(r"[^A-Za-z0-9.-]+", "-", name).strip("-.") or "unnamed"


def label(name: str) -> str:
    """`name` as one DNS label or Compose name: lower case letters, digits and dashes, a letter first, 63 at
    most."""
    found = re.sub(r"[^a-z0-9]+", "-", name.lower()).strip("-")
    found = found if found[:1].isalpha() else f"t-{found}"
    return found[:63].strip("-")
