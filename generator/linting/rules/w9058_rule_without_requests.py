"""W9058: a rule that never decides."""

from __future__ import annotations

from collections.abc import Iterator

from generator.linting.rule import Hit, KeycloakRule
from generator.linting.rules._shadow import shadowed
from generator.linting.view import Keycloak


class RuleWithoutRequests(KeycloakRule):
    """A rule never gets a request, because an earlier one takes all of them.

    It does nothing, costs a place among the 100 rules of a balancer, and whoever changes it wonders why
    nothing happens.

    Bad:

        LoginRule:
          Type: AWS::ElasticLoadBalancingV2::ListenerRule
          Properties:
            ListenerArn: !Ref HttpsListener
            Priority: 30
            Conditions:
              - {Field: host-header, HostHeaderConfig: {Values: [sso.example.com]}}
              - {Field: path-pattern, PathPatternConfig: {Values: ["/realms/company/*"]}}
            Actions: [{Type: forward, TargetGroupArn: !Ref TargetGroup}]

    Good:

        LoginRule:
          Type: AWS::ElasticLoadBalancingV2::ListenerRule
          Properties:
            ListenerArn: !Ref HttpsListener
            Priority: 30
            Conditions:
              - {Field: host-header, HostHeaderConfig: {Values: [login.example.com]}}
              - {Field: path-pattern, PathPatternConfig: {Values: ["/realms/company/*"]}}
            Actions: [{Type: forward, TargetGroupArn: !Ref TargetGroup}]
    """

    id = "W9058"
    shortdesc = "Every rule gets requests that no earlier one takes"
    source_url = "https://docs.aws.amazon.com/elasticloadbalancing/latest/application/listener-rules.html"

    def judge(self, keycloak: Keycloak) -> Iterator[Hit]:
        for late, early, kind in shadowed(keycloak):
            if kind == "dead":
                yield Hit(
                    late.path,
                    f"{late.name} never does anything: {early.name}, priority {early.priority}, takes every request "
                    "that it is for",
                    f"leave {late.name} out, or give it a priority below {early.priority}",
                )
