"""What nodes do beside what clients see: they talk in private, and a pause of one costs it nothing."""

from __future__ import annotations

import json
import re
import struct
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests.cases import PROJECT
from tests.cluster import images, wire
from tests.cluster.detection import Setup
from tests.cluster.engine import Engine

# Fixtures: a copy of the project, and the command line where published ports are in reach.
from tests.cluster.test_rehearsal import Run, alone, cloakform, project, promises  # noqa: F401

TRANSPORT, DETECTION = 7800, 57800
LONGEST_PAUSE = 2.0
"""Seconds: a fifth of what failure detection waits with the project's own stack."""


def frame(body: bytes, *, port: int = TRANSPORT, sequence: int = 1, protocol: int = 6) -> bytes:
    """An Ethernet frame with a TCP segment from 10.0.0.1:40000 to 10.0.0.2."""
    header = struct.pack("!BBHHHBBH4s4s", 0x45, 0, 40 + len(body), 0, 0, 64, protocol, 0, b"\x0a\0\0\1", b"\x0a\0\0\2")
    return b"\0" * 12 + b"\x08\0" + header + struct.pack("!HHIIBBHHH", 40000, port, sequence, 0, 80, 24, 0, 0, 0) + body


def test_a_connection_is_known_by_its_first_bytes():
    """Whatever order and however often frames are seen; other ports, other protocols and empty ones don't count."""
    hello, data = b"\x16\x03\x01\x02\0", b"bela and more"
    seen = [frame(b"later", sequence=99), frame(hello, sequence=5), frame(hello, sequence=5), frame(b""),
            frame(data, port=DETECTION), frame(data, port=8080), frame(data, protocol=17), b"short"]
    found = wire.beginnings(iter(seen), {TRANSPORT, DETECTION})
    assert {connection[3]: wire.kind(body) for connection, body in found.items()} == {
        TRANSPORT: "tls", DETECTION: "jgroups"}


@contextmanager
def listening(engine: Engine) -> Iterator[list[dict]]:
    """The connections between nodes that began meanwhile; filled when it is left."""
    found: list[dict] = []
    command = engine.command(sys.executable, "-m", "tests.cluster.wire", str(TRANSPORT), str(DETECTION))
    with subprocess.Popen(command, cwd=PROJECT, stdout=subprocess.PIPE, text=True) as program:
        assert program.stdout is not None and program.stdout.readline() == "listening\n"
        try:
            yield found
        finally:
            program.terminate()
            found += json.loads(program.stdout.read())


def set_up(cloakform: Run, engine: Engine, project: Path, setup: Setup, **keycloak: object) -> None:  # noqa: F811
    """Renders the environment `nodes`."""
    images.provide(engine, [f"keycloak:{setup.version}", "postgres:16"])
    params = {**setup.params, "keycloak": {**setup.params["keycloak"], **keycloak}}
    (project / "params" / "nodes.yaml").write_text(json.dumps(params), "utf-8")
    done = cloakform("render", "nodes")
    assert done.returncode == 0, done.stderr


@pytest.mark.long
@pytest.mark.parametrize(("version", "stack", "private"), [
    ("26.7.4", "own", True), ("26.7.4", "shipped", True), ("26.0.8", "own", False)])
def test_nodes_talk_in_private(
    cloakform: Run,  # noqa: F811
    engine: Engine,
    project: Path,  # noqa: F811
    version: str,
    stack: str,
    private: bool,
) -> None:
    """From 26.2 on every connection of the cluster, at 7800, begins with TLS, with Keycloak's own stack and with ours.
    Before, what nodes say can be read, and so can at 57800 in every version that a node lives (decision 16)."""
    set_up(cloakform, engine, project, Setup(version, "dns", stack))
    with listening(engine) as seen:
        up = cloakform("rehearse", "up", "nodes")
    assert up.returncode == 0, up.stderr
    print(json.dumps(seen))
    kinds = {port: {one["kind"] for one in seen if one["port"] == port} for port in (TRANSPORT, DETECTION)}
    assert kinds[TRANSPORT] == ({"tls"} if private else {"jgroups"})
    assert kinds[DETECTION] == {"jgroups"}


@pytest.mark.long
def test_garbage_collection_makes_nobody_suspect(
    cloakform: Run, engine: Engine, project: Path  # noqa: F811
) -> None:
    """Under load, with the memory of a small task, no pause of Java comes near to what failure detection waits, and no
    node that lives is suspected."""
    set_up(cloakform, engine, project, Setup("26.7.4", "dns", "own"), jvm_options=["-Xlog:gc:stdout"])
    assert cloakform("rehearse", "up", "nodes").returncode == 0
    drill = cloakform("drill", "nodes", "--step", "deploy", "--format", "json")
    found = promises(drill.stdout)
    logs = cloakform("rehearse", "logs", "nodes").stdout
    pauses = [float(one) / 1000 for one in re.findall(r"Pause .*?([0-9.]+)ms", logs)]
    suspicions = [line for line in logs.splitlines() if re.search(r"(?i)\bsuspect", line)]
    print(f"{len(pauses)} pauses, the longest {max(pauses):.3f} s, together {sum(pauses):.1f} s; {suspicions}")
    assert len(pauses) > 20 and max(pauses) < LONGEST_PAUSE
    assert suspicions == []
    assert found["deploy.requests"]["verdict"] == found["deploy.joined"]["verdict"] == "kept"
