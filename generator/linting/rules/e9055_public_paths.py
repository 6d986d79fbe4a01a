"""E9055: paths that everybody needs."""

from __future__ import annotations

import re
from collections.abc import Iterator

from generator.linting.rule import Hit, KeycloakRule
from generator.linting.rules._balancer import all_known, forwards, host_of, may_take, other_fronts, paths
from generator.linting.view import Keycloak
from generator.linting.view.balancers import Decision

_OWN = ("admin", "js", "realms", "resources", "metrics", "health", ".well-known", "robots.txt", "welcome")
_NEEDED = {
    "realms": "nobody can log in, and no application gets a token",
    "resources": "login pages and consoles come without styles and scripts",
}


class PublicPaths(KeycloakRule):
    """No rule of the listener lets a path through that logins can't do without.

    `/realms/` holds every page and endpoint of a login, `/resources/` what these pages consist of: styles,
    scripts, pictures. What no rule forwards meets the listener's default action, usually a 404.

    `/resources/` may come from a CDN; the rule is silent about it where the template has a CloudFront
    distribution.

    Bad (only the token endpoint was thought of):

        PublicRule:
          Properties:
            Conditions:
              - {Field: host-header, HostHeaderConfig: {Values: [sso.example.com]}}
              - {Field: path-pattern, PathPatternConfig: {Values: ["/realms/*"]}}
        AdminRule: ~

    Bad (styles on the host of the console alone):

        PublicRule:
          Properties:
            Conditions:
              - {Field: host-header, HostHeaderConfig: {Values: [sso.example.com]}}
              - {Field: path-pattern, PathPatternConfig: {Values: ["/realms/*"]}}
        AdminRule:
          Properties:
            Conditions:
              - {Field: host-header, HostHeaderConfig: {Values: [sso-admin.example.com]}}
              - {Field: path-pattern, PathPatternConfig: {Values: ["/admin/*", "/resources/*"]}}

    Bad (only the console):

        PublicRule: ~

    Good:

        PublicRule:
          Properties:
            Conditions:
              - {Field: host-header, HostHeaderConfig: {Values: [sso.example.com]}}
              - {Field: path-pattern, PathPatternConfig: {Values: ["/realms/*", "/resources/*"]}}
    """

    id = "E9055"
    shortdesc = "The listener lets /realms/ and /resources/ through"
    source_url = "https://www.keycloak.org/server/reverseproxy"

    def judge(self, keycloak: Keycloak) -> Iterator[Hit]:
        found = forwards(keycloak)
        if not found or not all_known(keycloak):
            return
        prefix = keycloak.relative_path or ""
        host = host_of(keycloak.options.first("hostname", "hostname-url"))
        # Rules for the admin console's host are none for logins. A host without any rule is W9142's matter.
        of_host = [one for one in found if may_take(one, None, host)] if host else []
        where = f" at {host}" if of_host and of_host != found else ""
        found = of_host or found
        for name, happens in _NEEDED.items():
            if name == "resources" and other_fronts(keycloak.view) or any(_lets(one, name) for one in found):
                continue
            last = found[-1]
            yield Hit(
                last.path,
                f"{happens}: no rule forwards {prefix}/{name}/*{where} to Keycloak",
                f"add {prefix}/{name}/* to the path-pattern of a rule that everybody may use",
            )


def _lets(decision: Decision, name: str) -> bool:
    """Whether some request below /realms or /resources may meet its paths, whatever http-relative-path is."""
    compared = paths(decision)
    return compared is None or any(_holds(one.text or "", name) for one in compared)


def _holds(pattern: str, name: str) -> bool:
    if f"/{name}" in pattern:
        return True
    fixed = re.split(r"[*?]", pattern, maxsplit=1)[0]
    if fixed == pattern:
        return False
    first, more, _ = fixed.lstrip("/").partition("/")
    # A first part that is none of Keycloak's own may be http-relative-path.
    return first not in _OWN if more else name.startswith(first) or not any(one.startswith(first) for one in _OWN)
