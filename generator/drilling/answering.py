"""Which listener rule answers a request, and which port is open between two hosts: what the template itself
says.

The drill believes what it sees; this says which line of the template is behind it. Rules as the Elastic Load
Balancing guide has them ("Condition types for listener rules"): the first rule by priority all of whose
conditions hold; paths with their case, everything else without. The path is taken as the client sent it: the guide
says "after URI normalization" and not what that is (docs/unverified.md, row 1).
"""

from __future__ import annotations

import ipaddress
import re
import urllib.parse
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from generator.rehearsing.target import Door
from generator.rehearsing.topology import Balancer, Condition, Host, Listener, Permission, Rule, Topology


@dataclass(frozen=True)
class Asked:
    """A request as a balancer sees it."""

    host: str
    target: str
    """The request target: a path with its query, or an absolute URL."""
    door: Door
    method: str = "GET"
    headers: tuple[tuple[str, str], ...] = ()

    @property
    def path(self) -> str:
        """The path, without host and query."""
        return _split(self.target)[0]


def listener_of(topology: Topology, door: Door) -> tuple[Balancer, Listener] | None:
    """The balancer and the listener that a door leads to; None where the topology has none of that port."""
    balancers = sorted(topology.balancers, key=lambda one: one.logical_id != door.balancer)
    for balancer in balancers:
        for listener in balancer.listeners:
            if listener.port == door.listener_port:
                return balancer, listener
    return None


def rule_of(topology: Topology, asked: Asked) -> Rule | None:
    """The rule that answers; None where no listener is known for the request's door."""
    found = listener_of(topology, asked.door)
    if found is None:
        return None
    for rule in found[1].rules:
        if all(holds(condition, asked, topology) for condition in rule.conditions):
            return rule
    return None


def named(rule: Rule | None) -> str:
    """What to call a rule in a sentence."""
    if rule is None:
        return "no rule"
    return f"rule {rule.logical_id}" if rule.conditions else f"the default action of {rule.logical_id}"


def holds(condition: Condition, asked: Asked, topology: Topology) -> bool:
    """Whether one condition holds for a request."""
    path, query = _split(asked.target)
    if condition.field == "path-pattern":
        return _matches(condition, [path], case=True)
    if condition.field == "host-header":
        return _matches(condition, [asked.host.rsplit(":", 1)[0]], case=False)
    if condition.field == "http-header":
        values = [value for name, value in asked.headers if name.lower() == condition.header.lower()]
        return _matches(condition, values, case=False)
    if condition.field == "http-request-method":
        return asked.method in condition.values
    if condition.field == "query-string":
        return any(_has(query, wanted) for wanted in condition.values)
    if condition.field == "source-ip":
        return any(comes_from(asked.door, value, topology) for value in condition.values)
    return False


def comes_from(door: Door, network: str, topology: Topology) -> bool:
    """Whether what comes through a door counts as coming from a network.

    Where the door doesn't know its address, the internet is nobody in particular, the VPC is the VPC, and an
    administrator is in every network that a rule names.
    """
    try:
        wanted = ipaddress.ip_network(network, strict=False)
    except ValueError:
        return False
    if not isinstance(wanted, ipaddress.IPv4Network):
        return False
    if door.source:
        return ipaddress.IPv4Address(door.source) in wanted
    if wanted.prefixlen == 0:
        return True
    return wanted.overlaps(topology.vpc) if door.vantage == "inside" else door.vantage == "admin"


def _split(target: str) -> tuple[str, str]:
    if not target.startswith("/"):
        rest = target.split("://", 1)[-1]
        target = rest[rest.find("/"):] if "/" in rest else "/"
    path, _, query = target.partition("?")
    return path, query


def _matches(condition: Condition, values: Sequence[str], *, case: bool) -> bool:
    flags = 0 if case else re.IGNORECASE
    for value in values:
        if any(re.fullmatch(_wildcards(pattern), value, flags | re.DOTALL) for pattern in condition.values):
            return True
        if any(_searches(pattern, value, flags) for pattern in condition.regexes):
            return True
    return False


def _searches(pattern: str, value: str, flags: int) -> bool:
    try:
        return re.search(pattern, value, flags) is not None
    except re.error:
        return False


def _wildcards(pattern: str) -> str:
    return "".join({"*": ".*", "?": "."}.get(character, re.escape(character)) for character in pattern)


def _has(query: str, wanted: str) -> bool:
    key, _, value = wanted.rpartition("=")
    for name, given in urllib.parse.parse_qsl(query, keep_blank_values=True):
        if re.fullmatch(_wildcards(value), given, re.IGNORECASE) and (
                not key or re.fullmatch(_wildcards(key), name, re.IGNORECASE)):
            return True
    return False


# --- Permissions --------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Way:
    """Whether packets may go from one host to a port of another."""

    open: bool
    missing: str = ""
    """`ingress` or `egress`: the direction that isn't permitted; empty where it is open."""
    groups: tuple[str, ...] = ()
    """The groups that miss the permission."""
    line: int = 0
    """Line of the permission nearest to it; 0 where the template has none."""


def way(topology: Topology, source: Host, destination: Host, port: int) -> Way:
    """Whether TCP gets from one host to a port of another, by the permissions of both. Groups that exist
    already are not in the template and are taken to permit it: what isn't known proves nothing."""
    for direction, host, other in (("egress", source, destination), ("ingress", destination, source)):
        if not host.groups or any(group.startswith("sg-") for group in host.groups):
            continue
        mine = [
            one for one in topology.permissions if one.group in host.groups and one.direction == direction
        ]
        if not any(_permits(one, other, port) for one in mine):
            return Way(False, direction, host.groups, _nearest(mine, port))
    return Way(True)


def permission(topology: Topology, source: Host, destination: Host, port: int) -> Permission | None:
    """What lets one host into a TCP port of another; None where nothing in the template does."""
    mine = [one for one in topology.permissions if one.group in destination.groups and one.direction == "ingress"]
    return next((one for one in mine if _permits(one, source, port)), None)


def _permits(permission: Permission, other: Host, port: int) -> bool:
    if (
        permission.protocol not in ("tcp", "-1", "6")
        or not permission.ports[0] <= port <= permission.ports[1]
    ):
        return False
    if permission.peer_group:
        return permission.peer_group in other.groups
    try:
        return other.address in ipaddress.ip_network(permission.peer_network, strict=False)
    except (ValueError, TypeError):
        # A prefix list, whose networks aren't in the template.
        return True


def _nearest(permissions: Iterable[Permission], port: int) -> int:
    """Line of the permission that a reader would look at: the one with the nearest ports."""
    found = sorted(permissions, key=lambda one: min(abs(one.ports[0] - port), abs(one.ports[1] - port)))
    return found[0].line if found else 0
