"""W9002: the proxy option that goes or is left over."""

from __future__ import annotations

from collections.abc import Iterator

from generator.linting.rule import Hit, KeycloakRule
from generator.linting.rules.e9002_proxy_option import instead, is_fatal
from generator.linting.view import Keycloak


class DeprecatedProxyOption(KeycloakRule):
    """The option `proxy` is deprecated, and gone with Keycloak 26.

    On 24 and 25 it still works and logs a warning at each start. On 26 it is ignored: the balancer's headers
    are then read only if `proxy-headers` says so (see E9002), and a leftover `KC_PROXY` is only a line in the
    log that hides others.

    `edge` becomes `proxy-headers=xforwarded` with `http-enabled=true`, `reencrypt` becomes
    `proxy-headers=xforwarded`, `passthrough` and `none` are left out.

    Bad (left over):

        TaskDefinition:
          Properties:
            ContainerDefinitions:
              - Name: keycloak
                Environment:
                  - {Name: KC_PROXY, Value: edge}

    Bad (on 25, where it works for the last time):

        TaskDefinition:
          Properties:
            ContainerDefinitions:
              - Name: keycloak
                Image: 123456789012.dkr.ecr.eu-central-1.amazonaws.com/keycloak:25.0.6
                Environment:
                  - {Name: KC_PROXY, Value: edge}
                  - {Name: KC_PROXY_HEADERS, Value: ~}

    Good:

        TaskDefinition:
          Properties:
            ContainerDefinitions:
              - Name: keycloak
                Environment:
                  - {Name: KC_PROXY_HEADERS, Value: xforwarded}
                  - {Name: KC_HTTP_ENABLED, Value: "true"}
    """

    id = "W9002"
    shortdesc = "Nothing is left of the option proxy"
    source_url = "https://www.keycloak.org/docs/latest/upgrading/#deprecated-proxy-option"
    since = (24, 0)

    def judge(self, keycloak: Keycloak) -> Iterator[Hit]:
        one = keycloak.options.get("proxy")
        if one is None:
            return
        if not keycloak.at_least(26):
            yield Hit.at(
                one.name_place,
                f"{one.name} is deprecated, and Keycloak 26 ignores it: after that upgrade nobody reads the"
                " balancer's headers",
                instead(one),
            )
        elif not is_fatal(keycloak, one):
            yield Hit.at(
                one.name_place,
                f"{one.name} has no effect: Keycloak {keycloak.release} has no option proxy and complains"
                " about it at each start",
                "take it away",
            )
