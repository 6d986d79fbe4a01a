"""W9050: a health check that says little about health."""

from __future__ import annotations

from collections.abc import Iterator

from generator.linting.rule import Hit, KeycloakRule
from generator.linting.rules._balancer import accepts, health_checks
from generator.linting.view import Keycloak
from generator.linting.view.balancers import TargetGroup


class HealthPathSaysLittle(KeycloakRule):
    """The balancer asks for a page that is there long before Keycloak is ready, or after it stopped being so.

    Only `/health/ready` says whether a node can serve logins: the start is over, the cluster is joined, and
    with metrics on the database answers. `/health/live` and `/health/started` are up as soon as the process
    runs; from 26.6 on that is before the database is migrated, so a deployment counts as done and the old
    tasks go while the new ones still answer 503. Another page, say `/realms/master`, may be right today and
    blocked, renamed or cached tomorrow.

    Bad:

        TargetGroup:
          Properties:
            HealthCheckPath: /health/live

    Bad (all checks in one):

        TargetGroup:
          Properties:
            HealthCheckPath: /health

    Bad (not the health page):

        TaskDefinition:
          Properties:
            ContainerDefinitions:
              - Name: keycloak
                Image: quay.io/keycloak/keycloak:24.0.5
        TargetGroup:
          Properties:
            HealthCheckPort: traffic-port
            HealthCheckPath: /realms/master

    Good:

        TargetGroup:
          Properties:
            HealthCheckPath: /health/ready
    """

    id = "W9050"
    shortdesc = "The balancer asks whether a node is ready"
    source_url = "https://www.keycloak.org/observability/health"

    def judge(self, keycloak: Keycloak) -> Iterator[Hit]:
        if keycloak.health_on_main_port is None:
            return
        right = {group.name for _, group, path in health_checks(keycloak) if path.endswith("/health/ready")}
        for target in keycloak.targets:
            group = target.group
            if group is None or group.health_path is None or group.name in right:
                continue
            if group.health_protocol not in ("HTTP", "HTTPS"):
                continue
            asked = group.health_port(target.container_port)
            on_management = asked == keycloak.management_port
            # A health page at the wrong port, or / where only 200 counts, never succeeds: errors speak of that.
            wrong_port = "/health" in group.health_path and on_management is keycloak.health_on_main_port
            never = group.health_path == "/" and not on_management and accepts(group, 302) is not True
            if asked in (target.container_port, keycloak.management_port) and not wrong_port and not never:
                yield self._hit(keycloak, group, group.health_path)

    def _hit(self, keycloak: Keycloak, group: TargetGroup, path: str) -> Hit:
        prefix = (keycloak.relative_path if keycloak.health_on_main_port else keycloak.management_relative_path) or ""
        port = None if keycloak.health_on_main_port else keycloak.management_port
        fix = f"write HealthCheckPath: {prefix}/health/ready"
        place = group.properties["HealthCheckPath"]
        return Hit.at(
            place if place else group.health_place,
            f"users get errors from tasks that count as healthy: {group.name} asks for {path}, which doesn't say "
            "whether Keycloak is ready",
            f'{fix} and HealthCheckPort: "{port}"' if port is not None else fix,
        )
