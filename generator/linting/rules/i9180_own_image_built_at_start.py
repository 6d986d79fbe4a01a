"""I9180: an image of one's own that is started without --optimized."""

from __future__ import annotations

from collections.abc import Iterator

from generator.linting.rule import Hit, KeycloakRule
from generator.linting.view import Keycloak


class OwnImageBuiltAtStart(KeycloakRule):
    """An image of your own is started without `--optimized`.

    `start` compares the build options it is given (database, features, cache, health...) with those the image
    was built with, and where one differs it builds Keycloak anew before it starts: half a minute or more for
    every task, and a file system that must be writable. What is built then knows nothing of the first build:
    each option of the build that neither the task nor the image's last stage sets is back at its default.
    Without `KC_DB` there, the server has H2 inside the task instead of PostgreSQL, and all realms and users
    are lost with it; without `KC_HEALTH_ENABLED` it has no health page. With `--optimized` the image is taken
    as it is.

    An image whose own script adds the option is fine as it is; switch the rule off for it.

    Bad:

        TaskDefinition:
          Properties:
            ContainerDefinitions:
              - Name: keycloak
                Image: 111122223333.dkr.ecr.eu-central-1.amazonaws.com/keycloak:26.7.4
                Command: [start]

    Good:

        TaskDefinition:
          Properties:
            ContainerDefinitions:
              - Name: keycloak
                Image: 111122223333.dkr.ecr.eu-central-1.amazonaws.com/keycloak:26.7.4
                Command: [start, --optimized]
    """

    id = "I9180"
    shortdesc = "An image of one's own is started as it was built"
    source_url = "https://www.keycloak.org/server/containers"

    def judge(self, keycloak: Keycloak) -> Iterator[Hit]:
        command = keycloak.command
        words = [word for text, _ in command.words for word in text.split()]
        if (
            keycloak.image.stock
            or not keycloak.image.known
            or not command.complete
            or keycloak.container["EntryPoint"]
        ):
            return
        if "start" in words and "--optimized" not in words:
            lost = "" if keycloak.options.get("db") else (
                "; and as KC_DB isn't set here, the image's last stage has to set it, or realms and users are kept"
                " inside the task and lost with it"
            )
            yield Hit.at(
                command.place,
                "each new task may build Keycloak anew before it starts, which takes half a minute or more:"
                f" the image is started without --optimized{lost}",
                "write Command: [start, --optimized], and set build options when the image is built",
            )
