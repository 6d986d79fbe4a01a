"""Do the nodes share logins, sessions and what they count?"""

from __future__ import annotations

from collections.abc import Callable, Iterator

from generator.drilling import causes
from generator.drilling.exercise import Exercise, Route
from generator.drilling.http import NoAnswer
from generator.drilling.oidc import LoginForm, Tokens, login
from generator.drilling.probes import Failed
from generator.drilling.promises import Figure, Promise
from generator.drilling.step import Step

_GUESSES = 2
"""Wrong passwords for each node."""


def _run(step: Step, exercise: Exercise) -> Iterator[Promise]:
    routes = exercise.routes()
    nodes = [route.task for route in routes if route.task]
    exercise.say(f"logging in as a browser does; {len(nodes) or 'unknown'} nodes behind the balancer")
    yield _browser(step, exercise, routes)
    yield _sticky(step, exercise, nodes)
    yield _refresh(step, exercise, routes)
    yield _ended(step, exercise, routes)
    yield _counted(step, exercise, routes)


def _browser(step: Step, exercise: Exercise, routes: list[Route]) -> Promise:
    evidence, wrong = [], ""
    for route in routes:
        try:
            tokens = login(exercise.party(route=route), exercise.browser(route=route))
            outcome = "logged in" if exercise.party(route=route).introspect(tokens) else "active: false"
            wrong = wrong or ("" if outcome == "logged in" else outcome)
        except (NoAnswer, Failed) as error:
            outcome = wrong = str(error)
        evidence.append(_at(route, outcome))
    return step.judged("browser", wrong, evidence=_counted_lines(evidence))


def _sticky(step: Step, exercise: Exercise, nodes: list[str]) -> Promise:
    if len(nodes) < 2:
        return step.not_run("sticky", "nothing tells which node answers" if exercise.desired > 1
                            else "there is one node only")
    browser = exercise.browser()
    form = browser.open()
    if isinstance(form, LoginForm):
        browser.submit(form)
    for _ in range(4):
        browser.open()
    served = [exercise.served_by(answer).task for answer in browser.answers]
    known = [task for task in served if task]
    different = sorted(set(known))
    if not known:
        return step.judged("sticky", "the balancer sets no cookie to keep a login on its node",
                           causes=causes.unsteady(exercise.topology))
    return step.judged(
        "sticky",
        f"one login was served by {', '.join(different)}" if len(different) > 1 else "",
        evidence=(f"{len(served)} answers, {len(known)} of them named a node: {', '.join(different)}",),
        causes=causes.unsteady(exercise.topology),
    )


def _refresh(step: Step, exercise: Exercise, routes: list[Route]) -> Promise:
    """One session, refreshed on every node in turn, twice around."""
    evidence, wrong = [], ""
    try:
        tokens = exercise.party(route=routes[0]).token()
        for route in [*routes[1:], *routes[:1], *routes[1:]]:
            tokens = exercise.party(route=route).refreshed(tokens)
            evidence.append(_at(route, "refreshed"))
        for route in routes:
            exercise.party(route=route).check(tokens)
            evidence.append(_at(route, "active"))
    except (NoAnswer, Failed) as error:
        wrong = str(error)
        evidence.append(wrong)
    return step.judged("refresh", wrong, evidence=_counted_lines(evidence))


def _ended(step: Step, exercise: Exercise, routes: list[Route]) -> Promise:
    """Sessions begun on each node, known to the others, and ended on another."""
    evidence, wrong = [], ""
    ways = _distinct(routes)
    for number, route in enumerate(ways):
        other = ways[(number + 1) % len(ways)]
        try:
            tokens = exercise.party(route=route).token()
            exercise.party(route=other).check(tokens)
            exercise.party(route=other).end(tokens)
            late = _lasting(exercise, routes, tokens)
            evidence.append(
                f"begun at {_name(route)}, ended at {_name(other)}"
                + (f", still active at {late}" if late else "")
            )
            wrong = wrong or (f"a session ended at {_name(other)} is still active at {late}" if late else "")
            wrong = wrong or _refused(lambda: exercise.party(route=route).refreshed(tokens))
        except (NoAnswer, Failed) as error:
            wrong = wrong or str(error)
            evidence.append(str(error))
    return step.judged("ended", wrong, evidence=_counted_lines(evidence))


def _lasting(exercise: Exercise, routes: list[Route], tokens: Tokens) -> str:
    """A node that still calls a session's token active; empty where none does. Two seconds are given to it:
    nodes tell each other of an ended session asynchronously."""
    left = list(routes)

    def none_left() -> bool:
        left[:] = [route for route in left if exercise.party(route=route).introspect(tokens)]
        return not left

    return "" if exercise.wait(none_left, 2.0, 0.25) else _name(left[0])


def _refused(ask: Callable[[], object]) -> str:
    try:
        ask()
    except Failed as error:
        return "" if "invalid_grant" in str(error) else str(error)
    return "an ended session could be refreshed"


def _counted(step: Step, exercise: Exercise, routes: list[Route]) -> Promise:
    """Wrong passwords, told to every node; then every node is asked how many there were."""
    realm, administrator = exercise.made, exercise.administrator
    before = administrator.failures(realm)
    ways = _distinct(routes)
    for route in ways:
        for _ in range(_GUESSES):
            try:
                exercise.party(route=route).token(realm.guessed, "a guess")
            except Failed as error:
                if "invalid_grant" not in str(error):
                    raise
    expected = before + _GUESSES * len(ways)
    counts: dict[str, int] = {}

    def agree() -> bool:
        for number, route in enumerate(routes):
            extra = (("Cookie", route.cookie),) if route.cookie else ()
            counts[route.task or f"request {number + 1}"] = administrator.failures(realm, extra)
        return set(counts.values()) == {expected}

    agreed = exercise.wait(agree, 10.0)
    wrong = "" if agreed else ", ".join(f"{name} counts {count}" for name, count in counts.items()
                                        if count != expected) + f" of {expected} failed logins"
    return step.judged(
        "counted",
        wrong,
        figures=(Figure("failed logins", expected - before),),
        evidence=_counted_lines(
            [
                f"{name if routes[0].task else 'a node'}: {count - before} counted"
                for name, count in counts.items()
            ]
        ),
    )


def _distinct(routes: list[Route]) -> list[Route]:
    """One way for each node; as many as there are ways, at most four, where they can't be told apart."""
    return routes if routes[0].task else routes[:4]


def _name(route: Route) -> str:
    return route.task or "some node"


def _at(route: Route, outcome: str) -> str:
    return f"{_name(route)}: {outcome}"


def _counted_lines(lines: list[str]) -> tuple[str, ...]:
    """Each line once, with how often it came."""
    found: dict[str, int] = {}
    for line in lines:
        found[line] = found.get(line, 0) + 1
    return tuple(f"{line} ({count} times)" if count > 1 else line for line, count in found.items())


STEP = Step(
    name="login",
    title="Logins and sessions",
    does="Logs in, refreshes and logs out in the temporary realm.",
    hurts=False,
    promises={
        "browser": "A login as a browser does it (authorization code with PKCE) works on every node",
        "sticky": "The balancer keeps a login on its node",
        "refresh": "A session of one node is refreshed on every other",
        "ended": "A session ended on one node is ended on all",
        "counted": "Failed logins are counted together, whichever node saw them",
    },
    run=_run,
    estimate=lambda exercise: 10.0,
)
