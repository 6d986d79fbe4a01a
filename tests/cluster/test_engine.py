"""Our own engine: what it leaves behind, and what it leaves alone.

Each test has one of its own, beside the engine that the other tests use.
"""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.cluster import engine as engines
from tests.cluster import images, leftovers
from tests.cluster.engine import PROJECT, Engine
from tests.cluster.packages import release
from tests.cluster.steps import ClusterError, output

NOBODY = 65534


@pytest.fixture
def second(tmp_path, monkeypatch) -> Iterator[Path]:
    """A place for a second engine, which is gone after the test; what was downloaded is shared."""
    shared = engines.folder() / "downloads"
    shared.mkdir(parents=True, exist_ok=True)
    (tmp_path / "downloads").symlink_to(shared)
    monkeypatch.setenv(engines.FOLDER_VARIABLE, str(tmp_path))
    # No other engine may be in reach: it would be used instead.
    monkeypatch.setenv("DOCKER_HOST", f"unix://{tmp_path}/none")
    try:
        yield tmp_path
    finally:
        engines.down()


def busy(engine: Engine) -> None:
    """Give an engine a container with a network, a volume and a published port."""
    base = f"cluster/root:{release()[0]}"
    images.provide(engine, [base])
    engine.docker("network", "create", "--subnet", "10.40.0.0/16", "vpc")
    engine.docker("run", "--detach", "--name", "busy", "--network", "vpc", "--ip", "10.40.1.1",
                  "--volume", "kept:/kept", "--publish", "127.0.0.1:0:80", "--init", base, "sleep", "1d")


def left() -> list[str]:
    """Processes, mounts, control groups and files of the second engine outside its data."""
    own = engines._own()
    mounts = [*leftovers.mounts(own.run), *leftovers.mounts(own.data)]
    files = [own.run] if own.run.exists() else []
    return [str(one) for one in (*own.processes(), *mounts, *leftovers.cgroups(own.mark), *files)]


def cluster(*arguments: str) -> subprocess.CompletedProcess[str]:
    """Run `python -m tests.cluster`."""
    return subprocess.run([sys.executable, "-m", "tests.cluster", *arguments], cwd=PROJECT, text=True,
                          capture_output=True)


def test_down_leaves_nothing(second):
    """After `down` there is no process, mount, control group, namespace or socket of an engine at work."""
    busy(engines.up())
    assert left()
    assert engines.down()
    assert left() == []


def test_down_without_an_engine_does_nothing(second):
    """`down` where nothing runs says so, and leaves the engine of the other tests alone."""
    assert engines.down() is False


def test_up_uses_the_engine_that_runs(second):
    """A second `up` finds the first one's engine, with its containers."""
    first = engines.up()
    busy(first)
    assert engines.up() == first
    assert first.docker("ps", "--format", "{{.Names}}") == "busy\n"


def test_up_cleans_what_a_killed_engine_left(second):
    """An engine whose daemon was killed leaves containers that run on; the next `up` ends and removes them,
    their networks and volumes, and has the images still."""
    engine = engines.up()
    busy(engine)
    main = int((engines._own().run / "dockerd.pid").read_text("ascii"))
    orphans = leftovers.in_cgroup(engines._own().mark)
    os.kill(main, signal.SIGKILL)
    assert orphans and all(map(leftovers.alive, orphans))
    engine = engines.up()
    assert not any(map(leftovers.alive, orphans))
    assert engine.docker("ps", "--all", "--quiet") == engine.docker("volume", "ls", "--quiet") == ""
    assert engine.docker("network", "ls", "--quiet", "--filter", "type=custom") == ""
    busy(engine)


def test_published_ports_are_not_the_machines(second):
    """The engine changes nothing in the machine's own network: no interface and no firewall rule is there."""
    def network() -> str:
        return output(["ip", "-oneline", "link"]) + output(["nft", "list", "ruleset"])

    before = network()
    engine = engines.up()
    busy(engine)
    assert "docker0" in output(engine.command("ip", "-oneline", "link"))
    assert network() == before


def test_stand_ins_stay_out_of_an_engine_that_is_not_ours(second, monkeypatch, tmp_path_factory):
    """In an engine that was here before, a missing image is pulled under its name, never made."""
    ours = engines.up()
    monkeypatch.setenv("DOCKER_HOST", dict(ours.variables)["DOCKER_HOST"])
    monkeypatch.setenv(engines.FOLDER_VARIABLE, str(tmp_path_factory.mktemp("elsewhere")))
    found = engines.up()
    assert found == Engine(False)
    # There is no registry in reach of this one.
    with pytest.raises(ClusterError, match="docker pull haproxy:2.8"):
        images.provide(found, ["haproxy:2.8"])
    assert ours.docker("image", "ls", "--quiet") == ""
    monkeypatch.setenv(engines.FOLDER_VARIABLE, str(second))


def test_without_root_one_line_tells_what_is_missing(second):
    """Who may not start an engine, and has none, is told so, and nothing is begun."""
    os.seteuid(NOBODY)
    try:
        with pytest.raises(ClusterError, match="^no Docker engine runs here, and only root can start one: "):
            engines.up()
    finally:
        os.seteuid(0)
    assert left() == []


def test_run_without_an_engine_tells_how_to_start_one(second):
    """`run` starts nothing by itself."""
    ran = cluster("run", "--", "true")
    assert (ran.returncode, ran.stderr) == (2, "error: no engine runs (python -m tests.cluster engine up)\n")


def test_run_passes_a_command_through(second):
    """`run` gives a command the engine and its network, and ends as the command ends."""
    engines.up()
    ran = cluster("run", "--", "bash", "-c", "docker version >/dev/null && ip address show docker0; exit 7")
    assert ran.returncode == 7
    assert "198.18.0.1/16" in ran.stdout


def test_an_unknown_image_is_one_line(second):
    """A name without a stand-in is refused before anything is made, with those that there are."""
    ran = cluster("images", "nginx:1.27")
    assert ran.returncode == 2
    assert ran.stderr.splitlines()[-1].startswith("error: there is no stand-in for nginx:1.27 (there are ")
