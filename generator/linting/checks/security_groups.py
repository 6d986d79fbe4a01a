"""Security groups and their rules."""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Iterator
from typing import Any

from generator.document import Document, Path
from generator.linting.checks.base import integer, items, same, target, text
from generator.linting.rule import Hit, Rule
from generator.linting.view import View

GROUP = "AWS::EC2::SecurityGroup"
_RULES = ("AWS::EC2::SecurityGroupIngress", "AWS::EC2::SecurityGroupEgress")
_LISTS = ("SecurityGroupIngress", "SecurityGroupEgress")
_PEERS = (
    "CidrIp",
    "CidrIpv6",
    "SourcePrefixListId",
    "DestinationPrefixListId",
    "SourceSecurityGroupId",
    "SourceSecurityGroupName",
    "DestinationSecurityGroupId",
)
_PORT_PROTOCOLS = {"tcp": "tcp", "6": "tcp", "udp": "udp", "17": "udp"}
_API = "https://docs.aws.amazon.com/AWSEC2/latest/APIReference/"


def _rules(document: Document) -> Iterator[tuple[Path, str, str, dict[str, Any]]]:
    """(path, group, direction, rule) of every rule, inside a group or a resource of its own."""
    for group in document.of_type(GROUP):
        for name in _LISTS:
            for index, rule in items(group.properties, name):
                yield (*group.path, "Properties", name, index), group.logical_id, name, rule
    for kind, name in zip(_RULES, _LISTS):
        for resource in document.of_type(kind):
            holder = resource.properties.get("GroupId")
            yield (*resource.path, "Properties"), _peer(document, holder), name, resource.properties


def _peer(document: Document, value: Any) -> str:
    """A name for a rule's other side; a group has one, whether a Ref or a GetAtt names it."""
    group = target(document, value, GROUP)
    return group.logical_id if group else same(value)


class PortRange(Rule):
    """A rule for TCP or UDP runs from a port to one that isn't lower. cfn-lint looks at
    neither order nor size.
    """

    id = "E9551"
    shortdesc = "A security group rule's ports are in order and exist"
    source_url = _API + "API_IpPermission.html"

    def hits(self, view: View) -> Iterator[Hit]:
        for path, _, _, rule in _rules(view.document):
            if (text(rule.get("IpProtocol")) or "").lower() not in _PORT_PROTOCOLS:
                continue
            low, high = integer(rule.get("FromPort")), integer(rule.get("ToPort"))
            for name, port in (("FromPort", low), ("ToPort", high)):
                if port is not None and not 0 <= port <= 65535:
                    yield Hit((*path, name), f"there is no port {port}")
            if low is not None and high is not None and low > high:
                yield Hit((*path, "FromPort"), f"FromPort {low} is above ToPort {high}")


class SecurityGroupText(Rule):
    """EC2 takes letters, digits and a few signs in a rule's description; an apostrophe or a dash
    of print is refused.

    cfn-lint checks the group's own description only.
    """

    id = "E9552"
    shortdesc = "Texts of security groups have characters EC2 takes"
    source_url = _API + "API_IpRange.html"

    _allowed = re.compile(r"[A-Za-z0-9 ._\-:/()#,@\[\]+=&;{}!$*]*")

    def hits(self, view: View) -> Iterator[Hit]:
        for path, _, _, rule in _rules(view.document):
            yield from self._text((*path, "Description"), rule.get("Description"))
        for group in view.document.of_type(GROUP):
            path = (*group.path, "Properties", "GroupName")
            name = text(group.properties.get("GroupName"))
            yield from self._text(path, name)
            if name and name.lower().startswith("sg-"):
                yield Hit(path, "a group's name can't start with sg-")

    def _text(self, path: Path, value: Any) -> Iterator[Hit]:
        said = text(value)
        if said is None:
            return
        if len(said) > 255:
            yield Hit(path, f"{len(said)} characters, EC2 takes 255")
        wrong = "".join(dict.fromkeys(char for char in said if not self._allowed.fullmatch(char)))
        if wrong:
            yield Hit(
                path,
                f"EC2 doesn't take {wrong!r} here",
                "use letters, digits, blanks and ._-:/()#,@[]+=&;{}!$*",
            )


class SecurityGroupTwins(Rule):
    """EC2 has each permission once: the second is "InvalidPermission.Duplicate",
    whatever its description says.
    """

    id = "E9553"
    shortdesc = "No security group has the same rule twice"
    source_url = _API + "API_AuthorizeSecurityGroupIngress.html"

    def hits(self, view: View) -> Iterator[Hit]:
        first: dict[tuple, Path] = {}
        for path, group, direction, rule in _rules(view.document):
            # One of two that exclude each other by a condition is no twin.
            if "Condition" in view.document.resources[path[1]].attributes:
                continue
            peer = [(key, _peer(view.document, rule[key])) for key in _PEERS if key in rule]
            protocol = text(rule.get("IpProtocol"))
            if protocol is None or len(peer) != 1:
                continue
            protocol = _PORT_PROTOCOLS.get(protocol.lower(), protocol.lower())
            ports = () if protocol == "-1" else tuple(str(rule.get(key)) for key in ("FromPort", "ToPort"))
            here = first.setdefault((group, direction, protocol, ports, peer[0]), path)
            if here != path:
                where = ".".join(map(str, here[1:] if len(here) > 3 else here[1:2]))
                yield Hit(path if len(path) > 3 else path[:2], f"the same rule as {where}", "leave one out")


class SecurityGroupCidr(Rule):
    """A single address needs its prefix length too: `/32`."""

    id = "E9554"
    shortdesc = "A security group rule's network is in CIDR notation"
    source_url = _API + "API_IpRange.html"

    def hits(self, view: View) -> Iterator[Hit]:
        for path, _, _, rule in _rules(view.document):
            for key, version, single in (("CidrIp", 4, "/32"), ("CidrIpv6", 6, "/128")):
                network = text(rule.get(key))
                if network is None:
                    continue
                try:
                    parsed = ipaddress.ip_network(network, strict=False)
                except ValueError:
                    yield Hit((*path, key), f"{network!r} is no network")
                    continue
                if parsed.version != version:
                    yield Hit((*path, key), f"{network!r} is an IPv{parsed.version} network")
                elif "/" not in network:
                    yield Hit((*path, key), f"{network!r} has no prefix length", f"write {network}{single}")
