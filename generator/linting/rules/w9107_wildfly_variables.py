"""W9107: variables of Keycloak's WildFly time."""

from __future__ import annotations

from collections.abc import Iterator

from generator.keycloak import advice
from generator.linting.rule import Hit, KeycloakRule
from generator.linting.view import Keycloak

_NAMES = (
    "DB_ADDR",
    "DB_DATABASE",
    "DB_PORT",
    "DB_USER",
    "DB_VENDOR",
    "FRONTEND_URL",
    "KEYCLOAK_FRONTEND_URL",
    "KEYCLOAK_LOGLEVEL",
    "KEYCLOAK_PASSWORD",
    "KEYCLOAK_USER",
    "PROXY_ADDRESS_FORWARDING",
)
"""README of keycloak/keycloak-containers, server."""


class WildFlyVariables(KeycloakRule):
    """A variable is one that Keycloak's image knew up to version 16.

    Keycloak has run on Quarkus since 17, and its image reads none of the old variables (`DB_ADDR`,
    `KEYCLOAK_USER`, `PROXY_ADDRESS_FORWARDING`...). They are ignored without a word: the server uses its file
    database, has no administrator, or doesn't read the balancer's headers.

    An image of one's own may have a script that reads them, so there the rule says nothing.

    Bad:

        TaskDefinition:
          Properties:
            ContainerDefinitions:
              - Name: keycloak
                Image: quay.io/keycloak/keycloak:26.7.4
                Command: [start]
                Environment:
                  - {Name: PROXY_ADDRESS_FORWARDING, Value: "true"}

    Good:

        TaskDefinition:
          Properties:
            ContainerDefinitions:
              - Name: keycloak
                Image: quay.io/keycloak/keycloak:26.7.4
                Command: [start]
                Environment:
                  - {Name: KC_PROXY_HEADERS, Value: xforwarded}
    """

    id = "W9107"
    shortdesc = "No variable is left over from Keycloak's WildFly image"
    source_url = "https://github.com/keycloak/keycloak-containers/blob/main/server/README.md"
    since = (17, 0)

    def judge(self, keycloak: Keycloak) -> Iterator[Hit]:
        if not keycloak.image.stock or keycloak.version is None:
            return
        for name in _NAMES:
            one = keycloak.options.variable(name)
            found = advice.replacement(name, keycloak.version) if one is not None else None
            if one is not None and found is not None and found.use:
                yield Hit.at(
                    one.name_place,
                    f"{name} is ignored without a word: Keycloak's image knew it up to version 16, this is "
                    f"{keycloak.version}",
                    f"use {advice.variable(found.use[0])}",
                )
