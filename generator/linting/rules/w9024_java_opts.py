"""W9024: Java options that throw Keycloak's own away."""

from __future__ import annotations

from collections.abc import Iterator

from generator.linting.rule import Hit, KeycloakRule
from generator.linting.view import Keycloak


class JavaOpts(KeycloakRule):
    """JAVA_OPTS takes the place of all the Java options that Keycloak starts with.

    kc.sh uses `JAVA_OPTS` instead of its own defaults and says so in the log (`JAVA_OPTS already set in
    environment; overriding default settings`). Lost are the heap's share of the memory (and
    `JAVA_OPTS_KC_HEAP` with it), the limit of the metaspace, the garbage collector's settings, and
    `-XX:+ExitOnOutOfMemoryError`: without it a task that is out of memory hangs instead of being replaced.

    `JAVA_OPTS_APPEND` is added to the defaults, `JAVA_OPTS_KC_HEAP` replaces the heap's alone.

    Bad:

        TaskDefinition:
          Properties:
            ContainerDefinitions:
              - Name: keycloak
                Environment:
                  - {Name: JAVA_OPTS, Value: "-Xmx1g"}

    Good:

        TaskDefinition:
          Properties:
            ContainerDefinitions:
              - Name: keycloak
                Environment:
                  - {Name: JAVA_OPTS_KC_HEAP, Value: "-XX:MaxRAMPercentage=60 -XX:InitialRAMPercentage=50"}
    """

    id = "W9024"
    shortdesc = "Java options are added to Keycloak's own"
    source_url = "https://www.keycloak.org/server/containers"

    def judge(self, keycloak: Keycloak) -> Iterator[Hit]:
        one = keycloak.options.variable("JAVA_OPTS")
        if one is None or one.value is not None and not one.value.strip():
            return
        heap = keycloak.options.variable("JAVA_OPTS_KC_HEAP")
        lost = f", and {heap.name} is ignored" if heap is not None else ""
        yield Hit.at(
            one.name_place,
            "Keycloak's own Java options are lost, for the heap, the metaspace and what to do when memory"
            f" runs out: JAVA_OPTS takes their place{lost}",
            "call it JAVA_OPTS_APPEND, and put options about the heap into JAVA_OPTS_KC_HEAP",
        )
