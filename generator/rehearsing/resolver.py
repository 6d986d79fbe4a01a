"""DNS of a VPC as dnsmasq's files: Cloud Map's answers, and the names that hosts and balancers have."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path

from generator.rehearsing import names, quoting
from generator.rehearsing.topology import LONGEST_KEPT, Address, Discovery, Topology

MOST = 8
"""Records in one answer of a service with MULTIVALUE routing (Cloud Map, "DnsConfig", RoutingPolicy)."""
_ZONE_PORT = 5353


def resolving(topology: Topology, root: Path) -> str:
    """Configuration of the dnsmasq that tasks ask: it asks the one of `zone` and keeps what that says.

    It takes no right but NET_BIND_SERVICE. All names that aren't there are kept for as long as the discovery name.

    Raises RehearsalError for values of the template's that have no place in such a file.
    """
    discovery = topology.discovery
    return quoting.fill(
        root,
        "resolver.conf.j2",
        {
            "file": topology.file,
            "resolver": topology.resolver,
            "zone_port": _ZONE_PORT,
            "longest": LONGEST_KEPT,
            "negative": min(discovery.negative_ttl, LONGEST_KEPT) if discovery else 0,
            "line": discovery.namespace_line if discovery else 0,
        },
    )


def zone(topology: Topology, root: Path, *, hosts: str = "/rehearsal/hosts") -> str:
    """Configuration of the dnsmasq that knows the names; `hosts` is the path, in its container, of the file that
    `answers` fills.

    One time to live holds for every name: the discovery name's. Where the service is discovered by SRV records,
    dnsmasq's don't change while it runs: there is one for each slot, and those whose task isn't registered lead
    to a name without an address.

    Raises RehearsalError for values of the template's that have no place in such a file.
    """
    discovery = topology.discovery
    where = quoting.place(topology.file, discovery.line if discovery else 0)
    if discovery and not 0 <= discovery.ttl <= 2147483647:
        raise quoting.refused(where, f"a record can't live for {discovery.ttl} seconds")
    services = []
    if discovery and discovery.record_type == "SRV":
        name = quoting.host_name(discovery.name, where)
        port = topology.keycloak.ports[0] if topology.keycloak.ports else 7800
        services = [f"{name},{slot.name}.{name},{port},1,1" for slot in topology.slots]
    return quoting.fill(
        root,
        "zone.conf.j2",
        {
            "file": topology.file,
            "zone_port": _ZONE_PORT,
            "hosts": quoting.text(hosts, "the resolver", "the path"),
            "name": quoting.host_name(discovery.name, where) if discovery else "none",
            "services": services,
            "ttl": discovery.ttl if discovery else 0,
            "line": discovery.line if discovery else 0,
        },
    )


def answers(topology: Topology, registered: Sequence[Address], *, turn: int = 0) -> str:
    """The file of names: what the discovery name leads to while the tasks at `registered` are registered, and
    the names of the VPC that are always there (tasks' own, the database's, the balancers').

    Of more than eight addresses eight are listed, of a WEIGHTED service one; `turn` says from which one on,
    where the real ones are drawn by lot for each answer. dnsmasq itself turns the order of what is listed.

    Raises RehearsalError for names that can't be any.
    """
    lines = list(_always(topology))
    if topology.discovery is not None:
        lines += _discovered(topology, topology.discovery, registered, turn)
    return "".join(f"{address} {name}\n" for address, name in dict.fromkeys(lines))


def _always(topology: Topology) -> Iterator[tuple[Address, str]]:
    # First, so that an address leads back to the name that its host has.
    for slot in topology.slots:
        if slot.hostname:
            yield slot.address, quoting.host_name(slot.hostname, topology.file)
    if topology.database and topology.database_host:
        yield (
            topology.database_host.address,
            quoting.host_name(topology.database.host, quoting.place(topology.file, topology.database.line)),
        )
    for name, address in names.resolved(topology):
        yield address, quoting.host_name(name, topology.file)


def _discovered(
    topology: Topology, discovery: Discovery, registered: Sequence[Address], turn: int
) -> Iterator[tuple[Address, str]]:
    name = quoting.host_name(discovery.name, quoting.place(topology.file, discovery.line))
    most = MOST if discovery.routing == "MULTIVALUE" else 1
    start = turn % len(registered) if len(registered) > most else 0
    slots = {slot.address: slot.name for slot in topology.slots}
    for address in [*registered[start:], *registered[:start]][:most]:
        yield address, f"{slots[address]}.{name}" if discovery.record_type == "SRV" else name
