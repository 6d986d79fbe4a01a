"""E9065: a heap that is larger than the memory."""

from __future__ import annotations

from collections.abc import Iterator

from generator.linting.rule import Hit, KeycloakRule
from generator.linting.rules._ecs import heap, room
from generator.linting.view import Keycloak


class HeapAboveMemory(KeycloakRule):
    """The Java heap may grow to more than the container has.

    Java takes the heap that it was allowed as sessions and requests come in, and beside it some hundred MiB
    for its classes, threads and buffers. As soon as the container's memory is used up it is killed without a
    word in its own log: the task stops with exit code 137, "OutOfMemoryError: Container killed due to memory
    usage", under load, when it is needed most.

    Bad:

        TaskDefinition:
          Properties:
            Memory: "2048"
            ContainerDefinitions:
              - Name: keycloak
                Environment:
                  - {Name: JAVA_OPTS_KC_HEAP, Value: -Xms1g -Xmx2g}

    Bad (a sidecar has half of it):

        TaskDefinition:
          Properties:
            Memory: "2048"
            ContainerDefinitions:
              - Name: keycloak
                Environment:
                  - {Name: JAVA_OPTS_KC_HEAP, Value: "-XX:MaxRAMPercentage=70"}
              - {Name: collector, Image: "otel/opentelemetry-collector:0.99.0", Memory: 1024}

    Good:

        TaskDefinition:
          Properties:
            Memory: "2048"
            ContainerDefinitions:
              - Name: keycloak
                Environment:
                  - {Name: JAVA_OPTS_KC_HEAP, Value: "-XX:MaxRAMPercentage=70 -XX:InitialRAMPercentage=50"}
    """

    id = "E9065"
    shortdesc = "The Java heap is smaller than the memory there is"
    source_url = "https://www.keycloak.org/server/containers"

    def judge(self, keycloak: Keycloak) -> Iterator[Hit]:
        found, memory = heap(keycloak), room(keycloak)
        if found is None or memory is None or found.mib < memory:
            return
        yield Hit.at(
            found.place,
            f"the task is killed under load (exit code 137): its heap may grow to {found.mib} MiB "
            f"({found.words}), and it "
            f"has {memory} MiB in all",
            "write -XX:MaxRAMPercentage=70 in JAVA_OPTS_KC_HEAP instead of a size, or give the task more "
            "memory",
        )
