"""Security groups: who is let in and out."""

from __future__ import annotations

from collections.abc import Iterable

from generator.rehearsing import addresses
from generator.rehearsing.reading.networks import VPC
from generator.rehearsing.reading.scene import Scene
from generator.rehearsing.topology import EVERY_PORT, Network, Permission
from generator.resolving import Place, Reference

GROUP = "AWS::EC2::SecurityGroup"
INGRESS = "AWS::EC2::SecurityGroupIngress"
EGRESS = "AWS::EC2::SecurityGroupEgress"

DEFAULT = "vpc-default"
"""The VPC's own group, which hosts without any are in; with its dash it is no logical id."""

WORLD = "0.0.0.0/0"

_PROTOCOLS = {"-1": "-1", "tcp": "tcp", "6": "tcp", "udp": "udp", "17": "udp", "icmp": "icmp", "1": "icmp"}
_IPV6_ONLY = ("icmpv6", "58")


class Groups:
    """The template's security groups with their permissions, and the other groups that it names."""

    def __init__(self, scene: Scene):
        self._scene = scene
        self._owned = {one.logical_id: one for one in scene.resolver.resources(GROUP)}
        self.permissions: list[Permission] = []
        self._used: dict[str, int] = {}
        self._read()

    def of(self, places: Place, what: str) -> tuple[str, ...]:
        """The groups that a list names; the VPC's default group where there is no list."""
        if not places:
            self._scene.note(f"{what} names no security group, so the VPC's default group is taken", places)
            self._used.setdefault(DEFAULT, places.line)
            return (DEFAULT,)
        listed = [places] if places.unknown is not None else places
        names = tuple(dict.fromkeys(name for place in listed if (name := self._name(place))))
        for name in names:
            self._used.setdefault(name, places.line)
        return names

    def outside(self, groups: Iterable[str], port: int) -> tuple[str, ...]:
        """Groups that the template doesn't hold and that `groups` may talk to at `port`, or that let them in
        there."""
        groups = set(groups)
        found: dict[str, int] = {}
        for one in self.permissions:
            if one.protocol not in ("tcp", "-1") or not one.ports[0] <= port <= one.ports[1]:
                continue
            if one.direction == "egress" and one.group in groups and one.peer_group:
                found.setdefault(one.peer_group, one.line)
            elif one.direction == "ingress" and one.peer_group in groups:
                found.setdefault(one.group, one.line)
        return self._not_owned(found)

    def callers(self, groups: Iterable[str], port: int) -> tuple[str, ...]:
        """The groups that `groups` let in at `port`, apart from themselves."""
        groups = set(groups)
        found: dict[str, int] = {}
        for one in self.permissions:
            fits = one.protocol in ("tcp", "-1") and one.ports[0] <= port <= one.ports[1]
            if (
                fits
                and one.direction == "ingress"
                and one.group in groups
                and one.peer_group not in ("", *groups)
            ):
                found.setdefault(one.peer_group, one.line)
        for name, line in found.items():
            self._used.setdefault(name, line)
        return tuple(found)

    def open(self, host: str, line: int) -> tuple[str, ...]:
        """A group that lets everything in and out, for a host that exists already and whose groups nothing
        tells."""
        self._scene.note(
            f"Nothing tells the security groups of the {host}, which exists already: "
            "it is taken to let everything in and out",
            line,
        )
        self._used.setdefault(f"existing-{host}", line)
        return (f"existing-{host}",)

    def networks(self) -> list[Network]:
        """The IPv4 networks that permissions name."""
        found = (addresses.network(one.peer_network) for one in self.permissions if one.peer_network)
        return [one for one in found if one is not None]

    def settle(self) -> tuple[Permission, ...]:
        """Every permission, with those of the groups that hosts are in and the template doesn't hold."""
        for name, line in self._used.items():
            if name in self._owned:
                continue
            ways = ("ingress", "egress")
            if name == DEFAULT:
                own = Permission(DEFAULT, "ingress", "-1", EVERY_PORT, peer_group=DEFAULT, line=line)
                self.permissions.append(own)
                ways = ("egress",)
            elif not name.startswith("existing-"):
                self._scene.note(
                    f"The template doesn't hold the security group {name}: "
                    "it is taken to let everything in and out, so nothing is proved about it",
                    line,
                )
            for way in ways:
                self.permissions.append(
                    Permission(name, way, "-1", EVERY_PORT, peer_network=WORLD, line=line)
                )
        return tuple(self.permissions)

    def _not_owned(self, found: dict[str, int]) -> tuple[str, ...]:
        names = {name: line for name, line in found.items() if name not in self._owned}
        for name, line in names.items():
            self._used.setdefault(name, line)
        return tuple(names)

    def _name(self, place: Place) -> str:
        value = place.value
        if isinstance(value, Reference) and self._scene.document.resources[value.logical_id].type == VPC:
            return DEFAULT
        return self._scene.identity(place, "the security group")

    # --- permissions ---

    def _read(self) -> None:
        resolver = self._scene.resolver
        for group in self._owned.values():
            properties = resolver.properties(group)
            for way in ("ingress", "egress"):
                place = properties[f"SecurityGroup{way.capitalize()}"]
                listed = self._scene.known_list(place, f"what {group.logical_id} lets {_WAYS[way]}")
                for item in listed:
                    self._permission(group.logical_id, way, item, group.logical_id)
                if way == "egress" and not listed:
                    # AWS adds it when the group is made without one; a SecurityGroupEgress resource, which
                    # comes later, doesn't take it away again.
                    everything = Permission(
                        group.logical_id, "egress", "-1", EVERY_PORT, "", WORLD, group.logical_id, group.line
                    )
                    self.permissions.append(everything)
        for way, kind in (("ingress", INGRESS), ("egress", EGRESS)):
            for resource in resolver.resources(kind):
                properties = resolver.properties(resource)
                place = properties["GroupId"] or properties["GroupName"]
                name = self._name(place) if place else ""
                if not place:
                    self._scene.problem(resource.line, f"{resource.logical_id} names no security group")
                self._permission(name, way, properties, resource.logical_id, resource.line)

    def _permission(self, group: str, way: str, place: Place, logical_id: str, line: int = 0) -> None:
        scene = self._scene
        if not place.keys():
            scene.unknown(place, f"a permission of {group}", "no mapping")
            return
        what = f"the {{}} of {logical_id}"
        written = scene.text(place["IpProtocol"], what.format("protocol"), "-1").lower()
        protocol = _PROTOCOLS.get(written)
        line = line or place.line
        if protocol is None:
            if written not in _IPV6_ONLY:
                scene.note(
                    f"A permission for protocol {written} is left out: only TCP, UDP and ICMP are rehearsed",
                    line,
                )
            return
        ports = EVERY_PORT
        if protocol in ("tcp", "udp"):
            first = scene.integer(place["FromPort"], what.format("FromPort"), 0, least=-1, most=65535)
            last = scene.integer(place["ToPort"], what.format("ToPort"), 65535, least=-1, most=65535)
            ports = EVERY_PORT if -1 in (first, last) else (first, last)
            if ports[0] > ports[1]:
                scene.problem(
                    place["FromPort"],
                    f"{logical_id} is for ports {first} to {last}",
                    "write the lower one first",
                )
        side = "Source" if way == "ingress" else "Destination"
        for key in (f"{side}SecurityGroupId", f"{side}SecurityGroupName"):
            if place[key]:
                peer = self._name(place[key])
                self.permissions.append(Permission(group, way, protocol, ports, peer, "", logical_id, line))
                return
        if place["CidrIp"]:
            text = scene.text(place["CidrIp"], what.format("network"))
            network = addresses.network(text) if text else None
            if network is not None:
                self.permissions.append(
                    Permission(group, way, protocol, ports, "", str(network), logical_id, line)
                )
            elif text:
                scene.problem(place["CidrIp"], f"{text!r} is no IPv4 network")
            return
        if place[f"{side}PrefixListId"]:
            peer = scene.identity(place[f"{side}PrefixListId"], what.format("prefix list"))
            scene.note(
                f"The addresses of the prefix list {peer} aren't known: nothing is let through for it", line
            )
            self.permissions.append(Permission(group, way, protocol, ports, "", peer, logical_id, line))
            return
        if place["CidrIpv6"]:
            scene.note("Permissions for IPv6 are left out")
            return
        scene.problem(
            line, f"{logical_id} says not who is let {_WAYS[way]}", f"write CidrIp or {side}SecurityGroupId"
        )


_WAYS = {"ingress": "in", "egress": "out"}
