"""E9015: a server that has to write where nothing can be written."""

from __future__ import annotations

from collections.abc import Iterator

from generator.linting.rule import Hit, KeycloakRule
from generator.linting.rules.w9015_not_optimized import builds_at_start
from generator.linting.view import Keycloak


class ReadOnlyRoot(KeycloakRule):
    """Keycloak builds itself at each start, but the container's file system is read-only.

    Without `--optimized`, Keycloak's own image writes its build to /opt/keycloak/lib/quarkus. With
    `ReadonlyRootFilesystem: true` that fails (`Read-only file system`), and no task ever starts. An image
    that is built beforehand doesn't write there.

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
        if place.flag is not True or not builds_at_start(keycloak) or keycloak.container["MountPoints"]:
            return
        yield Hit.at(
            place,
            "no task ever starts: without --optimized Keycloak writes its build to /opt/keycloak/lib/quarkus,"
            " which is read-only here",
            "take an image of your own, built with kc.sh build, with Command [start, --optimized]; or write "
            "ReadonlyRootFilesystem: false",
        )
