"""The steps that break something, on a stage: a cluster whose logs and tasks are what a test says, in front
of as much of Keycloak as clients need. How long real clusters take, the cluster tests measure."""

from __future__ import annotations

import re
import time
from dataclasses import replace

import pytest

from generator.drilling.exercise import Knobs
from generator.drilling.promises import BROKEN, KEPT, NOT_RUN
from generator.drilling.run import drill
from generator.rehearsing.target import LogLine
from tests.drilling.little import Little
from tests.drilling.servers import serving
from tests.drilling.stage import Stage
from tests.drilling.targets import DEV, view
from tests.rehearsing.topologies import PERMISSIONS, with_group

KNOBS = Knobs(
    whole=60.0,
    at_rest=0.3,
    warm=0.1,
    again=60.0,
    patience=60.0,
    killed=30.0,
    frozen=30.0,
    probes=10.0,
    steady=0.2,
    requests=40,
    rate=60.0,
    cut=0.3,
    healed=60.0,
)


@pytest.fixture
def keycloak(tmp_path):
    """A little Keycloak, and the servers in front of it, by vantage."""
    little = Little()
    with serving(little, tmp_path) as server:
        yield little, {"internet": server, "admin": server}


def run(target: Stage, *steps: str, knobs: Knobs = KNOBS, **how):
    """A drill of these steps, and its promises by name."""
    found = drill(
        target, steps=list(steps), knobs=knobs, sleep=lambda seconds: time.sleep(min(seconds, 0.02)), **how
    )
    return found, {one.name: one for one in found.promises if one.name.split(".")[0] in steps}


def verdicts(promises) -> dict[str, str]:
    """Last part of a promise's name to its verdict."""
    return {name.split(".")[1]: one.verdict for name, one in promises.items()}


def figure(promise, name: str) -> float:
    """A figure of a promise."""
    return next(one.value for one in promise.figures if one.name == name)


def test_a_killed_node_costs_nobody_anything(keycloak):
    """The node that issued the token goes; token and form outlive it, the others notice, a successor
    comes."""
    little, servers = keycloak
    target = Stage(servers=servers)
    found, promises = run(target, "failover")
    assert set(verdicts(promises).values()) == {KEPT} and target.done == ["kill keycloak-1"]
    assert figure(promises["failover.view"], "time to the new view") == pytest.approx(0.5, abs=0.01)
    assert promises["failover.token"].evidence[0] == "the token came from keycloak-1, which was killed"
    assert not little.realms
    kinds = [one.kind for one in found.timeline.moments]
    assert "loss" in kinds and "view" in kinds and "recovery" in kinds
    assert {one.kind for one in found.timeline.samples} == {"introspection", "document"}


def test_a_loss_that_is_noticed_late_is_the_closed_port_s_fault(keycloak):
    """45 s instead of 3, and the template permits no 57800 between tasks: the line where it should."""
    _, servers = keycloak
    closed = replace(DEV, permissions=tuple(one for one in PERMISSIONS if one.ports != (57800, 57800)))
    _, promises = run(Stage(closed, servers, delay=45.0), "failover")
    broken = promises["failover.view"]
    assert broken.verdict == BROKEN and broken.reason == "the others needed 45.0 s"
    assert "port 57800 is closed between tasks" in broken.causes[0].text and broken.causes[0].line == 77
    assert promises["failover.token"].verdict == KEPT


def test_a_task_that_makes_a_cluster_of_its_own_is_told(keycloak):
    """Merged in the end, and still broken: what it promised clients meanwhile, the others don't know. Cloud Map's
    silence about a leader that is being stopped is named where the drain is long."""
    _, servers = keycloak

    class Astray(Stage):
        def comes(self, at):
            super().comes(at)
            newest = list(self.there)[-1]
            first, *more = self._logs[newest]
            self._logs[newest] = [first, LogLine(first.time, view("n-9", number=0)), *more]

    topology = with_group(DEV, deregistration_delay=60)
    _, promises = run(Astray(topology, servers), "stop")
    assert promises["stop.joined"].verdict == BROKEN and "keycloak-3 started on its own" in promises["stop.joined"].reason
    assert "stays in it for 60 s more" in promises["stop.joined"].causes[0].text
    assert promises["stop.whole"].verdict == KEPT


def test_a_node_nobody_replaces_is_missed(keycloak):
    """Without a successor the last promise is broken, the others are judged all the same."""
    _, servers = keycloak
    _, promises = run(Stage(servers=servers, heirs=False), "failover", knobs=replace(KNOBS, whole=0.5))
    assert verdicts(promises) == {"token": KEPT, "form": KEPT, "view": KEPT, "outage": KEPT, "whole": BROKEN,
                                  "joined": NOT_RUN}
    assert "1 of 2 tasks healthy" in promises["failover.whole"].reason


def test_leaving_is_counted_from_when_the_node_leaves(keycloak):
    """A task that is stopped in order may be drained for long before it says goodbye."""
    _, servers = keycloak
    _, promises = run(Stage(servers=servers, delay=20.0), "stop")
    assert set(verdicts(promises).values()) == {KEPT}
    assert figure(promises["stop.view"], "time to the new view") == pytest.approx(0.4, abs=0.01)
    assert promises["stop.view"].evidence[0] == "keycloak-1 left the cluster 19.6 s after it was told to stop"


def test_any_error_breaks_an_orderly_stop(keycloak):
    """Where nobody is to see an error, one is too many; a killed node may cost a few."""
    little, servers = keycloak

    class Rude(Stage):
        def gone(self, task, what, heirs=None):
            little.documents = 3
            return super().gone(task, what, heirs)

    _, promises = run(Rude(servers=servers), "stop")
    # The drill's own requests may meet some of the three, before the probes do.
    assert promises["stop.errors"].verdict == BROKEN
    assert re.search(r"HTTP 502 [123]\b", promises["stop.errors"].reason)
    assert verdicts(promises)["token"] == KEPT
    _, promises = run(Rude(servers=servers), "failover")
    assert (
        promises["failover.outage"].verdict == KEPT
        and figure(promises["failover.outage"], "failed probes") == 3
    )


def test_one_task_can_t_lose_one(keycloak):
    """Losing a node is tried with two or more."""
    _, servers = keycloak
    single = replace(DEV, service=replace(DEV.service, desired=1))
    target = Stage(single, servers)
    del target.there["keycloak-2"]
    target._logs["keycloak-1"][-1] = LogLine(1010.1, view("a-1"))
    _, promises = run(target, "failover", "freeze")
    assert {one.reason for one in promises.values()} == {"the template has 1 task only"} and not target.done


@pytest.mark.parametrize(
    ("step", "done"),
    [
        ("freeze", ["freeze keycloak-1", "thaw keycloak-1"]),
        ("cut", ["cut both keycloak-1", "thaw keycloak-1"]),
        ("cut-in", ["cut in keycloak-1", "thaw keycloak-1"]),
        ("cut-out", ["cut out keycloak-1", "thaw keycloak-1"]),
        ("lose", ["lose keycloak-1"]),
    ],
)
def test_a_silent_node_is_noticed_given_back_and_forgiven(keycloak, step, done):
    """Every kind of silence; afterwards one cluster, old and new sessions alive."""
    _, servers = keycloak
    target = Stage(servers=servers)
    _, promises = run(target, step)
    assert [one.reason for one in promises.values() if one.verdict != KEPT] == [] and target.done == done
    assert ("view" in verdicts(promises)) is (step not in ("cut-in", "cut-out"))
    assert promises[f"{step}.unhurt"].evidence == ("1 sessions begun meanwhile",)


def test_the_shipped_heartbeats_are_named_where_a_frozen_node_is_noticed_late(keycloak):
    """41 s, as the shipped stacks have it."""
    _, servers = keycloak
    _, promises = run(Stage(servers=servers, delay=41.0), "freeze")
    assert (
        promises["freeze.view"].verdict == BROKEN and "after 40 s" in promises["freeze.view"].causes[0].text
    )


def test_a_cluster_that_stays_apart_is_told(keycloak):
    """Healed, and never merged: broken, with the views that the nodes are in."""
    _, servers = keycloak

    class Apart(Stage):
        def heal(self, task):
            return time.time()

    _, promises = run(Apart(servers=servers), "cut")
    assert promises["cut.whole"].verdict == BROKEN
    assert "members in view: keycloak-1 2, keycloak-2 1" in promises["cut.whole"].reason


def test_what_was_frozen_is_let_go_when_somebody_stops_the_drill(keycloak):
    """Ctrl-C while a node is frozen: it is thawed, and the realm deleted."""
    little, servers = keycloak
    target = Stage(servers=servers)

    class Stop(Stage):
        def freeze(self, task):
            super().freeze(task)
            self._logs = _Interrupting(self._logs)
            return time.time()

    class _Interrupting(dict):
        def get(self, *_):
            target._logs = dict(self)
            raise KeyboardInterrupt

    target = Stop(servers=servers)
    found, promises = run(target, "freeze")
    assert found.interrupted and target.done == ["freeze keycloak-1", "thaw keycloak-1"] and not little.realms
    assert set(verdicts(promises).values()) == {NOT_RUN}


def test_a_deployment_under_load_replaces_every_task(keycloak):
    """At least as many requests as asked for, of every kind, none failed; a setting that changes nothing was
    changed."""
    _, servers = keycloak
    target = Stage(servers=servers)
    _, promises = run(target, "deploy")
    assert set(verdicts(promises).values()) == {KEPT}
    assert target.done == ["deploy {'KC_LOG_LEVEL': 'info,org.keycloak.drill:info'}"]
    assert figure(promises["deploy.requests"], "requests") >= KNOBS.requests
    kinds = promises["deploy.requests"].evidence[1]
    assert all(kind in kinds for kind in ("document", "introspection", "login", "refresh", "token"))


def test_a_deployed_environment_is_deployed_as_it_is(keycloak):
    """Where others are served, nothing is changed, only replaced."""
    _, servers = keycloak
    target = Stage(servers=servers, local=False)
    run(target, "deploy", allow=("deploy",))
    assert target.done == ["deploy {}"]


class AllAtOnce(Stage):
    """All tasks go before new ones come, and two requests fail meanwhile."""

    def __init__(self, little: Little, *stage):
        super().__init__(*stage)
        self._little = little

    def deploy(self, changes):
        self._little.fail = 2
        for name in list(self.there):
            del self.there[name]
        self.tasks()
        for _ in range(2):
            self.comes(time.time())


def test_every_failed_request_of_the_load_counts(keycloak):
    """How many, of which kind, why, and when in the deployment; and the share that the service promises to keep."""
    little, servers = keycloak

    careless = replace(DEV, service=replace(DEV.service, minimum_percent=50))
    _, promises = run(AllAtOnce(little, careless, servers), "deploy")
    broken = promises["deploy.requests"]
    assert broken.verdict == BROKEN and "HTTP 502" in broken.reason
    assert figure(broken, "failed requests") in (1, 2)  # the drill's own requests may meet one
    assert re.search(r"^the first of them was sent -?\d+ s after the deployment began, which took \d+ s$",
                     broken.evidence[2])
    assert "MinimumHealthyPercent 50" in broken.causes[0].text


def test_a_service_that_stops_all_tasks_first_promises_no_service(keycloak):
    """What fails meanwhile is told and nobody's broken promise; sessions and the cluster are promised all the same."""
    little, servers = keycloak

    chosen = replace(DEV, service=replace(DEV.service, minimum_percent=0))
    _, promises = run(AllAtOnce(little, chosen, servers), "deploy")
    found = {name: one.verdict for name, one in promises.items()}
    assert found["deploy.requests"] == found["deploy.joined"] == NOT_RUN
    assert "MinimumHealthyPercent 0" in promises["deploy.requests"].reason
    assert "HTTP 502" in promises["deploy.requests"].reason
    assert found["deploy.whole"] == found["deploy.unhurt"] == found["deploy.share"] == KEPT


def test_tasks_that_stay_were_not_deployed(keycloak):
    """A deployment that is called done and left a task as it was."""
    _, servers = keycloak

    class Lazy(Stage):
        def deploy(self, changes):
            self.done.append("nothing")

    _, promises = run(Lazy(servers=servers), "deploy")
    assert promises["deploy.done"].verdict == BROKEN
    assert promises["deploy.done"].reason == "keycloak-1, keycloak-2 wasn't replaced"


def test_scaling_goes_up_and_back(keycloak):
    """One more, and as many as before, whatever happens in between."""
    _, servers = keycloak
    target = Stage(servers=servers)
    _, promises = run(target, "scale")
    assert set(verdicts(promises).values()) == {KEPT} and target.done == ["scale 3", "scale 2"]


def test_users_are_logged_in_after_all_nodes_were_gone(keycloak):
    """From 26 on sessions are in the database; before, nobody promises it."""
    little, servers = keycloak
    _, promises = run(Stage(servers=servers), "restart")
    assert verdicts(promises) == {"whole": KEPT, "sessions": KEPT}
    _, promises = run(Stage(replace(DEV, version="25.0.6"), servers), "restart")
    assert verdicts(promises) == {"whole": KEPT, "sessions": NOT_RUN}

    class Forgetful(Stage):
        def stop(self, task):
            little.live.clear()
            return super().stop(task)

    _, promises = run(Forgetful(servers=servers), "restart", knobs=replace(KNOBS, again=0.2))
    assert (
        promises["restart.sessions"].verdict == BROKEN
        and promises["restart.sessions"].reason == "active: false"
    )


def test_the_database_may_restart(keycloak):
    """Nobody is lost over it; a task that is, breaks the promise."""
    _, servers = keycloak
    found, promises = run(Stage(servers=servers), "database")
    assert set(verdicts(promises).values()) == {KEPT}
    assert "token" in {one.kind for one in found.timeline.samples}

    class Fragile(Stage):
        def restart_database(self):
            return self.gone("keycloak-2", "restart")

    _, promises = run(Fragile(servers=servers), "database")
    assert (
        promises["database.whole"].verdict == BROKEN
        and "keycloak-2 didn't survive" in promises["database.whole"].reason
    )
    _, promises = run(Stage(replace(DEV, database=None), servers), "database")
    assert {one.reason for one in promises.values()} == {"the template names no database"}
