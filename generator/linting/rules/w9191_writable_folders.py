"""W9191: a read-only root without the folders that a built server writes."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import PurePosixPath

from generator.linting.rule import Hit, KeycloakRule
from generator.linting.view import Keycloak
from generator.resolving import Place

_FOLDERS = {
    "/tmp": "no task starts: the server can't make /tmp/vertx-cache",
    "/opt/keycloak/data": "no task starts, or login pages and consoles have neither styles nor scripts: the server"
    " keeps files in /opt/keycloak/data",
}
"""What the server writes while it runs, and what happens where it can't (measured on 24.0.5 to 26.7.4: some
versions end at data/transaction-logs, the others serve no styles for want of data/tmp)."""


class WritableFolders(KeycloakRule):
    """The container's file system is read-only, and so are the two folders that a running server writes.

    An image that is built beforehand runs with `ReadonlyRootFilesystem: true`, but for two folders. Where /tmp
    can't be written, the server ends at `/tmp/vertx-cache`. Where /opt/keycloak/data can't, some versions end at
    the object store for transactions in it; others start and answer requests for styles and scripts with 404 or
    500: login pages are bare text, the consoles stay empty. With both, an image that is built beforehand runs.

    A volume that only the task definition names belongs to root, and Keycloak isn't root. Where the Dockerfile
    has a VOLUME at the same path, the volume begins as the image's folder is, with its owner:

        RUN mkdir -p /opt/keycloak/data
        VOLUME ["/tmp", "/opt/keycloak/data"]

    The rule can't see a Dockerfile; switch it off for an image whose VOLUMEs need no mount points.

    Bad:

        TaskDefinition:
          Properties:
            ContainerDefinitions:
              - Name: keycloak
                ReadonlyRootFilesystem: true

    Good:

        TaskDefinition:
          Properties:
            Volumes: [{Name: tmp}, {Name: data}]
            ContainerDefinitions:
              - Name: keycloak
                ReadonlyRootFilesystem: true
                MountPoints:
                  - {SourceVolume: tmp, ContainerPath: /tmp}
                  - {SourceVolume: data, ContainerPath: /opt/keycloak/data}
    """

    id = "W9191"
    shortdesc = "With a read-only root, /tmp and /opt/keycloak/data are volumes"
    source_url = "https://github.com/keycloak/keycloak/issues/37533"
    since = (24, 0)

    def judge(self, keycloak: Keycloak) -> Iterator[Hit]:
        place, command = keycloak.container["ReadonlyRootFilesystem"], keycloak.command
        # Keycloak's own image fails in another way: it isn't built (E9014, E9015).
        if place.flag is not True or keycloak.image.stock or command.verb != "start":
            return
        mounted = _mounted(keycloak.container)
        if mounted is None:
            return
        missing = [folder for folder in _FOLDERS if not any(_holds(path, folder) for path in mounted)]
        if missing:
            yield Hit.at(
                place,
                f"{_FOLDERS[missing[0]]}, as the file system is read-only",
                f"add {' and '.join(f'{{SourceVolume: ..., ContainerPath: {one}}}' for one in missing)} to MountPoints,"
                f" and to the Dockerfile VOLUME {' '.join(missing)}, so that Keycloak's user owns it",
            )


def _mounted(container: Place) -> list[str] | None:
    """The paths of what is mounted; None where one of them isn't known."""
    if container["VolumesFrom"]:
        return None
    found = []
    for place in (container["MountPoints"], container["LinuxParameters"]["Tmpfs"]):
        if place and place.unknown is not None:
            return None
        for one in place:
            path = one["ContainerPath"].text
            if path is None:
                return None
            found.append(path)
    return found


def _holds(mount: str, folder: str) -> bool:
    """Whether a mount holds the folder, or a part of it: which parts a version needs isn't known of each."""
    return PurePosixPath(folder).is_relative_to(mount) or PurePosixPath(mount).is_relative_to(folder)
