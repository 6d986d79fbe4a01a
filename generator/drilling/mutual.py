"""Logins by certificate: what the temporary realm needs for them, which certificates are shown, and where."""

from __future__ import annotations

import base64
import hashlib
import json
import os
import tempfile
import urllib.parse
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from generator.drilling import answering
from generator.drilling.admin import Administrator
from generator.drilling.exercise import Exercise
from generator.showing.hiding import Secrets
from generator.drilling.http import Answer, Client
from generator.drilling.oidc import REDIRECT, Realm
from generator.drilling.places import Site
from generator.rehearsing.certificates import Certificate
from generator.rehearsing.target import Door
from generator.rehearsing.topology import Listener, MutualTls

LOGIN = "drill-certificates"
"""The client through which users log in with their certificates."""
APPLICATION = "drill-app"
"""The client that authenticates with a certificate, and the common name in it."""
ORGANIZATION = "Drill"
"""Beside the common name in every certificate of a drill's."""


@dataclass(frozen=True)
class Way:
    """How to get to a listener that asks for certificates."""

    site: Site
    door: Door
    mutual: MutualTls
    listener: Listener

    def client(self, shown: str | None, timeout: float) -> Client:
        """A client that shows the certificate in this file, or none."""
        return Client(replace(self.door, certificate=shown), self.site.authority, timeout)


def ways(exercise: Exercise) -> list[Way]:
    """One way to each listener that asks for certificates, from the first vantage that has a door there."""
    found: dict[tuple[str, str], Way] = {}
    public = exercise.places.public
    order = exercise.places.vantages()
    for door in sorted(exercise.places.doors, key=lambda one: order.index(one.vantage)):
        there = answering.listener_of(exercise.topology, door)
        if there is None or there[1].mutual_tls is None:
            continue
        balancer, listener = there
        host = listener.mutual_tls.host or public.host
        site = Site(door.scheme, host, listener.port, public.base)
        found.setdefault(
            (balancer.logical_id, listener.logical_id), Way(site, door, listener.mutual_tls, listener)
        )
    return list(found.values())


class Wallet:
    """Certificates as files that TLS reads; they are gone with the `wallet` they came from."""

    def __init__(self, folder: Path):
        self._folder, self._number = folder, 0

    def put(self, one: Certificate, *chain: bytes) -> str:
        """Path of a file with the certificate, those that are sent along, and the key."""
        self._number += 1
        path = self._folder / f"{self._number}.pem"
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with os.fdopen(descriptor, "wb") as file:
            file.write(one.certificate + b"".join(chain) + one.key)
        return str(path)


@contextmanager
def wallet() -> Iterator[Wallet]:
    """A wallet for the length of a block."""
    with tempfile.TemporaryDirectory(prefix="cloakform-drill-") as folder:
        yield Wallet(Path(folder))


def thumbprint(one: Certificate) -> str:
    """What a token that is bound to the certificate says of it: `x5t#S256` (RFC 8705, 3.1)."""
    return base64.urlsafe_b64encode(hashlib.sha256(_der(one)).digest()).decode().rstrip("=")


def claims(token: str) -> dict[str, Any]:
    """What an access token says; nothing where it is no JSON Web Token."""
    parts = token.split(".")
    try:
        found = json.loads(base64.urlsafe_b64decode(parts[1] + "=" * (-len(parts[1]) % 4)))
    except (IndexError, ValueError):
        return {}
    return found if isinstance(found, dict) else {}


def _der(one: Certificate) -> bytes:
    lines = one.certificate.decode().strip().splitlines()
    return base64.b64decode("".join(line for line in lines if not line.startswith("-")))


# --- The realm ----------------------------------------------------------------------------------------------


def prepare(administrator: Administrator, realm: Realm, *, verified: bool, revocations: str = "") -> None:
    """Flows and clients for logins by certificate.

    The user is who the certificate's common name says. Where the balancer hasn't `verified` certificates,
    Keycloak is told to look at their authorities itself ("Revalidate Client Certificate"): without that it
    believes whatever it is shown (measured on 24.0.5 and 26.7.4). `revocations` is the name of a revocation list
    in its conf folder that it is told to look at, too; empty for none. Raises AdminUnreachable.
    """
    config = {
        "x509-cert-auth.mapping-source-selection": "Subject's Common Name",
        "x509-cert-auth.mapper-selection": "Username or Email",
        "x509-cert-auth.timestamp-validation-enabled": "true",
        "x509-cert-auth.revalidate-certificate-enabled": "false" if verified else "true",
        "x509-cert-auth.crl-checking-enabled": "true" if revocations else "false",
        "x509-cert-auth.crl-relative-path": revocations,
        # Its form would be sent to the public host, where no certificate is asked for.
        "x509-cert-auth.confirmation-page-disallowed": "true",
    }
    flows = {
        binding: _flow(administrator, realm, f"drill {binding}", provider, config)
        for binding, provider in (
            ("direct_grant", "direct-grant-auth-x509-username"),
            ("browser", "auth-x509-client-username-form"),
        )
    }
    administrator.call(
        "POST",
        f"/{realm.name}/clients",
        {
            "clientId": LOGIN,
            "publicClient": True,
            "directAccessGrantsEnabled": True,
            "standardFlowEnabled": True,
            "redirectUris": [REDIRECT],
            "attributes": {"pkce.code.challenge.method": "S256"},
            "authenticationFlowBindingOverrides": flows,
        },
    )
    administrator.call(
        "POST",
        f"/{realm.name}/clients",
        {
            "clientId": APPLICATION,
            "publicClient": False,
            "clientAuthenticatorType": "client-x509",
            "directAccessGrantsEnabled": True,
            "standardFlowEnabled": False,
            "serviceAccountsEnabled": True,
            "attributes": {
                "x509.subjectdn": f"CN={APPLICATION},O={ORGANIZATION}",
                "x509.allow.regex.pattern.comparison": "false",
                "tls.client.certificate.bound.access.tokens": "true",
            },
        },
    )


@contextmanager
def frontend(administrator: Administrator, realm: Realm, url: str) -> Iterator[None]:
    """While it lasts, `url` is the realm's "Frontend URL": its pages and its issuer are there. Raises
    AdminUnreachable."""
    attributes = administrator.call("GET", f"/{realm.name}").json().get("attributes") or {}

    def tell(frontend_url: str) -> None:
        # Keycloak takes away what isn't among the attributes.
        administrator.call("PUT", f"/{realm.name}", {"attributes": {**attributes, "frontendUrl": frontend_url}})

    tell(url)
    try:
        yield
    finally:
        tell("")


def _flow(
    administrator: Administrator, realm: Realm, alias: str, provider: str, config: dict[str, str]
) -> str:
    """Makes a flow of one step that has to be passed; its id."""
    flows, quoted = f"/{realm.name}/authentication/flows", urllib.parse.quote(alias)
    administrator.call(
        "POST", flows, {"alias": alias, "providerId": "basic-flow", "topLevel": True, "builtIn": False}
    )
    administrator.call("POST", f"{flows}/{quoted}/executions/execution", {"provider": provider})
    execution = administrator.call("GET", f"{flows}/{quoted}/executions").json()[0]
    administrator.call(
        "PUT",
        f"{flows}/{quoted}/executions",
        {**execution, "requirement": "REQUIRED"},
        wanted=(200, 202, 204),
    )
    administrator.call(
        "POST",
        f"/{realm.name}/authentication/executions/{execution['id']}/config",
        {"alias": alias, "config": config},
    )
    found = administrator.call("GET", flows).json()
    return next(str(one["id"]) for one in found if one.get("alias") == alias)


# --- What is asked ------------------------------------------------------------------------------------------


def direct_grant(
    client: Client, base: str, realm: Realm, secrets: Secrets, *, headers: tuple[tuple[str, str], ...] = ()
) -> Answer:
    """A user's login by the certificate alone. Raises NoAnswer."""
    return _hidden(
        secrets,
        client.post(
            _endpoint(base, realm, "token"),
            {"client_id": LOGIN, "grant_type": "password", "scope": "openid", "username": realm.user},
            headers=headers,
        ),
    )


def credentials(client: Client, base: str, realm: Realm, secrets: Secrets) -> Answer:
    """A token of the client's own. Raises NoAnswer."""
    return _hidden(
        secrets,
        client.post(
            _endpoint(base, realm, "token"), {"client_id": APPLICATION, "grant_type": "client_credentials"}
        ),
    )


def bound(client: Client, base: str, realm: Realm, secrets: Secrets) -> Answer:
    """A token of the user's for the client that authenticates with a certificate. Raises NoAnswer."""
    return _hidden(
        secrets,
        client.post(
            _endpoint(base, realm, "token"),
            {
                "client_id": APPLICATION,
                "grant_type": "password",
                "scope": "openid",
                "username": realm.user,
                "password": realm.password,
            },
        ),
    )


def userinfo(client: Client, base: str, realm: Realm, token: str) -> Answer:
    """What somebody with an access token is told of its user. Raises NoAnswer."""
    return client.get(_endpoint(base, realm, "userinfo"), headers=(("Authorization", f"Bearer {token}"),))


def token_of(answer: Answer | None) -> str:
    """The access token of an answer; empty where it holds none."""
    found = answer.field("access_token") if answer is not None and answer.status == 200 else None
    return found if isinstance(found, str) else ""


def _endpoint(base: str, realm: Realm, name: str) -> str:
    return f"{base}/realms/{realm.name}/protocol/openid-connect/{name}"


def _hidden(secrets: Secrets, answer: Answer) -> Answer:
    for name in ("access_token", "refresh_token", "id_token"):
        value = answer.field(name)
        secrets.add(value if isinstance(value, str) else None)
    return answer


# --- What is made up ----------------------------------------------------------------------------------------

_NAMES = (
    # What an Application Load Balancer calls them, what Keycloak's lookup providers read where nobody says
    # otherwise (haproxy, apache, nginx, envoy, rfc9440, traefik), and what their guides' examples call them.
    "X-Amzn-Mtls-Clientcert",
    "X-Amzn-Mtls-Clientcert-Leaf",
    "x_amzn_mtls_clientcert_leaf",
    "X-Amzn-Mtls_Clientcert-Leaf",
    "SSL_CLIENT_CERT",
    "ssl-client-cert",
    "Ssl-Client_Cert",
    "X-SSL-Client-Cert",
    "SSL_CLIENT_CERT_CHAIN_0",
    "CERT_CHAIN_0",
    "null_0",
    "CLIENT_CERT",
    "Client-Cert",
    "Client-Cert-Chain",
    "X-Client-Cert",
    "X-Forwarded-Client-Cert",
    "X-Forwarded-Tls-Client-Cert",
    "X-Forwarded-Ssl-Client-Cert",
)
_VERDICTS = (("ssl-client-verify", "SUCCESS"), ("X-SSL-Client-Verify", "SUCCESS"))
"""What a proxy says of a certificate that it verified."""


@dataclass(frozen=True)
class Forgery:
    """Headers that a client makes up to be taken for somebody."""

    name: str
    headers: tuple[tuple[str, str], ...]


def forgeries(one: Certificate, own: tuple[str, ...] = ()) -> list[Forgery]:
    """Every way to write a certificate into a header that somebody could read; `own` are names of headers
    that the template tells Keycloak to read."""
    pem = one.certificate.decode()
    bare = base64.b64encode(_der(one)).decode()
    safe, whole = urllib.parse.quote(pem, safe="+=/"), urllib.parse.quote(pem, safe="")
    kinds = {
        "base64": bare,
        "PEM, percent signs": whole,
        "PEM as the balancer writes it": safe,
        "RFC 9440": f":{bare}:",
        "Envoy": f'Cert="{whole}"',
        "PEM in one line": pem.replace("\n", " ").strip(),
    }
    names = list(dict.fromkeys([*(spelt for name in own for spelt in _spellings(name)), *_NAMES]))
    found = [
        Forgery(f"{name} ({kind})", ((name, value), *_VERDICTS))
        for name in names
        for kind, value in kinds.items()
    ]
    for name in names:
        found.append(Forgery(f"{name} twice", ((name, ""), (name, bare), (name, whole))))
    return found


def oddities(own: tuple[str, ...] = ()) -> list[Forgery]:
    """Values that are no certificate, and that nobody should stumble over."""
    values = {
        "nothing": "",
        "a broken PEM": "-----BEGIN%20CERTIFICATE-----%0AMIIB%0A-----END%20CERTIFICATE-----%0A",
        "half a percent sign": "%%%zz",
        "a quote": 'Cert="',
        "15,000 letters": "A" * 15_000,
    }
    return [
        Forgery(f"{name} ({kind})", ((name, value),))
        for name in dict.fromkeys(
            (*own, "X-Amzn-Mtls-Clientcert", "X-Amzn-Mtls-Clientcert-Leaf", "ssl-client-cert")
        )
        for kind, value in values.items()
    ]


def _spellings(name: str) -> tuple[str, ...]:
    return name, name.upper(), name.lower(), name.replace("-", "_"), name.replace("_", "-")
