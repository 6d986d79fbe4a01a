"""Reviews as plain data for JSON."""

from __future__ import annotations

from typing import Any

from generator.reviewing.allowances import Allowance
from generator.reviewing.changes import Change
from generator.reviewing.report.words import summary
from generator.reviewing.review import Review


def as_data(review: Review) -> dict[str, Any]:
    """One review; secrets are hidden in it as in any other form."""
    return {
        "environment": review.name,
        "before": review.before.where if review.before else None,
        "after": review.after.where if review.after else None,
        "changed": review.changed,
        "summary": summary(review),
        "refused": bool(review.refused),
        "hazards": [
            {
                "id": one.logical_id,
                "path": one.path,
                "kind": one.kind,
                "text": one.text,
                "allowed_by": _allowance(one.allowed_by),
            }
            for one in review.hazards
        ],
        "allowances": [{"state": word, **(_allowance(one) or {})} for word, one in review.allowances],
        "consequences": [
            {
                "topic": one.topic,
                "weight": one.weight,
                "text": one.text,
                "id": one.logical_id,
                "do": one.do,
                "source": one.source,
            }
            for one in review.consequences
        ],
        "resources": [
            {
                "id": one.logical_id,
                "type": one.type,
                "effect": one.effect,
                "holds": one.holds,
                "loses": one.loses,
                "policy": one.policy,
                "fate": one.fate,
                "notes": list(one.notes),
                "line": one.line,
                "renamed": one.change.renamed if one.change else "",
                "causes": [
                    {
                        "effect": each.effect,
                        "property": each.name,
                        "text": each.say,
                        "source": each.source,
                        "carried_from": each.carried_from,
                    }
                    for each in one.causes
                ],
                "changes": [_change(each) for each in one.change.changes] if one.change else [],
            }
            for one in review.effects
        ],
        "differences": []
        if review.judged
        else [
            {
                "id": one.logical_id,
                "type": one.type,
                "kind": one.kind,
                "changes": [_change(x) for x in one.changes],
            }
            for one in review.changes.resources
        ],
        "sections": {
            one.logical_id: [_change(each) for each in one.changes] for one in review.changes.sections
        },
        "stack": [_change(one) for one in review.stack],
        "files": list(review.files),
    }


def _change(one: Change) -> dict[str, Any]:
    return {
        "property": one.name,
        "kind": one.kind,
        "before": one.before,
        "after": one.after,
        "before_line": one.before_line,
        "after_line": one.after_line,
    }


def _allowance(one: Allowance | None) -> dict[str, str] | None:
    return (
        None
        if one is None
        else {"id": one.id, "place": one.place, "reason": one.reason, "expires": str(one.expires or "")}
    )
