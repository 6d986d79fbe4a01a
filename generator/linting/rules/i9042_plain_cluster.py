"""I9042: nodes that talk in plain text on versions where that is the default."""

from __future__ import annotations

from collections.abc import Iterator

from generator.linting.rule import Hit, KeycloakRule
from generator.linting.rules import _cluster as cluster
from generator.linting.view import Keycloak


class PlainClusterByDefault(KeycloakRule):
    """Nodes talk to each other in plain text, which is the default before 26.2.

    Whoever reaches port 7800 can listen to sessions and join the cluster as a node, so the security group is
    the only door: let in the tasks' own group alone. From 26.2 on nodes encrypt by themselves. Before,
    encryption needs a key store and a trust store in an image of one's own; without them the server ends with
    `Property cache-embedded-mtls-key-store-file required but not specified`.

    Bad:

        TaskDefinition:
          Properties:
            ContainerDefinitions:
              - Name: keycloak
                Image: 123456789012.dkr.ecr.eu-central-1.amazonaws.com/keycloak:26.1.4
                Environment:
                  - {Name: KC_CACHE_EMBEDDED_MTLS_ENABLED, Value: "false"}

    Good:

        TaskDefinition:
          Properties:
            ContainerDefinitions:
              - Name: keycloak
                Image: 123456789012.dkr.ecr.eu-central-1.amazonaws.com/keycloak:26.2.5
                Environment:
                  - {Name: KC_CACHE_EMBEDDED_MTLS_ENABLED, Value: "true"}
    """

    id = "I9042"
    shortdesc = "The version encrypts by itself what nodes tell each other"
    source_url = "https://www.keycloak.org/server/caching"
    since = (24, 0)
    before = (26, 2)

    def judge(self, keycloak: Keycloak) -> Iterator[Hit]:
        setting = keycloak.options.get(cluster.MTLS)
        off = setting.flag is False if setting is not None else keycloak.options.missing(cluster.MTLS)
        if off and cluster.forms_cluster(keycloak):
            yield Hit.at(
                setting.place if setting else keycloak.environment_place,
                f"nodes talk in plain text, the default of Keycloak {keycloak.release}: only the security "
                f"group keeps others from port {keycloak.bind_port or 7800}",
                "go to 26.2 or newer, where nodes encrypt by themselves",
            )
