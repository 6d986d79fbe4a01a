"""As much of Keycloak as a client of one realm needs, to test the client: an administrator's login, a realm
that is made and deleted, tokens, refreshes, introspection, a login form, sessions that end, failed logins
that are counted.

It keeps its state in itself, as a cluster of one. What a real Keycloak answers is the cluster tests'
business.
"""

from __future__ import annotations

import base64
import hashlib
import itertools
import json
import threading
import time
import urllib.parse

from tests.drilling.servers import ADMIN, PUBLIC, Request, answer, jsonic
from tests.drilling.targets import PASSWORD


class Little:
    """A handler for `Server`."""

    def __init__(self, *, admin_closed: bool = False, stranger: str = "198.51.100.7",
                 names: tuple[str, str] = (PUBLIC, ADMIN)):
        self.realms: dict[str, dict] = {}
        self.deleted: list[str] = []
        self.codes: dict[str, str] = {}
        self.live: set[str] = set()
        self.refresh: dict[str, str] = {}
        self.failures = 0
        self.under_way: set[str] = set()
        self.ends: list[str] = []
        self.admin_sessions: set[str] = set()
        self._admin_closed, self._stranger = admin_closed, stranger
        self._name, self._admin_name = names
        self._numbers = itertools.count(1)
        self._lock = threading.Lock()
        self.fail = 0
        """How many of the next token requests get a 502 of the balancer's."""
        self.documents = 0
        """The same for discovery documents."""

    def __call__(self, raw: bytes) -> bytes:
        request = Request(raw)
        with self._lock:
            host = request.header("Host").split(":")[0]
            if host == self._admin_name:
                return self._admin(request)
            if host != self._name:
                return answer(404)
            return self._public(request)

    def _admin(self, request: Request) -> bytes:
        if self._admin_closed or not request.path.startswith("/admin/"):
            return answer(404)
        if not request.header("Authorization").startswith("Bearer eyJadmin"):
            return jsonic(401, {"error": "HTTP 401 Unauthorized"})
        names = request.path.removeprefix("/admin/realms").strip("/").split("/")
        if request.method == "POST" and names == [""]:
            made = json.loads(request.body)
            self.realms[made["realm"]] = made
            return answer(201)
        if names == [""]:
            return jsonic(200, [{"realm": "master"}, *({"realm": name} for name in self.realms)])
        if request.method == "DELETE":
            if self.realms.pop(names[0], None) is None:
                return jsonic(404, {"error": "Realm not found."})
            self.deleted.append(names[0])
            return answer(204)
        if names[1:] == ["users"]:
            return jsonic(200, [{"id": "42", "username": request.query["username"]}])
        if names[1:2] == ["attack-detection"]:
            return jsonic(200, {"numFailures": self.failures})
        if names[1:] == ["events"]:
            return jsonic(200, [{"type": "LOGIN_ERROR", "ipAddress": self._stranger}] * self.failures)
        return jsonic(200, {"realm": names[0], "accessTokenLifespan": 300})

    def _public(self, request: Request) -> bytes:
        parts = request.path.split("/")
        if len(parts) < 4 or parts[1] != "realms":
            return answer(404)
        realm, endpoint = parts[2], "/".join(parts[3:])
        if realm != "master" and realm not in self.realms:
            return jsonic(404, {"error": "Realm does not exist"})
        base = f"https://{self._name}/realms/{realm}"
        if endpoint == ".well-known/openid-configuration":
            if self.documents:
                self.documents -= 1
                return answer(502, "<html>Bad Gateway</html>", kind="text/html")
            return jsonic(200, {"issuer": base, "token_endpoint": f"{base}/protocol/openid-connect/token"},
                          "Set-Cookie: AWSALB=keycloak-1; path=/")
        name = endpoint.removeprefix("protocol/openid-connect/")
        if name == "token" and self.fail:
            self.fail -= 1
            return answer(502, "<html>Bad Gateway</html>", kind="text/html")
        if realm == "master":
            return self._master(name, request)
        return {
            "token": self._token,
            "token/introspect": self._introspect,
            "logout": self._logout,
            "auth": self._page,
            "login": self._submit,
        }.get(name, lambda _: answer(404))(request)

    def _master(self, name: str, request: Request) -> bytes:
        form = request.form
        if name == "logout":
            self.admin_sessions.discard(form["refresh_token"])
            return answer(204)
        if form.get("grant_type") == "password" and form.get("password") != PASSWORD:
            return jsonic(401, {"error": "invalid_grant"})
        number = next(self._numbers)
        self.admin_sessions.add(f"admin-refresh-{number}")
        self.admin_sessions.discard(form.get("refresh_token", ""))
        return jsonic(200, {"access_token": f"eyJadmin{number}", "refresh_token": f"admin-refresh-{number}"})

    def _tokens(self) -> bytes:
        number = next(self._numbers)
        self.live.add(f"eyJuser-{number:06d}")
        self.refresh[f"refresh-{number:06d}"] = f"eyJuser-{number:06d}"
        return jsonic(200, {"access_token": f"eyJuser-{number:06d}", "refresh_token": f"refresh-{number:06d}",
                            "id_token": f"eyJid-{number:06d}"}, "Set-Cookie: AWSALB=keycloak-1; path=/")

    def _token(self, request: Request) -> bytes:
        form = request.form
        if form["grant_type"] == "password":
            user = next(
                one
                for one in next(iter(self.realms.values()))["users"]
                if one["username"] == form["username"]
            )
            if form["password"] != user["credentials"][0]["value"]:
                self.failures += 1
                return jsonic(401, {"error": "invalid_grant"})
            # As DefaultBlockingBruteForceProtector has it: one login of a user at a time.
            if form["username"] in self.under_way:
                return jsonic(400, {"error": "invalid_grant"})
            self.under_way.add(form["username"])
            time.sleep(0.05)
            self.under_way.discard(form["username"])
            return self._tokens()
        if form["grant_type"] == "authorization_code":
            digest = hashlib.sha256(form["code_verifier"].encode()).digest()
            challenge = base64.urlsafe_b64encode(digest).decode().rstrip("=")
            if self.codes.pop(form["code"], "") != challenge:
                return jsonic(400, {"error": "invalid_grant"})
            return self._tokens()
        access = self.refresh.get(form["refresh_token"])
        return self._tokens() if access in self.live else jsonic(400, {"error": "invalid_grant"})

    def _introspect(self, request: Request) -> bytes:
        return jsonic(200, {"active": request.form["token"] in self.live})

    def _logout(self, request: Request) -> bytes:
        self.live.clear()
        return answer(204)

    def _page(self, request: Request) -> bytes:
        if "KEYCLOAK_IDENTITY=me" in request.header("Cookie"):
            return self._sent_back(request.query["code_challenge"], request.query.get("state", ""))
        query = urllib.parse.urlencode(
            {"challenge": request.query["code_challenge"], "state": request.query.get("state", "")}
        )
        action = f"https://{self._name}{request.path.removesuffix('auth')}login?{query}".replace("&", "&amp;")
        return answer(
            200,
            f'<title>Sign in</title><link href="/resources/abc/login.css"><form id="kc-form-login" '
            f'action="{action}"></form>',
            "Set-Cookie: AUTH_SESSION_ID=session; Path=/; Secure; HttpOnly",
            "Set-Cookie: KC_RESTART=; Path=/; Max-Age=0",
            kind="text/html",
        )

    def _submit(self, request: Request) -> bytes:
        if "AUTH_SESSION_ID=session" not in request.header("Cookie"):
            return answer(400, "<title>Restart login cookie not found</title>", kind="text/html")
        return self._sent_back(request.query["challenge"], request.query["state"],
                               "Set-Cookie: KEYCLOAK_IDENTITY=me; Path=/; Secure; HttpOnly")

    def _sent_back(self, challenge: str, state: str, *headers: str) -> bytes:
        code = f"code-{next(self._numbers):06d}"
        self.codes[code] = challenge
        return answer(
            302, "", f"Location: https://drill.invalid/callback?state={state}&code={code}", *headers
        )
