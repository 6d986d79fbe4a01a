"""E9041: options about the cluster's addresses, on a version that doesn't have them."""

from __future__ import annotations

from collections.abc import Iterator

from generator.linting.rule import Hit, KeycloakRule
from generator.linting.view import Keycloak

_PROPERTIES = {
    "cache-embedded-network-bind-address": "jgroups.bind_addr",
    "cache-embedded-network-bind-port": "jgroups.bind.port",
    "cache-embedded-network-external-address": "jgroups.external_addr",
    "cache-embedded-network-external-port": "jgroups.external_port",
}


class NetworkOptionTooNew(KeycloakRule):
    """An option about the cluster's address or port is given to a version before 26.4, which doesn't have it.

    As a variable it is ignored without a word: nodes stay at port 7800 of their site-local address, whatever
    the security groups let through. On the command line it stops the start (`Unknown option`). Before 26.4
    these are system properties of Java.

    Bad:

        TaskDefinition:
          Properties:
            ContainerDefinitions:
              - Name: keycloak
                Image: 123456789012.dkr.ecr.eu-central-1.amazonaws.com/keycloak:26.2.5
                Environment:
                  - {Name: KC_CACHE_EMBEDDED_NETWORK_BIND_PORT, Value: "7900"}

    Good:

        TaskDefinition:
          Properties:
            ContainerDefinitions:
              - Name: keycloak
                Image: 123456789012.dkr.ecr.eu-central-1.amazonaws.com/keycloak:26.2.5
                Environment:
                  - Name: JAVA_OPTS_APPEND
                    Value: "-Djgroups.dns.query=keycloak.sso.internal -Djgroups.bind.port=7800"
    """

    id = "E9041"
    shortdesc = "Options about the cluster's address are given to versions that have them"
    source_url = "https://www.keycloak.org/docs/latest/upgrading/"
    before = (26, 4)

    def judge(self, keycloak: Keycloak) -> Iterator[Hit]:
        for key, name in _PROPERTIES.items():
            setting = keycloak.options.get(key)
            if setting is None:
                continue
            effect = "no task ever starts" if setting.argument else "it is ignored without a word"
            yield Hit.at(
                setting.name_place,
                f"{effect}: Keycloak {keycloak.release} has no option {setting.name}, it came with 26.4",
                f"write -D{name}={setting.value or '...'} into JAVA_OPTS_APPEND instead",
            )
