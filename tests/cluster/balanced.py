"""HAProxy with what is written for it, and servers behind it in the tasks' places."""

from __future__ import annotations

import contextlib
import http.server
import os
import socket
import socketserver
import ssl
import subprocess
import threading
from dataclasses import dataclass, field
from pathlib import Path

from generator.rehearsing import balancer
from generator.rehearsing.balancer import Request
from generator.rehearsing.topology import Host, Topology
from generator.rehearsing.vantage import vantages
from tests.cluster.networks import PATIENCE, ROOT, until
from tests.rehearsing.topologies import PUBLIC

HAPROXY = os.environ.get("HAPROXY", "haproxy")

QUICK = {"interval": 1, "timeout": 1, "healthy": 2, "unhealthy": 2}
"""Health checks that tests can wait for."""


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


def cookies(answer: Answer) -> dict[str, str]:
    """Cookies that an answer sets, with their attributes."""
    return {value.split("=")[0]: value for value in answer.header("set-cookie")}


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
                **{
                    "client_authorities": str(certificate.with_name("authority.pem")),
                    "script": str(ROOT / "templates" / "rehearsal" / "certificates.lua"),
                    **how,
                },
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
