"""E9083: health checks with programs that aren't there."""

from __future__ import annotations

import re
from collections.abc import Iterator

from generator.linting.rule import Hit, KeycloakRule
from generator.linting.rules._health import check
from generator.linting.view import Keycloak


class NoCurl(KeycloakRule):
    """The container's health check calls curl or wget, which Keycloak's image doesn't have.

    From 21 on the image holds bash, Java and Keycloak, and no program that speaks HTTP. The check fails each
    time, ECS calls the task unhealthy and replaces it, again and again, while Keycloak runs well. Bash itself
    can ask.

    Bad:

        TaskDefinition:
          Properties:
            ContainerDefinitions:
              - Name: keycloak
                Image: quay.io/keycloak/keycloak:26.7.4
                HealthCheck:
                  Command: [CMD-SHELL, "curl -fs http://localhost:9000/health/live || exit 1"]

    Good:

        TaskDefinition:
          Properties:
            ContainerDefinitions:
              - Name: keycloak
                Image: quay.io/keycloak/keycloak:26.7.4
                HealthCheck:
                  Command:
                    - CMD-SHELL
                    - >-
                      bash -c "{ printf 'HEAD /health/live HTTP/1.0\\r\\n\\r\\n' >&0; grep -q 'HTTP/1.0 200'; }
                      0<>/dev/tcp/localhost/9000"
    """

    id = "E9083"
    shortdesc = "The container's health check uses what the image has"
    source_url = "https://www.keycloak.org/observability/health"

    def judge(self, keycloak: Keycloak) -> Iterator[Hit]:
        if not keycloak.image.stock or keycloak.at_least(21) is False:
            return
        match = re.match(r"\s*(?:\S*/)?(curl|wget)\s", check(keycloak))
        if match:
            yield Hit.at(
                keycloak.container["HealthCheck"]["Command"],
                f"every task is killed and replaced while Keycloak runs well: the check calls {match[1]}, "
                "which the image "
                "doesn't have",
                "ask with bash: { printf 'HEAD /health/live HTTP/1.0\\r\\n\\r\\n' >&0; grep -q 'HTTP/1.0 "
                "200'; } "
                f"0<>/dev/tcp/localhost/{keycloak.management_port or keycloak.http_port or 8080}",
            )
