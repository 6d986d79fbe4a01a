"""E9170: the database's port."""

from __future__ import annotations

from collections.abc import Iterator

from generator.linting.rule import Hit, KeycloakRule
from generator.linting.rules._database import postgresql
from generator.linting.view import Keycloak
from generator.linting.view.databases import PROXY


class DatabasePort(KeycloakRule):
    """Keycloak asks the database at a port where it doesn't listen.

    No task starts: "Connection refused" or "Connect timed out". PostgreSQL's port is 5432 unless the instance
    or cluster has another one; `!GetAtt Database.Endpoint.Port` is always right. With `db-url` the port has
    to be in the URL: `db-url-port` is ignored then.

    Bad:

        TaskDefinition:
          Properties:
            ContainerDefinitions:
              - Name: keycloak
                Environment:
                  - {Name: KC_DB_URL_PORT, Value: "5433"}

    Bad (in the URL):

        TaskDefinition:
          Properties:
            ContainerDefinitions:
              - Name: keycloak
                Environment:
                  - Name: KC_DB_URL
                    Value: !Sub "jdbc:postgresql://${Database.Endpoint.Address}:3306/keycloak"

    Good:

        TaskDefinition:
          Properties:
            ContainerDefinitions:
              - Name: keycloak
                Environment:
                  - {Name: KC_DB_URL_PORT, Value: !GetAtt Database.Endpoint.Port}
    """

    id = "E9170"
    shortdesc = "Keycloak asks the database at its port"
    source_url = "https://www.keycloak.org/server/db"

    def judge(self, keycloak: Keycloak) -> Iterator[Hit]:
        jdbc, database = keycloak.jdbc, keycloak.database
        port = database.port if database else None
        if database is None or port is None or not postgresql(keycloak):
            return
        asked, place = None, None
        if isinstance(jdbc.port, str) and jdbc.port.isdigit() and jdbc.port_setting is not None:
            asked, place = int(jdbc.port[:6]), jdbc.port_setting.place
        elif jdbc.url is None and jdbc.host_setting is not None and keycloak.options.missing("db-url-port"):
            asked, place = 5432, jdbc.host_setting.place
        if asked is not None and place is not None and asked != port:
            yield Hit.at(
                place,
                f"no task starts: Keycloak asks for its database at port {asked}, {database.name} listens on "
                f"{port}",
                f"write {port}"
                if database.resource.type == PROXY
                else f"write {port}, or !GetAtt {database.name}.Endpoint.Port",
            )
