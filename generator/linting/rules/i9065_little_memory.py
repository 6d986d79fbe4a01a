"""I9065: less memory than a production should have."""

from __future__ import annotations

from collections.abc import Iterator

from generator.linting.rule import Hit, KeycloakRule
from generator.linting.rules._ecs import memory_place, room
from generator.linting.view import Keycloak

_RECOMMENDED = 2048


class LittleMemory(KeycloakRule):
    """Keycloak has less memory than the container guide recommends for production.

    The guide names 2 GB for a small production-ready deployment and 750 MB as the least. With less Keycloak
    runs (26.7.4 is ready with about 500 MiB), but caches and bursts of logins find little room: more time
    goes into collecting garbage, and answers take longer.

    Bad:

        TaskDefinition:
          Properties: {Cpu: "512", Memory: "1024"}

    Good:

        TaskDefinition:
          Properties: {Cpu: "1024", Memory: "2048"}
    """

    id = "I9065"
    shortdesc = "Keycloak has at least 2 GiB of memory in production"
    source_url = "https://www.keycloak.org/server/containers"

    def judge(self, keycloak: Keycloak) -> Iterator[Hit]:
        memory = room(keycloak)
        if memory is None or memory >= _RECOMMENDED or keycloak.dev:
            return
        yield Hit.at(
            memory_place(keycloak),
            f"little room for caches and bursts of logins: Keycloak has {memory} MiB, the guide recommends "
            f"{_RECOMMENDED} MiB for a small production",
            f'write Memory: "{_RECOMMENDED}" for production; for trying things out it is fine',
        )
