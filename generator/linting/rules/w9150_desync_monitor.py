"""W9150: requests that two servers read differently."""

from __future__ import annotations

from collections.abc import Iterator

from generator.linting.rule import Hit, KeycloakRule
from generator.linting.view import Keycloak

_KEY = "routing.http.desync_mitigation_mode"


class DesyncMonitor(KeycloakRule):
    """The balancer only counts requests that it and Keycloak may read differently.

    Such a request can hide a second one in it that no rule of the listener ever sees (HTTP desync, request
    smuggling): /admin/ behind a harmless path, or a piece that is put before the next user's request. With
    `monitor` the balancer passes them all on; `defensive`, AWS's default, and `strictest` don't.

    Bad:

        LoadBalancer:
          Properties:
            LoadBalancerAttributes:
              - {Key: routing.http.desync_mitigation_mode, Value: monitor}

    Good:

        LoadBalancer:
          Properties:
            LoadBalancerAttributes:
              - {Key: routing.http.desync_mitigation_mode, Value: defensive}
    """

    id = "W9150"
    shortdesc = "The balancer refuses ambiguous requests"
    source_url = "https://docs.aws.amazon.com/elasticloadbalancing/latest/application/application-load-balancers.html"

    def judge(self, keycloak: Keycloak) -> Iterator[Hit]:
        for balancer in keycloak.load_balancers:
            place = balancer.attributes.get(_KEY)
            if place is not None and place.text == "monitor":
                yield Hit.at(
                    place,
                    "a request hidden in another one passes the listener's rules: "
                    f"{balancer.name} only counts ambiguous requests",
                    f"write {{Key: {_KEY}, Value: defensive}}",
                )
