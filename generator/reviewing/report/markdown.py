"""Reviews as Markdown: a summary first, then each environment with its details folded.

Where a picture of an environment belongs, `figures` puts it: Markdown by the environment's name.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from generator.reviewing.changes import Change
from generator.reviewing.effects import Effect
from generator.reviewing.meaning.base import DANGER, WARNING
from generator.reviewing.report.words import causes, compared, grouped, heading, summary
from generator.reviewing.review import Review
from generator.showing.escaping import code, cut
from generator.showing.escaping import markdown as md

_SIGNS = {DANGER: "🔴", WARNING: "🟠", "note": "⚪"}


def markdown(reviews: Sequence[Review], figures: Mapping[str, str] | None = None) -> str:
    """All reviews as one text. GitHub takes no more than 65,536 characters in a comment; a job's summary
    takes more."""
    lines = [*_summary(reviews)]
    for one in reviews:
        lines += ["", *_review(one, (figures or {}).get(one.name, ""))]
    return "\n".join(lines) + "\n"


def _summary(reviews: Sequence[Review]) -> Iterator[str]:
    yield "## What this change does"
    yield ""
    if not reviews:
        yield "Nothing under rendered/ changed."
        return
    yield "| environment | what happens | data | leave |"
    yield "|---|---|---|---|"
    for one in reviews:
        losing = [effect.logical_id for effect in one.effects if effect.loses]
        leave = (
            f"🔴 {len(one.refused)} not allowed"
            if one.refused
            else (f"🟠 {len(one.hazards)} allowed" if one.hazards else "none needed")
        )
        data = f"🔴 {md(', '.join(losing))}" if losing else "untouched" if one.judged else "-"
        yield f"| {md(one.name)} | {md(summary(one))} | {data} | {leave if one.judged else '-'} |"


def _review(review: Review, figure: str) -> Iterator[str]:
    yield f"### {md(review.name)}"
    yield ""
    yield md(compared(review))
    if review.refused:
        yield ""
        yield "**Not allowed yet**"
        yield ""
        for one in review.refused:
            yield f"- 🔴 {md(one.text)}. Allow it with {code('--allow ' + one.path)} or in allowances.yaml."
    for one in review.hazards:
        if one.allowed_by is not None:
            yield ""
            yield f"- 🟠 {md(one.text)}. Allowed: {md(str(one.allowed_by))}"
    for word, one in review.allowances:
        yield ""
        yield f"- 🟠 {md(one.place)}: the allowance for {code(one.id)} is {word}"
    if figure:
        yield ""
        yield figure
    if review.consequences:
        yield ""
        yield "| | what it means |"
        yield "|---|---|"
        for one in review.consequences:
            do = f" {md(one.do)}" if one.do else ""
            yield f"| {_SIGNS[one.weight]} {md(one.topic)} | {md(one.text)}.{do} |"
    for name, effects in grouped(review).items():
        yield from _folded(f"{len(effects)} {name}", _effects(effects))
    if not review.judged and review.changes.resources:
        rows = [
            row for one in review.changes.resources for row in _rows(one.logical_id, one.kind, one.changes)
        ]
        yield from _folded(summary(review), iter(_table(rows)))
    rows = [row for one in review.changes.sections for row in _rows(one.logical_id, "", one.changes)]
    rows += _rows("stack settings", "", review.stack)
    if rows:
        yield from _folded("beside the resources", iter(_table(rows)))
    if review.files and review.before is not None and review.after is not None:
        yield ""
        yield f"Other files: {md(', '.join(review.files))}"


def _folded(title: str, lines: Iterator[str]) -> Iterator[str]:
    yield ""
    yield f"<details><summary>{md(title)}</summary>"
    yield ""
    yield from lines
    yield ""
    yield "</details>"


def _effects(effects: Sequence[Effect]) -> Iterator[str]:
    for one in effects:
        holds = f", holds {md(one.holds)}" if one.loses else ""
        yield f"- **{md(one.logical_id)}** {md(one.type)}{holds}, {heading(one)}"
        for text in filter(None, (one.fate, *one.notes)):
            yield f"  - {md(text)}"
        for name, say in causes(one)[:3]:
            if name or say:
                yield f"  - {code(name) + ' ' if name else ''}{md(say)}"
    rows = [row for one in effects if one.change for row in _rows(one.logical_id, "", one.change.changes)]
    if rows:
        yield ""
        yield from _table(rows)


def _rows(logical_id: str, kind: str, changes: Sequence[Change]) -> list[str]:
    if not changes and kind:
        return [f"| {md(logical_id)} | {kind} | | |"]
    return [
        f"| {md(logical_id)} | {code(cut(one.name)) if one.path else ''} "
        f"| {'' if one.before is None else code(cut(one.before))} "
        f"| {'' if one.after is None else code(cut(one.after))} |"
        for one in changes
    ]


def _table(rows: list[str]) -> list[str]:
    return ["| resource | property | before | after |", "|---|---|---|---|", *rows]
