"""W9015: a server that builds itself at each start."""

from __future__ import annotations

from collections.abc import Iterator

from generator.linting.rule import Hit, KeycloakRule
from generator.linting.view import Keycloak


class NotOptimized(KeycloakRule):
    """Every task builds Keycloak anew before it starts.

    Keycloak's own image isn't built for a database. `start` without `--optimized` does that first, in each
    new task: on two idle cores it was ready after 36 s instead of 8 s (measured on 26.7.4), and a task with
    less has to wait longer. Whenever a task is lost, or load makes the service grow, help comes that much
    later; and the health checks' grace period has to allow for it. The task also needs a file system that can
    be written.

    A script that calls `kc.sh build` before `kc.sh start --optimized` does the same, whatever the image.

    An image of one's own, with `kc.sh build` in its Dockerfile, starts with `start --optimized`.

    Bad:

        TaskDefinition:
          Properties:
            ContainerDefinitions:
              - Name: keycloak
                Image: quay.io/keycloak/keycloak:26.7.4
                Command: [start]

    Bad (built by a script, each time):

        TaskDefinition:
          Properties:
            ContainerDefinitions:
              - Name: keycloak
                EntryPoint: [sh, -c]
                Command: ["kc.sh build && exec kc.sh start --optimized"]

    Good:

        TaskDefinition:
          Properties:
            ContainerDefinitions:
              - Name: keycloak
                Image: 123456789012.dkr.ecr.eu-central-1.amazonaws.com/keycloak:26.7.4
                Command: [start, --optimized]
    """

    id = "W9015"
    shortdesc = "Tasks start an image that is built beforehand"
    source_url = "https://www.keycloak.org/server/containers"

    def judge(self, keycloak: Keycloak) -> Iterator[Hit]:
        if builds_at_start(keycloak) and keycloak.container["ReadonlyRootFilesystem"].flag is not True:
            yield Hit.at(
                keycloak.command.place,
                "each new task builds Keycloak before it starts: it is ready half a minute later on two idle"
                " cores, and later still on less",
                "run kc.sh build in the image's Dockerfile and write Command: [start, --optimized]"
                if keycloak.command.builds
                else "make an image of your own with kc.sh build and write Command: [start, --optimized]",
            )


def builds_at_start(keycloak: Keycloak) -> bool:
    """Whether each start surely builds first: Keycloak's own image by itself, any image by its script."""
    command = keycloak.command
    if command.always_builds:
        # Without an entry point of the template's, Keycloak's own image runs no shell (E9106).
        return command.verb == "start" and not (keycloak.image.stock and not keycloak.container["EntryPoint"])
    return keycloak.image.stock and command.complete and command.verb == "start" and not command.optimized
