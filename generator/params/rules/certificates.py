"""Rules about client certificates: what a mode needs, and what would let somebody in with another's certificate."""

from __future__ import annotations

from collections.abc import Iterator

from generator.keycloak import certificates
from generator.keycloak.catalog import Catalog, versions
from generator.params.model import ClientCertificates, Settings
from generator.params.rules.base import Complaint, rule, warning

_KEY = "load_balancer.client_certificates"
_PORTS = {80: "redirects to HTTPS", 443: "ordinary logins come in, which are never asked for a certificate"}


@rule(_KEY, "keycloak.hostname", "keycloak.admin", "load_balancer.certificate", "load_balancer.hosted_zone",
      "keycloak.image")
def a_listener_has_what_it_needs(settings: Settings, _: Catalog) -> Iterator[Complaint]:
    balancer = settings.load_balancer
    chosen = balancer.client_certificates
    if chosen.mode not in ("required", "optional"):
        return
    if not chosen.url:
        yield Complaint(f"{_KEY}.url", "nobody would know where certificates are asked for",
                        f"add it, such as {settings.keycloak.hostname}:8443")
    elif settings.mutual_tls_port in _PORTS:
        yield Complaint(f"{_KEY}.url", f"port {settings.mutual_tls_port} is where the balancer "
                        f"{_PORTS[settings.mutual_tls_port]}", f"write another port, such as "
                        f"https://{settings.mutual_tls_host}:8443")
    host = settings.mutual_tls_host
    if host and f"https://{host}" == settings.keycloak.admin.hostname:
        yield Complaint(f"{_KEY}.url", "is the admin console's host, which has networks of its own",
                        f"write {settings.keycloak.hostname}:8443, or a host of its own")
    if not chosen.image:
        yield Complaint(f"{_KEY}.image", "nothing would translate the balancer's header: Keycloak reads no "
                        "certificate from it", "name HAProxy's image with its digest, such as "
                        "public.ecr.aws/docker/library/haproxy:3.0@sha256:...")
    own_host = bool(host) and f"https://{host}" != settings.keycloak.hostname
    if chosen.certificate == "create" and not own_host:
        yield Complaint(f"{_KEY}.certificate", "the listener is at keycloak.hostname, whose certificate covers it",
                        "take it out")
    elif (chosen.certificate == "create" or own_host and balancer.certificate == "create" and not chosen.certificate
          ) and not (chosen.hosted_zone or balancer.hosted_zone):
        yield Complaint(f"{_KEY}.hosted_zone", "a certificate is validated by a record in a hosted zone",
                        "add it, or give the ARN of a certificate")
    if chosen.mode == "required":
        if not chosen.trust_store:
            yield Complaint(f"{_KEY}.trust_store", "the balancer would not know whom to let in",
                            "name bucket, key and version of a PEM file in S3")
        if chosen.authorities:
            yield Complaint(f"{_KEY}.authorities", "nobody would read them: the balancer checks certificates, by its "
                            "trust store", "take it out")
    else:
        for name in ("trust_store", "revocation"):
            if getattr(chosen, name):
                yield Complaint(f"{_KEY}.{name}", "nobody would read it: with `optional` the balancer checks nothing",
                                "take it out, or write mode: required")
        yield from _checked_by_keycloak(settings, chosen)


@rule(_KEY, "keycloak.version", "keycloak.image", "load_balancer.allow_from", "load_balancer.forwarded_for")
def a_proxy_in_front_is_the_only_way(settings: Settings, catalog: Catalog) -> Iterator[Complaint]:
    balancer = settings.load_balancer
    chosen, proxy = balancer.client_certificates, balancer.client_certificates.proxy
    if chosen.mode != "proxy":
        return
    if proxy is None:
        yield Complaint(f"{_KEY}.proxy", "Keycloak would not know which header it reads",
                        "say what proxy it is, such as {kind: nginx}")
        return
    offered = certificates.lookup_providers(catalog.version)
    if proxy.kind not in offered:
        known = [version for version in versions() if proxy.kind in certificates.lookup_providers(version)]
        yield Complaint(f"{_KEY}.proxy.kind", f"Keycloak {catalog.version} can't read what {proxy.kind} sends (it came "
                        f"with {'.'.join(known[0].split('.')[:2])})",
                        f"write one of {', '.join(offered)}, or use a newer version")
    if proxy.header and proxy.kind in certificates.FIXED_HEADERS:
        yield Complaint(f"{_KEY}.proxy.header", f"Keycloak reads {certificates.FIXED_HEADERS[proxy.kind][0]} from "
                        f"{proxy.kind} and no other", "take it out")
    if not balancer.allow_from or "0.0.0.0/0" in balancer.allow_from:
        yield Complaint("load_balancer.allow_from", "whoever reaches the balancer without the proxy writes the header "
                        "with somebody else's certificate and is logged in as them",
                        "list the proxy's addresses and no others")
    if balancer.forwarded_for != "trust":
        yield Complaint("load_balancer.forwarded_for", "everything that the proxy sends would be answered with 400: "
                        "it says who asked in X-Forwarded-For", "write trust")
    for name in ("trust_store", "revocation"):
        if getattr(chosen, name):
            yield Complaint(f"{_KEY}.{name}", "nobody would read it: the proxy asks for certificates",
                            "take it out; the proxy has a trust store of its own")
    if proxy.verifies:
        if chosen.authorities:
            yield Complaint(f"{_KEY}.authorities", "nobody would read them: the proxy checks certificates",
                            "take it out")
    elif proxy.kind != "nginx":
        yield Complaint(f"{_KEY}.proxy.verifies", "anybody makes a certificate with somebody else's name in it: the "
                        f"proxy wouldn't check it, and Keycloak doesn't check what {proxy.kind} sends",
                        "let the proxy check chain and revocation, and write true")
    else:
        yield from _checked_by_keycloak(settings, chosen)


def _checked_by_keycloak(settings: Settings, chosen: ClientCertificates) -> Iterator[Complaint]:
    """What it takes where nobody before Keycloak checks a certificate."""
    if not chosen.authorities:
        yield Complaint(f"{_KEY}.authorities", "Keycloak would not know whose certificates it may accept",
                        "name a PEM file of the authorities inside the project folder")
    elif settings.keycloak.image.kind != "optimized":
        yield Complaint(f"{_KEY}.authorities", "the stock image holds no files of yours",
                        "write keycloak.image.kind: optimized")
    else:
        yield warning(f"{_KEY}.mode", "nobody but the realm's X.509 step checks a certificate, and only if it is told "
                      "to: without that anybody logs in as anybody",
                      "turn \"Revalidate Client Certificate\" on in every X.509 step (runbook), or write required")


@rule(_KEY, "keycloak.options", "keycloak.secret_options")
def options_dont_contradict_the_lookup(settings: Settings, _: Catalog) -> Iterator[Complaint]:
    chosen = settings.load_balancer.client_certificates
    if chosen.mode == "off":
        return
    taken = {"KC_HTTP_HOST", "KC_HTTP_MANAGEMENT_HOST"} if certificates.asked_at_balancer(settings) else set()
    for section in ("options", "secret_options"):
        for name in getattr(settings.keycloak, section):
            if name in taken or name.startswith(certificates.OWNED):
                yield Complaint(f"keycloak.{section}.{name}", "is set by the generator",
                                f"take it out and see the key {_KEY}")


@rule(_KEY, "network.create.nat", "network.existing.internet")
def the_proxy_can_be_pulled(settings: Settings, _: Catalog) -> Iterator[Complaint]:
    image = settings.load_balancer.client_certificates.image
    has_network = settings.network.create or settings.network.existing
    if image and settings.mutual_tls_port and has_network and not settings.internet and ".dkr.ecr." not in image:
        yield Complaint(f"{_KEY}.image", f"without a way to the internet nothing is pulled from {image.split('/')[0]}",
                        "push the image to ECR and name it there")
