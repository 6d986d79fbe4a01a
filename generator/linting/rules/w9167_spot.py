"""W9167: nodes on borrowed capacity."""

from __future__ import annotations

from collections.abc import Iterator

from generator.linting.rule import Hit, KeycloakRule
from generator.linting.view import Keycloak


class Spot(KeycloakRule):
    """Nodes run on Fargate Spot, where AWS takes several away at once.

    AWS interrupts Spot tasks with two minutes' notice when it needs the capacity, in one zone often all of
    them, and may have none to start them again. Caches keep two copies: with two nodes gone together, logins
    under way and counts of failed attempts are lost, up to 25 all sessions, and with all of them gone nobody
    can log in.

    Bad:

        Service:
          Properties:
            LaunchType: ~
            CapacityProviderStrategy:
              - {CapacityProvider: FARGATE_SPOT, Weight: 1}

    Good (two nodes stay, more come and go):

        Service:
          Properties:
            LaunchType: ~
            CapacityProviderStrategy:
              - {CapacityProvider: FARGATE, Base: 2, Weight: 1}
              - {CapacityProvider: FARGATE_SPOT, Weight: 1}
    """

    id = "W9167"
    shortdesc = "At least two nodes run on capacity that stays"
    source_url = "https://docs.aws.amazon.com/AmazonECS/latest/developerguide/fargate-capacity-providers.html"

    def judge(self, keycloak: Keycloak) -> Iterator[Hit]:
        for service in keycloak.services:
            providers = list(service.properties["CapacityProviderStrategy"])
            stays = [one["Base"] for one in providers if one["CapacityProvider"].text != "FARGATE_SPOT"]
            if any(one and (one.integer is None or one.integer >= 2) for one in stays):
                continue
            for one in providers:
                used = [one[key] for key in ("Weight", "Base")]
                some = any((place.integer or 0) > 0 for place in used)
                if one["CapacityProvider"].text == "FARGATE_SPOT" and some:
                    yield Hit.at(
                        one,
                        "AWS may take several nodes away at once, with two minutes' notice: logins under way "
                        "are lost, and "
                        "nobody can log in until there is capacity again",
                        "let two nodes stay: {CapacityProvider: FARGATE, Base: 2, Weight: 1}",
                    )
