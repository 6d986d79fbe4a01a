"""E9009: balancer addresses that Keycloak doesn't trust."""

from __future__ import annotations

import ipaddress
from collections.abc import Iterator

from generator.linting.rule import Hit, KeycloakRule
from generator.linting.rules import _options as ask
from generator.linting.view import Keycloak


class TrustedAddresses(KeycloakRule):
    """The balancer sits in subnets whose addresses Keycloak doesn't trust.

    With `proxy-trusted-addresses`, Keycloak reads the X-Forwarded-* headers of requests from these addresses
    alone and ignores them on all others. An Application Load Balancer takes addresses from all of its
    subnets, and new ones whenever it scales. Requests that come from an address outside the list, all or now and
    then, Keycloak takes for plain HTTP from the balancer: events name the balancer's address as the client's, and
    cookies aren't marked `Secure` (what headers from elsewhere say is ignored: tried on 26.7.4).

    Bad:

        TaskDefinition:
          Properties:
            ContainerDefinitions:
              - Name: keycloak
                Environment:
                  - {Name: KC_PROXY_TRUSTED_ADDRESSES, Value: 10.0.0.0/24}

    Good:

        TaskDefinition:
          Properties:
            ContainerDefinitions:
              - Name: keycloak
                Environment:
                  - {Name: KC_PROXY_TRUSTED_ADDRESSES, Value: "10.0.0.0/24,10.0.1.0/24"}

    Where a proxy in the task stands in front of Keycloak, requests come from 127.0.0.1.

    Bad (a proxy in the task):

        TaskDefinition:
          Properties:
            ContainerDefinitions:
              - Name: keycloak
                Environment:
                  - {Name: KC_HTTP_HOST, Value: 127.0.0.1}
                  - {Name: KC_PROXY_TRUSTED_ADDRESSES, Value: "10.0.0.0/24,10.0.1.0/24"}
              - Name: proxy
                Image: public.ecr.aws/docker/library/haproxy:3.0
                Essential: true
                PortMappings: [{ContainerPort: 8081}]
        Service:
          Properties:
            LoadBalancers: [{ContainerName: proxy, ContainerPort: 8081, TargetGroupArn: !Ref TargetGroup}]

    Good (a proxy in the task):

        TaskDefinition:
          Properties:
            ContainerDefinitions:
              - Name: keycloak
                Environment:
                  - {Name: KC_HTTP_HOST, Value: 127.0.0.1}
                  - {Name: KC_PROXY_TRUSTED_ADDRESSES, Value: 127.0.0.1}
              - Name: proxy
                Image: public.ecr.aws/docker/library/haproxy:3.0
                Essential: true
                PortMappings: [{ContainerPort: 8081}]
        Service:
          Properties:
            LoadBalancers: [{ContainerName: proxy, ContainerPort: 8081, TargetGroupArn: !Ref TargetGroup}]
    """

    id = "E9009"
    shortdesc = "Keycloak trusts every address that its balancer may have"
    source_url = "https://www.keycloak.org/server/reverseproxy"
    since = (26, 0)

    def judge(self, keycloak: Keycloak) -> Iterator[Hit]:
        one = ask.given(keycloak, "proxy-trusted-addresses")
        if one is None or one.value is None or not ask.given(keycloak, "proxy-headers"):
            return
        try:
            listed = [ipaddress.ip_network(text.strip(), strict=False) for text in one.value.split(",")]
        except ValueError:
            return
        trusted = list(
            ipaddress.collapse_addresses(net for net in listed if isinstance(net, ipaddress.IPv4Network))
        )
        if keycloak.fronts:
            if not any(ipaddress.IPv4Address("127.0.0.1") in net for net in trusted):
                front = keycloak.fronts[0]["Name"].text
                yield Hit.at(
                    one.place,
                    f"Keycloak takes every request for plain HTTP from one client: requests come from {front}, a "
                    f"container of the same task, so from 127.0.0.1, which {one.name} doesn't hold",
                    f"write 127.0.0.1 as the value of {one.name}",
                )
            return
        for balancer in ask.application_balancers(keycloak):
            missing = [
                net
                for net in balancer.party.networks or ()
                if not any(net.subnet_of(other) for other in trusted)
            ]
            if missing:
                names = ", ".join(map(str, missing))
                yield Hit.at(
                    one.place,
                    f"Keycloak takes requests for plain HTTP from the balancer whenever {balancer.name} asks from"
                    f" {names}: {one.name} doesn't hold"
                    f" {'that network' if len(missing) == 1 else 'those networks'}, so Keycloak ignores its"
                    " headers",
                    f"add {names} to {one.name}",
                )
                return
