"""What a deployment would do, as text and for machines."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import asdict
from typing import Any

from generator.deploying import changesets, comparing, masking, operating
from generator.deploying.changesets import AwsChange, Detail
from generator.deploying.comparing import LESS
from generator.deploying.executing import Following
from generator.deploying.preparing import Prepared
from generator.deploying.progress import Planned
from generator.deploying.stacks import Stack
from generator.deploying.target import Target
from generator.document import parse
from generator.errors import DocumentError
from generator.reviewing import effects, report
from generator.showing import escaping, literals

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


def markdown(prepared: Prepared, outcome: str, message: str = "") -> str:
    """The review, and what AWS says."""
    lines = [f"**{escaping.markdown(prepared.target.stack_name)}: {outcome}**", ""]
    lines += [escaping.markdown(message), ""] if message else []
    lines += [f"- {escaping.markdown(text.strip())}" for _, text in text_lines(prepared) if text.strip()]
    return report.markdown([prepared.review]).rstrip("\n") + "\n\n" + "\n".join(lines) + "\n"


def as_data(
    prepared: Prepared, outcome: str, following: Following | None, commit: str, message: str = ""
) -> dict[str, Any]:
    """For machines; values that nobody is to see are stars or `[hidden]`."""
    found, target = prepared.change_set, prepared.target
    now = following.stack if following is not None else None
    hidden = masking.of(target)
    return {
        **about(target, outcome, message),
        "commit": commit,
        "status": now.status if now is not None else None,
        "outputs": dict(outputs(target, now)) if now is not None else None,
        "review": report.as_data(prepared.review),
        "change_set": {
            "arn": found.arn,
            "complete_values": found.values,
            "changes": [_change(one, hidden) for one in changesets.without_hidden(found.changes, _hidden)],
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


def about(target: Target, outcome: str, message: str = "") -> dict[str, Any]:
    """What is known of every deployment, also of one that didn't come far."""
    return {
        "environment": target.name,
        "stack": target.stack_name,
        "account": target.account,
        "region": target.region,
        "outcome": outcome,
        "message": message or None,
    }


def outputs(target: Target, stack: Stack) -> list[tuple[str, str]]:
    """(key, value) of what a stack gives to others. What is made from a NoEcho parameter is hidden, although AWS
    shows it (CloudFormation user guide, "Parameters", NoEcho)."""
    hidden = masking.of(target)
    try:
        secret = operating.secret_outputs(parse(target.template))
    except DocumentError:
        return [(key, masking.HIDDEN) for key, _, _ in stack.outputs]
    return [(key, masking.HIDDEN if key in secret else hidden.hide(value)) for key, value, _ in stack.outputs]


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
    return any(literals.hides(path, one) for one in (detail.before, detail.after) if one)


def _change(one: AwsChange, hidden: masking.Masking) -> dict[str, Any]:
    told = asdict(one)
    for each in told["details"]:
        values = {side: each[side] for side in ("before", "after") if each[side] is not None}
        if any(hidden.hide(value) != value for value in values.values()):
            # What was there before is as secret as what comes.
            each.update(dict.fromkeys(values, masking.HIDDEN))
    return told
