"""E9007: a balancer that ends TLS, and a server that isn't told."""

from __future__ import annotations

from collections.abc import Iterator

from generator.linting.rule import Hit, KeycloakRule
from generator.linting.rules import _options as ask
from generator.linting.view import Keycloak


class NoProxyHeaders(KeycloakRule):
    """The balancer ends TLS, but Keycloak doesn't read the headers that tell of it.

    Unless `proxy-headers` is set, Keycloak reads none of the X-Forwarded-* headers and takes each request for
    plain HTTP from the balancer's address. Every event has one address, the balancer's.

    Where the public name is a full URL, logins work nevertheless (tried on 24.0.5 and 26.7.4). But from 26 on
    their cookies aren't marked `Secure`, and a browser doesn't send them with what another site posts, as
    identity providers do with SAML: such logins end in an error. The log says `Non-secure context detected;
    cookies are not secured`. Where the name is a bare host, the issuer and all links begin with `http://`:
    clients refuse such tokens, and browsers stop at the admin console.

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
        # Before 26 `proxy` does the same; what is wrong with it later and with the other protocol others say.
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
                    "Keycloak takes every request for plain HTTP from the balancer, with cookies that"
                    f" aren't secure and one address in all events: {listener.name} ends TLS, and Keycloak"
                    " reads none of the balancer's X-Forwarded-* headers",
                    f"write {ask.entry('proxy-headers', 'xforwarded')}",
                )
                return
