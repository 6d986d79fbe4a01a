"""The database restarts under the running nodes."""

from __future__ import annotations

from collections.abc import Iterator

from generator.drilling import causes
from generator.drilling.exercise import Exercise
from generator.drilling.probes import outage
from generator.drilling.promises import Figure, Promise
from generator.drilling.step import Step
from generator.drilling.steps.losing import begin, outage_promise, served_again, unhurt, whole_first


def _run(step: Step, exercise: Exercise) -> Iterator[Promise]:
    if exercise.topology.database is None:
        yield from step.none_run("the template names no database")
        return
    cluster, missing = whole_first(exercise, least=1)
    if missing:
        yield from step.none_run(missing)
        return
    kept = begin(exercise, cluster)
    limit = exercise.knobs.database
    with exercise.probing(kept.tokens, writing=True) as prober:
        exercise.say("the database will restart")
        exercise.sleep(3.0)
        since = exercise.target.restart_database()
        exercise.moment("loss", "the database restarts", at=since)
        exercise.sleep(2.0)
        served_again(exercise, prober, limit + 30.0)
        found = outage(prober.samples, 1 / exercise.knobs.probes, since)
        if not found.failed or prober.good_in_a_row():
            exercise.moment("recovery", "clients are served again")
        wrong = unhurt(exercise, kept)
        # Long enough for health checks to have failed and for ECS to have drawn its conclusions.
        exercise.watch(15.0)
        after = exercise.settle()
    yield outage_promise(step, exercise, found, limit, ())
    yield step.judged("unhurt", wrong)
    before = {(task.name, task.started) for task in cluster.tasks}
    gone = sorted(name for name, started in before if (name, started) not in
                  {(task.name, task.started) for task in after.tasks})
    broken = f"{', '.join(gone)} didn't survive it" if gone else "" if after.whole else after.text
    yield step.judged("whole", broken, figures=(Figure("tasks replaced", len(gone), "", 0),),
                      causes=causes.apart(exercise.topology) if not after.one_view else ())


STEP = Step(
    name="database",
    title="The database restarts",
    does="Restarts the database, which drops every connection.",
    needs="restart_database",
    hurts=True,
    promises={
        "outage": "Clients are served again by themselves",
        "unhurt": "Sessions from before go on, and new logins work",
        "whole": "No task is lost over it, and all see each other",
    },
    run=_run,
    estimate=lambda exercise: 45.0,
)
