"""E9013: several tasks that don't know of each other."""

from __future__ import annotations

from collections.abc import Iterator

from generator.linting.rule import Hit, KeycloakRule
from generator.linting.view import Keycloak


class NoCluster(KeycloakRule):
    """Several tasks run, each with caches of its own.

    With `cache=local`, and with `start-dev`, which has it by default, nodes don't tell each other anything. A
    login that another task goes on with ends in an error, as the login's state lies in the first one's
    memory; what an administrator changes (a client, a role, a disabled user) is unknown to the other tasks
    until their caches expire; brute force detection counts on each task from zero.

    Bad:

        TaskDefinition:
          Properties:
            ContainerDefinitions:
              - Name: keycloak
                Environment:
                  - {Name: KC_CACHE, Value: local}

    Bad (the development mode):

        TaskDefinition:
          Properties:
            ContainerDefinitions:
              - Name: keycloak
                Command: [start-dev]
                Environment:
                  - {Name: KC_CACHE, Value: ~}

    Good:

        TaskDefinition:
          Properties:
            ContainerDefinitions:
              - Name: keycloak
                Command: [start, --optimized]
                Environment:
                  - {Name: KC_CACHE, Value: ispn}
    """

    id = "E9013"
    shortdesc = "Several tasks form a cluster"
    source_url = "https://www.keycloak.org/server/caching"

    def judge(self, keycloak: Keycloak) -> Iterator[Hit]:
        most = keycloak.most_tasks
        if keycloak.clustered is not False or most is None or most < 2:
            return
        cache = keycloak.options.get("cache")
        if cache is not None:
            yield Hit.at(
                cache.place,
                f"logins fail at random and changes reach one task only: {most} tasks run with caches of"
                f" their own ({cache.name} is {cache.value})",
                f"write ispn as the value of {cache.name}" if not cache.argument else "write --cache=ispn",
            )
        elif keycloak.dev:
            yield Hit.at(
                keycloak.command.place,
                f"logins fail at random and changes reach one task only: start-dev has no cluster, and {most}"
                " tasks run",
                "write start instead of start-dev",
            )
