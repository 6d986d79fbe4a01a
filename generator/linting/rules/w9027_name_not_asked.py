"""W9027: a discovery name that nobody asks for."""

from __future__ import annotations

from collections.abc import Iterator

from generator.linting.rule import Hit, KeycloakRule
from generator.linting.rules import _cluster as cluster
from generator.linting.view import Keycloak


class NameNotAsked(KeycloakRule):
    """A name is given for DNS discovery, but nodes look for each other in the database.

    `jgroups.dns.query` is read by the stack `kubernetes` and by stacks that extend it. From 26.1 on the stack
    is `jdbc-ping` where none is chosen. The cluster forms, but in another way than the template shows: the
    Cloud Map service is for nothing, and whoever closes the database to one task splits the cluster.

    Bad:

        TaskDefinition:
          Properties:
            ContainerDefinitions:
              - Name: keycloak
                Environment:
                  - {Name: KC_CACHE_CONFIG_FILE, Value: ~}
                  - {Name: KC_CACHE_STACK, Value: jdbc-ping}

    Bad (Keycloak's own image, which has no other stack):

        TaskDefinition:
          Properties:
            ContainerDefinitions:
              - Name: keycloak
                Image: quay.io/keycloak/keycloak:26.7.4
                Command: [start]
                Environment:
                  - {Name: KC_CACHE_CONFIG_FILE, Value: ~}

    Good:

        TaskDefinition:
          Properties:
            ContainerDefinitions:
              - Name: keycloak
                Environment:
                  - {Name: KC_CACHE_CONFIG_FILE, Value: ~}
                  - {Name: KC_CACHE_STACK, Value: kubernetes}
                  - {Name: JAVA_OPTS_APPEND, Value: -Djgroups.dns.query=keycloak.sso.internal}
    """

    id = "W9027"
    shortdesc = "A name for DNS discovery is given where nodes ask DNS"
    source_url = "https://www.keycloak.org/server/caching"

    def judge(self, keycloak: Keycloak) -> Iterator[Hit]:
        query = keycloak.dns_query
        # Database discovery that the version doesn't have is E9029's affair.
        if keycloak.clustered is not True or query is None or keycloak.at_least(26, 1) is False:
            return
        used = cluster.stack(keycloak)
        if used in cluster.DATABASE_STACKS and keycloak.options.get("cache-config-file") is None:
            yield Hit.at(
                query.place,
                f"nobody asks for the name in jgroups.dns.query: with the stack {used}, nodes look for each "
                "other in the database",
                "write {Name: KC_CACHE_STACK, Value: kubernetes} for discovery by DNS, or take "
                "-Djgroups.dns.query away",
            )
