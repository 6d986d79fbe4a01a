"""E9019: data that dies with its task."""

from __future__ import annotations

from collections.abc import Iterator

from generator.linting.rule import Hit, KeycloakRule
from generator.linting.rules import _options as ask
from generator.linting.view import Keycloak

_START = ("start", "start-dev")


class NoDatabase(KeycloakRule):
    """Keycloak keeps its data in the task, or doesn't know which kind of database it has.

    Without `db`, and with `dev-file` or `dev-mem`, realms, users and keys are in an H2 database inside the
    container. ECS replaces tasks at each deployment and whenever it has to: everything is gone then, and each
    of several tasks has data of its own. With the URL of another database but without `db`, the server
    doesn't start at all: the driver is H2's.

    The rule says nothing about an image of one's own that leaves `db` out, since it may be built in, nor
    about a `dev-file` where a volume is mounted.

    Bad (in memory):

        TaskDefinition:
          Properties:
            ContainerDefinitions:
              - Name: keycloak
                Image: quay.io/keycloak/keycloak:26.7.4
                Command: [start]
                Environment:
                  - {Name: KC_DB, Value: dev-mem}

    Bad (a host, but not the kind):

        TaskDefinition:
          Properties:
            ContainerDefinitions:
              - Name: keycloak
                Image: quay.io/keycloak/keycloak:26.7.4
                Command: [start]

    Good:

        TaskDefinition:
          Properties:
            ContainerDefinitions:
              - Name: keycloak
                Image: quay.io/keycloak/keycloak:26.7.4
                Command: [start]
                Environment:
                  - {Name: KC_DB, Value: postgres}
    """

    id = "E9019"
    shortdesc = "Keycloak keeps its data in a database outside of the task"
    source_url = "https://www.keycloak.org/server/db"

    def judge(self, keycloak: Keycloak) -> Iterator[Hit]:
        if keycloak.command.verb not in _START:
            return
        one, url = ask.given(keycloak, "db"), ask.given(keycloak, "db-url")
        mounted = bool(keycloak.container["MountPoints"])
        if one is not None:
            if one.value == "dev-mem" or one.value == "dev-file" and not mounted:
                yield Hit.at(
                    one.place,
                    f"all realms and users are lost with the task: {one.value} keeps them inside the"
                    " container",
                    "write postgres"
                    + (" and the database's address" if not ask.given(keycloak, "db-url-host") else ""),
                )
            return
        if not ask.absent(keycloak, "db") or mounted:
            return
        found = keycloak.options.get("db")
        place = found.place if found is not None else keycloak.environment_place
        vendor = keycloak.jdbc.vendor
        if url is not None and (
            url.value is None or not vendor or vendor.startswith("h2") or "jdbc:h2" in url.value
        ):
            return
        if url is not None:
            effect = (
                f"no task ever starts: {url.name} is the URL of another database, and without db the driver"
                " is H2's"
            )
        else:
            effect = (
                "all realms and users are lost with the task: without db Keycloak keeps them in a file"
                " inside it"
            )
        yield Hit.at(place, effect, f"write {ask.entry('db', 'postgres')}")
