"""Which rule answers a request, what targets and clients see of it, which target gets it: by HAProxy."""

from __future__ import annotations

import subprocess
from collections.abc import Iterator

import pytest

from tests.cluster.balanced import QUICK, Balanced, Targets, cookies
from tests.cluster.networks import task_network, until
from tests.rehearsing.topologies import ADMIN, PUBLIC, SLOTS, with_group


# (vantage, method, host, target, headers) -> (rule, status)
TABLE = [
    (("internet", "GET", PUBLIC, "/realms/shop/account?x=1"), ("PublicRule", 200)),
    (("internet", "POST", PUBLIC, "/realms/shop/protocol/openid-connect/token"), ("PublicRule", 200)),
    (("internet", "GET", PUBLIC.upper(), "/realms/shop"), ("PublicRule", 200)),
    (("internet", "GET", f"{PUBLIC}:443", "/realms/shop"), ("PublicRule", 200)),
    (("internet", "GET", "other.example.com", "/realms/shop"), ("HttpsListener", 404)),
    (("internet", "GET", None, "/realms/shop"), ("HttpsListener", 404)),
    (("internet", "GET", f"x{PUBLIC}", "/realms/shop"), ("HttpsListener", 404)),
    (("internet", "GET", "sso-example.com", "/realms/shop"), ("HttpsListener", 404)),
    (("internet", "GET", PUBLIC, "/REALMS/shop"), ("HttpsListener", 404)),
    (("internet", "GET", PUBLIC, "/metrics"), ("HttpsListener", 404)),
    (("internet", "GET", PUBLIC, "/realms/master"), ("MasterClosedRule", 404)),
    (("internet", "GET", PUBLIC, "/realms/master/account"), ("MasterClosedRule", 404)),
    (("internet", "GET", PUBLIC, "/realms/masters"), ("PublicRule", 200)),
    (("admin", "GET", PUBLIC, "/realms/master/account"), ("MasterRule", 200)),
    (("inside", "GET", PUBLIC, "/realms/master/account"), ("MasterClosedRule", 404)),
    (("admin", "GET", ADMIN, "/admin/master/console/"), ("AdminRule", 200)),
    (("internet", "GET", ADMIN, "/admin/master/console/"), ("HttpsListener", 404)),
    (("inside", "GET", ADMIN, "/admin/master/console/"), ("HttpsListener", 404)),
    (("internet", "GET", ADMIN, "/admin"), ("AdminStartRule", 302)),
    (("internet", "GET", ADMIN, "/"), ("AdminStartRule", 302)),
    (("internet", "GET", PUBLIC, "/realms/shop", "Forwarded: for=203.0.113.1"), ("ForwardedRule", 400)),
    (("internet", "GET", PUBLIC, "/realms/shop", "Forwarded: "), ("ForwardedRule", 400)),
    (("internet", "GET", ADMIN, "/admin/x", "X-Forwarded-For: 203.0.113.10"), ("HttpsListener", 404)),
    # Tricks: what comes, is matched and goes on, byte for byte.
    (("internet", "GET", PUBLIC, "/realms/../admin/master/console/"), ("PublicRule", 200)),
    (("internet", "GET", PUBLIC, "/realms/%2e%2e/admin/x"), ("PublicRule", 200)),
    (("internet", "GET", PUBLIC, "/realms/..%2fadmin/x"), ("PublicRule", 200)),
    (("internet", "GET", PUBLIC, "/realms//admin"), ("PublicRule", 200)),
    (("internet", "GET", PUBLIC, "/realms/..;/admin"), ("PublicRule", 200)),
    (("internet", "GET", PUBLIC, "/realms/./master/account"), ("PublicRule", 200)),
    (("internet", "GET", PUBLIC, "/realms/%6daster/account"), ("PublicRule", 200)),
    (("internet", "GET", PUBLIC, "/realms/master;x=y/account"), ("PublicRule", 200)),
    (("internet", "GET", PUBLIC, '/realms/a%zz%00\\|"<>^`{}?a=%&b=\\'), ("PublicRule", 200)),
    (("internet", "GET", PUBLIC, "//admin/x"), ("HttpsListener", 404)),
    (("internet", "GET", PUBLIC, "/./admin/x"), ("HttpsListener", 404)),
    (("internet", "GET", PUBLIC, "/%72ealms/shop"), ("HttpsListener", 404)),
    (("internet", "GET", PUBLIC, f"https://{PUBLIC}/realms/../admin"), ("PublicRule", 200)),
    (("internet", "TRACE", PUBLIC, "/realms/shop"), ("", 405)),
]


@pytest.fixture(scope="module")
def one_for_all(tmp_path_factory, certificate) -> Iterator[Balanced]:
    """A balancer that tests only send requests to."""
    with task_network():
        targets = Targets()
        for slot in SLOTS[:2]:
            targets.serve(slot)
        made = Balanced(with_group(**QUICK), targets, tmp_path_factory.mktemp("balancer"), certificate)
        made.settle(keycloak_1="healthy", keycloak_2="healthy")
        yield made
        made.end()
        targets.end()


@pytest.mark.parametrize("asked,expected", TABLE, ids=[" ".join(map(str, asked)) for asked, _ in TABLE])
def test_first_matching_rule_decides(one_for_all, asked, expected):
    """The rule with the lowest priority whose conditions hold answers, and what goes on is what came."""
    vantage, method, name, target, *headers = asked
    answer = one_for_all.ask(target, vantage=vantage, method=method, host=name, headers=tuple(headers))
    assert (answer.log.rule, answer.status) == expected
    assert (answer.log.vantage, answer.log.method, answer.log.host) == (vantage, method, name or "")
    if answer.status == 200:
        assert answer.target is not None and answer.target[1] == f"{method} {target} HTTP/1.1"
        assert (
            answer.log.target_group == "TargetGroup" and answer.log.server == answer.target[0] == answer.body
        )
    else:
        assert answer.target is None
        assert answer.log.target_group == answer.log.server == ""
    assert answer.log.target == target.removeprefix(f"https://{PUBLIC}")


def test_listener_without_tls_redirects_keeping_path_and_query(one_for_all):
    """A redirect's placeholders are filled from the request, as it came."""
    answer = one_for_all.ask("/realms/a%20b/../c?x=1&y=/", listener="HttpListener", host=f"{PUBLIC}:80")
    assert answer.status == 301 and answer.log.rule == "HttpListener"
    assert answer.header("location") == [f"https://{PUBLIC}:443/realms/a%20b/../c?x=1&y=/"]
    assert answer.header("server") == ["awselb/2.0"]


def test_redirect_without_a_query_has_no_question_mark(one_for_all):
    """Nothing follows the path where no query came."""
    assert one_for_all.ask("/", listener="HttpListener").header("location") == [f"https://{PUBLIC}:443/"]


def test_vantage_is_the_client_that_targets_hear_of(one_for_all):
    """A target is told the vantage's address, the listener's protocol and port, and a trace; the host
    stays."""
    for name, source_address in (
        ("internet", "198.51.100.10"),
        ("admin", "203.0.113.10"),
        ("inside", "10.40.7.254"),
    ):
        answer = one_for_all.ask("/realms/shop", vantage=name, host=f"{PUBLIC}:443")
        assert answer.told("x-forwarded-for") == [source_address] == [answer.log.source]
        assert (answer.told("x-forwarded-proto"), answer.told("x-forwarded-port")) == (["https"], ["443"])
        assert answer.told("host") == [PUBLIC]
        assert len(answer.told("x-amzn-trace-id")[0]) == len("Root=1-67891233-abcdef012345678912345678")


def test_headers_that_a_client_may_not_set_are_replaced_and_others_pass(one_for_all):
    """Forged protocol and port are overwritten, a forged address stays in front of the real one, the rest
    passes."""
    answer = one_for_all.ask(
        "/realms/shop",
        headers=(
            "X-Forwarded-For: 203.0.113.99",
            "X-Forwarded-Proto: gopher",
            "X-Forwarded-Port: 1",
            "X-Forwarded-Host: evil",
            "X-Amzn-Trace-Id: Root=1-67891233-abcdef012345678912345678",
            "X-Odd: a,b;c",
        ),
    )
    assert answer.told("x-forwarded-for") == ["203.0.113.99, 198.51.100.10"]
    assert (answer.told("x-forwarded-proto"), answer.told("x-forwarded-port")) == (["https"], ["443"])
    assert (answer.told("x-forwarded-host"), answer.told("x-odd")) == (["evil"], ["a,b;c"])
    assert answer.told("x-amzn-trace-id")[0].startswith("Self=1-")
    assert answer.told("x-amzn-trace-id")[0].endswith(";Root=1-67891233-abcdef012345678912345678")


def test_two_forwarded_headers_stay_two_and_get_a_third(one_for_all):
    """No address that a client sent is lost or moved."""
    answer = one_for_all.ask(
        "/realms/shop", headers=("X-Forwarded-For: 1.1.1.1, 2.2.2.2", "X-Forwarded-For: 3.3.3.3")
    )
    assert ", ".join(answer.told("x-forwarded-for")) == "1.1.1.1, 2.2.2.2, 3.3.3.3, 198.51.100.10"


def test_more_than_thirty_addresses_are_refused(one_for_all):
    """The 31st address in X-Forwarded-For makes the request a 463; the 30th doesn't."""
    for count, status in ((30, 200), (31, 463)):
        header = "X-Forwarded-For: " + ", ".join(["192.0.2.1"] * count)
        assert one_for_all.ask("/realms/shop", headers=(header,)).status == status


def test_invalid_header_names_are_dropped_where_the_attribute_says_so(one_for_all):
    """A name with an underscore never reaches a target, its neighbours do."""
    answer = one_for_all.ask("/realms/shop", headers=("X_Under: 1", "X-Dash: 2", "X.Dot: 3"))
    assert (answer.told("x_under"), answer.told("x.dot"), answer.told("x-dash")) == ([], [], ["2"])


def test_head_and_http2_are_served(one_for_all):
    """A HEAD has no body, and a client that offers HTTP/2 gets it."""
    answer = one_for_all.ask("/realms/shop", method="HEAD")
    assert (answer.status, answer.body) == (200, "")
    got = subprocess.run(
        [
            "curl",
            "--silent",
            "--insecure",
            "--http2",
            "--path-as-is",
            "--write-out",
            "%{http_version} %{http_code}",
            "--connect-to",
            f"{PUBLIC}:443:127.0.0.1:{one_for_all.ports['internet', 'HttpsListener']}",
            f"https://{PUBLIC}/realms/../admin//x",
        ],
        capture_output=True,
        text=True,
    )
    assert got.stdout in ("keycloak-12 200", "keycloak-22 200"), got
    assert one_for_all.targets.seen[-1][1] == "GET /realms/../admin//x HTTP/1.1"


def test_health_checks_are_the_balancers(one_for_all):
    """Checks go to the health port with the path, the address as host, and the balancer's user agent."""
    slot, line, headers = one_for_all.targets.checks[0]
    assert line == "GET /health/ready HTTP/1.1"
    assert headers["user-agent"] == "ELB-HealthChecker/2.0"
    assert headers["host"] == f"{ {one.name: one.address for one in SLOTS}[slot] }:9000"


def test_what_is_no_request_is_logged_as_none(one_for_all):
    """Nonsense gets a 400 and a log line without a rule."""
    before = len(one_for_all.log())
    with one_for_all.connect(listener="HttpListener") as connection:
        connection.sendall(b"nonsense\r\n\r\n")
        answer = b"".join(iter(lambda: connection.recv(65536), b""))
    assert answer.startswith(b"HTTP/1.0 400") or answer.startswith(b"HTTP/1.1 400")
    until("its log line", lambda: len(one_for_all.log()) > before)
    found = one_for_all.log()[before]
    assert (found.status, found.method, found.rule, found.vantage) == (400, "", "", "internet")


def test_cookie_holds_a_client_on_its_target(one_for_all):
    """With AWSALB, or AWSALBCORS as browsers send it across sites, each request goes to one target; without,
    to all."""
    answer = one_for_all.ask("/realms/shop")
    set_cookies = cookies(answer)
    assert set(set_cookies) == {"AWSALB", "AWSALBCORS"}
    assert "SameSite=None; Secure" in set_cookies["AWSALBCORS"] and "SameSite" not in set_cookies["AWSALB"]
    assert set_cookies["AWSALB"].split("=")[1].split("|")[0] == answer.log.server
    for name, text in set_cookies.items():
        sent = f"Cookie: other=1; {name}={text.split(';')[0].split('=', 1)[1]}"
        held = [one_for_all.ask("/realms/shop", headers=(sent,)) for _ in range(4)]
        assert {one.log.server for one in held} == {answer.log.server}
        assert all("AWSALB=" in ";".join(one.told("cookie")) for one in held)
    assert {one_for_all.ask("/realms/shop").log.server for _ in range(4)} == {"keycloak-1", "keycloak-2"}


def test_target_group_without_stickiness_sets_no_cookie(start):
    """Nothing is added to answers where stickiness is off."""
    answers = [start(with_group(stickiness=None)).ask("/realms/shop")]
    assert answers[0].header("set-cookie") == []


def test_application_cookie_holds_a_client_on_its_target(start, targets):
    """Application-based stickiness follows the value of the application's own cookie."""
    targets.application_cookie = "AUTH_SESSION_ID"
    running = start(with_group(stickiness=60, application_cookie="AUTH_SESSION_ID"))
    first = running.ask("/realms/shop")
    assert set(cookies(first)) == {"AUTH_SESSION_ID"}
    held = [running.ask("/realms/shop", headers=(f"Cookie: AUTH_SESSION_ID={first.body}",)) for _ in range(4)]
    assert {one.log.server for one in held} == {first.body}
