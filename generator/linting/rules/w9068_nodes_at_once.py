"""W9068: how many nodes a deployment replaces at once."""

from __future__ import annotations

from collections.abc import Iterator

from generator.keycloak.sizing import deployment_percents
from generator.linting.rule import Hit, KeycloakRule
from generator.linting.rules._ecs import rolls, written
from generator.linting.view import Keycloak


class NodesAtOnce(KeycloakRule):
    """A deployment replaces several nodes at the same time.

    What only the caches hold (logins under way, failed attempts, used tokens; up to 25 all sessions) is on
    two nodes. Where two go at once before it was copied, it is gone: users have to start their login again.
    Keycloak asks for one node at a time when it is updated or scaled. The defaults, 100 and 200 percent,
    start as many new tasks as there are old ones and then stop all old ones together.

    ECS rounds MinimumHealthyPercent up and MaximumPercent down to whole tasks: 100 and 150 replace two tasks
    one after the other, 100 and 134 three, 100 and 125 four.

    A change that no rolling update takes (another minor version before 26.6, another cache stack) has to stop
    all nodes first, with 0 and 100 percent; then this warning is the price.

    Bad (the defaults):

        Service:
          Properties:
            DeploymentConfiguration: {MinimumHealthyPercent: ~, MaximumPercent: ~}

    Bad (all stop before the first one starts):

        Service:
          Properties:
            DeploymentConfiguration: {MinimumHealthyPercent: 0, MaximumPercent: 100}

    Good:

        Service:
          Properties:
            DesiredCount: 2
            DeploymentConfiguration: {MinimumHealthyPercent: 100, MaximumPercent: 150}
    """

    id = "W9068"
    shortdesc = "A deployment replaces one node at a time"
    source_url = "https://www.keycloak.org/docs/latest/upgrading/"

    def judge(self, keycloak: Keycloak) -> Iterator[Hit]:
        if keycloak.clustered is False:
            return
        for service in keycloak.services:
            tasks = service.least_tasks
            low, high = service.minimum_healthy_percent, service.maximum_percent
            if tasks is None or tasks < 2 or low is None or high is None or rolls(service) is not True:
                continue
            gone = tasks - min(-(-tasks * low // 100), tasks)
            more = max(tasks * high // 100 - tasks, 0)
            if gone + more < 2:
                continue
            right = deployment_percents(tasks, recreate=False)
            limits = service.properties["DeploymentConfiguration"]
            if gone == tasks and not more:
                what = f"nobody can log in during a deployment: all {tasks} tasks stop before a new one starts"
            else:
                what = (
                    f"logins under way are lost in a deployment: {low} and {high} percent of {tasks} tasks "
                    "let "
                    f"{gone + more} nodes change at once, and caches have two copies"
                )
            yield Hit.at(
                written(
                    limits["MaximumPercent"], limits["MinimumHealthyPercent"], limits, service.properties
                ),
                what,
                f"write MinimumHealthyPercent: {right[0]}, MaximumPercent: {right[1]}",
            )
