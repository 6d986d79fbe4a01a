"""W9059: headers that no browser sends."""

from __future__ import annotations

from collections.abc import Iterator

from generator.linting.rule import Hit, KeycloakRule
from generator.linting.rules._balancer import written
from generator.linting.view import Keycloak

_KEY = "routing.http.drop_invalid_header_fields.enabled"


class InvalidHeaders(KeycloakRule):
    """The balancer passes headers on whose names aren't valid.

    By default a header with a blank, an underscore or anything else than letters, digits and hyphens in its
    name reaches Keycloak. No client needs that. It is how requests are smuggled past rules, and how a header
    like SSL_CLIENT_CERT, which a client certificate provider trusts, comes in from outside.

    Bad:

        LoadBalancer:
          Properties:
            LoadBalancerAttributes:
              - {Key: routing.http.drop_invalid_header_fields.enabled, Value: "false"}

    Bad (AWS's default):

        LoadBalancer:
          Properties:
            LoadBalancerAttributes: ~

    Good:

        LoadBalancer:
          Properties:
            LoadBalancerAttributes:
              - {Key: routing.http.drop_invalid_header_fields.enabled, Value: "true"}
    """

    id = "W9059"
    shortdesc = "The balancer drops headers with invalid names"
    source_url = "https://docs.aws.amazon.com/elasticloadbalancing/latest/application/application-load-balancers.html"

    def judge(self, keycloak: Keycloak) -> Iterator[Hit]:
        for balancer in keycloak.load_balancers:
            attributes = balancer.attributes
            if balancer.application is True and attributes.flag(_KEY, False) is False:
                yield Hit.at(
                    written(attributes.get(_KEY) or attributes.place, attributes.place, balancer.properties),
                    "headers with invalid names reach Keycloak, which rules and proxies read differently: "
                    f"{balancer.name} passes them on",
                    f'write {{Key: {_KEY}, Value: "true"}} into LoadBalancerAttributes',
                )
