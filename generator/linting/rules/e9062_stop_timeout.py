"""E9062: time to stop."""

from __future__ import annotations

import re
from collections.abc import Iterator

from generator.linting.rule import Hit, KeycloakRule
from generator.linting.rules._balancer import written
from generator.linting.view import Keycloak

_UNITS = {"ms": 0.001, "s": 1, "m": 60, "h": 3600}
_FARGATE = 30


class StopTimeout(KeycloakRule):
    """ECS kills a node before it has stopped by itself.

    After SIGTERM Keycloak goes on serving for `shutdown-delay` (1 s), then finishes what it has begun for at
    most `shutdown-timeout` (1 s in 26.6, 10 s from 26.7 on, where it also waits until the caches have moved
    to the other nodes). ECS sends SIGKILL after `StopTimeout`, 30 s on Fargate where none is written. If that
    is not longer than both together, requests are cut off at each deployment, and the other nodes lose a
    member that didn't say goodbye.

    Bad:

        TaskDefinition:
          Properties:
            ContainerDefinitions:
              - Name: keycloak
                Image: quay.io/keycloak/keycloak:26.7.4
                StopTimeout: 10

    Bad (a long shutdown):

        TaskDefinition:
          Properties:
            ContainerDefinitions:
              - Name: keycloak
                StopTimeout: 60
                Environment:
                  - {Name: KC_SHUTDOWN_DELAY, Value: 31s}
                  - {Name: KC_SHUTDOWN_TIMEOUT, Value: 30s}

    Good:

        TaskDefinition:
          Properties:
            ContainerDefinitions:
              - Name: keycloak
                StopTimeout: 90
                Environment:
                  - {Name: KC_SHUTDOWN_DELAY, Value: 31s}
                  - {Name: KC_SHUTDOWN_TIMEOUT, Value: 30s}
    """

    id = "E9062"
    shortdesc = "StopTimeout is longer than Keycloak takes to stop"
    source_url = "https://www.keycloak.org/server/reverseproxy"
    since = (26, 6)

    def judge(self, keycloak: Keycloak) -> Iterator[Hit]:
        options = keycloak.options
        delay, timeout = (_seconds(options.effective(key)) for key in ("shutdown-delay", "shutdown-timeout"))
        place = keycloak.container["StopTimeout"]
        fargate = any(one.fargate is True for one in keycloak.services)
        stop = place.integer if place else _FARGATE if fargate else None
        if stop is None or delay is None or timeout is None or stop > delay + timeout:
            return
        setting = options.first("shutdown-timeout", "shutdown-delay")
        needed = int(delay + timeout) + 15
        yield Hit.at(
            written(place, setting.place if setting else place, keycloak.container),
            f"requests are cut off when a task stops: ECS kills it after {stop} s, and Keycloak takes up to "
            f"{delay:g} s + {timeout:g} s (shutdown-delay, shutdown-timeout)",
            f"write StopTimeout: {needed}"
            if needed <= 120
            else "write shorter times for shutdown-delay and shutdown-timeout",
        )


def _seconds(value: object) -> float | None:
    match = re.fullmatch(r"(\d{1,6})(ms|s|m|h)?", value.strip()) if isinstance(value, str) else None
    return int(match[1]) * _UNITS[match[2] or "s"] if match else None
