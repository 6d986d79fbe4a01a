"""E9029: database discovery on a version that doesn't have it."""

from __future__ import annotations

from collections.abc import Iterator

from generator.linting.rule import Hit, KeycloakRule
from generator.linting.rules import _cluster as cluster
from generator.linting.view import Keycloak


class DatabaseDiscoveryTooNew(KeycloakRule):
    """The stack `jdbc-ping` is chosen on a version before 26.1, which doesn't have it.

    Up to 24 the server refuses the value (`Invalid value for option 'kc.cache-stack': jdbc-ping`), 25 and
    26.0 end with `ISPN000540: No such JGroups stack 'jdbc-ping'` (measured on 24.0.5, 25.0.6 and 26.0.8).
    From 26.1 on it is the default.

    An image of one's own on 25 or 26.0 may bring a stack of that name in its cache configuration, so the rule
    speaks of Keycloak's own image only there.

    Bad:

        TaskDefinition:
          Properties:
            ContainerDefinitions:
              - Name: keycloak
                Image: quay.io/keycloak/keycloak:26.0.8
                Command: [start]
                Environment:
                  - {Name: KC_CACHE_CONFIG_FILE, Value: ~}
                  - {Name: KC_CACHE_STACK, Value: jdbc-ping}

    Bad (on 24):

        TaskDefinition:
          Properties:
            ContainerDefinitions:
              - Name: keycloak
                Image: quay.io/keycloak/keycloak:24.0.5
                Command: [start, --cache-stack, jdbc-ping]

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
    """

    id = "E9029"
    shortdesc = "Database discovery is chosen on versions that have it"
    source_url = "https://www.keycloak.org/docs/latest/upgrading/"
    before = (26, 1)

    def judge(self, keycloak: Keycloak) -> Iterator[Hit]:
        setting = cluster.stack_setting(keycloak)
        if setting is None or setting.value not in cluster.DATABASE_STACKS or keycloak.clustered is not True:
            return
        own_file = not keycloak.image.stock or keycloak.options.get("cache-config-file") is not None
        if keycloak.at_least(25) and own_file:
            return
        yield Hit.at(
            setting.place,
            f"no task ever starts: Keycloak {keycloak.release} has no stack {setting.value}, it came with "
            "26.1",
            "write kubernetes, with -Djgroups.dns.query=<Cloud Map service>.<namespace> in "
            "JAVA_OPTS_APPEND, or go to 26.1 or newer",
        )
