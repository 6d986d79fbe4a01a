"""W9042: nodes that talk in plain text although they needn't."""

from __future__ import annotations

from collections.abc import Iterator

from generator.linting.rule import Hit, KeycloakRule
from generator.linting.rules import _cluster as cluster
from generator.linting.view import Keycloak


class PlainCluster(KeycloakRule):
    """Nodes talk to each other in plain text, since encryption is turned off.

    From 26.2 on nodes encrypt what they tell each other, with certificates that they make and renew
    themselves; nothing has to be set up. Turned off, whoever reaches port 7800 can listen to sessions and
    join the cluster as a node; the security group is the only door left. A change of it can't roll: all nodes
    stop first. The port of the failure detection, 57800, is never encrypted, whatever is set (JGroups'
    FD_SOCK2 has no TLS; seen on the wire with 26.7.4): what is said there is which node lives.

    Bad:

        TaskDefinition:
          Properties:
            ContainerDefinitions:
              - Name: keycloak
                Environment:
                  - {Name: KC_CACHE_EMBEDDED_MTLS_ENABLED, Value: "false"}

    Good:

        TaskDefinition:
          Properties:
            ContainerDefinitions:
              - Name: keycloak
                Environment:
                  - {Name: KC_CACHE_EMBEDDED_MTLS_ENABLED, Value: "true"}
    """

    id = "W9042"
    shortdesc = "Nodes encrypt what they tell each other"
    source_url = "https://www.keycloak.org/server/caching"
    since = (26, 2)

    def judge(self, keycloak: Keycloak) -> Iterator[Hit]:
        setting = keycloak.options.get(cluster.MTLS)
        if setting is not None and setting.flag is False and cluster.forms_cluster(keycloak):
            yield Hit.at(
                setting.place,
                f"whoever reaches port {keycloak.bind_port or 7800} can read sessions and join the cluster: "
                "nodes talk in plain text",
                f"take {setting.name} away, or write true",
            )
