"""A node falls silent without its connections breaking: frozen, lost with its host, or cut off from the
others."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import suppress

from generator.drilling import causes
from generator.drilling.exercise import Exercise
from generator.drilling.http import NoAnswer
from generator.drilling.oidc import Tokens
from generator.drilling.probes import Failed, outage
from generator.drilling.promises import Figure, Promise
from generator.drilling.step import Step
from generator.drilling.steps.losing import (
    BEFORE,
    NOTICED,
    begin,
    noticed,
    outage_promise,
    served_again,
    unhurt,
    victim,
    view_promise,
    whole_first,
)


def _freeze(step: Step, exercise: Exercise) -> Iterator[Promise]:
    def lose(task: str) -> float:
        return exercise.target.freeze(task)

    yield from _silent(step, exercise, "frozen", lose, exercise.target.thaw, 0.0)


def _lose(step: Step, exercise: Exercise) -> Iterator[Promise]:
    yield from _silent(step, exercise, "lost", exercise.target.lose, None, 0.0)


def _cut(direction: str) -> Callable[[Step, Exercise], Iterator[Promise]]:
    def run(step: Step, exercise: Exercise) -> Iterator[Promise]:
        yield from _silent(step, exercise, "cut off", lambda task: exercise.target.cut(task, direction),
                           exercise.target.heal, exercise.knobs.cut)
    return run


def _silent(step: Step, exercise: Exercise, how: str, lose: Callable[[str], float],
            give_back: Callable[[str], float] | None, least: float) -> Iterator[Promise]:
    """A node falls silent without its connections breaking; for at least `least` seconds, and until the
    others have noticed."""
    cluster, missing = whole_first(exercise)
    if missing:
        yield from step.none_run(missing)
        return
    kept = begin(exercise, cluster)
    lost = victim(cluster, kept)
    interval = 1 / exercise.knobs.probes
    limit, advice = causes.silence(exercise.topology)
    if exercise.knobs.frozen is not None:
        limit = exercise.knobs.frozen

    def back() -> None:
        if give_back is not None:
            at = give_back(lost.name)
            exercise.moment("recovery", f"{lost.name} given back", lost.name, at)

    with exercise.probing(kept.tokens) as prober:
        exercise.say(f"{lost.name} will be {how}")
        exercise.sleep(BEFORE)
        with exercise.undoing(f"give {lost.name} back", back) as undo:
            since = lose(lost.name)
            exercise.moment("loss", f"{lost.name} {how}", lost.name, since)
            seen = noticed(
                exercise, cluster, lost, since, NOTICED if "view" in step.promises else max(least, 30.0)
            )
            served_again(exercise, prober)
            exercise.watch(since + least - exercise.clock())
            meanwhile = _meanwhile(exercise)
            until = exercise.clock()
            undo()
        healed = exercise.clock()
        found = outage(prober.samples, interval, since, until)
        exercise.say("waiting for one cluster again")
        after = exercise.settle(exercise.knobs.whole if give_back is None else exercise.knobs.healed)
        if after.whole:
            exercise.moment("recovery", "the cluster is whole again", at=exercise.whole_at)
        seconds = exercise.whole_at - (since if give_back is None else healed)
        wrong = unhurt(exercise, kept) or _lost(exercise, meanwhile)
        healing = outage(prober.samples, interval, until)
    late = causes.late(exercise.topology, how, seen.seconds)
    # A node that is cut off in one direction may be heard by some and not by others; what counts is the
    # service.
    if "view" in step.promises:
        yield view_promise(step, seen, limit, late, advice)
    slow = late if seen.seconds is None or seen.seconds > limit else ()
    # A node that is cut off from the others still answers the balancer.
    unnoticed = () if give_back is not None and least else causes.served_late(exercise.topology, limit)
    yield outage_promise(step, exercise, found, limit, (*slow, *unnoticed))
    yield step.judged(
        "whole",
        "" if after.whole else after.text,
        figures=((Figure("until the cluster was whole again", seconds, "s"),) if after.whole else ())
        + (Figure("failed probes meanwhile", healing.failed),),
        evidence=tuple(f"{task}: {view.line}" for task, view in after.last if view is not None),
        causes=causes.apart(exercise.topology) if not after.one_view else (),
    )
    yield step.judged("unhurt", wrong, evidence=(f"{len(meanwhile)} sessions begun meanwhile",))


def _meanwhile(exercise: Exercise) -> list[Tokens]:
    """Sessions that begin while the node is silent, on every node that the balancer uses."""
    found = []
    with suppress(NoAnswer, Failed):
        for route in exercise.routes()[:2 * exercise.desired]:
            found.append(exercise.party(route=route).token())
    return found


def _lost(exercise: Exercise, sessions: list[Tokens]) -> str:
    """What is wrong with sessions that began while the cluster was apart; empty where nothing is."""
    party = exercise.party()
    try:
        for tokens in sessions:
            party.check(tokens)
            party.refreshed(tokens)
    except (NoAnswer, Failed) as error:
        return f"a session that began meanwhile: {error}"
    return ""


_AGAIN = "The cluster is one again afterwards"
_UNHURT = "Sessions from before go on, and new logins work"

FREEZE = Step(
    name="freeze",
    title="A node is frozen",
    does="Freezes a task's processes (SIGSTOP) until the others have noticed, then lets them go on.",
    needs="freeze",
    hurts=True,
    promises={
        "view": "The others notice in time",
        "outage": "Clients are served again in time",
        "whole": _AGAIN,
        "unhurt": _UNHURT,
    },
    run=_freeze,
    estimate=lambda exercise: 110.0,
)

LOSE = Step(
    name="lose",
    title="A node's host is lost",
    does="Lets every packet to and from a task vanish, for good.",
    needs="lose",
    hurts=True,
    promises={
        "view": "The others notice in time",
        "outage": "Clients are served again in time",
        "whole": "A new task takes its place, and all see each other",
        "unhurt": _UNHURT,
    },
    run=_lose,
    estimate=lambda exercise: 70.0 + exercise.startup,
)


def _cut_step(name: str, direction: str, title: str, does: str, view: bool) -> Step:
    promised = {"view": "The others notice in time"} if view else {}
    return Step(
        name=name,
        title=title,
        does=does,
        needs="cut",
        hurts=True,
        promises={
            **promised,
            "outage": "Clients are served again in time",
            "whole": _AGAIN,
            "unhurt": _UNHURT,
        },
        run=_cut(direction),
        estimate=lambda exercise: exercise.knobs.cut + 80.0,
    )


CUT_IN = _cut_step("cut-in", "in", "A node hears nothing from the others",
                   "Lets packets from the other tasks to one task vanish for a minute.", False)
CUT_OUT = _cut_step("cut-out", "out", "The others hear nothing from a node",
                    "Lets packets from one task to the others vanish for a minute.", False)
CUT = _cut_step("cut", "both", "A node is cut off from the others",
                "Lets packets between one task and the others vanish for a minute.", True)
