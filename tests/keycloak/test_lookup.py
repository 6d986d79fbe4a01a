"""Client certificates: what Keycloak is told in each mode, and what the proxy beside it does with headers."""

from __future__ import annotations

import re

import pytest

from generator.keycloak import catalog, certificates
from generator.params.model import Settings
from tests.trials import AUTHORITIES, changed

HAPROXY = "public.ecr.aws/docker/library/haproxy:3.0@sha256:" + "0123456789abcdef" * 4
OBJECT = {"bucket": "example-ca", "key": "clients/ca.pem", "version": "3sL4kqtJlcpXroDTDmJ-rmSpXd3dIbrHY"}
LISTENER = {"url": "https://sso.example.com:8443", "image": HAPROXY}
PROVIDERS = ("apache", "envoy", "haproxy", "nginx", "rfc9440", "traefik")


def settings(mode: str, version: str = "26.7.4", **more) -> Settings:
    """The good environment with a choice about client certificates."""
    listener = LISTENER if mode in ("required", "optional") else {}
    return Settings.model_validate(changed({
        "keycloak.version": version, "load_balancer.client_certificates": {"mode": mode, **listener, **more}}))


def behind(kind: str, version: str = "26.7.4", **more) -> Settings:
    """The good environment behind a proxy of one's own."""
    return settings("proxy", version, proxy={"kind": kind, **more})


def told(chosen: Settings, version: str = "26.7.4") -> dict[str, str]:
    """Variables without their beginning -> values."""
    return {name.removeprefix("KC_SPI_"): value for name, value, _ in certificates.options(chosen, version)}


def test_without_certificates_keycloak_is_told_nothing():
    """Off is off: no option, no proxy, no header that anybody believes."""
    off = settings("off")
    assert certificates.options(off, "26.7.4") == [] and certificates.proxy_configuration(off, 8080, 9000, "/x") == ""
    assert certificates.lookup_headers(off.load_balancer.client_certificates) == ()


@pytest.mark.parametrize(("version", "two"), [("24.0.5", "_"), ("26.0.8", "_"), ("26.3.5", "__"), ("26.7.4", "__")])
def test_options_are_spelt_as_the_version_reads_them(version, two):
    """One underscore between the parts up to 26.2, two from 26.3 on; the length 0 keeps `null_0` from being read."""
    assert told(settings("required", version, trust_store=OBJECT), version) == {
        f"X509CERT_LOOKUP{two}PROVIDER": "haproxy",
        f"X509CERT_LOOKUP{two}HAPROXY{two}SSL_CLIENT_CERT": "ssl-client-cert",
        f"X509CERT_LOOKUP{two}HAPROXY{two}CERTIFICATE_CHAIN_LENGTH": "0"}


@pytest.mark.parametrize("version", catalog.versions())
def test_where_nobody_checked_no_client_logs_in_by_its_subject(version):
    """With `optional` the authenticator that looks at nothing but the subject is off; with `required` it stays on."""
    name = "CLIENT_AUTHENTICATOR{0}CLIENT_X509{0}ENABLED".format("__" if catalog.load(version).at_least(26, 3) else "_")
    assert told(settings("optional", version, authorities=AUTHORITIES), version)[name] == "false"
    assert name not in told(settings("required", version, trust_store=OBJECT), version)


@pytest.mark.parametrize(("chosen", "length", "trusts"), [
    (behind("nginx"), "0", "true"), (behind("nginx", verifies=False), "2", "false"), (behind("apache"), "0", None),
    (behind("haproxy"), "0", None), (behind("traefik"), "2", None), (behind("rfc9440"), "2", None),
    (behind("envoy"), None, None)])
def test_verification_is_trusted_only_where_the_proxy_verifies(chosen, length, trusts):
    """nginx's own check is trusted if params say that it makes one; a chain has room only where one comes along."""
    kind = chosen.load_balancer.client_certificates.proxy.kind.upper()
    options = told(chosen)
    assert options["X509CERT_LOOKUP__PROVIDER"] == kind.lower()
    assert options.get(f"X509CERT_LOOKUP__{kind}__CERTIFICATE_CHAIN_LENGTH") == length
    assert options.get(f"X509CERT_LOOKUP__{kind}__TRUST_PROXY_VERIFICATION") == trusts


@pytest.mark.parametrize(("chosen", "headers"), [
    (behind("nginx"), ("ssl-client-cert", "ssl-client-verify")), (behind("nginx", header="x-cert", verifies=False),
                                                                  ("x-cert",)),
    (behind("envoy"), ("x-forwarded-client-cert",)), (behind("traefik"), ("X-Forwarded-Tls-Client-Cert",)),
    (behind("rfc9440"), ("Client-Cert", "Client-Cert-Chain")), (behind("apache", header="client-cert"),
                                                                ("client-cert",))])
def test_the_headers_that_are_believed_are_known(chosen, headers):
    """Every header that a login depends on is named, so that rules can refuse it where the proxy isn't in between."""
    assert certificates.lookup_headers(chosen.load_balancer.client_certificates) == headers


@pytest.mark.parametrize("version", catalog.versions())
def test_a_version_has_the_providers_of_its_distribution(version):
    """Three of them are always there, the other three came with 26.5 and 26.6."""
    wanted = {"apache", "haproxy", "nginx"}
    wanted |= {"rfc9440"} if catalog.load(version).at_least(26, 5) else set()
    wanted |= {"envoy", "traefik"} if catalog.load(version).at_least(26, 6) else set()
    assert set(certificates.lookup_providers(version)) == wanted <= set(PROVIDERS)


def frontends(chosen: Settings) -> dict[str, list[str]]:
    """Name of each frontend -> its lines, comments left out."""
    found: dict[str, list[str]] = {}
    name = ""
    for line in certificates.proxy_configuration(chosen, 8080, 9000, "/auth/health/ready").splitlines():
        if not line.startswith(" "):
            name = line.removeprefix("frontend ") if line.startswith("frontend ") else ""
        elif name and not line.strip().startswith("#"):
            found.setdefault(name, []).append(line.strip())
    return found


@pytest.mark.parametrize("chosen", [settings("required", trust_store=OBJECT),
                                    settings("optional", authorities=AUTHORITIES)], ids=["required", "optional"])
def test_no_listener_lets_a_header_about_certificates_through(chosen):
    """Both ways delete such headers in every spelling; only the one for certificates writes one, and after that."""
    found = frontends(chosen)
    for name in ("requests", "mutual-tls"):
        deleting = [line for line in found[name] if "del-header" in line]
        (pattern,) = re.findall(r'del-header "(.+)" -m reg', "\n".join(deleting))
        for header in ("ssl-client-cert", "ssl_client_cert", "x-amzn-mtls-clientcert", "x-forwarded-tls-client-cert",
                       "client-cert-chain", "ssl-client-verify", "x_ssl_client_verify"):
            assert re.search(pattern, header)
        for header in ("host", "x-forwarded-for", "x-forwarded-proto", "authorization", "cookie", "dpop"):
            assert not re.search(pattern, header)
    assert not any("set-header" in line for line in found["requests"])
    lines = found["mutual-tls"]
    order = [next(number for number, line in enumerate(lines) if word in line)
             for word in ("deny", "set-var", "del-header", "set-header")]
    assert order == sorted(order)


def test_the_proxy_takes_the_header_that_the_balancer_writes_in_that_mode():
    """The leaf where the balancer verified, the whole chain where it passes through; never the other one."""
    required = "\n".join(frontends(settings("required", trust_store=OBJECT))["mutual-tls"])
    optional = "\n".join(frontends(settings("optional", authorities=AUTHORITIES))["mutual-tls"])
    assert set(re.findall(r"fhdr\(([a-z-]+)\)", required)) == {"x-amzn-mtls-clientcert-leaf"}
    assert set(re.findall(r"fhdr\(([a-z-]+)\)", optional)) == {"x-amzn-mtls-clientcert"}


@pytest.mark.parametrize("chosen", [settings("required", trust_store=OBJECT),
                                    settings("optional", authorities=AUTHORITIES)], ids=["required", "optional"])
def test_no_dollar_stands_where_haproxy_reads_a_variable(chosen):
    """HAProxy puts environment variables into what stands in double quotes or in none; here there are none to put."""
    for line in certificates.proxy_configuration(chosen, 8080, 9000, "/x").splitlines():
        assert "$" not in re.sub(r"'[^']*'", "", line.split(" #")[0])
        assert line.count("'") % 2 == line.count('"') % 2 == 0 or line.strip().startswith("#")


def test_the_check_leads_to_readiness_and_nowhere_else():
    """What the balancer asks for is answered by Keycloak; metrics and realms are out of reach there."""
    assert frontends(settings("required", trust_store=OBJECT))["check"] == [
        "bind :8083", "http-request return status 200 if { path /alive }",
        "http-request deny deny_status 404 unless { path /auth/health/ready }", "default_backend health"]


def test_connections_outlive_the_balancers():
    """The proxy closes an idle connection later than the balancer, which would answer 502 otherwise."""
    chosen = Settings.model_validate(changed({
        "load_balancer.client_certificates": {"mode": "required", **LISTENER, "trust_store": OBJECT},
        "load_balancer.idle_timeout_seconds": 600}))
    text = certificates.proxy_configuration(chosen, 8080, 9000, "/health/ready")
    assert {int(found) for found in re.findall(r"timeout (?:http-keep-alive|client|server) (\d+)s", text)} == {610}
