"""I9047: a login that wanders between nodes, where that matters little."""

from __future__ import annotations

from collections.abc import Iterator

from generator.linting.rule import Hit, KeycloakRule
from generator.linting.rules._balancer import written
from generator.linting.view import Keycloak


class StickinessOffNow(KeycloakRule):
    """The balancer sends each request of a login to another node.

    Since the optimizations in 26.6 sticky sessions bring little (upgrading guide 26.8.0). They still help while
    nodes of two patch releases run side by side: without them users bounce between the two, and the account and the
    admin console ask to be reloaded again and again.

    Bad:

        TargetGroup:
          Properties:
            TargetGroupAttributes:
              - {Key: stickiness.enabled, Value: "false"}

    Good:

        TargetGroup:
          Properties:
            TargetGroupAttributes:
              - {Key: stickiness.enabled, Value: "true"}
    """

    id = "I9047"
    shortdesc = "A login stays with one node during an update"
    source_url = "https://www.keycloak.org/server/update-compatibility"
    since = (26, 6)

    def judge(self, keycloak: Keycloak) -> Iterator[Hit]:
        if (keycloak.most_tasks or 0) < 2:
            return
        for group in keycloak.target_groups:
            attributes = group.attributes
            if group.protocol in ("HTTP", "HTTPS") and attributes.flag("stickiness.enabled", False) is False:
                place = attributes.get("stickiness.enabled")
                yield Hit.at(
                    written(place or attributes.place, attributes.place, group.properties),
                    "users have to reload the consoles again and again while a patch release rolls out: "
                    f"{group.name} sends each request to another node",
                    f'write {{Key: stickiness.enabled, Value: "true"}} into TargetGroupAttributes of {group.name}',
                )
