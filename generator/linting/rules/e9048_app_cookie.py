"""E9048: stickiness by a cookie that AWS refuses."""

from __future__ import annotations

from collections.abc import Iterator

from generator.linting.rule import Hit, KeycloakRule
from generator.linting.view import Keycloak

_RESERVED = ("AWSALB", "AWSALBAPP", "AWSALBTG")


class AppCookie(KeycloakRule):
    """Sticky sessions follow a cookie of the application, and AWS doesn't take it.

    `stickiness.type: app_cookie` needs the name of a cookie that Keycloak itself sets; names that start with
    AWSALB, AWSALBAPP or AWSALBTG are the balancer's own. The deployment fails and rolls back.

    Bad (no cookie):

        TargetGroup:
          Properties:
            TargetGroupAttributes:
              - {Key: stickiness.type, Value: app_cookie}

    Bad (the balancer's own):

        TargetGroup:
          Properties:
            TargetGroupAttributes:
              - {Key: stickiness.type, Value: app_cookie}
              - {Key: stickiness.app_cookie.cookie_name, Value: AWSALB}

    Good:

        TargetGroup:
          Properties:
            TargetGroupAttributes:
              - {Key: stickiness.type, Value: lb_cookie}

    Good (a cookie of Keycloak's):

        TargetGroup:
          Properties:
            TargetGroupAttributes:
              - {Key: stickiness.type, Value: app_cookie}
              - {Key: stickiness.app_cookie.cookie_name, Value: AUTH_SESSION_ID}
    """

    id = "E9048"
    shortdesc = "Sticky sessions follow a cookie that AWS takes"
    source_url = "https://docs.aws.amazon.com/elasticloadbalancing/latest/application/sticky-sessions.html"

    def judge(self, keycloak: Keycloak) -> Iterator[Hit]:
        for group in keycloak.target_groups:
            attributes = group.attributes
            kind = attributes.get("stickiness.type")
            if kind is None or kind.text != "app_cookie":
                continue
            if attributes.flag("stickiness.enabled", False) is not True:
                continue
            name = attributes.text("stickiness.app_cookie.cookie_name", "")
            fix = "write {Key: stickiness.type, Value: lb_cookie}, whose cookie the balancer makes itself"
            if name == "":
                yield Hit.at(kind, f"the deployment fails: {group.name} follows a cookie and says not which one", fix)
            elif name is not None and name.startswith(_RESERVED):
                yield Hit.at(
                    attributes.get("stickiness.app_cookie.cookie_name") or kind,
                    f"the deployment fails: {name} is a cookie of the balancer's own, and {group.name} needs one of "
                    "Keycloak's",
                    fix,
                )
