"""Places that requests come from: who a probe of a balancer counts as."""

from __future__ import annotations

import ipaddress
from collections.abc import Iterator, Sequence

from generator.rehearsing.topology import Address, Balancer, Network, Permission, Topology, Vantage

FIRST_PORT = 20000
"""Of the balancer's container; the ports of real listeners are lower, or left out."""

WORLD = 1
"""A network with a prefix this long or shorter isn't somebody's: two halves are how some write
`0.0.0.0/0`."""

# Networks for documentation, in which nobody real is (RFC 5737), then the one for benchmarks (RFC 2544).
_NOBODY = ("198.51.100.0/24", "192.0.2.0/24", "203.0.113.0/24", "198.18.0.0/15")


def vantages(topology: Topology) -> tuple[Vantage, ...]:
    """Every place that each listener can be probed from.

    `internet` exists where the balancer is internet-facing: an address that no rule and no permission names.
    `admin` exists where a rule's source-ip condition or an ingress permission of the balancer's names a
    network that isn't the whole world: an address in it. `inside` is an address of the VPC in a subnet of the
    tasks' that no host has.
    """
    found = []
    for balancer in topology.balancers:
        taken = {listener.port for listener in balancer.listeners}
        free = (port for port in range(FIRST_PORT, 65536) if port not in taken)
        sources = {
            "internet": None if balancer.internal else _stranger(topology, balancer),
            "admin": _administrator(topology, balancer),
            "inside": _insider(topology),
        }
        for listener in balancer.listeners:
            found += [
                Vantage(name, source, balancer.logical_id, listener.logical_id, next(free))
                for name, source in sources.items()
                if source is not None
            ]
    return tuple(found)


def admitted(topology: Topology, balancer: Balancer, source: Address, port: int) -> bool:
    """Whether the balancer's groups let TCP from `source` in at `port`; a balancer without groups lets
    everybody in.

    A group at the other end admits its members, a prefix list nobody: a template doesn't hold its networks.
    """
    return not balancer.host.groups or any(
        one.protocol in ("tcp", "-1")
        and one.ports[0] <= port <= one.ports[1]
        and (
            any(source in network for network in _networks([one.peer_network]))
            or source in [host.address for host in topology.members(one.peer_group)]
        )
        for one in ingress(topology, balancer)
    )


def ingress(topology: Topology, balancer: Balancer) -> tuple[Permission, ...]:
    """The permissions into the balancer's groups."""
    return tuple(
        one
        for one in topology.permissions
        if one.direction == "ingress" and one.group in balancer.host.groups
    )


def _networks(texts: Sequence[str]) -> Iterator[Network]:
    """The IPv4 networks among texts that may also be IPv6 networks, ids of prefix lists or empty."""
    for text in texts:
        try:
            network = ipaddress.ip_network(text, strict=False)
        except ValueError:
            continue
        if isinstance(network, ipaddress.IPv4Network):
            yield network


def _named(topology: Topology, balancer: Balancer) -> list[Network]:
    """Networks that the balancer's rules and permissions name, but for the world: those that a rule forwards
    for first, since a rule that turns somebody away names a network too."""
    conditions = sorted(
        (
            (rule.action.kind != "forward", condition.values)
            for listener in balancer.listeners
            for rule in listener.rules
            for condition in rule.conditions
            if condition.field == "source-ip"
        ),
        key=lambda one: one[0],
    )
    texts = [text for _, values in conditions for text in values]
    texts += [one.peer_network for one in ingress(topology, balancer)]
    return list(dict.fromkeys(one for one in _networks(texts) if one.prefixlen > WORLD))


def _stranger(topology: Topology, balancer: Balancer) -> Address:
    named = [*_named(topology, balancer), topology.vpc]
    for candidate in (*(_address_in(Network(one)) for one in _NOBODY), *_public()):
        if not any(candidate in network for network in named):
            return candidate
    # Every address is in a network that somebody named: then so are strangers'.
    return _address_in(Network(_NOBODY[0]))


def _public() -> Iterator[Address]:
    for first in range(1, 224):
        candidate = Address(f"{first}.1.2.10")
        if candidate.is_global:
            yield candidate


def _administrator(topology: Topology, balancer: Balancer) -> Address | None:
    ports = [listener.port for listener in balancer.listeners]
    candidates = [
        _address_in(network, avoiding=topology.vpc)
        for network in _named(topology, balancer)
        if not network.subnet_of(topology.vpc)
    ]
    candidates += [
        _free(topology, network) for network in _named(topology, balancer) if network.subnet_of(topology.vpc)
    ]
    for candidate in candidates:
        if any(admitted(topology, balancer, candidate, port) for port in ports):
            return candidate
    return candidates[0] if candidates else None


def _insider(topology: Topology) -> Address:
    subnets = {subnet.name: subnet.network for subnet in topology.subnets}
    return _free(
        topology, *(subnets[name] for name in topology.service.subnets if name in subnets), topology.vpc
    )


def _free(topology: Topology, *networks: Network) -> Address:
    """The last address that nobody has, of the first network that has one."""
    taken = {host.address for host in topology.hosts} | {topology.resolver, topology.vpc.network_address + 1}
    for network in networks:
        for number in range(network.num_addresses - 2, 0, -1):
            if network[number] not in taken:
                return network[number]
    return networks[0][0]


def _address_in(network: Network, avoiding: Network | None = None) -> Address:
    """An address of the network, outside of `avoiding` where it has one."""
    for number in (10, 1, 0, network.num_addresses - 2):
        if 0 <= number < network.num_addresses and (avoiding is None or network[number] not in avoiding):
            return network[number]
    return network[0]
