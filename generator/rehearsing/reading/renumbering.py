"""The same design in another range of addresses."""

from __future__ import annotations

import ipaddress
import re
from dataclasses import replace
from typing import Any

from generator.errors import RehearsalError
from generator.rehearsing import addresses
from generator.rehearsing.topology import Address, Container, Host, Network, Rule, Topology

# Four numbers, maybe with a prefix length, that no digit, dot or letter touches.
_ADDRESS = re.compile(r"(?<![\w.])(\d{1,3}(?:\.\d{1,3}){3})(?:/(\d{1,2}))?(?![\w.]*\w)")
_HOST_NAME = re.compile(r"\bip-(\d{1,3}-\d{1,3}-\d{1,3}-\d{1,3})(?=\.)")


def renumbered(topology: Topology, vpc: Network) -> Topology:
    """The topology with its VPC moved to `vpc`, a network of the same size.

    Every address and network inside the old range keeps its place in the new one: hosts, subnets,
    permissions, source addresses in rules, and what containers are told in environment, command and health
    check. A network that is larger than the VPC (10.0.0.0/8 around 10.40.0.0/20) stays, and the range is let
    in beside it where the move would leave it. Raises RehearsalError where the sizes differ.
    """
    if vpc.prefixlen != topology.vpc.prefixlen:
        raise RehearsalError(f"{topology.vpc} can't be moved to {vpc}, which is of another size")
    if vpc == topology.vpc:
        return topology
    move = _Move(topology.vpc, vpc, topology.region)
    hosts = {host.name: move.host(host) for host in topology.hosts}
    permissions = []
    for one in topology.permissions:
        permissions.append(replace(one, peer_network=move.text(one.peer_network)))
        if (wider := move.leaves(one.peer_network)) is not None:
            permissions.append(replace(one, peer_network=str(wider)))
    return replace(
        topology,
        vpc=vpc,
        subnets=tuple(replace(one, network=move.network(one.network)) for one in topology.subnets),
        slots=tuple(hosts[one.name] for one in topology.slots),
        database_host=hosts["database"] if topology.database_host else None,
        database=_database(topology, move),
        balancers=tuple(
            replace(
                one,
                host=hosts[one.host.name],
                listeners=tuple(
                    replace(listener, rules=tuple(move.rule(rule) for rule in listener.rules))
                    for listener in one.listeners
                ),
            )
            for one in topology.balancers
        ),
        permissions=tuple(permissions),
        task=replace(topology.task, containers=tuple(map(move.container, topology.task.containers))),
        notes=(*topology.notes, f"Addresses of {topology.vpc} are moved to {vpc}, for this rehearsal alone."),
    )


def _database(topology: Topology, move: _Move) -> Any:
    if topology.database is None:
        return None
    return replace(topology.database, host=move.text(topology.database.host))


class _Move:
    """From one range to another of the same size."""

    def __init__(self, old: Network, new: Network, region: str):
        self._old, self._new, self._region = old, new, region
        self._offset = int(new.network_address) - int(old.network_address)

    def address(self, address: Address) -> Address:
        return address + self._offset if address in self._old else address

    def network(self, network: Network) -> Network:
        if not network.subnet_of(self._old):
            return network
        return ipaddress.IPv4Network((int(network.network_address) + self._offset, network.prefixlen))

    def leaves(self, text: str) -> Network | None:
        """The new range, where `text` is a network around the old one that doesn't hold the new one."""
        network = addresses.network(text) if text else None
        if (
            network is None
            or network == self._old
            or not self._old.subnet_of(network)
            or self._new.subnet_of(network)
        ):
            return None
        return self._new

    def text(self, text: str) -> str:
        """A text with every address and network of the old range moved."""
        text = _ADDRESS.sub(self._moved, text)
        return _HOST_NAME.sub(lambda match: f"ip-{self._dashed(match[1])}", text)

    def _moved(self, match: re.Match[str]) -> str:
        try:
            address = ipaddress.IPv4Address(match[1])
            network = ipaddress.IPv4Network(f"{match[1]}/{match[2] or 32}", strict=False)
        except ValueError:
            return match[0]
        if not network.subnet_of(self._old):
            return match[0]
        return f"{self.address(address)}" + (f"/{match[2]}" if match[2] else "")

    def _dashed(self, dashed: str) -> str:
        moved = self.text(dashed.replace("-", "."))
        return moved.replace(".", "-")

    def host(self, host: Host) -> Host:
        address = self.address(host.address)
        name = addresses.host_name(address, self._region) if host.hostname else ""
        return replace(host, address=address, hostname=name)

    def rule(self, rule: Rule) -> Rule:
        conditions = []
        for one in rule.conditions:
            if one.field == "source-ip":
                values = [self.text(value) for value in one.values]
                values += [str(wider) for value in one.values if (wider := self.leaves(value)) is not None]
                one = replace(one, values=tuple(dict.fromkeys(values)))
            conditions.append(one)
        return replace(rule, conditions=tuple(conditions))

    def container(self, container: Container) -> Container:
        return replace(
            container,
            environment=tuple((name, self._told(value)) for name, value in container.environment),
            command=None if container.command is None else tuple(map(self._told, container.command)),
            health_check=container.health_check
            and replace(
                container.health_check, command=tuple(map(self.text, container.health_check.command))
            ),
        )

    def _told(self, value: str) -> str:
        """A value with the addresses in it moved; in a list of networks the new range joins one that it
        left."""
        moved = self.text(value)
        listed = [one.strip() for one in value.split(",")]
        if any(addresses.network(one) is None for one in listed):
            return moved
        wider = [str(found) for one in listed if (found := self.leaves(one)) is not None]
        return ",".join([moved, *dict.fromkeys(wider)])
