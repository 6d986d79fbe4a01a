"""E9050: a health check that Keycloak never answers with success."""

from __future__ import annotations

from collections.abc import Iterator

from generator.linting.rule import Hit, KeycloakRule
from generator.linting.rules._balancer import accepts, health_checks, sure_relative_path
from generator.linting.view import Keycloak


class HealthPath(KeycloakRule):
    """The balancer asks for a path that Keycloak doesn't answer with success.

    From 24 on, `/` leads to the admin console (302) as soon as there is an administrator (upgrading guide 24.0.0,
    "Automatic redirect to the Admin Console"), so with the usual success code 200 every target becomes unhealthy
    then. A path with the wrong prefix is answered with 404: with
    `http-relative-path=/auth` the health page is `/auth/health/ready`, on the management port too unless
    `http-management-relative-path` says otherwise; without it, `/auth/health/ready` is nowhere (since
    Keycloak 17 there is no /auth by itself). ECS stops each task after its grace period and starts the next,
    for ever, and users get 503.

    Bad:

        TaskDefinition:
          Properties:
            ContainerDefinitions:
              - Name: keycloak
                Image: quay.io/keycloak/keycloak:24.0.5
        TargetGroup:
          Properties:
            HealthCheckPort: traffic-port
            HealthCheckPath: /

    Bad (the prefix is missing):

        TaskDefinition:
          Properties:
            ContainerDefinitions:
              - Name: keycloak
                Environment:
                  - {Name: KC_HTTP_RELATIVE_PATH, Value: /auth}
        TargetGroup:
          Properties:
            HealthCheckPath: /health/ready

    Bad (there is no prefix):

        TaskDefinition:
          Properties:
            ContainerDefinitions:
              - Name: keycloak
                Image: quay.io/keycloak/keycloak:26.7.4
        TargetGroup:
          Properties:
            HealthCheckPath: /auth/health/ready

    Good (before 24):

        TaskDefinition:
          Properties:
            ContainerDefinitions:
              - Name: keycloak
                Image: quay.io/keycloak/keycloak:23.0.7
        TargetGroup:
          Properties:
            HealthCheckPort: traffic-port
            HealthCheckPath: /

    Good:

        TaskDefinition:
          Properties:
            ContainerDefinitions:
              - Name: keycloak
                Environment:
                  - {Name: KC_HTTP_RELATIVE_PATH, Value: /auth}
        TargetGroup:
          Properties:
            HealthCheckPath: /auth/health/ready
    """

    id = "E9050"
    shortdesc = "The health check asks for a path that answers with success"
    source_url = "https://www.keycloak.org/observability/health"

    def judge(self, keycloak: Keycloak) -> Iterator[Hit]:
        main = sure_relative_path(keycloak)
        on_main = keycloak.health_on_main_port
        for target in keycloak.targets if keycloak.at_least(24) else ():
            group = target.group
            # Of the main port / is the way to the console; of the management port it is a page of its own.
            if group is None or group.health_path != "/" or accepts(group, 302) is not False:
                continue
            # A check by TCP asks for no path.
            if group.health_protocol not in ("HTTP", "HTTPS"):
                continue
            asked = group.health_port(target.container_port)
            if asked is not None and asked == target.container_port != keycloak.management_port:
                place = group.properties["HealthCheckPath"]
                yield Hit.at(
                    place if place else group.health_place,
                    "every task is stopped and replaced for ever: Keycloak answers / with 302 once there is an "
                    f"administrator, {group.name} takes 200 only",
                    _fix(keycloak),
                )
        prefix = main if on_main or keycloak.options.get("http-management-relative-path") is None else (
            keycloak.management_relative_path
        )
        if prefix is None:
            return
        for _, group, path in health_checks(keycloak):
            found = path.partition("/health")
            if found[1] and found[0] != prefix and found[2] in ("", "/ready", "/live", "/started"):
                if accepts(group, 404) is False:
                    yield Hit.at(
                        group.properties["HealthCheckPath"],
                        f"no target ever gets healthy and tasks are replaced for ever: {group.name} asks for {path}, "
                        f"Keycloak's health page is {prefix}/health/ready",
                        f"write HealthCheckPath: {prefix}/health/ready",
                    )


def _fix(keycloak: Keycloak) -> str:
    port = keycloak.management_port
    if keycloak.health_on_main_port is False and port is not None:
        prefix = keycloak.management_relative_path or ""
        return f'write HealthCheckPort: "{port}" and HealthCheckPath: {prefix}/health/ready'
    return f"write HealthCheckPath: {keycloak.relative_path or ''}/health/ready"
