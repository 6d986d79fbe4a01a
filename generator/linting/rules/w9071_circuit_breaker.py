"""W9071: deployments that never end."""

from __future__ import annotations

from collections.abc import Iterator

from generator.linting.rule import Hit, KeycloakRule
from generator.linting.rules._ecs import rolls, written
from generator.linting.view import Keycloak


class CircuitBreaker(KeycloakRule):
    """A deployment whose tasks never get healthy goes on for hours.

    Without the circuit breaker ECS starts one task after the other and CloudFormation waits for the service
    to get stable until its own time is up; the stack can't be changed in the meantime. With it ECS gives up
    after some failed tasks, and CloudFormation rolls back at once.

    Bad:

        Service:
          Properties:
            DeploymentConfiguration: {DeploymentCircuitBreaker: ~}

    Good:

        Service:
          Properties:
            DeploymentConfiguration:
              DeploymentCircuitBreaker: {Enable: true, Rollback: true}
    """

    id = "W9071"
    shortdesc = "A deployment that can't succeed ends by itself"
    source_url = "https://docs.aws.amazon.com/AmazonECS/latest/developerguide/deployment-circuit-breaker.html"

    def judge(self, keycloak: Keycloak) -> Iterator[Hit]:
        for service in keycloak.services:
            limits = service.properties["DeploymentConfiguration"]
            breaker = limits["DeploymentCircuitBreaker"]
            enable = breaker["Enable"]
            if limits.unknown or breaker.unknown or enable and enable.flag is not False:
                continue
            if rolls(service) is not True:
                continue
            yield Hit.at(
                written(enable, limits, service.properties),
                "a version that can't start is tried for hours while the stack is blocked: the circuit "
                "breaker is off",
                "write DeploymentCircuitBreaker: {Enable: true, Rollback: true}",
            )
