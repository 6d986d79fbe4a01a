"""The same design in another range of addresses."""

from __future__ import annotations

import ipaddress

import pytest

from generator.errors import RehearsalError
from generator.rehearsing.reading import read, renumbered
from generator.rehearsing.topology import Permission
from tests.rehearsing.foreign import (
    FOREIGN,
    OWN,
    changed,
    load,
)


@pytest.mark.parametrize("name", [*FOREIGN, *OWN])
def test_renumbered(name: str):
    """In another range the design is the same: every host keeps its place, and nothing of the old range is
    left."""
    old = load(name)
    vpc = ipaddress.IPv4Network(f"172.31.0.0/{old.vpc.prefixlen}")
    new = renumbered(old, vpc)
    offset = int(vpc.network_address) - int(old.vpc.network_address)
    assert new.vpc == vpc
    assert [int(one.address) - offset for one in new.hosts] == [int(one.address) for one in old.hosts]
    assert [one.groups for one in new.hosts] == [one.groups for one in old.hosts]
    assert all(one.network.subnet_of(vpc) for one in new.subnets)
    inside = [one for one in new.permissions if _inside(one, old.vpc)]
    assert inside == []
    told = [value for one in new.task.containers for _, value in one.environment]
    for host in old.hosts:
        assert not any(str(host.address) in value.replace("/", ",").split(",") for value in told)
        assert host.hostname == "" or not any(host.hostname in value for value in told)
    assert new.notes[:-1] == old.notes and str(vpc) in new.notes[-1]
    assert renumbered(new, old.vpc).slots == old.slots


def _inside(permission: Permission, vpc: ipaddress.IPv4Network) -> bool:
    try:
        return bool(permission.peer_network) and ipaddress.IPv4Network(permission.peer_network).subnet_of(vpc)
    except ValueError:  # the id of a prefix list
        return False


def test_renumbered_tells_the_tasks():
    """What the tasks are told moves too: trusted networks, and the names of hosts."""
    new = renumbered(load("dev"), ipaddress.IPv4Network("10.99.16.0/20"))
    assert new.keycloak.variable("KC_PROXY_TRUSTED_ADDRESSES") == "10.99.16.0/24,10.99.17.0/24"
    assert new.slots[0].hostname == "ip-10-99-20-10.eu-central-1.compute.internal"
    assert new.keycloak.variable("KC_HOSTNAME") == "https://sso.dev.example.com"


def test_renumbered_keeps_what_was_let_in():
    """A network around the VPC that doesn't hold the new range lets the new range in beside it."""
    new = renumbered(load("staging"), ipaddress.IPv4Network("172.31.0.0/16"))
    let_in = {
        one.peer_network
        for one in new.permissions
        if one.group == "AdminLoadBalancerSecurityGroup" and one.peer_network
    }
    assert let_in >= {"10.0.0.0/8", "172.31.0.0/16"}
    kept = renumbered(load("staging"), ipaddress.IPv4Network("10.200.0.0/16"))
    let_in = {
        one.peer_network
        for one in kept.permissions
        if one.group == "AdminLoadBalancerSecurityGroup" and one.peer_network
    }
    assert "10.200.0.0/16" not in let_in


def test_renumbered_rules():
    """Source addresses of rules move with the VPC; others stay."""
    found = changed("rules.yaml", "[10.0.0.0/8, ", "[10.11.1.0/24, 192.0.2.0/24, 10.0.0.0/8, ")
    new = renumbered(read(found, "x", file="x"), ipaddress.IPv4Network("172.31.0.0/16"))
    values = new.balancers[0].listeners[0].rules[0].conditions[2].values
    assert values == ("172.31.1.0/24", "192.0.2.0/24", "10.0.0.0/8", "2001:db8::/32", "172.31.0.0/16")


def test_renumbered_leaves_lookalikes_alone():
    """Versions, longer numbers and names with numbers in them are no addresses."""
    other = "v10.8.1.2 110.8.1.2 10.8.1.2.3 10.8.1.2-beta x10.8.1.2 10.8.1.2:80 10.8.1.999"
    entry = f'"10.8.0.0/22"}}\n            - {{Name: OTHER, Value: "{other}"'
    found = changed("shared-balancer.yaml", '"10.8.0.0/22"', entry)
    new = renumbered(read(found, "x", file="x"), ipaddress.IPv4Network("172.31.0.0/16"))
    assert (
        new.keycloak.variable("OTHER")
        == "v10.8.1.2 110.8.1.2 10.8.1.2.3 172.31.1.2-beta x10.8.1.2 172.31.1.2:80 10.8.1.999"
    )


def test_renumbered_to_another_size():
    """A range of another size is refused; the same range is no change."""
    topology = load("dev")
    with pytest.raises(RehearsalError, match="another size"):
        renumbered(topology, ipaddress.IPv4Network("10.99.0.0/16"))
    assert renumbered(topology, topology.vpc) is topology
