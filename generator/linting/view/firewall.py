"""Security groups: who may talk to whom, as far as the template tells.

Answers are True, False or None, which means that it can't be told: a group of another stack, a network that
may or may not hold the other side, a permission whose condition is open.
"""

from __future__ import annotations

import ipaddress
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

from generator.document import Path, Resource
from generator.resolving import Place, Resolver, Unknown

if TYPE_CHECKING:
    from generator.linting.view.template import View

GROUP = "AWS::EC2::SecurityGroup"
_SINGLE = {"ingress": "AWS::EC2::SecurityGroupIngress", "egress": "AWS::EC2::SecurityGroupEgress"}
_PROTOCOLS = {"-1": "-1", "tcp": "tcp", "6": "tcp", "udp": "udp", "17": "udp"}
_EVERY_PORT = (0, 65535)

Network = ipaddress.IPv4Network


@dataclass(frozen=True)
class Party:
    """Hosts that share security groups and networks: a service's tasks, a balancer, a database."""

    groups: tuple[str, ...] | None
    """Logical ids of the groups, names of groups that the template doesn't hold as `=name`; None where they
    aren't known (none written means the VPC's default group, of which nothing is known either)."""
    networks: tuple[Network, ...] | None = None
    """The subnets' networks; None where one isn't known."""


@dataclass(frozen=True)
class Permission:
    """One way that a group lets out or in."""

    group: str
    direction: str
    """`ingress` or `egress`."""
    protocol: str | None
    """tcp, udp, -1 for all, another one as it is written; None where it isn't known."""
    ports: tuple[int, int] | None
    """First and last; None where they aren't known."""
    peer_group: str | None
    """The other side, if it is a group; `=name` for one the template doesn't hold."""
    network: Network | None
    """The other side, if it is an IPv4 network."""
    sure: bool
    """False where it can't be told who the other side is or whether the permission is there."""
    place: Place
    """The permission: an item of the group's list, or the properties of a resource of its own; for the egress
    that AWS adds to a group without any, the group's properties."""
    resource: Resource
    default: bool = False
    """Whether AWS adds it itself."""

    @property
    def path(self) -> Path:
        """Where it is written."""
        return self.place.path

    def fits(self, port: int, protocol: str = "tcp") -> bool | None:
        """Whether it is about that port."""
        if self.protocol is None:
            return None
        if self.protocol not in ("-1", protocol):
            return False
        if self.protocol == "-1":
            return True
        return None if self.ports is None else self.ports[0] <= port <= self.ports[1]

    @property
    def from_anywhere(self) -> bool:
        """Whether the other side is the whole internet, by IPv4 or IPv6."""
        return (
            self.network is not None and self.network.prefixlen == 0 or self.place["CidrIpv6"].text == "::/0"
        )


class Firewall:
    """The security groups of a template."""

    def __init__(self, view: View):
        self._view = view
        self._resolver: Resolver = view.resolver
        self.owned = {one.logical_id: one for one in self._resolver.resources(GROUP)}
        """Logical id -> group that the template holds."""

    @cached_property
    def permissions(self) -> tuple[Permission, ...]:
        """All that the template writes, and the egress that AWS gives to groups without any."""
        return tuple(self._read())

    def of(self, group: str, direction: str) -> list[Permission]:
        """The permissions of one group."""
        return [one for one in self.permissions if one.group == group and one.direction == direction]

    def groups(self, place: Place) -> tuple[str, ...] | None:
        """The groups that a list names, as in `Party`; None where it or one of them isn't known."""
        if not place or place.unknown is not None:
            return None
        names = [self.name(one) for one in place]
        return None if None in names or not names else tuple(names)

    def name(self, place: Place) -> str | None:
        """What a group is called here: its logical id, else `=` and its id or the parameter that has it."""
        group = place.resource(GROUP)
        if group is not None:
            return group.logical_id
        value = place.value
        if isinstance(value, Unknown):
            return f"={value.name}" if value.name else None
        return f"={value}" if isinstance(value, str) and value else None

    def lets_out(self, source: Party, target: Party, port: int, protocol: str = "tcp") -> bool | None:
        """Whether the source's groups let connections to `target` out."""
        return self._allowed(source, "egress", target, port, protocol)

    def lets_in(self, source: Party, target: Party, port: int, protocol: str = "tcp") -> bool | None:
        """Whether the target's groups let connections from `source` in."""
        return self._allowed(target, "ingress", source, port, protocol)

    def may_reach(self, source: Party, target: Party, port: int, protocol: str = "tcp") -> bool | None:
        """Whether connections get from `source` to `target`: let out on one side and in on the other."""
        answers = (
            self.lets_out(source, target, port, protocol),
            self.lets_in(source, target, port, protocol),
        )
        return False if False in answers else None if None in answers else True

    def lets_in_from(self, target: Party, port: int, protocol: str = "tcp") -> list[Permission]:
        """The sure permissions by which groups of `target` let somebody in at `port`."""
        return [
            one
            for group in target.groups or ()
            for one in self.of(group, "ingress")
            if one.sure and one.fits(port, protocol)
        ]

    def open_to_internet(self, target: Party, port: int) -> bool | None:
        """Whether groups of `target` let the whole internet in at `port`."""
        if target.groups is None:
            return None
        if any(one.from_anywhere for one in self.lets_in_from(target, port)):
            return True
        unsure = any(group not in self.owned for group in target.groups) or not self._view.whole
        unsure = unsure or any(
            not one.sure and one.fits(port) is not False
            for group in target.groups
            for one in self.of(group, "ingress")
        )
        return None if unsure else False

    # --- answering ---

    def _allowed(self, owner: Party, direction: str, peer: Party, port: int, protocol: str) -> bool | None:
        if owner.groups is None:
            return None
        answers: set[bool | None] = set()
        for group in owner.groups:
            if group not in self.owned or not self._view.whole:
                answers.add(None)
            for one in self.of(group, direction):
                fits = one.fits(port, protocol)
                matches = self._is_peer(one, peer)
                if fits and matches and one.sure:
                    return True
                if fits is not False and matches is not False:
                    answers.add(None)
        return None if None in answers else False

    def _is_peer(self, one: Permission, peer: Party) -> bool | None:
        """Whether the other side of a permission is `peer`."""
        if one.peer_group is not None:
            if peer.groups is None:
                return None
            if one.peer_group in peer.groups:
                return True
            # Names of groups elsewhere may stand for one group, whatever they are called.
            outside = one.peer_group.startswith("=") or not one.sure
            return None if outside and any(name.startswith("=") for name in peer.groups) else False
        if one.network is None:
            return None if not one.sure else False
        if one.network.prefixlen == 0:
            return True
        if peer.networks is None:
            # A single loopback address is the way to say "nothing".
            return False if one.network.is_loopback else None
        if all(network.subnet_of(one.network) for network in peer.networks):
            return True
        return None if any(network.overlaps(one.network) for network in peer.networks) else False

    # --- reading ---

    def _read(self) -> Iterator[Permission]:
        resolver = self._resolver
        singles = {way: resolver.resources(kind) for way, kind in _SINGLE.items()}
        for group in self.owned.values():
            properties = resolver.properties(group)
            for way in _SINGLE:
                place = properties[f"SecurityGroup{way.capitalize()}"]
                if place.unknown is not None:
                    yield self._unsure(group.logical_id, way, place, group)
                    continue
                listed = list(place)
                for item in listed:
                    yield self._permission(group.logical_id, way, item, group)
                if way == "egress" and not listed:
                    # AWS adds it when the group is made; a SecurityGroupEgress comes later and doesn't take
                    # it away (AWS::EC2::SecurityGroup, "SecurityGroupEgress").
                    yield Permission(
                        group.logical_id,
                        way,
                        "-1",
                        _EVERY_PORT,
                        None,
                        Network("0.0.0.0/0"),
                        True,
                        properties,
                        group,
                        True,
                    )
        for way, resources in singles.items():
            for resource in resources:
                properties = resolver.properties(resource)
                holder = properties["GroupId"] if properties["GroupId"] else properties["GroupName"]
                name = self.name(holder) if holder else None
                if name is None:
                    for group in self.owned:
                        yield self._unsure(group, way, properties, resource)
                else:
                    yield self._permission(name, way, properties, resource)

    def _unsure(self, group: str, way: str, place: Place, resource: Resource) -> Permission:
        return Permission(group, way, None, None, None, None, False, place, resource)

    def _permission(self, group: str, way: str, place: Place, resource: Resource) -> Permission:
        if not place.keys():
            return self._unsure(group, way, place, resource)
        sure = self._resolver.exists(resource.logical_id) is True
        written = place["IpProtocol"].text
        protocol = _PROTOCOLS.get(written.lower(), written.lower()) if written is not None else None
        ports: tuple[int, int] | None = _EVERY_PORT
        if protocol != "-1":
            first, last = place["FromPort"].integer, place["ToPort"].integer
            ports = (
                None
                if first is None or last is None
                else _EVERY_PORT
                if -1 in (first, last)
                else (first, last)
            )
        side = "Source" if way == "ingress" else "Destination"
        for key in (f"{side}SecurityGroupId", f"{side}SecurityGroupName"):
            if place[key]:
                peer = self.name(place[key])
                return Permission(
                    group, way, protocol, ports, peer, None, sure and peer is not None, place, resource
                )
        if place["CidrIp"]:
            network = _network(place["CidrIp"].text)
            return Permission(
                group, way, protocol, ports, None, network, sure and network is not None, place, resource
            )
        # IPv6 and prefix lists are nobody's way between hosts that are known here by IPv4.
        only_six = bool(place["CidrIpv6"])
        return Permission(group, way, protocol, ports, None, None, sure and only_six, place, resource)


def _network(text: str | None) -> Network | None:
    try:
        return Network(text, strict=False) if text else None
    except ValueError:
        return None


def networks(subnets: Iterable[Resource | None], resolver: Resolver) -> tuple[Network, ...] | None:
    """The IPv4 networks of subnets; None where one of them isn't known."""
    found = []
    for subnet in subnets:
        network = _network(resolver.properties(subnet)["CidrBlock"].text) if subnet is not None else None
        if network is None:
            return None
        found.append(network)
    return tuple(found) or None
