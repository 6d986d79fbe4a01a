"""Client certificates: who asks for them, what Keycloak is told, and the proxy beside it that translates headers.

An Application Load Balancer hands a client's certificate on in a form that none of Keycloak's lookup providers reads
(keycloak issue 25579). A stock HAProxy in the same task rewrites it. Keycloak looks for its header on every request,
whichever way it came, so all requests pass that proxy, which first deletes what a client may have forged.

Sources: "classes" are org.keycloak.services.x509 of the versions named; the balancer's headers are described in the
Elastic Load Balancing guide, "Mutual authentication with TLS in Application Load Balancer".
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from generator.keycloak import facts
from generator.keycloak.version import Version, parse

if TYPE_CHECKING:
    from generator.params.model import ClientCertificates, Settings

CONTAINER = "proxy"
"""Name of the container that stands in front of Keycloak in each task."""

REQUESTS_PORT = 8081
MUTUAL_TLS_PORT = 8082
CHECK_PORT = 8083
"""Ports of that container, one for each kind of listener, so that it knows where a request comes from; the last one
answers health checks and nothing else."""

MEMORY_MIB = 128
"""Memory of that container: 1000 connections with two buffers of 32 KiB each, which is more than they hold at once."""

LOOPBACK = "127.0.0.1"
HEADER = "ssl-client-cert"
"""The header that the proxy writes. A hyphen, since balancers drop names with an underscore."""

ALB_HEADERS = {"required": "x-amzn-mtls-clientcert-leaf", "optional": "x-amzn-mtls-clientcert"}
"""What an ALB writes a certificate into: the client's own in the mode `verify`, the whole chain in `passthrough`. Both
are URL-encoded PEM that leaves `+`, `=` and `/` as they are."""

AUTHORITIES_FOLDER = "truststores"
"""Folder below /opt/keycloak/conf whose certificates Keycloak trusts, without an option, from 24 on (server guide,
"Configuring trusted certificates")."""

_FORGEABLE = "(cert|ssl|mtls)"
"""Part of the name of every header that may speak of certificates; HAProxy compares names in lower case."""

OWNED = ("KC_SPI_X509CERT_LOOKUP_", "KC_SPI_CLIENT_AUTHENTICATOR_CLIENT_X509_",
         "KC_SPI_CLIENT_AUTHENTICATOR__CLIENT_X509_")
"""Beginnings of the variables that params may not set by hand while they choose client certificates."""

_PEM = "'^([A-Za-z0-9+/=-]|%[0-9A-Fa-f][0-9A-Fa-f])+$'"
"""URL-encoded PEM, as a regular expression in HAProxy's strong quotes: in the weak ones a `$` begins a variable.
Anything else ends in an error 500 of nginx's provider (measured on 24.0.5, 26.0.8 and 26.7.4)."""

FIXED_HEADERS = {"envoy": ("x-forwarded-client-cert",), "traefik": ("X-Forwarded-Tls-Client-Cert",)}
"""Providers whose header has one name (classes of 26.6.4 and 26.7.4)."""


def lookup_providers(version: str | Version) -> tuple[str, ...]:
    """Providers that read a client certificate from a header.

    Source: META-INF/services of the distributions: rfc9440 is in 26.5.5 and not in 26.4.7, envoy and traefik are in
    26.6.4 and not in 26.5.5.
    """
    asked = parse(version)
    found = ["apache", "haproxy", "nginx"]
    if asked >= (26, 5, 0):
        found.append("rfc9440")
    if asked >= (26, 6, 0):
        found += ["envoy", "traefik"]
    return tuple(found)


def asked_at_balancer(settings: Settings) -> bool:
    """Whether the balancer has a listener that asks for certificates, and so the task a proxy."""
    return settings.load_balancer.client_certificates.mode in ("required", "optional")


def lookup_headers(chosen: ClientCertificates) -> tuple[str, ...]:
    """Headers that Keycloak reads because of these settings; none where it reads none."""
    if chosen.mode == "off":
        return ()
    proxy = chosen.proxy
    if chosen.mode != "proxy" or proxy is None:
        return (HEADER,)
    if proxy.kind in FIXED_HEADERS:
        return FIXED_HEADERS[proxy.kind]
    if proxy.kind == "rfc9440":
        return (proxy.header or "Client-Cert", "Client-Cert-Chain")
    header = proxy.header or HEADER
    return (header, "ssl-client-verify") if proxy.kind == "nginx" and proxy.verifies else (header,)


def someone_verifies(chosen: ClientCertificates) -> bool:
    """Whether whoever ends TLS checks a certificate's chain before Keycloak sees it."""
    return chosen.mode == "required" or (chosen.mode == "proxy" and chosen.proxy is not None and chosen.proxy.verifies)


def options(settings: Settings, version: Version) -> list[tuple[str, str, bool]]:
    """(variable, value, whether it is decided when an image is built) of the lookup.

    The chain's length is 0 where no chain comes along: with more, the providers of apache and haproxy look for further
    certificates in headers named after the prefix, and without a prefix in `null_0` (classes).
    """
    chosen = settings.load_balancer.client_certificates
    if chosen.mode == "off":
        return []
    kind, header, length, trusts = "haproxy", HEADER, 0, False
    if chosen.mode == "optional":
        kind, length = "nginx", chosen.chain_length
    elif chosen.mode == "proxy" and chosen.proxy is not None:
        kind, trusts = chosen.proxy.kind, chosen.proxy.kind == "nginx" and chosen.proxy.verifies
        header = lookup_headers(chosen)[0]
        carries = kind in ("rfc9440", "traefik", "envoy") or (kind == "nginx" and not trusts)
        length = chosen.chain_length if carries else 0

    def name(*parts: str) -> str:
        return _variable(version, "x509cert-lookup", *parts)

    found = [(name("provider"), kind, True)]
    if kind not in FIXED_HEADERS:
        found.append((name(kind, "ssl-client-cert"), header, False))
    if kind != "envoy":
        found.append((name(kind, "certificate-chain-length"), str(length), False))
    if kind == "nginx":
        found.append((name(kind, "trust-proxy-verification"), "true" if trusts else "false", False))
    if not someone_verifies(chosen):
        # It compares nothing but the subject, and nginx's provider hands on a certificate whose chain it couldn't
        # build (classes of 24.0.5 to 26.7.4; measured on 24.0.5, 26.0.8 and 26.7.4: tokens for a self-signed
        # certificate, an expired one, one of another authority of the same name). Measured on 26.7.4: switched off,
        # such clients get 401, and users log in with certificates as before.
        found.append((_variable(version, "client-authenticator", "client-x509", "enabled"), "false", True))
    return found


def _variable(version: Version, spi: str, *parts: str) -> str:
    if len(parts) == 2:
        return facts.spi_variable(version, spi, *parts)
    separator = "__" if parse(version) >= (26, 3, 0) else "_"
    return "KC_SPI_" + spi.upper().replace("-", "_") + separator + parts[0].upper().replace("-", "_")


def proxy_configuration(settings: Settings, main_port: int, health_port: int, health_path: str) -> str:
    """The text of HAProxy's configuration; empty where no proxy is needed.

    `main_port` and `health_port` are Keycloak's own, on the loopback interface; `health_path` is what the balancer
    asks for. Connections are kept longer than the balancer keeps them, so that it never uses one that just closed.
    """
    chosen = settings.load_balancer.client_certificates
    if not asked_at_balancer(settings):
        return ""
    header = ALB_HEADERS[chosen.mode]
    if chosen.mode == "required":
        comment = "# The balancer checked this certificate. PEM, URL-encoded -> what Keycloak's provider haproxy reads."
        translate = (f"""'req.fhdr({header}),url_dec,regsub("-----(BEGIN|END) CERTIFICATE-----","",g),"""
                     """regsub("[ \\t\\r\\n]","",g)'""")
    else:
        comment = ("# Nobody checked this certificate: Keycloak does. The client's own out of the chain, with the + "
                   "of base64 encoded, too.")
        translate = f"""'req.fhdr({header}),regsub("(-----END%20CERTIFICATE-----).*","\\1"),regsub("[+]","%2B",g)'"""
    idle = settings.load_balancer.idle_timeout_seconds + 10
    return f"""\
global
  log stdout format raw local0 notice   # its own troubles, no requests
  maxconn 1000
  tune.bufsize 32768                    # bytes: all headers of a request, a certificate among them
  hard-stop-after 30s
defaults
  mode http
  log global
  timeout connect 5s
  timeout http-request 30s
  timeout http-keep-alive {idle}s
  timeout client {idle}s
  timeout server {idle}s
# From listeners that ask for no certificate: nothing that speaks of one reaches Keycloak.
frontend requests
  bind :{REQUESTS_PORT}
  http-request del-header "{_FORGEABLE}" -m reg
  default_backend keycloak
frontend mutual-tls
  bind :{MUTUAL_TLS_PORT}
  # Two such headers: one of them is the client's. And nothing that the balancer wouldn't write.
  http-request deny deny_status 400 if {{ req.fhdr_cnt({header}) gt 1 }}
  http-request deny deny_status 400 if {{ req.fhdr({header}) -m found }} !{{ req.fhdr({header}) -m reg {_PEM} }}
  {comment}
  http-request set-var(txn.certificate) {translate} if {{ req.fhdr({header}) -m found }}
  http-request del-header "{_FORGEABLE}" -m reg
  http-request set-header {HEADER} %[var(txn.certificate)] if {{ var(txn.certificate) -m found }}
  default_backend keycloak
frontend check
  bind :{CHECK_PORT}
  http-request return status 200 if {{ path /alive }}
  http-request deny deny_status 404 unless {{ path {health_path} }}
  default_backend health
backend keycloak
  server keycloak {LOOPBACK}:{main_port}
backend health
  server keycloak {LOOPBACK}:{health_port}
"""
