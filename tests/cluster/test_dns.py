"""Cloud Map's answers and the names of a VPC, as dnsmasq gives them."""

from __future__ import annotations

import signal
import subprocess
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import BinaryIO

import pytest

from generator.rehearsing import resolver
from generator.rehearsing.topology import Host, Topology
from tests.cluster.networks import ROOT, own_network, until
from tests.rehearsing.topologies import ADMIN, PUBLIC, SLOTS, TOPOLOGY


class Names:
    """The resolver's two running dnsmasq, as unprivileged as their container, with the network's other addresses
    beside its own."""

    def __init__(self, topology: Topology, folder: Path):
        self.topology = topology
        self.hosts = folder / "hosts"
        self.output = folder / "dnsmasq.log"
        self.register()
        texts = {
            "resolver.conf": resolver.resolving(topology, ROOT),
            "zone.conf": resolver.zone(topology, ROOT, hosts=str(self.hosts)),
        }
        subprocess.run(["ip", "address", "add", f"{topology.resolver}/32", "dev", "lo"], check=True)
        with self.output.open("wb") as output:
            self.cache, self.process = (
                self._started(folder / name, text, output) for name, text in texts.items()
            )
        until("it has read its names", self._read)

    def _started(self, configuration: Path, text: str, output: BinaryIO) -> subprocess.Popen[bytes]:
        configuration.write_text(text, encoding="utf-8")
        return subprocess.Popen(
            [
                "setpriv",
                "--bounding-set=-all,+net_bind_service",
                "--no-new-privs",
                "dnsmasq",
                "--keep-in-foreground",
                f"--conf-file={configuration}",
            ],
            stdout=output,
            stderr=subprocess.STDOUT,
        )

    def stop(self) -> None:
        """Ends both."""
        for one in (self.cache, self.process):
            one.kill()
            one.wait()

    def _read(self, times: int = 1) -> bool:
        assert self.process.poll() is None, self.output.read_text()
        return self.output.read_text().count(f"read {self.hosts}") >= times

    def register(self, *slots: Host, forgotten: bool = True, **how) -> None:
        """These slots are registered from now on, and no others; answers from before are `forgotten`, as if they
        had grown old."""
        text = resolver.answers(self.topology, [one.address for one in slots], **how)
        fresh = self.hosts.with_name("fresh")
        fresh.write_text(text, encoding="utf-8")
        fresh.replace(self.hosts)
        if hasattr(self, "process"):
            read = self.output.read_text().count(f"read {self.hosts}")
            self.process.send_signal(signal.SIGHUP)
            until("it has read its names again", lambda: self._read(read + 1))
            if forgotten:
                cleared = self._cleared()
                self.cache.send_signal(signal.SIGHUP)
                until("its cache is empty", lambda: self._cleared() > cleared)

    def _cleared(self) -> int:
        return self.output.read_text().count("cleared cache")

    def ask(self, name: str, kind: str = "A", *options: str) -> tuple[str, list[str]]:
        """Status and records of an answer; a record is its time to live and its value."""
        got = subprocess.run(
            [
                "dig",
                "+time=5",
                "+tries=1",
                "+noall",
                "+comments",
                "+answer",
                *options,
                f"@{self.topology.resolver}",
                name,
                kind,
            ],
            capture_output=True,
            text=True,
            check=True,
        )
        status = next(
            line.split("status: ")[1].split(",")[0] for line in got.stdout.splitlines() if "status: " in line
        )
        return status, [
            " ".join([line.split()[1], *line.split()[4:]])
            for line in got.stdout.splitlines()
            if line and not line.startswith(";")
        ]

    def addresses(self, name: str) -> list[str]:
        """The addresses that a name leads to, in the answer's order."""
        return [record.split()[1] for record in self.ask(name)[1]]

    def listed(self, name: str) -> set[str]:
        """The addresses that a name leads to."""
        return set(self.addresses(name))


@pytest.fixture
def names(tmp_path) -> Iterator[Callable[..., Names]]:
    """Starts the resolver of a topology."""
    running = []
    with own_network():

        def started(topology: Topology = TOPOLOGY) -> Names:
            running.append(Names(topology, tmp_path))
            return running[-1]

        yield started
        for one in running:
            one.stop()


DISCOVERY = TOPOLOGY.discovery.name


def test_discovery_name_leads_to_what_is_registered(names):
    """Registered tasks are in answers with the template's time to live as soon as they are registered, and no
    longer."""
    made = names()
    assert made.ask(DISCOVERY) == ("NXDOMAIN", [])
    made.register(*SLOTS[:2])
    status, records = made.ask(DISCOVERY)
    assert (status, sorted(records)) == ("NOERROR", ["10 10.40.4.10", "10 10.40.4.11"])
    made.register(SLOTS[1])
    assert made.ask(DISCOVERY, "A", "+tcp") == ("NOERROR", ["10 10.40.4.11"])
    assert made.listed(DISCOVERY.upper()) == {"10.40.4.11"}


def test_order_of_an_answer_turns(names):
    """Not every task asks the same one first."""
    made = names()
    made.register(*SLOTS[:3])
    assert len({tuple(made.addresses(DISCOVERY)) for _ in range(6)}) == 3


def test_other_names_do_not_exist_and_other_types_are_empty(names):
    """An unknown name is NXDOMAIN at once, without anybody being asked; a known one has no IPv6 address."""
    made = names()
    made.register(*SLOTS[:2])
    for name in ("example.org", f"x.{DISCOVERY}", "localhost", "keycloak"):
        assert made.ask(name) == ("NXDOMAIN", [])
    assert made.ask("8.8.8.8.in-addr.arpa", "PTR") == ("NXDOMAIN", [])
    for kind in ("AAAA", "TXT", "SRV", "HTTPS"):
        assert made.ask(DISCOVERY, kind) == ("NOERROR", [])


def test_hosts_of_the_vpc_have_their_names(names):
    """Tasks, database and balancer have names whether or not a task is registered, and tasks' addresses lead
    back."""
    made = names()
    assert made.listed(SLOTS[3].hostname) == {"10.40.4.13"}
    assert made.ask("13.4.40.10.in-addr.arpa", "PTR") == ("NOERROR", [f"10 {SLOTS[3].hostname}."])
    assert made.listed(TOPOLOGY.database.host) == {"10.40.8.10"}
    assert made.listed(PUBLIC) == made.listed(ADMIN) == {"10.40.0.10"}


def test_answers_have_at_most_eight_records_and_weighted_ones_one(names):
    """Of many registered tasks an answer lists eight, other ones at another turn; a WEIGHTED service lists
    one."""
    slots = tuple(
        replace(SLOTS[0], name=f"keycloak-{number}", address=SLOTS[0].address + number)
        for number in range(11)
    )
    many = replace(TOPOLOGY, slots=slots)
    made = names(many)
    made.register(*slots)
    assert len(made.listed(DISCOVERY)) == 8
    first = made.listed(DISCOVERY)
    made.register(*slots, turn=5)
    assert len(made.listed(DISCOVERY)) == 8 and made.listed(DISCOVERY) != first
    made.topology = replace(many, discovery=replace(many.discovery, routing="WEIGHTED"))
    made.register(*slots[:3])
    assert made.listed(DISCOVERY) == {"10.40.4.10"}
    made.register(*slots[:3], turn=1)
    assert made.listed(DISCOVERY) == {"10.40.4.11"}


def test_service_records_lead_to_registered_tasks(names):
    """With SRV records a name for each slot is listed, and the ones that are registered have an address."""
    made = names(replace(TOPOLOGY, discovery=replace(TOPOLOGY.discovery, record_type="SRV")))
    made.register(SLOTS[1])
    status, records = made.ask(DISCOVERY, "SRV")
    assert (status, len(records)) == ("NOERROR", len(SLOTS))
    assert f"10 1 1 7800 keycloak-2.{DISCOVERY}." in records
    assert made.ask(DISCOVERY) == ("NOERROR", [])
    assert made.listed(f"keycloak-2.{DISCOVERY}") == {"10.40.4.11"}
    assert made.ask(f"keycloak-1.{DISCOVERY}")[1] == []


def test_resolver_listens_on_its_own_address_only(names):
    """Nobody outside is answered at another address of the resolver's container."""
    made = names()
    listening = subprocess.run(
        ["ss", "--no-header", "--numeric", "--listening", "--udp", "--tcp"],
        check=True,
        capture_output=True,
        text=True,
    ).stdout
    assert {line.split()[4] for line in listening.splitlines()} == {
        f"{made.topology.resolver}:53",
        "127.0.0.1:5353",
    }


def test_an_answer_is_kept_until_it_has_grown_old(names):
    """What Cloud Map has forgotten or learnt is not seen while the answer from before may be kept; neither is that
    there was no such name."""
    made = names(replace(TOPOLOGY, discovery=replace(TOPOLOGY.discovery, ttl=300, negative_ttl=300)))
    assert made.ask(DISCOVERY) == ("NXDOMAIN", [])
    made.register(SLOTS[0], forgotten=False)
    assert made.ask(DISCOVERY) == ("NXDOMAIN", [])
    made.register(SLOTS[0])
    assert made.listed(DISCOVERY) == {"10.40.4.10"}
    made.register(SLOTS[1], forgotten=False)
    assert made.listed(DISCOVERY) == {"10.40.4.10"}


def test_an_answer_that_has_grown_old_is_asked_for_again(names):
    """After its time to live an answer follows what is registered, and so does that there was no such name."""
    made = names(replace(TOPOLOGY, discovery=replace(TOPOLOGY.discovery, ttl=1, negative_ttl=1)))
    assert made.ask(DISCOVERY) == ("NXDOMAIN", [])
    made.register(SLOTS[0], forgotten=False)
    until("it is asked again", lambda: made.listed(DISCOVERY) == {"10.40.4.10"})
    made.register(SLOTS[1], forgotten=False)
    until("it is asked again", lambda: made.listed(DISCOVERY) == {"10.40.4.11"})
