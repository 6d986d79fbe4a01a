"""W9066: a service that may run a single task."""

from __future__ import annotations

from collections.abc import Iterator

from generator.linting.rule import Hit, KeycloakRule
from generator.linting.view import Keycloak


class OneTask(KeycloakRule):
    """The service runs one task, or may shrink to one.

    When that task, its host or its zone is gone, nobody can log in until a new one is ready, which takes a
    minute or more. Logins that were under way are lost with it, and up to 25, where sessions are in memory,
    everybody's sessions. A service without DesiredCount starts one task.

    A single node is a fair choice for trying things out: with `cache: local` or `start-dev` this rule says
    nothing.

    Bad:

        Service:
          Properties: {DesiredCount: 1}

    Bad (at night):

        ScalableTarget:
          Type: AWS::ApplicationAutoScaling::ScalableTarget
          Properties:
            ServiceNamespace: ecs
            ScalableDimension: ecs:service:DesiredCount
            ResourceId: !Sub "service/${Cluster}/${Service.Name}"
            MinCapacity: 1
            MaxCapacity: 4

    Good:

        Service:
          Properties: {DesiredCount: 2}
    """

    id = "W9066"
    shortdesc = "At least two tasks run"
    source_url = "https://www.keycloak.org/server/configuration-production"

    def judge(self, keycloak: Keycloak) -> Iterator[Hit]:
        if keycloak.dev or keycloak.options.value("cache") == "local":
            return
        for service in keycloak.services:
            if service.least_tasks != 1 or service.properties["SchedulingStrategy"].text == "DAEMON":
                continue
            scaled = service.scaling is not None
            yield Hit.at(
                service.count_place,
                f"nobody can log in for a minute or more whenever the only task of {service.name} is lost: "
                + (f"it {'may shrink to' if scaled else 'runs'} one"),
                f"write {'MinCapacity' if scaled else 'DesiredCount'}: 2",
            )
