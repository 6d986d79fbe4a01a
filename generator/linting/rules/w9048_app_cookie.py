"""W9048: stickiness by a cookie that never comes."""

from __future__ import annotations

import re
from collections.abc import Iterator

from generator.linting.rule import Hit, KeycloakRule
from generator.linting.view import Keycloak

_OWN = re.compile(r"(AUTH_SESSION_ID|KC_|KEYCLOAK_|WELCOME_).*")


class CookieOfNobody(KeycloakRule):
    """Sticky sessions follow a cookie that Keycloak doesn't set, or can't work at all.

    With `app_cookie` the balancer binds a browser to a node when the node sets the named cookie. Keycloak
    sets `AUTH_SESSION_ID` and others that start with `KC_` or `KEYCLOAK_`; it never sets a JSESSIONID.
    Without that cookie nothing is sticky. And where one rule spreads requests over two target groups,
    `app_cookie` isn't supported.

    Bad:

        TargetGroup:
          Properties:
            TargetGroupAttributes:
              - {Key: stickiness.type, Value: app_cookie}
              - {Key: stickiness.app_cookie.cookie_name, Value: JSESSIONID}

    Bad (two target groups with weights):

        TargetGroup:
          Properties:
            TargetGroupAttributes:
              - {Key: stickiness.type, Value: app_cookie}
              - {Key: stickiness.app_cookie.cookie_name, Value: AUTH_SESSION_ID}
        OtherGroup:
          Type: AWS::ElasticLoadBalancingV2::TargetGroup
          Properties: {VpcId: !Ref Vpc, TargetType: ip, Protocol: HTTP, Port: 8080}
        PublicRule:
          Properties:
            Actions:
              - Type: forward
                ForwardConfig:
                  TargetGroups:
                    - {TargetGroupArn: !Ref TargetGroup, Weight: 50}
                    - {TargetGroupArn: !Ref OtherGroup, Weight: 50}

    Good:

        TargetGroup:
          Properties:
            TargetGroupAttributes:
              - {Key: stickiness.type, Value: lb_cookie}
    """

    id = "W9048"
    shortdesc = "Sticky sessions follow a cookie that Keycloak sets"
    source_url = "https://docs.aws.amazon.com/elasticloadbalancing/latest/application/sticky-sessions.html"

    def judge(self, keycloak: Keycloak) -> Iterator[Hit]:
        fix = "write {Key: stickiness.type, Value: lb_cookie}"
        for group in keycloak.target_groups:
            attributes = group.attributes
            kind = attributes.get("stickiness.type")
            if kind is None or kind.text != "app_cookie" or attributes.flag("stickiness.enabled", False) is not True:
                continue
            name = attributes.text("stickiness.app_cookie.cookie_name", "")
            if name and not name.startswith("AWSALB") and not _OWN.fullmatch(name):
                yield Hit.at(
                    attributes.get("stickiness.app_cookie.cookie_name") or kind,
                    f"nothing is sticky: Keycloak sets no cookie {name}, so {group.name} binds no browser to a node",
                    fix,
                )
            spread = next(
                (
                    one
                    for listener in keycloak.listeners
                    for one in listener.decisions
                    if group.name in one.action.groups and len(one.action.groups) > 1
                ),
                None,
            )
            if spread is not None:
                yield Hit.at(
                    kind,
                    f"nothing is sticky: {spread.name} spreads requests over {' and '.join(spread.action.groups)}, "
                    "for which AWS doesn't support app_cookie",
                    fix,
                )
