"""Which rule answers a request and which port is open, by the template alone."""

from __future__ import annotations

from dataclasses import replace

import pytest

from generator.drilling import answering
from generator.drilling.answering import Asked
from generator.rehearsing.target import Door
from generator.rehearsing.topology import Condition
from tests.rehearsing.topologies import (
    ADMIN,
    FORWARD,
    NOT_FOUND,
    PERMISSIONS,
    PUBLIC,
    SLOTS,
    TOPOLOGY,
    host,
    path,
    permission,
    rule,
    source,
    with_permissions,
    with_rules,
)


def door(vantage: str = "internet", address: str = "198.51.100.7", port: int = 443) -> Door:
    """A way in from an address."""
    return Door(vantage, "LoadBalancer", "https", port, "127.0.0.1", 1, None, address)


OFFICE = door("admin", "203.0.113.9")


@pytest.mark.parametrize(("asked", "expected"), [
    (Asked(PUBLIC, "/realms/x/", door()), "PublicRule"),
    (Asked(PUBLIC.upper(), "/realms/x/", door()), "PublicRule"),
    (Asked(f"{PUBLIC}:443", "/realms/x/", door()), "PublicRule"),
    (Asked(PUBLIC, "/REALMS/x/", door()), "HttpsListener"),
    (Asked(PUBLIC, "/", door()), "HttpsListener"),
    (Asked("drill.invalid", "/realms/x/", door()), "HttpsListener"),
    (Asked(PUBLIC, "/realms/master/x", door()), "MasterClosedRule"),
    (Asked(PUBLIC, "/realms/master/x", OFFICE), "MasterRule"),
    (Asked(PUBLIC, "/realms/../admin/", door()), "PublicRule"),
    (Asked(PUBLIC, "/realms/x?next=/admin/", door()), "PublicRule"),
    (Asked(ADMIN, "/admin/realms", OFFICE), "AdminRule"),
    (Asked(ADMIN, "/admin/realms", door()), "HttpsListener"),
    (Asked(ADMIN, "/admin", door()), "AdminStartRule"),
    (Asked(PUBLIC, "/realms/x", door(), headers=(("forwarded", "for=1"),)), "ForwardedRule"),
    (Asked(PUBLIC, f"https://{ADMIN}/realms/x", door()), "PublicRule"),
])
def test_the_first_rule_that_fits_answers(asked, expected):
    """By priority, with the path's case and no other, with the header's presence and the source address."""
    assert answering.rule_of(TOPOLOGY, asked).logical_id == expected


def test_a_listener_that_isn_t_there_answers_nothing():
    """Without a listener of the port no rule is known."""
    assert answering.rule_of(TOPOLOGY, Asked(PUBLIC, "/", door(port=8443))) is None


@pytest.mark.parametrize(
    ("condition", "asked", "expected"),
    [
        (Condition("query-string", ("version=v?",)), Asked(PUBLIC, "/?a=b&VERSION=V1", door()), True),
        (Condition("query-string", ("=v1",)), Asked(PUBLIC, "/?a=v1", door()), True),
        (Condition("query-string", ("version=v?",)), Asked(PUBLIC, "/?version=v12", door()), False),
        (Condition("http-request-method", ("GET",)), Asked(PUBLIC, "/", door(), "POST"), False),
        (
            Condition("http-header", ("blue*",), header="X-Kind"),
            Asked(PUBLIC, "/", door(), headers=(("x-kind", "BLUES"),)),
            True,
        ),
        (
            Condition("path-pattern", regexes=(r"^.*(//|/\.\.?(/|$)).*$",)),
            Asked(PUBLIC, "/realms/../admin", door()),
            True,
        ),
        (Condition("path-pattern", regexes=("(",)), Asked(PUBLIC, "/(", door()), False),
        (path("/a.c"), Asked(PUBLIC, "/abc", door()), False),
        (path("/a?c"), Asked(PUBLIC, "/abc", door()), True),
        (host("*.example.com"), Asked("x.example.com", "/", door()), True),
        (Condition("something-new", ("x",)), Asked(PUBLIC, "/", door()), False),
    ],
)
def test_every_kind_of_condition_is_read(condition, asked, expected):
    """Wildcards, regular expressions, queries, headers and methods; what isn't known doesn't hold."""
    assert answering.holds(condition, asked, TOPOLOGY) is expected


@pytest.mark.parametrize(("vantage", "network", "expected"), [
    ("internet", "0.0.0.0/0", True), ("internet", "203.0.113.0/24", False), ("admin", "203.0.113.0/24", True),
    ("inside", "10.40.0.0/16", True), ("inside", "203.0.113.0/24", False), ("inside", "::/0", False),
    ("admin", "pl-123", False)])
def test_a_door_without_an_address_is_where_its_vantage_says(vantage, network, expected):
    """An administrator is in whatever network a rule names, the internet in none of them."""
    assert answering.comes_from(door(vantage, ""), network, TOPOLOGY) is expected
    assert answering.holds(source(network), Asked(PUBLIC, "/", door(vantage, "")), TOPOLOGY) is expected


def test_a_rule_without_conditions_is_the_default_action():
    """Sentences call it so."""
    topology = with_rules(rule("First", 1, FORWARD, path("/a")), rule("Listener", None, NOT_FOUND))
    asked = [answering.rule_of(topology, Asked(PUBLIC, target, door())) for target in ("/a", "/b")]
    assert [answering.named(one) for one in [*asked, None]] == [
        "rule First", "the default action of Listener", "no rule"]


def test_a_port_is_open_where_both_ends_permit_it():
    """Egress of one and ingress of the other."""
    assert answering.way(TOPOLOGY, SLOTS[0], SLOTS[1], 7800).open
    assert not answering.way(TOPOLOGY, SLOTS[0], SLOTS[1], 7801).open


@pytest.mark.parametrize("direction", ["egress", "ingress"])
def test_the_missing_direction_is_named_with_the_nearest_permission(direction):
    """A reader is sent to the line beside which the permission is missing."""
    kept = [replace(one, line=one.ports[0]) for one in PERMISSIONS
            if not (one.direction == direction and one.ports == (57800, 57800))]
    found = answering.way(with_permissions(*kept), SLOTS[0], SLOTS[1], 57800)
    assert (found.open, found.missing, found.groups) == (False, direction, ("TaskGroup",))
    assert found.line in (7800, 9000, 5432, 8080)


def test_groups_that_exist_already_prove_nothing():
    """What stands in no template is not known to be closed."""
    mine = [replace(slot, groups=("sg-0123",)) for slot in SLOTS]
    assert answering.way(with_permissions(), mine[0], mine[1], 7800).open


def test_networks_and_ranges_permit_too():
    """A permission may name addresses, all ports, or a prefix list that nobody can look into."""
    for peer in ("10.40.0.0/16", "pl-1234"):
        rules = [permission("TaskGroup", direction, peer, None) for direction in ("egress", "ingress")]
        assert answering.way(with_permissions(*rules), SLOTS[0], SLOTS[1], 7800).open
    outside = [
        permission("TaskGroup", direction, "192.0.2.0/24", None) for direction in ("egress", "ingress")
    ]
    assert not answering.way(with_permissions(*outside), SLOTS[0], SLOTS[1], 7800).open
