"""A small HTTP client: what it is told goes out byte for byte, through the door it is told, and it follows
nothing."""

from __future__ import annotations

import http.client
import json
import socket
import ssl
import time
import urllib.parse
import urllib.request
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from http.cookiejar import CookieJar
from typing import Any

from generator.rehearsing.target import Door

Headers = Sequence[tuple[str, str]]

USER_AGENT = "cloakform-drill"
LONGEST_BODY = 4_000_000
"""Bytes of an answer that are read; the rest is of no interest."""


class NoAnswer(Exception):
    """A request without an answer. `kind` says in a few words why, `seconds` after how long, `sent` when."""

    def __init__(self, kind: str, sent: float, seconds: float):
        self.kind, self.sent, self.seconds = kind, sent, seconds
        super().__init__(kind)


@dataclass(frozen=True)
class Answer:
    """What came back."""

    status: int
    headers: tuple[tuple[str, str], ...]
    body: bytes = field(repr=False)
    sent: float
    """Seconds since the epoch."""
    seconds: float
    """Until the last byte."""

    def header(self, name: str) -> str:
        """The first header of that name, whatever its case; empty where there is none."""
        return next(iter(self.every(name)), "")

    def every(self, name: str) -> list[str]:
        """All headers of that name."""
        return [value for key, value in self.headers if key.lower() == name.lower()]

    @property
    def text(self) -> str:
        """The body, as UTF-8 with everything else replaced."""
        return self.body.decode("utf-8", "replace")

    def json(self) -> Any:
        """The body as JSON; None where it is none."""
        try:
            return json.loads(self.body)
        except ValueError:
            return None

    def field(self, name: str) -> Any:
        """One value of a JSON object; None where the body holds no such thing."""
        found = self.json()
        return found.get(name) if isinstance(found, dict) else None

    @property
    def error(self) -> str:
        """Keycloak's own word for what is wrong (`invalid_grant`), else `HTTP 503`; for an answer that is no
        success."""
        word = self.field("error")
        return f"HTTP {self.status} {word}" if isinstance(word, str) and word else f"HTTP {self.status}"


@dataclass(frozen=True)
class Client:
    """Requests for one host through one door. Every request has a connection of its own, so that each one
    meets the balancer as it is at that moment."""

    door: Door
    host: str
    """What the Host header says and, with TLS, whom the certificate has to name; with the port if it isn't
    the scheme's own."""
    timeout: float = 10.0
    jar: CookieJar | None = None
    """Cookies to send and to keep; None for none."""
    extra: tuple[tuple[str, str], ...] = ()
    """Headers of every request."""

    def ask(self, method: str, target: str, *, headers: Headers = (), form: Mapping[str, str] | None = None,
            data: Any = None, host: str | None = None, timeout: float | None = None) -> Answer:
        """Sends one request and reads its answer.

        `target` is written into the request line as it is: no dots are resolved, nothing is encoded. `form`
        is sent as a form, `data` as JSON. `host` replaces the Host header only. Raises NoAnswer.
        """
        body, sending = self._body(form, data)
        lines = [("Host", self.host if host is None else host), ("User-Agent", USER_AGENT), ("Accept", "*/*"),
                 ("Connection", "close"), *sending, *self.extra, *headers]
        url = f"{self.door.scheme}://{self.host}{target if target.startswith('/') else '/'}"
        cookies = self._cookies(url, [value for name, value in lines if name == "Cookie"])
        lines = [(name, value) for name, value in lines if name != "Cookie"] + cookies
        sent, began = time.time(), time.perf_counter()
        connection = self._connection(self.timeout if timeout is None else timeout)
        try:
            # Everything but the request line's own characters is ours: http.client may not add or change a
            # thing.
            connection.putrequest(method, target, skip_host=True, skip_accept_encoding=True)
            for name, value in lines:
                connection.putheader(name, value)
            connection.endheaders(body)
            response = connection.getresponse()
            content = response.read(LONGEST_BODY)
        except (OSError, http.client.HTTPException) as error:
            raise NoAnswer(reason(error), sent, time.perf_counter() - began) from error
        finally:
            connection.close()
        answer = Answer(
            response.status, tuple(response.getheaders()), content, sent, time.perf_counter() - began
        )
        if self.jar is not None:
            self.jar.extract_cookies(_Shown(response), urllib.request.Request(url))  # type: ignore[arg-type]
        return answer

    def get(self, target: str, **how: Any) -> Answer:
        """`ask` with GET."""
        return self.ask("GET", target, **how)

    def post(self, target: str, form: Mapping[str, str], **how: Any) -> Answer:
        """`ask` with POST and a form."""
        return self.ask("POST", target, form=form, **how)

    @staticmethod
    def _body(form: Mapping[str, str] | None, data: Any) -> tuple[bytes | None, list[tuple[str, str]]]:
        if form is not None:
            body, kind = urllib.parse.urlencode(form).encode(), "application/x-www-form-urlencoded"
        elif data is not None:
            body, kind = json.dumps(data).encode(), "application/json"
        else:
            return None, []
        return body, [("Content-Type", kind), ("Content-Length", str(len(body)))]

    def _cookies(self, url: str, given: list[str]) -> list[tuple[str, str]]:
        request = urllib.request.Request(url)
        if self.jar is not None:
            self.jar.add_cookie_header(request)
        kept = request.get_header("Cookie")
        names = {part.split("=", 1)[0].strip() for part in (kept or "").split(";")}
        # What a request brings itself is for the case that the jar holds nothing of that name.
        fresh = [part for value in given for part in value.split("; ") if part.split("=", 1)[0] not in names]
        text = "; ".join(([kept] if kept else []) + fresh)
        return [("Cookie", text)] if text else []

    def _connection(self, timeout: float) -> http.client.HTTPConnection:
        name = self.host.rsplit(":", 1)[0] if ":" in self.host else self.host
        return _Connection(self.door, name, timeout)


class _Connection(http.client.HTTPConnection):
    """Goes to a door's address and asks there for a host, whatever DNS says of that host; where the door has
    none, to where DNS says."""

    def __init__(self, door: Door, name: str, timeout: float):
        super().__init__(door.address or name, door.port, timeout=timeout)
        self._door, self._name = door, name

    def connect(self) -> None:
        self.sock = socket.create_connection((self._door.address or self._name, self._door.port), self.timeout)
        if self._door.scheme == "https":
            try:
                self.sock = _context(self._door.authorities, self._door.certificate).wrap_socket(
                    self.sock, server_hostname=self._name
                )
            except BaseException:
                self.sock.close()
                raise


class _Shown:
    """A response as http.cookiejar asks for it."""

    def __init__(self, response: http.client.HTTPResponse):
        self._headers = response.headers

    def info(self) -> Any:
        return self._headers


@lru_cache(maxsize=32)
def _context(authorities: str | None, certificate: str | None = None) -> ssl.SSLContext:
    context = ssl.create_default_context(cafile=authorities)
    if certificate is not None:
        context.load_cert_chain(certificate)
    return context


def reason(error: BaseException) -> str:
    """Why there was no answer, in words that stay the same from one request to the next, so that they can be
    counted."""
    if isinstance(error, TimeoutError):
        return "timed out"
    if isinstance(error, ConnectionRefusedError):
        return "connection refused"
    if isinstance(error, (ConnectionResetError, BrokenPipeError, http.client.RemoteDisconnected)):
        return "connection closed without an answer"
    if isinstance(error, ssl.SSLCertVerificationError):
        return f"certificate refused: {error.verify_message}"
    if isinstance(error, ssl.SSLError):
        return "TLS broke off"
    if isinstance(error, http.client.HTTPException):
        return "unreadable answer"
    return f"no connection: {getattr(error, 'strerror', None) or type(error).__name__}"
