"""E9049: the port at which Keycloak answers health checks."""

from __future__ import annotations

from collections.abc import Iterator

from generator.linting.rule import Hit, KeycloakRule
from generator.linting.view import Keycloak


class HealthPort(KeycloakRule):
    """The balancer asks for /health at a port where Keycloak doesn't answer it.

    From 25 on, /health is on the management port, 9000, and the main port answers 404; before, there is no
    such port. `legacy-observability-interface=true`, and from 26.4 on `http-management-health-enabled=false`,
    bring it back to the main port. A target group that asks at the wrong one never has a healthy target: ECS
    stops each task after its grace period and starts the next, for ever, and users get 503.

    Bad:

        TargetGroup:
          Properties:
            HealthCheckPort: traffic-port
            HealthCheckPath: /health/ready

    Bad (24 has no management port):

        TaskDefinition:
          Properties:
            ContainerDefinitions:
              - Name: keycloak
                Image: quay.io/keycloak/keycloak:24.0.5
        TargetGroup:
          Properties:
            HealthCheckPort: "9000"

    Good:

        TargetGroup:
          Properties:
            HealthCheckPort: "9000"
            HealthCheckPath: /health/ready
    """

    id = "E9049"
    shortdesc = "The balancer asks for /health where Keycloak answers it"
    source_url = "https://www.keycloak.org/server/management-interface"
    versions = "all; the management port is there from 25 on"

    def judge(self, keycloak: Keycloak) -> Iterator[Hit]:
        on_main = keycloak.health_on_main_port
        if on_main is None:
            return
        for target in keycloak.targets:
            group = target.group
            if group is None or "/health" not in (group.health_path or ""):
                continue
            asked = group.health_port(target.container_port)
            management = keycloak.management_port
            if asked is None:
                continue
            if on_main and asked != target.container_port and asked in (management or 9000, 9000):
                version = (
                    f"Keycloak {keycloak.release}"
                    if management is None
                    else "Keycloak, as it is set up here,"
                )
                yield Hit.at(
                    group.health_place,
                    f"no target ever gets healthy and tasks are replaced for ever: {version} answers "
                    f"{group.health_path} at its main port, {group.name} asks at {asked}",
                    "write HealthCheckPort: traffic-port",
                )
            elif not on_main and management is not None and asked == target.container_port != management:
                yield Hit.at(
                    group.health_place,
                    "no target ever gets healthy and tasks are replaced for ever: Keycloak answers "
                    f"{group.health_path} at its management port {management}, {group.name} asks at {asked}",
                    f'write HealthCheckPort: "{management}"',
                )
