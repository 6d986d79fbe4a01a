"""Security groups become a host's packet filter."""

from __future__ import annotations

import json
import re
from dataclasses import replace
from ipaddress import IPv4Address
from pathlib import Path

import pytest

from generator.errors import RehearsalError
from generator.rehearsing import firewall
from generator.rehearsing.topology import EVERY_PORT
from tests.rehearsing.topologies import BALANCER, SLOTS, TOPOLOGY, permission, with_permissions

ROOT = Path(__file__).resolve().parents[2]
TASKS = "{ 10.40.4.10, 10.40.4.11, 10.40.4.12, 10.40.4.13 }"
OTHERS = "{ 10.40.4.11, 10.40.4.12, 10.40.4.13 }"


def chains(host=SLOTS[0], topology=TOPOLOGY, **how):
    """Chain to its rules, without their comments."""
    text = firewall.rules(topology, host, ROOT, **how)
    found = {}
    for name, body in re.findall(r"chain (\w+) \{\n(.*?)\n  \}", text, re.DOTALL):
        found[name] = [
            re.sub(r' comment ".*"$', "", line.strip())
            for line in body.splitlines()
            if not line.strip().startswith("#")
        ]
    return found


def granted(*permissions, host=SLOTS[0]):
    """The rules that come from permissions, in and out."""
    return [
        line
        for chain in chains(host, with_permissions(*permissions)).values()
        for line in chain
        if "counter accept" in line
    ]


def test_task_gets_in_and_out_what_its_groups_permit():
    """Peers are all addresses of the group at the other end, in both directions; nothing else is accepted."""
    found = chains()
    assert found["input"] == [
        "type filter hook input priority filter; policy drop;",
        'iif "lo" accept',
        "meta nfproto ipv6 drop",
        "ct state established,related accept",
        "ip saddr { 10.40.0.10 } tcp dport 8080 counter accept",
        "ip saddr { 10.40.0.10 } tcp dport 9000 counter accept",
        f"ip saddr {TASKS} tcp dport 7800 counter accept",
        f"ip saddr {TASKS} tcp dport 57800 counter accept",
        "counter name in",
        "meta l4proto { tcp, udp } add @dropped_in { ip saddr . meta l4proto . th dport }",
    ]
    assert found["output"] == [
        "type filter hook output priority filter; policy drop;",
        'oif "lo" accept',
        "meta nfproto ipv6 drop",
        "ct state established,related accept",
        "ip daddr 10.40.0.2 meta l4proto { tcp, udp } th dport 53 accept",
        f"ip daddr {TASKS} tcp dport 7800 counter accept",
        f"ip daddr {TASKS} tcp dport 57800 counter accept",
        "ip daddr { 10.40.8.10 } tcp dport 5432 counter accept",
        "tcp dport 443 counter accept",
        "counter name out",
        "meta l4proto { tcp, udp } add @dropped_out { ip daddr . meta l4proto . th dport }",
    ]


def test_only_the_balancer_has_its_vantages_open():
    """Published ports come in from the gateway, to the balancer and to nobody else."""
    assert (
        "ip saddr 10.40.0.1 tcp dport { 20000, 20001, 20002, 20003, 20004, 20005 } accept"
        in chains(BALANCER.host)["input"]
    )
    assert "ip saddr 192.0.2.1 tcp dport" in " ".join(
        chains(BALANCER.host, gateway=IPv4Address("192.0.2.1"))["input"]
    )
    for host in (*SLOTS, TOPOLOGY.database_host):
        assert "2000" not in " ".join(chains(host)["input"])


@pytest.mark.parametrize(
    "one,expected",
    [
        (
            permission("TaskGroup", "ingress", "10.0.0.5/8", 80),
            ["ip saddr 10.0.0.0/8 tcp dport 80 counter accept"],
        ),
        (permission("TaskGroup", "egress", "0.0.0.0/0", None), ["counter accept"]),
        (permission("TaskGroup", "egress", "127.0.0.1/32", None), ["ip daddr 127.0.0.1/32 counter accept"]),
        (
            replace(permission("TaskGroup", "ingress", "0.0.0.0/0", 1), ports=(100, 200)),
            ["tcp dport 100-200 counter accept"],
        ),
        (
            replace(permission("TaskGroup", "ingress", "0.0.0.0/0", 1), ports=EVERY_PORT),
            ["meta l4proto tcp counter accept"],
        ),
        (
            replace(permission("TaskGroup", "ingress", "0.0.0.0/0", 1), protocol="udp"),
            ["udp dport 1 counter accept"],
        ),
        (
            replace(permission("TaskGroup", "ingress", "0.0.0.0/0", 1), protocol="icmp", ports=(-1, -1)),
            ["meta l4proto icmp counter accept"],
        ),
        (
            replace(permission("TaskGroup", "ingress", "0.0.0.0/0", 1), protocol="50"),
            ["meta l4proto 50 counter accept"],
        ),
        (permission("TaskGroup", "ingress", "NobodysGroup", 80), []),
        (permission("TaskGroup", "ingress", "pl-12345678", 80), []),
        (replace(permission("TaskGroup", "ingress", "x.y", 80), peer_network="::/0"), []),
        (permission("BalancerGroup", "ingress", "0.0.0.0/0", 80), []),
    ],
)
def test_permission_becomes_a_rule(one, expected):
    """Networks, ranges and protocols are written as they are; whom nobody knows gets none."""
    assert granted(one) == expected


def test_permission_that_gives_no_rule_is_explained():
    """Prefix lists and groups without members stand in the file as remarks, with the permission and its
    line."""
    text = firewall.rules(
        with_permissions(
            permission("TaskGroup", "ingress", "pl-1234", 80, "FromList"),
            permission("TaskGroup", "ingress", "sg-5678", 80, "FromGroup"),
        ),
        SLOTS[0],
        ROOT,
    )
    assert "# A template doesn't hold the networks of pl-1234 (FromList, line 77)." in text
    assert "# Nobody is in sg-5678 (FromGroup, line 77)." in text


def test_rules_name_their_permission():
    """Each rule says which permission it comes from."""
    assert 'tcp dport 57800 counter accept comment "TaskGroupIngress57800, line 77"' in firewall.rules(
        TOPOLOGY, SLOTS[0], ROOT
    )


@pytest.mark.parametrize(
    "blocked,directions", [("in", ["input"]), ("out", ["output"]), ("both", ["input", "output"]), ("", [])]
)
def test_cut_comes_before_everything_but_loopback(blocked, directions):
    """A cut is for the other tasks only, in the directions it is for, and before standing connections."""
    found = chains(blocked=blocked)
    for chain, end in (("input", "saddr"), ("output", "daddr")):
        cut = f"ip {end} {OTHERS} counter drop"
        assert (cut in found[chain]) is (chain in directions)
        if chain in directions:
            assert found[chain].index(cut) < found[chain].index("ct state established,related accept")


def test_silent_host_accepts_nothing_but_its_own():
    """Of a lost host only its loopback is left."""
    for chain in chains(silent=True).values():
        assert [line for line in chain if "accept" in line] == [line for line in chain if '"lo"' in line]


def test_host_without_groups_accepts_everything_unless_it_is_lost():
    """No group, no filter; a lost host is lost all the same."""
    bare = replace(SLOTS[0], groups=())
    assert "accept" in chains(bare)["input"] and "accept" in chains(bare)["output"]
    assert "accept" not in chains(bare, silent=True)["input"]
    assert "accept" not in chains()["input"]


def test_unknown_direction_is_refused():
    """A cut is in, out or both."""
    with pytest.raises(RehearsalError, match="sideways"):
        firewall.rules(TOPOLOGY, SLOTS[0], ROOT, blocked="sideways")


@pytest.mark.parametrize(
    "changed",
    [
        {"protocol": "tcp accept"},
        {"ports": (5, 4)},
        {"ports": (0, 70000)},
        {"logical_id": 'x" accept #'},
        {"logical_id": "x\naccept"},
        {"peer_network": "0.0.0.0/0 accept"},
        {"peer_network": "a\nb"},
    ],
)
def test_hostile_permission_is_refused_with_its_line(changed):
    """What isn't a protocol, a port, a name or a network gets into no rule."""
    with pytest.raises(RehearsalError, match=r"^template\.yaml:77: .*$"):
        granted(replace(permission("TaskGroup", "ingress", "10.0.0.0/8", 80), **changed))


def test_hostile_group_stays_a_remark():
    """The name of a group without members ends no line."""
    text = firewall.rules(
        with_permissions(permission("TaskGroup", "ingress", "x\n}\naccept", 80)), SLOTS[0], ROOT
    )
    assert "# Nobody is in x?}?accept (" in text
    assert granted(permission("TaskGroup", "ingress", "x\n}\naccept", 80)) == []


def test_dropped_packets_are_read_from_the_filters_own_listing():
    """What nft lists becomes drops, the most frequent first; an empty set none."""
    listed = {
        "nftables": [
            {"metainfo": {"json_schema_version": 1}},
            {"table": {"name": "security_groups"}},
            {
                "set": {
                    "name": "dropped_in",
                    "elem": [
                        {
                            "elem": {
                                "val": {"concat": ["10.40.4.11", "tcp", 57800]},
                                "counter": {"packets": 3, "bytes": 180},
                            }
                        },
                        {
                            "elem": {
                                "val": {"concat": ["10.40.0.10", "udp", 53]},
                                "counter": {"packets": 9, "bytes": 9},
                            }
                        },
                    ],
                }
            },
            {"set": {"name": "dropped_out"}},
            {"counter": {"name": "in", "packets": 12}},
        ]
    }
    assert firewall.dropped(json.dumps(listed)) == (
        firewall.Drop("in", IPv4Address("10.40.0.10"), "udp", 53, 9),
        firewall.Drop("in", IPv4Address("10.40.4.11"), "tcp", 57800, 3),
    )


@pytest.mark.parametrize(
    "output",
    [
        "",
        "Error: No such file or directory",
        "[]",
        '{"nftables": [{"set": {"name": "dropped_in", "elem": [1]}}]}',
    ],
)
def test_other_output_is_an_error(output):
    """What nft doesn't print as a listing isn't taken for one without drops."""
    with pytest.raises(RehearsalError, match="nft"):
        firewall.dropped(output)
