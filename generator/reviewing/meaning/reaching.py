"""Who can reach what, before and after: security groups in words."""

from __future__ import annotations

import ipaddress
from collections.abc import Iterator
from dataclasses import dataclass

from generator.resolving import Place
from generator.reviewing.facts import DATABASES
from generator.reviewing.meaning.base import (
    BALANCER,
    DANGER,
    GROUP,
    NOTE,
    SERVICE,
    WARNING,
    Consequence,
    Reading,
    listed,
)

_SINGLE = {"in": "AWS::EC2::SecurityGroupIngress", "out": "AWS::EC2::SecurityGroupEgress"}
_LISTS = {"in": "SecurityGroupIngress", "out": "SecurityGroupEgress"}
_NUMBERS = {"6": "tcp", "17": "udp", "1": "icmp", "all": "-1"}
WORLD = "the internet"


@dataclass(frozen=True)
class Way:
    """One way that a security group lets in or out."""

    group: str
    """The group's logical id; its id or `?` where it is none of the template's."""
    direction: str
    """in or out."""
    protocol: str
    ports: str
    """`443`, `8000-8099`, or `any port`."""
    peer: str
    """Whom: WORLD, a network, a group, a prefix list."""


def ways(reading: Reading) -> dict[Way, str]:
    """What the groups of a template let in and out -> the logical id that says so."""
    found: dict[Way, str] = {}
    for group in reading.resources(GROUP):
        for direction, key in _LISTS.items():
            for item in reading.properties(group)[key]:
                if item.keys():
                    found.setdefault(_way(group.logical_id, direction, item), group.logical_id)
        if not reading.properties(group)[_LISTS["out"]]:
            # AWS gives it to a group that is made without any (AWS::EC2::SecurityGroup, SecurityGroupEgress).
            found.setdefault(Way(group.logical_id, "out", "-1", "any port", WORLD), group.logical_id)
    for direction, type_ in _SINGLE.items():
        for one in reading.resources(type_):
            place = reading.properties(one)
            group = place["GroupId"] if place["GroupId"] else place["GroupName"]
            found.setdefault(_way(_named(group), direction, place), one.logical_id)
    return {way: name for way, name in found.items() if way.peer != "nobody"}


def _way(group: str, direction: str, place: Place) -> Way:
    protocol = (place["IpProtocol"].text or "-1").lower()
    protocol = _NUMBERS.get(protocol, protocol)
    first, last = place["FromPort"].text, place["ToPort"].text
    any_port = protocol == "-1" or first is None or "-1" in (first, last) or (first, last) == ("0", "65535")
    ports = "any port" if any_port else first if first == last or last is None else f"{first}-{last}"
    side = "Source" if direction == "in" else "Destination"
    for key in (f"{side}SecurityGroupId", f"{side}SecurityGroupName", f"{side}PrefixListId"):
        if place[key]:
            return Way(group, direction, protocol, ports, _named(place[key]))
    cidr = place["CidrIp"] if place["CidrIp"] else place["CidrIpv6"]
    return Way(group, direction, protocol, ports, _network(cidr))


def _network(place: Place) -> str:
    text = place.text
    try:
        network = ipaddress.ip_network(text or "", strict=False)
    except ValueError:
        return str(place.value) if place else "?"
    if network.is_loopback:
        return "nobody"
    return WORLD if network.prefixlen == 0 else text


def _named(place: Place) -> str:
    group = place.resource(GROUP)
    return group.logical_id if group is not None else str(place.value or "?") if place else "?"


def holders(reading: Reading) -> dict[str, list[str]]:
    """Security group -> the balancers, services and databases that have it."""
    found: dict[str, list[str]] = {}
    for type_, *keys in (
        (BALANCER, ("SecurityGroups",)),
        (SERVICE, ("NetworkConfiguration", "AwsvpcConfiguration", "SecurityGroups")),
        *((one, (key,)) for one in DATABASES for key in ("VPCSecurityGroups", "VpcSecurityGroupIds")),
        ("AWS::RDS::DBProxy", ("VpcSecurityGroupIds",)),
        ("AWS::EC2::VPCEndpoint", ("SecurityGroupIds",)),
    ):
        for one in reading.resources(type_):
            place = reading.properties(one)
            for step in keys[0]:
                place = place[step]
            for group in place:
                found.setdefault(_named(group), []).append(one.logical_id)
    return found


def public(reading: Reading, logical_id: str) -> bool | None:
    """Whether a balancer, service or database has an address in the internet; None for anything else."""
    resource = reading.document.resources.get(logical_id)
    if resource is None or reading.resolver.exists(logical_id) is False:
        return None
    place = reading.properties(resource)
    if resource.type == BALANCER:
        return place["Scheme"].text != "internal"
    if resource.type == SERVICE:
        return place["NetworkConfiguration"]["AwsvpcConfiguration"]["AssignPublicIp"].text == "ENABLED"
    if resource.type in DATABASES:
        return place["PubliclyAccessible"].flag is True
    return None


def reaching(before: Reading, after: Reading) -> Iterator[Consequence]:
    """Ways opened and closed, and what got or lost an address in the internet."""
    yield from _addresses(before, after)
    old, new = ways(before), ways(after)
    old_holders, new_holders = holders(before), holders(after)
    for way in new:
        if way not in old:
            yield _opened(way, new[way], after, new_holders, new=not before.document.resources)
    for way in old:
        if way not in new:
            yield _closed(way, old[way], before, old_holders)


def _addresses(before: Reading, after: Reading) -> Iterator[Consequence]:
    for one in after.resources(BALANCER, SERVICE, *DATABASES):
        name = one.logical_id
        now = public(after, name)
        was = public(before, name)
        if was is None or was == now:
            continue
        key = {BALANCER: "Scheme", SERVICE: "NetworkConfiguration"}.get(one.type, "PubliclyAccessible")
        if now:
            yield Consequence(
                "Network",
                DANGER,
                f"{name} gets an address in the internet",
                name,
                "Its security groups alone decide who reaches it then.",
                opens=f"{name}.{key}",
            )
        else:
            yield Consequence("Network", WARNING, f"{name} can't be reached from the internet any more", name)


def _target(way: Way, users: dict[str, list[str]]) -> str:
    return listed(users.get(way.group) or [way.group])


def _ports(way: Way) -> str:
    protocol = "" if way.protocol in ("tcp", "-1") else f" ({way.protocol})"
    return way.ports + protocol if way.ports == "any port" else f"port {way.ports}{protocol}"


def _who(peer: str, users: dict[str, list[str]]) -> str:
    return listed(users[peer]) if peer in users else peer


def _opened(way: Way, said_by: str, reading: Reading, users: dict[str, list[str]], new: bool) -> Consequence:
    target, ports = _target(way, users), _ports(way)
    if way.direction == "out":
        return Consequence(
            "Network",
            NOTE,
            f"{target} can now reach {_who(way.peer, users)} on {ports}{_by(way, users)}",
            said_by,
        )
    if way.peer != WORLD:
        return Consequence(
            "Network",
            NOTE,
            f"{_who(way.peer, users)} can now reach {ports} of {target}{_by(way, users)}",
            said_by,
        )
    exposed = [name for name in users.get(way.group, ()) if public(reading, name)]
    if exposed or way.group not in users:
        return Consequence(
            "Network",
            NOTE if new else DANGER,
            f"{WORLD} can now reach {ports} of {target}{_by(way, users)}",
            said_by,
            opens="" if new else said_by,
        )
    return Consequence(
        "Network",
        WARNING,
        f"everybody in the network can now reach {ports} of {target}{_by(way, users)}",
        said_by,
    )


def _closed(way: Way, said_by: str, reading: Reading, users: dict[str, list[str]]) -> Consequence:
    target, ports = _target(way, users), _ports(way)
    who = _who(way.peer, users)
    if way.direction == "out":
        return Consequence(
            "Network", WARNING, f"{target} can no longer reach {who} on {ports}{_by(way, users)}", said_by
        )
    return Consequence(
        "Network", WARNING, f"{target} no longer lets {who} in on {ports}{_by(way, users)}", said_by
    )


def _by(way: Way, users: dict[str, list[str]]) -> str:
    """The group's name, where another one was used in the sentence."""
    return f" ({way.group})" if way.group in users else ""
