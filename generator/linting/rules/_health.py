"""What several rules about health checks ask."""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

from generator.linting.view import Keycloak
from generator.linting.view.balancers import TargetGroup
from generator.linting.view.services import Service
from generator.resolving import Place


class Patience(NamedTuple):
    """How long a service waits for a task to get healthy."""

    service: Service
    group: TargetGroup
    grace: int
    """Seconds in which ECS doesn't look."""
    checks: int
    """Seconds that the target group's checks take to call a target unhealthy."""
    place: Place
    """Where the grace period is written, else the service."""


def patience(keycloak: Keycloak) -> Iterator[Patience]:
    """For each target group of its services; nothing where a number isn't known."""
    for service in keycloak.services:
        place = service.properties["HealthCheckGracePeriodSeconds"]
        grace = place.integer if place else 0
        for target in service.targets:
            group = target.group
            if grace is None or group is None or group.protocol not in ("HTTP", "HTTPS"):
                continue
            # Defaults: CreateTargetGroup in the Elastic Load Balancing API reference.
            interval = _number(group.properties["HealthCheckIntervalSeconds"], 30)
            count = _number(group.properties["UnhealthyThresholdCount"], 2)
            if interval is None or count is None:
                continue
            yield Patience(service, group, grace, interval * count, place if place else service.properties)


def _number(place: Place, default: int) -> int | None:
    return place.integer if place else default


def check(keycloak: Keycloak) -> str:
    """The command of the container's own health check as one text; empty where there is none, where it isn't
    known, or where it can't fail."""
    words = [one.text for one in keycloak.container["HealthCheck"]["Command"]]
    if not words or words[0] not in ("CMD", "CMD-SHELL") or None in words:
        return ""
    text = " ".join(word for word in words[1:] if word is not None)
    ends = "".join(text.split())
    return "" if ends.endswith(("||exit0", "||true", "||:", ";exit0", ";true")) else text
