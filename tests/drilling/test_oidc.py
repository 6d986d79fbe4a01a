"""What a client and a browser do, against as much of Keycloak as they need."""

from __future__ import annotations

import pytest

from generator.showing.hiding import Secrets
from generator.drilling.http import Client, NoAnswer
from generator.drilling.oidc import Browser, LoginForm, Party, Realm, login, login_action, said
from generator.drilling.probes import Failed
from tests.drilling.little import Little
from tests.drilling.servers import PUBLIC, answer, serving

REALM = Realm("drill-1", "drill", "client-secret", "drill", "pass-word", "guessed")


@pytest.fixture
def keycloak(tmp_path):
    """A server with the realm, and both kinds of client."""
    little = Little()
    little.realms[REALM.name] = {
        "users": [
            {"username": name, "credentials": [{"value": REALM.password}]}
            for name in (REALM.user, REALM.guessed)
        ]
    }
    with serving(little, tmp_path) as server:
        client, secrets = Client(server.door(), PUBLIC, 5), Secrets()
        yield little, server, Party(client, "", REALM, secrets), Browser(client, "", REALM, secrets), secrets


def test_tokens_are_issued_checked_refreshed_and_ended(keycloak):
    """The whole life of a session; afterwards it is active no more and can't be refreshed."""
    _, _, party, _, _ = keycloak
    tokens = party.token()
    party.check(tokens)
    party.check(party.refreshed(tokens))
    party.end(tokens)
    assert party.introspect(tokens) is False
    with pytest.raises(Failed, match="active: false"):
        party.check(tokens)
    with pytest.raises(Failed, match="HTTP 400 invalid_grant"):
        party.refreshed(tokens)


def test_a_login_goes_from_the_page_to_the_tokens(keycloak):
    """Authorization code with PKCE: the verifier belongs to the challenge, the cookies to the page."""
    _, server, party, browser, _ = keycloak
    party.check(login(party, browser))
    first, second, third = server.requests()[:3]
    assert first.query["code_challenge_method"] == "S256" and first.query["redirect_uri"].startswith(
        "https://drill.invalid"
    )
    assert "AUTH_SESSION_ID=session" in second.header("Cookie") and second.form["password"] == REALM.password
    assert third.form["grant_type"] == "authorization_code" and len(third.form["code_verifier"]) >= 43


def test_who_is_logged_in_gets_a_code_at_once(keycloak):
    """The second login asks for no password."""
    _, _, party, browser, _ = keycloak
    login(party, browser)
    code = browser.open()
    assert isinstance(code, str)
    party.check(party.exchanged(code, browser.verifier))


def test_a_browser_that_lost_its_cookies_is_refused(keycloak):
    """What Keycloak's page says about it is in the reason."""
    _, _, _, browser, _ = keycloak
    form = browser.open()
    assert isinstance(form, LoginForm)
    browser.jar.clear()
    with pytest.raises(Failed, match="login refused .HTTP 400: Restart login cookie not found"):
        browser.submit(form)


def test_a_wrong_password_is_an_invalid_grant(keycloak):
    """And is counted."""
    little, _, party, _, _ = keycloak
    with pytest.raises(Failed, match="invalid_grant"):
        party.token(REALM.guessed, "a guess")
    assert little.failures == 1


def test_what_is_secret_is_known_to_be(keycloak):
    """Tokens, codes and verifiers are hidden from then on, and nothing shows them by itself."""
    _, _, party, browser, secrets = keycloak
    tokens = login(party, browser)
    text = f"{tokens.access} {tokens.refresh} {browser.verifier} {party.realm} {tokens}"
    hidden = secrets.hide(text)
    assert tokens.access not in hidden and tokens.refresh not in hidden and browser.verifier not in hidden
    assert (
        REALM.password not in str(REALM)
        and REALM.secret not in str(REALM)
        and tokens.refresh not in str(tokens)
    )


def test_the_balancer_s_answers_are_no_tokens(keycloak):
    """A 502 is a failure with its status; nobody answering is a failure too."""
    little, server, party, _, _ = keycloak
    little.fail = 1
    with pytest.raises(Failed, match="^HTTP 502$"):
        party.token()
    tokens = party.token()
    server.close()
    with pytest.raises(NoAnswer, match="connection refused"):
        party.check(tokens)
    # The fixture closes it once more at the end, so it has to be there.
    server.__init__(little)


def test_no_form_is_told_from_a_form():
    """A page without one, or one that sends somewhere else, is no login."""
    assert login_action('<form id="other" action="/x"></form>') == ""
    assert login_action('<FORM class="a" ID="kc-form-login" ACTION="/x?a=1&amp;b=2">') == "/x?a=1&b=2"
    with serving(lambda _: answer(200, "<title>Hm</title>", kind="text/html")) as server:
        browser = Browser(Client(server.door(), PUBLIC, 5), "", REALM, Secrets())
        with pytest.raises(Failed, match="no login form"):
            browser.open()
        assert said(browser.answers[0]) == ": Hm"
    with serving(lambda _: answer(302, "", "Location: https://evil.example.net/?code=1")) as server, \
            pytest.raises(Failed, match="sent to https://evil.example.net/ instead of back"):
        Browser(Client(server.door(), PUBLIC, 5), "", REALM, Secrets()).open()
