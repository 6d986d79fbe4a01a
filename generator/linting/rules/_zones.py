"""In which availability zones subnets are."""

from __future__ import annotations

from collections.abc import Iterable

from generator.resolving import Place, Unknown


def in_one_zone(subnets: Iterable[Place]) -> bool:
    """Whether all subnets of a list surely are in one zone."""
    places = list(subnets)
    if len(places) == 1:
        return _is_one(places[0])
    zones = {_zone(one) for one in places}
    return len(zones) == 1 and "" not in zones


def _zone(place: Place) -> str:
    """The zone of a subnet as the template writes it, so that the same text is the same zone; empty where it
    isn't known. Different texts are different zones, or nobody can tell: two that AWS works out may be the
    same."""
    subnet = place.resource("AWS::EC2::Subnet")
    if subnet is None:
        return ""
    zone = place.resolver.properties(subnet)["AvailabilityZone"]
    if zone.text:
        return zone.text
    written = subnet.properties.get("AvailabilityZone")
    return repr(written) if zone and written is not None else ""


def _is_one(place: Place) -> bool:
    """Whether it is a single subnet and no parameter that holds a list of them."""
    if place.resource("AWS::EC2::Subnet") is not None:
        return True
    value = place.value
    if isinstance(value, Unknown):
        parameters = place.resolver.document.data.get("Parameters")
        declared = parameters.get(value.parameter) if isinstance(parameters, dict) else None
        return isinstance(declared, dict) and declared.get("Type") == "AWS::EC2::Subnet::Id"
    return isinstance(value, str) and value.startswith("subnet-") and "," not in value
