"""The administrator: logs in, makes a realm and takes it away again; and says who stood in the way."""

from __future__ import annotations

from dataclasses import replace

import pytest

from generator.drilling.admin import Administrator, AdminUnreachable, representation
from generator.showing.hiding import Secrets
from generator.drilling.oidc import Realm
from generator.drilling.places import places
from tests.drilling.little import Little
from tests.drilling.servers import answer, serving
from tests.drilling.targets import DEV, PASSWORD, Stand, with_container, with_environment
from tests.rehearsing.topologies import FORWARD, NOT_FOUND, RULES, rule, source, with_rules


def administrator(servers, topology=DEV, **how) -> Administrator:
    """Somebody who knows the bootstrap account."""
    target = Stand(topology, servers)
    return Administrator(target, places(topology, target.doors()), Secrets(), timeout=5, **how)


def test_a_realm_is_made_and_taken_away(tmp_path):
    """With a client and its users, under a name that nobody has; deleted, it is gone."""
    little = Little()
    with serving(little, tmp_path) as server:
        one = administrator({"admin": server})
        realm = one.make_realm()
        assert (
            one.leftovers() == [realm.name] and realm.name.startswith("drill-") and realm.guessed_id == "42"
        )
        made = little.realms[realm.name]
        one.remove(realm.name)
        assert one.leftovers() == [] and little.deleted == [realm.name]
        one.remove(realm.name)
    assert [user["username"] for user in made["users"]][:3] == ["drill", "guessed", "client-1"]
    assert made["clients"][0]["clientId"] == "drill" and made["enabled"]


@pytest.mark.parametrize(("version", "local", "needed"), [
    ("26.7.4", True, "external"), ("24.0.5", True, "all"), ("24.0.5", False, "external")])
def test_a_rehearsal_s_cookies_are_as_secure_as_on_a_public_address(tmp_path, version, local, needed):
    """Before 26 Keycloak looks at the address of the host's name, which is private in every rehearsal; what is
    deployed is judged with the setting that realms have."""
    little = Little()
    with serving(little, tmp_path) as server:
        topology = replace(DEV, version=version)
        target = Stand(topology, {"admin": server}, local=local)
        one = Administrator(target, places(topology, target.doors()), Secrets(), timeout=5)
        assert little.realms[one.make_realm().name]["sslRequired"] == needed


def test_the_client_is_in_its_own_audience():
    """Otherwise introspection would call every token inactive."""
    made = representation(Realm("drill-1", "drill", "secret", "drill", "password", "guessed"))
    mapper = made["clients"][0]["protocolMappers"][0]
    assert mapper["protocolMapper"] == "oidc-audience-mapper"
    assert mapper["config"]["included.client.audience"] == made["clients"][0]["clientId"]


def test_a_token_is_used_again_and_the_session_ended(tmp_path):
    """Calls share a token, a new realm asks for a new one, and at the end no session of the administrator's
    is left."""
    little = Little()
    with serving(little, tmp_path) as server:
        one = administrator({"admin": server})
        one.leftovers()
        one.leftovers()
        assert sum("/token" in request.target for request in server.requests()) == 1
        one.remove(one.make_realm().name)
        grants = [
            request.form["grant_type"] for request in server.requests() if request.target.endswith("/token")
        ]
        assert grants == ["password", "refresh_token"] and len(little.admin_sessions) == 1
        one.logout()
    assert little.admin_sessions == set()


def test_the_vantage_that_works_is_found_and_kept(tmp_path):
    """The admin network first, then the others; what worked is asked again."""
    (tmp_path / "closed").mkdir()
    topology = with_rules(
        rule("InsideRule", 1, FORWARD, source("10.40.0.0/16")),
        rule("Listener", None, NOT_FOUND),
        topology=DEV,
    )
    with serving(Little(), tmp_path) as inside, serving(lambda _: answer(404), tmp_path / "closed") as closed:
        one = administrator({"admin": closed, "inside": inside, "internet": closed}, topology)
        one.leftovers()
        # Once for the login at the public host, once for the API at the admin host.
        assert len(closed.raw) == 2
        one.leftovers()
        assert len(closed.raw) == 2 and len(inside.raw) == 3


def test_who_answered_instead_is_named(tmp_path):
    """From where, with which status, and by which rule of the template."""
    topology = with_rules(*(one for one in RULES if one.logical_id != "AdminRule"), topology=DEV)
    with serving(Little(admin_closed=True), tmp_path) as server:
        one = administrator({"admin": server, "internet": server}, topology)
        with pytest.raises(AdminUnreachable, match="isn't reached") as found:
            one.make_realm()
    last = [one for one in found.value.tries if "/admin/realms" in one.url]
    assert {one.vantage for one in last} == {"admin", "internet"} and not found.value.refused
    assert last[0].text.startswith(
        "from the admin network: POST https://sso-admin.example.com/admin/realms: HTTP 404"
    )
    assert "the default action of HttpsListener, line 1" in last[0].text


def test_a_wrong_password_is_told_from_a_closed_door(tmp_path):
    """Keycloak answered and didn't take it; the password isn't in what is said."""
    with serving(Little(), tmp_path) as server:
        one = administrator({"admin": server}, login=("somebody", "not-the-password"))
        with pytest.raises(AdminUnreachable, match="isn't let in") as found:
            one.leftovers()
    assert found.value.refused and "not-the-password" not in str([one.text for one in found.value.tries])


def test_a_template_without_an_administrator_says_so():
    """No password, nowhere: nothing to log in with."""
    class Bare(Stand):
        def secret(self, variable):
            return None

    target = Bare(with_container(DEV, secrets=()))
    with pytest.raises(AdminUnreachable, match="gives no administrator's password") as found:
        Administrator(target, places(DEV, []), Secrets())
    assert found.value.tries == ()


def test_old_names_and_plain_values_are_known_too(tmp_path):
    """KEYCLOAK_ADMIN in the environment, as older templates have it."""
    topology = with_environment(DEV, KC_BOOTSTRAP_ADMIN_USERNAME=None, KEYCLOAK_ADMIN="admin",
                                KEYCLOAK_ADMIN_PASSWORD=PASSWORD)
    with serving(Little(), tmp_path) as server:
        administrator({"admin": server}, topology).leftovers()
        assert server.requests()[0].form["username"] == "admin"


def test_what_may_pass_is_waited_for(tmp_path):
    """The balancer has no healthy task yet: asked again until it has, or patience ends."""
    little, refused = Little(), [3]

    def starting(raw: bytes) -> bytes:
        refused[0] -= 1
        return answer(503, "<html>", kind="text/html") if refused[0] >= 0 else little(raw)

    with serving(starting, tmp_path) as server:
        administrator({"admin": server}).call("GET", "", patience=20)
        refused[0] = 100
        with pytest.raises(AdminUnreachable):
            administrator({"admin": server}).call("GET", "")
