"""A whole drill, against as much of Keycloak as it needs: what is run, what isn't and why, and what is left
behind."""

from __future__ import annotations

import json
import time
from dataclasses import replace

import pytest

from generator.drilling import report as texts
from generator.drilling.exercise import Knobs
from generator.drilling.page import page
from generator.drilling.promises import BROKEN, KEPT, NOT_RUN
from generator.drilling.run import NAMES, drill
from generator.errors import RehearsalError
from tests.drilling.little import Little
from tests.drilling.servers import serving
from tests.drilling.targets import DEV, PASSWORD, Stand
from tests.rehearsing.topologies import PERMISSIONS, RULES, with_rules

QUICK = Knobs(whole=0.0, at_rest=0.0, patience=5.0)


def briefly(seconds: float) -> None:
    """Waiting, as far as a test needs it."""
    time.sleep(min(seconds, 0.02))


def verdicts(found) -> dict[str, str]:
    """Promise to verdict."""
    return {one.name: one.verdict for one in found.promises}


@pytest.fixture
def keycloak(tmp_path):
    """A little Keycloak, and the servers in front of it, by vantage."""
    little = Little()
    with serving(little, tmp_path) as server:
        yield little, {"internet": server, "admin": server}


def test_what_was_made_is_gone_afterwards(keycloak):
    """The realm is deleted, and the administrator's session ended."""
    little, servers = keycloak
    found = drill(Stand(servers=servers), steps=["discovery"], knobs=QUICK, sleep=briefly)
    assert verdicts(found) == {"discovery.view": KEPT, "discovery.metrics": KEPT, "provision.realm": KEPT,
                               "cleanup.realm": KEPT}
    assert found.kept and not little.realms and len(little.deleted) == 1 and not little.admin_sessions
    figures = {one.name: one.value for one in found.promises[0].figures}
    assert figures["keycloak-1 from start to full view"] == pytest.approx(10.1)
    assert figures["first start to full view"] == pytest.approx(20.1)


def test_logins_are_drilled_from_the_page_to_the_end_of_the_session(keycloak):
    """Every promise about logins, at every node that the balancer shows."""
    little, servers = keycloak
    found = drill(_Telling(servers=servers), steps=["login"], knobs=QUICK, sleep=briefly)
    assert verdicts(found) == {
        "provision.realm": KEPT, "login.browser": KEPT, "login.sticky": NOT_RUN, "login.refresh": KEPT,
        "login.ended": KEPT, "login.counted": KEPT, "cleanup.realm": KEPT}


class _Telling(Stand):
    """A stand that knows where a cookie leads."""

    def served_by(self, cookie: str) -> str | None:
        return cookie.split("|")[0]


def test_somebody_who_stops_it_gets_what_was_found_and_leaves_nothing(keycloak):
    """Ctrl-C in the middle of a step: the realm is deleted, what wasn't tried says so."""
    little, servers = keycloak

    def stop(progress) -> None:
        if progress.step == "login":
            raise KeyboardInterrupt

    found = drill(
        Stand(servers=servers),
        steps=["discovery", "login", "failover"],
        knobs=QUICK,
        sleep=briefly,
        progress=stop,
    )
    assert found.interrupted and not found.kept and not little.realms and len(little.deleted) == 1
    assert verdicts(found)["discovery.view"] == KEPT and verdicts(found)["cleanup.realm"] == KEPT
    reasons = {one.reason for one in found.promises if one.name.startswith("login.")}
    assert reasons == {"it was stopped"} and not any(
        one.name.startswith("failover.") for one in found.promises
    )


def test_steps_that_hurt_need_to_be_allowed_where_others_are_served(keycloak):
    """On a deployed environment nothing is broken without being asked for by name."""
    _, servers = keycloak
    for allow, touched in (((), False), (("freeze",), False), (("failover",), True), (("all",), True)):
        target = Stand(servers=servers, local=False)
        found = drill(target, steps=["failover"], knobs=QUICK, sleep=briefly, allow=allow)
        assert bool(target.done) is touched
        reason = next(one.reason for one in found.promises if one.name == "failover.view")
        assert reason == (
            "nothing is killed here"
            if touched
            else "it would hurt a deployed environment: Kills the task that issued a token. "
            "Allow it with --allow failover"
        )


def test_what_a_target_can_t_do_isn_t_held_against_it(keycloak):
    """A step that can't be carried out is not run, for the reason that the target gives; the others go on."""
    _, servers = keycloak
    found = drill(
        Stand(servers=servers), steps=["failover", "freeze", "lose", "scale"], knobs=QUICK, sleep=briefly
    )
    assert {
        one.verdict
        for one in found.promises
        if one.name.split(".")[0] in ("failover", "freeze", "lose", "scale")
    } == {NOT_RUN}
    assert verdicts(found)["cleanup.realm"] == KEPT


def test_tasks_that_don_t_see_each_other_are_the_closed_port_s_fault(keycloak):
    """The promise is broken with the cause and its line; what needs a cluster isn't tried."""
    _, servers = keycloak
    closed = replace(DEV, permissions=tuple(one for one in PERMISSIONS if one.ports != (7800, 7800)))
    found = drill(
        Stand(closed, servers, whole=False), steps=["discovery", "failover"], knobs=QUICK, sleep=briefly
    )
    one = found.promises[0]
    assert one.verdict == BROKEN and "members in view: keycloak-1 1, keycloak-2 1" in one.reason
    assert "port 7800 is closed between tasks" in one.causes[0].text and one.causes[0].line == 77
    assert next(one.reason for one in found.promises if one.name == "failover.token").startswith(
        "the cluster wasn't whole"
    )


def test_an_administrator_who_is_locked_out_breaks_the_promise_with_its_rule(tmp_path):
    """The admin rule is missing: its place is named, and what needs the realm isn't run."""
    topology = with_rules(*(one for one in RULES if one.logical_id != "AdminRule"), topology=DEV)
    with serving(Little(admin_closed=True), tmp_path) as server:
        found = drill(
            Stand(topology, {"internet": server, "admin": server}),
            steps=["login", "paths"],
            knobs=QUICK,
            sleep=briefly,
        )
    one = next(one for one in found.promises if one.name == "provision.realm")
    assert one.verdict == BROKEN and "no rule lets the admin REST API through" in one.causes[0].text
    assert {one.reason for one in found.promises if one.name.startswith("login.")} == {
        "there is no temporary realm"
    }
    assert verdicts(found)["paths.admin"] == BROKEN and verdicts(found)["paths.closed"] == KEPT
    assert "cleanup.realm" not in verdicts(found)


def test_no_secret_is_in_any_form_of_the_report(keycloak):
    """Not the administrator's password, no token, no password of the realm's, nothing of a cookie's."""
    little, servers = keycloak
    kept: list[dict] = []

    class Spying(Stand):
        def metrics(self, task):
            return None

        def tasks(self):
            kept.extend(little.realms.values())
            return super().tasks()

    told: list[str] = []
    found = drill(
        Spying(servers=servers),
        steps=["discovery", "paths", "login", "failover"],
        knobs=QUICK,
        sleep=briefly,
        progress=lambda one: told.append(one.text),
    )
    shown = "\n".join([texts.as_json(found), texts.markdown(found), texts.junit(found), page(found), *told,
                       *(line for _, line in texts.text_lines(found, evidence=True))])
    secrets = {PASSWORD, *(one["clients"][0]["secret"] for one in kept), *little.live, *little.refresh,
               *(user["credentials"][0]["value"] for one in kept for user in one["users"])}
    assert kept and len(secrets) > 5
    assert not [one for one in secrets if one in shown]


def test_progress_says_how_long_the_rest_may_take(keycloak):
    """The estimate shrinks from step to step."""
    _, servers = keycloak
    told: list = []
    drill(
        Stand(servers=servers), steps=["discovery", "login"], knobs=QUICK, sleep=briefly, progress=told.append
    )
    by_step = {one.step: one.remaining for one in told}
    assert list(by_step) == ["discovery", "provision", "login", "cleanup"]
    assert sorted(by_step.values(), reverse=True) == list(by_step.values())


def test_a_step_that_doesn_t_exist_is_refused():
    """With those that do."""
    with pytest.raises(RehearsalError, match="there is no step nonsense: the steps are discovery, provision, paths"):
        drill(Stand(), steps=["nonsense"])
    assert len(set(NAMES)) == len(NAMES)


def test_a_template_without_a_balancer_is_drilled_as_far_as_it_goes():
    """Discovery can be judged; nobody can be asked."""
    found = drill(Stand(replace(DEV, balancers=())), steps=["discovery", "login"], knobs=QUICK, sleep=briefly)
    assert verdicts(found)["discovery.view"] == KEPT and verdicts(found)["provision.realm"] == NOT_RUN


def test_a_realm_that_can_t_be_deleted_is_named(keycloak):
    """Whoever has to delete it by hand needs its name."""
    little, servers = keycloak

    def close(progress) -> None:
        if progress.step == "login":
            little._admin_closed = True

    found = drill(Stand(servers=servers), steps=["login"], knobs=QUICK, sleep=briefly, progress=close)
    one = next(one for one in found.promises if one.name == "cleanup.realm")
    name = next(iter(little.realms))
    assert one.verdict == BROKEN and name in one.reason and "delete it" in one.reason


def test_the_report_can_be_read_by_a_program(keycloak):
    """JSON with every promise that was asked for."""
    _, servers = keycloak
    found = json.loads(
        texts.as_json(drill(Stand(servers=servers), steps=["discovery"], knobs=QUICK, sleep=briefly))
    )
    assert [one["name"] for one in found["steps"]] == ["discovery", "provision", "cleanup"]
    assert found["version"] == "26.7.4" and found["local"] is True
