"""E9108: a balancer that speaks one protocol to the port of another."""

from __future__ import annotations

from collections.abc import Iterator

from generator.linting.rule import Hit, KeycloakRule
from generator.linting.view import Keycloak


class TargetProtocol(KeycloakRule):
    """The target group speaks HTTP to Keycloak's HTTPS port, or HTTPS to its HTTP port.

    Keycloak listens for plain HTTP at `http-port` (8080) and for HTTPS at `https-port` (8443). The other
    protocol gets no answer that a balancer understands: no target is healthy, or every request answers 502.

    Bad:

        TargetGroup:
          Properties: {Protocol: HTTPS}

    Good:

        TargetGroup:
          Properties: {Protocol: HTTP}
    """

    id = "E9108"
    shortdesc = "The target group speaks the protocol of the port that it sends to"
    source_url = "https://www.keycloak.org/server/reverseproxy"

    def judge(self, keycloak: Keycloak) -> Iterator[Hit]:
        ports = {"HTTP": keycloak.http_port, "HTTPS": keycloak.https_port}
        if None in ports.values() or ports["HTTP"] == ports["HTTPS"]:
            return
        for target in keycloak.targets:
            group = target.group
            if group is None or group.protocol not in ports:
                continue
            other = "HTTPS" if group.protocol == "HTTP" else "HTTP"
            if target.container_port == ports[other]:
                yield Hit.at(
                    group.properties["Protocol"],
                    f"every request answers 502: {group.name} speaks {group.protocol} to port {ports[other]},"
                    f" where Keycloak speaks {other}",
                    f"write Protocol: {other}, or register port {ports[group.protocol]}",
                )
