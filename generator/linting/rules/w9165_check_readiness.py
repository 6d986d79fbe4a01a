"""W9165: readiness as a reason to kill."""

from __future__ import annotations

import re
from collections.abc import Iterator

from generator.linting.rule import Hit, KeycloakRule
from generator.linting.rules._health import check
from generator.linting.view import Keycloak

_READY = re.compile(r"/health(?:/ready)?(?![\w/-])")


class CheckReadiness(KeycloakRule):
    """The container's health check asks whether Keycloak is ready, and ECS kills what isn't.

    Ready means that the database answers. When it doesn't for half a minute, because it fails over or is
    restarted, every task is unready at the same time, ECS kills them all, and the cluster with all it holds
    in memory is gone, instead of a pause. A migration at the start is unready too, for longer than a
    container's check may wait.

    A container's check is there to find a process that hangs: ask /health/live. Readiness is the load
    balancer's question, which takes a task out and lets it come back.

    Bad:

        TaskDefinition:
          Properties:
            ContainerDefinitions:
              - Name: keycloak
                HealthCheck:
                  Command: [CMD-SHELL, "curl -f http://localhost:9000/health/ready"]

    Good:

        TaskDefinition:
          Properties:
            ContainerDefinitions:
              - Name: keycloak
                HealthCheck:
                  Command: [CMD-SHELL, "curl -f http://localhost:9000/health/live"]
    """

    id = "W9165"
    shortdesc = "The container's health check asks whether Keycloak is alive"
    source_url = "https://www.keycloak.org/observability/health"

    def judge(self, keycloak: Keycloak) -> Iterator[Hit]:
        match = _READY.search(check(keycloak))
        if match and keycloak.container["Essential"].flag is not False:
            yield Hit.at(
                keycloak.container["HealthCheck"]["Command"],
                "a database that is away for a moment makes ECS kill all tasks at once: the check asks for "
                f"{match[0]}, "
                "which isn't there without it",
                "ask for /health/live, and leave /health/ready to the target group",
            )
