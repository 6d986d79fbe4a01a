"""W9192: headers that a Network Load Balancer doesn't send."""

from __future__ import annotations

import ipaddress
from collections.abc import Iterator

from generator.linting.rule import Hit, KeycloakRule
from generator.linting.rules import _options as ask
from generator.linting.view import Keycloak, Setting
from generator.linting.view.balancers import Listener, LoadBalancer, TargetGroup


class HeadersOfNobody(KeycloakRule):
    """Keycloak believes proxy headers behind a Network Load Balancer, which sends none.

    A Network Load Balancer passes bytes on. It adds no `X-Forwarded-*` and no `Forwarded` and takes none away, also
    where its listener ends TLS. What Keycloak finds there is what the client wrote: whoever asks chooses the
    address that every event names, and scheme and host as far as `hostname` leaves them open.

    The rule is about balancers that face the internet. Behind an inner one another proxy may stand that writes the
    headers, and so may one in the task.

    Bad:

        LoadBalancer: {Properties: {Type: network, LoadBalancerAttributes: ~}}
        HttpsListener:
          Properties:
            Protocol: TLS
            DefaultActions: [{Type: forward, TargetGroupArn: !Ref TargetGroup}]
        TargetGroup: {Properties: {Protocol: TCP, TargetGroupAttributes: ~}}

    Good:

        LoadBalancer: {Properties: {Type: application}}
    """

    id = "W9192"
    shortdesc = "Somebody writes the headers that Keycloak believes"
    source_url = "https://docs.aws.amazon.com/elasticloadbalancing/latest/network/edit-target-group-attributes.html"
    since = (24, 0)

    def judge(self, keycloak: Keycloak) -> Iterator[Hit]:
        headers = keycloak.options.get("proxy-headers")
        protocol = keycloak.options.get("proxy-protocol-enabled")
        if headers is None or headers.value not in ("xforwarded", "forwarded") or protocol is not None:
            return
        groups = {one.name: one for one in keycloak.target_groups}
        for listener in keycloak.direct_listeners:
            balancer = listener.balancer
            if balancer is None or balancer.properties["Type"].text != "network" or balancer.public is not True:
                continue
            for name in listener.default.action.groups:
                group = groups.get(name)
                if group is not None and _open(listener, balancer, group) and _believed(keycloak, balancer, group):
                    yield Hit.at(
                        headers.place,
                        f"clients choose the address that events name: {balancer.name} is a Network Load Balancer and "
                        f"writes no headers, so Keycloak believes what clients write into theirs",
                        _fix(listener, headers),
                    )
                    return


def _open(listener: Listener, balancer: LoadBalancer, group: TargetGroup) -> bool:
    """Whether everybody in the internet gets through: by its security groups, or by none, where the tasks see the
    balancer's own address."""
    if balancer.properties["SecurityGroups"]:
        return listener.public is True
    return _keeps_address(group) is False


def _keeps_address(group: TargetGroup) -> bool | None:
    """Whether tasks see the client's address: by default those that are registered by address over TCP don't."""
    if group.properties["TargetType"].text != "ip" or group.protocol not in ("TCP", "TLS"):
        return None
    return group.attributes.flag("preserve_client_ip.enabled", False)


def _believed(keycloak: Keycloak, balancer: LoadBalancer, group: TargetGroup) -> bool:
    """Whether Keycloak surely trusts whom it takes for the proxy."""
    trusted = ask.given(keycloak, "proxy-trusted-addresses")
    if trusted is None:
        return ask.absent(keycloak, "proxy-trusted-addresses")
    try:
        listed = [ipaddress.ip_network(text.strip(), strict=False) for text in (trusted.value or "").split(",")]
    except ValueError:
        return False
    nets = [one for one in listed if isinstance(one, ipaddress.IPv4Network)]
    if _keeps_address(group) is not False:
        return any(one.prefixlen == 0 for one in nets)
    return any(one.overlaps(other) for one in nets for other in balancer.party.networks or ())


def _fix(listener: Listener, headers: Setting) -> str:
    if listener.protocol == "TLS":
        return "let an Application Load Balancer end TLS, which writes X-Forwarded-For, -Proto and -Port"
    return (
        f"take {headers.name} away; from 26.0 on proxy-protocol-enabled, with proxy_protocol_v2.enabled of the target "
        "group, tells the client's address"
    )
