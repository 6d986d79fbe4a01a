"""W9076: tags that move."""

from __future__ import annotations

import re
from collections.abc import Iterator

from generator.keycloak.version import parse
from generator.linting.rule import Hit, KeycloakRule
from generator.linting.view import Keycloak

_MOVING = ("latest", "nightly", "main", "stable", "master")


class ImageTag(KeycloakRule):
    """The image's tag doesn't say which Keycloak runs.

    Behind `latest`, no tag at all or a tag without a patch level (`26.4`) stands another image tomorrow. The
    next deployment of anything then brings another Keycloak: it migrates the database, which can't be undone,
    options are gone or mean something else, and before 26.6 two patch levels may not even be in one cluster.
    What runs can't be told from the template, and neither can what to go back to.

    A digest behind the tag, or a tag of one's own that is never moved, is as good as a full version. It is
    also a warning if the tag tells another version than `--keycloak-version` does: then the rules judge the
    wrong one.

    Bad:

        TaskDefinition:
          Properties:
            ContainerDefinitions:
              - {Name: keycloak, Image: "quay.io/keycloak/keycloak:latest"}

    Bad (no patch level):

        TaskDefinition:
          Properties:
            ContainerDefinitions:
              - {Name: keycloak, Image: "quay.io/keycloak/keycloak:26.4"}

    Good:

        TaskDefinition:
          Properties:
            ContainerDefinitions:
              - {Name: keycloak, Image: "quay.io/keycloak/keycloak:26.7.4"}
    """

    id = "W9076"
    shortdesc = "The image's tag names one version for ever"
    source_url = "https://www.keycloak.org/server/update-compatibility"

    def judge(self, keycloak: Keycloak) -> Iterator[Hit]:
        image = keycloak.image
        given = keycloak.view.keycloak_version
        if given and image.version is not None and image.version.line != parse(given).line:
            yield Hit.at(
                image.place,
                f"the rules judge Keycloak {given}, and the image's tag says {image.tag}: one of them is "
                "wrong",
                f"write the tag {given}, or ask for --keycloak-version {image.version}",
            )
        if image.digest or not image.known or not image.repository:
            return
        named = image.tag or "no tag"
        if image.tag.lower() in ("", *_MOVING):
            what = f"the image has {named}" if not image.tag else f"the tag is {named}"
        elif image.stock and re.fullmatch(r"\d+(\.\d+)?", image.tag):
            what = f"the tag {named} moves with every patch release"
        else:
            return
        yield Hit.at(
            image.place,
            f"the next deployment may bring another Keycloak, which migrates the database for good: {what}",
            f"write the whole version, such as {image.repository}:{keycloak.version or '26.7.4'}",
        )
