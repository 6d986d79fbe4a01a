"""A review for a terminal; styles are the command line's names."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from generator.reviewing.changes import Change
from generator.reviewing.effects import Effect
from generator.reviewing.facts import (
    CONDITIONAL,
    CREATE,
    DELETE,
    IN_PLACE,
    NONE,
    REFUSED,
    REPLACEMENT,
)
from generator.reviewing.meaning.base import DANGER, WARNING
from generator.reviewing.report.words import causes, compared, grouped, summary
from generator.reviewing.review import Review
from generator.showing.escaping import cut, plain

Line = tuple[str, str]

_STYLES = {DANGER: "error", WARNING: "warning"}
_MARKS = {"added": ("+", "add"), "removed": ("-", "remove"), "changed": ("~", "")}


def text_lines(review: Review) -> Iterator[Line]:
    """(style, line) of a whole report."""
    for style, line in _lines(review):
        yield style, plain(line)


def _lines(review: Review) -> Iterator[Line]:
    yield "bold", f"{review.name}: {summary(review)}"
    yield "dim", f"  {compared(review)}"
    yield from _gate(review)
    for topic in dict.fromkeys(one.topic for one in review.consequences):
        yield "", ""
        yield "bold", topic
        for one in review.consequences:
            if one.topic == topic:
                yield _STYLES.get(one.weight, ""), f"  {_BULLET[one.weight]} {one.text}"
                if one.do:
                    yield "dim", f"      {one.do}"
    for heading, effects in grouped(review).items():
        yield "", ""
        yield "bold", f"Resources {heading}"
        for effect in effects:
            yield from _resource(effect)
    if not review.judged:
        yield from _differences(review)
    yield from _beside(review)


_BULLET = {DANGER: "!!", WARNING: " !", "note": "  "}


def _gate(review: Review) -> Iterator[Line]:
    if review.refused:
        yield "", ""
        yield "error", "Not allowed yet"
        for one in review.refused:
            yield "error", f"  {one.text}"
            yield (
                "dim",
                f"      allow it with --allow {one.path}, or in allowances.yaml with a reason and a day",
            )
    allowed = [one for one in review.hazards if one.allowed_by is not None]
    if allowed:
        yield "", ""
        yield "bold", "Allowed"
        for one in allowed:
            yield "warning", f"  {one.text}"
            yield "dim", f"      {one.allowed_by}"
    for word, one in review.allowances:
        what = (
            f"expired on {one.expires}"
            if word == "expired"
            else "allows nothing that happens here: take it out"
        )
        yield "warning", f"  {one.place}: the allowance for {one.id} {what}"


def _resource(effect: Effect) -> Iterator[Line]:
    grave = effect.loses or effect.effect == REFUSED
    style = (
        "error"
        if grave
        else "warning"
        if effect.effect in (REPLACEMENT, CONDITIONAL, DELETE)
        else ("add" if effect.effect == CREATE else "")
    )
    holds = f", holds {effect.holds}" if effect.holds and effect.effect not in (IN_PLACE, NONE) else ""
    yield style, f"  {effect.logical_id} ({effect.type}{holds}) line {effect.line}"
    if effect.fate:
        yield style, f"      {effect.fate}"
    for note in effect.notes:
        yield "warning", f"      {note}"
    if effect.change is None or not effect.change.changes:
        for name, say in causes(effect)[:3]:
            if name or say:
                yield "dim", f"      {f'{name}: ' if name and say else name}{say}"
        return
    told = {id(one.change): one for one in effect.causes if one.change is not None}
    for change in effect.change.changes:
        yield from _change(change)
        cause = told.get(id(change))
        if cause is not None and cause.effect not in (IN_PLACE, NONE) or cause is not None and cause.say:
            word = "" if cause.effect == IN_PLACE else f"{cause.effect}: "
            yield "dim", f"          {word}{cause.say or 'fixed when the resource is made'}"
    for name, say in causes(effect)[:3]:
        yield "dim", f"      {f'{name}: ' if name else ''}{say}"


def _change(change: Change, indent: str = "      ") -> Iterator[Line]:
    mark, style = _MARKS[change.kind]
    name = f"{change.name}: " if change.path else ""
    if change.kind == "changed":
        text = f"{cut(change.before or '')} -> {cut(change.after or '')}"
    else:
        text = cut((change.after if change.kind == "added" else change.before) or "")
    yield style, f"{indent}{mark} {name}{text}"


def _differences(review: Review) -> Iterator[Line]:
    for one in review.changes.resources:
        yield "", ""
        style = {"added": "add", "removed": "remove"}.get(one.kind, "")
        where = {"added": f"only in {review.after.name}", "removed": f"only in {review.before.name}"}.get(
            one.kind, ""
        )
        yield style or "bold", f"{one.logical_id} ({one.type}){f' {where}' if where else ''} line {one.line}"
        for change in one.changes:
            yield from _change(change, "  ")


def _beside(review: Review) -> Iterator[Line]:
    told: list[tuple[str, Iterable[Change]]] = [("Stack settings", review.stack)] if review.stack else []
    told += [(one.logical_id, one.changes) for one in review.changes.sections]
    for heading, changes in told:
        yield "", ""
        yield "bold", heading
        for change in changes:
            yield from _change(change, "  ")
    others = [path for path in review.files if path not in ("stack.json", "tags.json", "parameters.json")]
    if others and review.after is not None and review.before is not None:
        yield "", ""
        yield "dim", f"Other files that changed: {', '.join(others)}"
