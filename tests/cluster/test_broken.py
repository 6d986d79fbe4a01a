"""Templates with one fault each: what is started of them says what is wrong, and on which line."""

from __future__ import annotations

import pytest

from tests.cluster import images
from tests.cluster.engine import Engine

# Fixtures: a copy of the project, and the command line where published ports are in reach.
from tests.cluster.test_rehearsal import Path, Run, alone, broken, cloakform, edited, left, project, promises  # noqa: F401

CLOSED = (r"  TaskInCluster:\n.*?\n\n", ""), ("TaskInCluster, ", "")
NEVER_COMPLETE = {
    "no-7800": (CLOSED, "port 7800 is closed between tasks"),
    "wrong-name": ((("dns.query=keycloak.keycloak-dev", "dns.query=keycloak.elsewhere"),), "the nodes ask DNS for"),
    "no-registry": ((("      ServiceRegistries: [^\n]*\n", ""),), "registers its tasks nowhere"),
    "wrong-health-port": (
        # ECS looks at the balancer's checks only after the grace period: ten minutes with nothing to see.
        (('HealthCheckPort: "9000"', 'HealthCheckPort: "9001"'), (r"PeriodSeconds: 600 #", "PeriodSeconds: 90 #")),
        "9001",
    ),
}
OTHER_DESIGNS = {
    "by-database": "keycloak: {discovery: database}\n",
    "all-at-once": "service: {deployment: recreate}\n",
}


@pytest.mark.long
@pytest.mark.parametrize("name", NEVER_COMPLETE)
def test_a_cluster_that_never_comes_up_is_explained(
    cloakform: Run, engine: Engine, project: Path, name: str  # noqa: F811
) -> None:
    """`rehearse up` ends with the cause and the line to mend, not with a time-out, and leaves nothing."""
    images.provide(engine, ["keycloak:26.7.4"])
    changes, cause = NEVER_COMPLETE[name]
    done = cloakform("rehearse", "up", edited(project, name, *changes), "--name", name)
    assert done.returncode == 2, done.stdout
    assert cause in done.stderr and "no full cluster" not in done.stderr, done.stderr
    assert left(engine) == ""


@pytest.mark.long
def test_a_missing_path_guard_is_found(cloakform: Run, engine: Engine, project: Path) -> None:  # noqa: F811
    """Before 26.4 the admin console is reached around the listener's rules, unless a rule guards them."""
    (project / "params" / "unguarded.yaml").write_text(
        'extends: dev.yaml\nkeycloak: {version: 26.0.8}\ndatabase: {create: {engine_version: "16"}}\n'
        "service: {tasks: 1}\n",
        "utf-8",
    )
    images.provide(engine, ["keycloak:26.0.8", "postgres:16"])
    assert cloakform("render", "unguarded").returncode == 0
    rendered = project / "rendered" / "unguarded" / "template.yaml"
    file = edited(project, "unguarded", (r"  PathGuardRule\d+:\n.*?\n\n", ""), text=rendered.read_text("utf-8"))
    assert cloakform("rehearse", "up", file, "--name", "unguarded", "--drain", "5").returncode == 0
    drill = cloakform("drill", "unguarded", "--step", "paths", "--format", "json")
    assert drill.returncode == 1
    found = [one for one in promises(drill.stdout).values() if one["verdict"] == "broken"]
    assert any("/../" in str(one) or "%2e" in str(one) for one in found), found
    assert cloakform("rehearse", "down", "unguarded").returncode == 0


@pytest.mark.long
def test_answers_that_live_for_long_are_found(cloakform: Run, engine: Engine, project: Path) -> None:  # noqa: F811
    """With a TTL of 300 the cluster forms as if nothing were wrong; once all tasks were replaced, none finds another."""
    images.provide(engine, ["keycloak:26.7.4"])
    file = edited(project, "old-answers", ("Type: A, TTL: 10", "Type: A, TTL: 300"))
    assert cloakform("rehearse", "up", file, "--name", "old-answers").returncode == 0
    drill = cloakform("drill", "old-answers", "--step", "restart", "--format", "json")
    assert drill.returncode == 1, drill.stderr
    whole = promises(drill.stdout)["restart.whole"]
    assert whole["verdict"] == "broken"
    assert any("lives for 300 s in DNS caches" in cause["text"] for cause in whole["causes"]), whole
    assert cloakform("rehearse", "down", "old-answers").returncode == 0


@pytest.mark.long
@pytest.mark.parametrize("name", OTHER_DESIGNS)
def test_other_designs_keep_their_promises(
    cloakform: Run, engine: Engine, project: Path, name: str  # noqa: F811
) -> None:
    """Discovery through the database, and a deployment that stops all nodes first: what they promise is kept."""
    (project / "params" / f"{name}.yaml").write_text(f"extends: dev.yaml\n{OTHER_DESIGNS[name]}", "utf-8")
    images.provide(engine, ["keycloak:26.7.4"])
    rendered = cloakform("render", name)
    assert rendered.returncode == 0, rendered.stderr
    up = cloakform("rehearse", "up", name)
    assert up.returncode == 0, up.stderr
    assert broken(cloakform, name, ("discovery", "failover", "deploy")) == {}
    assert cloakform("rehearse", "down", name).returncode == 0
