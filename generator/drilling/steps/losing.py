"""What the steps that break something have in common: what somebody has before, what is noticed, what holds
after."""

from __future__ import annotations

import time
from dataclasses import dataclass

from generator.drilling import causes, views
from generator.drilling.exercise import Cluster, Exercise
from generator.drilling.http import NoAnswer
from generator.drilling.oidc import Browser, LoginForm, Party, Tokens
from generator.drilling.probes import Failed, Outage, Prober
from generator.drilling.promises import Cause, Figure, Promise
from generator.drilling.step import Step
from generator.drilling.views import Seen
from generator.rehearsing.target import RunningTask

BEFORE = 3.0
"""Seconds of good probes before anything is broken."""
NOTICED = 90.0
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


def whole_first(exercise: Exercise, least: int = 2) -> tuple[Cluster, str]:
    """The cluster before a loss, and why it can't be had; empty where it can."""
    cluster = exercise.settle()
    if exercise.desired < least:
        return cluster, f"the template has {exercise.desired} task{'s' if exercise.desired > 1 else ''} only"
    return cluster, "" if cluster.whole else f"the cluster wasn't whole before: {cluster.text}"


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


def noticed(
    exercise: Exercise, cluster: Cluster, lost: RunningTask, since: float, timeout: float = NOTICED
) -> Noticed:
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
    """Introspects until three answers in a row say active; what is wrong if they don't come, and what
    came."""
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


def served_again(exercise: Exercise, prober: Prober, timeout: float = 0.0) -> bool:
    """Waits until probes of every kind that are sent from now on go well for some seconds; whether they did
    in time."""
    since, enough = time.time(), exercise.knobs.steady * exercise.knobs.probes
    limit = timeout or exercise.knobs.again
    return bool(exercise.wait(lambda: exercise.tasks() and prober.good_in_a_row(since) >= enough, limit))


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
    """Sends the form that was opened before the loss, and goes on to the tokens; what is wrong, if
    anything."""
    if kept.browser is None or kept.form is None:
        return "there was no form"
    try:
        code = kept.browser.submit(kept.form)
        kept.party.check(kept.party.exchanged(code, kept.form.verifier))
    except (NoAnswer, Failed) as error:
        return str(error)
    return ""


def outage_promise(
    step: Step,
    exercise: Exercise,
    found: Outage,
    limit: float,
    found_causes: tuple[Cause, ...],
    name: str = "outage",
) -> Promise:
    """Whether clients were without service for no longer than `limit` seconds."""
    broken = (
        f"clients were without service for {found.longest:.1f} s: {found.text}"
        if found.longest > limit
        else ""
    )
    return step.judged(name, broken, figures=(
        Figure("outage seen by clients", found.longest, "s", limit), Figure("failed probes", found.failed),
        Figure("slowest good answer", found.slowest, "s")), evidence=(found.text,), causes=found_causes)


def joined_promise(step: Step, exercise: Exercise, since: float) -> Promise:
    """Whether every task that started since then joined the others at once, instead of making a cluster of its
    own that is merged later: what it promises a client meanwhile, the others don't know."""
    tasks = exercise.tasks()
    if not any(task.started >= since for task in tasks):
        return step.not_run("joined", "no new task came")
    exercise.book.read(tasks)
    # A node that finds nobody to join installs the view with the number 0 (JGroups' ViewId of a new cluster).
    found = [view for view in exercise.book.every_view() if view.time >= since and (view.number, view.size) == (0, 1)]
    return step.judged(
        "joined",
        f"{', '.join(dict.fromkeys(view.task for view in found))} started on its own" if found else "",
        evidence=tuple(f"{view.task}: {view.line}" for view in found),
        causes=causes.alone(exercise.topology),
    )


def view_promise(
    step: Step, found: Noticed, limit: float, found_causes: tuple[Cause, ...], advice: str = ""
) -> Promise:
    """Whether the others let the lost node go in time. `advice`: what would make the limit less."""
    if found.seconds is None:
        return step.judged("view", "the others keep the lost node in their view", evidence=found.lines,
                           causes=found_causes)
    broken = f"the others needed {found.seconds:.1f} s" if found.seconds > limit else ""
    return step.judged("view", broken, figures=(Figure("time to the new view", found.seconds, "s", limit),),
                       evidence=(*found.lines, *filter(None, [advice])), causes=found_causes)
