"""W9009: headers that are believed from everybody, where others than the balancer may ask."""

from __future__ import annotations

from collections.abc import Iterator

from generator.linting.rule import Hit, KeycloakRule
from generator.linting.rules import _options as ask
from generator.linting.view import Keycloak


class EverybodyTrusted(KeycloakRule):
    """Others than the balancer reach the tasks, and Keycloak believes the X-Forwarded-* headers of anybody.

    Unless `proxy-trusted-addresses` is set, whoever reaches Keycloak's port chooses by a header which
    address, host and scheme Keycloak sees: a false address in the event log, a way around limits on
    addresses, links to another host. Here the tasks' security groups let more in than the balancer.

    The rule speaks about Keycloak's own image alone, since an image of one's own may bring the option.

    Bad:

        TaskDefinition:
          Properties:
            ContainerDefinitions:
              - Name: keycloak
                Image: quay.io/keycloak/keycloak:26.7.4
                Environment:
                  - {Name: KC_PROXY_TRUSTED_ADDRESSES, Value: ~}
        TaskInHttp:
          Properties:
            SourceSecurityGroupId: ~
            CidrIp: 10.0.0.0/16

    Good:

        TaskDefinition:
          Properties:
            ContainerDefinitions:
              - Name: keycloak
                Image: quay.io/keycloak/keycloak:26.7.4
                Environment:
                  - {Name: KC_PROXY_TRUSTED_ADDRESSES, Value: "10.0.0.0/24,10.0.1.0/24"}
        TaskInHttp:
          Properties:
            SourceSecurityGroupId: ~
            CidrIp: 10.0.0.0/16
    """

    id = "W9009"
    shortdesc = "Keycloak believes the headers of its balancer alone"
    source_url = "https://www.keycloak.org/server/reverseproxy"
    since = (26, 0)

    def judge(self, keycloak: Keycloak) -> Iterator[Hit]:
        port = keycloak.http_port
        if not believes_everybody(keycloak) or port is None or keycloak.loopback:
            return
        groups = {group for one in keycloak.load_balancers for group in one.party.groups or ()}
        for service in keycloak.services:
            for one in keycloak.view.firewall.lets_in_from(service.party, port):
                # The tasks among themselves are all Keycloak.
                if one.peer_group is not None and (
                    one.peer_group in groups
                    or one.peer_group in (service.party.groups or ())
                    or one.peer_group.startswith("=")
                ):
                    continue
                who = one.peer_group or (str(one.network) if one.network is not None else "everybody by IPv6")
                headers = keycloak.options.get("proxy-headers")
                yield Hit.at(
                    headers.place if headers is not None else keycloak.environment_place,
                    f"whoever asks from {who} chooses the address and host that Keycloak sees: the tasks are"
                    f" open to it at port {port}, and Keycloak believes the headers of anybody",
                    f"write {ask.entry('proxy-trusted-addresses', networks_of(keycloak))}",
                )
                return


def believes_everybody(keycloak: Keycloak) -> bool:
    """Whether headers are surely read from any address, behind an Application Load Balancer of the template."""
    return (
        ask.given(keycloak, "proxy-headers") is not None
        and ask.absent(keycloak, "proxy-trusted-addresses")
        and bool(ask.application_balancers(keycloak))
    )


def networks_of(keycloak: Keycloak) -> str:
    """The addresses that the balancers' requests come from, as the option takes them."""
    if keycloak.fronts:
        return "127.0.0.1"
    found = {
        str(net): None for one in ask.application_balancers(keycloak) for net in one.party.networks or ()
    }
    return ",".join(found) or "<networks of the balancer's subnets>"
