"""E9193: what CloudFront sends is refused."""

from __future__ import annotations

from collections.abc import Iterator

from generator.linting.rule import Hit, KeycloakRule
from generator.linting.rules._balancer import origins
from generator.linting.view import Keycloak
from generator.linting.view.balancers import Decision, Listener


class RefusedBehindCloudFront(KeycloakRule):
    """A rule refuses requests with X-Forwarded-For, and CloudFront in front of the balancer adds that header.

    CloudFront writes the viewer's address into `X-Forwarded-For` of every request that it sends to an origin.
    A rule that turns such requests away turns everybody away: no page of Keycloak is seen through CloudFront.
    What a client wrote into the header is seen by a web ACL of the distribution, so block it there.

    Bad:

        Distribution:
          Type: AWS::CloudFront::Distribution
          Properties:
            DistributionConfig:
              Enabled: true
              Origins:
                - Id: balancer
                  DomainName: !GetAtt LoadBalancer.DNSName
                  CustomOriginConfig: {OriginProtocolPolicy: https-only, OriginSSLProtocols: [TLSv1.2]}
              DefaultCacheBehavior:
                TargetOriginId: balancer
                ViewerProtocolPolicy: redirect-to-https
                CachePolicyId: 4135ea2d-6df8-44a3-9df3-4b5a84be39ad
                OriginRequestPolicyId: 216adef6-5c7f-47e4-b989-5492eafa07d3

    Good:

        ClientForwardedFor: ~
        Distribution:
          Type: AWS::CloudFront::Distribution
          Properties:
            DistributionConfig:
              Enabled: true
              WebACLId: arn:aws:wafv2:us-east-1:123456789012:global/webacl/sso/01234567-89ab-cdef-0123-456789abcdef
              Origins:
                - Id: balancer
                  DomainName: !GetAtt LoadBalancer.DNSName
                  CustomOriginConfig: {OriginProtocolPolicy: https-only, OriginSSLProtocols: [TLSv1.2]}
              DefaultCacheBehavior:
                TargetOriginId: balancer
                ViewerProtocolPolicy: redirect-to-https
                CachePolicyId: 4135ea2d-6df8-44a3-9df3-4b5a84be39ad
                OriginRequestPolicyId: 216adef6-5c7f-47e4-b989-5492eafa07d3
    """

    id = "E9193"
    shortdesc = "What CloudFront sends isn't refused"
    source_url = (
        "https://docs.aws.amazon.com/AmazonCloudFront/latest/DeveloperGuide/"
        "RequestAndResponseBehaviorCustomOrigin.html"
    )

    def judge(self, keycloak: Keycloak) -> Iterator[Hit]:
        for listener in keycloak.listeners:
            if listener.balancer is None or not listener.ordered:
                continue
            asked = [
                one
                for one in origins(keycloak.view, listener.balancer) or ()
                if listener.port is not None and listener.port in one.ports
            ]
            refusing = _refusing(listener)
            if asked and refusing is not None:
                yield Hit(
                    refusing.path,
                    f"everybody who comes through CloudFront is refused: {refusing.name} turns requests with "
                    "X-Forwarded-For away, and CloudFront adds that header to each",
                    f"take {refusing.name} away, and let the distribution's web ACL block requests that bring "
                    "X-Forwarded-For",
                )


def _refusing(listener: Listener) -> Decision | None:
    """The rule that takes every request with the header before any other forwards one."""
    for rule in listener.rules:
        if rule.action.kind in (None, "forward"):
            return None
        if rule.conditions_known and rule.conditions and all(
            one.field == "http-header"
            and (one.place["HttpHeaderConfig"]["HttpHeaderName"].text or "").lower() == "x-forwarded-for"
            and "*" in one.texts
            for one in rule.conditions
        ):
            return rule
    return None
