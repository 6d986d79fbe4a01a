"""What is written for HAProxy, nftables and dnsmasq, tried with the real programs.

Needs those programs, iproute2, OpenSSL and root: everything happens in network namespaces of its own, in
which the hosts' addresses are real ones. Nothing here needs an engine.
"""

from __future__ import annotations

import contextlib
import ctypes
import http.server
import os
import signal
import socket
import socketserver
import ssl
import subprocess
import threading
import time
import urllib.parse
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from pathlib import Path

import pytest

from generator.rehearsing import balancer, firewall, resolver
from generator.rehearsing.balancer import Request
from generator.rehearsing.topology import Action, Condition, Host, MutualTls, Topology
from generator.rehearsing.vantage import vantages
from tests.rehearsing.topologies import (
    ADMIN,
    FORWARD,
    NOT_FOUND,
    PERMISSIONS,
    PUBLIC,
    SLOTS,
    TARGET_GROUP,
    TOPOLOGY,
    host,
    path,
    permission,
    rule,
    source,
    with_group,
    with_permissions,
    with_rules,
)

ROOT = Path(__file__).resolve().parents[2]
HAPROXY = os.environ.get("HAPROXY", "haproxy")
PATIENCE = 30.0
"""Seconds after which something isn't going to happen any more; no test's result depends on less."""

QUICK = {"interval": 1, "timeout": 1, "healthy": 2, "unhealthy": 2}
"""Health checks that tests can wait for."""

_NEW_NETWORK = 0x40000000
_LIBC = ctypes.CDLL(None, use_errno=True)


def until(what: str, happened: Callable[[], object]) -> object:
    """Waits until `happened` returns something true, and returns it."""
    end = time.monotonic() + PATIENCE
    while time.monotonic() < end:
        found = happened()
        if found:
            return found
        time.sleep(0.02)
    raise AssertionError(f"never happened: {what}")


@contextlib.contextmanager
def own_network() -> Iterator[None]:
    """This thread, and the processes and threads that it starts, are in a network namespace of their own."""
    before = os.open("/proc/thread-self/ns/net", os.O_RDONLY)
    try:
        if _LIBC.unshare(_NEW_NETWORK):
            raise OSError(ctypes.get_errno(), "no network namespace can be made; these tests need root")
        subprocess.run(["ip", "link", "set", "lo", "up"], check=True)
        yield
    finally:
        _LIBC.setns(before, _NEW_NETWORK)
        os.close(before)


@contextlib.contextmanager
def task_network() -> Iterator[None]:
    """A network in which every task's address exists."""
    with own_network():
        for slot in SLOTS:
            subprocess.run(["ip", "address", "add", f"{slot.address}/32", "dev", "lo"], check=True)
        yield


@pytest.fixture(scope="module")
def certificate(tmp_path_factory) -> Path:
    """Certificate and key of the balancer in one file, and `authority.pem` beside it, which signed it."""
    folder = tmp_path_factory.mktemp("certificate")
    subprocess.run(
        [
            "openssl",
            "req",
            "-x509",
            "-newkey",
            "rsa:2048",
            "-nodes",
            "-days",
            "2",
            "-subj",
            f"/CN={PUBLIC}",
            "-keyout",
            folder / "key.pem",
            "-out",
            folder / "authority.pem",
        ],
        check=True,
        capture_output=True,
    )
    made = folder / "balancer.pem"
    made.write_bytes((folder / "authority.pem").read_bytes() + (folder / "key.pem").read_bytes())
    return made


# --- targets ---


@dataclass
class Targets:
    """Two servers for each slot, one for requests and one for health checks."""

    seen: list[tuple[str, str, list[tuple[str, str]]]] = field(default_factory=list)
    """(slot, request line, headers) of requests that weren't health checks."""
    checks: list[tuple[str, str, dict[str, str]]] = field(default_factory=list)
    """(slot, request line, headers with names in lower case) of health checks."""
    order: list[tuple[str, str]] = field(default_factory=list)
    """(`check` or `request`, slot) in the order they came."""
    ill: set[str] = field(default_factory=set)
    """Slots whose health check answers 503."""
    application_cookie: str = ""
    """Name of a cookie that each answer sets to the slot's name."""
    released: threading.Event = field(default_factory=threading.Event)
    """Until then requests for `/realms/held` get no answer."""
    servers: list[socketserver.BaseServer] = field(default_factory=list)

    def serve(self, slot: Host) -> None:
        """Starts a slot's servers."""
        for port in (8080, 9000):
            server = _Server((str(slot.address), port), _Handler)
            server.targets, server.slot = self, slot.name
            threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True).start()
            self.servers.append(server)

    def end(self, slot: str | None = None) -> None:
        """Stops a slot's servers, or all: connections are refused from then on."""
        for server in [one for one in self.servers if slot in (None, one.slot)]:
            self.servers.remove(server)
            server.shutdown()
            server.server_close()


class _Server(socketserver.ThreadingMixIn, http.server.HTTPServer):
    daemon_threads = True
    allow_reuse_address = True
    targets: Targets
    slot: str

    def handle_error(self, *_) -> None:
        """A connection that the balancer ended is nothing to print."""


class _Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server: _Server

    def handle_request(self) -> None:
        targets, slot = self.server.targets, self.server.slot
        targets.order.append(("check" if self.server.server_port == 9000 else "request", slot))
        if self.server.server_port == 9000:
            targets.checks.append(
                (slot, self.requestline, {key.lower(): value for key, value in self.headers.items()})
            )
            self.answer(503 if slot in targets.ill else 200, slot)
        else:
            targets.seen.append((slot, self.requestline, list(self.headers.items())))
            if self.path == "/realms/held":
                targets.released.wait(PATIENCE)
            self.answer(503 if "unwell" in self.path else 200, slot)

    do_GET = do_POST = do_HEAD = do_OPTIONS = do_BREW = handle_request

    def answer(self, status: int, body: str) -> None:
        self.send_response(status)
        self.send_header("Content-Length", str(len(body)))
        if self.server.targets.application_cookie and self.server.server_port == 8080:
            self.send_header("Set-Cookie", f"{self.server.targets.application_cookie}={body}; Path=/")
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(body.encode())

    def log_message(self, *_) -> None:
        pass


# --- the balancer ---


@dataclass
class Answer:
    """An answer, and what else is known of its request."""

    status: int
    headers: list[tuple[str, str]]
    body: str
    log: Request
    target: tuple[str, str, list[tuple[str, str]]] | None
    """What a target got: (slot, request line, headers)."""

    def header(self, name: str) -> list[str]:
        """Values of a header of the answer."""
        return [value for key, value in self.headers if key.lower() == name.lower()]

    def told(self, name: str) -> list[str]:
        """Values of a header that the target got."""
        assert self.target is not None
        return [value for key, value in self.target[2] if key.lower() == name.lower()]


class Balanced:
    """A running HAProxy with targets behind it."""

    def __init__(self, topology: Topology, targets: Targets, folder: Path, certificate: Path, **how):
        self.topology, self.targets = topology, targets
        self.output = folder / "haproxy.log"
        self.file = folder / "haproxy.cfg"
        self.file.write_text(
            balancer.configuration(
                topology,
                topology.balancers[0],
                ROOT,
                certificate=str(certificate),
                client_authorities=str(certificate.with_name("authority.pem")),
                **how,
            ),
            encoding="utf-8",
        )
        with self.output.open("wb") as output:
            self.process = subprocess.Popen(
                [HAPROXY, "-f", self.file], stdout=output, stderr=subprocess.STDOUT
            )
        self.ports = {(one.name, one.listener): one.port for one in vantages(topology)}
        until("the balancer's socket", self._answers)

    def _answers(self) -> bool:
        assert self.process.poll() is None, self.output.read_text()
        with contextlib.suppress(OSError):
            return bool(self.say(balancer.states_command()))
        return False

    def end(self) -> None:
        self.process.kill()
        self.process.wait()

    def say(self, *commands: str) -> str:
        """What the balancer answers to commands in one line."""
        with socket.create_connection(("127.0.0.1", 9999), timeout=PATIENCE) as connection:
            connection.sendall((";".join(commands) + "\n").encode())
            return b"".join(iter(lambda: connection.recv(65536), b"")).decode()

    def states(self) -> dict[str, str]:
        """Slot to state."""
        return {
            slot: state for (_, slot), state in balancer.states(self.say(balancer.states_command())).items()
        }

    def settle(self, **states: str) -> None:
        """Waits until slots (`keycloak_1`) have these states."""
        wanted = {slot.replace("_", "-"): state for slot, state in states.items()}
        until(f"{wanted}", lambda: wanted.items() <= self.states().items())

    def log(self) -> list[Request]:
        """Every request so far."""
        return [found for line in self.output.read_text().splitlines() if (found := balancer.parse_log(line))]

    def connect(self, vantage: str = "internet", listener: str = "HttpsListener", **tls) -> socket.socket:
        """A connection, with TLS where the listener has it."""
        plain = socket.create_connection(("127.0.0.1", self.ports[vantage, listener]), timeout=PATIENCE)
        if listener != "HttpsListener":
            return plain
        context = ssl.create_default_context()
        context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
        if tls:
            context.load_cert_chain(tls["certificate"])
        return context.wrap_socket(plain, server_hostname=PUBLIC)

    def ask(
        self,
        target: str = "/",
        *,
        vantage: str = "internet",
        method: str = "GET",
        host: str | None = PUBLIC,
        listener: str = "HttpsListener",
        headers: tuple[str, ...] = (),
        **tls,
    ) -> Answer:
        """Sends one request, byte for byte, and takes together what is known of it afterwards."""
        before, seen = len(self.log()), len(self.targets.seen)
        with self.connect(vantage, listener, **tls) as connection:
            lines = [
                f"{method} {target} HTTP/1.1",
                *([f"Host: {host}"] if host is not None else []),
                *headers,
                "Connection: close",
                "",
                "",
            ]
            connection.sendall("\r\n".join(lines).encode("latin-1"))
            raw = b"".join(iter(lambda: connection.recv(65536), b"")).decode("latin-1")
        until(f"the log line of {target}", lambda: len(self.log()) > before)
        head, _, body = raw.partition("\r\n\r\n")
        first, *rest = head.split("\r\n")
        return Answer(
            int(first.split()[1]),
            [(key, value) for key, _, value in (line.partition(": ") for line in rest)],
            body,
            self.log()[before],
            self.targets.seen[seen] if len(self.targets.seen) > seen else None,
        )


@pytest.fixture
def targets() -> Iterator[Targets]:
    """Servers of the first two slots, in a network of their own."""
    with task_network():
        made = Targets()
        for slot in SLOTS[:2]:
            made.serve(slot)
        yield made
        made.end()


@pytest.fixture
def start(targets, tmp_path, certificate) -> Iterator[Callable[..., Balanced]]:
    """Starts a balancer for a topology, with every target that it begins with found well."""
    running = []

    def started(topology: Topology = TOPOLOGY, *, settled: bool = True, **how) -> Balanced:
        made = Balanced(
            with_group(topology, **QUICK) if settled else topology, targets, tmp_path, certificate, **how
        )
        running.append(made)
        if settled:
            made.settle(keycloak_1="healthy", keycloak_2="healthy", keycloak_3="maint", keycloak_4="maint")
        return made

    yield started
    for one in running:
        one.end()


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


# --- stickiness ---


def cookies(answer: Answer) -> dict[str, str]:
    """Cookies that an answer sets, with their attributes."""
    return {value.split("=")[0]: value for value in answer.header("set-cookie")}


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


# --- targets that come, go and fail ---


def test_registered_target_gets_requests_after_its_first_passed_check(start, targets):
    """Before registration and before a check nothing is sent to a target; afterwards its share is."""
    running = start()
    targets.serve(SLOTS[2])
    targets.ill.add("keycloak-3")
    assert "keycloak-3" not in {running.ask("/realms/shop").log.server for _ in range(6)}
    running.say(*balancer.register(TARGET_GROUP, SLOTS[2]))
    assert running.states()["keycloak-3"] in ("initial", "unhealthy")
    until("a failed check", lambda: running.states()["keycloak-3"] == "unhealthy")
    assert "keycloak-3" not in {running.ask("/realms/shop").log.server for _ in range(6)}
    targets.ill.clear()
    running.settle(keycloak_3="healthy")
    assert "keycloak-3" in {running.ask("/realms/shop").log.server for _ in range(6)}


def test_registration_is_initial_until_a_check(start, targets):
    """Of a steady stream of requests none reaches a target between its registration and its first check."""
    running = start()
    targets.serve(SLOTS[2])
    stop = threading.Event()

    def ask() -> None:
        while not stop.is_set():
            running.ask("/realms/shop")

    asking = threading.Thread(target=ask)
    asking.start()
    try:
        for _ in range(5):
            running.say(*balancer.deregister(TARGET_GROUP, SLOTS[2]))
            running.settle(keycloak_3="maint")
            before = len(targets.order)
            running.say(*balancer.register(TARGET_GROUP, SLOTS[2]))
            until("a request", lambda: ("request", "keycloak-3") in targets.order[before:])  # noqa: B023
            assert next(kind for kind, slot in targets.order[before:] if slot == "keycloak-3") == "check"
    finally:
        stop.set()
        asking.join()


def test_deregistered_target_gets_nothing_more_even_of_a_sticky_client(start):
    """A client that is held on a target moves when the target is deregistered, and gets a new cookie."""
    running = start()
    first = running.ask("/realms/shop")
    sticky = "Cookie: " + cookies(first)["AWSALB"].split(";")[0]
    gone = {slot.name: slot for slot in SLOTS}[first.log.server]
    running.say(*balancer.deregister(TARGET_GROUP, gone))
    moved = [running.ask("/realms/shop", headers=(sticky,)) for _ in range(4)]
    assert gone.name not in {one.log.server for one in moved}
    assert cookies(moved[0])["AWSALB"].split("=")[1].split("|")[0] == moved[0].log.server
    assert running.states()[gone.name] == "maint"


def test_request_under_way_survives_deregistration(start, targets):
    """Draining lets requests end by themselves, however long the target takes."""
    running = start()
    with running.connect() as connection:
        slot = asked_and_held(connection, targets)
        running.say(*balancer.deregister(TARGET_GROUP, slot))
        running.settle(**{slot.name.replace("-", "_"): "maint"})
        targets.released.set()
        assert connection.recv(65536).startswith(b"HTTP/1.1 200 ")


def test_request_under_way_is_ended_when_the_delay_is_over(start, targets):
    """`disconnect` ends what draining left."""
    running = start()
    with running.connect() as connection:
        slot = asked_and_held(connection, targets)
        running.say(*balancer.deregister(TARGET_GROUP, slot))
        running.say(*balancer.disconnect(TARGET_GROUP, slot))
        # HAProxy 2.6 says so before it closes the connection, 3.4 only closes it.
        assert connection.recv(65536)[:13] in (b"HTTP/1.1 502 ", b"")


def asked_and_held(connection: socket.socket, targets: Targets) -> Host:
    """Sends a request that its target holds; the target's slot."""
    connection.sendall(f"GET /realms/held HTTP/1.1\r\nHost: {PUBLIC}\r\n\r\n".encode())
    until("the request", lambda: targets.seen)
    return {one.name: one for one in SLOTS}[targets.seen[0][0]]


def test_unhealthy_target_gets_nothing_while_another_is_well(start, targets):
    """After as many failed checks as the target group says, requests go to the others."""
    running = start()
    targets.ill.add("keycloak-1")
    running.settle(keycloak_1="unhealthy")
    assert {running.ask("/realms/shop").log.server for _ in range(4)} == {"keycloak-2"}
    targets.ill.clear()
    running.settle(keycloak_1="healthy")
    assert {running.ask("/realms/shop").log.server for _ in range(4)} == {"keycloak-1", "keycloak-2"}


def test_balancer_fails_open_when_nobody_is_well(start, targets):
    """With every registered target unhealthy, requests go to all of them, but not to one that isn't
    registered."""
    running = start()
    targets.serve(SLOTS[2])
    targets.ill |= {"keycloak-1", "keycloak-2"}
    running.settle(keycloak_1="unhealthy", keycloak_2="unhealthy")
    answers = [running.ask("/realms/shop") for _ in range(6)]
    assert {one.status for one in answers} == {200}
    assert {one.log.server for one in answers} == {"keycloak-1", "keycloak-2"}
    assert {one.log.target_group for one in answers} == {"TargetGroup"}


def test_answers_of_the_balancer_tell_refused_from_empty(start, targets):
    """A target that refuses connections is a 502, no registered target at all a 503; a target's own 503
    stays."""
    running = start()
    own = running.ask("/realms/unwell")
    assert (own.status, own.log.server, own.body) == (503, own.target[0], own.target[0])
    targets.end()
    refused = running.ask("/realms/shop")
    assert (refused.status, refused.log.state[:2]) == (502, "SC")
    assert refused.header("server") == ["awselb/2.0"] and "502 Bad Gateway" in refused.body
    running.settle(keycloak_1="unhealthy", keycloak_2="unhealthy")
    assert running.ask("/realms/shop").status == 502
    for slot in SLOTS[:2]:
        running.say(*balancer.deregister(TARGET_GROUP, slot))
    empty = running.ask("/realms/shop")
    assert (empty.status, empty.log.server) == (503, "")
    assert "503 Service Temporarily Unavailable" in empty.body


def test_silent_target_is_a_gateway_timeout(start, targets):
    """A target whose packets vanish is a 504 after the time that the balancer tries to connect."""
    running = start(with_group(stickiness=None))
    subprocess.run(
        [
            "nft",
            "add table inet silence; add chain inet silence out { type filter hook output priority 0; }; "
            "add rule inet silence out tcp dport 8080 drop",
        ],
        check=True,
    )
    answer = running.ask("/realms/shop")
    assert (answer.status, answer.log.state[:2]) == (504, "sC")
    assert answer.log.milliseconds >= balancer.CONNECT * 1000


# --- attributes ---


@pytest.mark.parametrize(
    "mode,told", [("append", ["1.2.3.4, 198.51.100.10"]), ("preserve", ["1.2.3.4"]), ("remove", [])]
)
def test_forwarded_for_modes(start, mode, told):
    """X-Forwarded-For is appended to, left alone or taken away; a header with an underscore passes by
    default."""
    running = start(with_rules(forwarded_for=mode, drop_invalid_headers=False))
    answer = running.ask("/realms/shop", headers=("X-Forwarded-For: 1.2.3.4", "X_Under: 1"))
    assert (answer.told("x-forwarded-for"), answer.told("x_under")) == (told, ["1"])


@pytest.mark.parametrize(
    "preserve,sent,told",
    [
        (False, PUBLIC, f"{PUBLIC}:8443"),
        (False, f"{PUBLIC}:1", f"{PUBLIC}:1"),
        (True, PUBLIC, PUBLIC),
        (True, f"{PUBLIC}:8443", f"{PUBLIC}:8443"),
    ],
)
def test_host_header_gets_a_port_that_is_no_default(start, preserve, sent, told):
    """At a port that isn't the protocol's, targets see it in the Host header, unless the header is
    preserved."""
    topology = with_rules(preserve_host=preserve)
    changed = replace(
        topology.balancers[0],
        listeners=tuple(
            replace(one, port=8443) if one.protocol == "HTTPS" else one
            for one in topology.balancers[0].listeners
        ),
    )
    running = start(
        replace(
            topology,
            balancers=(changed,),
            permissions=(*topology.permissions, permission("BalancerGroup", "ingress", "0.0.0.0/0", 8443)),
        )
    )
    answer = running.ask("/realms/shop", host=sent)
    assert answer.told("host") == [told]
    assert answer.told("x-forwarded-port") == ["8443"]


def test_security_group_decides_who_reaches_a_listener(start):
    """A vantage that no ingress permission lets in is refused; one that is let in isn't."""
    running = start(with_permissions(permission("BalancerGroup", "ingress", "203.0.113.0/24", 443)))
    assert running.ask("/realms/shop", vantage="admin").status == 200
    for refused in (("internet", "HttpsListener"), ("inside", "HttpsListener"), ("admin", "HttpListener")):
        # A reset may come before the connection is known to stand.
        with contextlib.suppress(ConnectionError):
            with socket.create_connection(
                ("127.0.0.1", running.ports[refused]), timeout=PATIENCE
            ) as connection:
                assert connection.recv(1) == b""


def with_client_certificates(mode: str) -> Topology:
    """The topology with mutual TLS on its HTTPS listener."""
    changed = replace(
        TOPOLOGY.balancers[0],
        listeners=tuple(
            replace(one, mutual_tls=MutualTls(mode)) if one.protocol == "HTTPS" else one
            for one in TOPOLOGY.balancers[0].listeners
        ),
    )
    return replace(TOPOLOGY, balancers=(changed,))


def test_client_certificate_is_demanded_and_described(start, certificate):
    """In mode `verify` nobody comes in without a certificate of the trust store, and targets learn what it
    says."""
    running = start(with_client_certificates("verify"))
    answer = running.ask("/realms/shop", certificate=certificate)
    told = {
        part: answer.told(f"x-amzn-mtls-clientcert-{part}")[0]
        for part in ("serial-number", "issuer", "subject", "validity", "leaf")
    }
    pem = certificate.with_name("authority.pem")
    assert urllib.parse.unquote(told["leaf"]) == pem.read_text()
    said = (
        subprocess.run(
            [
                "openssl",
                "x509",
                "-in",
                pem,
                "-noout",
                "-serial",
                "-startdate",
                "-enddate",
                "-dateopt",
                "iso_8601",
            ],
            capture_output=True,
            text=True,
            check=True,
        )
        .stdout.replace(" ", "T")
        .split()
    )
    assert [f"serial={told['serial-number']}", *told["validity"].split(";")] == [
        said[0],
        said[1].replace("notBefore", "NotBefore"),
        said[2].replace("notAfter", "NotAfter"),
    ]
    assert told["subject"] == told["issuer"] == f"CN={PUBLIC}"
    with contextlib.suppress(OSError), running.connect() as connection:
        connection.sendall(b"GET / HTTP/1.1\r\n\r\n")
        assert connection.recv(1) == b""


def test_client_certificate_is_passed_through(start, certificate):
    """In mode `passthrough` targets get the certificate there is, and none that a client makes up."""
    running = start(with_client_certificates("passthrough"))
    forged = ("X-Amzn-Mtls-Clientcert: forged",)
    answer = running.ask("/realms/shop", headers=forged, certificate=certificate)
    told = answer.told("x-amzn-mtls-clientcert")
    assert [urllib.parse.unquote(one) for one in told] == [certificate.with_name("authority.pem").read_text()]
    assert running.ask("/realms/shop", headers=forged).told("x-amzn-mtls-clientcert") == []


# --- conditions and actions ---


def conditioned(start, *conditions: Condition, action: Action = FORWARD) -> Balanced:
    """A balancer with one rule and a default action that says no."""
    return start(
        with_rules(rule("Rule", 1, action, *conditions), rule("Default", None, NOT_FOUND)),
        settled=action.kind == "forward",
    )


@pytest.mark.parametrize(
    "condition,yes,no",
    [
        (path("/a?c*"), ["/abc", "/a/c/d?x"], ["/ac", "/ab", "/xabc"]),
        (path('/it\'s $HOME "q" `x` [a] {b} (c) #d \\e 100%'), [], ["/it"]),
        (path("/a.b"), ["/a.b"], ["/axb"]),
        (path(regexes=("^/api/v[0-9]+/(.*)$",)), ["/api/v12/x"], ["/api/v/x", "/API/v1/x", "/x/api/v1/"]),
        (path(regexes=("v[0-9]",)), ["/api/v1/x"], ["/api"]),
        (
            Condition("query-string", ("version=v?",)),
            ["/?version=v1", "/?a=b&VERSION=V2&c"],
            ["/", "/?version=v", "/?version=v12", "/?xversion=v1", "/version=v1"],
        ),
        (
            Condition("query-string", ("=*example*",)),
            ["/?a=an%20example", "/?a=1&b=example", "/?example"],
            ["/?example=1", "/?a"],
        ),
        (Condition("query-string", ("plain",)), ["/?a=plain", "/?plain"], ["/?plain=a", "/?plainer"]),
        (Condition("query-string", ("a=b=c",)), ["/?a=b=c"], ["/?a=b"]),
    ],
)
def test_condition_matches_targets(start, condition, yes, no):
    """Path and query conditions hold for these request targets and not for those."""
    running = conditioned(start, condition)
    assert [running.ask(one).log.rule for one in yes] == ["Rule"] * len(yes)
    assert [running.ask(one).log.rule for one in no] == ["Default"] * len(no)


@pytest.mark.parametrize(
    "condition,yes,no",
    [
        (
            Condition("http-header", ("blue*", "green"), header="X-Colour"),
            [("X-Colour: BLUEish",), ("x-colour: green",)],
            [(), ("X-Colour: light blue",), ("X-Colours: green",)],
        ),
        (
            Condition("http-header", ("a, b",), header="X-List"),
            [("X-List: a, b",), ("X-List: z", "X-List: a, b")],
            [("X-List: b",)],
        ),
        (
            Condition("http-header", regexes=("^Mozilla/.+ Chrome/",), header="User-Agent"),
            [("User-Agent: mozilla/5.0 Chrome/1",)],
            [("User-Agent: curl",)],
        ),
        (
            host("*.example.com", "example.org"),
            [("Host: a.example.com",), ("Host: EXAMPLE.org:443",)],
            [("Host: example.com",), ("Host: a.example.com.evil",)],
        ),
        (
            Condition("host-header", regexes=(r"^(.*)\.example\.com$",)),
            [("Host: A.example.com:1",)],
            [("Host: example.com",)],
        ),
    ],
)
def test_condition_matches_headers(start, condition, yes, no):
    """Header and host conditions hold for these headers and not for those."""
    running = conditioned(start, condition)

    def asked(headers: tuple[str, ...]) -> str:
        return running.ask(
            "/", headers=headers, host=None if any(one.startswith("Host") for one in headers) else PUBLIC
        ).log.rule

    assert [asked(one) for one in yes] == ["Rule"] * len(yes)
    assert [asked(one) for one in no] == ["Default"] * len(no)


def test_condition_matches_methods_and_sources(start):
    """Methods are compared exactly, custom ones too; source addresses are the connection's; all conditions
    must hold."""
    running = conditioned(
        start, Condition("http-request-method", ("GET", "BREW")), source("203.0.113.0/28", "2001:db8::/32")
    )
    got = {
        (vantage, method): running.ask(
            "/", vantage=vantage, method=method, headers=("X-Forwarded-For: 203.0.113.10",)
        ).log.rule
        for vantage in ("admin", "internet")
        for method in ("GET", "BREW", "POST", "get")
    }
    assert [key for key, value in got.items() if value == "Rule"] == [("admin", "GET"), ("admin", "BREW")]


def test_fixed_response_is_exactly_the_templates(start):
    """Status, content type and body are what the template says, whatever characters it takes."""
    body = '{"it\'s": "100% $HOME"}\r\n\t\\ # `x` %[src] \u00e9 \n'
    running = conditioned(
        start, action=Action("fixed-response", status=418, content_type="application/json", body=body)
    )
    answer = running.ask("/")
    assert (answer.status, answer.body.encode("latin-1").decode()) == (418, body)
    assert answer.header("content-type") == ["application/json"]
    assert (answer.log.rule, answer.log.state[:2]) == ("Rule", "LR")


def test_redirect_fills_every_placeholder(start):
    """Each part of a redirect may mix text and placeholders, and a percent sign means itself."""
    action = Action(
        "redirect",
        status=302,
        protocol="#{protocol}",
        host="x.#{host}",
        port="#{port}",
        path="/it's/100%/#{path}/#{host}",
        query="q=#{query}&p=#{path}&#{other}",
    )
    answer = conditioned(start, action=action).ask("/a/b?c=d")
    assert answer.header("location") == [
        f"https://x.{PUBLIC}:443/it's/100%/a/b/{PUBLIC}?q=c=d&p=a/b&#{{other}}"
    ]


def test_action_that_cannot_be_rehearsed_says_so(start):
    """An action of another kind is a 501 that names it."""
    answer = conditioned(start, action=Action("authenticate-oidc")).ask("/")
    assert answer.status == 501 and "authenticate-oidc" in answer.body


def test_weights_share_requests_between_target_groups(start, targets):
    """Of two weighted groups both get requests, one without weight gets none; a group without tasks is a
    503."""
    second = replace(TARGET_GROUP, logical_id="Other", port=9000)
    action = Action("forward", (("TargetGroup", 1), ("Other", 1), ("Nothing", 0)))
    topology = with_rules(
        rule("Rule", 1, action, path("/both")), rule("Default", None, Action("forward", (("Absent", 1),)))
    )
    topology = replace(topology, target_groups=(replace(TARGET_GROUP, **QUICK), replace(second, **QUICK)))
    running = start(topology, settled=False)
    running.settle(keycloak_1="healthy", keycloak_2="healthy")
    groups: set[str] = set()
    until(
        "requests for both groups",
        lambda: {"TargetGroup", "Other"} == groups or groups.add(running.ask("/both").log.target_group),
    )
    assert running.ask("/else").status == 503


def test_rules_may_see_normalized_paths(start):
    """After the command rules see no dot segments and no needless escapes, while targets get what came; and
    back."""
    running = start()
    cases = {
        "/realms/../admin/": "HttpsListener",
        "/x/%2e%2e/%72ealms/%6daster/a": "MasterClosedRule",
        "/./realms//x/..%2fadmin?a=/../%41": "PublicRule",
        "/realms/%2E%2E/%2e/realms/a;b": "PublicRule",
    }
    running.say(balancer.paths_command(normalized=True))
    for target, expected in cases.items():
        answer = running.ask(target)
        assert answer.log.rule == expected, target
        assert answer.log.target == target
        if answer.target:
            assert answer.target[1] == f"GET {target} HTTP/1.1"
    running.say(balancer.paths_command(normalized=False))
    assert [running.ask(one).log.rule for one in ("/realms/../admin/", "/x/%2e%2e/realms/a")] == [
        "PublicRule",
        "HttpsListener",
    ]


# --- security groups ---


class Hosts:
    """Every host of a topology in a network namespace of its own, on one bridge; the bridge is the gateway
    and the resolver, and everything in it unfiltered."""

    def __init__(self, topology: Topology):
        self.topology = topology
        self.gateway = topology.vpc.network_address + 1
        self.addresses = {one.name: one.address for one in topology.hosts} | {
            "gateway": self.gateway,
            "resolver": topology.resolver,
        }
        self._holders: dict[str, subprocess.Popen[bytes]] = {}
        length = topology.vpc.prefixlen
        self._ip(
            "link add bridge type bridge",
            "link set bridge up",
            f"address add {self.gateway}/{length} dev bridge",
            f"address add {topology.resolver}/{length} dev bridge",
        )
        for number, one in enumerate(topology.hosts):
            holder = subprocess.Popen(
                ["unshare", "--net", "sh", "-c", "echo made && exec sleep infinity"], stdout=subprocess.PIPE
            )
            assert holder.stdout is not None and holder.stdout.readline() == b"made\n"
            self._holders[one.name] = holder
            self._ip(
                f"link add host{number} type veth peer name eth0 netns {holder.pid}",
                f"link set host{number} master bridge up",
            )
            with self.within(one.name):
                self._ip(
                    "link set lo up",
                    f"address add {one.address}/{length} dev eth0",
                    "link set eth0 up",
                    f"route add default via {self.gateway}",
                )
            self.load(one)

    @staticmethod
    def _ip(*lines: str) -> None:
        for line in lines:
            subprocess.run(["ip", *line.split()], check=True)

    def end(self) -> None:
        for one in self._holders.values():
            one.kill()
            one.communicate()

    @contextlib.contextmanager
    def within(self, name: str) -> Iterator[None]:
        """This thread is on a host; on the gateway for `gateway`."""
        if name not in self._holders:
            yield
            return
        before = os.open("/proc/thread-self/ns/net", os.O_RDONLY)
        there = os.open(f"/proc/{self._holders[name].pid}/ns/net", os.O_RDONLY)
        try:
            assert _LIBC.setns(there, _NEW_NETWORK) == 0
            yield
        finally:
            _LIBC.setns(before, _NEW_NETWORK)
            os.close(before)
            os.close(there)

    def load(self, one: Host, **how) -> None:
        """Loads a host's filter."""
        text = firewall.rules(self.topology, one, ROOT, **how)
        with self.within(one.name):
            subprocess.run(["nft", "-f", "-"], input=text.encode(), check=True)

    def dropped(self, name: str) -> tuple[firewall.Drop, ...]:
        """What a host's filter dropped."""
        with self.within(name):
            got = subprocess.run(firewall.dropped_command(), check=True, capture_output=True, text=True)
        return firewall.dropped(got.stdout)

    def listen(self, name: str, port: int) -> socket.socket:
        """A socket that accepts connections on a host."""
        with self.within(name):
            return socket.create_server((str(self.addresses[name]), port))

    def connect(self, name: str, to: str, port: int) -> socket.socket:
        """A connection under way from a host to another."""
        with self.within(name):
            made = socket.socket()
        made.setblocking(False)
        with contextlib.suppress(BlockingIOError):
            made.connect((str(self.addresses[to]), port))
        made.settimeout(PATIENCE)
        return made

    def passes(self, name: str, to: str, port: int) -> None:
        """Asserts that a connection from a host to another comes about."""
        with self.listen(to, port) as server:
            server.settimeout(PATIENCE)
            with self.connect(name, to, port):
                server.accept()[0].close()

    def stopped(self, name: str, to: str, port: int, *, by: str, direction: str) -> None:
        """Asserts that a connection from a host to another is dropped by one of them, which knows what it
        dropped."""
        peer = self.addresses[to if direction == "out" else name]
        with self.listen(to, port), self.connect(name, to, port):
            until(
                f"{by} drops",
                lambda: [
                    one
                    for one in self.dropped(by)
                    if one.packets > 0
                    and (one.direction, one.peer, one.protocol, one.port) == (direction, peer, "tcp", port)
                ],
            )


@pytest.fixture
def hosts() -> Iterator[Callable[..., Hosts]]:
    """Starts the hosts of a topology."""
    running = []
    with own_network():

        def started(topology: Topology = TOPOLOGY) -> Hosts:
            running.append(Hosts(topology))
            return running[-1]

        yield started
        for one in running:
            one.end()


def test_security_groups_let_through_what_is_permitted_and_nothing_else(hosts):
    """Each permitted connection comes about; each other one is dropped where it isn't permitted, and counted
    there."""
    made = hosts()
    for name, to, port in (
        ("keycloak-1", "keycloak-2", 7800),
        ("keycloak-2", "keycloak-1", 57800),
        ("balancer", "keycloak-1", 8080),
        ("balancer", "keycloak-3", 9000),
        ("keycloak-1", "database", 5432),
        ("keycloak-1", "gateway", 443),
        ("gateway", "balancer", 443),
        ("gateway", "balancer", 20003),
    ):
        made.passes(name, to, port)
    for name, to, port in (
        ("keycloak-1", "keycloak-2", 8080),
        ("balancer", "keycloak-1", 7800),
        ("keycloak-1", "balancer", 20003),
        ("database", "keycloak-1", 7800),
        ("database", "gateway", 443),
        ("keycloak-1", "gateway", 80),
        ("balancer", "database", 5432),
    ):
        made.stopped(name, to, port, by=name, direction="out")
    for to, port in (("keycloak-1", 8080), ("database", 5432), ("balancer", 8080)):
        made.stopped("gateway", to, port, by=to, direction="in")


def test_resolver_is_in_reach_whatever_the_groups_say(hosts):
    """Every host may ask the resolver, over UDP and TCP, and hears the answer."""
    made = hosts(with_permissions())
    made.passes("keycloak-1", "resolver", 53)
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as server, made.within("database"):
        server.bind((str(made.topology.resolver), 53))
        server.settimeout(PATIENCE)
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as client:
            client.settimeout(PATIENCE)
            client.sendto(b"?", (str(made.topology.resolver), 53))
            server.sendto(b"!", server.recvfrom(1)[1])
            assert client.recv(1) == b"!"


@pytest.mark.parametrize(
    "missing,by,direction", [("ingress", "keycloak-2", "in"), ("egress", "keycloak-1", "out")]
)
def test_missing_permission_is_named_at_the_end_that_lacks_it(hosts, missing, by, direction):
    """Both ends of a connection need their permission, and the end without it counts what it drops."""
    made = hosts(
        with_permissions(*(one for one in PERMISSIONS if (one.direction, one.ports[0]) != (missing, 57800)))
    )
    made.passes("keycloak-1", "keycloak-2", 7800)
    made.stopped("keycloak-1", "keycloak-2", 57800, by=by, direction=direction)
    other = {"keycloak-1": "keycloak-2", "keycloak-2": "keycloak-1"}[by]
    assert made.dropped(other) == ()


@pytest.mark.parametrize("blocked", ["in", "out", "both"])
def test_cut_holds_back_standing_connections_until_it_is_healed(hosts, blocked):
    """What a cut host sends, or is sent, doesn't arrive while it is cut off, does afterwards, and others are
    untouched."""
    made = hosts()
    with made.listen("keycloak-2", 7800) as server, made.listen("database", 5432) as database:
        near, base = (
            made.connect("keycloak-1", "keycloak-2", 7800),
            made.connect("keycloak-1", "database", 5432),
        )
        far, kept = server.accept()[0], database.accept()[0]
        with near, base, far, kept:
            for one in (far, kept):
                one.settimeout(PATIENCE)
            made.load(SLOTS[0], blocked=blocked)
            sender, receiver = (near, far) if blocked == "out" else (far, near)
            sender.sendall(b"x")
            until("something is held back", lambda: held_back(made))
            base.sendall(b"y")
            assert kept.recv(1) == b"y"
            receiver.setblocking(False)
            with pytest.raises(BlockingIOError):
                receiver.recv(1)
            if blocked != "both":
                # The other direction is open, so what goes there arrives.
                receiver.sendall(b"z")
                sender.settimeout(PATIENCE)
                assert sender.recv(1) == b"z"
            receiver.settimeout(PATIENCE)
            made.load(SLOTS[0])
            assert receiver.recv(1) == b"x"


def held_back(made: Hosts) -> bool:
    """Whether the first task's cut dropped anything."""
    with made.within("keycloak-1"):
        listed = subprocess.run(
            ["nft", "list", "table", "inet", firewall.TABLE], check=True, capture_output=True, text=True
        )
    return any(
        line.endswith(" drop") and "packets 0 " not in line
        for line in listed.stdout.splitlines()
        if "counter" in line
    )


def test_silent_host_answers_nobody(hosts):
    """Nothing goes in or out of a lost host, not even for connections that stand."""
    made = hosts()
    with made.listen("keycloak-1", 8080) as server:
        client = made.connect("balancer", "keycloak-1", 8080)
        there = server.accept()[0]
        with client, there:
            made.load(SLOTS[0], silent=True)
            client.sendall(b"x")
            until("it is dropped", lambda: made.dropped("keycloak-1"))
            there.setblocking(False)
            with pytest.raises(BlockingIOError):
                there.recv(1)
            made.stopped("keycloak-1", "database", 5432, by="keycloak-1", direction="out")


def test_host_without_groups_is_not_filtered(hosts):
    """Where no security group is, everything passes; its peers' groups still count."""
    made = hosts(replace(TOPOLOGY, database_host=replace(TOPOLOGY.database_host, groups=())))
    made.passes("gateway", "database", 22)
    made.passes("database", "gateway", 80)
    made.stopped("gateway", "keycloak-1", 22, by="keycloak-1", direction="in")


def test_protocols_ranges_and_networks_become_rules(hosts):
    """Port ranges, whole protocols, everything, and networks pass what they say and drop what they don't."""
    gateway = str(TOPOLOGY.vpc.network_address + 1)
    made = hosts(
        with_permissions(
            replace(permission("TaskGroup", "ingress", f"{gateway}/32", 1), ports=(100, 200)),
            replace(permission("TaskGroup", "ingress", "192.0.2.0/24", 300)),
            permission("TaskGroup", "ingress", "pl-1234", 301),
            permission("DatabaseGroup", "ingress", f"{gateway}/32", None),
            replace(permission("BalancerGroup", "ingress", "0.0.0.0/0", 1), protocol="icmp", ports=(8, 0)),
            permission("BalancerGroup", "ingress", "NobodysGroup", 80),
        )
    )
    for port in (100, 150, 200):
        made.passes("gateway", "keycloak-1", port)
    for port in (99, 201, 300, 301):
        made.stopped("gateway", "keycloak-1", port, by="keycloak-1", direction="in")
    made.passes("gateway", "database", 4711)
    made.stopped("gateway", "balancer", 80, by="balancer", direction="in")
    with socket.socket(socket.AF_INET, socket.SOCK_RAW, socket.IPPROTO_ICMP) as pinging:
        pinging.settimeout(PATIENCE)
        for name in ("keycloak-1", "balancer"):
            pinging.sendto(bytes.fromhex("0800f7ff00000000"), (str(made.addresses[name]), 0))
        assert pinging.recvfrom(64)[1][0] == str(made.addresses["balancer"])


def test_filter_leaves_other_tables_alone(hosts):
    """Loading and loading again touches nothing but its own table, which Docker's DNS and NAT need."""
    made = hosts()
    with made.within("keycloak-1"):
        subprocess.run(
            ["nft", "add table ip docker; add chain ip docker x { type nat hook output priority -100; }"],
            check=True,
        )
        made.load(SLOTS[0])
        made.load(SLOTS[0])
        tables = subprocess.run(["nft", "list", "tables"], check=True, capture_output=True, text=True).stdout
    assert set(tables.splitlines()) == {"table inet security_groups", "table ip docker"}


def test_loader_loads_tells_and_stays(tmp_path):
    """The firewall container's script loads the file, is healthy then, loads it again on SIGHUP, and ends on
    SIGTERM."""
    with own_network():
        file = tmp_path / "rules.nft"
        file.write_text(firewall.rules(TOPOLOGY, SLOTS[0], ROOT), encoding="utf-8")
        loaded = Path("/tmp/loaded")
        loaded.unlink(missing_ok=True)
        script = subprocess.Popen(["bash", ROOT / "templates/rehearsal/security-groups.sh", file])
        try:
            until("it is loaded", loaded.exists)

            def listed() -> str:
                return subprocess.run(
                    ["nft", "list", "ruleset"], capture_output=True, text=True, check=True
                ).stdout

            assert "57800" in listed()
            file.write_text(firewall.rules(TOPOLOGY, TOPOLOGY.database_host, ROOT), encoding="utf-8")
            script.send_signal(signal.SIGHUP)
            until("it is loaded again", lambda: "57800" not in listed() and "5432" in listed())
            script.terminate()
            assert script.wait(PATIENCE) == 0
        finally:
            script.kill()
            script.wait()
            loaded.unlink(missing_ok=True)


# --- names ---


class Names:
    """A running dnsmasq, as unprivileged as its container, with the network's other addresses beside its
    own."""

    def __init__(self, topology: Topology, folder: Path):
        self.topology = topology
        self.hosts = folder / "hosts"
        self.output = folder / "dnsmasq.log"
        self.register()
        configuration = folder / "dnsmasq.conf"
        configuration.write_text(resolver.dnsmasq(topology, ROOT, hosts=str(self.hosts)), encoding="utf-8")
        subprocess.run(["ip", "address", "add", f"{topology.resolver}/32", "dev", "lo"], check=True)
        with self.output.open("wb") as output:
            self.process = subprocess.Popen(
                [
                    "setpriv",
                    "--bounding-set=-all,+net_bind_service",
                    "--no-new-privs",
                    "dnsmasq",
                    "--keep-in-foreground",
                    f"--conf-file={configuration}",
                ],
                stdout=output,
                stderr=subprocess.STDOUT,
            )
        until("it has read its names", self._read)

    def _read(self, times: int = 1) -> bool:
        assert self.process.poll() is None, self.output.read_text()
        return self.output.read_text().count(f"read {self.hosts}") >= times

    def register(self, *slots: Host, **how) -> None:
        """These slots are registered from now on, and no others."""
        text = resolver.answers(self.topology, [one.address for one in slots], **how)
        fresh = self.hosts.with_name("fresh")
        fresh.write_text(text, encoding="utf-8")
        fresh.replace(self.hosts)
        if hasattr(self, "process"):
            read = self.output.read_text().count(f"read {self.hosts}")
            self.process.send_signal(signal.SIGHUP)
            until("it has read its names again", lambda: self._read(read + 1))

    def ask(self, name: str, kind: str = "A", *options: str) -> tuple[str, list[str]]:
        """Status and records of an answer; a record is its time to live and its value."""
        got = subprocess.run(
            [
                "dig",
                "+time=5",
                "+tries=1",
                "+noall",
                "+comments",
                "+answer",
                *options,
                f"@{self.topology.resolver}",
                name,
                kind,
            ],
            capture_output=True,
            text=True,
            check=True,
        )
        status = next(
            line.split("status: ")[1].split(",")[0] for line in got.stdout.splitlines() if "status: " in line
        )
        return status, [
            " ".join([line.split()[1], *line.split()[4:]])
            for line in got.stdout.splitlines()
            if line and not line.startswith(";")
        ]

    def listed(self, name: str) -> set[str]:
        """The addresses that a name leads to."""
        return {record.split()[1] for record in self.ask(name)[1]}


@pytest.fixture
def names(tmp_path) -> Iterator[Callable[..., Names]]:
    """Starts the resolver of a topology."""
    running = []
    with own_network():

        def started(topology: Topology = TOPOLOGY) -> Names:
            running.append(Names(topology, tmp_path))
            return running[-1]

        yield started
        for one in running:
            one.process.kill()
            one.process.wait()


DISCOVERY = TOPOLOGY.discovery.name


def test_discovery_name_leads_to_what_is_registered(names):
    """Registered tasks are in answers with the template's time to live as soon as they are registered, and no
    longer."""
    made = names()
    assert made.ask(DISCOVERY) == ("NXDOMAIN", [])
    made.register(*SLOTS[:2])
    assert made.ask(DISCOVERY)[0] == "NOERROR"
    assert sorted(made.ask(DISCOVERY)[1]) == ["10 10.40.4.10", "10 10.40.4.11"]
    made.register(SLOTS[1])
    assert made.listed(DISCOVERY.upper()) == {"10.40.4.11"}
    assert made.ask(DISCOVERY, "A", "+tcp") == ("NOERROR", ["10 10.40.4.11"])


def test_order_of_an_answer_turns(names):
    """Not every task asks the same one first."""
    made = names()
    made.register(*SLOTS[:3])
    assert len({tuple(made.ask(DISCOVERY)[1]) for _ in range(6)}) == 3


def test_other_names_do_not_exist_and_other_types_are_empty(names):
    """An unknown name is NXDOMAIN at once, without anybody being asked; a known one has no IPv6 address."""
    made = names()
    made.register(*SLOTS[:2])
    for name in ("example.org", f"x.{DISCOVERY}", "localhost", "keycloak"):
        assert made.ask(name) == ("NXDOMAIN", [])
    assert made.ask("8.8.8.8.in-addr.arpa", "PTR") == ("NXDOMAIN", [])
    for kind in ("AAAA", "TXT", "SRV", "HTTPS"):
        assert made.ask(DISCOVERY, kind) == ("NOERROR", [])


def test_hosts_of_the_vpc_have_their_names(names):
    """Tasks, database and balancer have names whether or not a task is registered, and tasks' addresses lead
    back."""
    made = names()
    assert made.listed(SLOTS[3].hostname) == {"10.40.4.13"}
    assert made.ask("13.4.40.10.in-addr.arpa", "PTR") == ("NOERROR", [f"10 {SLOTS[3].hostname}."])
    assert made.listed(TOPOLOGY.database.host) == {"10.40.8.10"}
    assert made.listed(PUBLIC) == made.listed(ADMIN) == {"10.40.0.10"}


def test_answers_have_at_most_eight_records_and_weighted_ones_one(names):
    """Of many registered tasks an answer lists eight, other ones at another turn; a WEIGHTED service lists
    one."""
    slots = tuple(
        replace(SLOTS[0], name=f"keycloak-{number}", address=SLOTS[0].address + number)
        for number in range(11)
    )
    many = replace(TOPOLOGY, slots=slots)
    made = names(many)
    made.register(*slots)
    assert len(made.listed(DISCOVERY)) == 8
    first = made.listed(DISCOVERY)
    made.register(*slots, turn=5)
    assert len(made.listed(DISCOVERY)) == 8 and made.listed(DISCOVERY) != first
    made.topology = replace(many, discovery=replace(many.discovery, routing="WEIGHTED"))
    made.register(*slots[:3])
    assert made.listed(DISCOVERY) == {"10.40.4.10"}
    made.register(*slots[:3], turn=1)
    assert made.listed(DISCOVERY) == {"10.40.4.11"}


def test_service_records_lead_to_registered_tasks(names):
    """With SRV records a name for each slot is listed, and the ones that are registered have an address."""
    made = names(replace(TOPOLOGY, discovery=replace(TOPOLOGY.discovery, record_type="SRV")))
    made.register(SLOTS[1])
    status, records = made.ask(DISCOVERY, "SRV")
    assert (status, len(records)) == ("NOERROR", len(SLOTS))
    assert f"10 1 1 7800 keycloak-2.{DISCOVERY}." in records
    assert made.ask(DISCOVERY) == ("NOERROR", [])
    assert made.listed(f"keycloak-2.{DISCOVERY}") == {"10.40.4.11"}
    assert made.ask(f"keycloak-1.{DISCOVERY}")[1] == []


def test_resolver_listens_on_its_own_address_only(names):
    """Nobody is answered at another address of the resolver's container."""
    made = names()
    listening = subprocess.run(
        ["ss", "--no-header", "--numeric", "--listening", "--udp", "--tcp"],
        check=True,
        capture_output=True,
        text=True,
    ).stdout
    assert {line.split()[4] for line in listening.splitlines()} == {f"{made.topology.resolver}:53"}
