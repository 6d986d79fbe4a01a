"""E9021: features that are switched on and off."""

from __future__ import annotations

from collections.abc import Iterator

from generator.linting.rule import Hit, KeycloakRule
from generator.linting.view import Keycloak


class FeatureTwice(KeycloakRule):
    """A feature is switched on and off at once.

    From 24 on, the same feature may not be in both `features` and `features-disabled`: the server doesn't
    start.

    Bad:

        TaskDefinition:
          Properties:
            ContainerDefinitions:
              - Name: keycloak
                Image: quay.io/keycloak/keycloak:26.7.4
                Command: [start]
                Environment:
                  - {Name: KC_FEATURES, Value: "docker,scripts"}
                  - {Name: KC_FEATURES_DISABLED, Value: "impersonation,docker"}

    Good:

        TaskDefinition:
          Properties:
            ContainerDefinitions:
              - Name: keycloak
                Image: quay.io/keycloak/keycloak:26.7.4
                Command: [start]
                Environment:
                  - {Name: KC_FEATURES, Value: "docker,scripts"}
                  - {Name: KC_FEATURES_DISABLED, Value: impersonation}
    """

    id = "E9021"
    shortdesc = "A feature is switched on or off, not both"
    source_url = "https://www.keycloak.org/docs/latest/upgrading/#features-changes"
    since = (24, 0)

    def judge(self, keycloak: Keycloak) -> Iterator[Hit]:
        on, off = keycloak.options.get("features"), keycloak.options.get("features-disabled")
        if on is None or off is None or on.value is None or off.value is None:
            return
        wanted = {name.partition(":")[0] for name in on.value.split(",")}
        both = [name for name in dict.fromkeys(off.value.split(",")) if name in wanted and name]
        if both:
            yield Hit.at(
                off.place,
                f"the server doesn't start: {', '.join(both)} {'are' if len(both) > 1 else 'is'} in {on.name}"
                f" and in {off.name}",
                f"take {', '.join(both)} out of one of them",
            )
