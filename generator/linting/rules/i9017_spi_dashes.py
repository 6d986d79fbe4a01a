"""I9017: providers' options in the old spelling."""

from __future__ import annotations

from collections.abc import Iterator

from generator.linting.rule import Hit, KeycloakRule
from generator.linting.rules.e9017_spi_dashes import is_new_spelling, spi_options
from generator.linting.rules.w9017_spi_dashes import is_old_build_option
from generator.linting.view import Keycloak


class SpiSpellingStillRead(KeycloakRule):
    """A provider's option has the spelling of versions before 26.3.

    It still works (measured on 26.7.4 with `should-attach-route`). The new spelling has two dashes, two
    underscores in a variable, between SPI, provider and property, so that each part may hold dashes of its
    own.

    Bad:

        TaskDefinition:
          Properties:
            ContainerDefinitions:
              - Name: keycloak
                Environment:
                  - {Name: KC_SPI_STICKY_SESSION_ENCODER_INFINISPAN_SHOULD_ATTACH_ROUTE, Value: "false"}

    Good:

        TaskDefinition:
          Properties:
            ContainerDefinitions:
              - Name: keycloak
                Environment:
                  - {Name: KC_SPI_STICKY_SESSION_ENCODER__INFINISPAN__SHOULD_ATTACH_ROUTE, Value: "false"}
    """

    id = "I9017"
    shortdesc = "Providers' options have two dashes between their parts"
    source_url = "https://www.keycloak.org/server/configuration-provider"
    since = (26, 3)

    def judge(self, keycloak: Keycloak) -> Iterator[Hit]:
        for one in spi_options(keycloak):
            if not is_new_spelling(one) and not is_old_build_option(one):
                yield Hit.at(
                    one.name_place,
                    f"{one.name} has the spelling of versions before 26.3, which is still read",
                    f"write {'two dashes' if one.argument else 'two underscores'} between SPI, provider and"
                    " property",
                )
