"""A balancer's attributes, its security groups and client certificates, by HAProxy itself."""

from __future__ import annotations

import contextlib
import socket
import subprocess
import urllib.parse
from dataclasses import replace

import pytest

from generator.rehearsing.topology import MutualTls, Topology
from tests.cluster.networks import PATIENCE
from tests.rehearsing.topologies import PUBLIC, TOPOLOGY, permission, with_permissions, with_rules


@pytest.mark.parametrize(
    "mode,told", [("append", ["1.2.3.4, 198.51.100.10"]), ("preserve", ["1.2.3.4"]), ("remove", [])]
)
def test_forwarded_for_modes(start, mode, told):
    """X-Forwarded-For is appended to, left alone or taken away; a header with an underscore passes by
    default."""
    running = start(with_rules(forwarded_for=mode, drop_invalid_headers=False))
    answer = running.ask("/realms/shop", headers=("X-Forwarded-For: 1.2.3.4", "X_Under: 1"))
    assert (answer.told("x-forwarded-for"), answer.told("x_under")) == (told, ["1"])


@pytest.mark.parametrize(
    "preserve,sent,told",
    [
        (False, PUBLIC, f"{PUBLIC}:8443"),
        (False, f"{PUBLIC}:1", f"{PUBLIC}:1"),
        (True, PUBLIC, PUBLIC),
        (True, f"{PUBLIC}:8443", f"{PUBLIC}:8443"),
    ],
)
def test_host_header_gets_a_port_that_is_no_default(start, preserve, sent, told):
    """At a port that isn't the protocol's, targets see it in the Host header, unless the header is
    preserved."""
    topology = with_rules(preserve_host=preserve)
    changed = replace(
        topology.balancers[0],
        listeners=tuple(
            replace(one, port=8443) if one.protocol == "HTTPS" else one
            for one in topology.balancers[0].listeners
        ),
    )
    running = start(
        replace(
            topology,
            balancers=(changed,),
            permissions=(*topology.permissions, permission("BalancerGroup", "ingress", "0.0.0.0/0", 8443)),
        )
    )
    answer = running.ask("/realms/shop", host=sent)
    assert answer.told("host") == [told]
    assert answer.told("x-forwarded-port") == ["8443"]


def test_security_group_decides_who_reaches_a_listener(start):
    """A vantage that no ingress permission lets in is refused; one that is let in isn't."""
    running = start(with_permissions(permission("BalancerGroup", "ingress", "203.0.113.0/24", 443)))
    assert running.ask("/realms/shop", vantage="admin").status == 200
    for refused in (("internet", "HttpsListener"), ("inside", "HttpsListener"), ("admin", "HttpListener")):
        # A reset may come before the connection is known to stand.
        with contextlib.suppress(ConnectionError):
            with socket.create_connection(
                ("127.0.0.1", running.ports[refused]), timeout=PATIENCE
            ) as connection:
                assert connection.recv(1) == b""


def with_client_certificates(mode: str) -> Topology:
    """The topology with mutual TLS on its HTTPS listener."""
    changed = replace(
        TOPOLOGY.balancers[0],
        listeners=tuple(
            replace(one, mutual_tls=MutualTls(mode)) if one.protocol == "HTTPS" else one
            for one in TOPOLOGY.balancers[0].listeners
        ),
    )
    return replace(TOPOLOGY, balancers=(changed,))


def test_client_certificate_is_demanded_and_described(start, certificate):
    """In mode `verify` nobody comes in without a certificate of the trust store, and targets learn what it
    says."""
    running = start(with_client_certificates("verify"))
    answer = running.ask("/realms/shop", certificate=certificate)
    told = {
        part: answer.told(f"x-amzn-mtls-clientcert-{part}")[0]
        for part in ("serial-number", "issuer", "subject", "validity", "leaf")
    }
    pem = certificate.with_name("authority.pem")
    assert urllib.parse.unquote(told["leaf"]) == pem.read_text()
    said = (
        subprocess.run(
            [
                "openssl",
                "x509",
                "-in",
                pem,
                "-noout",
                "-serial",
                "-startdate",
                "-enddate",
                "-dateopt",
                "iso_8601",
            ],
            capture_output=True,
            text=True,
            check=True,
        )
        .stdout.replace(" ", "T")
        .split()
    )
    assert [f"serial={told['serial-number']}", *told["validity"].split(";")] == [
        said[0],
        said[1].replace("notBefore", "NotBefore"),
        said[2].replace("notAfter", "NotAfter"),
    ]
    assert told["subject"] == told["issuer"] == f"CN={PUBLIC}"
    with contextlib.suppress(OSError), running.connect() as connection:
        connection.sendall(b"GET / HTTP/1.1\r\n\r\n")
        assert connection.recv(1) == b""


def test_client_certificate_is_passed_through(start, certificate):
    """In mode `passthrough` targets get the certificate there is, and none that a client makes up."""
    running = start(with_client_certificates("passthrough"))
    forged = ("X-Amzn-Mtls-Clientcert: forged",)
    answer = running.ask("/realms/shop", headers=forged, certificate=certificate)
    told = answer.told("x-amzn-mtls-clientcert")
    assert [urllib.parse.unquote(one) for one in told] == [certificate.with_name("authority.pem").read_text()]
    assert running.ask("/realms/shop", headers=forged).told("x-amzn-mtls-clientcert") == []
