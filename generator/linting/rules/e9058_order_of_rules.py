"""E9058: rules in the wrong order."""

from __future__ import annotations

from collections.abc import Iterator

from generator.linting.rule import Hit, KeycloakRule
from generator.linting.rules._shadow import shadowed
from generator.linting.view import Keycloak


class OrderOfRules(KeycloakRule):
    """A rule comes too late: an earlier one has taken every request that it is for.

    Rules are tried by priority, the lowest number first, and the first one that matches decides. A rule that
    should close a path after one that opens it closes nothing: what you meant to protect is open. A rule that
    should open a path after one that closes it opens nothing: users get the fixed answer.

    Bad (closes nothing):

        MasterRealmClosed:
          Type: AWS::ElasticLoadBalancingV2::ListenerRule
          Properties:
            ListenerArn: !Ref HttpsListener
            Priority: 30
            Conditions:
              - {Field: host-header, HostHeaderConfig: {Values: [sso.example.com]}}
              - {Field: path-pattern, PathPatternConfig: {Values: ["/realms/master", "/realms/master/*"]}}
            Actions: [{Type: fixed-response, FixedResponseConfig: {StatusCode: "404"}}]
        PublicRule:
          Properties:
            Conditions:
              - {Field: path-pattern, PathPatternConfig: {Values: ["/realms/*", "/resources/*"]}}

    Bad (opens nothing):

        Maintenance:
          Type: AWS::ElasticLoadBalancingV2::ListenerRule
          Properties:
            ListenerArn: !Ref HttpsListener
            Priority: 15
            Conditions:
              - {Field: path-pattern, PathPatternConfig: {Values: ["/*"]}}
            Actions: [{Type: fixed-response, FixedResponseConfig: {StatusCode: "503"}}]

    Good:

        MasterRealmClosed:
          Type: AWS::ElasticLoadBalancingV2::ListenerRule
          Properties:
            ListenerArn: !Ref HttpsListener
            Priority: 15
            Conditions:
              - {Field: host-header, HostHeaderConfig: {Values: [sso.example.com]}}
              - {Field: path-pattern, PathPatternConfig: {Values: ["/realms/master", "/realms/master/*"]}}
            Actions: [{Type: fixed-response, FixedResponseConfig: {StatusCode: "404"}}]
    """

    id = "E9058"
    shortdesc = "Rules that close a path come before those that open it"
    source_url = "https://docs.aws.amazon.com/elasticloadbalancing/latest/application/listener-rules.html"

    def judge(self, keycloak: Keycloak) -> Iterator[Hit]:
        for late, early, kind in shadowed(keycloak):
            if kind == "opened":
                yield Hit(
                    late.path,
                    f"what {late.name} should close is open: {early.name}, priority {early.priority}, has forwarded "
                    "every such request to Keycloak already",
                    f"give {late.name} a priority below {early.priority}",
                )
            elif kind == "closed":
                yield Hit(
                    late.path,
                    f"nobody gets through by {late.name}: {early.name}, priority {early.priority}, has answered "
                    "every such request already",
                    f"give {late.name} a priority below {early.priority}",
                )
