"""W9041: a cluster port that some versions ignore."""

from __future__ import annotations

from collections.abc import Iterator

from generator.keycloak import advice
from generator.linting.rule import Hit, KeycloakRule
from generator.linting.view import Keycloak
from generator.linting.view.keycloak import BIND_PORT

_KEY = "cache-embedded-network-bind-port"


class BindPortIgnored(KeycloakRule):
    """The option for the cluster's port has no effect in this patch level, so nodes stay at port 7800.

    26.4.0 to 26.4.10 and 26.5.0 to 26.5.5 have a bug: `cache-embedded-network-bind-port` is read and then
    ignored. Security groups and port mappings that follow the option let through a port at which nobody
    listens.

    Bad:

        TaskDefinition:
          Properties:
            ContainerDefinitions:
              - Name: keycloak
                Image: 123456789012.dkr.ecr.eu-central-1.amazonaws.com/keycloak:26.4.7
                Environment:
                  - {Name: KC_CACHE_EMBEDDED_NETWORK_BIND_PORT, Value: "7900"}

    Good:

        TaskDefinition:
          Properties:
            ContainerDefinitions:
              - Name: keycloak
                Image: 123456789012.dkr.ecr.eu-central-1.amazonaws.com/keycloak:26.4.11
                Environment:
                  - {Name: KC_CACHE_EMBEDDED_NETWORK_BIND_PORT, Value: "7800"}
    """

    id = "W9041"
    shortdesc = "The option for the cluster's port has an effect in this patch level"
    source_url = "https://github.com/keycloak/keycloak/issues/46663"
    since = (26, 4)

    def judge(self, keycloak: Keycloak) -> Iterator[Hit]:
        setting = keycloak.options.get(_KEY)
        if setting is None or setting.value in (None, "", str(BIND_PORT)) or keycloak.version is None:
            return
        for bug in advice.known_bugs(keycloak.version):
            if bug.needs.option == advice.variable(_KEY):
                yield Hit.at(
                    setting.place,
                    f"nodes stay at port {BIND_PORT}, which may be closed: Keycloak {keycloak.version} "
                    f"ignores {setting.name}",
                    f"write -Djgroups.bind.port={setting.value} into JAVA_OPTS_APPEND instead, or go to "
                    f"{' or '.join(bug.fixed)}",
                )
