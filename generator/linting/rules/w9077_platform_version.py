"""W9077: old Fargate platforms."""

from __future__ import annotations

import re
from collections.abc import Iterator

from generator.linting.rule import Hit, KeycloakRule
from generator.linting.view import Keycloak


class PlatformVersion(KeycloakRule):
    """The service asks for a Fargate platform before 1.4.0.

    Single keys of a secret (`...:password::`) need 1.4.0: on an older one the task doesn't start, and without
    keys the whole JSON document becomes the password. ECS Exec needs it too, and 1.3.0 and its like are not
    maintained any more.

    Bad:

        Service:
          Properties: {PlatformVersion: 1.3.0}

    Good:

        Service:
          Properties: {PlatformVersion: LATEST}
    """

    id = "W9077"
    shortdesc = "The Fargate platform is 1.4.0 or newer"
    source_url = "https://docs.aws.amazon.com/AmazonECS/latest/developerguide/platform-fargate.html"

    def judge(self, keycloak: Keycloak) -> Iterator[Hit]:
        for service in keycloak.services:
            place = service.properties["PlatformVersion"]
            match = re.fullmatch(r"(\d{1,3})\.(\d{1,3})\.(\d{1,3})", place.text or "")
            if match and tuple(map(int, match.groups())) < (1, 4, 0) and service.fargate is not False:
                yield Hit.at(
                    place,
                    f"secrets can't be read by key on platform {match[0]}, and it is not maintained any more",
                    "write PlatformVersion: 1.4.0, or leave it out",
                )
