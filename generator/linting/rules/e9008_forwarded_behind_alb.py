"""E9008: the header that an Application Load Balancer doesn't send."""

from __future__ import annotations

from collections.abc import Iterator

from generator.linting.rule import Hit, KeycloakRule
from generator.linting.view import Keycloak, LoadBalancer


class ForwardedBehindAlb(KeycloakRule):
    """Keycloak reads the Forwarded header, but an Application Load Balancer sends X-Forwarded-* ones.

    With `proxy-headers=forwarded` Keycloak takes address, host and scheme of a request from the header
    `Forwarded` (RFC 7239) alone. The balancer sends `X-Forwarded-For`, `-Proto` and `-Port` and passes a
    `Forwarded` header on as the client wrote it. So Keycloak believes that every request came by plain HTTP
    from the balancer, as E9007 says of a server that reads neither: cookies aren't marked `Secure`,
    every event and access log names the balancer's address as the client's. And whoever sends a `Forwarded`
    header of their own chooses the address that lands there.

    Bad:

        TaskDefinition:
          Properties:
            ContainerDefinitions:
              - Name: keycloak
                Environment:
                  - {Name: KC_PROXY_HEADERS, Value: forwarded}

    Good:

        TaskDefinition:
          Properties:
            ContainerDefinitions:
              - Name: keycloak
                Environment:
                  - {Name: KC_PROXY_HEADERS, Value: xforwarded}
    """

    id = "E9008"
    shortdesc = "Keycloak reads the headers that its balancer sends"
    source_url = "https://www.keycloak.org/server/reverseproxy"
    since = (24, 0)

    def judge(self, keycloak: Keycloak) -> Iterator[Hit]:
        headers = keycloak.options.get("proxy-headers")
        if headers is None or headers.value != "forwarded":
            return
        balancer = next((one for one in _balancers(keycloak) if one.application), None)
        if balancer is not None:
            yield Hit.at(
                headers.place,
                f"clients choose the address that events name, and cookies aren't secure: {balancer.name} sends "
                "X-Forwarded-* headers and no Forwarded of its own",
                f"write xforwarded as the value of {headers.name}",
            )


def _balancers(keycloak: Keycloak) -> tuple[LoadBalancer, ...]:
    """Those whose headers reach it as they are: a proxy in the task may send others."""
    return () if keycloak.fronts else keycloak.load_balancers
