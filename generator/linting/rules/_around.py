"""Ways to Keycloak's ports past its balancer; no rules in here."""

from __future__ import annotations

from collections.abc import Iterator

from generator.linting.view import Keycloak
from generator.linting.view.firewall import Permission
from generator.linting.view.services import Service


def open_ports(keycloak: Keycloak) -> Iterator[tuple[Service, Permission, str]]:
    """(service, permission, its ports of Keycloak's) by which everybody may connect to a task. None where a network
    balancer stands in front, or one that isn't known: clients may connect through it with their own addresses."""
    firewall = keycloak.view.firewall
    ports = [one for one in (keycloak.http_port, keycloak.https_port, keycloak.management_port) if one is not None]
    for service in keycloak.services:
        if any(one.group is None or one.group.protocol not in ("HTTP", "HTTPS") for one in service.targets):
            continue
        found: dict[tuple, tuple[Permission, list[int]]] = {}
        for port in ports:
            for one in firewall.lets_in_from(service.party, port):
                if one.from_anywhere:
                    found.setdefault(one.path, (one, []))[1].append(port)
        for permission, through in found.values():
            yield service, permission, f"port {' and '.join(map(str, through))}"
