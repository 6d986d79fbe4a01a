"""E9010: two ways at once to learn who asks."""

from __future__ import annotations

from collections.abc import Iterator

from generator.linting.rule import Hit, KeycloakRule
from generator.linting.rules import _options as ask
from generator.linting.view import Keycloak


class ProxyProtocol(KeycloakRule):
    """The proxy's headers and the PROXY protocol are both switched on.

    From 26.2 on the server doesn't start with both; before, it starts, and drops each connection that doesn't
    begin with the protocol's own line. `proxy-protocol-enabled` and `proxy-headers` are for different
    balancers: an Application Load Balancer sends X-Forwarded-* headers and doesn't speak the PROXY protocol; a
    Network Load Balancer with `proxy_protocol_v2.enabled` speaks the protocol and sends no headers.

    Bad:

        TaskDefinition:
          Properties:
            ContainerDefinitions:
              - Name: keycloak
                Environment:
                  - {Name: KC_PROXY_PROTOCOL_ENABLED, Value: "true"}

    Good:

        TaskDefinition:
          Properties:
            ContainerDefinitions:
              - Name: keycloak
                Environment:
                  - {Name: KC_PROXY_HEADERS, Value: xforwarded}
    """

    id = "E9010"
    shortdesc = "Keycloak learns who asks in one way: by headers or by the PROXY protocol"
    source_url = "https://www.keycloak.org/server/reverseproxy"
    since = (26, 0)

    def judge(self, keycloak: Keycloak) -> Iterator[Hit]:
        protocol = keycloak.options.get("proxy-protocol-enabled")
        headers = ask.given(keycloak, "proxy-headers")
        if protocol is None or protocol.flag is not True or headers is None:
            return
        if any(one.application for one in keycloak.load_balancers):
            why, fix = "; the balancer in front sends headers", f"take {protocol.name} away"
        else:
            why, fix = "", f"take {headers.name} away, or {protocol.name} behind an Application Load Balancer"
        yield Hit.at(
            protocol.name_place,
            f"Keycloak doesn't take {protocol.name} together with {headers.name}{why}",
            fix,
        )
