"""Sizes that belong together, against what AWS publishes."""

from __future__ import annotations

import importlib.util
import json
import math
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from generator.keycloak import sizing


def published() -> dict[int, set[int]]:
    """CPU units -> memory sizes in MiB, as cfn-lint's schema has them from the ECS documentation."""
    # Found without importing cfn-lint, which takes a second.
    folder = Path(importlib.util.find_spec("cfnlint").submodule_search_locations[0])
    file = folder / "data/schemas/extensions/aws_ecs_taskdefinition/fargate_cpu_memory.json"
    schema = json.loads(file.read_text("utf-8"))
    found = {}
    for pair in schema["then"]["anyOf"]:
        cpu, = pair["properties"]["Cpu"]["then"]["enum"]
        memory = pair["properties"]["Memory"]["then"]
        found[int(cpu)] = set(memory.get("enum") or range(
            memory["minimum"], memory["maximum"] + 1, memory["multipleOf"]))
    return found


def test_fargate_has_the_sizes_that_cfn_lint_knows():
    """Every pair of CPU and memory that the linter lets through is known, and no other."""
    assert {cpu: set(sizing.fargate_memories(cpu)) for cpu in sizing.fargate_cpus()} == published()
    for cpu in sizing.fargate_cpus():
        assert list(sizing.fargate_memories(cpu)) == sorted(set(sizing.fargate_memories(cpu)))


@pytest.mark.parametrize(
    ("cpu", "memory", "units", "mib"),
    [
        ("1024", "2048", 1024, 2048),
        ("1 vCPU", "3GB", 1024, 3072),
        ("2vcpu", "0.5 gb", 2048, 512),
        (".25 vCPU", " 16 GB ", 256, 16384),
        ("1 GB", "1 vCPU", None, None),
        ("1.5", "1.5", None, None),
        ("", "", None, None),
        ("-1", "2048 MB", None, None),
    ],
)
def test_sizes_are_read_as_ecs_does(cpu, memory, units, mib):
    """Numbers, vCPUs and GB, with a blank or without; no unit in the other's place."""
    assert (sizing.task_cpu(cpu), sizing.task_memory(memory)) == (units, mib)


def test_a_size_that_fargate_does_not_have_is_none():
    """Another CPU size has no memory, another memory no CPU."""
    assert sizing.fargate_memories(1000) == ()
    assert sizing.fargate_cpus_for(1000) == ()


@pytest.mark.parametrize(("memory", "cpus"), [
    (512, (256,)), (1024, (256, 512)), (2048, (256, 512, 1024)), (4096, (512, 1024, 2048)),
    (8192, (1024, 2048, 4096)), (61440, (8192, 32768)), (122880, (16384, 32768))])
def test_a_memory_size_has_its_cpus(memory, cpus):
    """Both ways through the table agree."""
    assert sizing.fargate_cpus_for(memory) == cpus
    assert all(memory in sizing.fargate_memories(cpu) for cpu in cpus)


@pytest.mark.parametrize(("memory", "percent", "options", "heap"), [
    (2048, 70, (), 1433),
    (1000, 33, (), 330),
    (2048, 70, ("-Xmx1g",), 1024),
    (2048, 70, ("-Xmx1G", "-Xmx512m"), 512),
    (2048, 70, ("-Xmx524288k",), 512),
    (2048, 70, ("-Xmx1073741824",), 1024),
    (2048, 70, ("-XX:MaxRAMPercentage=50",), 1024),
    (2048, 70, ("-XX:MaxRAMPercentage=12.5", "-Xms1g"), 256),
    (2048, 70, ("-Xmx1g", "-XX:MaxRAMPercentage=25"), 512),
    (2048, 70, ("-Xms1g", "-Xss2m", "-Xmx", "-Dx=-Xmx9g"), 1433),
])
def test_the_heap_is_what_the_last_option_says(memory, percent, options, heap):
    """A share of the task's memory, unless an option names a size; options about something else change nothing."""
    assert sizing.heap_mib(memory, percent, options) == heap


@pytest.mark.parametrize(("instance_class", "gib"), [
    ("db.t3.micro", 1), ("db.t4g.micro", 1), ("db.t4g.small", 2), ("db.t4g.medium", 4), ("db.t4g.large", 8),
    ("db.m5.large", 8), ("db.m6g.xlarge", 16), ("db.m7g.large", 8), ("db.m7g.2xlarge", 32), ("db.m8g.48xlarge", 768),
    ("db.r6g.large", 16), ("db.r7g.4xlarge", 128), ("db.m6gd.large", 8)])
def test_an_instance_class_has_its_memory(instance_class, gib):
    """As the RDS User Guide's table of hardware specifications has it."""
    assert sizing.instance_memory_gib(instance_class) == gib


@pytest.mark.parametrize("instance_class", [
    "db.x2g.large", "db.z1d.large", "db.serverless", "db.m7g", "db.m7g.huge", "m7g.large", "db.c6gd.medium",
    "db.m7g.large.x", ""])
def test_a_class_that_nobody_knows_has_no_memory(instance_class):
    """Rather nothing than a guess."""
    assert sizing.instance_memory_gib(instance_class) is None
    assert sizing.max_connections(instance_class) is None


@pytest.mark.parametrize(("instance_class", "connections"), [
    ("db.t4g.micro", 112), ("db.t4g.small", 225), ("db.t4g.medium", 450), ("db.m7g.large", 901),
    ("db.m7g.xlarge", 1802), ("db.r7g.large", 1802), ("db.m7g.4xlarge", 5000), ("db.m7g.24xlarge", 5000)])
def test_a_class_takes_as_many_connections_as_rds_lets_it(instance_class, connections):
    """LEAST(memory in bytes / 9531392, 5000)."""
    assert sizing.max_connections(instance_class) == connections


@pytest.mark.parametrize(("tasks", "maximum"), [
    (1, 200), (2, 150), (3, 134), (4, 125), (6, 117), (7, 115), (8, 113), (64, 102)])
def test_a_rolling_deployment_exchanges_one_node_at_a_time(tasks, maximum):
    """No node is missed meanwhile, and one more is there: ECS rounds the maximum down."""
    assert sizing.deployment_percents(tasks, recreate=False) == (100, maximum)
    assert math.floor(tasks * maximum / 100) == tasks + 1
    assert math.floor(tasks * (maximum - 1) / 100) == tasks


def test_a_recreating_deployment_stops_everything_first():
    """Nodes of two kinds never meet, and nobody is over the number."""
    for tasks in range(1, 65):
        assert sizing.deployment_percents(tasks, recreate=True) == (0, 100)
        assert sizing.tasks_during_deployment(tasks, tasks, recreate=True) == tasks
        assert sizing.tasks_during_deployment(tasks, 64, recreate=True) == 64


@given(tasks=st.integers(1, 64), more=st.integers(0, 64))
def test_never_fewer_nodes_than_one_more(tasks, more):
    """During a rolling deployment there are at least the scaled number and one, and never twice as many and more."""
    during = sizing.tasks_during_deployment(tasks, tasks + more, recreate=False)
    assert tasks + more + 1 <= during <= 2 * (tasks + more)
    if not more:
        assert during == tasks + 1


@pytest.mark.parametrize(("tasks", "most", "during"), [(2, 2, 3), (3, 3, 4), (3, 6, 8), (3, 8, 10), (2, 8, 12)])
def test_a_scaled_service_has_more_nodes_during_a_deployment(tasks, most, during):
    """The percentage comes from the least number, what it gives from the current one."""
    assert sizing.tasks_during_deployment(tasks, most, recreate=False) == during
