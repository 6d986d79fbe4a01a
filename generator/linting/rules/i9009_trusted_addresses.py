"""I9009: headers that are believed from everybody."""

from __future__ import annotations

from collections.abc import Iterator

from generator.linting.rule import Hit, KeycloakRule
from generator.linting.rules import _options as ask
from generator.linting.rules.w9009_trusted_addresses import believes_everybody, networks_of
from generator.linting.view import Keycloak


class NobodyNamed(KeycloakRule):
    """Only the security group keeps strangers from telling Keycloak who they are.

    Unless `proxy-trusted-addresses` is set, Keycloak believes the X-Forwarded-* headers of whoever reaches
    its port. As long as that is the balancer alone nothing is wrong; the next rule in the tasks' security
    group changes that, and nobody will think of this option then.

    Bad:

        TaskDefinition:
          Properties:
            ContainerDefinitions:
              - Name: keycloak
                Image: quay.io/keycloak/keycloak:26.7.4
                Environment:
                  - {Name: KC_PROXY_TRUSTED_ADDRESSES, Value: ~}

    Good:

        TaskDefinition:
          Properties:
            ContainerDefinitions:
              - Name: keycloak
                Image: quay.io/keycloak/keycloak:26.7.4
                Environment:
                  - {Name: KC_PROXY_TRUSTED_ADDRESSES, Value: "10.0.0.0/24,10.0.1.0/24"}
    """

    id = "I9009"
    shortdesc = "The balancer's addresses are named in proxy-trusted-addresses"
    source_url = "https://www.keycloak.org/server/reverseproxy"
    since = (26, 0)

    def judge(self, keycloak: Keycloak) -> Iterator[Hit]:
        headers = keycloak.options.get("proxy-headers")
        if headers is not None and believes_everybody(keycloak):
            yield Hit.at(
                headers.place,
                "Keycloak believes the X-Forwarded-* headers of whoever reaches its port, not of the balancer"
                " alone",
                f"write {ask.entry('proxy-trusted-addresses', networks_of(keycloak))}",
            )
