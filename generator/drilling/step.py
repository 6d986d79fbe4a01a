"""A step of a drill: what it does to the environment, and what it promises."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from generator.drilling import promises
from generator.drilling.exercise import Exercise
from generator.drilling.promises import Promise
from generator.rehearsing.topology import Topology


@dataclass(frozen=True)
class Step:
    """A part of the drill that can be run by itself."""

    name: str
    title: str
    does: str
    """What it does to the environment, as a sentence."""
    hurts: bool
    """Whether users of a deployed environment could notice."""
    promises: Mapping[str, str]
    """Name to sentence, in the order of the report. What a step doesn't judge counts as not run."""
    run: Callable[[Step, Exercise], Iterator[Promise]]
    """Yields promises as they are decided. Raises RehearsalError, AdminUnreachable, NoAnswer or Failed where
    it can't go on; what it broke it has put right by then."""
    estimate: Callable[[Exercise], float]
    """Seconds that it is likely to take."""
    realm: bool = True
    """Whether it needs the temporary realm."""
    needs: str = ""
    """The method of the target without which it can't be run."""
    absent: Callable[[Topology], str] = lambda topology: ""
    """Why there is nothing in a template that it could try; empty where there is. Nobody is told of such a step unless
    it was asked for."""

    def judged(self, name: str, broken: str, **more: Any) -> Promise:
        """A promise of this step: kept if `broken` is empty, else broken for that reason."""
        return promises.judged(f"{self.name}.{name}", self.promises[name], broken, **more)

    def not_run(self, name: str, reason: str, **more: Any) -> Promise:
        """A promise of this step that wasn't tried."""
        return promises.not_run(f"{self.name}.{name}", self.promises[name], reason, **more)

    def none_run(self, reason: str) -> Iterator[Promise]:
        """All promises of this step, none of which could be tried."""
        return (self.not_run(name, reason) for name in self.promises)
