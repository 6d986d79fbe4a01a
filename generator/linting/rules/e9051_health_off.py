"""E9051: a health page that isn't there."""

from __future__ import annotations

from collections.abc import Iterator

from generator.linting.rule import Hit, KeycloakRule
from generator.linting.view import Keycloak


class HealthOff(KeycloakRule):
    """Something asks for Keycloak's health, and the health page is switched off.

    `health-enabled` is false by default. Without it there is no /health anywhere, and from 25 on nothing
    listens at the management port either, unless metrics are on. The balancer's or ECS's check fails for
    ever: tasks are replaced in a circle and users get 503.

    It is a build option: an image of one's own that is started with `--optimized` has it built in or not, and
    the rule says nothing about that.

    Bad:

        TaskDefinition:
          Properties:
            ContainerDefinitions:
              - Name: keycloak
                Image: quay.io/keycloak/keycloak:26.7.4
                Command: [start]

    Bad (off):

        TaskDefinition:
          Properties:
            ContainerDefinitions:
              - Name: keycloak
                Command: [start]
                Environment:
                  - {Name: KC_HEALTH_ENABLED, Value: "false"}

    Good:

        TaskDefinition:
          Properties:
            ContainerDefinitions:
              - Name: keycloak
                Image: quay.io/keycloak/keycloak:26.7.4
                Command: [start]
                Environment:
                  - {Name: KC_HEALTH_ENABLED, Value: "true"}
    """

    id = "E9051"
    shortdesc = "The health page is on where it is asked for"
    source_url = "https://www.keycloak.org/observability/health"

    def judge(self, keycloak: Keycloak) -> Iterator[Hit]:
        options = keycloak.options
        found = options.get("health-enabled")
        off = found.flag is False if found is not None else options.missing("health-enabled")
        if not off:
            return
        asking = [one.group for one in keycloak.targets if one.group and "/health" in (one.group.health_path or "")]
        own = any("/health" in (one.text or "") for one in keycloak.container["HealthCheck"]["Command"])
        if not asking and not own:
            return
        who = f"{asking[0].name} asks for {asking[0].health_path}" if asking else "its HealthCheck asks for /health"
        said = f"{found.name} is false" if found else "KC_HEALTH_ENABLED isn't set, which means false"
        yield Hit.at(
            found.place if found else keycloak.environment_place,
            f"tasks are replaced for ever: {who}, and there is no health page, since {said}",
            'write {Name: KC_HEALTH_ENABLED, Value: "true"} into Environment',
        )
