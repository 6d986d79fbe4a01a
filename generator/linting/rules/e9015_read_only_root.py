"""E9015: a server that has to write where nothing can be written."""

from __future__ import annotations

from collections.abc import Iterator

from generator.linting.rule import Hit, KeycloakRule
from generator.linting.rules import _cluster as cluster
from generator.linting.view import Keycloak


class ReadOnlyRoot(KeycloakRule):
    """Keycloak builds itself at each start, but the container's file system is read-only.

    Without `--optimized`, Keycloak's own image writes its build to /opt/keycloak/lib/quarkus. With
    `ReadonlyRootFilesystem: true` that fails (`Read-only file system`), and no task ever starts. An image
    that is built beforehand doesn't write there, but to two other folders (W9191).

    Bad:

        TaskDefinition:
          Properties:
            ContainerDefinitions:
              - Name: keycloak
                Image: quay.io/keycloak/keycloak:26.7.4
                Command: [start]
                ReadonlyRootFilesystem: true

    Good:

        TaskDefinition:
          Properties:
            ContainerDefinitions:
              - Name: keycloak
                Image: quay.io/keycloak/keycloak:26.7.4
                Command: [start]
                ReadonlyRootFilesystem: false
    """

    id = "E9015"
    shortdesc = "A server that builds itself at start may write its files"
    source_url = "https://github.com/keycloak/keycloak/issues/44632"

    def judge(self, keycloak: Keycloak) -> Iterator[Hit]:
        place = keycloak.container["ReadonlyRootFilesystem"]
        command = keycloak.command
        if place.flag is not True or not keycloak.image.stock or not command.complete or command.optimized:
            return
        # What is mounted may be the very folder that is written.
        if command.verb not in ("start", "start-dev") or cluster.has_files(keycloak):
            return
        yield Hit.at(
            place,
            "no task ever starts: without --optimized Keycloak writes its build to /opt/keycloak/lib/quarkus,"
            " which is read-only here",
            "take an image of your own, built with kc.sh build and volumes at /tmp and /opt/keycloak/data, with Command [start, --optimized]; or write "
            "ReadonlyRootFilesystem: false",
        )
