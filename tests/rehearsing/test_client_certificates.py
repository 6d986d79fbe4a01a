"""A listener for client certificates, its trust store, and the order in which a task's containers stop, as
read; and the certificates that a rehearsal signs."""

from __future__ import annotations

import re
import ssl
from dataclasses import replace

import pytest

from generator.document import Document, parse
from generator.rehearsing import certificates, names
from generator.rehearsing.reading import read
from generator.rehearsing.topology import Container, MutualTls
from tests.rehearsing.foreign import changed, document, problems
from tests.rehearsing.topologies import TOPOLOGY

BEFORE = "      Certificates: [{CertificateArn: !Ref Certificate}]\n      DefaultActions"
TRUST = """
  Trust:
    Type: AWS::ElasticLoadBalancingV2::TrustStore
    Properties: {CaCertificatesBundleS3Bucket: b, CaCertificatesBundleS3Key: k}
"""
REVOCATION = """
  Revoked:
    Type: AWS::ElasticLoadBalancingV2::TrustStoreRevocation
    Properties: {TrustStoreArn: !Ref Trust, RevocationContents: [{S3Bucket: b, S3Key: k}]}
"""


def listening(mutual: str, *, attributes: str = "", more: str = TRUST) -> Document:
    """dev's template with client certificates on its HTTPS listener."""
    added = f"      MutualAuthentication: {mutual}\n"
    if attributes:
        added += f"      ListenerAttributes: {attributes}\n"
    found = changed("dev", BEFORE, added + BEFORE, 1)
    return parse(found.text.replace("\n  HttpsListener:", f"{more}\n  HttpsListener:", 1), "dev")


def mutual(found: Document) -> MutualTls | None:
    """What is read of the HTTPS listener."""
    topology = read(found, "dev", file="dev")
    return next(one.mutual_tls for one in topology.balancers[0].listeners if one.protocol == "HTTPS")


def test_a_listener_says_what_it_asks_for():
    """Mode, trust store, lists, expiry, what clients are told; and the host that its rules name."""
    found = mutual(
        listening(
            "{Mode: verify, TrustStoreArn: !Ref Trust, AdvertiseTrustStoreCaNames: 'on', "
            "IgnoreClientCertificateExpiry: true}",
            more=TRUST + REVOCATION,
        )
    )
    assert found == MutualTls(
        "verify", "Trust", found.line, revocation=True, ignores_expiry=True, advertises=True, host=found.host
    )
    assert found.host.endswith(".example.com")
    plain = mutual(listening("{Mode: verify, TrustStoreArn: !GetAtt Trust.TrustStoreArn}"))
    assert (plain.revocation, plain.ignores_expiry, plain.advertises) == (False, False, False)
    assert (
        plain.header("Leaf") == "X-Amzn-Mtls-Clientcert-Leaf" and plain.header() == "X-Amzn-Mtls-Clientcert"
    )


def test_a_list_of_another_trust_store_revokes_nothing_here():
    """Only the listener's own store counts; one of another stack has no lists that the template tells of."""
    other = REVOCATION.replace("!Ref Trust,", "!Ref Other,") + TRUST.replace("Trust:", "Other:", 1)
    assert not mutual(listening("{Mode: verify, TrustStoreArn: !Ref Trust}", more=TRUST + other)).revocation
    arn = "arn:aws:elasticloadbalancing:eu-central-1:123456789012:truststore/their/abc"
    assert not mutual(
        listening(f"{{Mode: verify, TrustStoreArn: '{arn}'}}", more=TRUST + REVOCATION)
    ).revocation


def test_headers_are_called_as_the_listener_renames_them():
    """Those that it doesn't rename keep their names; what is no name of a header is a problem."""
    attributes = "[{Key: routing.http.request.x_amzn_mtls_clientcert_leaf.header_name, Value: %s}]"
    found = mutual(listening("{Mode: verify, TrustStoreArn: !Ref Trust}", attributes=attributes % "X-Their"))
    assert (found.header("Leaf"), found.header("Subject")) == ("X-Their", "X-Amzn-Mtls-Clientcert-Subject")
    assert any(
        "is no name of a header" in line
        for line in problems(
            listening("{Mode: verify, TrustStoreArn: !Ref Trust}", attributes=attributes % "'a b'")
        )
    )


def test_off_is_off():
    """A listener without certificates, or with them switched off, asks for none."""
    assert mutual(listening("{Mode: 'off'}")) is None
    assert mutual(document("dev")) is None


def test_the_host_of_an_output_is_where_clients_go():
    """Where no rule names a host, an output with an address at the listener's port does, and the balancer's
    certificate is for it as well."""
    found = listening("{Mode: passthrough}")
    text = (
        found.text.replace("      Port: 443\n", "      Port: 8443\n", 1)
        .replace(
            "Outputs:\n",
            "Outputs:\n  Elsewhere: {Value: 'https://other.example.com/'}\n"
            "  Certificates: {Value: 'https://certs.example.com:8443/auth'}\n",
            1,
        )
        .replace("Field: host-header", "Field: http-header")
        .replace("HostHeaderConfig", "HttpHeaderConfig")
    )
    text = re.sub(
        r"- \{Field: http-header, HttpHeaderConfig: \{Values: \[[^]]*\]\}\}",
        "- {Field: http-header, HttpHeaderConfig: {HttpHeaderName: x, Values: [y]}}",
        text,
    )
    topology = read(parse(text, "dev"), "dev", file="dev")
    listener = topology.mutual_listeners[0][1]
    assert listener.mutual_tls.host == "certs.example.com"
    assert "certs.example.com" in names.certified(topology)


def container(name: str, *waits_for: str) -> Container:
    """A container that waits for others."""
    return Container(name, "image", depends_on=tuple((one, "START") for one in waits_for))


@pytest.mark.parametrize(
    ("containers", "order"),
    [
        ((container("keycloak"), container("proxy", "keycloak")), [{"proxy"}, {"keycloak"}]),
        ((container("keycloak", "proxy"), container("proxy")), [{"keycloak"}, {"proxy"}]),
        ((container("a"), container("b")), [{"a", "b"}]),
        (
            (container("a", "b"), container("b", "c"), container("c"), container("d", "b")),
            [{"a", "d"}, {"b"}, {"c"}],
        ),
        ((container("a", "b"), container("b", "a")), [{"a", "b"}]),
    ],
)
def test_who_waited_for_another_one_stops_before_it(containers, order):
    """The proxy that came last answers its last requests while Keycloak is still there; the others stop at
    once."""
    task = replace(TOPOLOGY.task, containers=containers)
    assert [{one.name for one in group} for group in task.stopping] == order


# --- certificates -------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def clients():
    return certificates.clients("test")


def handshake(clients, shown, tmp_path, *, revocations=True) -> str:
    """How a server that trusts the clients' authority, and heeds its list, takes a certificate: empty if it
    does."""
    server_authority = certificates.authority("server")
    issued = server_authority.issue(["localhost"])
    paths = {
        "server": issued.certificate + issued.key,
        "client": shown.certificate + shown.key,
        "list": clients.revocations,
        "trust": clients.authority.certificate,
    }
    for name, content in paths.items():
        (tmp_path / name).write_bytes(content)
    server = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    server.load_cert_chain(tmp_path / "server")
    server.verify_mode = ssl.CERT_REQUIRED
    server.load_verify_locations(tmp_path / "trust")
    if revocations:
        server.load_verify_locations(tmp_path / "list")
        server.verify_flags |= ssl.VERIFY_CRL_CHECK_LEAF
    client = ssl.create_default_context(cadata=server_authority.certificate.decode())
    client.load_cert_chain(tmp_path / "client")
    ends = [
        (server, ssl.MemoryBIO(), ssl.MemoryBIO(), True),
        (client, ssl.MemoryBIO(), ssl.MemoryBIO(), False),
    ]
    sides = [
        context.wrap_bio(into, out, server_side=side, server_hostname=None if side else "localhost")
        for context, into, out, side in ends
    ]
    for _ in range(6):
        for number, side in enumerate(sides):
            try:
                side.do_handshake()
            except ssl.SSLWantReadError:
                pass
            except ssl.SSLCertVerificationError as error:
                return error.verify_message
            ends[1 - number][1].write(ends[number][2].read())
    return ""


def test_each_certificate_is_what_it_says(clients, tmp_path):
    """A good one is taken; expired, revoked, of others and of nobody are refused, each for its own reason."""
    good = clients.authority.issue_client("somebody")
    assert handshake(clients, good, tmp_path) == ""
    assert handshake(clients, clients.door, tmp_path) == ""
    assert "expired" in handshake(clients, clients.authority.issue_client("somebody", expired=True), tmp_path)
    assert "revoked" in handshake(clients, clients.revoked, tmp_path)
    assert handshake(clients, clients.revoked, tmp_path, revocations=False) == ""
    # It calls itself as the authority does, and isn't it.
    stranger = certificates.clients("test").authority.issue_client("somebody")
    assert handshake(clients, stranger, tmp_path)
    assert handshake(clients, certificates.self_signed("somebody"), tmp_path)


def test_a_certificate_holds_what_a_header_may_spoil(clients):
    """`+` and `/` are in its base64, whichever key it happened to get."""
    for _ in range(5):
        made = clients.authority.issue_client("somebody").certificate
        assert b"+" in made and b"/" in made


def test_a_private_key_isn_t_shown(clients):
    """Nothing that prints one of these prints a key."""
    for one in (clients, clients.authority, clients.door, certificates.authority("x").issue(["y"])):
        assert "PRIVATE" not in repr(one)
