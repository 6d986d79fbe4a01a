"""A whole drill: the steps in their order, and everything cleaned up behind them."""

from __future__ import annotations

import time
from collections.abc import Callable, Collection, Iterator, Sequence
from dataclasses import replace

from generator.drilling.admin import AdminUnreachable
from generator.drilling.exercise import Exercise, Knobs, Progress
from generator.showing.hiding import clean
from generator.drilling.http import NoAnswer
from generator.drilling.probes import Failed
from generator.drilling.promises import Promise, Report, StepReport
from generator.drilling.step import Step
from generator.drilling.steps import (
    certificates,
    database,
    discovery,
    exposure,
    gone,
    login,
    provision,
    rolling,
    silence,
)
from generator.errors import RehearsalError
from generator.rehearsing.target import TARGET_ERRORS, Target

STEPS: tuple[Step, ...] = (
    discovery.STEP,
    provision.STEP,
    exposure.STEP,
    login.STEP,
    certificates.STEP,
    gone.FAILOVER,
    gone.STOP,
    rolling.DEPLOY,
    rolling.SCALE,
    rolling.RESTART,
    database.STEP,
    silence.FREEZE,
    silence.LOSE,
    silence.CUT_IN,
    silence.CUT_OUT,
    silence.CUT,
)
"""In their order: what changes nothing first, what takes longest to heal last."""

NAMES = tuple(step.name for step in STEPS)
"""What can be asked for; the administrator's step belongs to whatever is."""

EVERYTHING = "all"


def _no_cleanup(step: Step, exercise: Exercise) -> Iterator[Promise]:
    return iter(())


CLEANUP = Step(
    name="cleanup", title="Clean-up", does="Deletes the temporary realm; wants as many tasks as before.", hurts=False,
    promises={"service": "As many tasks are wanted as before", "realm": "The temporary realm is gone"}, run=_no_cleanup, estimate=lambda exercise: 2.0)


def drill(target: Target, *, steps: Sequence[str] | None = None, knobs: Knobs = Knobs(),
          progress: Callable[[Progress], object] | None = None, clock: Callable[[], float] = time.time,
          sleep: Callable[[float], object] = time.sleep, allow: Collection[str] = ()) -> Report:
    """Drills a running environment and says what it keeps.

    `steps` are NAMES, None for all. Steps that hurt are run on a rehearsal, and elsewhere only if they are in
    `allow` (or EVERYTHING is). Whatever happens, also a KeyboardInterrupt, what was made is removed and what
    was broken is put right; the report then holds what was found until there. Raises RehearsalError for a
    step that doesn't exist.
    """
    unknown = sorted({*(steps or ()), *allow} - {*NAMES, EVERYTHING})
    if unknown:
        raise RehearsalError(f"there is no step {unknown[0]}: the steps are {', '.join(NAMES)}")
    exercise = Exercise(target, knobs, progress=progress, clock=clock, sleep=sleep)
    everything = steps is None or EVERYTHING in steps
    wanted = [step for step in STEPS if step is provision.STEP or step.name in (steps or ())
              or everything and not step.absent(target.topology)]
    reports: list[StepReport] = []
    interrupted = False
    try:
        for number, step in enumerate(wanted):
            exercise.step = step.name
            exercise.remaining = sum(
                one.estimate(exercise) for one in wanted[number:] if _may(one, target, allow)
            )
            reports.append(_step(step, exercise, _may(step, target, allow)))
    except _Interrupted as error:
        reports.append(error.report)
        interrupted = True
    finally:
        reports += _clean_up(exercise)
    ended = clock()
    return Report(
        target.name,
        target.topology.file,
        target.topology.version,
        target.local,
        exercise.began,
        ended,
        tuple(_hidden(exercise, one) for one in reports),
        exercise.timeline(),
        interrupted,
    )


class _Interrupted(Exception):
    """Somebody pressed Ctrl-C; `report` is what the step had found by then."""

    def __init__(self, report: StepReport):
        self.report = report
        super().__init__()


def _may(step: Step, target: Target, allow: Collection[str]) -> bool:
    return step.needs not in target.unable and _allowed(step, target, allow)


def _allowed(step: Step, target: Target, allow: Collection[str]) -> bool:
    return not step.hurts or target.local or step.name in allow or EVERYTHING in allow


def _step(step: Step, exercise: Exercise, may: bool) -> StepReport:
    started, found, reason = exercise.clock(), [], ""
    stopped = unserved = False
    if step.needs in exercise.target.unable:
        reason = exercise.target.unable[step.needs]
    elif not may:
        reason = f"it would hurt a deployed environment: {step.does} Allow it with --allow {step.name}"
    elif step.realm and exercise.realm is None:
        reason = "there is no temporary realm"
    else:
        try:
            exercise.say(step.title)
            for promise in step.run(step, exercise):
                found.append(promise)
                exercise.say(f"{promise.verdict}: {promise.text}")
        except (*TARGET_ERRORS, AdminUnreachable) as error:
            reason = str(error)
        except (NoAnswer, Failed) as error:
            # The step asked what every client may ask, of a cluster that said it was well.
            reason, unserved = str(error), True
        except KeyboardInterrupt:
            reason, stopped = "it was stopped", True
    done = {promise.name for promise in found}
    for name in step.promises:
        if f"{step.name}.{name}" not in done:
            found.append(step.judged(name, f"a client wasn't served: {reason}") if unserved
                         else step.not_run(name, reason or "the step ended before"))
            unserved = False
    report = StepReport(step.name, step.title, step.does, started, exercise.clock(), tuple(found))
    if stopped:
        raise _Interrupted(report)
    return report


def _clean_up(exercise: Exercise) -> list[StepReport]:
    """Puts right what the target can put right, removes the realm and ends the administrator's session. A second
    Ctrl-C ends a part of it early; then the report says what is left."""
    started = exercise.clock()
    exercise.step, exercise.remaining = CLEANUP.name, 2.0
    promises = [*_restore(exercise), *_remove(exercise)]
    return [StepReport(CLEANUP.name, CLEANUP.title, CLEANUP.does, started, exercise.clock(), tuple(promises))
            ] if promises else []


def _restore(exercise: Exercise) -> Iterator[Promise]:
    try:
        done = exercise.target.restore()
        if done:
            yield CLEANUP.judged("service", "", evidence=(done,))
    except TARGET_ERRORS as error:
        yield CLEANUP.judged("service", f"{error}: see to the service's number of tasks by hand")
    except KeyboardInterrupt:
        yield CLEANUP.judged("service", "that was stopped: see to the service's number of tasks by hand")


def _remove(exercise: Exercise) -> Iterator[Promise]:
    if exercise.realm is None:
        return
    name, wrong = exercise.realm.name, ""
    exercise.say(f"deleting the realm {name}")
    try:
        exercise.administrator.remove(name)
        exercise.administrator.logout()
    except AdminUnreachable as error:
        wrong = f"the realm {name} is still there ({error}): delete it in the admin console"
    except KeyboardInterrupt:
        wrong = f"the realm {name} may still be there: its deletion was stopped"
    yield CLEANUP.judged("realm", wrong, evidence=(f"realm {name}",))


def _hidden(exercise: Exercise, report: StepReport) -> StepReport:
    """The report without any secret: the last of several places where they are taken out. Nor are there
    characters in it that do something where it is shown."""
    def hide(text: str) -> str:
        return clean(exercise.secrets.hide(text))

    return replace(
        report,
        promises=tuple(
            replace(
                one,
                reason=hide(one.reason),
                evidence=tuple(map(hide, one.evidence)),
                causes=tuple(
                    replace(cause, text=hide(cause.text), fix=hide(cause.fix)) for cause in one.causes
                ),
            )
            for one in report.promises
        ),
    )
