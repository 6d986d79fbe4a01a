"""E9172: which kind of database it is."""

from __future__ import annotations

from collections.abc import Iterator

from generator.linting.rule import Hit, KeycloakRule
from generator.linting.view import Keycloak

# Databases that a driver takes for its own.
_FAMILIES = {
    "postgres": "PostgreSQL", "mysql": "MySQL", "mariadb": "MySQL", "tidb": "MySQL", "mssql": "SQL Server",
    "sqlserver": "SQL Server", "oracle": "Oracle", "dev-file": "H2", "dev-mem": "H2", "h2": "H2",
}


class DatabaseVendor(KeycloakRule):
    """Keycloak speaks another database's language than the database it is sent to.

    `db` chooses the driver and the SQL. It has to fit both the JDBC URL ("Driver does not support the
    provided URL") and the engine that RDS runs; without `db` Keycloak takes its own file database and ignores
    the host. No task starts.

    Bad:

        TaskDefinition:
          Properties:
            ContainerDefinitions:
              - Name: keycloak
                Environment:
                  - {Name: KC_DB, Value: mysql}

    Bad (the URL):

        TaskDefinition:
          Properties:
            ContainerDefinitions:
              - Name: keycloak
                Environment:
                  - {Name: KC_DB, Value: postgres}
                  - {Name: KC_DB_URL, Value: "jdbc:mysql://db.example.com:3306/keycloak"}

    Good:

        TaskDefinition:
          Properties:
            ContainerDefinitions:
              - Name: keycloak
                Environment:
                  - {Name: KC_DB, Value: postgres}
    """

    id = "E9172"
    shortdesc = "Keycloak speaks its database's language"
    source_url = "https://www.keycloak.org/server/db"

    def judge(self, keycloak: Keycloak) -> Iterator[Hit]:
        setting, jdbc, database = keycloak.options.get("db"), keycloak.jdbc, keycloak.database
        chosen = _FAMILIES.get((setting.value or "").lower()) if setting else None
        named = _FAMILIES.get(jdbc.vendor or "") if jdbc.url else None
        runs = None
        if database is not None and database.engine:
            engine = database.engine.lower()
            runs = next((family for name, family in _FAMILIES.items() if name in engine), None)
        said = chosen or named
        if setting is not None and jdbc.url is not None and chosen and named and chosen != named:
            yield Hit.at(
                setting.place,
                f"no task starts: {setting.name} chooses {chosen}, and {jdbc.url.name} is the address of a "
                f"{named} database",
                f"write {jdbc.vendor if named == 'PostgreSQL' else named.lower()}, or the right URL",
            )
        elif database is not None and runs and said and runs != said:
            teller = setting if chosen else jdbc.url
            yield Hit.at(
                teller.place if teller else database.properties,
                f"no task starts: Keycloak speaks {said}, and {database.name} is {runs}",
                "write postgres" if runs == "PostgreSQL" else f"write the name that Keycloak has for {runs}",
            )
