"""E9146: the port and the protocol of requests."""

from __future__ import annotations

from collections.abc import Iterator

from generator.linting.rule import Hit, KeycloakRule
from generator.linting.rules._balancer import written
from generator.linting.view import Keycloak


class TargetPort(KeycloakRule):
    """The balancer sends requests to a port where Keycloak doesn't speak that protocol.

    Keycloak speaks HTTP at 8080 (with `http-enabled=true`) and HTTPS at 8443. A target group with `Protocol:
    HTTP` at 8443, or with HTTPS at 8080, gets no answer that it understands: every request ends in 502. At
    the management port, 9000, there is no login at all, only 404.

    Bad:

        Service:
          Properties:
            LoadBalancers: [{ContainerName: keycloak, ContainerPort: 8443, TargetGroupArn: !Ref TargetGroup}]

    Bad (the other way round):

        TargetGroup:
          Properties:
            Protocol: HTTPS

    Bad (the management port):

        Service:
          Properties:
            LoadBalancers: [{ContainerName: keycloak, ContainerPort: 9000, TargetGroupArn: !Ref TargetGroup}]

    Bad (nothing listens there):

        TaskDefinition:
          Properties:
            ContainerDefinitions:
              - Name: keycloak
                Image: quay.io/keycloak/keycloak:26.7.4
        Service:
          Properties:
            LoadBalancers: [{ContainerName: keycloak, ContainerPort: 80, TargetGroupArn: !Ref TargetGroup}]

    Good:

        TargetGroup:
          Properties:
            Protocol: HTTP
        Service:
          Properties:
            LoadBalancers: [{ContainerName: keycloak, ContainerPort: 8080, TargetGroupArn: !Ref TargetGroup}]
    """

    id = "E9146"
    shortdesc = "Requests go to the port where Keycloak speaks their protocol"
    source_url = "https://www.keycloak.org/server/reverseproxy"

    def judge(self, keycloak: Keycloak) -> Iterator[Hit]:
        options = keycloak.options
        # What an image has built in may be another port, so what isn't set counts for Keycloak's own image only.
        sure = options.stock and options.complete
        for target in keycloak.targets:
            group, port = target.group, target.container_port
            if group is None or port is None or group.protocol not in ("HTTP", "HTTPS"):
                continue
            http, https = keycloak.http_port, keycloak.https_port
            known = options.complete and None not in (http, https) and http != https
            place = written(target.place["ContainerPort"], target.place)
            if known and port == https and group.protocol == "HTTP":
                yield Hit.at(
                    place,
                    f"every request ends in 502: {group.name} speaks HTTP, and Keycloak speaks HTTPS at {port}",
                    f"write ContainerPort: {http}, or Protocol: HTTPS into {group.name}",
                )
            elif known and port == http and group.protocol == "HTTPS":
                yield Hit.at(
                    written(group.properties["Protocol"], place),
                    f"every request ends in 502: {group.name} speaks HTTPS, and Keycloak speaks HTTP at {port}",
                    f"write Protocol: HTTP, or ContainerPort: {https} into LoadBalancers",
                )
            elif known and port == keycloak.management_port:
                # A group of its own for the management port may be meant for whoever collects the metrics.
                others = {one.container_port for one in keycloak.targets} - {port}
                if not others & {http, https}:
                    yield Hit.at(
                        place,
                        f"every login ends in 404: {port} is Keycloak's management port, which has health and metrics "
                        "only",
                        f"write ContainerPort: {http if group.protocol == 'HTTP' else https}",
                    )
            elif known and sure and port not in (http, https, keycloak.management_port):
                yield Hit.at(
                    place,
                    f"every request ends in 502: Keycloak listens at {http} and {https}, not at {port}",
                    f"write ContainerPort: {http if group.protocol == 'HTTP' else https}",
                )
