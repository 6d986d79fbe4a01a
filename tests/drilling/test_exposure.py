"""What is exposed, forged or given away: the paths step against servers that do it wrong, one thing at a
time."""

from __future__ import annotations

from dataclasses import replace

import pytest

from generator.drilling.exercise import Knobs
from generator.drilling.promises import BROKEN, KEPT, NOT_RUN
from generator.drilling.run import drill
from tests.drilling.little import Little
from tests.drilling.servers import ADMIN, PUBLIC, Request, answer, jsonic, serving
from tests.drilling.targets import DEV, Stand, with_environment
from tests.rehearsing.topologies import FORWARD, RULES, rule, with_rules

KNOBS = Knobs(whole=5.0, at_rest=0.0, warm=0.0, patience=60.0)

CONSOLE = (
    '<title>Keycloak Administration Console</title><script id="environment" type="application/json">'
    '{"authServerUrl": "https://sso.example.com", "adminBaseUrl": "%s", "consoleBaseUrl": "/admin/"}</script>'
)


class Whole(Little):
    """Answers as the template means it: what the guide exposes, and the console to those who asked the admin
    host."""

    def __call__(self, raw: bytes) -> bytes:
        request = Request(raw)
        host = request.header("Host")
        if host == ADMIN and request.path in ("/admin/master/console/", "/admin/"):
            return answer(200, CONSOLE % f"https://{ADMIN}", kind="text/html")
        found = self.wrong(request, host)
        if found is not None:
            return found
        parts = request.path.split("/")
        if host == PUBLIC and (request.path == "/resources/abc/login.css" or parts[-1] == "certs"
                               or (len(parts) == 3 and parts[1] == "realms" and parts[2] in self.realms)
                               or request.path.startswith("/.well-known/oauth-authorization-server/realms/")):
            return jsonic(200, {})
        return super().__call__(raw)

    def wrong(self, request: Request, host: str) -> bytes | None:
        """What this one does wrong; nothing."""
        return None


def drilled(folder, little: Little, topology=DEV):
    """Promise to what became of it. Administrators come in at the same server, told apart by the admin
    host."""
    class Doors(Little):
        def __call__(self, raw: bytes) -> bytes:
            # From the internet the balancer answers for the admin host and for the master realm.
            request = Request(raw)
            closed = request.header("Host") == ADMIN or request.target.startswith("/realms/master/")
            return answer(404) if closed else little(raw)

    (folder / "outside").mkdir()
    with serving(little, folder) as inner, serving(Doors(), folder / "outside") as outer:
        found = drill(
            Stand(topology, {"internet": outer, "admin": inner}),
            steps=["paths"],
            knobs=KNOBS,
            sleep=lambda _: None,
        )
    return {one.name.split(".")[1]: one for one in found.promises if one.name.startswith("paths.")}


def test_a_sound_environment_keeps_every_promise(tmp_path):
    """What is exposed answers, what isn't doesn't, and no address is forged."""
    found = drilled(tmp_path, Whole())
    assert [
        f"{name}: {one.reason} {one.evidence}" for name, one in found.items() if one.verdict != KEPT
    ] == []
    assert found["tricks"].figures[0].value >= 50


class Leaky(Whole):
    """Gives one path away on the public host."""

    def __init__(self, path: str, shown: bytes):
        super().__init__()
        self._path, self._shown = path, shown

    def wrong(self, request, host):
        return self._shown if host == PUBLIC and request.target == self._path else None


@pytest.mark.parametrize(("path", "shown", "promise", "said"), [
    ("/admin/master/console/", answer(200, CONSOLE % "x", kind="text/html"), "closed", "the admin console"),
    ("/admin/realms", jsonic(401, {"error": "HTTP 401 Unauthorized"}), "closed", "the admin REST API"),
    ("/metrics", answer(200, "# HELP jvm_x\njvm_x 1\n"), "closed", "metrics"),
    ("/health", jsonic(200, {"status": "UP", "checks": []}), "closed", "health"),
    ("/", answer(302, "", f"Location: https://{ADMIN}/admin/"), "closed", "the admin host's name"),
    ("/realms/../admin/master/console/", answer(200, CONSOLE % "x", kind="text/html"), "tricks", "(dots)"),
    ("//admin/master/console/", answer(200, CONSOLE % "x", kind="text/html"), "tricks", "(double slash)"),
    ("/realms/%2e%2e/metrics", answer(200, "# TYPE jvm_x gauge\n"), "tricks", "encoded dots to metrics"),
])
def test_what_is_given_away_is_found_and_named(tmp_path, path, shown, promise, said):
    """By its plain path or by a trick; where, how, and what it shows."""
    found = drilled(tmp_path, Leaky(path, shown))
    assert found[promise].verdict == BROKEN
    assert any(
        "from the internet" in line and path in line and said in line for line in found[promise].evidence
    )
    # What is open to everybody at its own path is open to tricks that change a header or the method, too.
    others = {"closed", "tricks", "exposed", "urls", "cookies", "address"} - {promise}
    if not path.startswith("/admin"):
        assert {found[name].verdict for name in others} == {KEPT}


def test_a_trick_names_the_rule_that_lets_it_through(tmp_path):
    """An old version behind a rule on the raw path: the path guard is missing."""
    old = replace(DEV, version="26.0.8")
    found = drilled(
        tmp_path, Leaky("/realms/../admin/master/console/", answer(200, CONSOLE % "x", kind="text/html")), old
    )
    causes = found["tricks"].causes
    assert (
        len(causes) == 1
        and "rule PublicRule" in causes[0].text
        and "a path guard is missing" in causes[0].text
    )
    assert causes[0].line == 301


class Believing(Whole):
    """Believes what a client says of itself."""

    def wrong(self, request, host):
        forged = request.header("X-Forwarded-Host")
        if forged and request.path.endswith("openid-configuration"):
            return jsonic(200, {"issuer": f"https://{forged}/realms/x", "token_endpoint": "x"})
        if request.path.endswith("/token") and request.header("X-Forwarded-For"):
            self._stranger = request.header("X-Forwarded-For")
        return None


def test_forged_headers_that_are_believed_break_their_promises(tmp_path):
    """An issuer and an address that the client chose."""
    found = drilled(tmp_path, Believing())
    assert found["forged"].verdict == BROKEN and "makes issuer https://" in found["forged"].evidence[0]
    assert "no rule refuses requests that bring X-Forwarded-Host" in found["forged"].causes[0].text
    assert found["address"].verdict == BROKEN and "203.0.113.66" in found["address"].reason


def test_the_balancer_s_address_is_nobody_s(tmp_path):
    """Events that show the balancer, because Keycloak doesn't heed it."""
    little = Whole(stranger="10.40.0.10")
    found = drilled(tmp_path, little, with_environment(DEV, KC_PROXY_HEADERS=None))
    assert found["address"].verdict == BROKEN and "10.40.0.10" in found["address"].reason
    assert "KC_PROXY_HEADERS isn't set" in found["address"].causes[0].text


class Careless(Whole):
    """Cookies without Secure, a form that goes elsewhere."""

    def _page(self, request):
        page = super()._page(request)
        return page.replace(b"; Secure", b"").replace(
            f"https://{PUBLIC}/".encode(), b"http://sso.example.com/"
        )


def test_cookies_and_addresses_of_the_login_page_are_looked_at(tmp_path):
    """A cookie that plain HTTP would carry, and a form that would be sent with it."""
    found = drilled(tmp_path, Careless())
    assert found["cookies"].verdict == BROKEN and found["cookies"].evidence[0].startswith("AUTH_SESSION_ID: ")
    assert (
        found["urls"].verdict == BROKEN
        and "action of the login form is http://sso.example.com" in found["urls"].evidence[0]
    )


def test_what_should_answer_and_doesn_t_is_named_with_its_rule(tmp_path):
    """No rule for /.well-known/: the default action answers."""
    rules = [one for one in RULES if one.logical_id != "PublicRule"]
    paths = replace(next(one for one in RULES if one.logical_id == "PublicRule"))
    narrow = replace(
        paths,
        conditions=(paths.conditions[0], replace(paths.conditions[1], values=("/realms/*", "/resources/*"))),
    )

    class Narrow(Whole):
        def wrong(self, request, host):
            return answer(404) if request.path.startswith("/.well-known/") else None

    found = drilled(tmp_path, Narrow(), with_rules(*rules[:-1], narrow, rules[-1], topology=DEV))
    assert found["exposed"].verdict == BROKEN
    assert "the default action of HttpsListener answers /.well-known/" in found["exposed"].causes[0].text


def test_where_nobody_is_behind_the_balancer_nothing_is_proved(tmp_path):
    """Paths that show nothing because nobody answers are not closed."""
    everything = with_rules(rule("Listener", None, FORWARD), topology=DEV)
    with serving(lambda _: answer(503, "<html>", kind="text/html"), tmp_path) as server:
        found = drill(
            Stand(everything, {"internet": server}), steps=["paths"], knobs=replace(KNOBS, again=0.0)
        )
    verdicts = {one.name: one.verdict for one in found.promises}
    assert verdicts["paths.closed"] == verdicts["paths.tricks"] == NOT_RUN
    assert verdicts["provision.realm"] == BROKEN
