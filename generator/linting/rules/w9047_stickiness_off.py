"""W9047: a login that wanders between nodes."""

from __future__ import annotations

from collections.abc import Iterator

from generator.linting.rule import Hit, KeycloakRule
from generator.linting.rules._balancer import written
from generator.linting.view import Keycloak


class StickinessOff(KeycloakRule):
    """The balancer sends each request of a login to another node.

    A login is several requests, and its state lies in the cache of two of the nodes. Without sticky sessions
    every request may land on a node that has to fetch it from another one over the network. Logins work, but
    they are slower and every node talks to every other all the time; a login that is under way while a node
    is slow to join or to leave is lost more easily. From 26.6 on that matters little: see I9047.

    Bad:

        TaskDefinition:
          Properties:
            ContainerDefinitions:
              - Name: keycloak
                Image: quay.io/keycloak/keycloak:26.4.7
        TargetGroup:
          Properties:
            TargetGroupAttributes:
              - {Key: stickiness.enabled, Value: "false"}

    Bad (AWS's default is off):

        TaskDefinition:
          Properties:
            ContainerDefinitions:
              - Name: keycloak
                Image: quay.io/keycloak/keycloak:24.0.5
        TargetGroup:
          Properties:
            TargetGroupAttributes: ~

    Good:

        TaskDefinition:
          Properties:
            ContainerDefinitions:
              - Name: keycloak
                Image: quay.io/keycloak/keycloak:26.4.7
        TargetGroup:
          Properties:
            TargetGroupAttributes:
              - {Key: stickiness.enabled, Value: "true"}
              - {Key: stickiness.type, Value: lb_cookie}
              - {Key: stickiness.lb_cookie.duration_seconds, Value: "1800"}
    """

    id = "W9047"
    shortdesc = "A login stays with one node"
    source_url = "https://www.keycloak.org/server/reverseproxy"
    before = (26, 6)

    def judge(self, keycloak: Keycloak) -> Iterator[Hit]:
        if (keycloak.most_tasks or 0) < 2:
            return
        for group in keycloak.target_groups:
            attributes = group.attributes
            if group.protocol in ("HTTP", "HTTPS") and attributes.flag("stickiness.enabled", False) is False:
                place = attributes.get("stickiness.enabled")
                yield Hit.at(
                    written(place or attributes.place, attributes.place, group.properties),
                    f"logins are slow and fragile: {group.name} sends each request of a login to another one of "
                    f"{keycloak.most_tasks} nodes, which has to fetch its state from the others",
                    'write {Key: stickiness.enabled, Value: "true"}, {Key: stickiness.type, Value: lb_cookie} into '
                    f"TargetGroupAttributes of {group.name}",
                )
