"""W9126: a failure detection that is turned off."""

from __future__ import annotations

from collections.abc import Iterator

from generator.linting.rule import Hit, KeycloakRule
from generator.linting.rules import _cluster as cluster
from generator.linting.view import Keycloak

_KEY = "spi-cache-embedded-default-fd-sock-enabled"


class FailureDetectionOff(KeycloakRule):
    """The quick failure detection is turned off, so a lost node is noticed by missing heartbeats alone.

    With database discovery, `fd-sock-enabled=false` takes FD_SOCK2 out of the stack, which sees within a
    second or two that another node's connection broke. The heartbeats that are left decide after 40 seconds
    (a link that was cut took 41.5, measured on 26.7.4). Until then the other nodes wait for the lost one, and
    so does every login.

    Bad:

        TaskDefinition:
          Properties:
            ContainerDefinitions:
              - Name: keycloak
                Environment:
                  - {Name: KC_CACHE_CONFIG_FILE, Value: ~}
                  - {Name: KC_CACHE_STACK, Value: jdbc-ping}
                  - {Name: KC_SPI_CACHE_EMBEDDED__DEFAULT__FD_SOCK_ENABLED, Value: "false"}

    Good:

        TaskDefinition:
          Properties:
            ContainerDefinitions:
              - Name: keycloak
                Environment:
                  - {Name: KC_CACHE_CONFIG_FILE, Value: ~}
                  - {Name: KC_CACHE_STACK, Value: jdbc-ping}
                  - {Name: KC_SPI_CACHE_EMBEDDED__DEFAULT__FD_SOCK_ENABLED, Value: "true"}
    """

    id = "W9126"
    shortdesc = "Nodes notice at once that another one is gone"
    source_url = "https://www.keycloak.org/server/all-provider-config"
    # In the classes of 26.6.4 and 26.7.4, not in those of 26.5.5.
    since = (26, 6)

    def judge(self, keycloak: Keycloak) -> Iterator[Hit]:
        setting = cluster.spi_setting(keycloak, _KEY)
        if setting is None or setting.flag is not False or not cluster.forms_cluster(keycloak):
            return
        if cluster.stack(keycloak) in cluster.DATABASE_STACKS:
            yield Hit.at(
                setting.place,
                "a lost node is noticed after 40 s instead of 2 s, and logins hang until then: FD_SOCK2 is "
                "turned off",
                f"take {setting.name} away, or write true",
            )
