"""The drill's HTTP client: what it is told is what goes out."""

from __future__ import annotations

import threading
from http.cookiejar import CookieJar

import pytest

from generator.drilling.http import Client, NoAnswer
from generator.rehearsing.target import Door
from tests.drilling.servers import ADMIN, PUBLIC, answer, free_port, jsonic, serving

TARGETS = [
    "/realms/../admin/master/console/",
    "/realms/%2e%2e/admin/",
    "/realms/%2E%2E/admin/",
    "//admin/",
    "/./admin/",
    "/admin;x/master/",
    "/realms/..\\admin/",
    "/%61dmin/",
    "/realms/..%2fadmin",
    "/a?b=../c&d=%20#e",
    "/realms/..",
    f"https://{ADMIN}/admin/master/console/",
    "/",
]


@pytest.mark.parametrize("target", TARGETS)
def test_a_target_goes_out_byte_for_byte(target):
    """No dot is resolved, nothing is encoded or decoded, whatever stands in the request line."""
    with serving(lambda _: answer(200)) as server:
        Client(server.door(), PUBLIC).get(target)
    assert server.raw[0].split(b"\r\n")[0] == f"GET {target} HTTP/1.1".encode()


def test_only_what_was_asked_for_is_sent():
    """A request has the headers it was given, in their order, and no more than a client must send."""
    with serving(lambda _: answer(200)) as server:
        Client(server.door(), PUBLIC, extra=(("X-One", "1"),)).get(
            "/", headers=(("Forwarded", "for=127.0.0.1"),)
        )
    assert server.requests()[0].headers == [
        ("Host", PUBLIC), ("User-Agent", "cloakform-drill"), ("Accept", "*/*"), ("Connection", "close"),
        ("X-One", "1"), ("Forwarded", "for=127.0.0.1")]


def test_another_host_header_changes_nothing_else(tmp_path):
    """The Host header can be anything; the certificate is still that of the host that is meant."""
    with serving(lambda _: answer(200), tmp_path) as server:
        Client(server.door(), PUBLIC).get("/", host="drill.invalid")
    assert server.requests()[0].header("Host") == "drill.invalid" and server.asked_for == [PUBLIC]


def test_tls_names_the_host_without_its_port(tmp_path):
    """A port belongs into the Host header and not into the handshake."""
    with serving(lambda _: answer(200), tmp_path) as server:
        Client(server.door(), f"{PUBLIC}:8443").get("/")
    assert server.requests()[0].header("Host") == f"{PUBLIC}:8443" and server.asked_for == [PUBLIC]


def test_a_certificate_of_another_authority_is_refused(tmp_path):
    """Only the door's own authority counts."""
    (tmp_path / "one").mkdir()
    (tmp_path / "two").mkdir()
    with serving(lambda _: answer(200), tmp_path / "one") as server, serving(
        lambda _: b"", tmp_path / "two"
    ) as other:
        door = Door("internet", "", "https", 443, "127.0.0.1", server.port, other.authorities)
        with pytest.raises(NoAnswer, match="certificate refused"):
            Client(door, PUBLIC).get("/")
    assert not server.raw


def test_a_certificate_for_another_name_is_refused(tmp_path):
    """The certificate has to name the host."""
    with serving(lambda _: answer(200), tmp_path) as server, pytest.raises(
        NoAnswer, match="certificate refused"
    ):
        Client(server.door(), "drill.invalid").get("/")


def test_forms_and_json_are_sent_as_such():
    """Both have their content type and length."""
    with serving(lambda _: jsonic(200, {"a": 1})) as server:
        client = Client(server.door(), PUBLIC)
        client.post("/form", {"user": "ä&b"})
        client.ask("PUT", "/json", data={"c": [1]})
    form, data = server.requests()
    assert (form.method, form.form, form.header("Content-Type")) == (
        "POST", {"user": "ä&b"}, "application/x-www-form-urlencoded")
    assert (data.body, data.header("Content-Type"), data.header("Content-Length")) == (
        b'{"c": [1]}', "application/json", "10")


def test_redirects_are_not_followed():
    """An answer that sends somebody elsewhere is handed back as it is."""
    with serving(lambda _: answer(302, "", "Location: https://drill.invalid/x")) as server:
        found = Client(server.door(), PUBLIC).get("/")
    assert (found.status, found.header("location"), len(server.raw)) == (302, "https://drill.invalid/x", 1)


def test_a_jar_keeps_cookies_for_their_paths(tmp_path):
    """Cookies come back to where they belong, and only there."""
    def handler(raw: bytes) -> bytes:
        return answer(
            200, "", "Set-Cookie: a=1; Path=/realms/x/; Secure; HttpOnly", "Set-Cookie: AWSALB=k|z; path=/"
        )
    with serving(handler, tmp_path) as server:
        client = Client(server.door(), PUBLIC, jar=CookieJar())
        for path in ("/realms/x/one", "/realms/x/two", "/realms/y/three"):
            client.get(path)
    assert [one.header("Cookie") for one in server.requests()] == ["", "a=1; AWSALB=k|z", "AWSALB=k|z"]


def test_a_secure_cookie_stays_away_from_plain_http():
    """What was marked Secure isn't sent without TLS."""
    with serving(
        lambda _: answer(200, "", "Set-Cookie: a=1; Path=/; Secure", "Set-Cookie: b=2; Path=/")
    ) as server:
        client = Client(server.door(), PUBLIC, jar=CookieJar())
        client.get("/")
        client.get("/")
    assert server.requests()[1].header("Cookie") == "b=2"


def test_without_a_jar_nothing_is_kept():
    """Every request is the first one."""
    with serving(lambda _: answer(200, "", "Set-Cookie: a=1; Path=/")) as server:
        client = Client(server.door(), PUBLIC)
        client.get("/")
        client.get("/")
    assert [one.header("Cookie") for one in server.requests()] == ["", ""]


def test_a_route_gives_way_to_what_the_balancer_said_later():
    """A cookie that a request brings is sent beside the jar's, unless the jar has a newer one of that
    name."""
    with serving(lambda _: answer(200, "", "Set-Cookie: AWSALB=two; path=/")) as server:
        client = Client(server.door(), PUBLIC, jar=CookieJar(), extra=(("Cookie", "AWSALB=one; other=1"),))
        client.get("/")
        client.get("/")
    assert [one.header("Cookie") for one in server.requests()] == [
        "AWSALB=one; other=1",
        "AWSALB=two; other=1",
    ]


def test_nobody_listening_is_told_apart_from_silence_and_from_a_broken_connection():
    """Each way to get no answer has its own name, so that errors can be counted."""
    quiet = threading.Event()

    def silent(raw: bytes) -> bytes:
        quiet.wait(5)
        return b""

    with pytest.raises(NoAnswer, match="connection refused"):
        Client(Door("internet", "", "http", 80, "127.0.0.1", free_port()), PUBLIC).get("/")
    with serving(silent) as server:
        with pytest.raises(NoAnswer, match="timed out") as found:
            Client(server.door(), PUBLIC, timeout=0.2).get("/")
        quiet.set()
    assert found.value.seconds >= 0.2
    with serving(lambda _: b"") as server, pytest.raises(NoAnswer, match="closed without an answer"):
        Client(server.door(), PUBLIC).get("/")
    with serving(lambda _: b"\x16\x03 no HTTP\r\n\r\n") as server, pytest.raises(
        NoAnswer, match="unreadable answer"
    ):
        Client(server.door(), PUBLIC).get("/")


def test_an_error_is_named_by_keycloaks_own_word():
    """`invalid_grant` says more than 400; what isn't Keycloak's has its status."""
    with serving(
        lambda raw: jsonic(400, {"error": "invalid_grant"}) if b"/a" in raw else answer(502, "<html>")
    ) as server:
        client = Client(server.door(), PUBLIC)
        assert (client.get("/a").error, client.get("/b").error) == ("HTTP 400 invalid_grant", "HTTP 502")
        assert client.get("/b").json() is None
