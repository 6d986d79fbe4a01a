"""The VPC and its subnets: those of the template, and made-up ones for those that exist already."""

from __future__ import annotations

import ipaddress
from collections.abc import Iterable

from generator.document import Resource
from generator.rehearsing import addresses
from generator.rehearsing.reading.scene import Scene, plain
from generator.rehearsing.topology import Network, Subnet
from generator.resolving import Place, Unknown

VPC = "AWS::EC2::VPC"
SUBNET = "AWS::EC2::Subnet"

# How many subnets to make up where a parameter or an export holds a list of them.
_HOW_MANY = 2

# Networks that a VPC can be, for one that nothing in the template tells about.
_FALLBACKS = [ipaddress.IPv4Network(f"10.{n}.0.0/16") for n in (*range(10), *range(128, 256))]


class Networks:
    """Collects which subnets are used, then gives each of them its network."""

    def __init__(self, scene: Scene):
        self._scene = scene
        self._used: dict[str, int] = {}
        self._found: dict[str, Network] = {}
        self.vpc: Network | None = None
        self.subnets: tuple[Subnet, ...] = ()

    def use(self, places: Place, what: str) -> tuple[str, ...]:
        """Names of the subnets that a list names; remembers them for `settle`."""
        if isinstance(places.value, Unknown) and places.value.name:
            name = plain(places.value.name)
            names = [f"{name}-{number}" for number in range(1, _HOW_MANY + 1)]
            self._scene.note(f"{name} is taken for a list of {_HOW_MANY} subnets", places)
            for one in names:
                self._used.setdefault(one, places.line)
            return tuple(names)
        found = [(self._scene.identity(place, what), place) for place in self._scene.known_list(places, what)]
        for name, place in found:
            self._used.setdefault(name, place.line)
        return tuple(dict.fromkeys(name for name, _ in found if name))

    def make_up(self, name: str, line: int) -> tuple[str, ...]:
        """The name of a subnet that nothing in the template names."""
        self._used.setdefault(name, line)
        return (name,)

    def __getitem__(self, name: str) -> Network:
        """The network of a subnet that was used; after `settle`."""
        return self._found[name]

    def settle(self, trusted: Iterable[Network], mentioned: Iterable[Network], vpc_id: Place) -> None:
        """Find the VPC and make up what the template leaves open.

        `trusted` are networks that it says the balancer is in, `mentioned` those of its permissions; `vpc_id`
        is where something that is used names its VPC.
        """
        scene, resolver = self._scene, self._scene.resolver
        owned = {one.logical_id: one for one in resolver.resources(SUBNET)}
        vpcs = [
            resolver.properties(owned[name])["VpcId"].resource(VPC) for name in self._used if name in owned
        ]
        vpc = next((one for one in [*vpcs, vpc_id.resource(VPC)] if one is not None), None)
        for name, subnet in owned.items():
            same = vpc is not None and resolver.properties(subnet)["VpcId"].resource(VPC) is vpc
            if name in self._used or same:
                self._read(name, subnet)
        if vpc is not None:
            self.vpc = self._range(vpc)
        mentioned = list(mentioned)
        if self.vpc is None and not (vpc is not None and resolver.properties(vpc)["CidrBlock"]):
            self.vpc = self._made_up(list(trusted), mentioned, vpc)
        if self.vpc is None:
            return
        for name in list(self._found):
            if not self._found[name].subnet_of(self.vpc):
                if name in self._used:
                    message = (
                        f"{name} ({self._found[name]}) is outside of {self.vpc}, the one range of a rehearsal"
                    )
                    scene.problem(owned[name].line, message)
                del self._found[name]
        self._fill(list(trusted))
        self.subnets = tuple(Subnet(name, network) for name, network in self._found.items())

    def _read(self, name: str, subnet: Resource) -> None:
        place = self._scene.resolver.properties(subnet)["CidrBlock"]
        if not place:
            return
        if place.text is None:
            self._scene.unknown(place, f"the network of {name}")
            return
        network = addresses.network(place.text)
        if network is None:
            self._scene.problem(place, f"{place.text!r} is no IPv4 network")
        else:
            self._found[name] = network

    def _range(self, vpc: Resource) -> Network | None:
        scene = self._scene
        place = scene.resolver.properties(vpc)["CidrBlock"]
        if not place:
            return None
        text = scene.text(place, f"the network of {vpc.logical_id}")
        network = addresses.network(text)
        if network is None and place.text is not None:
            scene.problem(place, f"{text!r} is no IPv4 network")
        elif network is not None and not 16 <= network.prefixlen <= 28:
            scene.problem(place, f"{text}: AWS takes prefix lengths from /16 to /28")
        return network

    def _made_up(self, trusted: list[Network], mentioned: list[Network], vpc: Resource | None) -> Network:
        """A range for a VPC whose range the template doesn't have."""
        scene = self._scene
        what = f"The range of {vpc.logical_id} comes from IPAM" if vpc else "The VPC exists already"
        own = [network for name, network in self._found.items() if name in self._used]
        hints = [network for network in trusted if addresses.is_private(network)]
        if own:
            found, why = addresses.around(own), "its subnets lie in it"
        elif len(hints) == 1 and 16 <= hints[0].prefixlen <= 20:
            found, why = hints[0], "Keycloak trusts the proxies in it"
        elif hints:
            found, why = addresses.around(hints), "Keycloak trusts proxies in it"
        else:
            near = [one for one in mentioned if addresses.is_private(one) and 16 <= one.prefixlen <= 20]
            found, why = (
                (near[0], "the template's security groups name it")
                if near
                else (None, "nothing tells its range")
            )
        if found is None:
            free = (one for one in _FALLBACKS if not any(map(one.overlaps, filter(_is_small, mentioned))))
            found = next(free, _FALLBACKS[0])
        scene.note(f"{what}; {found} is taken for it: {why}")
        return found

    def _fill(self, trusted: list[Network]) -> None:
        """Networks for the subnets that are used and not in the template."""
        assert self.vpc is not None
        missing = [name for name in self._used if name not in self._found]
        if not missing:
            return
        prefix = min(28, max(24, self.vpc.prefixlen + 4))
        # Where Keycloak trusts several small networks they are the balancer's subnets, which are used first.
        small = [one for one in trusted if one.subnet_of(self.vpc) and one.prefixlen > self.vpc.prefixlen]
        for name in missing:
            taken = list(self._found.values())
            network = next((one for one in small if not any(map(one.overlaps, taken))), None)
            network = network or addresses.part(self.vpc, [*taken, *small], prefix)
            if network is None:
                where = self._used[name]
                self._scene.problem(where, f"{self.vpc} has no room for the subnet {name}")
                return
            small = [one for one in small if one != network]
            self._found[name] = network
        made = ", ".join(f"{name} {self._found[name]}" for name in missing)
        self._scene.note(f"Networks of subnets that the template doesn't hold are made up: {made}")


def _is_small(network: Network) -> bool:
    return network.prefixlen >= 16
