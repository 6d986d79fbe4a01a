"""The engine that the cluster tests run on, which stays up after them for the next run; HAProxy, for tests
that need no engine."""

from __future__ import annotations

import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from generator.rehearsing.topology import Topology
from tests.cluster import engine as engines
from tests.cluster import packages, table
from tests.cluster.balanced import QUICK, Balanced, Targets
from tests.cluster.networks import task_network
from tests.rehearsing.topologies import PUBLIC, SLOTS, TOPOLOGY, with_group

# An engine that was here before is never stopped or replaced: nothing in test_engine.py concerns it.
_found = engines.find()
collect_ignore = [] if _found is None or _found.own else ["test_engine.py"]


def pytest_addoption(parser: pytest.Parser) -> None:
    """Where the table of the tests that start clusters is kept."""
    parser.addoption("--table", type=Path, metavar="FILE", help="add the results on clusters to this page")


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item: pytest.Function, call: pytest.CallInfo) -> Iterator[None]:
    """Each result is written at once: the whole takes hours."""
    report = yield
    page = item.config.getoption("--table", None)
    if page and report.when == "call" and "cloakform" in item.fixturenames:
        name = f"{item.path.name}::{item.name}"
        tried = table.Tried(name, item.function.__doc__ or "", report.outcome, report.duration)
        page.write_text(table.page(page.read_text("utf-8") if page.is_file() else "", [tried]), "utf-8")
    return report


@pytest.fixture(scope="session", autouse=True)
def _tools() -> None:
    """On a clean machine the first test to need a tool may be one that needs no engine, which brings them along."""
    packages.install(engines.TOOLS)


@pytest.fixture(scope="session")
def engine() -> engines.Engine:
    """The engine that runs here, or our own, started."""
    return engines.up()


@pytest.fixture(scope="module")
def certificate(tmp_path_factory) -> Path:
    """Certificate and key of the balancer in one file, and `authority.pem` beside it, which signed it."""
    folder = tmp_path_factory.mktemp("certificate")
    subprocess.run(
        [
            "openssl",
            "req",
            "-x509",
            "-newkey",
            "rsa:2048",
            "-nodes",
            "-days",
            "2",
            "-subj",
            f"/CN={PUBLIC}",
            "-keyout",
            folder / "key.pem",
            "-out",
            folder / "authority.pem",
        ],
        check=True,
        capture_output=True,
    )
    made = folder / "balancer.pem"
    made.write_bytes((folder / "authority.pem").read_bytes() + (folder / "key.pem").read_bytes())
    return made


@pytest.fixture
def targets() -> Iterator[Targets]:
    """Servers of the first two slots, in a network of their own."""
    with task_network():
        made = Targets()
        for slot in SLOTS[:2]:
            made.serve(slot)
        yield made
        made.end()


@pytest.fixture
def start(targets, tmp_path, certificate) -> Iterator[Callable[..., Balanced]]:
    """Starts a balancer for a topology, with every target that it begins with found well."""
    running = []

    def started(topology: Topology = TOPOLOGY, *, settled: bool = True, **how) -> Balanced:
        made = Balanced(
            with_group(topology, **QUICK) if settled else topology, targets, tmp_path, certificate, **how
        )
        running.append(made)
        if settled:
            made.settle(keycloak_1="healthy", keycloak_2="healthy", keycloak_3="maint", keycloak_4="maint")
        return made

    yield started
    for one in running:
        one.end()
