"""W9103: features that will be gone."""

from __future__ import annotations

from collections.abc import Iterator

from generator.linting.rule import Hit, KeycloakRule
from generator.linting.rules import _options as ask
from generator.linting.view import Keycloak


class DeprecatedFeature(KeycloakRule):
    """A feature is switched on that is deprecated in this version.

    A version without it doesn't start as long as its name is in `features`: `'...' is an unrecognized
    feature`. What used it has to have moved on by then.

    Bad:

        TaskDefinition:
          Properties:
            ContainerDefinitions:
              - Name: keycloak
                Image: quay.io/keycloak/keycloak:26.7.4
                Command: [start]
                Environment:
                  - {Name: KC_FEATURES, Value: "login:v1"}

    Good:

        TaskDefinition:
          Properties:
            ContainerDefinitions:
              - Name: keycloak
                Image: quay.io/keycloak/keycloak:26.7.4
                Command: [start]
                Environment:
                  - {Name: KC_FEATURES, Value: "login:v2"}
    """

    id = "W9103"
    shortdesc = "No feature that is switched on is deprecated"
    source_url = "https://www.keycloak.org/server/features"

    def judge(self, keycloak: Keycloak) -> Iterator[Hit]:
        one = keycloak.options.get("features")
        if keycloak.catalog is None or one is None or one.value is None or ask.in_the_image(keycloak, one):
            return
        for name in one.value.split(","):
            feature = keycloak.catalog.feature(name)
            if feature is None or feature.state != "deprecated" and not feature.deprecated:
                continue
            known = [other for other in keycloak.catalog.features if other.name == feature.name]
            better = [other for other in known if other.state != "deprecated" and not other.deprecated]
            yield Hit.at(
                one.place,
                f"the feature {name} is deprecated in Keycloak {keycloak.version}: a version without it"
                f" doesn't start while it is in {one.name}",
                (
                    f"move over to {better[-1].versioned}"
                    if better
                    else f"do without it, then take {name} out of {one.name}"
                ),
            )
