"""W9017: providers' build options in the old spelling."""

from __future__ import annotations

import re
from collections.abc import Iterator

from generator.linting.rule import Hit, KeycloakRule
from generator.linting.rules.e9017_spi_dashes import is_new_spelling, spi_options
from generator.linting.view import Keycloak, Setting

_BUILD = re.compile(r"(?i).*[-_](enabled|provider|provider[-_]default)")


class SpiSpellingOld(KeycloakRule):
    """A provider's build option has the old spelling, in which nobody can tell whether it is one.

    Options of providers that end in `enabled`, `provider` or `provider-default` are decided when the image is
    built. From 26.3 on, Keycloak takes them for that only in the new spelling, with two dashes (two
    underscores in a variable) between SPI, provider and property. In the old one it logs `The following SPI
    options are using the legacy format and are not being treated as build time options` at each start. With
    `--optimized`, 26.7.4 doesn't start with it at all: `The following build time options have values that
    differ from what is persisted`.

    Bad:

        TaskDefinition:
          Properties:
            ContainerDefinitions:
              - Name: keycloak
                Environment:
                  - {Name: KC_SPI_EMAIL_TEMPLATE_MYCUSTOMPROVIDER_ENABLED, Value: "true"}

    Good:

        TaskDefinition:
          Properties:
            ContainerDefinitions:
              - Name: keycloak
                Environment:
                  - {Name: KC_SPI_EMAIL_TEMPLATE__MYCUSTOMPROVIDER__ENABLED, Value: "true"}
    """

    id = "W9017"
    shortdesc = "Providers' build options have two dashes between their parts"
    source_url = "https://www.keycloak.org/server/configuration-provider"
    since = (26, 3)

    def judge(self, keycloak: Keycloak) -> Iterator[Hit]:
        for one in spi_options(keycloak):
            if is_old_build_option(one):
                dashes = "two dashes" if one.argument else "two underscores"
                yield Hit.at(
                    one.name_place,
                    f"Keycloak {keycloak.version} can't tell whether {one.name} is a build option, as its end"
                    " says: it complains at each start, and may refuse to start with --optimized",
                    f"write {dashes} between SPI, provider and property, as in "
                    f"{'--spi-a--b--enabled' if one.argument else 'KC_SPI_A__B__ENABLED'}",
                )


def is_old_build_option(one: Setting) -> bool:
    """Whether an option of a provider is in the old spelling and ends as build options do."""
    return not is_new_spelling(one) and _BUILD.fullmatch(one.name) is not None
