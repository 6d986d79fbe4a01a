"""W9065: a heap that leaves too little beside it."""

from __future__ import annotations

from collections.abc import Iterator

from generator.keycloak.sizing import NON_HEAP_MIB
from generator.linting.rule import Hit, KeycloakRule
from generator.linting.rules._ecs import heap, room
from generator.linting.view import Keycloak


class HeapWithoutRoom(KeycloakRule):
    """The Java heap leaves too little of the memory for the rest of the process.

    Beside its heap a Keycloak needs about 300 MiB for classes, threads and buffers (the guide on sizing
    counts with that). Where the two together are more than the container has, the container is killed once
    the heap is full: exit code 137, under load, and nothing about it in Keycloak's log.

    Bad:

        TaskDefinition:
          Properties:
            Memory: "2048"
            ContainerDefinitions:
              - Name: keycloak
                Environment:
                  - {Name: JAVA_OPTS_KC_HEAP, Value: "-XX:MaxRAMPercentage=90"}

    Bad (a small task with the heap's default):

        TaskDefinition:
          Properties:
            Cpu: "256"
            Memory: "512"
            ContainerDefinitions:
              - {Name: keycloak, Image: "quay.io/keycloak/keycloak:26.7.4"}

    Good:

        TaskDefinition:
          Properties:
            Memory: "2048"
            ContainerDefinitions:
              - Name: keycloak
                Environment:
                  - {Name: JAVA_OPTS_KC_HEAP, Value: "-XX:MaxRAMPercentage=70"}
    """

    id = "W9065"
    shortdesc = "The Java heap leaves 300 MiB for the rest of the process"
    source_url = "https://www.keycloak.org/high-availability/multi-cluster/concepts-memory-and-cpu-sizing"

    def judge(self, keycloak: Keycloak) -> Iterator[Hit]:
        found, memory = heap(keycloak), room(keycloak)
        # Where the heap alone is too large, E9065 speaks.
        if found is None or memory is None or not memory - NON_HEAP_MIB < found.mib < memory:
            return
        fits = (memory - NON_HEAP_MIB) * 100 // memory
        yield Hit.at(
            found.place,
            f"the task may be killed under load (exit code 137): a heap of {found.mib} MiB ({found.words}) "
            "and about "
            f"{NON_HEAP_MIB} MiB beside it don't fit into {memory} MiB",
            f"write -XX:MaxRAMPercentage={min(fits, 70)} in JAVA_OPTS_KC_HEAP, or give the task more memory"
            if fits >= 50
            else "give the task more memory, 2048 MiB for a small production",
        )
