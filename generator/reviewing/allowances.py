"""Who allowed what: on the command line, or in allowances.yaml, which is reviewed like anything else."""

from __future__ import annotations

import datetime
import re
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from generator.document import Document, MalformedDocument, parse
from generator.errors import ParamsError, Problem

FILE = "allowances.yaml"
_KEYS = ("id", "environment", "reason", "expires")
_ID = re.compile(r"[A-Za-z][A-Za-z0-9]*([.\[][^*]*)?")


class AllowancesError(ParamsError):
    """allowances.yaml, or an `--allow`, holds problems; all of them are in `problems`."""


@dataclass(frozen=True)
class Allowance:
    """Leave for one logical id, or for one path of it."""

    id: str
    """`Database`, `Database.DeletionProtection`, `stack.termination_protection`."""
    environment: str
    """Empty for any: from the command line."""
    reason: str
    expires: datetime.date | None
    """The last day it holds; None from the command line."""
    place: str
    """`allowances.yaml:3`, or `--allow`."""

    def covers(self, path: str) -> bool:
        """Whether it is leave for what is at `path` (`Database.DeletionProtection`)."""
        return path == self.id or path.startswith((f"{self.id}.", f"{self.id}["))

    def __str__(self) -> str:
        until = f", until {self.expires}" if self.expires else ""
        return f"{self.place}: {self.reason}{until}" if self.reason else self.place


def given(ids: Iterable[str]) -> tuple[Allowance, ...]:
    """What `--allow` names. Raises AllowancesError for one that is no logical id or path."""
    ids = tuple(dict.fromkeys(ids))
    wrong = [
        Problem("--allow", 0, "", f"{one!r} names no single thing", "write a logical id, such as Database")
        for one in ids
        if not _ID.fullmatch(one)
    ]
    if wrong:
        raise AllowancesError(wrong)
    return tuple(Allowance(one, "", "", None, "--allow") for one in ids)


def read(text: str, environments: Iterable[str] = ()) -> tuple[Allowance, ...]:
    """What allowances.yaml allows, expired ones too. `environments` are the names that there are.

    Raises AllowancesError with all that is wrong in it.
    """
    try:
        document = parse(text, FILE)
    except MalformedDocument as error:
        if not text.strip() or not re.search(r"^[^#\s]", text, re.MULTILINE):
            return ()
        raise AllowancesError([error.problem]) from error
    problems: list[Problem] = []
    for key in document.data:
        if key != "allowances":
            problems.append(
                Problem(FILE, document.line((key,)), key, "isn't known here", "write `allowances:`")
            )
    listed = document.data.get("allowances")
    if listed is not None and not isinstance(listed, list):
        problems.append(
            Problem(
                FILE,
                document.line(("allowances",)),
                "allowances",
                "is no list",
                "write one `- id: ...` for each",
            )
        )
    found = []
    for place, one in enumerate(listed if isinstance(listed, list) else ()):
        wrong, made = _entry(document, place, one, tuple(environments))
        problems += wrong
        if made is not None:
            found.append(made)
    if problems:
        raise AllowancesError(problems)
    return tuple(found)


def _entry(
    document: Document, place: int, one: Any, environments: tuple[str, ...]
) -> tuple[list[Problem], Allowance | None]:
    path = ("allowances", place)
    if not isinstance(one, dict):
        return [
            Problem(
                FILE,
                document.line(path),
                "",
                "an allowance is a mapping",
                "write id, environment, reason and expires",
            )
        ], None
    problems = []

    def wrong(key: str, message: str, fix: str = "") -> None:
        problems.append(Problem(FILE, document.line((*path, key)), key, message, fix))

    for key in one:
        if key not in _KEYS:
            wrong(str(key), "isn't known here", f"an allowance has {', '.join(_KEYS)}")
    told = {key: str(one[key]).strip() if isinstance(one.get(key), (str, int)) else "" for key in _KEYS}
    for key in _KEYS:
        if not told[key]:
            wrong(key, "is missing", "say why in a few words" if key == "reason" else "")
    if told["id"] and not _ID.fullmatch(told["id"]):
        wrong("id", f"{told['id']!r} names no single thing", "write a logical id or a path, without *")
    if told["environment"] and environments and told["environment"] not in environments:
        import difflib

        near = difflib.get_close_matches(told["environment"], environments, 1)
        wrong(
            "environment",
            f"there is no environment {told['environment']}",
            f"did you mean {near[0]}?" if near else f"there are {', '.join(environments)}",
        )
    expires = None
    if told["expires"]:
        try:
            expires = datetime.datetime.strptime(told["expires"], "%Y-%m-%d").date()
        except ValueError:
            wrong("expires", f"{told['expires']!r} is no date", "write it as 2027-01-31")
    if problems or expires is None:
        return problems, None
    at = f"{FILE}:{document.line(path)}"
    return [], Allowance(told["id"], told["environment"], told["reason"], expires, at)
