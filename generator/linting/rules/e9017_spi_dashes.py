"""E9017: providers' options in a spelling that the version doesn't know yet."""

from __future__ import annotations

import re
from collections.abc import Iterator

from generator.keycloak.catalog import Catalog
from generator.linting.rule import Hit, KeycloakRule
from generator.linting.view import Keycloak, Setting


class SpiSpellingTooNew(KeycloakRule):
    """A provider's option is spelled in the way of Keycloak 26.3, on an older version.

    From 26.3 on, two dashes (two underscores in a variable) stand between SPI, provider and property. Older
    versions know one only and ignore the new spelling without a word, so the option keeps its default: with
    `KC_SPI_STICKY_SESSION_ENCODER__INFINISPAN__SHOULD_ATTACH_ROUTE=false` the node's name stays in the
    cookie.

    Bad:

        TaskDefinition:
          Properties:
            ContainerDefinitions:
              - Name: keycloak
                Image: 123456789012.dkr.ecr.eu-central-1.amazonaws.com/keycloak:26.0.8
                Environment:
                  - {Name: KC_SPI_STICKY_SESSION_ENCODER__INFINISPAN__SHOULD_ATTACH_ROUTE, Value: "false"}

    Good:

        TaskDefinition:
          Properties:
            ContainerDefinitions:
              - Name: keycloak
                Image: 123456789012.dkr.ecr.eu-central-1.amazonaws.com/keycloak:26.0.8
                Environment:
                  - {Name: KC_SPI_STICKY_SESSION_ENCODER__INFINISPAN__SHOULD_ATTACH_ROUTE, Value: ~}
                  - {Name: KC_SPI_STICKY_SESSION_ENCODER_INFINISPAN_SHOULD_ATTACH_ROUTE, Value: "false"}
    """

    id = "E9017"
    shortdesc = "Providers' options are spelled as the version reads them"
    source_url = "https://www.keycloak.org/server/configuration-provider"
    before = (26, 3)

    def judge(self, keycloak: Keycloak) -> Iterator[Hit]:
        names = {one.name for one in keycloak.options}
        for one in spi_options(keycloak):
            old = (
                re.sub("_{2,}", "_", one.name)
                if not one.argument
                else "--" + re.sub("-{2,}", "-", one.name[2:])
            )
            if is_new_spelling(one) and old not in names:
                yield Hit.at(
                    one.name_place,
                    f"it is ignored without a word: Keycloak {keycloak.release} doesn't know the spelling"
                    f" {one.name}",
                    f"write {old}",
                )


def spi_options(keycloak: Keycloak) -> list[Setting]:
    """The options of providers."""
    return [one for one in keycloak.options if Catalog.is_spi(one.name.removeprefix("--"))]


def is_new_spelling(one: Setting) -> bool:
    """Whether a provider's option has two dashes or underscores between its parts."""
    return ("--" if one.argument else "__") in one.name.removeprefix("--")
