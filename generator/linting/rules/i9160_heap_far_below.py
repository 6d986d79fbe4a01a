"""I9160: memory that is paid for and never used."""

from __future__ import annotations

from collections.abc import Iterator

from generator.keycloak.sizing import NON_HEAP_MIB
from generator.linting.rule import Hit, KeycloakRule
from generator.linting.rules._ecs import alone, heap, room
from generator.linting.view import Keycloak


class HeapFarBelow(KeycloakRule):
    """The Java heap can never use most of the memory that is paid for.

    A fixed -Xmx stays where it was when the task got more memory. The caches and the heap then have as little
    as before, while Fargate charges for all of it.

    Bad:

        TaskDefinition:
          Properties:
            Memory: "8192"
            ContainerDefinitions:
              - Name: keycloak
                Environment:
                  - {Name: JAVA_OPTS_APPEND, Value: -Xmx1g}

    Good:

        TaskDefinition:
          Properties:
            Memory: "8192"
            ContainerDefinitions:
              - Name: keycloak
                Environment:
                  - {Name: JAVA_OPTS_APPEND, Value: "-XX:MaxRAMPercentage=70"}
    """

    id = "I9160"
    shortdesc = "The Java heap uses the memory there is"
    source_url = "https://www.keycloak.org/server/containers"

    def judge(self, keycloak: Keycloak) -> Iterator[Hit]:
        found, memory = heap(keycloak), room(keycloak)
        if found is None or memory is None or not alone(keycloak):
            return
        if memory < 2048 or (found.mib + NON_HEAP_MIB) * 2 > memory:
            return
        yield Hit.at(
            found.place,
            f"more than half of the memory is paid for and never used: the heap may grow to {found.mib} MiB "
            f"({found.words}), the task has {memory} MiB",
            "write -XX:MaxRAMPercentage=70 in JAVA_OPTS_KC_HEAP instead of a size, or give the task less "
            "memory",
        )
