"""Sizes that belong together: Fargate's CPU and memory, the Java heap, the database's connections."""

from __future__ import annotations

import math
import re

NON_HEAP_MIB = 300
"""Memory a Keycloak JVM needs beside its heap (Keycloak guide "Concepts for sizing CPU and memory resources")."""

SENSIBLE_MEMORY_MIB = 1024
"""A ready 26.7.4 with a heap of 512 MiB held 400 to 530 MiB (measured); less than 1 GiB leaves no room."""

RESERVED_CONNECTIONS = 10
"""Kept free of the pool: RDS's own sessions, superuser_reserved_connections (3) and somebody with psql."""

_FARGATE = {
    256: (512, 1024, 2048),
    512: tuple(range(1024, 4097, 1024)),
    1024: tuple(range(2048, 8193, 1024)),
    2048: tuple(range(4096, 16385, 1024)),
    4096: tuple(range(8192, 30721, 1024)),
    8192: tuple(range(16384, 61441, 4096)),
    16384: tuple(range(32768, 122881, 8192)),
    32768: (61440, 122880, 249856),
}
"""CPU units -> memory in MiB that Fargate runs (Amazon ECS Developer Guide, "Task CPU and memory")."""

_MEMORY_GIB_BY_SIZE = {"micro": 1, "small": 2, "medium": 4, "large": 8, "xlarge": 16}
"""Memory of t3, t4g, m5 to m8g classes; memory-optimised families (r, x) hold twice that (Amazon RDS User Guide)."""


def task_cpu(text: str) -> int | None:
    """CPU units of a task as its definition writes them: `1024`, `1 vCPU` or `.5 vcpu`; None for anything else.

    Source: Amazon ECS API reference, RegisterTaskDefinition (cpu: units, or a text with vCPUs).
    """
    return _amount(text, "vcpu")


def task_memory(text: str) -> int | None:
    """MiB of a task as its definition writes them: `2048`, `2GB` or `0.5 GB`; None for anything else.

    Source: Amazon ECS API reference, RegisterTaskDefinition (memory: MiB, or a text with GB).
    """
    return _amount(text, "gb")


def _amount(text: str, unit: str) -> int | None:
    """A whole number, or one of whatever is 1024 with its unit behind it."""
    if re.fullmatch(r"\s*[0-9]{1,9}\s*", text):
        return int(text)
    match = re.fullmatch(rf"\s*([0-9]{{0,6}}\.?[0-9]{{1,9}})\s*{unit}\s*", text, re.IGNORECASE)
    return int(float(match[1]) * 1024) if match else None


def fargate_cpus() -> tuple[int, ...]:
    """CPU units that Fargate offers."""
    return tuple(_FARGATE)


def fargate_memories(cpu: int) -> tuple[int, ...]:
    """Memory sizes in MiB that go with `cpu` units; empty for a CPU size that Fargate doesn't have."""
    return _FARGATE.get(cpu, ())


def fargate_cpus_for(memory: int) -> tuple[int, ...]:
    """CPU sizes that go with `memory` MiB."""
    return tuple(cpu for cpu, memories in _FARGATE.items() if memory in memories)


def heap_mib(memory: int, heap_percent: int, jvm_options: tuple[str, ...]) -> int:
    """Largest heap in MiB: the last -Xmx or MaxRAMPercentage of `jvm_options`, else `heap_percent` of `memory`."""
    heap = memory * heap_percent // 100
    for option in jvm_options:
        if match := re.fullmatch(r"-Xmx(\d+)([kKmMgG]?)", option):
            factor = {"": 1, "k": 2**10, "m": 2**20, "g": 2**30}[match[2].lower()]
            heap = int(match[1]) * factor // 2**20
        elif match := re.fullmatch(r"-XX:MaxRAMPercentage=(\d+(?:\.\d+)?)", option):
            heap = int(memory * float(match[1]) / 100)
    return heap


def instance_memory_gib(instance_class: str) -> int | None:
    """Memory of an RDS instance class in GiB; None for a class this table doesn't know."""
    match = re.fullmatch(r"db\.([a-z])[a-z0-9-]*\.(?:(\d+)?xlarge|micro|small|medium|large)", instance_class)
    if not match or match[1] not in "tmr":
        return None
    size = instance_class.rsplit(".", 1)[1]
    gib = _MEMORY_GIB_BY_SIZE.get(size) or int(match[2]) * _MEMORY_GIB_BY_SIZE["xlarge"]
    return gib * 2 if match[1] == "r" else gib


_SIZES = ("micro", "small", "medium", "large", "xlarge", *(f"{number}xlarge" for number in (2, 4, 8, 12, 16)))
"""Sizes of instance classes, smallest first; t3 and t4g end at 2xlarge, the others begin at large."""


def larger_classes(instance_class: str) -> tuple[str, ...]:
    """Larger classes of the same family, smallest first; empty for a class this table doesn't know.

    Source: Amazon RDS User Guide, "DB instance classes": t3 and t4g go from micro to 2xlarge.
    """
    if instance_memory_gib(instance_class) is None:
        return ()
    family, _, size = instance_class.rpartition(".")
    known = _SIZES[:6] if family.startswith("db.t") else _SIZES
    return tuple(f"{family}.{one}" for one in known[known.index(size) + 1 :]) if size in known else ()


def max_connections(instance_class: str) -> int | None:
    """RDS's default max_connections of PostgreSQL, LEAST(memory in bytes / 9531392, 5000); None if unknown.

    Source: AWS prescriptive guidance on PostgreSQL parameters; the real value is some percent lower, since RDS counts
    the memory that the operating system leaves, which RESERVED_CONNECTIONS doesn't cover: treat it as a ceiling.
    """
    gib = instance_memory_gib(instance_class)
    return None if gib is None else min(gib * 2**30 // 9531392, 5000)


def deployment_percents(tasks: int, recreate: bool) -> tuple[int, int]:
    """(MinimumHealthyPercent, MaximumPercent) that replace one of `tasks` nodes at a time, or all at once.

    ECS rounds the minimum up and the maximum down (API reference, DeploymentConfiguration), so the maximum is the
    smallest whole percentage that leaves room for one more task.
    """
    if recreate:
        return 0, 100
    return 100, math.ceil(100 * (tasks + 1) / tasks)


def tasks_during_deployment(tasks: int, max_tasks: int, recreate: bool) -> int:
    """Most tasks that exist at once: percentages come from the least number, the surplus from the current one."""
    return max_tasks * deployment_percents(tasks, recreate)[1] // 100
