"""A node is lost: killed, stopped in order, frozen, or its host with it. What do the others and the clients notice?"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass

from generator.drilling import causes, views
from generator.drilling.exercise import Cluster, Exercise, Route
from generator.drilling.http import NoAnswer
from generator.drilling.oidc import Browser, LoginForm, Party, Tokens
from generator.drilling.probes import Failed, Outage, Prober, outage
from generator.drilling.promises import Cause, Figure, Promise
from generator.drilling.step import Step
from generator.drilling.views import Seen
from generator.rehearsing.target import RunningTask

_BEFORE = 3.0
"""Seconds of good probes before anything is broken."""
_NOTICED = 90.0
"""Seconds that the others get to notice a loss. The slowest that was ever measured is 45."""
_IN_A_ROW = 3


@dataclass(frozen=True)
class Kept:
    """What somebody has of a login while a node is lost."""

    party: Party
    tokens: Tokens
    browser: Browser | None
    form: LoginForm | None
    task: str
    """The task that served it; empty where that isn't known."""


@dataclass(frozen=True)
class Noticed:
    """When the others let a lost node go."""

    seconds: float | None
    """None where they didn't."""
    lines: tuple[str, ...]


def whole_first(step: Step, exercise: Exercise, least: int = 2) -> tuple[Cluster, Iterator[Promise]]:
    """The cluster before a loss, and the promises that can't be tried because it isn't whole."""
    cluster = exercise.settle()
    reason = ""
    if exercise.desired < least:
        reason = f"the template has {exercise.desired} task{'s' if exercise.desired > 1 else ''} only"
    elif not cluster.whole:
        reason = f"the cluster wasn't whole before: {cluster.text}"
    return cluster, iter([step.not_run(name, reason) for name in step.promises] if reason else [])


def begin(exercise: Exercise, cluster: Cluster, *, form: bool = False) -> Kept:
    """A token and, if asked for, a login form, both from the node that is going to be lost."""
    probe = exercise.party()
    route = exercise.served_by(probe.document())
    party = exercise.party(route=route)
    tokens = party.token()
    party.check(tokens)
    browser, page = None, None
    if form:
        browser = exercise.browser(route=route)
        opened = browser.open()
        page = opened if isinstance(opened, LoginForm) else None
    names = {task.name for task in cluster.tasks}
    return Kept(probe, tokens, browser, page, route.task if route.task in names else "")


def victim(cluster: Cluster, kept: Kept) -> RunningTask:
    """The task that served the login, or the first one where that isn't known."""
    found = [task for task in cluster.ready if task.name == kept.task]
    return found[0] if found else cluster.ready[0]


def noticed(exercise: Exercise, cluster: Cluster, lost: RunningTask, since: float, timeout: float = _NOTICED) -> Noticed:
    """Waits until every other task that was there has a view without the lost one."""
    name = cluster.name_of(lost.name)
    others = [task for task in cluster.tasks if task.name != lost.name]
    found: dict[str, Seen] = {}

    def everyone() -> bool:
        exercise.tasks()
        exercise.book.read(others)
        for task in others:
            view = views.first_without(exercise.book.views(task), name, since)
            if view is not None:
                found.setdefault(task.name, view)
        return len(found) == len(others)

    done = exercise.wait(everyone, timeout, 0.5 if exercise.target.local else 3.0)
    lines = tuple(f"{task}: {view.line}" for task, view in sorted(found.items()))
    if not done or not found:
        missing = ", ".join(task.name for task in others if task.name not in found)
        return Noticed(None, (*lines, f"no new view of {missing} within {timeout:.0f} s"))
    return Noticed(max(view.time for view in found.values()) - since, lines)


def three_in_a_row(exercise: Exercise, kept: Kept, timeout: float = 60.0) -> tuple[str, tuple[str, ...]]:
    """Introspects until three answers in a row say active; what is wrong if they don't come, and what came."""
    seen: list[str] = []

    def ask() -> bool:
        try:
            kept.party.check(kept.tokens)
            seen.append("active: true")
        except (NoAnswer, Failed) as error:
            seen.append(str(error))
        return seen[-_IN_A_ROW:] == ["active: true"] * _IN_A_ROW

    good = exercise.wait(ask, timeout, 0.5)
    shown = tuple(seen) if len(seen) <= 12 else (*seen[:6], f"{len(seen) - 9} more", *seen[-3:])
    return "" if good else f"after {timeout:.0f} s the last answer was {seen[-1]}", shown


def served_again(exercise: Exercise, prober: Prober, timeout: float, seconds: float = 5.0) -> bool:
    """Waits until probes of every kind have gone well for some seconds."""
    return bool(exercise.wait(lambda: exercise.tasks() and prober.good_in_a_row() >= seconds * exercise.knobs.probes,
                              timeout))


def unhurt(exercise: Exercise, kept: Kept) -> str:
    """Whether a session from before still lives and new logins work; what doesn't, otherwise."""
    try:
        kept.party.check(kept.tokens)
        kept.party.refreshed(kept.tokens)
        kept.party.check(kept.party.token())
    except (NoAnswer, Failed) as error:
        return str(error)
    return ""


def submitted(exercise: Exercise, kept: Kept) -> str:
    """Sends the form that was opened before the loss, and goes on to the tokens; what is wrong, if anything."""
    if kept.browser is None or kept.form is None:
        return "there was no form"
    try:
        code = kept.browser.submit(kept.form)
        kept.party.check(kept.party.exchanged(code, kept.form.verifier))
    except (NoAnswer, Failed) as error:
        return str(error)
    return ""


def outage_promise(step: Step, exercise: Exercise, found: Outage, limit: float, found_causes: tuple[Cause, ...],
                   name: str = "outage") -> Promise:
    """Whether clients were without service for no longer than `limit` seconds."""
    broken = f"clients were without service for {found.longest:.1f} s: {found.text}" if found.longest > limit else ""
    return step.judged(name, broken, figures=(
        Figure("outage seen by clients", found.longest, "s", limit), Figure("failed probes", found.failed),
        Figure("slowest good answer", found.slowest, "s")), evidence=(found.text,), causes=found_causes)


def view_promise(step: Step, found: Noticed, limit: float, found_causes: tuple[Cause, ...]) -> Promise:
    """Whether the others let the lost node go in time."""
    if found.seconds is None:
        return step.judged("view", "the others keep the lost node in their view", evidence=found.lines,
                           causes=found_causes)
    broken = f"the others needed {found.seconds:.1f} s" if found.seconds > limit else ""
    return step.judged("view", broken, figures=(Figure("time to the new view", found.seconds, "s", limit),),
                       evidence=found.lines, causes=found_causes)


# --- Killed, and stopped in order ------------------------------------------------------------------------------------


def _gone(how: str, lose: Callable[[Exercise, str], float]) -> Callable[[Step, Exercise], Iterator[Promise]]:
    def run(step: Step, exercise: Exercise) -> Iterator[Promise]:
        cluster, missing = whole_first(step, exercise)
        untried = list(missing)
        if untried:
            yield from untried
            return
        kept = begin(exercise, cluster, form=True)
        lost = victim(cluster, kept)
        interval = 1 / exercise.knobs.probes
        with exercise.probing(kept.tokens) as prober:
            exercise.say(f"{lost.name} will be {how}")
            exercise.sleep(_BEFORE)
            since = lose(exercise, lost.name)
            exercise.moment("loss", f"{lost.name} {how}", lost.name, since)
            seen = noticed(exercise, cluster, lost, since, _NOTICED + (_farewell(exercise) if how == "stopped" else 0))
            if how == "stopped":
                seen = _from_leaving(exercise, lost, since, seen)
            wrong, answers = three_in_a_row(exercise, kept)
            served_again(exercise, prober, 60.0)
            form = submitted(exercise, kept)
            found = outage(prober.samples, interval, since)
        yield step.judged("token", wrong, evidence=(
            f"the token came from {kept.task}, which was {how}" if kept.task == lost.name
            else f"{lost.name} was {how}; nothing tells which node the token came from", *answers))
        yield step.judged("form", form, evidence=(f"login form opened at {_name(kept.task)}, sent after it was {how}",))
        limit = exercise.knobs.killed
        late = causes.late(exercise.topology, how, seen.seconds)
        yield view_promise(step, seen, limit, late)
        slow = late if seen.seconds is None or seen.seconds > limit else ()
        if how == "stopped":
            # While ECS stops a task in order, it takes the others in time to take over: nobody is to see an error.
            broken = f"{found.text}" if found.failed else ""
            yield step.judged("errors", broken, figures=(
                Figure("failed probes", found.failed, "", 0), Figure("slowest good answer", found.slowest, "s")),
                evidence=(found.text,), causes=(*slow, *causes.abrupt(exercise.topology)))
        else:
            yield outage_promise(step, exercise, found, limit,
                                 (*slow, *causes.served_late(exercise.topology, limit)))
        yield _replaced(step, exercise, since)
    return run


def _farewell(exercise: Exercise) -> float:
    """Seconds that a task which is stopped in order may take until it leaves the cluster."""
    delays = [group.deregistration_delay for group in exercise.topology.target_groups]
    return exercise.topology.keycloak.stop_timeout + max(delays, default=0)


def _from_leaving(exercise: Exercise, lost: RunningTask, since: float, seen: Noticed) -> Noticed:
    """What was noticed, counted from the moment when the node itself says that it leaves: before that, the balancer
    may have been draining it for a while."""
    # ISPN000080: "Disconnecting JGroups channel"; seen on Keycloak 26.7.4 as the first word of the cluster's end.
    leaving = [line for line in exercise.target.logs(lost.name, since) if "ISPN000080" in line.text]
    if not leaving or seen.seconds is None:
        return seen
    return Noticed(max(since + seen.seconds - leaving[0].time, 0.0),
                   (f"{lost.name} left the cluster {leaving[0].time - since:.1f} s after it was told to stop", *seen.lines))


def _replaced(step: Step, exercise: Exercise, since: float) -> Promise:
    """Whether a new task takes the lost one's place."""
    exercise.say("waiting for the lost task's successor")
    after = exercise.settle()
    if after.whole:
        exercise.moment("recovery", "the cluster is whole again")
    seconds = exercise.clock() - since
    return step.judged("whole", "" if after.whole else after.text,
                       figures=(Figure("until the cluster was whole again", seconds, "s"),) if after.whole else (),
                       causes=causes.apart(exercise.topology) if not after.one_view else
                       causes.unserved(exercise.topology))


def _name(task: str) -> str:
    return task or "some node"


_TOKEN = "A token outlives the node that issued it: three introspections in a row say active"
_FORM = "A login form that was opened before is accepted after"
_WHOLE = "A new task takes its place, and all see each other"


FAILOVER = Step(
    name="failover",
    title="A node is killed",
    does="Kills the task that issued a token.",
    hurts=True,
    promises={
        "token": _TOKEN,
        "form": _FORM,
        "view": "The others notice at once",
        "outage": "Clients are served again at once",
        "whole": _WHOLE,
    },
    run=_gone("killed", lambda exercise, task: exercise.target.kill(task)),
    estimate=lambda exercise: 25.0 + exercise.startup,
)

STOP = Step(
    name="stop",
    title="A node is stopped in order",
    does="Stops a task as ECS does, with SIGTERM.",
    hurts=True,
    promises={
        "token": _TOKEN,
        "form": _FORM,
        "view": "The others notice at once",
        "errors": "No client sees an error",
        "whole": _WHOLE,
    },
    run=_gone("stopped", lambda exercise, task: exercise.target.stop(task)),
    estimate=lambda exercise: 25.0 + exercise.startup,
)


# --- Frozen, lost with its host, cut off -----------------------------------------------------------------------------


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
    """A node falls silent without its connections breaking; for at least `least` seconds, and until the others have
    noticed."""
    cluster, missing = whole_first(step, exercise)
    untried = list(missing)
    if untried:
        yield from untried
        return
    kept = begin(exercise, cluster)
    lost = victim(cluster, kept)
    interval, limit = 1 / exercise.knobs.probes, exercise.knobs.frozen

    def back() -> None:
        if give_back is not None:
            at = give_back(lost.name)
            exercise.moment("recovery", f"{lost.name} given back", lost.name, at)

    with exercise.probing(kept.tokens) as prober:
        exercise.say(f"{lost.name} will be {how}")
        exercise.sleep(_BEFORE)
        with exercise.undoing(f"give {lost.name} back", back) as undo:
            since = lose(lost.name)
            exercise.moment("loss", f"{lost.name} {how}", lost.name, since)
            seen = noticed(exercise, cluster, lost, since, _NOTICED if "view" in step.promises else max(least, 30.0))
            served_again(exercise, prober, 60.0)
            exercise.wait(lambda: exercise.tasks() and False, max(since + least - exercise.clock(), 0.0), 1.0)
            meanwhile = _meanwhile(exercise)
            until = exercise.clock()
            undo()
        healed = exercise.clock()
        found = outage([one for one in prober.samples if one.time < until], interval, since)
        exercise.say("waiting for one cluster again")
        after = exercise.settle(exercise.knobs.whole if give_back is None else exercise.knobs.healed)
        if after.whole:
            exercise.moment("recovery", "the cluster is whole again")
        seconds = exercise.clock() - (since if give_back is None else healed)
        wrong = unhurt(exercise, kept) or _lost(exercise, meanwhile)
        healing = outage(prober.samples, interval, until)
    late = causes.late(exercise.topology, how, seen.seconds)
    # A node that is cut off in one direction may be heard by some and not by others; what counts is the service.
    if "view" in step.promises:
        yield view_promise(step, seen, limit, late)
    slow = late if seen.seconds is None or seen.seconds > limit else ()
    # A node that is cut off from the others still answers the balancer.
    unnoticed = () if give_back is not None and least else causes.served_late(exercise.topology, limit)
    yield outage_promise(step, exercise, found, limit, (*slow, *unnoticed))
    yield step.judged("whole", "" if after.whole else after.text,
                      figures=((Figure("until the cluster was whole again", seconds, "s"),) if after.whole else ()) +
                      (Figure("failed probes meanwhile", healing.failed),),
                      evidence=tuple(f"{task}: {view.line}" for task, view in after.last if view is not None),
                      causes=causes.apart(exercise.topology) if not after.one_view else ())
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
    hurts=True,
    promises={
        "view": "The others notice in time",
        "outage": "Clients are served again in time",
        "whole": _WHOLE,
        "unhurt": _UNHURT,
    },
    run=_lose,
    estimate=lambda exercise: 70.0 + exercise.startup,
)


def _cut_step(name: str, direction: str, title: str, does: str, view: bool) -> Step:
    promised = {"view": "The others notice in time"} if view else {}
    return Step(
        name=name, title=title, does=does, hurts=True,
        promises={**promised, "outage": "Clients are served again in time", "whole": _AGAIN, "unhurt": _UNHURT},
        run=_cut(direction), estimate=lambda exercise: exercise.knobs.cut + 80.0)


CUT_IN = _cut_step("cut-in", "in", "A node hears nothing from the others",
                   "Lets packets from the other tasks to one task vanish for a minute.", False)
CUT_OUT = _cut_step("cut-out", "out", "The others hear nothing from a node",
                    "Lets packets from one task to the others vanish for a minute.", False)
CUT = _cut_step("cut", "both", "A node is cut off from the others",
                "Lets packets between one task and the others vanish for a minute.", True)
