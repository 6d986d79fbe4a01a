"""E9125: encryption between nodes, without the keys that old versions need."""

from __future__ import annotations

from collections.abc import Iterator

from generator.keycloak import advice
from generator.linting.rule import Hit, KeycloakRule
from generator.linting.rules import _cluster as cluster
from generator.linting.view import Keycloak


class EncryptionWithoutKeys(KeycloakRule):
    """Encryption between nodes is turned on in a version that doesn't make the keys for it.

    Before 26.2 nodes need a key store and a trust store in files of the image. Keycloak's own image has none,
    so the server ends with `Property cache-embedded-mtls-key-store-file required but not specified` (measured
    on 24.0.5, 26.0.8 and 26.1.4). From 26.2 on nodes make their keys themselves.

    Bad:

        TaskDefinition:
          Properties:
            ContainerDefinitions:
              - Name: keycloak
                Image: quay.io/keycloak/keycloak:26.0.8
                Command: [start]
                Environment:
                  - {Name: KC_CACHE_CONFIG_FILE, Value: ~}
                  - {Name: KC_CACHE_STACK, Value: kubernetes}
                  - {Name: KC_CACHE_EMBEDDED_MTLS_ENABLED, Value: "true"}

    Good:

        TaskDefinition:
          Properties:
            ContainerDefinitions:
              - Name: keycloak
                Image: quay.io/keycloak/keycloak:26.0.8
                Command: [start]
                Environment:
                  - {Name: KC_CACHE_CONFIG_FILE, Value: ~}
                  - {Name: KC_CACHE_STACK, Value: kubernetes}
                  - {Name: KC_CACHE_EMBEDDED_MTLS_ENABLED, Value: "false"}
    """

    id = "E9125"
    shortdesc = "Nodes that encrypt have the keys for it"
    source_url = "https://www.keycloak.org/server/caching"
    since = (24, 0)
    before = (26, 2)

    def judge(self, keycloak: Keycloak) -> Iterator[Hit]:
        setting = keycloak.options.get(cluster.MTLS)
        if setting is None or setting.flag is not True or keycloak.clustered is not True:
            return
        # Multicast stacks aren't encrypted at all; W9124 speaks where the option is ignored.
        if cluster.stack(keycloak) in (None, "udp", "jdbc-ping-udp") or cluster.has_files(keycloak):
            return
        if keycloak.version is None:
            return
        bugs = advice.known_bugs(keycloak.version)
        if any(bug.needs.option == advice.variable(cluster.MTLS) for bug in bugs):
            return
        if keycloak.options.missing("cache-embedded-mtls-key-store-file"):
            yield Hit.at(
                setting.place,
                f"no task ever starts: Keycloak {keycloak.release} doesn't make keys for the cluster itself "
                "and has no key store here",
                "write false and let only the tasks' own security group in at the cluster's ports, or go "
                "to 26.2 or newer",
            )
