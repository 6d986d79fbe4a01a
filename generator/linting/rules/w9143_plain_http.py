"""W9143: logins without TLS."""

from __future__ import annotations

from collections.abc import Iterator

from generator.linting.rule import Hit, KeycloakRule
from generator.linting.view import Keycloak


class PlainHttp(KeycloakRule):
    """A plain HTTP listener forwards requests to Keycloak instead of redirecting them.

    Passwords, tokens and session cookies cross the network readable. Keycloak learns from `X-Forwarded-Proto`
    that it was HTTP: a realm that requires SSL, which new ones do for all but private addresses, answers
    "HTTPS required", and cookies marked Secure aren't kept by the browser, so logins go in circles.

    Bad:

        HttpListener:
          Properties:
            DefaultActions: [{Type: forward, TargetGroupArn: !Ref TargetGroup}]

    Good:

        HttpListener:
          Properties:
            DefaultActions: [{Type: redirect, RedirectConfig: {Protocol: HTTPS, Port: "443", StatusCode: HTTP_301}}]
    """

    id = "W9143"
    shortdesc = "Plain HTTP is redirected, not forwarded"
    source_url = "https://www.keycloak.org/server/configuration-production"

    def judge(self, keycloak: Keycloak) -> Iterator[Hit]:
        groups = {one.name for one in keycloak.target_groups}
        for listener in keycloak.listeners:
            if listener.protocol != "HTTP":
                continue
            for decision in listener.decisions:
                if decision.action.kind == "forward" and groups & set(decision.action.groups):
                    yield Hit(
                        decision.path,
                        f"passwords and tokens travel readable, and logins end in \"HTTPS required\" or in circles: "
                        f"{decision.name} forwards plain HTTP to Keycloak",
                        'write Type: redirect, RedirectConfig: {Protocol: HTTPS, Port: "443", StatusCode: HTTP_301}',
                    )
