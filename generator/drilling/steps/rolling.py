"""Changes that are no accident: a deployment, more and fewer tasks, all of them stopped and started."""

from __future__ import annotations

from collections.abc import Iterator

from generator.drilling import causes
from generator.drilling.exercise import Exercise
from generator.drilling.http import NoAnswer
from generator.drilling.load import Load
from generator.drilling.oidc import LoginForm
from generator.drilling.places import option
from generator.drilling.probes import Failed, outage
from generator.drilling.promises import Figure, Promise
from generator.drilling.step import Step
from generator.drilling.steps.losing import begin, joined_promise, served_again, unhurt, whole_first

_SETTING = "KC_LOG_LEVEL"
_HARMLESS = "org.keycloak.drill:info"
"""A log category that nobody has: a change that changes nothing but the task definition."""


def _deploy(step: Step, exercise: Exercise) -> Iterator[Promise]:
    _, missing = whole_first(exercise, least=1)
    if missing:
        yield from step.none_run(missing)
        return
    target, service, knobs = exercise.target, exercise.topology.service, exercise.knobs
    before = {(task.name, task.started) for task in exercise.tasks()}
    kept = begin(exercise, exercise.cluster())
    fewest, most = exercise.desired, exercise.desired
    level = option(exercise.topology.keycloak, "log-level") or "info"
    # What is deployed is left as it was found: its tasks are replaced without changing anything.
    changes = {_SETTING: f"{level},{_HARMLESS}"} if target.local else {}
    with Load(exercise) as load:
        exercise.sleep(5.0)
        since = exercise.clock()
        exercise.moment("loss", "a deployment begins")
        target.deploy(changes)
        told = 0.0
        while exercise.clock() - since < knobs.deployment:
            tasks = exercise.tasks()
            # A task that stops is no longer counted on, although it may still be answering.
            fewest = min(fewest, sum(task.state == "running" and task.healthy for task in tasks))
            most = max(most, sum(task.state != "stopping" for task in tasks))
            if exercise.clock() - told > 15:
                told = exercise.clock()
                exercise.say(f"deploying: {load.result().text}")
            if target.deployment_done():
                break
            exercise.sleep(1.0 if target.local else 5.0)
        done = target.deployment_done()
        seconds = exercise.clock() - since
        exercise.moment(
            "recovery" if done else "note", "the deployment is done" if done else "the deployment hangs"
        )
        after = exercise.settle()
        exercise.say("the load goes on until it is complete")
        exercise.wait(lambda: exercise.tasks() and load.requests >= knobs.requests,
                      knobs.requests / knobs.rate + 60.0, 2.0)
    found = load.result()
    # A service that stops every task first promises nobody that he is served meanwhile.
    all_at_once = (
        f"MinimumHealthyPercent {service.minimum_percent} has every task stopped before new ones start"
        if service.at_least == 0
        else ""
    )
    seen = (found.text, ", ".join(f"{kind} {count}" for kind, count in found.kinds))
    if found.first_failure is not None:
        # Long after the deployment it is no fault of its: a machine that can't bear the load, for one.
        began = found.first_failure - since
        seen += (f"the first of them was sent {began:.0f} s after the deployment began, which took {seconds:.0f} s",)
    if all_at_once and found.failed:
        yield step.not_run("requests", f"{all_at_once}; meanwhile {found.text}", evidence=seen)
    else:
        yield step.judged(
            "requests", found.text if found.failed else "",
            figures=(Figure("failed requests", found.failed, "", 0), Figure("requests", found.requests),
                     Figure("median", found.median, "s"), Figure("slowest good answer", found.slowest, "s")),
            evidence=seen,
            causes=(*causes.deployment(exercise.topology), *causes.abrupt(exercise.topology)))
    stayed = [task.name for task in after.tasks if (task.name, task.started) in before]
    broken = "" if done and not stayed else f"after {seconds:.0f} s: {after.text}" if not done else \
        f"{', '.join(stayed)} wasn't replaced"
    yield step.judged("done", broken, figures=(Figure("deployment", seconds, "s"),) if done else ())
    too_few = f"{fewest} healthy tasks at one moment" if fewest < service.at_least else ""
    too_many = f"{most} tasks at one moment" if most > service.at_most else ""
    yield step.judged(
        "share",
        " and ".join(filter(None, (too_few, too_many))),
        figures=(Figure("fewest healthy tasks", fewest), Figure("most tasks", most)),
        evidence=(f"the service allows {service.at_least} to {service.at_most}",),
        causes=causes.deployment(exercise.topology),
    )
    yield step.judged("whole", "" if after.whole else after.text, causes=causes.apart(exercise.topology))
    if all_at_once:
        yield step.not_run("joined", f"{all_at_once}: nobody is there to join")
    else:
        yield joined_promise(step, exercise, since)
    yield step.judged("unhurt", unhurt(exercise, kept))


DEPLOY = Step(
    name="deploy",
    title="A rolling deployment under load",
    does="Replaces every task, as a changed setting does, under a steady load.",
    needs="deploy",
    hurts=True,
    promises={
        "requests": "No request fails",
        "done": "Every task is replaced",
        "share": "There are never fewer or more tasks than the service allows",
        "whole": "All tasks see each other afterwards",
        "joined": "Each new task joins the others and makes no cluster of its own",
        "unhurt": "Sessions from before go on, and new logins work",
    },
    run=_deploy,
    estimate=lambda exercise: max(exercise.knobs.requests / exercise.knobs.rate,
                                  exercise.desired * (exercise.startup + 30.0)) + 20.0,
)


def _scale(step: Step, exercise: Exercise) -> Iterator[Promise]:
    _, missing = whole_first(exercise, least=1)
    if missing:
        yield from step.none_run(missing)
        return
    start = exercise.desired
    kept = begin(exercise, exercise.cluster())

    def back() -> None:
        exercise.target.scale(start)
        exercise.desired = start

    with exercise.probing(kept.tokens) as prober:
        exercise.sleep(3.0)
        since = exercise.clock()
        with exercise.undoing(f"scale back to {start} tasks", back) as undo:
            exercise.moment("note", f"from {start} to {start + 1} tasks")
            exercise.target.scale(start + 1)
            exercise.desired = start + 1
            up = exercise.settle()
            grown = exercise.whole_at - since
            turned = exercise.clock()
            exercise.moment("note", f"from {start + 1} to {start} tasks")
            undo()
        down = exercise.settle()
        shrunk = exercise.whole_at - turned
        exercise.sleep(3.0)
        found = outage(prober.samples, 1 / exercise.knobs.probes, since)
    yield step.judged("up", "" if up.whole else up.text, figures=(
        (Figure(f"until {start + 1} tasks saw each other", grown, "s"),) if up.whole else ()),
        causes=causes.apart(exercise.topology))
    yield step.judged("down", "" if down.whole else down.text, figures=(
        (Figure(f"until {start} tasks saw each other", shrunk, "s"),) if down.whole else ()),
        causes=causes.apart(exercise.topology))
    yield step.judged("errors", found.text if found.failed else "", figures=(
        Figure("failed probes", found.failed, "", 0), Figure("slowest good answer", found.slowest, "s")),
        evidence=(found.text,), causes=causes.abrupt(exercise.topology))
    yield step.judged("unhurt", unhurt(exercise, kept))


SCALE = Step(
    name="scale",
    title="One task more, and one less",
    does="Scales the service up by one task and back.",
    needs="scale",
    hurts=True,
    promises={
        "up": "A task more joins the others",
        "down": "The others let it go again",
        "errors": "No client sees an error",
        "unhurt": "Sessions from before go on, and new logins work",
    },
    run=_scale,
    estimate=lambda exercise: exercise.startup + 70.0,
)


def _restart(step: Step, exercise: Exercise) -> Iterator[Promise]:
    cluster, missing = whole_first(exercise, least=1)
    if missing:
        yield from step.none_run(missing)
        return
    kept = begin(exercise, cluster)
    browser = exercise.browser()
    form = browser.open()
    if isinstance(form, LoginForm):
        browser.submit(form)
    with exercise.probing(kept.tokens) as prober:
        exercise.sleep(2.0)
        since = exercise.clock()
        for task in cluster.tasks:
            at = exercise.target.stop(task.name)
            exercise.moment("loss", f"{task.name} stopped", task.name, at)
        exercise.say("all tasks were stopped; waiting for new ones")
        # The old ones may look healthy for a moment yet.
        exercise.wait(
            lambda: not {task.started for task in cluster.tasks}
            & {task.started for task in exercise.tasks()},
            180.0,
        )
        after = exercise.settle()
        served_again(exercise, prober, 2 * exercise.knobs.again)
        seconds = exercise.whole_at - since
        found = outage(prober.samples, 1 / exercise.knobs.probes, since)
    if after.whole:
        exercise.moment("recovery", "the cluster is whole again", at=exercise.whole_at)
    yield step.judged(
        "whole",
        "" if after.whole else after.text,
        figures=(
            (
                Figure("until the cluster was whole again", seconds, "s"),
                Figure("outage seen by clients", found.longest, "s"),
            )
            if after.whole
            else ()
        ),
        causes=(*causes.apart(exercise.topology), *causes.unserved(exercise.topology)),
    )
    version = exercise.places.version
    if version is not None and version < (26, 0, 0):
        yield step.not_run(
            "sessions",
            f"Keycloak {version} keeps sessions in memory only; from 26.0 on they are in " "the database",
        )
        return
    wrong = unhurt(exercise, kept)
    if not wrong:
        try:
            wrong = (
                ""
                if isinstance(browser.open(), str)
                else "a browser that was logged in is asked for its password"
            )
        except (NoAnswer, Failed) as error:
            wrong = str(error)
    yield step.judged(
        "sessions",
        wrong,
        evidence=("refresh token, access token and browser session from before",),
        causes=causes.forgotten(exercise.topology, exercise.places),
    )


RESTART = Step(
    name="restart",
    title="All tasks are stopped and started",
    does="Stops every task at once; nobody is served until new ones are there.",
    needs="stop",
    hurts=True,
    promises={
        "whole": "New tasks come, and all see each other",
        "sessions": "Users are still logged in",
    },
    run=_restart,
    estimate=lambda exercise: exercise.startup + 60.0,
)
