"""W9028: the stack `kubernetes`, which will be gone."""

from __future__ import annotations

from collections.abc import Iterator

from generator.linting.rule import Hit, KeycloakRule
from generator.linting.rules import _cluster as cluster
from generator.linting.view import Keycloak


class DeprecatedStack(KeycloakRule):
    """The cache stack `kubernetes` is deprecated from 26.3 on and will be removed.

    It works today, with a warning at each start (`cache-stack=kubernetes: Use 'jdbc-ping' instead by leaving
    it unset`). With the version that removes it, no task starts: `No such JGroups stack 'kubernetes'`. A
    change of the stack can't roll: old and new nodes wouldn't find each other, so all of them stop first.

    There are two ways out: database discovery, which is the default, or a stack of one's own that extends
    `kubernetes`, in a file of the image that `KC_CACHE_CONFIG_FILE` names. The second one stays with DNS and
    isn't warned about.

    Bad:

        TaskDefinition:
          Properties:
            ContainerDefinitions:
              - Name: keycloak
                Environment:
                  - {Name: KC_CACHE_CONFIG_FILE, Value: ~}
                  - {Name: KC_CACHE_STACK, Value: kubernetes}

    Good (a stack of one's own):

        TaskDefinition:
          Properties:
            ContainerDefinitions:
              - Name: keycloak
                Environment:
                  - {Name: KC_CACHE_CONFIG_FILE, Value: cache-cloudmap.xml}

    Good (database discovery):

        TaskDefinition:
          Properties:
            ContainerDefinitions:
              - Name: keycloak
                Environment:
                  - {Name: KC_CACHE_CONFIG_FILE, Value: ~}
                  - {Name: KC_CACHE_STACK, Value: jdbc-ping}
                  - {Name: JAVA_OPTS_APPEND, Value: -Djgroups.bind_addr=SITE_LOCAL}
    """

    id = "W9028"
    shortdesc = "The cache stack is one that stays"
    source_url = "https://www.keycloak.org/docs/latest/upgrading/"
    since = (26, 3)

    def judge(self, keycloak: Keycloak) -> Iterator[Hit]:
        setting = cluster.stack_setting(keycloak)
        if keycloak.clustered is True and setting is not None and setting.value == "kubernetes":
            yield Hit.at(
                setting.place,
                f"the stack kubernetes is deprecated in Keycloak {keycloak.version}: with the version that "
                "removes it, no task starts",
                f"take {setting.name} away, which means database discovery; to stay with DNS, put a stack "
                "that extends kubernetes into a file of the image and name it in KC_CACHE_CONFIG_FILE",
            )
