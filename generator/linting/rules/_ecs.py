"""What several rules about tasks and services ask."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import NamedTuple

from generator.linting.view import Keycloak
from generator.linting.view.services import Service
from generator.linting.view.settings import JAVA_BEFORE, JAVA_BEHIND
from generator.resolving import Place

_LARGEST = re.compile(r"(?<!\S)-(?:Xmx|XX:MaxHeapSize=)(\d{1,15})([kKmMgG]?)(?!\S)")
_PERCENT = re.compile(r"(?<!\S)-XX:MaxRAMPercentage=(\d{1,3}(?:\.\d{1,9})?)(?!\S)")
_FACTOR = {"": 1, "k": 2**10, "m": 2**20, "g": 2**30}

_DEFAULT_PERCENT = 70
"""Share of the container's memory that the heap may take (server guide, containers.adoc, from 24 on)."""
_DEFAULT_HEAP = 512
"""MiB of the largest heap before that (kc.sh of 22 and 23)."""


class Heap(NamedTuple):
    """The largest Java heap of a container."""

    mib: int
    words: str
    """What says so, to be quoted."""
    place: Place
    """Where it is written; where memory is decided if nothing says so."""


def heap(keycloak: Keycloak) -> Heap | None:
    """The largest heap; None where it can't be told.

    JAVA_OPTS replaces all that kc.sh would give, JAVA_OPTS_KC_HEAP its heap alone, JAVA_OPTS_APPEND comes
    behind; what Java itself reads (JAVA_TOOL_OPTIONS) comes before all of it. Of several sizes the last one wins,
    and a size wins over a percentage, wherever it stands (HotSpot: MaxRAMPercentage counts where MaxHeapSize isn't
    set).
    """
    options, memory = keycloak.options, keycloak.memory
    if not options.java_complete or memory is None:
        return None
    replaced = options.variable("JAVA_OPTS")
    names = ("JAVA_OPTS",) if replaced else ("JAVA_OPTS_KC_HEAP",)
    first = list(_heaps(keycloak, memory, JAVA_BEFORE))
    later = list(_heaps(keycloak, memory, (*names, "JAVA_OPTS_APPEND", *JAVA_BEHIND)))
    default = not replaced and not options.variable("JAVA_OPTS_KC_HEAP")
    newer = keycloak.at_least(24)
    if default and not any(one.size for one in later) and (newer is not True or not later):
        # What kc.sh gives stands behind `first`: a percentage, up to 23 a size, which wins over a percentage behind it.
        sizes = [one for one in first if one.size]
        return sizes[-1].heap if sizes and newer else _default(keycloak, memory)
    found = [*first, *later]
    return next((one.heap for one in reversed(found) if one.size), found[-1].heap) if found else None


class _Said(NamedTuple):
    heap: Heap
    size: bool
    """Whether it is a size; a percentage otherwise."""


def _heaps(keycloak: Keycloak, memory: int, variables: tuple[str, ...]) -> Iterator[_Said]:
    """What variables say about the largest heap, in their order."""
    for name in variables:
        setting = keycloak.options.variable(name)
        text = (setting.value or "") if setting else ""
        place = setting.place if setting else keycloak.container
        for found in _LARGEST.finditer(text):
            yield _Said(Heap(int(found[1]) * _FACTOR[found[2].lower()] // 2**20, found[0], place), True)
        for found in _PERCENT.finditer(text):
            yield _Said(Heap(int(memory * float(found[1]) / 100), found[0], place), False)


def _default(keycloak: Keycloak, memory: int) -> Heap | None:
    newer = keycloak.at_least(24)
    if not keycloak.image.stock or newer is None:
        return None
    if newer:
        words = f"the default, {_DEFAULT_PERCENT} percent of {memory} MiB"
        return Heap(memory * _DEFAULT_PERCENT // 100, words, memory_place(keycloak))
    return Heap(_DEFAULT_HEAP, "the default", memory_place(keycloak))


def memory_place(keycloak: Keycloak) -> Place:
    """Where its memory is decided; only to be asked where `keycloak.memory` is known."""
    place = keycloak.container["Memory"]
    return place if place else keycloak.task_properties["Memory"]


def room(keycloak: Keycloak) -> int | None:
    """MiB that are left to the container: its own limit, else the task's without what the other containers
    have for themselves."""
    memory = keycloak.memory
    if memory is None or keycloak.container["Memory"]:
        return memory
    others = [one for one in keycloak.task_properties["ContainerDefinitions"] if one.path != keycloak.path]
    kept = [one["Memory"].integer or one["MemoryReservation"].integer or 0 for one in others]
    return memory - sum(kept)


def alone(keycloak: Keycloak) -> bool:
    """Whether it is the only container of its task."""
    return sum(1 for _ in keycloak.task_properties["ContainerDefinitions"]) == 1


def rolls(service: Service) -> bool | None:
    """Whether ECS replaces its tasks as the percents say; None where that can't be told."""
    answers = []
    for place, right in (
        (service.properties["DeploymentController"]["Type"], "ECS"),
        (service.properties["DeploymentConfiguration"]["Strategy"], "ROLLING"),
        (service.properties["SchedulingStrategy"], "REPLICA"),
    ):
        answers.append(True if not place else None if place.text is None else place.text == right)
    return False if False in answers else None if None in answers else True


def written(*places: Place) -> Place:
    """The first place at which something is written; the last one if there is none."""
    return next((one for one in places if one), places[-1])
