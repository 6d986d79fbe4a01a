"""W9014: build options that come too late."""

from __future__ import annotations

from collections.abc import Iterator

from generator.linting.rule import Hit, KeycloakRule
from generator.linting.rules import _options as ask
from generator.linting.view import Keycloak


class BuildOptionAtRunTime(KeycloakRule):
    """A build option is set where the image starts with `--optimized`: it can't change anything any more.

    Options such as `db`, `features`, `health-enabled`, `metrics-enabled` and `http-relative-path` are decided
    by `kc.sh build` (so are `cache` and `cache-stack` up to 24). With `--optimized` the built value stays. Up
    to 25 the server starts with it and a line in the log: it may use another database than the template says,
    or have no health page. From 26 on it refuses to start where the values differ: `The following build time
    options have values that differ from what is persisted`. From 26.5 on the same goes for options of the
    command; before, any of them stops the start (E9014). Where both are the same, the line is only there to be
    forgotten at the next change.

    Bad:

        TaskDefinition:
          Properties:
            ContainerDefinitions:
              - Name: keycloak
                Command: [start, --optimized]
                Environment:
                  - {Name: KC_HEALTH_ENABLED, Value: "true"}

    Good (built into the image):

        TaskDefinition:
          Properties:
            ContainerDefinitions:
              - Name: keycloak
                Command: [start, --optimized]
    """

    id = "W9014"
    shortdesc = "With --optimized, build options are set in the image alone"
    source_url = "https://www.keycloak.org/server/configuration"

    def judge(self, keycloak: Keycloak) -> Iterator[Hit]:
        if not keycloak.optimized or keycloak.command.verb != "start" or keycloak.image.stock:
            return
        for one in keycloak.options:
            refused = one.argument and keycloak.at_least(26, 5) is False
            if refused or ask.empty(one) or not ask.is_build_option(keycloak, one):
                continue
            newer = keycloak.at_least(26)
            effect = (
                "the server refuses to start as soon as it differs from the image's"
                if newer
                else (
                    "the image's value stays, whatever is written here"
                    if newer is False
                    else "the image's value stays, or the server refuses to start"
                )
            )
            yield Hit.at(
                one.name_place,
                f"{one.name} comes too late: it is decided when the image is built, and with --optimized"
                f" {effect}",
                "set it in the Dockerfile, before kc.sh build, and take it away here",
            )
