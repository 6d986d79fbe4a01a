"""What ECS' service scheduler does next: which task to start, which to stop. Decisions only, no Docker.

Sources: the ECS developer guide and API reference on services ("minimumHealthyPercent", "maximumPercent": the
lower limit is rounded up, the upper one down and counts tasks that are RUNNING or PENDING, so not those that are
stopping; an unhealthy task's replacement is started first where the upper limit leaves room).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace

from generator.rehearsing.topology import Service


@dataclass(frozen=True)
class Wanted:
    """The service as it should be."""

    tasks: int
    revision: int = 1
    """Counts deployments."""
    changes: Mapping[str, str] = field(default_factory=dict)
    """Environment variables in which this revision differs from the template's."""


@dataclass(frozen=True)
class Task:
    """A task that is not stopped."""

    slot: str
    revision: int
    phase: str
    """`starting`, `running` or `stopping`."""
    started: float
    healthy: bool = False
    """Well by its own health check and, where there is one, by the balancer's."""
    failing: bool = False
    """Found unhealthy: to be replaced."""


@dataclass(frozen=True)
class Start:
    """Start a task in a slot."""

    slot: str
    revision: int


@dataclass(frozen=True)
class Stop:
    """Stop the task in a slot."""

    slot: str
    reason: str


def decide(service: Service, wanted: Wanted, tasks: Sequence[Task], free: Sequence[str]) -> list[Start | Stop]:
    """What to do now. `free` are the slots that may be used, in that order."""
    limits = replace(service, desired=wanted.tasks)
    living = sorted((task for task in tasks if task.phase != "stopping"), key=lambda task: task.started)
    new = [task for task in living if task.revision == wanted.revision]
    old = [task for task in living if task.revision != wanted.revision]
    decisions: list[Start | Stop] = []

    missing = wanted.tasks - sum(not task.failing for task in new)
    room = limits.at_most - len(living)
    starting = max(0, min(missing, room, len(free)))
    decisions += [Start(slot, wanted.revision) for slot in free[:starting]]

    well = sum(task.healthy for task in living)
    for task in new:
        if not task.failing:
            continue
        # Its replacement comes first, as long as there is room for one more.
        replaced = sum(not other.failing for other in new) >= wanted.tasks
        if replaced or room < 1:
            decisions.append(Stop(task.slot, "it is unhealthy"))
    for task in old:
        # One that hasn't started yet, or is found unhealthy, serves nobody: stopping it breaks no promise. One that
        # only missed a check of the balancer's may still serve.
        if task.failing or task.phase == "starting" or well - task.healthy >= limits.at_least:
            decisions.append(Stop(task.slot, "a newer deployment replaces it"))
            well -= task.healthy
    if not old:
        surplus = [task for task in new if not task.failing][wanted.tasks:]
        decisions += [Stop(task.slot, "fewer tasks are wanted") for task in reversed(surplus)]
    return decisions


def settled(wanted: Wanted, tasks: Sequence[Task]) -> bool:
    """Whether there are exactly the tasks that are wanted, all of the newest revision and well."""
    return (len(tasks) == wanted.tasks
            and all(task.revision == wanted.revision and task.phase == "running" and task.healthy for task in tasks))
