"""E9140: paths that look harmless to a balancer."""

from __future__ import annotations

from collections.abc import Iterator

from generator.linting.rule import Hit, KeycloakRule
from generator.linting.rules._balancer import tricked
from generator.linting.view import Keycloak


class PathTricks(KeycloakRule):
    """A rule denies the admin console, and the balancer forwards another spelling of its path.

    Keycloak leaves out what stands between `;` and the next `/`: `/admin;x/master/console/` is the admin console
    (measured on 22.0.5, 23.0.7, 24.0.5 and 26.4.7). A listener rule that denies `/admin/*` doesn't match it, and
    whatever forwards everything else passes it on. A `;` is an ordinary character of a path, so normalization
    leaves it where it is.

    Other spellings are no finding here. Keycloak 23 to 26.4.2 resolves the dots of `/realms/../admin/` itself
    and shows the admin console, and up to 24 the metrics and the health page too; from 26.4.3 on the answer is
    400, unless `http-accept-non-normalized-paths=true`. But AWS's guide says that a rule is evaluated "only
    after URI normalization occurs", so that a rule for `/realms/*` shouldn't see such a path. What that covers,
    the two slashes of `//admin/` for one, the guide doesn't say. `//admin/` and, up to 26.4, `/admin;x/` show
    the console where nothing before Keycloak stops them, so a rule that refuses them all is no waste.

    A path pattern can't hold a `;` or a `%`: that needs a regular expression, in a rule before the others or in
    a web ACL. The rule is silent where such a guard stands, without judging it.

    Bad:

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
                Image: quay.io/keycloak/keycloak:26.4.7
        PathGuard:
          Type: AWS::ElasticLoadBalancingV2::ListenerRule
          Properties:
            ListenerArn: !Ref HttpsListener
            Priority: 1
            Conditions:
              - Field: path-pattern
                PathPatternConfig: {RegexValues: ['^.*(//|/\\.\\.?(/|$)|[;\\\\]|%2[eEfF5]|%5[cC]|%3[bB]).*$']}
            Actions: [{Type: fixed-response, FixedResponseConfig: {StatusCode: "400"}}]
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

    Good (the list says what is open):

        TaskDefinition:
          Properties:
            ContainerDefinitions:
              - Name: keycloak
                Image: quay.io/keycloak/keycloak:26.2.5
    """

    id = "E9140"
    shortdesc = "No other spelling of its path leads past the listener's rules to the admin console"
    source_url = "https://www.keycloak.org/docs/latest/upgrading/index.html"
    versions = "22.0 to 24.0 and 26.4"

    def judge(self, keycloak: Keycloak) -> Iterator[Hit]:
        for listener in keycloak.listeners:
            if listener.public is not True:
                continue
            for decision, path, what in tricked(keycloak, listener):
                yield Hit(
                    decision.path,
                    f"everybody in the internet reaches {what} by {path}: {decision.name} forwards that to Keycloak "
                    f"{keycloak.version}",
                    f"let the default action of {listener.name} answer 404 and forward {keycloak.relative_path}/realms/* "
                    f"and {keycloak.relative_path}/resources/* by a rule; use Keycloak 26.6 or newer",
                )
