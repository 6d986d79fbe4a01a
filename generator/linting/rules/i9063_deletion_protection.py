"""I9063: a balancer that is easy to lose."""

from __future__ import annotations

from collections.abc import Iterator

from generator.linting.rule import Hit, KeycloakRule
from generator.linting.rules._balancer import written
from generator.linting.view import Keycloak

_KEY = "deletion_protection.enabled"


class DeletionProtection(KeycloakRule):
    """Nothing keeps the balancer from being deleted.

    With it goes its DNS name and its addresses: every record and every allow list of a partner that names
    them has to be changed before anybody can log in again. Deletion protection refuses that until somebody
    switches it off.

    Bad:

        LoadBalancer:
          Properties:
            LoadBalancerAttributes:
              - {Key: deletion_protection.enabled, Value: "false"}

    Bad (AWS's default):

        LoadBalancer:
          Properties:
            LoadBalancerAttributes:
              - {Key: deletion_protection.enabled, Value: ~}

    Good:

        LoadBalancer:
          Properties:
            LoadBalancerAttributes:
              - {Key: deletion_protection.enabled, Value: "true"}
    """

    id = "I9063"
    shortdesc = "The balancer can't be deleted by mistake"
    source_url = "https://docs.aws.amazon.com/elasticloadbalancing/latest/application/edit-load-balancer-attributes.html"

    def judge(self, keycloak: Keycloak) -> Iterator[Hit]:
        for balancer in keycloak.load_balancers:
            attributes = balancer.attributes
            if attributes.flag(_KEY, False) is False:
                yield Hit.at(
                    written(attributes.get(_KEY) or attributes.place, attributes.place, balancer.properties),
                    f"a slip deletes {balancer.name}, and nobody logs in until records lead to another one: it isn't "
                    "protected against deletion",
                    f'write {{Key: {_KEY}, Value: "true"}} into LoadBalancerAttributes',
                )
