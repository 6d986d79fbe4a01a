"""E9007: a balancer that ends TLS, and a server that isn't told."""

from __future__ import annotations

from collections.abc import Iterator

from generator.linting.rule import Hit, KeycloakRule
from generator.linting.rules import _options as ask
from generator.linting.view import Keycloak


class NoProxyHeaders(KeycloakRule):
    """The balancer ends TLS, but Keycloak doesn't read the headers that tell of it.

    Unless `proxy-headers` is set, Keycloak reads none of the X-Forwarded-* headers and takes each request for
    plain HTTP from the balancer's address. Requests whose origin it checks answer 403 (logins, the admin
    console), and its log says `Likely misconfiguration detected. When using an edge proxy, you must use
    'proxy-headers'`. The event log has one address for everybody, the balancer's.

    The rule speaks about Keycloak's own image alone, since an image of one's own may bring the option.

    Bad:

        TaskDefinition:
          Properties:
            ContainerDefinitions:
              - Name: keycloak
                Image: quay.io/keycloak/keycloak:26.7.4
                Environment:
                  - {Name: KC_PROXY_HEADERS, Value: ~}

    Good:

        TaskDefinition:
          Properties:
            ContainerDefinitions:
              - Name: keycloak
                Image: quay.io/keycloak/keycloak:26.7.4
                Environment:
                  - {Name: KC_PROXY_HEADERS, Value: xforwarded}
    """

    id = "E9007"
    shortdesc = "Keycloak reads the headers of the balancer that ends TLS"
    source_url = "https://www.keycloak.org/server/reverseproxy"
    since = (24, 0)

    def judge(self, keycloak: Keycloak) -> Iterator[Hit]:
        if not ask.absent(keycloak, "proxy-headers"):
            return
        mode = ask.given(keycloak, "proxy")
        protocol = keycloak.options.get("proxy-protocol-enabled")
        # Before 26 `proxy` does the same; what is wrong with it later and with the other protocol, others say.
        if mode is not None and mode.value not in ("none", "passthrough") or protocol is not None:
            return
        groups = {one.name for one in keycloak.target_groups if one.protocol == "HTTP"}
        for listener in keycloak.listeners:
            balancer = listener.balancer
            if listener.protocol != "HTTPS" or balancer is None or balancer.application is not True:
                continue
            if any(group in groups for one in listener.decisions for group in one.action.groups):
                found = keycloak.options.get("proxy-headers")
                yield Hit.at(
                    found.place if found is not None else keycloak.environment_place,
                    f"logins and the admin console answer 403: {listener.name} ends TLS, and Keycloak reads"
                    " none of the balancer's X-Forwarded-* headers",
                    f"write {ask.entry('proxy-headers', 'xforwarded')}",
                )
                return
