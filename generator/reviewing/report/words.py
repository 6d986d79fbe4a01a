"""What several forms of a report say alike."""

from __future__ import annotations

from generator.reviewing.effects import Effect
from generator.reviewing.facts import (
    CONDITIONAL,
    CREATE,
    DELETE,
    EFFECTS,
    IN_PLACE,
    INTERRUPTION,
    NONE,
    REFUSED,
    REPLACEMENT,
)
from generator.reviewing.review import Review

HEADINGS = {
    DELETE: "deleted",
    REPLACEMENT: "made anew",
    CONDITIONAL: "made anew, perhaps",
    REFUSED: "refused by AWS",
    INTERRUPTION: "changed with an interruption",
    IN_PLACE: "changed in place",
    CREATE: "new",
    NONE: "noted, without an effect",
}
"""Effect -> what happens to the resources, the gravest first."""

_TASK_DEFINITION = "AWS::ECS::TaskDefinition"


def heading(effect: Effect) -> str:
    """Under which heading an effect is told: a task definition has revisions, nothing of it is lost."""
    if effect.type == _TASK_DEFINITION and effect.effect == REPLACEMENT:
        return "new revision"
    return HEADINGS[effect.effect]


def headings() -> tuple[str, ...]:
    """All headings, the gravest first."""
    order = [HEADINGS[effect] for effect in reversed(EFFECTS)]
    order.insert(order.index(HEADINGS[IN_PLACE]), "new revision")
    return tuple(order)


def grouped(review: Review) -> dict[str, list[Effect]]:
    """Heading -> effects, in the order of `headings`; those without any are left out."""
    found = {name: [one for one in review.effects if heading(one) == name] for name in headings()}
    return {name: several for name, several in found.items() if several}


def summary(review: Review) -> str:
    """`1 made anew, 12 changed in place`; `nothing changes` if nothing does."""
    parts = [f"{len(several)} {name}" for name, several in grouped(review).items()]
    if review.stack:
        parts.append(f"{len(review.stack)} of the stack's own settings")
    if not review.judged:
        count = len(review.changes.resources)
        parts = (
            [f"{count} resource{'s' if count != 1 else ''} differ{'' if count != 1 else 's'}"]
            if count
            else []
        )
    if review.changes.sections and not parts:
        parts.append("only " + ", ".join(one.logical_id for one in review.changes.sections))
    if not parts and review.files:
        parts.append("only files beside the template")
    return ", ".join(parts) or "nothing changes"


def compared(review: Review) -> str:
    """`HEAD:rendered/prod -> rendered/prod`."""
    before = review.before.where if review.before else "new"
    return f"{before} -> {review.after.where if review.after else 'gone'}"


def causes(effect: Effect) -> list[tuple[str, str]]:
    """(property or empty, why) of what changes only because of another resource, each once."""
    return list(dict.fromkeys((one.name, one.say) for one in effect.causes if one.change is None))
