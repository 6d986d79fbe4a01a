"""W9141: the closed master realm and path parameters."""

from __future__ import annotations

from collections.abc import Iterator

from generator.linting.rule import Hit, KeycloakRule
from generator.linting.rules._balancer import may_refuse
from generator.linting.view import Keycloak


class MasterRealmTricks(KeycloakRule):
    """Rules close the master realm, and a path parameter opens it again.

    Up to 26.4 Keycloak leaves out what stands between `;` and the next `/`. So `/realms/master;x/...` passes
    a rule that answers 404 to `/realms/master/*`, meets the one that forwards `/realms/*`, and is the login
    of the administrators' realm (measured on 22.0.5, 23.0.7, 24.0.5 and 26.4.7; 26.5.5 and newer answer 400).

    Bad:

        TaskDefinition:
          Properties:
            ContainerDefinitions:
              - Name: keycloak
                Image: quay.io/keycloak/keycloak:26.4.7
        MasterRealmClosed:
          Type: AWS::ElasticLoadBalancingV2::ListenerRule
          Properties:
            ListenerArn: !Ref HttpsListener
            Priority: 15
            Conditions:
              - {Field: path-pattern, PathPatternConfig: {Values: ["/realms/master", "/realms/master/*"]}}
            Actions: [{Type: fixed-response, FixedResponseConfig: {StatusCode: "404"}}]

    Good:

        TaskDefinition:
          Properties:
            ContainerDefinitions:
              - Name: keycloak
                Image: quay.io/keycloak/keycloak:26.4.7
        MasterRealmClosed:
          Type: AWS::ElasticLoadBalancingV2::ListenerRule
          Properties:
            ListenerArn: !Ref HttpsListener
            Priority: 15
            Conditions:
              - Field: path-pattern
                PathPatternConfig: {RegexValues: ['^/realms/master([/;].*)?$', '^.*(;|%3[bB]).*$']}
            Actions: [{Type: fixed-response, FixedResponseConfig: {StatusCode: "404"}}]
    """

    id = "W9141"
    shortdesc = "No path trick leads to a master realm that is closed"
    source_url = "https://www.keycloak.org/docs/latest/upgrading/index.html"
    before = (26, 5)

    def judge(self, keycloak: Keycloak) -> Iterator[Hit]:
        prefix = keycloak.relative_path
        if prefix is None:
            return
        groups = tuple(one.name for one in keycloak.target_groups)
        path = f"{prefix}/realms/master/protocol/openid-connect/auth"
        for listener in keycloak.listeners:
            if listener.public is not True or may_refuse(
                keycloak.view, listener.balancer, "uripath", "awsmanagedrulescommonruleset"
            ):
                continue
            plain = {one.name for one, _ in listener.reached_by(path, groups)}
            closing = [
                one
                for one in listener.rules
                if one.action.kind == "fixed-response" and any(c.matches(path, "") for c in one.of("path-pattern"))
            ]
            if not closing:
                continue
            trick = path.replace("/master/", "/master;x/")
            for decision, _ in listener.reached_by(trick, groups):
                if decision.name not in plain:
                    yield Hit(
                        closing[0].path,
                        f"everybody reaches the login of the master realm by {prefix}/realms/master;x/: "
                        f"{closing[0].name} doesn't match that, and {decision.name} forwards it",
                        "use Keycloak 26.6 or newer, or answer 400 to paths with ; and %3b in a rule before it "
                        "(RegexValues)",
                    )
