"""What a server is expected to do, each thing a value that looks at a running or an ended server."""

from __future__ import annotations

import re
import time
from dataclasses import dataclass, field

from tests.claims.allowed import EXCUSES, Excuse, excuse
from tests.claims.environment import ADMIN_PASSWORD
from tests.claims.server import Answer, Line, Server

_CHALLENGE = "code_challenge=47DEQpj8HBSa-_TImW-5JCeuQeRkm5NMpJWZG3hSuFU&code_challenge_method=S256"
_TOKEN = "/realms/master/protocol/openid-connect/token"


@dataclass(frozen=True)
class Seen:
    """What was seen of one expectation."""

    holds: bool
    did: str
    """What the server did, in its own words where it has any."""


class Expect:
    """One thing that a server is expected to do."""

    def look(self, server: Server) -> Seen:
        """Whether it does."""
        raise NotImplementedError


@dataclass(frozen=True)
class Ends(Expect):
    """It ends by itself and says why."""

    text: str
    """A regular expression for a part of the log."""

    def look(self, server: Server) -> Seen:
        if server.code is None:
            return Seen(False, "starts")
        found = _matching(server, self.text)
        told = found or _last(server)
        ready = " after it was ready" if server.ready is not None else ""
        return Seen(bool(found), f"ends (exit code {server.code}){ready}: {_short(told, self.text)}")


@dataclass(frozen=True)
class Starts(Expect):
    """It gets ready and stays."""

    def look(self, server: Server) -> Seen:
        if server.code is None and server.ready is not None:
            return Seen(True, "starts")
        return Seen(False, f"ends (exit code {server.code}): {_short(_last(server))}")


@dataclass(frozen=True)
class Says(Expect):
    """Its log holds something."""

    text: str

    def look(self, server: Server) -> Seen:
        found = _matching(server, self.text)
        if not found:
            return Seen(False, f"says nothing like “{self.text}”")
        return Seen(True, f"“{_short(found, self.text)}”")


@dataclass(frozen=True)
class SaysNothing(Expect):
    """Its log doesn't hold something."""

    text: str

    def look(self, server: Server) -> Seen:
        found = _matching(server, self.text)
        return Seen(not found, f"“{_short(found, self.text)}”" if found else "says nothing about it")


@dataclass(frozen=True)
class Quiet(Expect):
    """It warns of nothing, nor did the image's build, apart from what is excused."""

    excuses: tuple[Excuse, ...] = field(default=EXCUSES, repr=False)
    """Not part of what a verdict is about: one excuse more makes no other one wrong."""

    def look(self, server: Server) -> Seen:
        found = [line for line in (*server.of_the_build, *server.lines) if line.complains]
        reasons = {line: excuse(self.excuses, server.environment, line.text) for line in found}
        wrong = [line for line, reason in reasons.items() if not reason]
        if wrong:
            return Seen(False, "; ".join(f"{line.level} {_short(line.text)}" for line in wrong[:3]))
        excused = sorted({reason for reason in reasons.values() if reason})
        return Seen(True, "no error, no warning" + (f" but: {'; '.join(excused)}" if excused else ""))


@dataclass(frozen=True)
class Answers(Expect):
    """It answers a request with a status."""

    path: str
    status: int
    port: int = 8080
    scheme: str = "http"
    headers: tuple[str, ...] = ()
    holds: str = ""
    """A regular expression for a part of the headers or the body."""
    lacks: str = ""

    def look(self, server: Server) -> Seen:
        told = server.ask(self.path, self.port, scheme=self.scheme, headers=self.headers)
        text = told.headers + told.body
        fine = (
            told.status == self.status
            and bool(re.search(self.holds, text))
            and not (self.lacks and re.search(self.lacks, text))
        )
        part = re.search(self.holds, text) if self.holds else None
        with_part = f" with “{part[0][:90]}”" if part else ""
        return Seen(fine, f"{self.scheme}:{self.port}{self.path}: {told.status or 'no answer'}{with_part}")


@dataclass(frozen=True)
class Listens(Expect):
    """Somebody listens at a port."""

    port: int
    address: str = ""
    """The only address; any where empty."""

    def look(self, server: Server) -> Seen:
        found = sorted(address for address, port in server.listening() if port == self.port)
        fine = bool(found) and (not self.address or found == [self.address])
        return Seen(
            fine, f"listens at {' and '.join(found)}:{self.port}" if found else f"port {self.port} is closed"
        )


@dataclass(frozen=True)
class Closed(Expect):
    """Nobody listens at a port."""

    port: int

    def look(self, server: Server) -> Seen:
        found = sorted(address for address, port in server.listening() if port == self.port)
        return Seen(
            not found, f"listens at {found[0]}:{self.port}" if found else f"port {self.port} is closed"
        )


@dataclass(frozen=True)
class Issuer(Expect):
    """The issuer of its tokens begins with something, for a request with some headers."""

    begins: str
    headers: tuple[str, ...] = ("X-Forwarded-Proto: https",)

    def look(self, server: Server) -> Seen:
        told = server.ask("/realms/master/.well-known/openid-configuration", headers=self.headers)
        found = re.search(r'"issuer":"([^"]*)"', told.body)
        issuer = found[1] if found else f"none (status {told.status})"
        return Seen(issuer.startswith(self.begins), f"issuer {issuer}")


@dataclass(frozen=True)
class Administrator(Expect):
    """The first administrator logs in, or there is none."""

    exists: bool

    def look(self, server: Server) -> Seen:
        told = server.ask(
            _TOKEN,
            headers=("X-Forwarded-Proto: https",),
            form={
                "grant_type": "password",
                "client_id": "admin-cli",
                "username": "temp-admin",
                "password": ADMIN_PASSWORD,
            },
        )
        return Seen(
            (told.status == 200) is self.exists,
            "the administrator logs in" if told.status == 200 else f"no administrator (status {told.status})",
        )


@dataclass(frozen=True)
class Address(Expect):
    """The address that an event has for whoever asked."""

    seen: str
    header: str
    source: str = ""

    def look(self, server: Server) -> Seen:
        server.ask(
            _TOKEN,
            headers=("X-Forwarded-Proto: https", self.header),
            source=self.source,
            form={
                "grant_type": "password",
                "client_id": "admin-cli",
                "username": "nobody",
                "password": "wrong",
            },
        )
        time.sleep(1)
        found = [
            match[1] for line in server.lines if (match := re.search(r'ipAddress="?([0-9a-f.:]+)', line.text))
        ]
        address = found[-1] if found else "none"
        wanted = self.seen or server.environment.balancer
        return Seen(address == wanted, f"the event's address is {address}")


@dataclass(frozen=True)
class Route(Expect):
    """Whether the login's cookie names the node."""

    named: bool

    def look(self, server: Server) -> Seen:
        cookie = _login(server)[0].get("AUTH_SESSION_ID", "")
        if not cookie:
            return Seen(False, "sets no AUTH_SESSION_ID")
        value, dot, node = cookie.partition(".")
        return Seen(
            bool(dot) is self.named,
            f"the cookie names the node: .{node}" if dot else "the cookie names no node",
        )


@dataclass(frozen=True)
class SecureCookies(Expect):
    """Whether the login's session cookie is for HTTPS alone."""

    secure: bool

    def look(self, server: Server) -> Seen:
        told = _login_page(server)
        found = re.search(r"^set-cookie: AUTH_SESSION_ID=.*", told.headers, re.MULTILINE | re.IGNORECASE)
        if not found:
            return Seen(False, f"sets no AUTH_SESSION_ID (status {told.status})")
        secure = bool(re.search(r";\s*secure", found[0], re.IGNORECASE))
        return Seen(secure is self.secure, f"the login's cookie is {'' if secure else 'not '}marked Secure")


@dataclass(frozen=True)
class Login(Expect):
    """What the form of the login is answered, sent as a browser behind the balancer does."""

    status: int

    def look(self, server: Server) -> Seen:
        status, told = login(server)
        return Seen(status == self.status, f"the login is answered with {status}{told}")


@dataclass(frozen=True)
class Styles(Expect):
    """Whether a browser gets the style sheets of the login page."""

    served: bool

    def look(self, server: Server) -> Seen:
        found = re.search(r'href="((?:/[^"]*)?/resources/[^"]*\.css)"', _login_page(server).body)
        if not found:
            return Seen(False, "the login page names no style sheet")
        told = server.ask(
            found[1], headers=("X-Forwarded-Proto: https", "Accept-Encoding: gzip", "Accept: text/css")
        )
        kind = re.sub(r"/[^/]*\.css", "/*.css", re.sub(r"^/resources/[^/]*/", "/resources/*/", found[1]))
        return Seen((told.status == 200) is self.served, f"{kind}: {told.status}")


@dataclass(frozen=True)
class JavaOption(Expect):
    """Whether its Java was started with an option."""

    option: str
    there: bool

    def look(self, server: Server) -> Seen:
        found = self.option in server.options_of_java
        return Seen(found is self.there, f"{self.option} is {'there' if found else 'gone'}")


@dataclass(frozen=True)
class WithoutDatabase(Expect):
    """What the health pages answer once the database is out of reach."""

    ready: int
    live: int = 200

    def look(self, server: Server) -> Seen:
        port = 9000 if ("*", 9000) in server.listening() else 8080
        server.place.sql('ALTER DATABASE "keycloak" ALLOW_CONNECTIONS false')
        until = time.monotonic() + (60 if self.ready != 200 else 20)
        try:
            while True:
                server.place.sql(
                    "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = 'keycloak'"
                )
                ready = server.ask("/health/ready", port).status
                if time.monotonic() > until or (self.ready != 200 and ready == self.ready):
                    break
                time.sleep(2)
            live = server.ask("/health/live", port).status
        finally:
            server.place.sql('ALTER DATABASE "keycloak" ALLOW_CONNECTIONS true')
        return Seen((ready, live) == (self.ready, self.live), f"database gone: ready {ready}, live {live}")


@dataclass(frozen=True)
class PlainConnections(Expect):
    """Whether its connections to the database are without TLS."""

    plain: bool

    def look(self, server: Server) -> Seen:
        told = server.place.sql(
            "SELECT DISTINCT ssl FROM pg_stat_ssl JOIN pg_stat_activity USING (pid) "
            "WHERE usename = 'keycloak'"
        ).split()
        return Seen(
            told == ["f" if self.plain else "t"],
            "connected in plain text" if told == ["f"] else f"connected with TLS: {told}",
        )


@dataclass(frozen=True)
class StopsWithin(Expect):
    """How long it takes to stop."""

    least: float
    most: float

    def look(self, server: Server) -> Seen:
        took = server.stop()
        return Seen(self.least <= took <= self.most, f"stops {took:.1f} s after SIGTERM")


def login(server: Server) -> tuple[int, str]:
    """The status that the login's form is answered with, and where it leads or what the page says."""
    cookies, action = _login(server)
    if not action:
        return 0, " (no form)"
    origin = re.match(
        r"https?://[^/]+",
        server.environment.variables.get(
            "KC_HOSTNAME", server.environment.variables.get("KC_HOSTNAME_URL", "")
        ),
    )
    told = server.ask(
        action,
        headers=("X-Forwarded-Proto: https", f"Origin: {origin[0] if origin else ''}"),
        cookies="; ".join(f"{name}={value}" for name, value in cookies.items()),
        form={"username": "temp-admin", "password": ADMIN_PASSWORD},
    )
    where = re.search(r"^location: (\S+?)[?#]", told.headers, re.MULTILINE | re.IGNORECASE)
    return told.status, f" to {where[1]}" if where else ""


def _login_page(server: Server) -> Answer:
    """The admin console's login page."""
    variables = server.environment.variables
    admin = variables.get("KC_HOSTNAME_ADMIN", variables.get("KC_HOSTNAME_ADMIN_URL", ""))
    return server.ask(
        "/realms/master/protocol/openid-connect/auth?client_id=security-admin-console&response_type=code"
        f"&scope=openid&redirect_uri={admin}/admin/master/console/&{_CHALLENGE}",
        headers=("X-Forwarded-Proto: https",),
    )


def _login(server: Server) -> tuple[dict[str, str], str]:
    """The cookies and the form's path of the admin console's login page."""
    told = _login_page(server)
    cookies = dict(
        re.findall(r"^set-cookie: ([^=]+)=([^;\r\n]*)", told.headers, re.MULTILINE | re.IGNORECASE)
    )
    action = re.search(r'action="https?://[^/]+(/[^"]*)"', told.body)
    return cookies, action[1].replace("&amp;", "&") if action else ""


def _matching(server: Server, text: str) -> str:
    return next((line.text for line in server.lines if re.search(text, line.text)), "")


def _last(server: Server) -> str:
    lines: list[Line] = server.lines
    return next((line.text for line in reversed(lines) if line.complains), lines[-1].text if lines else "")


def _short(text: str, around: str = "") -> str:
    """The text, or what is around a match in it, in one line of a table."""
    text = re.sub(r"\s+", " ", text).strip()
    if len(text) > 170 and around and (found := re.search(around, text)):
        start = max(0, found.start() - 20)
        text = ("…" if start else "") + text[start : start + 170] + "…"
    return (text if len(text) <= 180 else text[:175] + "…").replace("|", "/")
