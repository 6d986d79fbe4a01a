"""A drill of a deployed environment: AWS' API is a local AWS, its tasks are a stage's or a rehearsal's, and
the probes go to these. A task that is stopped through ECS is stopped there."""

from __future__ import annotations

import json
import re
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from generator.rehearsing.target import LogLine
from generator.sandbox import local_aws
from generator.sandbox.local_aws import LocalAws
from tests.cases import PROJECT
from tests.cluster import images
from tests.cluster.engine import Engine

# Fixtures: a copy of the project, and the command line where published ports are in reach.
from tests.cluster.test_rehearsal import Run, cloakform, project, promises  # noqa: F401
from tests.drilling.little import Little
from tests.drilling.servers import Server
from tests.drilling.stage import Stage
from tests.drilling.targets import PASSWORD, started
from tests.sandbox.tie import Tie, hand_over

DEV = json.loads((PROJECT / "rendered" / "dev" / "stack.json").read_text("utf-8"))
NAMES = ("sso.dev.example.com", "sso-admin.dev.example.com")
ALL_KEPT = {"kept"}


@pytest.fixture
def aws(tmp_path: Path) -> Iterator[LocalAws]:
    """A local AWS with dev deployed."""
    (tmp_path / "aws").mkdir()
    with local_aws.running(PROJECT, tmp_path / "aws") as made:
        made.deploy(
            (PROJECT / "rendered" / "dev" / "template.yaml").read_text("utf-8"),
            DEV["stack_name"],
            DEV["account"],
        )
        hand_over(made, DEV["account"], DEV["stack_name"], "temp-admin", PASSWORD)
        yield made


class Recent(Stage):
    """A stage on which two nodes have just come up."""

    def __init__(self) -> None:
        super().__init__()
        now = time.time()
        self.there = {"keycloak-1": ("a-1", now - 30.0), "keycloak-2": ("b-2", now - 29.0)}
        self._logs: dict[str, list[LogLine]] = {
            "keycloak-1": started("keycloak-1", "a-1", "a-1", "b-2", at=now - 20.0),
            "keycloak-2": started("keycloak-2", "b-2", "a-1", "b-2", at=now - 19.0),
        }


@pytest.fixture
def stage(aws: LocalAws) -> Iterator[Recent]:
    """What the stack's tasks really are."""
    made = Recent()
    tie = Tie(aws, DEV["account"], DEV["stack_name"], made)
    tie.turn()
    going_on = threading.Event()
    thread = threading.Thread(target=tie.run, args=(lambda: not going_on.is_set(),))
    thread.start()
    yield made
    going_on.set()
    thread.join()
    tie.close()


@pytest.fixture
def keycloak(tmp_path: Path) -> Iterator[tuple[Little, Server]]:
    """As much of Keycloak as clients need, with HTTPS, under dev's names."""
    little = Little(names=NAMES)
    server = Server(little, tmp_path, NAMES)
    yield little, server
    server.close()


@pytest.fixture
def drill(
    aws: LocalAws, stage: Recent, keycloak: tuple[Little, Server]
) -> Callable[..., subprocess.CompletedProcess]:
    """Runs the drill of what is deployed of dev."""
    _, server = keycloak

    def run(*arguments: str) -> subprocess.CompletedProcess[str]:
        command = [
            sys.executable,
            "-m",
            "generator",
            "--project",
            str(PROJECT),
            "drill",
            "dev",
            "--deployed",
            "--endpoint-url",
            aws.url,
            "--connect",
            f"127.0.0.1:{server.port}",
            "--authorities",
            str(server.authorities),
            "--format",
            "json",
            *arguments,
        ]
        return subprocess.run(
            command,
            env=local_aws.variables(DEV["account"]),
            cwd=PROJECT,
            text=True,
            capture_output=True,
            check=False,
        )

    return run


def test_what_nobody_notices_is_drilled_without_being_allowed(drill, stage, keycloak):
    """Discovery by the logs in CloudWatch, logins with the secret's administrator; nothing is stopped,
    nothing stays."""
    little, _ = keycloak
    done = drill("--step", "discovery", "--step", "login", "--step", "stop", "--step", "failover")
    found = promises(done.stdout)
    assert {
        one["verdict"] for name, one in found.items() if name.split(".")[0] in ("provision", "cleanup")
    } == ALL_KEPT
    assert found["discovery.view"]["verdict"] == "kept", found["discovery.view"]
    assert found["login.browser"]["verdict"] == "kept"
    assert (
        "--allow stop" in found["stop.token"]["reason"] and "can't kill" in found["failover.token"]["reason"]
    )
    assert (done.returncode, stage.done) == (0, []) and not little.realms and len(little.deleted) == 1
    assert PASSWORD not in done.stdout + done.stderr


def test_a_lost_node_is_a_task_that_ecs_stops(drill, stage, keycloak):
    """StopTask ends a node; token and form outlive it, the others' view without it is found in their logs,
    and a new task takes its place."""
    little, _ = keycloak
    done = drill("--step", "stop", "--allow", "stop")
    verdicts = {name: (one["verdict"], one["reason"]) for name, one in promises(done.stdout).items()}
    assert set(verdicts.values()) == {("kept", "")}, verdicts
    assert done.returncode == 0 and len(stage.done) == 1 and stage.done[0].startswith("stop keycloak-")
    assert not little.realms


@pytest.mark.long
def test_a_rehearsal_is_drilled_as_if_it_were_deployed(
    cloakform: Run,
    engine: Engine,
    project: Path,  # noqa: F811
    tmp_path: Path,
) -> None:
    """Real nodes: the seed's check with a task that ECS stops, and the paths through the real balancer."""
    images.provide(engine, ["keycloak:26.7.4"])
    assert cloakform("rehearse", "up", "dev", "--drain", "5").returncode == 0
    port = re.search(
        r"^ +admin +\S+ at 127\.0\.0\.1:(\d+)$", cloakform("rehearse", "status", "dev").stdout, re.M
    )
    assert port is not None
    authorities = project / ".cache" / "rehearsals" / "dev" / "project" / "authority.pem"
    variables = local_aws.variables(DEV["account"])
    (tmp_path / "aws").mkdir()
    with (
        local_aws.running(PROJECT, tmp_path / "aws", enter=engine.enter) as made,
        subprocess.Popen(
            engine.command(sys.executable, "-m", "tests.sandbox.tie", made.url, str(project), "dev"),
            env={**variables, **dict(engine.variables), "PYTHONPATH": str(PROJECT)},
            cwd=PROJECT,
            text=True,
            stdout=subprocess.PIPE,
        ) as tie,
    ):
        try:
            assert tie.stdout is not None and tie.stdout.readline() == "tied\n"
            done = subprocess.run(
                engine.command(
                    sys.executable,
                    "-m",
                    "generator",
                    "--project",
                    str(project),
                    "drill",
                    "dev",
                    "--deployed",
                    "--endpoint-url",
                    made.url,
                    "--connect",
                    f"127.0.0.1:{port[1]}",
                    "--authorities",
                    str(authorities),
                    "--format",
                    "json",
                    "--allow",
                    "stop",
                    "--step",
                    "discovery",
                    "--step",
                    "paths",
                    "--step",
                    "login",
                    "--step",
                    "stop",
                ),
                env={**variables, "PYTHONPATH": str(PROJECT)},
                text=True,
                capture_output=True,
                check=False,
            )
        finally:
            tie.kill()
    found = promises(done.stdout)
    broken = {name: one["reason"] for name, one in found.items() if one["verdict"] == "broken"}
    assert (done.returncode, broken) == (0, {}), done.stderr
    assert {
        found[name]["verdict"]
        for name in (
            "discovery.view",
            "login.browser",
            "stop.token",
            "stop.view",
            "stop.whole",
            "paths.closed",
            "cleanup.realm",
        )
    } == ALL_KEPT, found
    assert "stop" in cloakform("rehearse", "logs", "dev", "--events").stdout
    assert cloakform("rehearse", "down", "dev").returncode == 0
