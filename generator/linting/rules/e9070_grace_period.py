"""E9070: a service that gives up before Keycloak can be ready."""

from __future__ import annotations

from collections.abc import Iterator

from generator.linting.rule import Hit, KeycloakRule
from generator.linting.rules._health import patience
from generator.linting.view import Keycloak

_FASTEST_FIRST_START = 25
"""Seconds until a never built Keycloak opens its ports, at the very least: 26 to 32 s with 26.7.4 on two
CPUs, and 37 s for the build alone with 24.0.5 (measured)."""


class GracePeriod(KeycloakRule):
    """ECS kills each task before Keycloak can have started.

    Started without `--optimized`, Keycloak's own image first builds its server: 26 seconds on two CPUs at the
    very least, several times that on a small Fargate task. Until then the target group's checks fail. Without
    a grace period ECS takes the first unhealthy verdict as the end of the task and starts another one, which
    has as little time: the service never gets stable and the deployment fails.

    Bad:

        Service:
          Properties: {HealthCheckGracePeriodSeconds: 0}
        TaskDefinition:
          Properties:
            ContainerDefinitions:
              - {Name: keycloak, Image: "quay.io/keycloak/keycloak:26.7.4", Command: [start]}

    Good:

        Service:
          Properties: {HealthCheckGracePeriodSeconds: 600}
        TaskDefinition:
          Properties:
            ContainerDefinitions:
              - {Name: keycloak, Image: "quay.io/keycloak/keycloak:26.7.4", Command: [start]}
    """

    id = "E9070"
    shortdesc = "ECS waits until Keycloak can have started"
    source_url = "https://docs.aws.amazon.com/AmazonECS/latest/APIReference/API_CreateService.html"

    def judge(self, keycloak: Keycloak) -> Iterator[Hit]:
        if not keycloak.image.stock or keycloak.optimized or not keycloak.command.complete:
            return
        for found in patience(keycloak):
            seconds = found.grace + found.checks
            if seconds < _FASTEST_FIRST_START:
                yield Hit.at(
                    found.place,
                    f"no task ever gets healthy: ECS kills it after about {seconds} s, and Keycloak needs at "
                    "least "
                    f"{_FASTEST_FIRST_START} s to build and start",
                    "write HealthCheckGracePeriodSeconds: 600",
                )
                return
