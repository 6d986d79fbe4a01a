"""E9184: a balancer that asks at a port of the loopback interface."""

from __future__ import annotations

from collections.abc import Iterator

from generator.linting.rule import Hit, KeycloakRule
from generator.linting.view import Keycloak


class OutOfReach(KeycloakRule):
    """The balancer asks at a port that Keycloak opens for its own task only.

    With `http-host` 127.0.0.1 Keycloak listens on the loopback interface, and where `http-management-host` isn't
    set its management port does so, too: good behind a proxy in the same task, and out of reach for anybody
    else. A target group that names Keycloak's container, or a health check at its management port, never gets
    an answer: no task gets healthy, and ECS replaces them for ever.

    Bad (the requests):

        TaskDefinition:
          Properties:
            ContainerDefinitions:
              - Name: keycloak
                Environment:
                  - {Name: KC_HTTP_HOST, Value: 127.0.0.1}

    Bad (the health check):

        TaskDefinition:
          Properties:
            ContainerDefinitions:
              - Name: keycloak
                Environment:
                  - {Name: KC_HTTP_HOST, Value: 127.0.0.1}
              - Name: proxy
                Image: public.ecr.aws/docker/library/haproxy:3.0
                Essential: true
                PortMappings: [{ContainerPort: 8081}]
        Service:
          Properties:
            LoadBalancers: [{ContainerName: proxy, ContainerPort: 8081, TargetGroupArn: !Ref TargetGroup}]

    Good:

        TaskDefinition:
          Properties:
            ContainerDefinitions:
              - Name: keycloak
                Environment:
                  - {Name: KC_HTTP_HOST, Value: 127.0.0.1}
                  - {Name: KC_HTTP_MANAGEMENT_HOST, Value: 127.0.0.1}
              - Name: proxy
                Image: public.ecr.aws/docker/library/haproxy:3.0
                Essential: true
                PortMappings: [{ContainerPort: 8081}, {ContainerPort: 8083}]
        TargetGroup:
          Properties: {HealthCheckPort: "8083"}
        Service:
          Properties:
            LoadBalancers: [{ContainerName: proxy, ContainerPort: 8081, TargetGroupArn: !Ref TargetGroup}]
    """

    id = "E9184"
    shortdesc = "Keycloak listens where the balancer asks"
    source_url = "https://www.keycloak.org/server/all-config"

    def judge(self, keycloak: Keycloak) -> Iterator[Hit]:
        host = keycloak.options.get("http-host")
        if keycloak.loopback and host is not None:
            for target in keycloak.targets:
                if target.container_name and target.container_port == keycloak.http_port:
                    yield Hit.at(
                        host.place,
                        f"no request ever arrives: {host.name} opens port {target.container_port} for containers "
                        f"of the same task alone, and the balancer sends requests to it",
                        f"take {host.name} away, or register a proxy of the same task with the target group",
                    )
                    return
        # It follows http-host (mapped from it in the classes of 25.0.6 to 26.7.4; measured on 26.7.4).
        management = keycloak.options.get("http-management-host") or host
        port = keycloak.management_port
        if management is None or port is None or not _loopback(management.value):
            return
        for target in (*keycloak.targets, *keycloak.front_targets):
            if target.group is not None and target.group.health_port(target.container_port) == port:
                yield Hit.at(
                    target.group.health_place,
                    f"no task ever gets healthy: {target.group.name} asks at port {port}, which {management.name} "
                    "opens for the containers of the same task alone",
                    "let a proxy of the same task answer health checks, and name its port in HealthCheckPort; or write "
                    f"0.0.0.0 as the value of {management.name}",
                )
                return


def _loopback(value: str | None) -> bool:
    return (value or "").strip().lower().startswith(("127.", "localhost"))
