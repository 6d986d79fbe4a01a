"""Host names that lead to the balancers: those that Keycloak is told to have, those in listener rules, and where
clients show certificates."""

from __future__ import annotations

import re
from collections.abc import Iterator

from generator.rehearsing.topology import Address, Balancer, Topology

_LABEL = r"[A-Za-z0-9]([A-Za-z0-9-]*[A-Za-z0-9])?"
_RESOLVED = re.compile(rf"{_LABEL}(\.{_LABEL})+")
# A certificate may also name a host without a domain, and every host of a domain.
_CERTIFIED = re.compile(r"(\*\.)?[A-Za-z0-9]([A-Za-z0-9.-]*[A-Za-z0-9])?")

_VARIABLES = ("KC_HOSTNAME", "KC_HOSTNAME_ADMIN", "KC_HOSTNAME_URL", "KC_HOSTNAME_ADMIN_URL")


def resolved(topology: Topology) -> tuple[tuple[str, Address], ...]:
    """DNS name, in lower case, to the balancer that answers for it: AWS' own name of it, names in rules
    without a wildcard, and those that Keycloak is told to have, which lead to the first balancer where no
    rule names them."""
    found: dict[str, Address] = {}
    for balancer in topology.balancers:
        for name in filter(None, (balancer.dns_name, *filter(_RESOLVED.fullmatch, _of_rules(balancer)))):
            found.setdefault(name.lower(), balancer.host.address)
    if topology.balancers:
        for name in filter(_RESOLVED.fullmatch, _of_keycloak(topology)):
            found.setdefault(name.lower(), topology.balancers[0].host.address)
    return tuple(found.items())


def certified(topology: Topology) -> list[str]:
    """What the balancers' certificate is for: Keycloak's own names first, then those in rules, with wildcards
    that stand for a whole label; `localhost` where the template has none."""
    names = [
        *_of_keycloak(topology),
        *(name for balancer in topology.balancers for name in _of_rules(balancer)),
    ]
    return list(dict.fromkeys(filter(_CERTIFIED.fullmatch, names))) or ["localhost"]


def _of_keycloak(topology: Topology) -> Iterator[str]:
    for variable in _VARIABLES:
        # A host name, or the whole address.
        yield re.sub(r"^https?://|[:/].*$", "", topology.keycloak.variable(variable) or "", count=2)


def _of_rules(balancer: Balancer) -> Iterator[str]:
    for listener in balancer.listeners:
        if listener.mutual_tls is not None and listener.mutual_tls.host:
            yield listener.mutual_tls.host
        for rule in listener.rules:
            for condition in rule.conditions:
                if condition.field == "host-header":
                    yield from condition.values
