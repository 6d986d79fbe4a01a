"""E9101: features that the version doesn't have."""

from __future__ import annotations

from collections.abc import Iterator

from generator.linting.rule import Hit, KeycloakRule
from generator.linting.rules import _options as ask
from generator.linting.rules.e9100_invalid_value import FEATURES
from generator.linting.view import Keycloak


class UnknownFeature(KeycloakRule):
    """A feature is switched on or off that the version doesn't have.

    Keycloak ends with `'bogus' is an unrecognized feature, it should be one of [...]`: no task ever starts.
    Features come and go with the versions (`account2` is gone since 25, `js-adapter` and `hostname:v1` since
    26), so an upgrade may stop here. In `features-disabled` names have no version.

    Bad:

        TaskDefinition:
          Properties:
            ContainerDefinitions:
              - Name: keycloak
                Image: quay.io/keycloak/keycloak:26.7.4
                Command: [start]
                Environment:
                  - {Name: KC_FEATURES, Value: "token-exchnage"}

    Bad (gone):

        TaskDefinition:
          Properties:
            ContainerDefinitions:
              - Name: keycloak
                Image: quay.io/keycloak/keycloak:26.7.4
                Command: [start, "--features=hostname:v1"]

    Good:

        TaskDefinition:
          Properties:
            ContainerDefinitions:
              - Name: keycloak
                Image: quay.io/keycloak/keycloak:26.7.4
                Command: [start]
                Environment:
                  - {Name: KC_FEATURES, Value: "token-exchange"}
    """

    id = "E9101"
    shortdesc = "Every feature that is switched on or off is one of the version"
    source_url = "https://www.keycloak.org/server/features"

    def judge(self, keycloak: Keycloak) -> Iterator[Hit]:
        if keycloak.catalog is None:
            return
        for one in keycloak.options:
            found = ask.problem(keycloak, one)
            if found is None or found[1].key not in FEATURES or ask.in_the_image(keycloak, one):
                continue
            said, hint, near = found[2].partition(": did you mean ")
            yield Hit.at(
                one.place,
                f"no task ever starts: {said}",
                f"write {near.rstrip('?')}" if hint else "take it out, or write a feature of that version",
            )
