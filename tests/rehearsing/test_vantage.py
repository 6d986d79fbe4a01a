"""Who probes of a balancer count as."""

from __future__ import annotations

from dataclasses import replace
from ipaddress import IPv4Address, IPv4Network

import pytest

from generator.rehearsing.vantage import FIRST_PORT, admitted, vantages
from tests.rehearsing.topologies import (
    ADMIN,
    BALANCER,
    FORWARD,
    NOT_FOUND,
    SLOTS,
    TOPOLOGY,
    host,
    permission,
    rule,
    source,
    with_permissions,
    with_rules,
)

WORLD = permission("BalancerGroup", "ingress", "0.0.0.0/0", 443)


def sources(topology):
    """Name of a vantage to its address, at the HTTPS listener."""
    return {one.name: str(one.source) for one in vantages(topology) if one.listener == "HttpsListener"}


def only(*networks, topology=TOPOLOGY):
    """The topology with one rule for these networks and open to the world."""
    return with_rules(
        rule("Rule", 1, FORWARD, host(ADMIN), source(*networks)),
        rule("Default", None, NOT_FOUND),
        topology=replace(topology, permissions=(WORLD,)),
    )


def test_each_listener_has_each_vantage_at_a_port_of_its_own():
    """Ports are distinct, unprivileged and no listener's; every listener can be probed from everywhere."""
    found = vantages(TOPOLOGY)
    assert [(one.listener, one.name) for one in found] == [
        (listener, name)
        for listener in ("HttpListener", "HttpsListener")
        for name in ("internet", "admin", "inside")
    ]
    assert len({one.port for one in found}) == 6 and min(one.port for one in found) == FIRST_PORT


def test_port_of_a_listener_is_left_out():
    """A listener at a vantage's port keeps it."""
    listeners = tuple(
        replace(one, port=FIRST_PORT + 1) if one.protocol == "HTTPS" else one for one in BALANCER.listeners
    )
    found = vantages(with_rules(listeners=listeners))
    assert FIRST_PORT + 1 not in {one.port for one in found} and len({one.port for one in found}) == 6


def test_two_balancers_may_use_the_same_ports():
    """Ports belong to a balancer's container."""
    second = replace(BALANCER, logical_id="Second", host=replace(BALANCER.host, name="second"), internal=True)
    found = vantages(replace(TOPOLOGY, balancers=(BALANCER, second)))
    assert [one.port for one in found if one.balancer == "Second"] == [
        FIRST_PORT + number for number in range(4)
    ]


def test_addresses_are_a_strangers_an_administrators_and_the_vpcs():
    """Nobody's, one of the named network's, and one of the tasks' subnet that no host has."""
    assert sources(TOPOLOGY) == {
        "internet": "198.51.100.10",
        "admin": "203.0.113.10",
        "inside": "10.40.7.254",
    }


@pytest.mark.parametrize(
    "networks,stranger",
    [
        (("198.51.100.0/24",), "192.0.2.10"),
        (("198.51.100.10/32", "192.0.0.0/16"), "203.0.113.10"),
        (("198.18.0.0/15", "198.51.100.0/24", "192.0.2.0/24", "203.0.113.0/24"), "1.1.2.10"),
        (("128.0.0.0/2", "192.0.0.0/3"), "1.1.2.10"),
        (("198.51.100.0/26",), "192.0.2.10"),
        (("198.51.100.128/25",), "198.51.100.10"),
    ],
)
def test_stranger_is_in_no_network_that_a_rule_names(networks, stranger):
    """A rule for a documentation network, as in examples, doesn't make the internet an administrator."""
    assert sources(only(*networks))["internet"] == stranger


def test_world_in_two_halves_is_the_world():
    """Who writes the world as two networks names nobody by it."""
    topology = with_permissions(
        *(permission("BalancerGroup", "ingress", one, 443) for one in ("0.0.0.0/1", "128.0.0.0/1"))
    )
    assert sources(with_rules(rule("Default", None, NOT_FOUND), topology=topology)) == {
        "internet": "198.51.100.10",
        "inside": "10.40.7.254",
    }


def test_internal_balancer_has_no_internet():
    """Nobody outside reaches an internal balancer."""
    assert set(sources(with_rules(internal=True))) == {"admin", "inside"}


def test_without_named_networks_there_is_no_administrator():
    """Where rules and permissions name only the world, nobody is special."""
    topology = with_rules(rule("Default", None, FORWARD), topology=replace(TOPOLOGY, permissions=(WORLD,)))
    assert set(sources(topology)) == {"internet", "inside"}


@pytest.mark.parametrize(
    "networks,administrator",
    [
        (("192.0.2.7/32",), "192.0.2.7"),
        (("192.0.2.8/31",), "192.0.2.9"),
        (("192.0.2.4/30",), "192.0.2.5"),
        (("2001:db8::/32", "192.0.2.0/24"), "192.0.2.10"),
        (("10.0.0.0/8",), "10.0.0.10"),
        (("10.40.0.0/14",), "10.43.255.254"),
        (("10.40.4.0/24",), "10.40.4.254"),
        (("10.40.4.10/32",), "10.40.4.10"),
    ],
)
def test_administrator_is_in_the_named_network(networks, administrator):
    """An address of the first named IPv4 network, outside of the VPC where the network reaches further."""
    assert sources(only(*networks))["admin"] == administrator


def test_network_that_a_rule_forwards_for_comes_before_one_that_it_turns_away():
    """A rule that refuses a network names it too, but its people are no administrators."""
    rules = (
        rule("Refused", 1, NOT_FOUND, source("192.0.2.0/24")),
        rule("Let", 2, FORWARD, source("203.0.113.0/24")),
        rule("Default", None, NOT_FOUND),
    )
    assert sources(with_rules(*rules))["admin"] == "203.0.113.10"


def test_permission_names_a_network_too():
    """Where only the security group narrows who comes in, the administrator is of its network."""
    topology = with_permissions(permission("BalancerGroup", "ingress", "192.0.2.0/24", 443))
    assert sources(with_rules(rule("Default", None, FORWARD), topology=topology))["admin"] == "192.0.2.10"


def test_administrator_is_one_that_the_security_group_lets_in():
    """Of two named networks the one that reaches a listener is taken."""
    topology = only("203.0.113.0/24", "192.0.2.0/24")
    topology = replace(topology, permissions=(permission("BalancerGroup", "ingress", "192.0.2.0/24", 443),))
    assert sources(topology)["admin"] == "192.0.2.10"


def test_inside_is_nobodys_address():
    """Hosts at the end of the tasks' subnet aren't taken for a stranger's place."""
    slots = (
        replace(SLOTS[0], address=IPv4Address("10.40.7.254")),
        replace(SLOTS[1], address=IPv4Address("10.40.7.253")),
    )
    assert sources(replace(TOPOLOGY, slots=slots))["inside"] == "10.40.7.252"


def test_inside_is_of_the_vpc_where_the_tasks_subnet_is_not_known():
    """Without a subnet the VPC's last address will do."""
    topology = replace(
        TOPOLOGY, service=replace(TOPOLOGY.service, subnets=("Unknown",)), vpc=IPv4Network("10.40.0.0/16")
    )
    assert sources(topology)["inside"] == "10.40.255.254"


@pytest.mark.parametrize(
    "one,source_address,port,expected",
    [
        (WORLD, "198.51.100.10", 443, True),
        (WORLD, "198.51.100.10", 80, False),
        (permission("BalancerGroup", "ingress", "192.0.2.0/24", 443), "198.51.100.10", 443, False),
        (permission("BalancerGroup", "ingress", "192.0.2.0/24", None), "192.0.2.1", 8443, True),
        (permission("BalancerGroup", "ingress", "pl-12345", 443), "198.51.100.10", 443, False),
        (permission("BalancerGroup", "ingress", "TaskGroup", 443), "10.40.4.10", 443, True),
        (permission("BalancerGroup", "ingress", "TaskGroup", 443), "10.40.7.254", 443, False),
        (permission("TaskGroup", "ingress", "0.0.0.0/0", 443), "198.51.100.10", 443, False),
        (permission("BalancerGroup", "egress", "0.0.0.0/0", 443), "198.51.100.10", 443, False),
        (replace(WORLD, protocol="udp"), "198.51.100.10", 443, False),
    ],
)
def test_security_group_admits_who_it_names(one, source_address, port, expected):
    """Address, port, protocol, direction and group all have to fit."""
    assert admitted(with_permissions(one), BALANCER, IPv4Address(source_address), port) is expected


def test_balancer_without_groups_admits_everybody():
    """Where no group is, nothing is filtered."""
    bare = replace(BALANCER, host=replace(BALANCER.host, groups=()))
    assert admitted(with_permissions(), bare, IPv4Address("198.51.100.10"), 443)
