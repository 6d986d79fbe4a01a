"""Servers for the tests: one that keeps the bytes of what it is asked, and one that is as much of Keycloak as
a client needs. What Keycloak itself does is the cluster tests' business."""

from __future__ import annotations

import json
import socket
import ssl
import threading
import urllib.parse
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from generator.rehearsing import certificates
from generator.rehearsing.target import Door

PUBLIC, ADMIN = "sso.example.com", "sso-admin.example.com"

Handler = Callable[[bytes], bytes]
"""The bytes of a request to the bytes of the answer; no bytes close the connection without one."""


def answer(status: int, body: str | bytes = b"", *headers: str, kind: str = "text/plain") -> bytes:
    """An HTTP answer."""
    content = body.encode() if isinstance(body, str) else body
    lines = [
        f"HTTP/1.1 {status} Whatever",
        f"Content-Type: {kind}",
        f"Content-Length: {len(content)}",
        *headers,
    ]
    return "\r\n".join([*lines, "", ""]).encode() + content


def jsonic(status: int, value: object, *headers: str) -> bytes:
    """An HTTP answer with JSON."""
    return answer(status, json.dumps(value), *headers, kind="application/json")


class Request:
    """A request taken apart."""

    def __init__(self, raw: bytes):
        head, _, self.body = raw.partition(b"\r\n\r\n")
        first, *rest = head.decode("latin-1").split("\r\n")
        self.method, self.target, _ = first.split(" ", 2)
        self.headers = [tuple(line.split(": ", 1)) for line in rest]
        self.path, _, query = self.target.partition("?")
        self.query = dict(urllib.parse.parse_qsl(query))
        self.form = dict(urllib.parse.parse_qsl(self.body.decode()))

    def header(self, name: str) -> str:
        """The first header of that name; empty where there is none."""
        return next((value for key, value in self.headers if key.lower() == name.lower()), "")


class Server:
    """Listens on a free port of 127.0.0.1 and keeps every request."""

    def __init__(
        self, handler: Handler, folder: Path | None = None, names: tuple[str, ...] = (PUBLIC, ADMIN)
    ):
        self.raw: list[bytes] = []
        self.asked_for: list[str] = []
        """Names that clients asked for in the TLS handshake."""
        self.authorities: str | None = None
        self._handler = handler
        self._context = self._tls(folder, names) if folder else None
        self._socket = socket.create_server(("127.0.0.1", 0))
        self.port = self._socket.getsockname()[1]
        self._threads: list[threading.Thread] = []
        self._open = True
        self._thread = threading.Thread(target=self._serve, daemon=True)
        self._thread.start()

    def door(self, vantage: str = "internet", balancer: str = "LoadBalancer", source: str = "") -> Door:
        """The way in."""
        scheme = "https" if self._context else "http"
        return Door(
            vantage,
            balancer,
            scheme,
            443 if self._context else 80,
            "127.0.0.1",
            self.port,
            self.authorities,
            source,
        )

    def requests(self) -> list[Request]:
        """Every request so far."""
        return [Request(raw) for raw in self.raw]

    def close(self) -> None:
        """Ends it, and waits for what it is answering."""
        self._open = False
        # A thread that waits in accept() isn't woken by closing the socket.
        with socket.create_connection(("127.0.0.1", self.port)):
            pass
        self._thread.join()
        self._socket.close()
        for thread in self._threads:
            thread.join()

    def _tls(self, folder: Path, names: tuple[str, ...]) -> ssl.SSLContext:
        authority = certificates.authority("test")
        issued = authority.issue(names)
        (folder / "authority.pem").write_bytes(authority.certificate)
        (folder / "server.pem").write_bytes(issued.certificate + issued.key)
        self.authorities = str(folder / "authority.pem")
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(folder / "server.pem")
        context.sni_callback = lambda _, name, __: self.asked_for.append(name)
        return context

    def _serve(self) -> None:
        while True:
            connection, _ = self._socket.accept()
            if not self._open:
                connection.close()
                return
            thread = threading.Thread(target=self._one, args=(connection,), daemon=True)
            self._threads.append(thread)
            thread.start()

    def _one(self, connection: socket.socket) -> None:
        try:
            with self._wrapped(connection) as stream:
                raw = _read(stream)
                self.raw.append(raw)
                stream.sendall(self._handler(raw))
        except OSError:
            # A client that refuses the certificate or gave up is what some tests are about.
            return
        finally:
            connection.close()

    def _wrapped(self, connection: socket.socket) -> socket.socket:
        return self._context.wrap_socket(connection, server_side=True) if self._context else connection


def _read(stream: socket.socket) -> bytes:
    data = b""
    while b"\r\n\r\n" not in data:
        more = stream.recv(65536)
        if not more:
            return data
        data += more
    head, _, body = data.partition(b"\r\n\r\n")
    length = next((int(line.split(b":")[1]) for line in head.split(b"\r\n")
                   if line.lower().startswith(b"content-length:")), 0)
    while len(body) < length:
        body += stream.recv(65536)
    return head + b"\r\n\r\n" + body


@contextmanager
def serving(handler: Handler, folder: Path | None = None) -> Iterator[Server]:
    """A server for the length of a block; with HTTPS if it has a folder for its certificate."""
    server = Server(handler, folder)
    try:
        yield server
    finally:
        server.close()


def free_port() -> int:
    """A port on which nobody listens."""
    with socket.create_server(("127.0.0.1", 0)) as found:
        return found.getsockname()[1]


__all__ = ["ADMIN", "PUBLIC", "Handler", "Request", "Server", "answer", "free_port", "jsonic", "serving"]
