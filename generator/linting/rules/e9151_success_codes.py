"""E9151: what counts as healthy."""

from __future__ import annotations

from collections.abc import Iterator

from generator.linting.rule import Hit, KeycloakRule
from generator.linting.rules._balancer import accepts, health_checks
from generator.linting.view import Keycloak


class SuccessCodes(KeycloakRule):
    """The health check doesn't take for success what Keycloak answers.

    A healthy Keycloak answers its health page with 200, and with 503 otherwise. A check that waits for
    another code never succeeds: ECS stops each task after its grace period and starts the next, for ever.

    Bad:

        TargetGroup:
          Properties:
            Matcher: {HttpCode: "302"}

    Good:

        TargetGroup:
          Properties:
            Matcher: {HttpCode: "200"}
    """

    id = "E9151"
    shortdesc = "The health check takes 200 for success"
    source_url = "https://www.keycloak.org/observability/health"

    def judge(self, keycloak: Keycloak) -> Iterator[Hit]:
        for _, group, path in health_checks(keycloak):
            if "/health" in path and accepts(group, 200) is False:
                yield Hit.at(
                    group.properties["Matcher"]["HttpCode"],
                    f"no target ever gets healthy and tasks are replaced for ever: Keycloak answers {path} with 200, "
                    f"and {group.name} waits for {group.properties['Matcher']['HttpCode'].text}",
                    'write Matcher: {HttpCode: "200"}',
                )
