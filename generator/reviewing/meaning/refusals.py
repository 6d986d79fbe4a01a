"""What AWS will refuse, known before it does."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from generator.reviewing.effects import Effect
from generator.reviewing.facts import REFUSED
from generator.reviewing.meaning.base import DANGER, Consequence


def refusals(effects: Iterable[Effect]) -> Iterator[Consequence]:
    """One for each change that makes CloudFormation's update fail, and so the whole deployment."""
    for effect in effects:
        for cause in effect.causes:
            if cause.effect == REFUSED:
                yield Consequence(
                    "Stack",
                    DANGER,
                    f"AWS refuses the change of {effect.logical_id}, and what was done until then is rolled back: "
                    f"{cause.say}",
                    effect.logical_id,
                    source=cause.source,
                )
