"""The administrator: logs in with the bootstrap account, makes a temporary realm, asks for events, cleans
up."""

from __future__ import annotations

import secrets as random
import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

from generator.drilling import answering
from generator.drilling.http import Answer, Client, NoAnswer
from generator.drilling.oidc import REDIRECT, Realm
from generator.drilling.places import Places, Site
from generator.keycloak import facts
from generator.rehearsing.target import Target
from generator.rehearsing.topology import Rule, Topology
from generator.showing.hiding import Secrets

PREFIX = "drill-"
"""How every realm begins that a drill makes."""

_ORDER = ("admin", "inside", "internet")
_LIFE = 45.0
"""Seconds that an access token of the master realm is used; it lives for 60."""
_LONG = 36_000
"""Seconds that the realm's tokens and sessions live: longer than any drill."""
_CROWD = 50
"""Users who may log in at the same time."""
_CHEAP = "hashAlgorithm(pbkdf2-sha512) and hashIterations(100)"
"""How the realm hashes passwords: what is drilled is the cluster, not the processor. The passwords are
random."""

# What stands for the administrator's name and password, newer names first (`bootstrap_admin_variables`).
_NAMES = ("KC_BOOTSTRAP_ADMIN_USERNAME", "KEYCLOAK_ADMIN")
_PASSWORDS = ("KC_BOOTSTRAP_ADMIN_PASSWORD", "KEYCLOAK_ADMIN_PASSWORD")
_DEFAULT_NAME = "temp-admin"
"""The name where only a password is given (measured on 26.0.8 and 26.7.4)."""


@dataclass(frozen=True)
class Try:
    """One way that was tried, and who answered."""

    vantage: str
    method: str
    url: str
    outcome: str
    """`HTTP 404 ""`, or why there was no answer."""
    status: int = 0
    rule: Rule | None = None
    """The listener rule that the template answers it with."""

    @property
    def text(self) -> str:
        """`from the admin network: GET https://sso-admin…/admin/realms: HTTP 404 (rule Closed, line 12)`."""
        where = {
            "internet": "from the internet",
            "admin": "from the admin network",
            "inside": "from inside the VPC",
        }
        rule = ""
        if self.rule is not None:
            line = self.rule.line or self.rule.action.line
            rule = f" ({answering.named(self.rule)}{f', line {line}' if line else ''})"
        return f"{where.get(self.vantage, self.vantage)}: {self.method} {self.url}: {self.outcome}{rule}"


class AdminUnreachable(Exception):
    """Nobody could log in or reach the admin REST API; `tries` says from where it was tried and what
    answered."""

    def __init__(self, message: str, tries: tuple[Try, ...] = (), refused: bool = False):
        self.tries, self.refused = tries, refused
        """`refused`: Keycloak answered, and didn't take the name and the password."""
        super().__init__(message)

    @property
    def passing(self) -> bool:
        """Whether the balancer would have let somebody through and found nobody: that may pass."""
        return any(
            one.status in (0, 502, 503, 504) and (one.rule is None or one.rule.action.kind == "forward")
            for one in self.tries
        )


class Administrator:
    """Calls of the admin REST API, with a token that is renewed as needed. Methods raise AdminUnreachable."""

    def __init__(self, target: Target, places: Places, secrets: Secrets, *,
                 login: tuple[str, str] | None = None, timeout: float = 30.0):
        self._topology: Topology = target.topology
        self._local = target.local
        self._places, self._secrets, self._timeout = places, secrets, timeout
        self._user, self._password = login or _credentials(target)
        secrets.add(self._password)
        self._vantages: dict[Site, str] = {}
        self._token, self._refresh, self._until = "", "", 0.0

    def call(self, method: str, path: str, data: Any = None, *, wanted: tuple[int, ...] = (200, 201, 204),
             extra: tuple[tuple[str, str], ...] = (), patience: float = 0.0) -> Answer:
        """One call; `path` follows /admin/realms. For `patience` seconds, what has no answer or one of the
        balancer's is tried again."""
        until = time.monotonic() + patience
        while True:
            try:
                return self._call(
                    method, f"{self._places.console.base}/admin/realms{path}", data, wanted, extra
                )
            except AdminUnreachable as error:
                if not error.passing or time.monotonic() >= until:
                    raise
            time.sleep(0.5)

    def make_realm(self) -> Realm:
        """A realm with a confidential client and its users. It is removed with `remove`."""
        made = Realm(
            name=PREFIX + random.token_hex(6),
            client="drill",
            secret=random.token_urlsafe(24),
            user="drill",
            password=random.token_urlsafe(24),
            guessed="guessed",
            crowd=tuple(f"client-{number}" for number in range(1, _CROWD + 1)),
        )
        self._secrets.add(made.secret, made.password)
        described = representation(made)
        version = self._places.version
        if self._local and self._places.public.scheme == "https" and version and facts.secure_by_address(version):
            # In a rehearsal no name leads to a public address, as a public host's does on AWS.
            described["sslRequired"] = "all"
        self.call("POST", "", described)
        # The token was made before the realm; only a new one holds its roles.
        self._token = ""
        users = self.call("GET", f"/{made.name}/users?username={made.guessed}&exact=true").json()
        found = users[0]["id"] if isinstance(users, list) and users else ""
        return replace(made, guessed_id=str(found))

    def remove(self, realm: str, patience: float = 60.0) -> None:
        """Removes a realm; a realm that isn't there is removed already."""
        answer = self.call("DELETE", f"/{realm}", wanted=(204, 404), patience=patience)
        if answer.status == 404 and answer.field("error") is None:
            raise AdminUnreachable("the admin REST API isn't reached")

    def leftovers(self) -> list[str]:
        """Names of realms that earlier drills left behind."""
        found = self.call("GET", "?briefRepresentation=true").json()
        names = [str(one.get("realm", "")) for one in found] if isinstance(found, list) else []
        return [name for name in names if name.startswith(PREFIX)]

    def failures(self, realm: Realm, extra: tuple[tuple[str, str], ...] = ()) -> int:
        """Failed logins that a node counts for the guessed user; `extra` may name the node."""
        answer = self.call(
            "GET", f"/{realm.name}/attack-detection/brute-force/users/{realm.guessed_id}", extra=extra
        )
        count = answer.field("numFailures")
        return count if isinstance(count, int) else -1

    def events(self, realm: Realm, kind: str) -> list[dict[str, Any]]:
        """The realm's events of a type, the newest first."""
        found = self.call("GET", f"/{realm.name}/events?type={kind}&max=50").json()
        return [one for one in found if isinstance(one, dict)] if isinstance(found, list) else []

    def bearer(self) -> str:
        """A token of the administrator's, to see who takes it."""
        return self._bearer([])

    def logout(self) -> None:
        """Ends the administrator's own session; nothing happens where there is none."""
        if self._refresh:
            try:
                self._send("POST", self._places.public, self._master("logout"), [],
                           form={"client_id": "admin-cli", "refresh_token": self._refresh})
            except AdminUnreachable:
                return
            finally:
                self._token = self._refresh = ""

    def _call(self, method: str, target: str, data: Any, wanted: tuple[int, ...],
              extra: tuple[tuple[str, str], ...]) -> Answer:
        tries: list[Try] = []
        for _ in range(2):
            headers = (("Authorization", f"Bearer {self._bearer(tries)}"), *extra)
            answer = self._send(method, self._places.console, target, tries, data=data, headers=headers)
            if answer is not None and answer.status in wanted:
                return answer
            if answer is None or answer.status != 401:
                break
            # The session is gone, perhaps with the nodes that held it: log in anew, once.
            self._token = self._refresh = ""
        raise AdminUnreachable("the admin REST API isn't reached", tuple(tries))

    def _bearer(self, tries: list[Try]) -> str:
        if self._token and time.monotonic() < self._until:
            return self._token
        answer = None
        if self._refresh:
            answer = self._send("POST", self._places.public, self._master("token"), tries, form={
                "client_id": "admin-cli", "grant_type": "refresh_token", "refresh_token": self._refresh})
        if answer is None or answer.status != 200:
            answer = self._send("POST", self._places.public, self._master("token"), tries, form={
                "client_id": "admin-cli", "grant_type": "password", "username": self._user,
                "password": self._password})
        token = answer.field("access_token") if answer is not None else None
        if answer is None or answer.status != 200 or not isinstance(token, str):
            refused = answer is not None and answer.field("error") == "invalid_grant"
            raise AdminUnreachable("the administrator isn't let in" if refused
                                   else "the administrator can't log in", tuple(tries), refused)
        self._token, self._refresh = token, str(answer.field("refresh_token") or "")
        self._until = time.monotonic() + _LIFE
        self._secrets.add(self._token, self._refresh)
        return self._token

    def _send(self, method: str, site: Site, target: str, tries: list[Try], **how: Any) -> Answer | None:
        """Asks from the vantage that worked last for this site, else from every one in turn; None unless
        Keycloak answered."""
        known = self._vantages.get(site)
        for vantage in ([known] if known else [name for name in _ORDER if name in self._places.vantages()]):
            door = self._places.door(vantage, site)
            if door is None:
                continue
            rule = answering.rule_of(self._topology, answering.Asked(site.authority, target, door, method))
            url = self._secrets.hide(f"{site.origin}{target}")
            try:
                answer = Client(door, site.authority, self._timeout).ask(method, target, **how)
            except NoAnswer as error:
                tries.append(Try(vantage, method, url, error.kind, 0, rule))
                continue
            tries.append(
                Try(
                    vantage, method, url, f"HTTP {answer.status} {self._snippet(answer)}", answer.status, rule
                )
            )
            if by_keycloak(answer, rule):
                self._vantages[site] = vantage
                return answer
        return None

    def _snippet(self, answer: Answer) -> str:
        text = " ".join(self._secrets.hide(answer.text[:400]).split())
        return f'"{text[:120]}"'

    def _master(self, endpoint: str) -> str:
        return f"{self._places.public.base}/realms/master/protocol/openid-connect/{endpoint}"


def by_keycloak(answer: Answer, rule: Rule | None) -> bool:
    """Whether Keycloak answered, and not the balancer in its place."""
    if answer.status in (502, 503, 504) and answer.json() is None:
        return False
    return rule is None or rule.action.kind == "forward"


def representation(realm: Realm) -> dict[str, Any]:
    """The realm as the admin REST API takes it.

    The client stands in its own tokens' audience: without that, introspection answers `active: false` from
    26.0 on (measured; log: "is not in the token audience").
    """
    def person(name: str) -> dict[str, Any]:
        return {"username": name, "enabled": True, "email": f"{name}@drill.invalid", "emailVerified": True,
                "firstName": "Drill", "lastName": "User", "credentials": [
                    {"type": "password", "value": realm.password, "temporary": False}]}
    return {
        "realm": realm.name,
        "displayName": "Made by a drill; may be deleted",
        "enabled": True,
        "sslRequired": "external",
        "accessTokenLifespan": _LONG,
        "ssoSessionIdleTimeout": _LONG,
        "ssoSessionMaxLifespan": _LONG,
        "accessCodeLifespanLogin": 1800,
        "passwordPolicy": _CHEAP,
        # Guessing is to be counted, and nobody locked out while it is.
        "bruteForceProtected": True,
        "failureFactor": 1000,
        "quickLoginCheckMilliSeconds": 0,
        "eventsEnabled": True,
        "eventsExpiration": _LONG,
        "eventsListeners": [],
        "users": [person(name) for name in (realm.user, realm.guessed, *realm.crowd)],
        "clients": [
            {
                "clientId": realm.client,
                "secret": realm.secret,
                "publicClient": False,
                "directAccessGrantsEnabled": True,
                "standardFlowEnabled": True,
                "redirectUris": [REDIRECT],
                "attributes": {"pkce.code.challenge.method": "S256"},
                "protocolMappers": [
                    {
                        "name": "audience",
                        "protocol": "openid-connect",
                        "protocolMapper": "oidc-audience-mapper",
                        "config": {"included.client.audience": realm.client, "access.token.claim": "true"},
                    }
                ],
            }
        ],
    }


def _credentials(target: Target) -> tuple[str, str]:
    """Name and password of the first administrator. Raises AdminUnreachable where the template gives none."""
    task = target.topology.keycloak
    password = _first(_PASSWORDS, task.variable) or _first(_PASSWORDS, target.secret)
    name = _first(_NAMES, task.variable) or _first(_NAMES, target.secret) or _DEFAULT_NAME
    if not password:
        raise AdminUnreachable("the template gives no administrator's password (KC_BOOTSTRAP_ADMIN_PASSWORD)")
    return name, password


def _first(names: tuple[str, ...], where: Callable[[str], str | None]) -> str | None:
    return next((value for name in names if (value := where(name))), None)
