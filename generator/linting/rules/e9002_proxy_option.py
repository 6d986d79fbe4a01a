"""E9002: the proxy option that is gone."""

from __future__ import annotations

from collections.abc import Iterator

from generator.linting.rule import Hit, KeycloakRule
from generator.linting.rules import _options as ask
from generator.linting.view import Keycloak, Setting

_READS_HEADERS = ("edge", "reencrypt")


class ProxyOption(KeycloakRule):
    """The option `proxy` is gone, and nothing has taken its place.

    Keycloak 26 has no `proxy` any more. It says so in the log (`Hostname v1 options [proxy] are still in use`;
    26.0 with `--optimized` says nothing) and ignores `KC_PROXY`: the balancer's X-Forwarded-* headers aren't
    read, so Keycloak takes every request for plain HTTP from the balancer. The event log has one address for
    everybody, the balancer's, cookies aren't secure, and where the public name isn't a full URL, the issuer and
    all links begin with `http://` (see E9007). `--proxy` on the command line stops the start.

    `edge` is `proxy-headers=xforwarded` with `http-enabled=true` now, `reencrypt` is
    `proxy-headers=xforwarded`, `passthrough` and `none` are nothing at all.

    Bad:

        TaskDefinition:
          Properties:
            ContainerDefinitions:
              - Name: keycloak
                Environment:
                  - {Name: KC_PROXY, Value: edge}
                  - {Name: KC_PROXY_HEADERS, Value: ~}

    Bad (on the command line):

        TaskDefinition:
          Properties:
            ContainerDefinitions:
              - Name: keycloak
                Command: [start, --optimized, --proxy=edge]

    Good:

        TaskDefinition:
          Properties:
            ContainerDefinitions:
              - Name: keycloak
                Environment:
                  - {Name: KC_PROXY_HEADERS, Value: xforwarded}
                  - {Name: KC_HTTP_ENABLED, Value: "true"}
    """

    id = "E9002"
    shortdesc = "The balancer's headers are read by proxy-headers, not by proxy"
    source_url = "https://www.keycloak.org/docs/latest/upgrading/#proxy-option-removed"
    since = (26, 0)

    def judge(self, keycloak: Keycloak) -> Iterator[Hit]:
        one = keycloak.options.get("proxy")
        if one is None or not is_fatal(keycloak, one):
            return
        effect = (
            f"the server doesn't start: Keycloak {keycloak.release} has no option --proxy"
            if one.argument
            else (
                f"Keycloak takes every request for plain HTTP from the balancer: {keycloak.release} has no"
                f" option proxy, ignores {one.name} and reads no X-Forwarded-* headers"
            )
        )
        yield Hit.at(one.name_place, effect, instead(one))


def is_fatal(keycloak: Keycloak, one: Setting) -> bool:
    """Whether a proxy option on 26 or newer stops the start or leaves nobody to read the headers."""
    if one.argument:
        return True
    nobody = keycloak.options.unset("proxy-headers") or ask.empty(keycloak.options.get("proxy-headers"))
    return one.value in _READS_HEADERS and nobody


def instead(one: Setting) -> str:
    """What to write instead of a proxy option."""
    headers = ask.entry("proxy-headers", "xforwarded", one)
    if one.value == "edge":
        return f"write {headers} and {ask.entry('http-enabled', 'true', one)} instead"
    return f"write {headers} instead" if one.value == "reencrypt" else "take it away"
