"""The table of exposed paths, the tricks around it, and what answers show."""

from __future__ import annotations

from pathlib import Path

import pytest

from generator.drilling import paths
from generator.drilling.http import Answer
from generator.drilling.paths import API, CONSOLE, GUARDED, HEALTH, MASTER, METRICS, WELCOME, Trick
from generator.drilling.places import places
from generator.keycloak.version import parse
from tests.drilling.servers import ADMIN, PUBLIC
from tests.drilling.targets import DEV

PLACES = places(DEV, [])
PAGES = Path(__file__).parent / "pages"


def said(status: int, body: str | bytes = "", kind: str = "text/html", **headers: str) -> Answer:
    """An answer."""
    content = body.encode() if isinstance(body, str) else body
    return Answer(status, (("Content-Type", kind), *headers.items()), content, 0.0, 0.0)


@pytest.mark.parametrize(("version", "extra"), [
    ("24.0.5", {"/js/keycloak.js", "/robots.txt"}), ("25.0.6", {"/js/keycloak.js", "/robots.txt"}),
    ("26.0.8", {"/robots.txt"}), ("26.2.5", set()),
    ("26.4.7", {"/.well-known/oauth-authorization-server/realms/x"}),
    ("26.7.4", {"/.well-known/oauth-authorization-server/realms/x"})])
def test_the_table_is_that_of_the_version(version, extra):
    """Realms and resources always; scripts, robots.txt and /.well-known/ as long as a version has them."""
    exposed = {line.target for line in paths.table(parse(version), "x", "/resources/a/b.css") if line.exposed}
    assert exposed == {"/realms/x", "/realms/x/.well-known/openid-configuration",
                       "/realms/x/protocol/openid-connect/certs", "/resources/a/b.css"} | extra


def test_everything_else_is_closed():
    """Root, admin, API, metrics, health and welcome page, in every version and where none is known."""
    for version in (parse("24.0.5"), parse("26.7.4"), None):
        closed = {line.target: line.shows for line in paths.table(version, "x") if not line.exposed}
        assert {"/", "/admin/", "/admin/realms", "/metrics", "/health", "/welcome"} <= set(closed)
        assert set(closed.values()) == set(GUARDED)


def test_there_are_tricks_enough_and_none_twice():
    """At least 25, all different, for the console, the API, metrics and health; each kind that a proxy
    stumbles over."""
    found = paths.tricks(PLACES, "x")
    assert len(found) >= 25 and len(
        {(one.target, one.method, one.headers, one.host) for one in found}
    ) == len(found)
    assert {CONSOLE, API, METRICS, HEALTH} <= {one.aims for one in found}
    targets = {one.target for one in found}
    for part in ("/../", "%2e%2e", "%2f", "//admin", "/./", "..;", "%61dmin", "/ADMIN/", "\\", "%5c"):
        assert any(part in target for target in targets), part
    assert f"https://{ADMIN}/admin/master/console/" in targets
    assert {"Forwarded", "X-Forwarded-Host", "X-Forwarded-For", "X-Original-URL"} <= {
        header for one in found for header, _ in one.headers}
    assert any(one.host for one in found)


def test_no_trick_is_cut_short_by_the_client():
    """Nothing stands in a target that an HTTP client would refuse to send."""
    for one in [*paths.tricks(PLACES, "x"), *paths.master_tricks()]:
        assert one.target.isascii() and one.target.isprintable() and " " not in one.target


@pytest.mark.parametrize("version", ["24.0.5", "25.0.6", "26.0.8", "26.7.4"])
def test_the_console_s_page_is_recognised(version):
    """Pages as Keycloak answers them, and the addresses they give their script."""
    page = (PAGES / f"console-{version}.html").read_bytes()
    assert paths.shown(said(200, page)) == CONSOLE
    given = paths.console_environment(page.decode())
    assert (
        given["authServerUrl"] == "https://sso.example.com"
        and given["authUrl"] == "https://sso-admin.example.com"
    )


@pytest.mark.parametrize(("answer", "shows"), [
    (said(401, '{"error":"HTTP 401 Unauthorized"}', "application/json"), API),
    (said(200, '[{"id":"1","realm":"master"}]', "application/json"), API),
    (said(200, '{"realm":"x","accessTokenLifespan":300}', "application/json"), API),
    (said(200, '{"systemInfo":{}}', "application/json"), API),
    (said(200, "# HELP vendor_cluster_size Size\nvendor_cluster_size 2\n", "text/plain"), METRICS),
    (said(200, "jvm_threads_live_threads 40.0\n", "application/openmetrics-text"), METRICS),
    (said(200, '{"status": "UP", "checks": [{"name": "a", "status": "UP"}]}', "application/json"), HEALTH),
    (said(503, '{"status": "DOWN", "checks": []}', "application/json"), HEALTH),
    (said(200, "<html><title>Welcome to Keycloak</title>"), WELCOME),
    (said(200, '{"realm":"master","public_key":"x"}', "application/json"), MASTER),
    (said(200, '{"issuer":"https://sso.example.com/realms/master"}', "application/json"), MASTER),
    (said(200, '{"realm":"drill","public_key":"x","token-service":"y"}', "application/json"), ""),
    (said(404, '{"error":"Unable to find matching target resource method"}', "application/json"), ""),
    (said(401, '{"error":"invalid_token"}', "application/json"), ""),
    (said(404, "# HELP is not here"), ""),
    (said(200, "<title>Account Management</title><script>{\"authServerUrl\": \"x\"}</script>"), ""),
    (said(200, "[1, 2]", "application/json"), ""),
    (said(200, "{broken", "application/json"), ""),
    (said(400), ""),
])
def test_what_an_answer_shows(answer, shows):
    """What is guarded is recognised by its content; everything else is harmless."""
    assert paths.shown(answer) == shows


def test_a_method_without_a_body_is_judged_by_its_success():
    """HEAD and OPTIONS show nothing, but that they succeed says that the path is open."""
    head = Trick("HEAD", "/admin/", CONSOLE, method="HEAD")
    assert paths.reached(head, said(200)) == CONSOLE and paths.reached(head, said(404)) == ""
    assert paths.reached(Trick("GET", "/admin/", CONSOLE), said(200)) == ""


@pytest.mark.parametrize(
    ("location", "betrayed"),
    [
        (f"https://{ADMIN}/admin/", ADMIN),
        (f"https://{ADMIN.upper()}:443/", ADMIN),
        (f"https://{PUBLIC}/admin/", ""),
        ("/admin/master/console/", ""),
        ("", ""),
    ],
)
def test_a_redirect_to_the_admin_host_betrays_its_name(location, betrayed):
    """On the public host; whoever asked the admin host knows its name."""
    answer = said(302, Location=location)
    assert paths.betrays(answer, PLACES.public, PLACES) == betrayed
    assert paths.betrays(answer, PLACES.admin, PLACES) == ""


def test_urls_of_a_document_are_found_wherever_they_stand():
    """Nested ones too; what is no URL isn't one."""
    document = {
        "issuer": "https://a/x",
        "mtls": {"token": "http://b/y"},
        "name": "https",
        "list": ["https://c"],
    }
    assert paths.urls(document) == [("issuer", "https://a/x"), ("mtls.token", "http://b/y")]
    assert paths.console_environment("<html>") == {} and paths.console_environment(
        '<script id="environment" type="application/json">[1]</script>') == {}
