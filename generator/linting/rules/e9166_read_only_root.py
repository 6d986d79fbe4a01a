"""E9166: a root file system that can't be written."""

from __future__ import annotations

from collections.abc import Iterator

from generator.linting.rule import Hit, KeycloakRule
from generator.linting.view import Keycloak


class ReadOnlyRoot(KeycloakRule):
    """The root file system is read-only, and Keycloak has to build itself first.

    Without `--optimized` kc.sh builds the server into /opt/keycloak/lib/quarkus at each start of a fresh
    container. On a read-only file system that ends with "ERROR: Failed to run 'build' command" and "Read-only
    file system", so no task ever starts. An image of your own that was built before starts with `--optimized`
    and writes nothing there.

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

    id = "E9166"
    shortdesc = "A Keycloak that builds itself may write"
    source_url = "https://github.com/keycloak/keycloak/issues/44632"

    def judge(self, keycloak: Keycloak) -> Iterator[Hit]:
        place = keycloak.container["ReadonlyRootFilesystem"]
        command, mounts = keycloak.command, keycloak.container["MountPoints"]
        if place.flag is not True or not keycloak.image.stock or not command.complete or command.optimized:
            return
        mounted = mounts.unknown is not None or any(True for _ in mounts)
        if command.verb not in ("start", "start-dev") or mounted:
            return
        yield Hit.at(
            place,
            "no task starts (Read-only file system): without --optimized Keycloak builds itself into "
            "/opt/keycloak/lib/quarkus",
            "build an image of your own and start it with --optimized, or write ReadonlyRootFilesystem: "
            "false",
        )
