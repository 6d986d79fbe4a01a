"""Rules about the balancer: names and certificates, who can reach what, the path guard."""

from __future__ import annotations

import ipaddress
from collections.abc import Iterator

from generator.keycloak import environment
from generator.keycloak.catalog import Catalog
from generator.params.model import Settings
from generator.params.rules.base import Complaint, rule, warning


@rule("load_balancer.certificate", "load_balancer.hosted_zone", "load_balancer.dns_records", "keycloak.admin",
      "keycloak.hostname")
def names_and_certificates(settings: Settings, _: Catalog) -> Iterator[Complaint]:
    balancer, admin = settings.load_balancer, settings.keycloak.admin
    if admin.hostname == settings.keycloak.hostname:
        yield Complaint("keycloak.admin.hostname", "is the public host: the console would be open to everybody",
                        "use a host of its own, such as "
                        + settings.keycloak.hostname.replace("https://", "https://admin-", 1))
    if balancer.certificate == "create" and not balancer.hosted_zone:
        yield Complaint("load_balancer.certificate", "a certificate is validated by a record in a hosted zone",
                        "add load_balancer.hosted_zone, or give the ARN of a certificate")
    if balancer.dns_records and not balancer.hosted_zone:
        yield Complaint("load_balancer.dns_records", "records need a hosted zone", "add load_balancer.hosted_zone")
    if admin.certificate == "create" and not (admin.hosted_zone or balancer.hosted_zone):
        yield Complaint("keycloak.admin.certificate", "a certificate is validated by a record in a hosted zone",
                        "add keycloak.admin.hosted_zone")
    if not admin.hostname:
        for name in ("allow_from", "login_from"):
            if getattr(admin, name):
                yield Complaint(f"keycloak.admin.{name}", "there is no admin host that it would open",
                                "add keycloak.admin.hostname")
    elif not admin.allow_from:
        yield Complaint("keycloak.admin.allow_from", "nobody could reach the admin host",
                        "list the networks that may, such as [203.0.113.0/24]")


_NEVER_PUBLIC = tuple(ipaddress.IPv4Network(text) for text in (
    "10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16", "100.64.0.0/10", "127.0.0.0/8", "169.254.0.0/16"))
"""RFC 1918, RFC 6598, loopback and link-local: no packet from the internet has such a source."""


def _private(cidr: str) -> bool:
    network = ipaddress.IPv4Network(cidr)
    return any(network.subnet_of(block) for block in _NEVER_PUBLIC)


@rule("load_balancer.scheme", "load_balancer.allow_from", "keycloak.admin", "keycloak.master_realm")
def sources_can_match(settings: Settings, _: Catalog) -> Iterator[Complaint]:
    admin = settings.keycloak.admin
    if settings.load_balancer.scheme == "internet-facing":
        lists = [("keycloak.admin.login_from", admin.login_from), ("load_balancer.allow_from",
                                                                   settings.load_balancer.allow_from)]
        if admin.balancer == "shared":
            lists.append(("keycloak.admin.allow_from", admin.allow_from))
        for key, networks in lists:
            private = [network for network in networks if _private(network)]
            if private:
                fix = "list the public addresses clients come from"
                if key == "keycloak.admin.allow_from":
                    fix += ", or write keycloak.admin.balancer: internal for a balancer inside the network"
                yield Complaint(key, f"{', '.join(private)} can't match: an internet-facing balancer sees a client's "
                                "public address", fix)
    elif admin.balancer == "internal" and admin.hostname:
        yield warning("keycloak.admin.balancer", "the balancer is internal already; a second one costs and adds "
                      "nothing", "write shared")
    if (settings.admin_internal and settings.keycloak.master_realm == "admin_networks" and not admin.login_from):
        yield Complaint("keycloak.admin.login_from", "the console logs in on the public host, which would refuse "
                        "everybody", "list the public addresses administrators come from there, or write "
                        "keycloak.master_realm: everyone")
    if admin.hostname and any(ipaddress.IPv4Network(network).prefixlen == 0 for network in admin.allow_from):
        yield warning("keycloak.admin.allow_from", "everybody may reach the admin console", "list networks")


@rule("keycloak.version", "keycloak.options", "keycloak.master_realm", "load_balancer.path_guard",
      "load_balancer.scheme")
def path_tricks_are_guarded(settings: Settings, catalog: Catalog) -> Iterator[Complaint]:
    balancer = settings.load_balancer
    if balancer.path_guard == "off" and environment.path_tricks_reach_admin(settings):
        severity = "error" if balancer.scheme == "internet-facing" else "warning"
        yield Complaint("load_balancer.path_guard", "Keycloak takes /realms/../admin/ for the admin console, and "
                        "without the guard only the balancer's normalization, which wasn't tried, keeps it from the "
                        "public host", "write auto, or use Keycloak 26.4.3 or newer as it is", severity)
    elif balancer.path_guard == "off" and environment.path_parameters_reach_master(settings):
        yield warning("load_balancer.path_guard", "without it, /realms/master;x/ reaches the master realm from "
                      "everywhere", "write auto, or use Keycloak 26.6 or newer")


@rule("load_balancer.health_check", "load_balancer.forwarded_for", "load_balancer.allow_from")
def balancer_fits_together(settings: Settings, _: Catalog) -> Iterator[Complaint]:
    balancer = settings.load_balancer
    check = balancer.health_check
    if check.timeout_seconds >= check.interval_seconds:
        yield Complaint("load_balancer.health_check.timeout_seconds",
                        f"{check.timeout_seconds} s is not shorter than the interval of {check.interval_seconds} s",
                        f"write {max(2, check.interval_seconds - 1)} or less")
    if balancer.forwarded_for == "trust" and not balancer.allow_from:
        yield warning("load_balancer.forwarded_for", "everybody may connect and forge the client address that "
                      "Keycloak's events show", "limit load_balancer.allow_from to the proxy in front, or write refuse")
