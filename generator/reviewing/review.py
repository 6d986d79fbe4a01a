"""The review of one environment: what changes, what that does, what it means, and what needs leave."""

from __future__ import annotations

import datetime
from collections.abc import Iterable
from dataclasses import dataclass, replace

from generator.document import parse
from generator.errors import DocumentError
from generator.reviewing.allowances import Allowance
from generator.reviewing.artefact import TEMPLATE, Artefact
from generator.reviewing.changes import Change, Changes, compare, compare_data
from generator.reviewing.effects import Effect, judge
from generator.reviewing.gate import Hazard, hazards
from generator.reviewing.meaning import (
    Consequence,
    Reading,
    costs,
    keycloak,
    listening,
    permissions,
    reaching,
    refusals,
)
from generator.reviewing.meaning.base import DANGER, NOTE, WARNING

# What stack.json says of how it was made, and what other files say better.
_DERIVED = ("generated_from", "keycloak_version", "image", "holds_data")


@dataclass(frozen=True, eq=False)
class Review:
    """One environment, or two templates, compared."""

    name: str
    before: Artefact | None
    """None where the environment is new."""
    after: Artefact | None
    """None where it is gone."""
    changes: Changes
    effects: tuple[Effect, ...]
    """The gravest first."""
    consequences: tuple[Consequence, ...]
    """The gravest first, topic by topic."""
    stack: tuple[Change, ...]
    """What is otherwise in stack.json, tags and parameters; the path says in which."""
    files: tuple[str, ...]
    """Other files of the environment that are otherwise."""
    hazards: tuple[Hazard, ...]
    """What needs leave; each with the allowance that gives it, if any does."""
    allowances: tuple[tuple[str, Allowance], ...] = ()
    """(expired or unused, allowance) of this environment's."""
    judged: bool = True
    """Whether effects and consequences were asked for."""

    @property
    def refused(self) -> tuple[Hazard, ...]:
        """What nobody allowed."""
        return tuple(one for one in self.hazards if one.allowed_by is None)

    @property
    def changed(self) -> bool:
        """Whether anything is otherwise that AWS or Keycloak would notice."""
        return bool(self.changes or self.effects or self.stack or self.consequences)

    def count(self, effect: str) -> int:
        """How many resources have that effect."""
        return sum(one.effect == effect for one in self.effects)


def differences(before: Artefact, after: Artefact) -> Review:
    """What is otherwise between two environments, without what comes from their own names; no effects, since
    nobody makes the one into the other. Raises MalformedDocument and ReviewError for what can't be read."""
    changes = compare(before.side(after), after.side(before))
    return Review(f"{before.name} -> {after.name}", before, after, changes, (), (), (), (), (), judged=False)


def review(
    before: Artefact | None,
    after: Artefact | None,
    allowances: Iterable[Allowance] = (),
    today: datetime.date | None = None,
) -> Review:
    """The review of a change. Allowances that expired before `today` don't count; without a day none did.

    Raises MalformedDocument and ReviewError for what can't be read.
    """
    known = after or before
    assert known is not None, "nothing to review"
    if after is None:
        text = f"rendered/{known.name} is gone: that deletes nothing, its stack stays as it is"
        told = (Consequence("Stack", WARNING, text),)
        return Review(known.name, before, None, Changes((), ()), (), told, (), tuple(known.files), ())
    was = before if before is not None else _nothing(after)
    changes = compare(was.side(), after.side())
    effects = judge(changes, was.document, after.document, after.region)
    one, other = Reading.of(was), Reading.of(after)
    consequences = (
        sorted(
            dict.fromkeys(
                (
                    *refusals(effects),
                    *keycloak(one, other, effects),
                    *reaching(one, other),
                    *listening(one, other),
                    *permissions(one, other),
                    *costs(one, other),
                )
            ),
            key=lambda each: (DANGER, WARNING, NOTE).index(each.weight),
        )
        if changes or _image(was, after)
        else []
    )
    stack = tuple(_beside(was, after)) if before is not None else ()
    mine = [each for each in allowances if each.environment in ("", after.name)]
    found, left = _allowed(
        hazards(was, after, effects, consequences) if before is not None else (), mine, today
    )
    return Review(
        after.name,
        before,
        after,
        changes,
        effects,
        tuple(consequences),
        stack,
        tuple(_files(was, after)),
        found,
        left,
    )


def _nothing(after: Artefact) -> Artefact:
    """What there was before an environment's first deployment."""
    return Artefact(after.name, "nothing", {TEMPLATE: b"Resources: {}\n"})


def _image(before: Artefact, after: Artefact) -> bool:
    return any(path.startswith("image/") for path in _files(before, after))


def _files(before: Artefact, after: Artefact) -> list[str]:
    every = before.files.keys() | after.files.keys()
    return sorted(path for path in every - {TEMPLATE} if before.files.get(path) != after.files.get(path))


def _beside(before: Artefact, after: Artefact) -> Iterable[Change]:
    """What is otherwise in stack.json, tags.json and parameters.json."""
    documents = []
    for side in (before, after):
        try:
            documents.append(parse(side.text("stack.json") or "{}", "stack.json"))
        except DocumentError:
            documents.append(parse("{}", "stack.json"))
    for one in compare_data(*documents):
        if one.path[0] not in _DERIVED:
            yield replace(one, path=("stack", *one.path))
    for name, old, new in (
        ("tags", before.tags, after.tags),
        ("parameters", before.parameters, after.parameters),
    ):
        for key in sorted(old.keys() | new.keys()):
            if old.get(key) != new.get(key):
                values = [old.get(key), new.get(key)]
                if name == "parameters":
                    values = [_parameter(side, key, value) for side, value in zip((before, after), values)]
                lines = [_line(side.text(f"{name}.json"), key) for side in (before, after)]
                yield Change((name, key), *values, *lines)


def _parameter(side: Artefact, key: str, value: str | None) -> str | None:
    """A parameter's value as a report may show it."""
    from generator.reviewing.values import HIDDEN
    from generator.showing.literals import hides, no_echo

    declared = side.document.data.get("Parameters")
    declared = declared.get(key) if isinstance(declared, dict) else None
    return value if value is None or not (no_echo(declared) or hides((key,), value)) else HIDDEN


def _line(text: str | None, key: str) -> int:
    lines = (text or "").splitlines()
    return next((number for number, line in enumerate(lines, 1) if f'"{key}"' in line), 1)


def _allowed(
    found: Iterable[Hazard], allowances: list[Allowance], today: datetime.date | None
) -> tuple[tuple[Hazard, ...], tuple[tuple[str, Allowance], ...]]:
    """The hazards with who allowed them, and the allowances that expired or allow nothing."""
    over = [
        one for one in allowances if one.expires is not None and today is not None and one.expires < today
    ]
    valid = [one for one in allowances if one not in over]
    told, used = [], set()
    for hazard in found:
        leave = next((one for one in valid if one.covers(hazard.path)), None)
        if leave is not None:
            used.add(leave)
        told.append(replace(hazard, allowed_by=leave))
    left = [("expired", one) for one in over] + [("unused", one) for one in valid if one not in used]
    return tuple(told), tuple(left)
