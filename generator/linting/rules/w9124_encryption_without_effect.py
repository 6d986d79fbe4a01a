"""W9124: encryption that some versions ignore."""

from __future__ import annotations

from collections.abc import Iterator

from generator.keycloak import advice
from generator.linting.rule import Hit, KeycloakRule
from generator.linting.rules import _cluster as cluster
from generator.linting.view import Keycloak


class EncryptionWithoutEffect(KeycloakRule):
    """Encryption between nodes is turned on, and this version ignores it.

    From 25.0.0 to 26.0.5 the server reads the option under another name than it is given, so nodes talk in
    plain text although `cache-embedded-mtls-enabled` is true, and the log says nothing. Whoever reaches port
    7800 can listen to sessions and join the cluster.

    Bad:

        TaskDefinition:
          Properties:
            ContainerDefinitions:
              - Name: keycloak
                Image: 123456789012.dkr.ecr.eu-central-1.amazonaws.com/keycloak:26.0.5
                Environment:
                  - {Name: KC_CACHE_EMBEDDED_MTLS_ENABLED, Value: "true"}

    Good:

        TaskDefinition:
          Properties:
            ContainerDefinitions:
              - Name: keycloak
                Image: 123456789012.dkr.ecr.eu-central-1.amazonaws.com/keycloak:26.2.5
                Environment:
                  - {Name: KC_CACHE_EMBEDDED_MTLS_ENABLED, Value: "true"}
    """

    id = "W9124"
    shortdesc = "Encryption between nodes has an effect in this version"
    source_url = "https://github.com/keycloak/keycloak/issues/34644"
    since = (25, 0)
    before = (26, 2)

    def judge(self, keycloak: Keycloak) -> Iterator[Hit]:
        setting = keycloak.options.get(cluster.MTLS)
        if setting is None or setting.flag is not True or not cluster.forms_cluster(keycloak):
            return
        for bug in advice.known_bugs(keycloak.version) if keycloak.version else ():
            if bug.needs.option == advice.variable(cluster.MTLS):
                yield Hit.at(
                    setting.place,
                    f"nodes talk in plain text all the same: Keycloak {keycloak.version} ignores "
                    f"{setting.name}",
                    f"go to {' or '.join(bug.fixed)} or newer; from 26.2 on nodes encrypt by themselves",
                )
