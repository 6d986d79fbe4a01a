"""Logins by certificate: the certificates step against servers that let the wrong ones in, one thing at a
time."""

from __future__ import annotations

import base64
import json
import socket
import ssl
from dataclasses import replace
from pathlib import Path

import pytest

from generator.drilling import mutual
from generator.drilling.promises import BROKEN, KEPT, NOT_RUN
from generator.drilling.run import drill
from generator.rehearsing import certificates
from generator.rehearsing.certificates import Clients
from generator.rehearsing.topology import Listener, MutualTls, Permission
from tests.drilling.little import Little
from tests.drilling.servers import PUBLIC, Request, Server, answer, jsonic, serving
from tests.drilling.targets import DEV, Stand
from tests.drilling.test_exposure import KNOBS
from tests.rehearsing.topologies import FORWARD, rule

HOST = "certs.example.com"
SHOWN = "Test-Certificate"
"""Header in which the server tells its handler of the certificate that it took in the handshake."""


def asking(mode: str = "verify", **how) -> object:
    """DEV with a listener for certificates."""
    listener = Listener(
        "MutualTlsListener",
        "HTTPS",
        8443,
        (rule("MutualTlsListener", None, FORWARD),),
        MutualTls(mode, "TrustStore", 420, host=HOST, **{"revocation": True, **how}),
        418,
    )
    balancer = DEV.balancers[0]
    return replace(DEV, balancers=(replace(balancer, listeners=(*balancer.listeners, listener)),))


class Asking(Server):
    """A listener that asks for certificates, and tells the handler of the one it took."""

    def __init__(
        self, handler, folder: Path, clients: Clients, *, demanded: bool = True, revocation: bool = True
    ):
        self._clients, self._demanded, self._revocation = clients, demanded, revocation
        super().__init__(handler, folder, (HOST, PUBLIC))

    def _tls(self, folder, names):
        context = super()._tls(folder, names)
        context.verify_mode = ssl.CERT_REQUIRED if self._demanded else ssl.CERT_OPTIONAL
        context.load_verify_locations(cadata=self._clients.authority.certificate.decode())
        if self._revocation:
            (folder / "revoked.pem").write_bytes(self._clients.revocations)
            context.load_verify_locations(folder / "revoked.pem")
            context.verify_flags |= ssl.VERIFY_CRL_CHECK_LEAF
        return context

    def _wrapped(self, connection: socket.socket):
        stream = super()._wrapped(connection)
        return _Told(stream, stream.getpeercert(binary_form=True))


class _Told:
    """A connection whose first bytes tell of the certificate, as a proxy beside Keycloak writes it."""

    def __init__(self, stream: ssl.SSLSocket, taken: bytes | None):
        self._stream, self._taken = stream, taken

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self._stream.close()

    def recv(self, size: int) -> bytes:
        data = self._stream.recv(size)
        if self._taken and b"\r\n" in data:
            first, rest = data.split(b"\r\n", 1)
            data = first + f"\r\n{SHOWN}: {base64.b64encode(self._taken).decode()}\r\n".encode() + rest
            self._taken = None
        return data

    def sendall(self, data: bytes) -> None:
        self._stream.sendall(data)


def subject(der: str) -> str:
    """The common name in a certificate."""
    from cryptography import x509
    from cryptography.x509.oid import NameOID

    found = x509.load_der_x509_certificate(base64.b64decode(der)).subject
    return str(found.get_attributes_for_oid(NameOID.COMMON_NAME)[0].value)


def number(der: str) -> int:
    """The number of a certificate."""
    from cryptography import x509

    return x509.load_der_x509_certificate(base64.b64decode(der)).serial_number


def thumbprint(der: str) -> str:
    """A certificate's, as a token has it."""
    pem = f"-----BEGIN CERTIFICATE-----\n{der}\n-----END CERTIFICATE-----\n"
    return mutual.thumbprint(certificates.Certificate(pem.encode(), b""))


class Certified(Little):
    """Knows users and a client by their certificates."""

    flows: tuple[str, ...] = ()
    clients_off = False
    fronts: tuple[str, ...] = ()
    """Every Frontend URL that a realm got."""

    def shown(self, request: Request) -> str:
        """The certificate that this request counts as having."""
        return request.header(SHOWN)

    def __call__(self, raw: bytes) -> bytes:
        request = Request(raw)
        if request.header("Host").split(":")[0] == HOST:
            with self._lock:
                return self._public(request)
        return super().__call__(raw)

    def _admin(self, request):
        parts = request.path.split("/")
        if "authentication" in parts or parts[-1] == "clients":
            made = json.loads(request.body) if request.body else {}
            if parts[-1] == "flows" and request.method == "POST":
                self.flows = (*self.flows, made["alias"])
                return answer(201)
            if parts[-1] == "flows":
                return jsonic(200, [{"id": f"id of {name}", "alias": name} for name in self.flows])
            if request.method == "GET":
                return jsonic(200, [{"id": "execution", "requirement": "DISABLED"}])
            return answer(202 if request.method == "PUT" else 201)
        if request.method == "PUT":
            self.fronts = (*self.fronts, json.loads(request.body)["attributes"]["frontendUrl"])
            return answer(204)
        return super()._admin(request)

    def issuer(self, realm: str) -> str:
        """Where a realm's pages are."""
        front = self.fronts[-1] if self.fronts else ""
        return f"{front or f'https://{PUBLIC}'}/realms/{realm}"

    def _public(self, request):
        if request.path.endswith("/userinfo"):
            token = mutual.claims(request.header("Authorization").removeprefix("Bearer "))
            return jsonic(200 if self.entitled(token, self.shown(request)) else 401, {})
        if request.path.endswith("/.well-known/openid-configuration") and self.fronts:
            pages = self.issuer(request.path.split("/")[2])
            return jsonic(200, {"issuer": pages, "authorization_endpoint": f"{pages}/protocol/openid-connect/auth"})
        return super()._public(request)

    def entitled(self, token: dict, shown: str) -> bool:
        """Whether a bound token is worth something to somebody with this certificate."""
        return bool(shown) and token["cnf"]["x5t#S256"] == thumbprint(shown)

    def minted(self, user: str, shown: str, realm: str) -> bytes:
        """A token that is bound to a certificate."""
        body = {
            "preferred_username": user,
            "iss": self.issuer(realm),
            "cnf": {"x5t#S256": thumbprint(shown)},
        }
        text = base64.urlsafe_b64encode(json.dumps(body).encode()).decode().rstrip("=")
        return jsonic(200, {"access_token": f"eyJhbGciOiJub25lIn0.{text}.x"})

    def _token(self, request):
        form, realm, shown = request.form, request.path.split("/")[2], self.shown(request)
        name = subject(shown) if shown else ""
        if form["client_id"] == mutual.APPLICATION:
            if name != mutual.APPLICATION or self.clients_off:
                return jsonic(401, {"error": "invalid_client"})
            return self.minted(form.get("username", "service-account"), shown, realm)
        if form["client_id"] == mutual.LOGIN and form["grant_type"] == "password":
            known = [one["username"] for one in self.realms[realm]["users"]]
            if name not in known:
                return jsonic(
                    401, {"error": "invalid_request", "error_description": "certificate is missing"}
                )
            return self.minted(name, shown, realm)
        given = super()._token(request)
        good = form["grant_type"] == "authorization_code" and b" 200 " in given[:20]
        return self.minted(name, shown, realm) if shown and good else given

    def _page(self, request):
        if request.query["client_id"] == mutual.LOGIN:
            if not self.shown(request):
                return answer(400, "<title>We are sorry</title>", kind="text/html")
            return self._sent_back(request.query["code_challenge"], request.query["state"])
        return super()._page(request)


class Signing(Stand):
    """A target with a listener for certificates, for which somebody can sign or nobody."""

    signing: Clients | None = None
    asked = None
    reached: dict[int, bool] | None = {7800: True}
    """Ports of a task that another gets at, all others are shut; None where nobody can try."""

    def doors(self):
        door = replace(self.asked.door("internet"), listener_port=8443, certificate=self.own)
        return [*super().doors(), door]

    def clients(self):
        return self.signing

    def reaches(self, task, other, port):
        return None if self.reached is None else self.reached.get(port, False)


@pytest.fixture(scope="module")
def clients():
    return certificates.clients("test")


@pytest.fixture
def certified(tmp_path, clients):
    """Runs the certificates step against such a server; name of each promise to the promise."""

    def run(little=None, topology=None, *, signed=True, reached=Signing.reached, **how):
        little = little or Certified()
        # Folders of its own for each run: a client keeps the authorities that it once read from a file.
        folder = tmp_path / f"run-{len(list(tmp_path.iterdir()))}"
        for name in ("public", "asking"):
            (folder / name).mkdir(parents=True)
        (folder / "door.pem").write_bytes(clients.door.certificate + clients.door.key)
        asked = Asking(little, folder / "asking", clients, **how)
        try:
            with serving(little, folder / "public") as public:
                stand = Signing(topology or asking(), {"internet": public, "admin": public})
                stand.asked, stand.own = asked, str(folder / "door.pem") if signed else None
                stand.signing, stand.reached = clients if signed else None, reached
                found = drill(stand, steps=["certificates"], knobs=KNOBS, sleep=lambda _: None)
        finally:
            asked.close()
        return {one.name.split(".")[1]: one for one in found.promises if one.name.startswith("certificates.")}

    return run


def verdicts(found):
    """Which promises are broken, and which weren't tried."""
    return (
        {name for name, one in found.items() if one.verdict == BROKEN},
        {name for name, one in found.items() if one.verdict == NOT_RUN},
    )


def test_a_sound_environment_keeps_every_promise(certified):
    """Who should gets in, nobody else does, and it was tried with more than a hundred made-up headers."""
    found = certified()
    assert [
        f"{name}: {one.verdict} {one.reason} {one.evidence}"
        for name, one in found.items()
        if one.verdict != KEPT
    ] == []
    assert found["forged"].figures[0].value >= 100
    assert all(one.evidence for one in found.values())


def test_an_environment_without_such_a_listener_hears_nothing_of_it(tmp_path):
    """The step is left out of a whole drill, and says why where it is asked for."""
    with serving(Little(), tmp_path) as server:
        stand = Stand(DEV, {"internet": server, "admin": server})
        asked = drill(stand, steps=["certificates"], knobs=KNOBS, sleep=lambda _: None)
        assert {one.verdict for one in asked.promises if one.name.startswith("certificates.")} == {NOT_RUN}
        assert "no listener of the template asks for certificates" in asked.steps[1].promises[0].reason
    assert certificates_step().absent(DEV) and not certificates_step().absent(asking())


def certificates_step():
    from generator.drilling.steps.certificates import STEP

    return STEP


class Believing(Certified):
    """Reads a header that nobody takes from clients."""

    def shown(self, request):
        sent = request.header("Ssl-Client-Cert")
        try:
            return sent if sent and subject(sent) else super().shown(request)
        except ValueError:
            return super().shown(request)


def test_a_header_that_is_believed_is_found_at_every_listener(certified):
    """Which header, in which form, where; and the variable that makes Keycloak read it."""
    topology = asking()
    keycloak = replace(
        topology.keycloak,
        environment=(
            *topology.keycloak.environment,
            ("KC_SPI_X509CERT_LOOKUP__PROVIDER", "haproxy"),
            ("KC_SPI_X509CERT_LOOKUP__HAPROXY__SSL_CLIENT_CERT", "ssl-client-cert"),
        ),
    )
    keycloak = replace(
        keycloak, lines=(*keycloak.lines, ("KC_SPI_X509CERT_LOOKUP__HAPROXY__SSL_CLIENT_CERT", 808))
    )
    topology = replace(topology, task=replace(topology.task, containers=(keycloak,)))
    found = certified(Believing(), topology)["forged"]
    assert found.verdict == BROKEN
    assert any("ssl-client-cert (base64) at sso.example.com" in line for line in found.evidence)
    assert any(f"at {HOST}:8443" in line for line in found.evidence)
    assert found.causes[0].line == 808 and "ssl-client-cert" in found.causes[0].text


class Stumbling(Certified):
    """Breaks on a header that can't be decoded."""

    def shown(self, request):
        if "%%" in request.header("ssl-client-cert"):
            raise ZeroDivisionError
        return super().shown(request)

    def __call__(self, raw):
        try:
            return super().__call__(raw)
        except ZeroDivisionError:
            return jsonic(500, {"error": "unknown_error"})


def test_a_made_up_value_that_breaks_something_counts(certified):
    """An internal error is no refusal."""
    found = certified(Stumbling())["forged"]
    assert found.verdict == BROKEN and "half a percent sign" in found.evidence[0]


def test_a_revoked_certificate_that_gets_in_is_found(certified):
    """A trust store whose list isn't heeded; where there is no list, nothing is promised."""
    assert verdicts(certified(revocation=False)) == ({"revoked"}, set())
    assert verdicts(certified(topology=asking(revocation=False), revocation=False)) == (set(), {"revoked"})


def test_a_listener_that_lets_anybody_in_is_found(certified):
    """A listener whose mode is verify and that goes on without a certificate."""
    found = certified(demanded=False)
    assert found["none"].verdict == BROKEN and "for everybody" in found["none"].reason


class Slack(Certified):
    """Takes a bound token from everybody."""

    def entitled(self, token, shown):
        return True


class Unbound(Certified):
    """Binds a token to nothing."""

    def minted(self, user, shown, realm):
        return super().minted(user, "AAAA", realm)

    def entitled(self, token, shown):
        return False


class Asked(Certified):
    """Wants a password all the same."""

    def _page(self, request):
        return Little._page(self, request)


class Elsewhere(Certified):
    """Gives tokens of the host that was asked."""

    def minted(self, user, shown, realm):
        made = super().minted(user, shown, realm)
        return (
            made
            if user != "drill"
            else jsonic(
                200,
                {
                    "access_token": _token(
                        {
                            "preferred_username": user,
                            "iss": f"https://{HOST}:8443/realms/{realm}",
                            "cnf": {"x5t#S256": thumbprint(shown)},
                        }
                    )
                },
            )
        )


def _token(body: dict) -> str:
    return f"eyJhbGciOiJub25lIn0.{base64.urlsafe_b64encode(json.dumps(body).encode()).decode().rstrip('=')}.x"


@pytest.mark.parametrize(
    ("little", "broken", "said"),
    [
        (Slack, "bound", "another certificate"),
        (Unbound, "client", "isn't bound"),
        (Asked, "browser", "password"),
        (Elsewhere, "direct", "issuer"),
    ],
)
def test_what_a_certificate_is_worth_is_looked_at(certified, little, broken, said):
    """Bound tokens, a login without a password, the issuer."""
    found = certified(little())
    assert found[broken].verdict == BROKEN and said in found[broken].reason


class Blind(Certified):
    """Sees no certificate."""

    def shown(self, request):
        return ""


def test_a_certificate_that_keycloak_doesn_t_see_has_a_cause(certified):
    """Nothing tells it which header to read, and nobody writes one that it can read."""
    found = certified(Blind())
    broken, _ = verdicts(found)
    assert {"direct", "browser", "client"} <= broken and "forged" not in broken
    texts = " ".join(cause.text for cause in found["direct"].causes)
    assert "which header" in texts and "X-Amzn-Mtls-Clientcert-Leaf" in texts


def test_where_nobody_can_sign_only_the_refusals_are_tried(certified):
    """A deployed environment whose authority isn't at hand."""
    broken, untried = verdicts(certified(signed=False))
    assert broken == set() and untried == {
        "direct", "browser", "frontend", "client", "bound", "expired", "revoked"
    }


def test_clients_that_are_off_where_nobody_verifies_are_as_they_should_be(certified):
    """Passed through, a client's certificate is worth nothing to Keycloak; users' are."""
    little = Certified()
    little.clients_off = True
    broken, untried = verdicts(certified(little, asking("passthrough")))
    assert broken == set() and untried == {"client", "bound"}


class Looking(Certified):
    """Looks at a revocation list where its X.509 step names one that it has."""

    clients_off = True
    listed = False

    def __init__(self, has: str, numbers: tuple[int, ...]):
        super().__init__()
        self._has, self._turned_down = has, numbers

    def _admin(self, request):
        if request.path.endswith("/config"):
            config = json.loads(request.body)["config"]
            self.listed = (
                config["x509-cert-auth.crl-checking-enabled"] == "true"
                and config["x509-cert-auth.crl-relative-path"] == self._has
            )
        return super()._admin(request)

    def shown(self, request):
        shown = super().shown(request)
        return "" if shown and self.listed and number(shown) in self._turned_down else shown


def test_keycloak_s_own_revocation_list_is_tried_where_nobody_else_looks(certified, clients):
    """Passed through, a revoked certificate is Keycloak's to refuse; one that gets in is found."""
    revoked = number("".join(clients.revoked.certificate.decode().splitlines()[1:-1]))
    for numbers, wrong in (((revoked,), set()), ((), {"revoked"})):
        little = Looking(certificates.REVOCATIONS_FILE, numbers)
        assert verdicts(certified(little, asking("passthrough"), revocation=False))[0] == wrong


def test_a_realm_that_nobody_gave_a_list_isn_t_told_to_look_at_one(certified):
    """Keycloak would let nobody in for a list that isn't there; who can't sign has none to give."""
    little = Looking("", ())
    certified(little, asking("passthrough"), signed=False)
    assert not little.listed


class Elsewhere(Certified):
    """Sends browsers to the public host, whatever a realm's Frontend URL is."""

    def issuer(self, realm):
        return f"https://{PUBLIC}/realms/{realm}"


def test_a_realm_s_pages_stay_where_certificates_are_asked_for(certified):
    """Else a browser is led away from the only listener that asks; the realm is left as it was."""
    little = Certified()
    assert "frontend" not in verdicts(certified(little))[0]
    assert little.fronts == (f"https://{HOST}:8443", "")
    found = certified(Elsewhere())
    assert verdicts(found) == ({"frontend"}, set())
    assert f"a browser is sent to https://{PUBLIC}" in found["frontend"].reason


def test_a_way_from_one_task_to_another_is_found(certified):
    """Past the balancer nobody looks at certificates; where no task reaches another at all, nothing is proved."""
    open_to_tasks = Permission("TaskGroup", "ingress", "tcp", (8080, 8081), "TaskGroup", "", "Everything", 770)
    topology = asking()
    topology = replace(topology, permissions=(*topology.permissions, open_to_tasks))
    found = certified(topology=topology, reached={7800: True, 8080: True})["beside"]
    assert found.verdict == BROKEN and "reaches 8080 of" in found.reason
    assert [(one.line, "Everything" in one.text) for one in found.causes] == [(770, True)]
    for nothing in ({}, None):
        assert certified(reached=nothing)["beside"].verdict == NOT_RUN


def test_no_private_key_is_left_behind(certified, tmp_path, monkeypatch):
    """What the drill signed for itself is gone with it."""
    (tmp_path / "scratch").mkdir()
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path / "scratch"))
    certified()
    assert list((tmp_path / "scratch").iterdir()) == []
