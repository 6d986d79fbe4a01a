"""W9013: the development mode."""

from __future__ import annotations

from collections.abc import Iterator

from generator.linting.rule import Hit, KeycloakRule
from generator.linting.view import Keycloak


class DevMode(KeycloakRule):
    """Keycloak runs in its development mode.

    `start-dev` is for a developer's machine: plain HTTP is on, the host name comes from the request, themes
    aren't cached, caches are local, and without `db` the data lies in a file in the container. It also builds
    itself anew at each start. Two tasks can't share the work (see E9013).

    Bad:

        TaskDefinition:
          Properties:
            ContainerDefinitions:
              - Name: keycloak
                Command: [start-dev]

    Good:

        TaskDefinition:
          Properties:
            ContainerDefinitions:
              - Name: keycloak
                Command: [start, --optimized]
    """

    id = "W9013"
    shortdesc = "Keycloak runs in its production mode"
    source_url = "https://www.keycloak.org/server/configuration"

    def judge(self, keycloak: Keycloak) -> Iterator[Hit]:
        if keycloak.dev:
            place = next(
                (place for word, place in keycloak.command.words if word == "start-dev"),
                keycloak.command.place,
            )
            yield Hit.at(
                place,
                "Keycloak runs in its development mode: HTTP is open, the host name is what a request says,"
                " nothing is shared between tasks",
                "write start instead of start-dev",
            )
