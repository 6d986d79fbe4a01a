"""W9070: a short grace period."""

from __future__ import annotations

from collections.abc import Iterator

from generator.linting.rule import Hit, KeycloakRule
from generator.linting.rules._health import patience
from generator.linting.view import Keycloak

_LEAST = 60


class ShortGracePeriod(KeycloakRule):
    """ECS gives a task less than a minute before an unhealthy verdict ends it.

    An optimized Keycloak is ready after ten seconds when all is well. When it isn't (a small task, two nodes
    at once, a version step that migrates the database for minutes, a lock that the other node holds for up to
    15 minutes), the check fails, ECS kills the task and starts another one, which begins again. A migration
    that is killed every time never ends.

    A long grace period costs nothing when all is well: a task counts as healthy as soon as its checks say so.

    Bad:

        Service:
          Properties: {HealthCheckGracePeriodSeconds: ~}

    Good:

        Service:
          Properties: {HealthCheckGracePeriodSeconds: 600}
    """

    id = "W9070"
    shortdesc = "ECS gives a task at least a minute before it judges it"
    source_url = "https://docs.aws.amazon.com/AmazonECS/latest/APIReference/API_CreateService.html"

    def judge(self, keycloak: Keycloak) -> Iterator[Hit]:
        said = set()
        for found in patience(keycloak):
            if found.grace < _LEAST and found.service.name not in said:
                said.add(found.service.name)
                yield Hit.at(
                    found.place,
                    "a slow start or a database migration is killed and begins again: ECS takes the first "
                    "unhealthy "
                    f"verdict after {found.grace} s",
                    "write HealthCheckGracePeriodSeconds: 600, as long as your longest migration",
                )
