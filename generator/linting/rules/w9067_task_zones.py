"""W9067: the zones that tasks run in."""

from __future__ import annotations

from collections.abc import Iterator

from generator.linting.rule import Hit, KeycloakRule
from generator.linting.rules._zones import in_one_zone
from generator.linting.view import Keycloak


class TaskZones(KeycloakRule):
    """All tasks run in one availability zone.

    Fargate spreads a service's tasks over the zones of its subnets. With subnets in one zone all nodes are in
    it, and when that zone fails, Keycloak is gone with all its nodes and what they hold in memory, although
    there are several.

    Bad:

        Service:
          Properties:
            NetworkConfiguration:
              AwsvpcConfiguration:
                Subnets: [!Ref PrivateSubnetA]

    Good:

        Service:
          Properties:
            NetworkConfiguration:
              AwsvpcConfiguration:
                Subnets: [!Ref PrivateSubnetA, !Ref PrivateSubnetB]
    """

    id = "W9067"
    shortdesc = "Tasks run in at least two zones"
    source_url = "https://docs.aws.amazon.com/AmazonECS/latest/developerguide/fargate-tasks-services.html"

    def judge(self, keycloak: Keycloak) -> Iterator[Hit]:
        for service in keycloak.services:
            if service.most_tasks in (0, 1):
                continue
            place = service.properties["NetworkConfiguration"]["AwsvpcConfiguration"]["Subnets"]
            if in_one_zone(place):
                yield Hit.at(
                    place,
                    f"one zone's failure is Keycloak's: all tasks of {service.name} run in the same one",
                    "add a subnet in another zone",
                )
