"""W9140: a list of what is closed."""

from __future__ import annotations

from collections.abc import Iterator

from generator.linting.rule import Hit, KeycloakRule
from generator.linting.rules._balancer import admin_path, tricked
from generator.linting.view import Keycloak


class DenyList(KeycloakRule):
    """The listener forwards everything to Keycloak, and rules close the admin console.

    Whatever nobody thought of is open: the welcome page at `/`, a path that the next version brings, and
    every way to write /admin that a pattern doesn't match and that the balancer doesn't normalize. Up to 26.4
    `/admin;x/` was such a way, and `//admin/` may have been one. The reverse proxy guide lists what to expose,
    and nothing beyond.

    Bad:

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

        PublicRule:
          Properties:
            Conditions:
              - {Field: path-pattern, PathPatternConfig: {Values: ["/realms/*", "/resources/*", "/.well-known/*"]}}
        HttpsListener:
          Properties:
            DefaultActions: [{Type: fixed-response, FixedResponseConfig: {StatusCode: "404"}}]
    """

    id = "W9140"
    shortdesc = "The listener names what is open, not what is closed"
    source_url = "https://www.keycloak.org/server/reverseproxy"

    def judge(self, keycloak: Keycloak) -> Iterator[Hit]:
        path = admin_path(keycloak)
        groups = tuple(one.name for one in keycloak.target_groups)
        for listener in keycloak.listeners:
            default = listener.default
            if path is None or listener.public is False or default.action.login or default.action.kind != "forward":
                continue
            if not any(group in groups for group in default.action.groups) or not listener.ordered:
                continue
            closing = [
                one
                for one in listener.rules
                if one.action.kind == "fixed-response" and any(c.matches(path, "") for c in one.of("path-pattern"))
            ]
            # Where a trick is known, E9140 speaks, and E9054 where the console is open.
            known = any(one.default for one, _, _ in tricked(keycloak, listener)) and listener.public
            if closing and not known:
                yield Hit(
                    default.path,
                    f"what {', '.join(one.name for one in closing)} doesn't match is open: {default.name} forwards "
                    "everything else to Keycloak",
                    "let the default action answer 404 (Type: fixed-response) and forward /realms/* and /resources/* by "
                    "a rule",
                )
