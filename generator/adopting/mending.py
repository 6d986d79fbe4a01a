"""What stands for a value that can't be carried as it is.

It is one that params take, goes together with what else is drafted, and mends what a rule objects to. It is never
less than before, of capacity as of data, unless too much is what is wrong.
"""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from generator.adopting.draft import default
from generator.keycloak import sizing
from generator.linting.findings import Finding
from generator.params import describe

if TYPE_CHECKING:
    from generator.adopting.scene import Scene

_POOL = "database.pool_size"
_CLASS = "database.create.instance_class"
_STORAGE = "database.create.storage_gb"
_CHECK = "load_balancer.health_check"

_CONNECTIONS = "E9088"
"""The rule about the pools of all tasks."""

_KEYCLOAK_POOL = 100
"""Connections of a pool whose size nobody says (server guide, all-config: db-pool-max-size)."""

_TOO_MUCH = {"load_balancer.deregistration_delay_seconds"}
"""Numbers that rules find too large; others are too small where a rule objects to them."""

_MENDED_AROUND = {
    _STORAGE,
    "service.tasks",
    *(f"{_CHECK}.{one}" for one in ("interval_seconds", "timeout_seconds", "healthy_count", "unhealthy_count")),
}
"""Numbers that stay whatever was found: rendering has storage of a kind that starts small, and one task, or an interval
below its timeout, is mended where the rest of the section is written."""

_REPLACED = {
    "database.create.backup_window",
    "database.create.maintenance_window",
    "keycloak.log.level",
    "load_balancer.tls_policy",
}
"""Texts in whose place the default mends any finding. Others stay: they name what holds data, or who reaches it."""

NEEDED = {
    _STORAGE: "its storage in GiB",
    _CLASS: "its instance class, such as db.m7g.large",
}
"""Values without which the default could be less than what is there -> what they are."""


@dataclass(frozen=True)
class Settled:
    """What is to be written."""

    value: Any
    why: str = ""
    """Why it isn't what stood there, where no finding says so."""
    mended: tuple[Finding, ...] = ()
    """Findings that are gone with it."""


def settled(scene: Scene, key: str, value: Any, found: Sequence[Finding]) -> Settled:
    """What is to be written for a value with findings about it: itself where it is sound, or where what is rendered
    around it mends what was found.
    """
    if key in _OWN:
        return _OWN[key](scene, value, tuple(found))
    if isinstance(value, bool) or not isinstance(value, int):
        replaced = bool(found) and key in _REPLACED
        return Settled(default(key), "", tuple(found)) if replaced else Settled(value)
    near = _near(key, value)
    usual = default(key)
    if key in _MENDED_AROUND or not found or not isinstance(usual, int):
        return near
    return Settled(min(near.value, usual) if key in _TOO_MUCH else max(near.value, usual), near.why, tuple(found))


def _near(key: str, value: int) -> Settled:
    """The nearest number that params take, rather more than less."""
    schema = describe.schema_at(tuple(key.split(".")))
    (schema,) = [one for one in schema.get("anyOf", [schema]) if one.get("type") != "null"]
    name = key.rpartition(".")[2]
    if choices := schema.get("enum"):
        near = next((one for one in choices if one >= value), choices[-1])
        return Settled(near, f"{name} takes no {value}")
    least, most = schema.get("minimum", value), schema.get("maximum", value)
    near = min(max(value, least), most)
    return Settled(near, f"{name} takes {f'{most} at most' if near < value else f'{least} or more'}")


def _stop(_: Scene, value: int, found: tuple[Finding, ...]) -> Settled:
    """As long as Keycloak takes, where the rule about that says how long, and never less than usual."""
    key = "service.stop_timeout_seconds"
    if not found:
        return _near(key, value)
    needed = [int(told[1]) for one in found if (told := re.search(r"StopTimeout: (\d+)", one.fix or ""))]
    near = _near(key, max(value, default(key), *needed))
    too_long = [one for one in found if one.rule == "E9062" and not needed]
    return Settled(near.value, near.why, tuple(one for one in found if one not in too_long))


def _zones(scene: Scene, value: bool, found: tuple[Finding, ...]) -> Settled:
    """ECS rebalances only where a deployment has room for more tasks, which rolling ones have."""
    if scene.drafted("service.deployment") == "recreate":
        return Settled(False, "ECS refuses it with the percentages of deployment: recreate", found)
    return Settled(value)


def _most_storage(scene: Scene, value: int, found: tuple[Finding, ...]) -> Settled:
    least = math.ceil(scene.drafted(_STORAGE) * 11 / 10)
    near = _near("database.create.max_storage_gb", max(value, least))
    return Settled(near.value, "RDS wants a tenth more than storage_gb", found)


def _pool(scene: Scene, value: int, found: tuple[Finding, ...]) -> Settled:
    """The largest pool, up to theirs, that all tasks of a deployment may have; theirs where not even two go."""
    near = _near(_POOL, value)
    room, tasks = _room(scene), _tasks_at_once(scene)
    if room is None or near.value * tasks <= room or room // tasks < 2:
        return near
    why = f"with it, {tasks} tasks of a deployment would open more connections than the database takes"
    return Settled(room // tasks, why, found)


def _room(scene: Scene) -> int | None:
    """Connections that are free for the pools in the database as it is; None where it isn't known."""
    database = scene.keycloak.database
    described = (scene.facts.get("database") or {}).get("instance_class")
    classes = [described, *(database.instance_classes if database is not None else ())]
    limits = [sizing.max_connections(one) for one in classes if one]
    known = [one for one in (database.max_connections if database else None, *limits) if one is not None]
    return min(known) - sizing.RESERVED_CONNECTIONS if known else None


def _tasks_at_once(scene: Scene) -> int:
    """Tasks that exist while a deployment of what is drafted runs."""
    tasks = scene.drafted("service.tasks")
    most = scene.drafted("service.autoscaling.max_tasks") or tasks
    return sizing.tasks_during_deployment(tasks, most, scene.drafted("service.deployment") == "recreate")


def _instance(scene: Scene, value: str, found: tuple[Finding, ...]) -> Settled:
    """Theirs, with a pool that it takes; the next larger class that takes the pool where none fits theirs."""
    told = tuple(one for one in found if one.rule == _CONNECTIONS)
    if not scene.draft.has(_POOL):
        usual = _KEYCLOAK_POOL if told else default(_POOL)
        pool = _pool(scene, usual, told)
        if pool.value < usual:
            reason = scene.reason(list(told)) or pool.why
            scene.correct(_POOL, pool.value, f"was {usual}, which nobody had set; {reason}")
    wanted = scene.drafted(_POOL) * _tasks_at_once(scene) + sizing.RESERVED_CONNECTIONS
    most = sizing.max_connections(value)
    if most is None or most >= wanted:
        return Settled(value)
    enough = [one for one in sizing.larger_classes(value) if (sizing.max_connections(one) or 0) >= wanted]
    why = f"it takes {most} connections, and the tasks of a deployment open {wanted}"
    return Settled(enough[0] if enough else value, why, told)


_OWN: dict[str, Callable[[Scene, Any, tuple[Finding, ...]], Settled]] = {
    "service.stop_timeout_seconds": _stop,
    "service.zone_rebalancing": _zones,
    "database.create.max_storage_gb": _most_storage,
    _POOL: _pool,
    _CLASS: _instance,
}


def task_size(scene: Scene, cpu: int | None, memory: int | None) -> tuple[int, int]:
    """(CPU units, MiB): Fargate's smallest size that is no smaller than theirs in either and has room for the heap.

    What isn't known of theirs counts as the default.
    """
    heap = scene.drafted("keycloak.heap_percent")
    cpu, memory = cpu or default("service.cpu"), memory or default("service.memory")
    sizes = [(units, mib) for units in sizing.fargate_cpus() for mib in sizing.fargate_memories(units)]
    enough = (
        (units, mib)
        for units, mib in sizes
        if units >= cpu
        and mib >= max(memory, sizing.SENSIBLE_MEMORY_MIB)
        and mib * heap // 100 + sizing.NON_HEAP_MIB <= mib
    )
    return next(enough, sizes[-1])
