"""E9059: X-Forwarded-For as somebody wrote it, or not at all."""

from __future__ import annotations

from collections.abc import Iterator

from generator.linting.rule import Hit, KeycloakRule
from generator.linting.rules._balancer import reads_forwarded_for
from generator.linting.view import Keycloak

_KEY = "routing.http.xff_header_processing.mode"


class ForwardedForMode(KeycloakRule):
    """The balancer doesn't tell Keycloak where a request comes from.

    By default it adds the client's address to `X-Forwarded-For`. With `remove` it sends none: in the event
    log, and for every rule that looks at addresses, all users come from the balancer. With `preserve` it
    passes on what the client wrote: whoever connects to the balancer chooses the address that Keycloak
    believes, a new one for each password they try. `preserve` is right only behind a proxy that is the only
    one who can connect.

    Bad:

        LoadBalancer:
          Properties:
            LoadBalancerAttributes:
              - {Key: routing.http.xff_header_processing.mode, Value: remove}

    Bad (as the client wrote it):

        LoadBalancer:
          Properties:
            LoadBalancerAttributes:
              - {Key: routing.http.xff_header_processing.mode, Value: preserve}

    Good:

        LoadBalancer:
          Properties:
            LoadBalancerAttributes:
              - {Key: routing.http.xff_header_processing.mode, Value: append}
    """

    id = "E9059"
    shortdesc = "The balancer tells Keycloak where a request comes from"
    source_url = "https://docs.aws.amazon.com/elasticloadbalancing/latest/application/x-forwarded-headers.html"

    def judge(self, keycloak: Keycloak) -> Iterator[Hit]:
        if not reads_forwarded_for(keycloak):
            return
        for balancer in keycloak.load_balancers:
            place = balancer.attributes.get(_KEY)
            if place is None or balancer.application is not True:
                continue
            fix = f"write {{Key: {_KEY}, Value: append}}"
            if place.text == "remove":
                yield Hit.at(
                    place,
                    "for Keycloak every user comes from the balancer's address: "
                    f"{balancer.name} takes X-Forwarded-For away",
                    fix,
                )
            elif place.text == "preserve" and any(one.public is True for one in balancer.listeners):
                yield Hit.at(
                    place,
                    "whoever logs in chooses the address that Keycloak sees and logs: "
                    f"{balancer.name} passes X-Forwarded-For on as the client wrote it",
                    fix,
                )
