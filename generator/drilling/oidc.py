"""What clients of Keycloak do: tokens, refreshes, introspection, and a login as a browser does it."""

from __future__ import annotations

import base64
import hashlib
import secrets as random
import urllib.parse
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from html.parser import HTMLParser
from http.cookiejar import CookieJar

from generator.showing.hiding import Secrets
from generator.drilling.http import Answer, Client
from generator.drilling.probes import Failed

REDIRECT = "https://drill.invalid/callback"
"""Where the browser is sent with its code; nobody goes there (RFC 2606: `.invalid` is no name)."""


@dataclass(frozen=True)
class Realm:
    """The temporary realm and what is in it."""

    name: str
    client: str
    secret: str = field(repr=False)
    user: str
    password: str = field(repr=False)
    guessed: str
    """A second user, whose password the drill gets wrong."""
    guessed_id: str = ""
    crowd: tuple[str, ...] = ()
    """More users with the same password, for a load. One at a time logs in as each of them: where brute force
    detection is on, Keycloak refuses a login while another of the same user is under way (from 25.0 on,
    DefaultBlockingBruteForceProtector; measured on 26.7.4: `invalid_grant`)."""


@dataclass(frozen=True)
class Tokens:
    """What a login gives."""

    access: str = field(repr=False)
    refresh: str = field(repr=False)
    identity: str = field(default="", repr=False)


class Party:
    """The realm's client, asking Keycloak's endpoints directly. Raises NoAnswer, or Failed with what came
    instead."""

    def __init__(self, client: Client, base: str, realm: Realm, secrets: Secrets):
        self.client, self.realm = client, realm
        self._secrets = secrets
        self._endpoint = f"{base}/realms/{realm.name}/protocol/openid-connect"
        self._self = {"client_id": realm.client, "client_secret": realm.secret}

    def token(self, user: str = "", password: str | None = None) -> Tokens:
        """Tokens for a user's password (direct grant), the realm's user by default."""
        return self._tokens({"grant_type": "password", "scope": "openid", "username": user or self.realm.user,
                             "password": self.realm.password if password is None else password})

    def refreshed(self, tokens: Tokens) -> Tokens:
        """New tokens for a refresh token."""
        return self._tokens({"grant_type": "refresh_token", "refresh_token": tokens.refresh})

    def exchanged(self, code: str, verifier: str) -> Tokens:
        """Tokens for a code."""
        return self._tokens({"grant_type": "authorization_code", "code": code, "redirect_uri": REDIRECT,
                             "code_verifier": verifier})

    def introspect(self, tokens: Tokens) -> bool:
        """Whether Keycloak calls an access token active."""
        answer = self.client.post(
            f"{self._endpoint}/token/introspect", {**self._self, "token": tokens.access}
        )
        active = answer.field("active")
        if answer.status != 200 or not isinstance(active, bool):
            raise Failed(answer.error)
        return active

    def check(self, tokens: Tokens) -> None:
        """Raises Failed unless the access token is active."""
        if not self.introspect(tokens):
            raise Failed("active: false")

    def document(self) -> Answer:
        """The realm's discovery document."""
        base = self._endpoint.rsplit("/protocol", 1)[0]
        answer = self.client.get(f"{base}/.well-known/openid-configuration")
        if answer.status != 200 or answer.field("issuer") is None:
            raise Failed(answer.error)
        return answer

    def end(self, tokens: Tokens) -> None:
        """Ends the session of a refresh token."""
        answer = self.client.post(f"{self._endpoint}/logout", {**self._self, "refresh_token": tokens.refresh})
        if answer.status not in (200, 204):
            raise Failed(answer.error)

    def _tokens(self, form: dict[str, str]) -> Tokens:
        answer = self.client.post(f"{self._endpoint}/token", {**self._self, **form})
        access = answer.field("access_token")
        if answer.status != 200 or not isinstance(access, str):
            raise Failed(answer.error)
        tokens = Tokens(access, str(answer.field("refresh_token") or ""), str(answer.field("id_token") or ""))
        self._secrets.add(tokens.access, tokens.refresh, tokens.identity)
        return tokens


@dataclass(frozen=True)
class LoginForm:
    """A login page that waits for a password."""

    action: str = field(repr=False)
    """Absolute URL."""
    verifier: str = field(repr=False)
    state: str = field(repr=False)
    page: Answer


class Browser:
    """A browser at the login page: keeps cookies, goes where it is sent within Keycloak's own host. Raises
    NoAnswer, or Failed with what came instead."""

    def __init__(self, client: Client, base: str, realm: Realm, secrets: Secrets, user: str = ""):
        self.jar = CookieJar()
        self.client = replace(client, jar=self.jar)
        self.user = user or realm.user
        self.realm, self._base, self._secrets = realm, base, secrets
        self.answers: list[Answer] = []
        """Everything that came back, in order."""

    def open(self) -> LoginForm | str:
        """Asks for a login: the form to fill in, or the code at once where the browser is still logged in."""
        verifier, state = random.token_urlsafe(48), random.token_urlsafe(16)
        self._secrets.add(verifier, state)
        challenge = base64.urlsafe_b64encode(hashlib.sha256(verifier.encode()).digest()).decode().rstrip("=")
        query = urllib.parse.urlencode(
            {
                "client_id": self.realm.client,
                "redirect_uri": REDIRECT,
                "response_type": "code",
                "scope": "openid",
                "state": state,
                "code_challenge": challenge,
                "code_challenge_method": "S256",
            }
        )
        answer = self._get(f"{self._base}/realms/{self.realm.name}/protocol/openid-connect/auth?{query}")
        self.verifier = verifier
        if answer.status in (302, 303):
            return self._code(answer)
        action = login_action(answer.text)
        if answer.status != 200 or not action:
            raise Failed(f"no login form ({answer.error})")
        return LoginForm(action, verifier, state, answer)

    def submit(self, form: LoginForm) -> str:
        """Fills in the form; the code that it gives."""
        target = urllib.parse.urlsplit(form.action)
        answer = self._keep(self.client.post(f"{target.path}?{target.query}",
                                             {"username": self.user, "password": self.realm.password,
                                              "credentialId": ""}))
        if answer.status not in (302, 303):
            raise Failed(f"login refused ({answer.error}{said(answer)})")
        return self._code(answer)

    def _get(self, target: str) -> Answer:
        return self._keep(self.client.get(target))

    def _keep(self, answer: Answer) -> Answer:
        self.answers.append(answer)
        return answer

    def _code(self, answer: Answer) -> str:
        location = answer.header("Location")
        codes = urllib.parse.parse_qs(urllib.parse.urlsplit(location).query).get("code", [])
        if not location.startswith(REDIRECT) or not codes:
            raise Failed(f"sent to {self._secrets.hide(location.split('?')[0])} instead of back")
        self._secrets.add(codes[0])
        return codes[0]


def login(party: Party, browser: Browser) -> Tokens:
    """A whole login, from the page to the tokens."""
    form = browser.open()
    code = browser.submit(form) if isinstance(form, LoginForm) else form
    return party.exchanged(code, form.verifier if isinstance(form, LoginForm) else browser.verifier)


class _Page(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.action = self.title = ""
        self._in_title = False

    def handle_starttag(self, tag: str, attrs: Sequence[tuple[str, str | None]]) -> None:
        given = dict(attrs)
        if tag == "form" and not self.action and given.get("id") == "kc-form-login":
            self.action = given.get("action") or ""
        self._in_title = tag == "title"

    def handle_endtag(self, tag: str) -> None:
        self._in_title = False

    def handle_data(self, data: str) -> None:
        if self._in_title:
            self.title += data


def login_action(page: str) -> str:
    """Where Keycloak's login form is to be sent; empty where the page has none."""
    return _parsed(page).action


def said(answer: Answer) -> str:
    """`: Sign in to drill` for a page with a title, to tell one refusal from another; else nothing."""
    if "html" not in answer.header("Content-Type"):
        return ""
    title = " ".join(_parsed(answer.text).title.split())
    return f": {title[:80]}" if title else ""


def _parsed(page: str) -> _Page:
    parser = _Page()
    parser.feed(page)
    parser.close()
    return parser
