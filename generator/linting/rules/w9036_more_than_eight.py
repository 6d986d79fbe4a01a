"""W9036: more tasks than DNS answers with."""

from __future__ import annotations

from collections.abc import Iterator

from generator.linting.rule import Hit, KeycloakRule
from generator.linting.rules import _cluster as cluster
from generator.linting.view import Keycloak

_ANSWERED = 8


class MoreThanEight(KeycloakRule):
    """There may be more tasks than one DNS answer holds.

    With MULTIVALUE, Cloud Map answers with at most eight healthy tasks, at random. Of nine or more, each node
    sees a part at a time. It joins through whomever it reaches, so the cluster mostly forms; but a node that
    leads the cluster and isn't among the eight is missed at a start, and after a split the merge takes
    longer. Database discovery has no such limit.

    Bad:

        Service:
          Properties: {DesiredCount: 9}

    Bad (by scaling):

        ScalableTarget:
          Type: AWS::ApplicationAutoScaling::ScalableTarget
          Properties:
            ServiceNamespace: ecs
            ScalableDimension: ecs:service:DesiredCount
            ResourceId: !Sub service/${Cluster}/${Service.Name}
            MinCapacity: 2
            MaxCapacity: 12

    Good:

        Service:
          Properties: {DesiredCount: 8}
    """

    id = "W9036"
    shortdesc = "DNS answers with every task there may be"
    source_url = "https://docs.aws.amazon.com/cloud-map/latest/api/API_DnsConfig.html"

    def judge(self, keycloak: Keycloak) -> Iterator[Hit]:
        if keycloak.clustered is not True or not cluster.asks_dns(keycloak):
            return
        for service in keycloak.services:
            most = service.most_tasks
            if service.registrations and most is not None and most > _ANSWERED:
                yield Hit.at(
                    cluster.max_tasks_place(service),
                    f"a node that starts may miss the one that leads the cluster: of {most} tasks, DNS "
                    f"answers with {_ANSWERED} at random",
                    f"write {_ANSWERED}, or let nodes find each other through the database: "
                    "{Name: KC_CACHE_STACK, Value: jdbc-ping}",
                )
