"""Security groups as nftables enforces them, between hosts that are namespaces on one bridge."""

from __future__ import annotations

import contextlib
import socket
import subprocess
from collections.abc import Callable, Iterator
from dataclasses import replace

import pytest
import yaml

from generator.rehearsing import firewall
from generator.rehearsing.compose import compose_file
from generator.rehearsing.topology import Host, Topology
from tests.cluster.networks import PATIENCE, ROOT, network_of, own_network, until
from tests.rehearsing.topologies import PERMISSIONS, SLOTS, TOPOLOGY, permission, with_permissions


class Hosts:
    """Every host of a topology in a network namespace of its own, on one bridge; the bridge is the gateway
    and the resolver, and everything in it unfiltered."""

    def __init__(self, topology: Topology):
        self.topology = topology
        self.gateway = topology.vpc.network_address + 1
        self.addresses = {one.name: one.address for one in topology.hosts} | {
            "gateway": self.gateway,
            "resolver": topology.resolver,
        }
        self._holders: dict[str, subprocess.Popen[bytes]] = {}
        length = topology.vpc.prefixlen
        self._ip(
            "link add bridge type bridge",
            "link set bridge up",
            f"address add {self.gateway}/{length} dev bridge",
            f"address add {topology.resolver}/{length} dev bridge",
        )
        for number, one in enumerate(topology.hosts):
            holder = subprocess.Popen(
                ["unshare", "--net", "sh", "-c", "echo made && exec sleep infinity"], stdout=subprocess.PIPE
            )
            assert holder.stdout is not None and holder.stdout.readline() == b"made\n"
            self._holders[one.name] = holder
            self._ip(
                f"link add host{number} type veth peer name eth0 netns {holder.pid}",
                f"link set host{number} master bridge up",
            )
            with self.within(one.name):
                self._ip(
                    "link set lo up",
                    f"address add {one.address}/{length} dev eth0",
                    "link set eth0 up",
                    f"route add default via {self.gateway}",
                )
            self.load(one)

    @staticmethod
    def _ip(*lines: str) -> None:
        for line in lines:
            subprocess.run(["ip", *line.split()], check=True)

    def end(self) -> None:
        for one in self._holders.values():
            one.kill()
            one.communicate()

    @contextlib.contextmanager
    def within(self, name: str) -> Iterator[None]:
        """This thread is on a host; on the gateway for `gateway`."""
        if name not in self._holders:
            yield
            return
        with network_of(self._holders[name].pid):
            yield

    def load(self, one: Host, **how) -> None:
        """Loads a host's filter."""
        text = firewall.rules(self.topology, one, ROOT, **how)
        with self.within(one.name):
            subprocess.run(["nft", "-f", "-"], input=text.encode(), check=True)

    def dropped(self, name: str) -> tuple[firewall.Drop, ...]:
        """What a host's filter dropped."""
        with self.within(name):
            got = subprocess.run(firewall.dropped_command(), check=True, capture_output=True, text=True)
        return firewall.dropped(got.stdout)

    def listen(self, name: str, port: int) -> socket.socket:
        """A socket that accepts connections on a host."""
        with self.within(name):
            return socket.create_server((str(self.addresses[name]), port))

    def connect(self, name: str, to: str, port: int) -> socket.socket:
        """A connection under way from a host to another."""
        with self.within(name):
            made = socket.socket()
        made.setblocking(False)
        with contextlib.suppress(BlockingIOError):
            made.connect((str(self.addresses[to]), port))
        made.settimeout(PATIENCE)
        return made

    def passes(self, name: str, to: str, port: int) -> None:
        """Asserts that a connection from a host to another comes about."""
        with self.listen(to, port) as server:
            server.settimeout(PATIENCE)
            with self.connect(name, to, port):
                server.accept()[0].close()

    def stopped(self, name: str, to: str, port: int, *, by: str, direction: str) -> None:
        """Asserts that a connection from a host to another is dropped by one of them, which knows what it
        dropped."""
        peer = self.addresses[to if direction == "out" else name]
        with self.listen(to, port), self.connect(name, to, port):
            until(
                f"{by} drops",
                lambda: [
                    one
                    for one in self.dropped(by)
                    if one.packets > 0
                    and (one.direction, one.peer, one.protocol, one.port) == (direction, peer, "tcp", port)
                ],
            )


@pytest.fixture
def hosts() -> Iterator[Callable[..., Hosts]]:
    """Starts the hosts of a topology."""
    running = []
    with own_network():

        def started(topology: Topology = TOPOLOGY) -> Hosts:
            running.append(Hosts(topology))
            return running[-1]

        yield started
        for one in running:
            one.end()


def test_security_groups_let_through_what_is_permitted_and_nothing_else(hosts):
    """Each permitted connection comes about; each other one is dropped where it isn't permitted, and counted
    there."""
    made = hosts()
    for name, to, port in (
        ("keycloak-1", "keycloak-2", 7800),
        ("keycloak-2", "keycloak-1", 57800),
        ("balancer", "keycloak-1", 8080),
        ("balancer", "keycloak-3", 9000),
        ("keycloak-1", "database", 5432),
        ("keycloak-1", "gateway", 443),
        ("gateway", "balancer", 443),
        ("gateway", "balancer", 20003),
    ):
        made.passes(name, to, port)
    for name, to, port in (
        ("keycloak-1", "keycloak-2", 8080),
        ("balancer", "keycloak-1", 7800),
        ("keycloak-1", "balancer", 20003),
        ("database", "keycloak-1", 7800),
        ("database", "gateway", 443),
        ("keycloak-1", "gateway", 80),
        ("balancer", "database", 5432),
    ):
        made.stopped(name, to, port, by=name, direction="out")
    for to, port in (("keycloak-1", 8080), ("database", 5432), ("balancer", 8080)):
        made.stopped("gateway", to, port, by=to, direction="in")


def test_resolver_is_in_reach_whatever_the_groups_say(hosts):
    """Every host may ask the resolver, over UDP and TCP, and hears the answer."""
    made = hosts(with_permissions())
    made.passes("keycloak-1", "resolver", 53)
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as server, made.within("database"):
        server.bind((str(made.topology.resolver), 53))
        server.settimeout(PATIENCE)
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as client:
            client.settimeout(PATIENCE)
            client.sendto(b"?", (str(made.topology.resolver), 53))
            server.sendto(b"!", server.recvfrom(1)[1])
            assert client.recv(1) == b"!"


@pytest.mark.parametrize(
    "missing,by,direction", [("ingress", "keycloak-2", "in"), ("egress", "keycloak-1", "out")]
)
def test_missing_permission_is_named_at_the_end_that_lacks_it(hosts, missing, by, direction):
    """Both ends of a connection need their permission, and the end without it counts what it drops."""
    made = hosts(
        with_permissions(*(one for one in PERMISSIONS if (one.direction, one.ports[0]) != (missing, 57800)))
    )
    made.passes("keycloak-1", "keycloak-2", 7800)
    made.stopped("keycloak-1", "keycloak-2", 57800, by=by, direction=direction)
    other = {"keycloak-1": "keycloak-2", "keycloak-2": "keycloak-1"}[by]
    assert made.dropped(other) == ()


@pytest.mark.parametrize("blocked", ["in", "out", "both"])
def test_cut_holds_back_standing_connections_until_it_is_healed(hosts, blocked):
    """What a cut host sends, or is sent, doesn't arrive while it is cut off, does afterwards, and others are
    untouched."""
    made = hosts()
    with made.listen("keycloak-2", 7800) as server, made.listen("database", 5432) as database:
        near, base = (
            made.connect("keycloak-1", "keycloak-2", 7800),
            made.connect("keycloak-1", "database", 5432),
        )
        far, kept = server.accept()[0], database.accept()[0]
        with near, base, far, kept:
            for one in (far, kept):
                one.settimeout(PATIENCE)
            made.load(SLOTS[0], blocked=blocked)
            sender, receiver = (near, far) if blocked == "out" else (far, near)
            sender.sendall(b"x")
            until("something is held back", lambda: held_back(made))
            base.sendall(b"y")
            assert kept.recv(1) == b"y"
            receiver.setblocking(False)
            with pytest.raises(BlockingIOError):
                receiver.recv(1)
            if blocked != "both":
                # The other direction is open, so what goes there arrives.
                receiver.sendall(b"z")
                sender.settimeout(PATIENCE)
                assert sender.recv(1) == b"z"
            receiver.settimeout(PATIENCE)
            made.load(SLOTS[0])
            assert receiver.recv(1) == b"x"


def held_back(made: Hosts) -> bool:
    """Whether the first task's cut dropped anything."""
    with made.within("keycloak-1"):
        listed = subprocess.run(
            ["nft", "list", "table", "inet", firewall.TABLE], check=True, capture_output=True, text=True
        )
    return any(
        line.endswith(" drop") and "packets 0 " not in line
        for line in listed.stdout.splitlines()
        if "counter" in line
    )


def test_silent_host_answers_nobody(hosts):
    """Nothing goes in or out of a lost host, not even for connections that stand."""
    made = hosts()
    with made.listen("keycloak-1", 8080) as server:
        client = made.connect("balancer", "keycloak-1", 8080)
        there = server.accept()[0]
        with client, there:
            made.load(SLOTS[0], silent=True)
            client.sendall(b"x")
            until("it is dropped", lambda: made.dropped("keycloak-1"))
            there.setblocking(False)
            with pytest.raises(BlockingIOError):
                there.recv(1)
            made.stopped("keycloak-1", "database", 5432, by="keycloak-1", direction="out")


def test_host_without_groups_is_not_filtered(hosts):
    """Where no security group is, everything passes; its peers' groups still count."""
    made = hosts(replace(TOPOLOGY, database_host=replace(TOPOLOGY.database_host, groups=())))
    made.passes("gateway", "database", 22)
    made.passes("database", "gateway", 80)
    made.stopped("gateway", "keycloak-1", 22, by="keycloak-1", direction="in")


def test_protocols_ranges_and_networks_become_rules(hosts):
    """Port ranges, whole protocols, everything, and networks pass what they say and drop what they don't."""
    gateway = str(TOPOLOGY.vpc.network_address + 1)
    made = hosts(
        with_permissions(
            replace(permission("TaskGroup", "ingress", f"{gateway}/32", 1), ports=(100, 200)),
            replace(permission("TaskGroup", "ingress", "192.0.2.0/24", 300)),
            permission("TaskGroup", "ingress", "pl-1234", 301),
            permission("DatabaseGroup", "ingress", f"{gateway}/32", None),
            replace(permission("BalancerGroup", "ingress", "0.0.0.0/0", 1), protocol="icmp", ports=(8, 0)),
            permission("BalancerGroup", "ingress", "NobodysGroup", 80),
        )
    )
    for port in (100, 150, 200):
        made.passes("gateway", "keycloak-1", port)
    for port in (99, 201, 300, 301):
        made.stopped("gateway", "keycloak-1", port, by="keycloak-1", direction="in")
    made.passes("gateway", "database", 4711)
    made.stopped("gateway", "balancer", 80, by="balancer", direction="in")
    with socket.socket(socket.AF_INET, socket.SOCK_RAW, socket.IPPROTO_ICMP) as pinging:
        pinging.settimeout(PATIENCE)
        for name in ("keycloak-1", "balancer"):
            pinging.sendto(bytes.fromhex("0800f7ff00000000"), (str(made.addresses[name]), 0))
        assert pinging.recvfrom(64)[1][0] == str(made.addresses["balancer"])


def test_filter_leaves_other_tables_alone(hosts):
    """Loading and loading again touches nothing but its own table, which Docker's DNS and NAT need."""
    made = hosts()
    with made.within("keycloak-1"):
        subprocess.run(
            ["nft", "add table ip docker; add chain ip docker x { type nat hook output priority -100; }"],
            check=True,
        )
        made.load(SLOTS[0])
        made.load(SLOTS[0])
        tables = subprocess.run(["nft", "list", "tables"], check=True, capture_output=True, text=True).stdout
    assert set(tables.splitlines()) == {"table inet security_groups", "table ip docker"}


def test_loader_is_done_at_once_and_its_rules_stay(tmp_path):
    """The firewall container's command, with no right but its own, loads a host's file and ends; the rules
    stay with the network, and loading another file replaces them as a whole."""
    service = yaml.safe_load(compose_file(TOPOLOGY, ROOT))["services"]["keycloak-1-firewall"]
    rights = ",".join(["-all", *(f"+{right.lower()}" for right in service["cap_add"])])
    command = [word.replace("/rehearsal", str(tmp_path)) for word in service["command"]]
    file = tmp_path / "keycloak-1.nft"
    assert service["cap_drop"] == ["ALL"] and str(file) in command

    def loaded(one: Host) -> str:
        file.write_text(firewall.rules(TOPOLOGY, one, ROOT), encoding="utf-8")
        loader = ["setpriv", f"--bounding-set={rights}", "--no-new-privs", *command]
        subprocess.run(loader, check=True, timeout=PATIENCE)
        return subprocess.run(["nft", "list", "ruleset"], capture_output=True, text=True, check=True).stdout

    with own_network():
        assert "57800" in loaded(SLOTS[0])
        after = loaded(TOPOLOGY.database_host)
        assert "5432" in after and "57800" not in after
