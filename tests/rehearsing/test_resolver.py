"""Cloud Map's answers and the VPC's names become dnsmasq's files."""

from __future__ import annotations

from dataclasses import replace
from ipaddress import IPv4Address
from pathlib import Path

import pytest

from generator.errors import RehearsalError
from generator.rehearsing import names, resolver
from generator.rehearsing.topology import Action
from tests.rehearsing.topologies import BALANCER, SLOTS, TOPOLOGY, host, rule, with_rules

ROOT = Path(__file__).resolve().parents[2]
DISCOVERY = TOPOLOGY.discovery
MANY = [SLOTS[0].address + number for number in range(11)]


def discovered(registered, discovery=DISCOVERY, **how):
    """The addresses that the discovery name leads to."""
    text = resolver.answers(replace(TOPOLOGY, discovery=discovery), registered, **how)
    return [
        IPv4Address(address) for address, name in map(str.split, text.splitlines()) if name == DISCOVERY.name
    ]


def settings(topology=TOPOLOGY, **how):
    """What the dnsmasq that knows the names is told, without remarks."""
    return _told(resolver.zone(topology, ROOT, **how))


def kept(topology=TOPOLOGY):
    """What the dnsmasq that tasks ask is told, without remarks."""
    return _told(resolver.resolving(topology, ROOT))


def _told(text):
    return [line for line in text.splitlines() if not line.startswith("#")]


def test_resolver_keeps_what_the_names_say():
    """It listens at the VPC's base plus two, asks the container's own names, and keeps an answer as a VPC's does."""
    assert kept() == [
        "listen-address=10.40.0.2",
        "bind-interfaces",
        "no-resolv",
        "no-poll",
        "no-hosts",
        "server=127.0.0.1#5353",
        "cache-size=1000",
        "max-cache-ttl=300",
        "neg-ttl=10",
        "log-facility=-",
        "pid-file=",
        "user=root",
        "group=",
    ]
    longer = replace(TOPOLOGY, discovery=replace(DISCOVERY, negative_ttl=900))
    assert "neg-ttl=300" in kept(longer) and "neg-ttl=0" in kept(replace(TOPOLOGY, discovery=None))


def test_names_are_answered_alone_and_for_the_resolver():
    """They are known inside their container, nobody is asked further up, and no right is kept."""
    assert settings() == [
        "listen-address=127.0.0.1",
        "port=5353",
        "bind-interfaces",
        "no-resolv",
        "no-poll",
        "no-hosts",
        "local=/#/",
        "addn-hosts=/rehearsal/hosts",
        "local-ttl=10",
        "log-facility=-",
        "pid-file=",
        "user=root",
        "group=",
    ]
    assert "addn-hosts=/elsewhere" in settings(hosts="/elsewhere")


def test_names_of_the_vpc_are_always_there():
    """Tasks, database and balancer have names without a registered task; the discovery name doesn't."""
    assert resolver.answers(TOPOLOGY, []).splitlines() == [
        *(f"{slot.address} {slot.hostname}" for slot in SLOTS),
        f"10.40.8.10 {TOPOLOGY.database.host}",
        "10.40.0.10 sso-admin.example.com",
        "10.40.0.10 sso.example.com",
    ]


def test_discovery_name_has_the_registered_addresses():
    """What is registered is listed, nothing else."""
    assert discovered([SLOTS[1].address]) == [SLOTS[1].address]
    assert discovered([]) == []


def test_at_most_eight_are_listed_and_turns_reach_all():
    """Of eleven tasks eight are listed; each one is at some turn."""
    assert discovered(MANY) == MANY[:8]
    assert discovered(MANY, turn=5) == [*MANY[5:], *MANY[:2]]
    assert set().union(*(discovered(MANY, turn=turn) for turn in range(11))) == set(MANY)
    assert discovered(MANY[:8], turn=5) == MANY[:8]


def test_weighted_service_lists_one():
    """WEIGHTED answers with one address, another one at another turn."""
    weighted = replace(DISCOVERY, routing="WEIGHTED")
    assert [discovered(MANY[:3], weighted, turn=turn) for turn in range(4)] == [
        [MANY[0]],
        [MANY[1]],
        [MANY[2]],
        [MANY[0]],
    ]


def test_service_records_lead_to_slots():
    """With SRV records each slot has one, and its name an address while it is registered."""
    topology = replace(TOPOLOGY, discovery=replace(DISCOVERY, record_type="SRV"))
    assert [line for line in settings(topology) if line.startswith("srv")] == [
        f"srv-host={DISCOVERY.name},{slot.name}.{DISCOVERY.name},7800,1,1" for slot in SLOTS
    ]
    assert f"10.40.4.11 keycloak-2.{DISCOVERY.name}" in resolver.answers(topology, [SLOTS[1].address])


def test_names_without_a_wildcard_lead_to_the_balancer_that_names_them():
    """Rules' literal names count, patterns don't; what Keycloak is told to be called leads to the first
    balancer."""
    second = replace(
        BALANCER,
        logical_id="Second",
        host=replace(BALANCER.host, address=IPv4Address("10.40.0.11")),
        dns_name="Internal-Second.elb.amazonaws.com",
        listeners=(
            replace(
                BALANCER.listeners[1], rules=(rule("R", None, Action("forward"), host("two.example.com")),)
            ),
        ),
    )
    topology = with_rules(
        rule("R", None, Action("forward"), host("*.example.com", "One.example.com", "a?.example.com"))
    )
    assert dict(names.resolved(replace(topology, balancers=(*topology.balancers, second)))) == {
        "one.example.com": IPv4Address("10.40.0.10"),
        "sso.example.com": IPv4Address("10.40.0.10"),
        "two.example.com": IPv4Address("10.40.0.11"),
        "internal-second.elb.amazonaws.com": IPv4Address("10.40.0.11"),
    }


@pytest.mark.parametrize(
    "told,name",
    [
        ("https://a.example.com:8443/auth", "a.example.com"),
        ("b.example.com", "b.example.com"),
        ("${HOST}", None),
        ("http://10 0", None),
    ],
)
def test_keycloaks_own_name_is_read_from_urls(told, name):
    """A host name may be given as a URL; what is no name is none."""
    container = replace(TOPOLOGY.keycloak, environment=(("KC_HOSTNAME", told),))
    topology = with_rules(
        rule("R", None, Action("forward")),
        topology=replace(TOPOLOGY, task=replace(TOPOLOGY.task, containers=(container,))),
    )
    assert dict(names.resolved(topology)) == ({name: IPv4Address("10.40.0.10")} if name else {})


def test_without_discovery_and_database_only_hosts_have_names():
    """A topology that lacks them has a resolver all the same."""
    bare = replace(TOPOLOGY, discovery=None, database=None, database_host=None, balancers=())
    assert resolver.answers(bare, [SLOTS[0].address]).splitlines() == [
        f"{slot.address} {slot.hostname}" for slot in SLOTS
    ]
    assert "local-ttl=0" in settings(bare)


@pytest.mark.parametrize("name", ["a\n10.0.0.1 evil", "a b", "", "a,b", "#"])
def test_hostile_names_are_refused_with_their_line(name):
    """A name adds no line to the resolver's files."""
    topology = replace(TOPOLOGY, discovery=replace(DISCOVERY, name=name))
    with pytest.raises(RehearsalError, match=r"^template\.yaml:500: "):
        resolver.answers(topology, [SLOTS[0].address])
    with pytest.raises(RehearsalError, match=r"^template\.yaml:500: "):
        resolver.zone(topology, ROOT)
    with pytest.raises(RehearsalError):
        resolver.answers(replace(TOPOLOGY, database=replace(TOPOLOGY.database, host=name)), [])


def test_time_to_live_that_dns_cannot_hold_is_refused():
    """A record lives for as long as DNS can say."""
    with pytest.raises(RehearsalError, match="live"):
        settings(replace(TOPOLOGY, discovery=replace(DISCOVERY, ttl=-1)))
