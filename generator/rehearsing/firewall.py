"""Security groups as packet filters of nftables', one for each host, and what they dropped.

What a security group is: both ends of a connection need a permission, answers need none, nobody is refused
but left without an answer, and the VPC's resolver is always in reach (VPC user guide, "Security group rules",
"Amazon DNS server"). The rules live in the network that a host's containers share; nothing in it but the
firewall's container may change them.
"""

from __future__ import annotations

import ipaddress
import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from generator.errors import RehearsalError
from generator.rehearsing import quoting
from generator.rehearsing.topology import EVERY_PORT, Address, Host, Permission, Topology
from generator.rehearsing.vantage import vantages

TABLE = "security_groups"

CUTS = {"": (), "in": ("in",), "out": ("out",), "both": ("in", "out")}
"""What `blocked` may be, to the directions that it blocks."""


@dataclass(frozen=True)
class Drop:
    """Packets that a host's filter dropped, all of one kind."""

    direction: str
    """`in` or `out`, as the host sees it."""
    peer: Address
    """The other end."""
    protocol: str
    """`tcp` or `udp`."""
    port: int
    """The one that the packets were for."""
    packets: int


def rules(
    topology: Topology,
    host: Host,
    root: Path,
    *,
    blocked: str = "",
    silent: bool = False,
    gateway: Address | None = None,
) -> str:
    """The filter of a host, for `nft -f`: it replaces an earlier one as a whole and at once.

    `blocked` (`in`, `out`, `both`) holds back every packet from or to the other tasks, those of connections
    that stand already too, until the filter is replaced again; `silent` every packet from or to anybody, as
    if the host were gone. A host without security groups isn't filtered otherwise. Where the host is a
    balancer, its vantages' ports are open to `gateway`, from which published ports come in: the VPC's base
    plus one, if None.

    Raises RehearsalError for values of the template's that have no place in such a file.
    """
    if blocked not in CUTS:
        raise RehearsalError(f"{blocked!r} is no direction to cut a task off in: in, out or both")
    gateway = gateway or topology.vpc.network_address + 1
    sections = {
        direction: list(_lines(topology, host, direction, blocked, silent, gateway))
        for direction in ("in", "out")
    }
    return quoting.fill(
        root,
        "security-groups.nft.j2",
        {
            "host": quoting.word(host.name, topology.file, "the host"),
            "address": host.address,
            "file": topology.file,
            "sections": sections,
        },
    )


def dropped_command() -> list[str]:
    """The command, in a host's network, whose output `dropped` reads."""
    return ["nft", "--json", "list", "table", "inet", TABLE]


def dropped(output: str) -> tuple[Drop, ...]:
    """What a host's filter dropped since it was loaded, the most packets first; see `dropped_command`.

    Raises RehearsalError where the output isn't what nft prints.
    """
    try:
        found = [one["set"] for one in json.loads(output)["nftables"] if "set" in one]
        drops = [
            Drop(one["name"].removeprefix("dropped_"), Address(peer), str(protocol), int(port), packets)
            for one in found
            if one["name"].startswith("dropped_")
            for peer, protocol, port, packets in map(_element, one.get("elem", []))
        ]
    except (ValueError, KeyError, TypeError) as error:
        raise RehearsalError(f"nft prints something else than its rules ({error})") from None
    return tuple(sorted(drops, key=lambda one: (-one.packets, one.direction, one.peer, one.port)))


def _element(element: dict) -> tuple[str, str, int, int]:
    return (*element["elem"]["val"]["concat"], element["elem"]["counter"]["packets"])


def _lines(
    topology: Topology, host: Host, direction: str, blocked: str, silent: bool, gateway: Address
) -> Iterator[str]:
    end = "saddr" if direction == "in" else "daddr"
    if silent:
        yield "# The host is gone."
        return
    if direction in CUTS[blocked]:
        others = [slot for slot in topology.slots if slot.address != host.address]
        yield "# Cut off from the other tasks."
        if others:
            yield f"ip {end} {_addresses(others)} counter drop"
    if not host.groups:
        yield "# In no security group."
        yield "accept"
        return
    yield "ct state established,related accept"
    if direction == "out":
        yield f"ip daddr {topology.resolver} meta l4proto {{ tcp, udp }} th dport 53 accept"
    else:
        names = {balancer.logical_id for balancer in topology.balancers if balancer.host.name == host.name}
        if ports := [str(one.port) for one in vantages(topology) if one.balancer in names]:
            yield "# Published ports; the balancer knows who is behind them."
            yield f"ip saddr {gateway} tcp dport {{ {', '.join(ports)} }} accept"
    wanted = "ingress" if direction == "in" else "egress"
    for one in topology.permissions:
        if one.direction == wanted and one.group in host.groups:
            yield from _permission(topology, one, end)


def _permission(topology: Topology, permission: Permission, end: str) -> Iterator[str]:
    where = quoting.place(topology.file, permission.line)
    origin = f"{permission.logical_id or permission.group}, line {permission.line}"
    what = _protocol(permission, where)
    if permission.peer_group:
        members = topology.members(permission.peer_group)
        if not members:
            yield f"# Nobody is in {quoting.comment(permission.peer_group)} ({quoting.comment(origin)})."
            return
        peers = f"ip {end} {_addresses(members)} "
    else:
        try:
            network = ipaddress.ip_network(permission.peer_network, strict=False)
        except ValueError:
            name = quoting.comment(quoting.name(permission.peer_network, where, "the network"))
            yield f"# A template doesn't hold the networks of {name} ({quoting.comment(origin)})."
            return
        if isinstance(network, ipaddress.IPv6Network):
            yield f"# Nobody has an IPv6 address here ({quoting.comment(origin)})."
            return
        peers = f"ip {end} {network} " if network.prefixlen else ""
    name = quoting.name(permission.logical_id or permission.group, where, "the permission")
    # nftables takes 128 characters.
    yield f'{peers}{what}counter accept comment "{name[:100]}, line {permission.line}"'


def _protocol(permission: Permission, where: str) -> str:
    if permission.protocol == "-1":
        return ""
    if permission.protocol in ("tcp", "udp") and permission.ports != EVERY_PORT:
        return f"{permission.protocol} dport {quoting.ports(*permission.ports, where)} "
    if (
        permission.protocol in ("tcp", "udp", "icmp")
        or permission.protocol.isascii()
        and permission.protocol.isdigit()
    ):
        return f"meta l4proto {permission.protocol} "
    raise quoting.refused(where, f"{quoting.comment(permission.protocol)!r} is no protocol")


def _addresses(hosts: tuple[Host, ...] | list[Host]) -> str:
    return f"{{ {', '.join(str(one.address) for one in hosts)} }}"
