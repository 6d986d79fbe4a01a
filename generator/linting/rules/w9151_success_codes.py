"""W9151: a health check that succeeds without health."""

from __future__ import annotations

from collections.abc import Iterator

from generator.linting.rule import Hit, KeycloakRule
from generator.linting.rules._balancer import accepts
from generator.linting.view import Keycloak


class AnyCode(KeycloakRule):
    """The health check takes "not found" for success.

    With a 404 among the codes for success, a task counts as healthy as soon as anything answers: with health
    switched off, with a path that is spelt wrong, with another http-relative-path. A deployment that breaks
    Keycloak goes through, and the tasks that worked are stopped.

    Bad:

        TargetGroup:
          Properties:
            Matcher: {HttpCode: "200-499"}

    Good:

        TargetGroup:
          Properties:
            Matcher: {HttpCode: "200"}
    """

    id = "W9151"
    shortdesc = "The health check takes nothing but success for success"
    source_url = "https://www.keycloak.org/observability/health"

    def judge(self, keycloak: Keycloak) -> Iterator[Hit]:
        for group in keycloak.target_groups:
            place = group.properties["Matcher"]["HttpCode"]
            if accepts(group, 404) is True:
                yield Hit.at(
                    place,
                    f"a broken deployment goes through: {group.name} takes {place.text} for healthy, so a task whose "
                    "health page isn't there is healthy too",
                    'write Matcher: {HttpCode: "200"}',
                )
