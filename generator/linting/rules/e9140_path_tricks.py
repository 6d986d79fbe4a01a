"""E9140: paths that look harmless to a balancer."""

from __future__ import annotations

from collections.abc import Iterator

from generator.linting.rule import Hit, KeycloakRule
from generator.linting.rules._balancer import tricked
from generator.linting.view import Keycloak


class PathTricks(KeycloakRule):
    """A rule for the public paths lets the admin console through by a path that only looks public.

    A balancer compares its patterns with the path as the client sent it; `/realms/../admin/master/console/`
    matches `/realms/*`. Keycloak 23 to 26.4.2 resolves the dots afterwards and shows the admin console, and
    up to 24 the metrics and the health page too (measured on 24.0.5, 25.0.6, 26.0.8, 26.2.5 and 26.3.5; from
    26.4.3 on the answer is 400, unless `http-accept-non-normalized-paths=true`). `//admin/` and, up to 26.4,
    `/admin;x/` pass a rule that denies `/admin/*`.

    A path pattern can't hold a `%`, so the encoded forms (`%2e`) need a regular expression, in a rule before
    the others or in a web ACL. The rule is silent where such a guard stands, without judging it.

    Bad:

        TaskDefinition:
          Properties:
            ContainerDefinitions:
              - Name: keycloak
                Image: quay.io/keycloak/keycloak:26.2.5

    Bad (everything is forwarded but the console):

        TaskDefinition:
          Properties:
            ContainerDefinitions:
              - Name: keycloak
                Image: quay.io/keycloak/keycloak:26.4.7
        AdminRule:
          Properties:
            Conditions:
              - {Field: host-header, HostHeaderConfig: ~}
              - {Field: source-ip, SourceIpConfig: ~}
              - {Field: path-pattern, PathPatternConfig: {Values: ["/admin", "/admin/*"]}}
            Actions: [{Type: fixed-response, FixedResponseConfig: {StatusCode: "404"}}]
        HttpsListener:
          Properties:
            DefaultActions: [{Type: forward, TargetGroupArn: !Ref TargetGroup}]

    Good:

        TaskDefinition:
          Properties:
            ContainerDefinitions:
              - Name: keycloak
                Image: quay.io/keycloak/keycloak:26.2.5
        PathGuard:
          Type: AWS::ElasticLoadBalancingV2::ListenerRule
          Properties:
            ListenerArn: !Ref HttpsListener
            Priority: 1
            Conditions:
              - Field: path-pattern
                PathPatternConfig: {RegexValues: ['^.*(//|/\\.\\.?(/|$)|[;\\\\]|%2[eEfF5]|%5[cC]|%3[bB]).*$']}
            Actions: [{Type: fixed-response, FixedResponseConfig: {StatusCode: "400"}}]

    Good (a newer Keycloak):

        TaskDefinition:
          Properties:
            ContainerDefinitions:
              - Name: keycloak
                Image: quay.io/keycloak/keycloak:26.4.7
    """

    id = "E9140"
    shortdesc = "No path trick leads past the listener's rules to the admin console"
    source_url = "https://www.keycloak.org/docs/latest/upgrading/index.html"
    versions = "23.0 up to 26.4; newer ones with http-accept-non-normalized-paths"

    def judge(self, keycloak: Keycloak) -> Iterator[Hit]:
        for listener in keycloak.listeners:
            if listener.public is not True:
                continue
            for decision, path, what in tricked(keycloak, listener):
                yield Hit(
                    decision.path,
                    f"everybody in the internet reaches {what} by {path}: {decision.name} forwards that to Keycloak "
                    f"{keycloak.version}",
                    f"use Keycloak 26.6 or newer, or put a rule before the others of {listener.name} that answers 400 "
                    "to paths with /../, //, ; and %2e",
                )
