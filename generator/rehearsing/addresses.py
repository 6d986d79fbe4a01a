"""Addresses in subnets, as AWS gives them out: which there are, which are AWS' own, what a host with one is
called."""

from __future__ import annotations

import ipaddress
from collections.abc import Iterable, Iterator

from generator.rehearsing.topology import Address, Network

# AWS keeps the first four and the last (Amazon VPC user guide, "Subnet sizing"). Hosts start at .10, which
# leaves room for whatever a person adds to the network by hand.
_RESERVED = 4
_FIRST = 10

PRIVATE = tuple(
    ipaddress.IPv4Network(block)
    for block in ("10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16", "100.64.0.0/10")
)
"""What VPCs are made of: RFC 1918 and RFC 6598."""


class Addresses:
    """Gives out the addresses of subnets, each of them once."""

    def __init__(self) -> None:
        self._taken: set[Address] = set()

    def reserve(self, address: Address) -> bool:
        """Takes one address; False where somebody has it."""
        free = address not in self._taken
        self._taken.add(address)
        return free

    def take(self, network: Network) -> Address | None:
        """The next free address of a subnet: from .10 up, then what is below; None where none is left."""
        for address in _usable(network):
            if address not in self._taken:
                self._taken.add(address)
                return address
        return None


def _usable(network: Network) -> Iterator[Address]:
    first = min(_FIRST, network.num_addresses)
    for offset in (
        *range(first, network.num_addresses - 1),
        *range(_RESERVED, min(first, network.num_addresses - 1)),
    ):
        yield network.network_address + offset


def host_name(address: Address, region: str) -> str:
    """What a task with that address calls itself: `ip-10-40-4-10.eu-central-1.compute.internal`.

    In us-east-1 the domain is ec2.internal (Amazon VPC user guide, "DNS attributes for your VPC").
    """
    domain = "ec2.internal" if region == "us-east-1" else f"{region}.compute.internal"
    return f"ip-{str(address).replace('.', '-')}.{domain}"


def network(text: str) -> Network | None:
    """An IPv4 network or address; None for anything else."""
    try:
        return ipaddress.IPv4Network(text, strict=False)
    except ValueError:
        return None


def is_private(block: Network) -> bool:
    """Whether all of it is for private use."""
    return any(block.subnet_of(one) for one in PRIVATE)


def around(blocks: Iterable[Network], prefix: int = 16) -> Network | None:
    """The network of that prefix length that holds the first of `blocks` and with it as many of the others as
    lie in it; None for no block."""
    first = next(iter(blocks), None)
    if first is None:
        return None
    return (
        first.supernet(new_prefix=prefix)
        if first.prefixlen > prefix
        else next(first.subnets(new_prefix=prefix))
    )


def part(block: Network, taken: Iterable[Network], prefix: int) -> Network | None:
    """The first part of `block` with that prefix length that overlaps none of `taken`; None where there is
    none."""
    taken = list(taken)
    if prefix < block.prefixlen:
        return None
    return next((one for one in block.subnets(new_prefix=prefix) if not any(map(one.overlaps, taken))), None)
