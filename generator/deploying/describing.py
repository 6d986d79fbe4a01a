"""What a deployment would do, as text and for machines."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import asdict
from typing import Any

from generator.deploying import changesets, comparing
from generator.deploying.changesets import AwsChange, Detail
from generator.deploying.comparing import LESS
from generator.deploying.executing import Following
from generator.deploying.preparing import Prepared
from generator.deploying.progress import Planned
from generator.reviewing import effects, report, secrets
from generator.reviewing.report import escaping

Lines = Iterable[tuple[str, str]]


def text_lines(prepared: Prepared) -> Lines:
    """(style, text) of what AWS says, after the review has been said."""
    target, found = prepared.target, prepared.change_set
    if found is not None:
        changes = found.changes
        counts = ", ".join(
            f"{sum(effect == comparing.effect_of(one) for one in changes)} {word}"
            for effect, word in _WORDS
            if any(effect == comparing.effect_of(one) for one in changes)
        )
        yield "", ""
        yield "bold", f"AWS: the change set of {target.stack_name} has {len(changes)} change(s): {counts}"
        if prepared.review.before is None:
            pass
        elif not prepared.surprises:
            yield "add", "  as the review says"
        for one in prepared.surprises:
            style = "dim" if one.kind == LESS else "warning"
            yield style, f"  {escaping.plain(one.text)}"
        if not found.values:
            yield "dim", "  AWS left out some of the properties' values"
    for one in prepared.warnings:
        place = one.path or one.logical_id
        yield "warning", escaping.plain(f"  AWS' checks: {place + ': ' if place else ''}{one.reason}")
    for text in prepared.protections:
        yield "", f"  {text}"
    for one in prepared.hazards:
        if one in prepared.review.hazards:
            continue
        leave = f"allowed by {one.allowed_by}" if one.allowed_by else "needs leave"
        yield "dim" if one.allowed_by else "error", escaping.plain(f"  {one.text}: {leave}")


_WORDS = (
    (effects.CREATE, "made"),
    (effects.IN_PLACE, "in place"),
    (effects.CONDITIONAL, "perhaps made anew"),
    (effects.REPLACEMENT, "made anew"),
    (effects.DELETE, "deleted"),
)


def markdown(prepared: Prepared, outcome: str) -> str:
    """The review, and what AWS says."""
    lines = [f"**{escaping.markdown(prepared.target.stack_name)}: {outcome}**", ""]
    lines += [f"- {escaping.markdown(text.strip())}" for _, text in text_lines(prepared) if text.strip()]
    return report.markdown([prepared.review]).rstrip("\n") + "\n\n" + "\n".join(lines) + "\n"


def as_data(prepared: Prepared, outcome: str, following: Following | None, commit: str) -> dict[str, Any]:
    """For machines; values that nobody is to see are stars."""
    found = prepared.change_set
    return {
        "environment": prepared.target.name,
        "stack": prepared.target.stack_name,
        "account": prepared.target.account,
        "region": prepared.target.region,
        "commit": commit,
        "outcome": outcome,
        "status": following.stack.status if following is not None and following.stack is not None else None,
        "outputs": {key: value for key, value, _ in following.stack.outputs}
        if following is not None and following.stack is not None
        else None,
        "review": report.as_data(prepared.review),
        "change_set": {
            "arn": found.arn,
            "complete_values": found.values,
            "changes": [asdict(one) for one in changesets.without_hidden(found.changes, _hidden)],
        }
        if found is not None
        else None,
        "surprises": [asdict(one) for one in prepared.surprises],
        "needs_leave": [
            {
                "id": one.logical_id,
                "path": one.path,
                "kind": one.kind,
                "text": one.text,
                "allowed_by": str(one.allowed_by) if one.allowed_by else None,
            }
            for one in prepared.hazards
        ],
        "warnings": [asdict(one) for one in prepared.warnings],
        "protections": list(prepared.protections),
    }


def planned(prepared: Prepared) -> list[Planned]:
    """What there is to do, resource by resource."""
    if prepared.change_set is None:
        return []
    return [
        Planned(
            one.logical_id,
            one.type,
            "Replace" if one.action == changesets.MODIFY and one.replacement == "True" else one.action,
        )
        for one in prepared.change_set.changes
    ]


def _hidden(change: AwsChange, detail: Detail) -> bool:
    path = tuple(step for step in detail.path.split("/") if step and step != "Properties")
    return any(secrets.hides(path, one) for one in (detail.before, detail.after) if one)
