"""W9055: paths that some clients need."""

from __future__ import annotations

from collections.abc import Iterator

from generator.keycloak import facts
from generator.linting.rule import Hit, KeycloakRule
from generator.linting.rules._balancer import all_known, forwards, may_take, sure_relative_path
from generator.linting.view import Keycloak

_WHO = {
    "/.well-known/": "clients that look the server's metadata up by RFC 8414, as MCP clients do, get a 404",
    "/js/": "applications and the account console that load keycloak.js from the server get a 404",
}


class SomePaths(KeycloakRule):
    """No rule of the listener lets a path through that some clients need.

    `/js/` holds keycloak.js up to Keycloak 25: the account console and older applications load it from the
    server. `/.well-known/` is there from 26.4 on, for clients that look up the server's metadata as RFC 8414
    says; they ask at the root of the host, so a Keycloak with `http-relative-path` can't serve them behind a
    balancer that doesn't rewrite paths, and the rule is silent there.

    Bad:

        PublicRule:
          Properties:
            Conditions:
              - {Field: host-header, HostHeaderConfig: {Values: [sso.example.com]}}
              - {Field: path-pattern, PathPatternConfig: {Values: ["/realms/*", "/resources/*"]}}
        TaskDefinition:
          Properties:
            ContainerDefinitions:
              - Name: keycloak
                Image: quay.io/keycloak/keycloak:26.4.7

    Bad (keycloak.js, up to 25):

        TaskDefinition:
          Properties:
            ContainerDefinitions:
              - Name: keycloak
                Image: quay.io/keycloak/keycloak:25.0.6

    Good:

        PublicRule:
          Properties:
            Conditions:
              - {Field: host-header, HostHeaderConfig: {Values: [sso.example.com]}}
              - {Field: path-pattern, PathPatternConfig: {Values: ["/realms/*", "/resources/*", "/.well-known/*"]}}
    """

    id = "W9055"
    shortdesc = "The listener lets the paths through that some clients need"
    source_url = "https://www.keycloak.org/server/reverseproxy"
    versions = "all; /js/ before 26.0, /.well-known/ from 26.4 on"

    def judge(self, keycloak: Keycloak) -> Iterator[Hit]:
        prefix = sure_relative_path(keycloak)
        # An image of one's own may have another path built in; it hardly does if rules forward /realms/ as it is.
        found = forwards(keycloak)
        compared = [text for one in found for condition in one.of("path-pattern") for text in condition.texts]
        if prefix is None and any(text.startswith("/realms") for text in compared):
            prefix = ""
        if keycloak.version is None or prefix is None or not found or not all_known(keycloak):
            return
        for path in facts.public_paths(keycloak.version):
            if path not in _WHO or path == "/.well-known/" and prefix:
                continue
            if not any(may_take(one, f"{prefix}{path}x", None) for one in found):
                yield Hit(
                    found[-1].path,
                    f"{_WHO[path]}: no rule forwards {prefix}{path}* to Keycloak",
                    f"add {prefix}{path}* to the path-pattern of the rule that forwards {prefix}/realms/*",
                )
