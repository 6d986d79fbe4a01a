"""E9165: the port of the container's health check."""

from __future__ import annotations

import re
from collections.abc import Iterator

from generator.linting.rule import Hit, KeycloakRule
from generator.linting.rules._health import check
from generator.linting.view import Keycloak

_PORT = re.compile(r"/dev/tcp/[^/\s]+/(\d+)|(?:localhost|127\.0\.0\.1|0\.0\.0\.0|\[::1\]):(\d+)")
_PATH = re.compile(r"/health(?:/(?:ready|live|started))?(?![\w-])")


class CheckPort(KeycloakRule):
    """The container's health check asks at a port where Keycloak doesn't answer it.

    From 25 on /health is on the management port, 9000; before, it is on the main port, 8080, and nothing
    listens on 9000. At the other one the answer is 404 or none: ECS calls the task unhealthy and replaces it,
    again and again.

    Bad (on 26):

        TaskDefinition:
          Properties:
            ContainerDefinitions:
              - Name: keycloak
                HealthCheck:
                  Command: [CMD-SHELL, "curl -f http://localhost:8080/health/live"]

    Bad (on 24):

        TaskDefinition:
          Properties:
            ContainerDefinitions:
              - Name: keycloak
                Image: 123456789012.dkr.ecr.eu-central-1.amazonaws.com/keycloak:24.0.5
                HealthCheck:
                  Command: [CMD-SHELL, "curl -f http://localhost:9000/health/live"]

    Good (on 26):

        TaskDefinition:
          Properties:
            ContainerDefinitions:
              - Name: keycloak
                HealthCheck:
                  Command: [CMD-SHELL, "curl -f http://localhost:9000/health/live"]
    """

    id = "E9165"
    shortdesc = "The container's health check asks where Keycloak answers"
    source_url = "https://www.keycloak.org/server/management-interface"

    def judge(self, keycloak: Keycloak) -> Iterator[Hit]:
        text = check(keycloak)
        port, path = _PORT.search(text), _PATH.search(text)
        main, on_main, management = keycloak.http_port, keycloak.health_on_main_port, keycloak.management_port
        if port is None or path is None:
            return
        asked = int((port[1] or port[2])[:6])
        # An image of one's own may have another port built in, and another container of the task may listen.
        alone = len(list(keycloak.task_properties["ContainerDefinitions"])) == 1
        sure = keycloak.options.stock and keycloak.options.complete and alone
        silent = sure and asked not in (main, keycloak.https_port, management)
        if on_main is False and management is not None and (asked == main != management or silent):
            right = management
        elif on_main is True and management is None and main is not None and (asked == 9000 != main or silent):
            right = main
        else:
            return
        yield Hit.at(
            keycloak.container["HealthCheck"]["Command"],
            f"every task is killed and replaced while Keycloak runs well: the check asks for {path[0]} at "
            f"port {asked}, "
            f"Keycloak {keycloak.release} answers at {right}",
            f"ask at port {right}",
        )
