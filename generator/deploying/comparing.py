"""What AWS will do, beside what the review says: AWS sees the stack as it is, the review only its template."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from generator.deploying.changesets import ADD, MODIFY, REMOVE, AwsChange
from generator.reviewing import Effect, Hazard, Review, effects

MORE, WORSE, LESS = "more", "worse", "less"

# From harmless to what takes something away; what is on a par isn't told apart.
_GRAVITY = {
    effects.NONE: 0,
    effects.CREATE: 0,
    effects.IN_PLACE: 1,
    effects.INTERRUPTION: 1,
    effects.CONDITIONAL: 2,
    effects.REFUSED: 3,
    effects.REPLACEMENT: 3,
    effects.DELETE: 4,
}


@dataclass(frozen=True)
class Surprise:
    """One resource of which AWS says something else than the review."""

    logical_id: str
    type: str
    kind: str
    """`more` (the review doesn't know that it changes), `worse`, `less`."""
    review: str
    """The effect that the review names; empty for `more`."""
    aws: str
    """The effect that AWS names; empty where it leaves the resource alone."""
    text: str
    """What is otherwise and why, without a full stop."""


def surprises(review: Review, changes: Iterable[AwsChange]) -> tuple[Surprise, ...]:
    """Where AWS and the review differ, the gravest first."""
    known = {one.logical_id: one for one in review.effects}
    seen = {}
    found = []
    for one in changes:
        seen[one.logical_id] = one
        told = _surprise(one, known.get(one.logical_id))
        if told is not None:
            found.append(told)
    for name, effect in known.items():
        if name not in seen and _GRAVITY[effect.effect] > 0:
            text = f"AWS leaves {name} alone; the review says: {effect.effect}"
            found.append(Surprise(name, effect.type, LESS, effect.effect, "", text))
    return tuple(sorted(found, key=lambda one: ((WORSE, MORE, LESS).index(one.kind), one.logical_id)))


def hazards(review: Review, changes: Iterable[AwsChange]) -> tuple[Hazard, ...]:
    """What would be lost of what holds data, as far as only AWS sees it."""
    asked = {one.logical_id for one in review.hazards if one.kind in ("deleted", "replaced")}
    found = []
    for one in changes:
        holds, effect = effects.holds_data(one.type), effect_of(one)
        if not holds or one.logical_id in asked or _GRAVITY[effect] < _GRAVITY[effects.CONDITIONAL]:
            continue
        word = {effects.DELETE: "is deleted", effects.REPLACEMENT: "is made anew"}.get(effect, "may be made anew")
        kind = "deleted" if effect == effects.DELETE else "replaced"
        fate = f" ({one.policy_action})" if one.policy_action else ""
        text = f"{one.logical_id} holds a {holds} and {word}{_because(one)}, says AWS{fate}"
        found.append(Hazard(one.logical_id, one.logical_id, kind, text))
    return tuple(found)


def effect_of(change: AwsChange) -> str:
    """The review's word for what AWS will do."""
    if change.action == REMOVE:
        return effects.DELETE
    if change.action == MODIFY:
        return {"True": effects.REPLACEMENT, "Conditional": effects.CONDITIONAL}.get(
            change.replacement, effects.IN_PLACE
        )
    if change.action in (ADD, "Import"):
        return effects.CREATE
    # `Dynamic`: AWS finds out while it works.
    return effects.CONDITIONAL


def _surprise(change: AwsChange, effect: Effect | None) -> Surprise | None:
    aws, name = effect_of(change), change.logical_id
    if effect is None:
        # Nothing is asked of a resource because its neighbour may get another attribute, unless it does.
        if _only_maybe(change) and (aws == effects.IN_PLACE or not effects.holds_data(change.type)):
            return None
        text = f"AWS changes {name} as well: {_SAID[aws]}{_because(change)}"
        return Surprise(name, change.type, MORE, "", aws, text)
    gap = _GRAVITY[aws] - _GRAVITY[effect.effect]
    if gap > 0 and not (effect.effect in (effects.NONE, effects.CREATE) and aws == effects.IN_PLACE):
        text = f"{name}: {_SAID[aws]}{_because(change)}, says AWS; the review says: {effect.effect}"
        return Surprise(name, change.type, WORSE, effect.effect, aws, text)
    if gap < 0 and _GRAVITY[effect.effect] > _GRAVITY[effects.INTERRUPTION]:
        text = f"{name}: {_SAID[aws]}, says AWS; the review says: {effect.effect}"
        return Surprise(name, change.type, LESS, effect.effect, aws, text)
    return None


_SAID = {
    effects.CREATE: "made",
    effects.IN_PLACE: "changed in place",
    effects.CONDITIONAL: "perhaps made anew",
    effects.REPLACEMENT: "made anew",
    effects.DELETE: "deleted",
}


def _only_maybe(change: AwsChange) -> bool:
    """Whether AWS names the resource only because it can't rule it out: what it refers to changes, and perhaps
    not in what is referred to."""
    return (
        change.action == MODIFY
        and change.replacement != "True"
        and bool(change.details)
        and all(not one.certain for one in change.details)
    )


def _because(change: AwsChange) -> str:
    causes = [
        f"{one.path or one.attribute}{f' ({one.cause})' if one.cause else ''}"
        for one in change.details
        if effect_of(change) == effects.IN_PLACE or one.recreation in ("Always", "Conditionally")
    ]
    listed = ", ".join(dict.fromkeys(causes))
    return f" because of {listed}" if listed else ""
