"""W9051: readiness that doesn't look at the database."""

from __future__ import annotations

from collections.abc import Iterator

from generator.linting.rule import Hit, KeycloakRule
from generator.linting.view import Keycloak


class MetricsOff(KeycloakRule):
    """The readiness page says nothing about the database, because metrics are off.

    `/health/ready` includes the check of the database's connection pool only where `metrics-enabled` is true
    as well. Without it a node that has lost its database counts as ready, and the balancer goes on sending it
    logins, which all fail.

    Bad:

        TaskDefinition:
          Properties:
            ContainerDefinitions:
              - Name: keycloak
                Image: quay.io/keycloak/keycloak:26.7.4
                Command: [start]
                Environment:
                  - {Name: KC_HEALTH_ENABLED, Value: "true"}

    Bad (off):

        TaskDefinition:
          Properties:
            ContainerDefinitions:
              - Name: keycloak
                Command: [start]
                Environment:
                  - {Name: KC_HEALTH_ENABLED, Value: "true"}
                  - {Name: KC_METRICS_ENABLED, Value: "false"}

    Good:

        TaskDefinition:
          Properties:
            ContainerDefinitions:
              - Name: keycloak
                Image: quay.io/keycloak/keycloak:26.7.4
                Command: [start]
                Environment:
                  - {Name: KC_HEALTH_ENABLED, Value: "true"}
                  - {Name: KC_METRICS_ENABLED, Value: "true"}
    """

    id = "W9051"
    shortdesc = "The readiness page looks at the database"
    source_url = "https://www.keycloak.org/observability/health"

    def judge(self, keycloak: Keycloak) -> Iterator[Hit]:
        options = keycloak.options
        health, metrics = options.get("health-enabled"), options.get("metrics-enabled")
        off = metrics.flag is False if metrics is not None else options.missing("metrics-enabled")
        if not off or health is None or health.flag is not True:
            return
        group = next(
            (one.group for one in keycloak.targets if one.group and "/health" in (one.group.health_path or "")), None
        )
        if group is not None:
            yield Hit.at(
                metrics.place if metrics else health.place,
                f"a node that lost its database still gets logins: {group.health_path} looks at the database only if "
                "metrics are on",
                'write {Name: KC_METRICS_ENABLED, Value: "true"} into Environment',
            )
