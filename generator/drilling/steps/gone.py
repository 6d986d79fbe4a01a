"""A node is gone: killed, or stopped in order."""

from __future__ import annotations

from collections.abc import Callable, Iterator

from generator.drilling import causes
from generator.drilling.exercise import Exercise
from generator.drilling.probes import outage
from generator.drilling.promises import Figure, Promise
from generator.drilling.step import Step
from generator.drilling.steps.losing import (
    BEFORE,
    NOTICED,
    Noticed,
    begin,
    joined_promise,
    noticed,
    outage_promise,
    served_again,
    submitted,
    three_in_a_row,
    victim,
    view_promise,
    whole_first,
)
from generator.rehearsing.target import RunningTask


def _gone(how: str, lose: Callable[[Exercise, str], float]) -> Callable[[Step, Exercise], Iterator[Promise]]:
    def run(step: Step, exercise: Exercise) -> Iterator[Promise]:
        cluster, missing = whole_first(exercise)
        if missing:
            yield from step.none_run(missing)
            return
        kept = begin(exercise, cluster, form=True)
        lost = victim(cluster, kept)
        interval = 1 / exercise.knobs.probes
        with exercise.probing(kept.tokens) as prober:
            exercise.say(f"{lost.name} will be {how}")
            exercise.sleep(BEFORE)
            since = lose(exercise, lost.name)
            exercise.moment("loss", f"{lost.name} {how}", lost.name, since)
            seen = noticed(
                exercise, cluster, lost, since, NOTICED + (_farewell(exercise) if how == "stopped" else 0)
            )
            if how == "stopped":
                seen = _from_leaving(exercise, lost, since, seen)
            wrong, answers = three_in_a_row(exercise, kept)
            served_again(exercise, prober)
            form = submitted(exercise, kept)
            found = outage(prober.samples, interval, since)
        yield step.judged("token", wrong, evidence=(
            f"the token came from {kept.task}, which was {how}" if kept.task == lost.name
            else f"{lost.name} was {how}; nothing tells which node the token came from", *answers))
        yield step.judged(
            "form", form, evidence=(f"login form opened at {_name(kept.task)}, sent after it was {how}",)
        )
        limit = exercise.knobs.killed
        others = [task for task in cluster.tasks if task.name != lost.name]
        before = [view for task in others for view in exercise.book.views(task) if view.time < since]
        late = causes.late(exercise.topology, how, seen.seconds) or causes.unwatched(
            exercise.topology, cluster.name_of(lost.name), before
        )
        yield view_promise(step, seen, limit, late)
        slow = late if seen.seconds is None or seen.seconds > limit else ()
        if how == "stopped":
            # While ECS stops a task in order, it takes the others in time to take over: nobody is to see an
            # error.
            broken = f"{found.text}" if found.failed else ""
            yield step.judged(
                "errors",
                broken,
                figures=(
                    Figure("failed probes", found.failed, "", 0),
                    Figure("slowest good answer", found.slowest, "s"),
                ),
                evidence=(found.text,),
                causes=(*slow, *causes.abrupt(exercise.topology)),
            )
        else:
            yield outage_promise(step, exercise, found, limit,
                                 (*slow, *causes.served_late(exercise.topology, limit)))
        yield _replaced(step, exercise, since)
        yield joined_promise(step, exercise, since)
    return run


def _farewell(exercise: Exercise) -> float:
    """Seconds that a task which is stopped in order may take until it leaves the cluster."""
    delays = [group.deregistration_delay for group in exercise.topology.target_groups]
    return exercise.topology.keycloak.stop_timeout + max(delays, default=0)


def _from_leaving(exercise: Exercise, lost: RunningTask, since: float, seen: Noticed) -> Noticed:
    """What was noticed, counted from the moment when the node itself says that it leaves: before that, the
    balancer may have been draining it for a while."""
    # ISPN000080: "Disconnecting JGroups channel"; seen on Keycloak 26.7.4 as the first word of the cluster's
    # end.
    leaving = [line for line in exercise.target.logs(lost.name, since) if "ISPN000080" in line.text]
    if not leaving or seen.seconds is None:
        return seen
    return Noticed(
        max(since + seen.seconds - leaving[0].time, 0.0),
        (
            f"{lost.name} left the cluster {leaving[0].time - since:.1f} s after it was told to stop",
            *seen.lines,
        ),
    )


def _replaced(step: Step, exercise: Exercise, since: float) -> Promise:
    """Whether a new task takes the lost one's place."""
    exercise.say("waiting for the lost task's successor")
    after = exercise.settle()
    if after.whole:
        exercise.moment("recovery", "the cluster is whole again", at=exercise.whole_at)
    seconds = exercise.whole_at - since
    return step.judged(
        "whole",
        "" if after.whole else after.text,
        figures=(Figure("until the cluster was whole again", seconds, "s"),) if after.whole else (),
        causes=causes.apart(exercise.topology) if not after.one_view else causes.unserved(exercise.topology),
    )


def _name(task: str) -> str:
    return task or "some node"


_TOKEN = "A token outlives the node that issued it: three introspections in a row say active"
_FORM = "A login form that was opened before is accepted after"
_WHOLE = "A new task takes its place, and all see each other"
_JOINED = "It joins the others and makes no cluster of its own"


FAILOVER = Step(
    name="failover",
    title="A node is killed",
    does="Kills the task that issued a token.",
    needs="kill",
    hurts=True,
    promises={
        "token": _TOKEN,
        "form": _FORM,
        "view": "The others notice at once",
        "outage": "Clients are served again at once",
        "whole": _WHOLE,
        "joined": _JOINED,
    },
    run=_gone("killed", lambda exercise, task: exercise.target.kill(task)),
    estimate=lambda exercise: 25.0 + exercise.startup,
)

STOP = Step(
    name="stop",
    title="A node is stopped in order",
    does="Stops a task as ECS does, with SIGTERM.",
    needs="stop",
    hurts=True,
    promises={
        "token": _TOKEN,
        "form": _FORM,
        "view": "The others notice at once",
        "errors": "No client sees an error",
        "whole": _WHOLE,
        "joined": _JOINED,
    },
    run=_gone("stopped", lambda exercise, task: exercise.target.stop(task)),
    estimate=lambda exercise: 25.0 + exercise.startup,
)
