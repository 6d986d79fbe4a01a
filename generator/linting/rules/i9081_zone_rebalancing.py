"""I9081: nodes that ECS moves by itself."""

from __future__ import annotations

from collections.abc import Iterator

from generator.linting.rule import Hit, KeycloakRule
from generator.linting.rules._ecs import rolls
from generator.linting.view import Keycloak


class ZoneRebalancing(KeycloakRule):
    """ECS moves nodes to another zone by itself.

    When the zones are uneven, after one failed for instance, zone rebalancing starts a node in one zone and
    stops one in another, at a time that nobody chose. Each move is a node that leaves: caches are copied, and
    logins on it go to another node. For a service that is made anew it is on unless the template says
    otherwise.

    With two or three nodes it seldom happens, and being spread over the zones is worth something too: this is
    for you to decide.

    Bad:

        Service:
          Properties: {AvailabilityZoneRebalancing: ENABLED}

    Bad (it is the default):

        Service:
          Properties: {AvailabilityZoneRebalancing: ~}

    Good:

        Service:
          Properties: {AvailabilityZoneRebalancing: DISABLED}
    """

    id = "I9081"
    shortdesc = "Nodes move when somebody wants it"
    source_url = "https://docs.aws.amazon.com/AmazonECS/latest/developerguide/service-rebalancing.html"

    def judge(self, keycloak: Keycloak) -> Iterator[Hit]:
        if keycloak.clustered is not True:
            return
        for service in keycloak.services:
            place = service.properties["AvailabilityZoneRebalancing"]
            on = place.text == "ENABLED" if place else place.unknown is None
            if not on or service.most_tasks in (None, 0, 1) or rolls(service) is not True:
                continue
            # Without room to start one more, ECS leaves it off (E9505 says so where it is asked for).
            if (service.maximum_percent or 0) <= 100:
                continue
            yield Hit.at(
                place if place else service.properties,
                f"ECS may move a node to another zone at any time: zone rebalancing of {service.name} is on"
                + ("" if place else ", as nothing is said about it"),
                "write AvailabilityZoneRebalancing: DISABLED",
            )
