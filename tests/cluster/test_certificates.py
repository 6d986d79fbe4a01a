"""Client certificates through the balancer: by HAProxy itself, and a rendered environment started and
drilled."""

from __future__ import annotations

import json
import ssl
import urllib.parse
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from generator.rehearsing import certificates
from generator.rehearsing.certificates import Certificate, Clients
from generator.rehearsing.topology import MutualTls, Topology
from tests.cases import PROJECT
from tests.cluster import images
from tests.cluster.balanced import Balanced
from tests.cluster.engine import Engine

# Fixtures: a copy of the project, and the command line where published ports are in reach.
from tests.cluster.test_rehearsal import Run, broken, cloakform, edited, project, promises  # noqa: F401
from tests.rehearsing.topologies import TOPOLOGY, with_rules

SCRIPT = PROJECT / "templates" / "rehearsal" / "certificates.lua"


@pytest.fixture(scope="module")
def clients() -> Clients:
    """An authority for client certificates."""
    return certificates.clients("test")


@pytest.fixture
def trusting(start, clients, tmp_path) -> Callable[..., Balanced]:
    """Starts a balancer whose listener asks for certificates of the authority."""
    (tmp_path / "clients.pem").write_bytes(clients.authority.certificate)
    (tmp_path / "revoked.pem").write_bytes(clients.revocations)

    def started(mode: str, **how) -> Balanced:
        return start(
            asking(mode, **how),
            client_authorities=str(tmp_path / "clients.pem"),
            client_revocations=str(tmp_path / "revoked.pem"),
            script=str(SCRIPT),
        )

    return started


def asking(mode: str, **how) -> Topology:
    """The topology with client certificates on its HTTPS listener."""
    return with_rules(
        listeners=tuple(
            replace(one, mutual_tls=MutualTls(mode, "TrustStore", **how)) if one.protocol == "HTTPS" else one
            for one in TOPOLOGY.balancers[0].listeners
        )
    )


def shown(folder: Path, one: Certificate, *chain: bytes) -> Path:
    """A file with a certificate, those behind it and its key."""
    path = folder / "shown.pem"
    path.write_bytes(one.certificate + b"".join(chain) + one.key)
    return path


def turned_away(balanced: Balanced, **how) -> bool:
    """Whether a handshake with this certificate leads to nothing."""
    try:
        balanced.ask("/realms/shop", **how)
    except (OSError, ssl.SSLError, IndexError, ValueError):
        return True
    return False


def test_a_verifying_balancer_lets_in_whom_its_trust_store_holds(trusting, clients, tmp_path):
    """A certificate of the authority gets through and is told as it is; all others end in the handshake."""
    running = trusting("verify", revocation=True)
    good = clients.authority.issue_client("somebody")
    answer = running.ask("/realms/shop", certificate=shown(tmp_path, good))
    leaf = answer.told("x-amzn-mtls-clientcert-leaf")
    assert [urllib.parse.unquote(one).encode() for one in leaf] == [good.certificate]
    assert "+" in leaf[0] and "/" in leaf[0] and "%2B" not in leaf[0]
    stranger = certificates.authority("strangers").issue_client("somebody")
    for one in (
        clients.authority.issue_client("somebody", expired=True),
        clients.revoked,
        stranger,
        certificates.self_signed("somebody"),
    ):
        assert turned_away(running, certificate=shown(tmp_path, one))
    assert turned_away(running)
    assert [one for one in running.log() if one.target] and len(running.targets.seen) == 1


def test_revocation_and_expiry_are_only_looked_at_where_the_template_says_so(trusting, clients, tmp_path):
    """Without a list a revoked certificate is as good as any; an expired one where expiry is ignored."""
    running = trusting("verify", ignores_expiry=True)
    expired = clients.authority.issue_client("somebody", expired=True)
    for one in (clients.revoked, expired):
        assert running.ask("/realms/shop", certificate=shown(tmp_path, one)).status == 200


def test_a_renamed_header_is_told_and_the_old_one_is_nobody_s(trusting, clients, tmp_path):
    """The listener's attribute names the header; what a client sends under that name is gone."""
    running = trusting("verify", headers=(("Leaf", "X-Their-Certificate"),))
    good = clients.authority.issue_client("somebody")
    answer = running.ask(
        "/realms/shop", certificate=shown(tmp_path, good), headers=("x-their-certificate: forged",)
    )
    assert [urllib.parse.unquote(one).encode() for one in answer.told("X-Their-Certificate")] == [
        good.certificate
    ]
    assert answer.told("x-amzn-mtls-clientcert-leaf") == []


@pytest.mark.parametrize("number", range(3))
def test_a_chain_is_passed_through_as_it_was_sent(trusting, clients, tmp_path, number):
    """The client's own certificate first, then those that it sent along, whoever signed them."""
    running = trusting("passthrough")
    others = [certificates.authority(f"another {one}").certificate for one in range(number)]
    own = certificates.self_signed("somebody")
    answer = running.ask("/realms/shop", certificate=shown(tmp_path, own, *others))
    told = answer.told("x-amzn-mtls-clientcert")
    assert [urllib.parse.unquote(one).encode() for one in told] == [own.certificate + b"".join(others)]
    assert (
        running.ask("/realms/shop", headers=("X-Amzn-Mtls-Clientcert: forged",)).told(
            "x-amzn-mtls-clientcert"
        )
        == []
    )


# --- a whole cluster ----------------------------------------------------------------------------------------

VERIFIED = {
    "mode": "required",
    "trust_store": {"bucket": "authorities", "key": "bundle.pem", "version": "v1"},
    "revocation": [{"bucket": "authorities", "key": "revoked.pem", "version": "v1"}],
}
PASSED_THROUGH = {"mode": "optional", "authorities": "files/authorities.pem"}
POSTGRES = {"26.7.4": "17", "24.0.5": "16"}
SECOND = ("--image", "proxy=haproxy:2.8", "--drain", "5")


def rendered(
    cloakform: Run,  # noqa: F811
    engine: Engine,
    project: Path,  # noqa: F811
    version: str = "26.7.4",
    chosen: dict = VERIFIED,
    tasks: int = 2,
) -> str:
    """The text of the environment certs, which takes client certificates."""
    images.provide(engine, [f"keycloak:{version}", f"postgres:{POSTGRES[version]}"])
    image = {"kind": "optimized", "repository": "111111111111.dkr.ecr.eu-central-1.amazonaws.com/keycloak"}
    params = {
        "extends": "dev.yaml",
        "keycloak": {"version": version, **({"image": image} if "authorities" in chosen else {})},
        "service": {"memory": 2048, "tasks": tasks},
        "database": {"create": {"engine_version": POSTGRES[version]}},
        "load_balancer": {
            "client_certificates": {
                "url": "https://certs.example.com:8443",
                "image": f"docker.io/library/haproxy:2.8@sha256:{'1' * 64}",
                **chosen,
            }
        },
    }
    (project / "params" / "certs.yaml").write_text(json.dumps(params), "utf-8")
    (project / "files").mkdir(exist_ok=True)
    (project / "files" / "authorities.pem").write_bytes(certificates.authority("another").certificate)
    done = cloakform("render", "certs")
    assert done.returncode == 0, done.stderr
    return (project / "rendered" / "certs" / "template.yaml").read_text("utf-8")


@pytest.mark.long
@pytest.mark.parametrize("version", POSTGRES)
@pytest.mark.parametrize("chosen", [VERIFIED, PASSED_THROUGH], ids=["required", "optional"])
def test_a_rendered_environment_takes_certificates(
    cloakform: Run,  # noqa: F811
    engine: Engine,
    project: Path,  # noqa: F811
    version: str,
    chosen: dict,
) -> None:
    """Users and clients log in with them, nobody else does, and a task that is stopped in order with its
    proxy loses no request. Where the balancer passes certificates through, Keycloak itself turns down what is
    expired, revoked or a stranger's, and no client authenticates with one."""
    rendered(cloakform, engine, project, version, chosen)
    up = cloakform("rehearse", "up", "certs", *SECOND)
    assert up.returncode == 0, up.stderr
    drill = cloakform("drill", "certs", "--step", "certificates", "--format", "json")
    found = {
        name.removeprefix("certificates."): one["verdict"]
        for name, one in promises(drill.stdout).items()
        if name.startswith("certificates.")
    }
    kept = {name for name, verdict in found.items() if verdict == "kept"}
    untried = {"client", "bound"} if chosen is PASSED_THROUGH else set()
    if version == "24.0.5":
        untried |= {"frontend", "revoked"} if chosen is PASSED_THROUGH else {"frontend"}
    assert set(found) - kept == untried, drill.stdout
    assert len(found) == 11 and "broken" not in found.values(), drill.stdout
    assert promises(drill.stdout)["certificates.forged"]["figures"][0]["value"] >= 100
    assert broken(cloakform, "certs", ("paths", "stop")) == {}
    assert cloakform("rehearse", "down", "certs").returncode == 0


@pytest.mark.long
def test_a_proxy_that_leaves_a_client_s_header_is_found(
    cloakform: Run,  # noqa: F811
    engine: Engine,
    project: Path,  # noqa: F811
) -> None:
    """One line less in the proxy's configuration, and whoever writes the header is whom he likes to be."""
    text = rendered(cloakform, engine, project, tasks=1)
    file = edited(
        project, "leaving", (r'\n *http-request del-header "\(cert\|ssl\|mtls\)" -m reg', ""), text=text
    )
    up = cloakform("rehearse", "up", file, "--name", "leaving", *SECOND)
    assert up.returncode == 0, up.stderr
    drill = cloakform("drill", "leaving", "--step", "certificates", "--format", "json")
    assert drill.returncode == 1
    forged = promises(drill.stdout)["certificates.forged"]
    assert forged["verdict"] == "broken" and "ssl-client-cert" in str(forged["evidence"]), forged
    assert "KC_SPI_X509CERT_LOOKUP" in text and forged["causes"][0]["line"] > 0
    assert cloakform("rehearse", "down", "leaving").returncode == 0
