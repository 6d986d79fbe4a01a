"""Templates of the project and small ones, changed by one thing at a time."""

from __future__ import annotations

import json
from collections.abc import Mapping
from functools import lru_cache
from typing import Any

from generator.document import parse
from generator.reviewing import Artefact, Review, review
from generator.reviewing.changes import Changes, Side, compare
from generator.reviewing.effects import Effect
from tests.cases import PROJECT

REGION = "eu-central-1"


@lru_cache(maxsize=None)
def committed(name: str) -> str:
    """The committed template of an environment of the project."""
    return (PROJECT / "rendered" / name / "template.yaml").read_text("utf-8")


@lru_cache(maxsize=None)
def stack_json(name: str) -> str:
    """The committed stack.json of an environment."""
    return (PROJECT / "rendered" / name / "stack.json").read_text("utf-8")


def edited(text: str, *changes: tuple[str, str]) -> str:
    """A text with parts replaced that have to be there."""
    for old, new in changes:
        assert old in text, old
        text = text.replace(old, new)
    return text


def template(**resources: Any) -> str:
    """A template of the given resources."""
    return json.dumps({"Resources": resources})


def resource(type_: str, properties: Mapping[str, Any] | None = None, **attributes: Any) -> dict[str, Any]:
    """One resource."""
    return {"Type": type_, "Properties": dict(properties or {}), **attributes}


def compared(before: str, after: str, **known: Any) -> Changes:
    """What is otherwise in `after`."""
    return compare(Side.of(parse(before), **known), Side.of(parse(after), **known))


def names(before: str, after: str, logical_id: str = "") -> dict[str, tuple[str | None, str | None]]:
    """Path -> before and after, of one resource or of all."""
    return {
        change.name: (change.before, change.after)
        for one in compared(before, after).resources
        if logical_id in ("", one.logical_id)
        for change in one.changes
    }


def artefact(
    text: str, stack: Mapping[str, Any] | str | None = None, name: str = "prod", **files: bytes
) -> Artefact:
    """An environment made of a template and a stack.json."""
    told = stack if isinstance(stack, str) else json.dumps({"region": REGION, **(stack or {})})
    return Artefact(
        name, f"rendered/{name}", {"template.yaml": text.encode(), "stack.json": told.encode(), **files}
    )


def reviewed(before: str, after: str, **more: Any) -> Review:
    """The review of a change of a template."""
    return review(artefact(before), artefact(after), **more)


def prod(*changes: tuple[str, str], **more: Any) -> Review:
    """The review of a change of the project's `prod`."""
    told = stack_json("prod")
    return review(
        artefact(committed("prod"), told), artefact(edited(committed("prod"), *changes), told), **more
    )


def effect(found: Review, logical_id: str) -> Effect:
    """What becomes of one resource."""
    return next(one for one in found.effects if one.logical_id == logical_id)


def said(found: Review, topic: str = "") -> list[str]:
    """The sentences about a topic."""
    return [one.text for one in found.consequences if topic in ("", one.topic)]
