"""W9152: the first address in X-Forwarded-For."""

from __future__ import annotations

from collections.abc import Iterator

from generator.linting.rule import Hit, KeycloakRule
from generator.linting.rules._balancer import (
    distribution_may_refuse,
    forwards,
    may_refuse,
    origins,
    reads_forwarded_for,
)
from generator.linting.view import Keycloak
from generator.linting.view.balancers import Listener

_HEADER = "x-forwarded-for"
_MODE = "routing.http.xff_header_processing.mode"


class ForgedAddress(KeycloakRule):
    """Whoever logs in chooses the address that Keycloak takes for theirs.

    The balancer appends the client's address to the `X-Forwarded-For` that the client sent, and Keycloak
    takes the first one in it: what the client wrote. `proxy-trusted-addresses` doesn't help, it only says
    whose header counts, and the balancer's does. So the address in every event is what an attacker likes, and
    conditions or lists that look at addresses let them through. Browsers don't send the header, so a rule can
    refuse requests that bring one.

    Behind another proxy, which has to be the only one who can connect, let that one overwrite the header
    instead. CloudFront adds the header to every request, so the rule at the balancer would refuse them all
    (E9193); a web ACL of the distribution sees what the browser sent, and can block it there.

    Bad:

        ClientForwardedFor: ~

    Good:

        ClientForwardedFor:
          Type: AWS::ElasticLoadBalancingV2::ListenerRule
          Properties:
            ListenerArn: !Ref HttpsListener
            Priority: 5
            Conditions:
              - {Field: http-header, HttpHeaderConfig: {HttpHeaderName: X-Forwarded-For, Values: ["*"]}}
            Actions: [{Type: fixed-response, FixedResponseConfig: {StatusCode: "400"}}]
    """

    id = "W9152"
    shortdesc = "Clients can't choose the address that Keycloak sees"
    source_url = "https://github.com/keycloak/keycloak/issues/13261"

    def judge(self, keycloak: Keycloak) -> Iterator[Hit]:
        if not reads_forwarded_for(keycloak) or not keycloak.view.balancers.complete:
            return
        sending, groups = forwards(keycloak), keycloak.target_groups
        for listener in keycloak.listeners:
            balancer = listener.balancer
            if listener.public is not True or balancer is None or balancer.application is not True:
                continue
            if balancer.attributes.text(_MODE, "append") != "append" or _may_turn_away(listener):
                continue
            first = next((one for one in listener.decisions if one in sending), None)
            fronts = origins(keycloak.view, balancer)
            if first is None or fronts is None or may_refuse(keycloak.view, balancer, _HEADER):
                continue
            said = (
                "whoever logs in chooses the address in Keycloak's events: Keycloak takes the first one "
                f"in X-Forwarded-For, and {listener.name} passes on what the client wrote there"
            )
            if not fronts:
                yield Hit(
                    listener.resource.path,
                    said,
                    "add a rule before the others that answers 400, with an http-header condition on "
                    'X-Forwarded-For, Values: ["*"]',
                )
            elif listener.reached_by(f"{keycloak.relative_path}/realms/x/", tuple(one.name for one in groups)):
                yield Hit(
                    listener.resource.path,
                    said,
                    f"let only CloudFront reach {balancer.name} (its prefix list in the security group), and let the "
                    "distribution's web ACL block requests that bring X-Forwarded-For",
                )
            elif not any(distribution_may_refuse(one.distribution, _HEADER) for one in fronts):
                yield Hit(
                    listener.resource.path,
                    said,
                    "let a web ACL of the distribution (WebACLId) block requests that bring X-Forwarded-For: what "
                    "reaches the balancer always has it",
                )


def _may_turn_away(listener: Listener) -> bool:
    """Whether there may be a rule that looks at the header and doesn't forward."""
    refusing = [one for one in listener.rules if one.action.kind != "forward"]
    if not all(one.conditions_known for one in refusing):
        return True
    names = (
        one.place["HttpHeaderConfig"]["HttpHeaderName"].text
        for rule in refusing
        for one in rule.conditions
        if one.field in ("http-header", None)
    )
    return any(name is None or name.lower() == _HEADER for name in names)
