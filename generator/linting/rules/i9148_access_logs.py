"""I9148: a balancer that keeps no log."""

from __future__ import annotations

from collections.abc import Iterator

from generator.linting.rule import Hit, KeycloakRule
from generator.linting.rules._balancer import written
from generator.linting.view import Keycloak

_KEY = "access_logs.s3.enabled"


class AccessLogs(KeycloakRule):
    """The balancer keeps no log of its requests.

    Keycloak's events know of logins. Only the balancer knows of requests that never reached a node, of the
    address that really connected, and of what somebody tried before they found the way in. After an incident
    it is too late to switch the log on.

    Bad:

        LoadBalancer:
          Properties:
            LoadBalancerAttributes:
              - {Key: access_logs.s3.enabled, Value: "false"}

    Good:

        LoadBalancer:
          Properties:
            LoadBalancerAttributes:
              - {Key: access_logs.s3.enabled, Value: "true"}
              - {Key: access_logs.s3.bucket, Value: example-alb-logs}
    """

    id = "I9148"
    shortdesc = "The balancer keeps a log of its requests"
    source_url = "https://docs.aws.amazon.com/elasticloadbalancing/latest/application/load-balancer-access-logs.html"

    def judge(self, keycloak: Keycloak) -> Iterator[Hit]:
        for balancer in keycloak.load_balancers:
            attributes = balancer.attributes
            if balancer.application is True and attributes.flag(_KEY, False) is False:
                yield Hit.at(
                    written(attributes.get(_KEY) or attributes.place, attributes.place, balancer.properties),
                    f"after an incident nobody can say who asked for what: {balancer.name} keeps no access log",
                    f'write {{Key: {_KEY}, Value: "true"}} and {{Key: access_logs.s3.bucket, Value: ...}} into '
                    "LoadBalancerAttributes",
                )
