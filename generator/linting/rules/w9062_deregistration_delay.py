"""W9062: tasks that take long to go."""

from __future__ import annotations

from collections.abc import Iterator

from generator.linting.rule import Hit, KeycloakRule
from generator.linting.view import Keycloak

_KEY = "deregistration_delay.timeout_seconds"


class DeregistrationDelay(KeycloakRule):
    """A task that leaves is kept for more than five minutes.

    ECS takes a task out of the target group and waits for the deregistration delay before it stops it.
    Keycloak's requests last seconds, so after 20 to 60 of them nothing is left to wait for. As nodes should
    be replaced one at a time, every deployment takes this long for each task; and with a security fix
    waiting, so does the fix. Tasks that find each other by DNS with a stack that Keycloak brings should
    leave within 30 seconds: see W9120.

    Bad:

        TargetGroup:
          Properties:
            TargetGroupAttributes:
              - {Key: deregistration_delay.timeout_seconds, Value: "900"}

    Good:

        TargetGroup:
          Properties:
            TargetGroupAttributes:
              - {Key: deregistration_delay.timeout_seconds, Value: "60"}
    """

    id = "W9062"
    shortdesc = "A task that leaves is gone within five minutes"
    source_url = "https://docs.aws.amazon.com/AmazonECS/latest/developerguide/load-balancer-connection-draining.html"

    def judge(self, keycloak: Keycloak) -> Iterator[Hit]:
        for group in keycloak.target_groups:
            place = group.attributes.get(_KEY)
            seconds = place.integer if place is not None else None
            if place is not None and seconds is not None and seconds > 300:
                tasks = max(keycloak.most_tasks or 1, 1)
                yield Hit.at(
                    place,
                    f"a deployment takes at least {seconds * tasks // 60} minutes: each of {tasks} tasks stays "
                    f"{seconds} s in {group.name} after its last request",
                    f'write {{Key: {_KEY}, Value: "20"}}',
                )
