"""E9087: connections without TLS to a database that wants it."""

from __future__ import annotations

from collections.abc import Iterator

from generator.linting.rule import Hit, KeycloakRule
from generator.linting.rules._database import forces_tls, sslmode
from generator.linting.view import Keycloak


class TlsRefused(KeycloakRule):
    """Keycloak asks for a connection without TLS, and the database takes none.

    PostgreSQL on RDS refuses connections without TLS from 15 on unless `rds.force_ssl` is 0 (Aurora from 17
    on). With `sslmode=disable` no task starts: `no pg_hba.conf entry for host ..., no encryption`.

    Bad:

        TaskDefinition:
          Properties:
            ContainerDefinitions:
              - Name: keycloak
                Environment:
                  - {Name: KC_DB_URL_PROPERTIES, Value: "?sslmode=disable"}

    Good:

        TaskDefinition:
          Properties:
            ContainerDefinitions:
              - Name: keycloak
                Environment:
                  - Name: KC_DB_URL_PROPERTIES
                    Value: "?sslmode=verify-full&sslrootcert=/opt/keycloak/conf/rds-bundle.pem"
    """

    id = "E9087"
    shortdesc = "Keycloak speaks TLS to a database that asks for it"
    source_url = "https://docs.aws.amazon.com/AmazonRDS/latest/UserGuide/PostgreSQL.Concepts.General.SSL.html"

    def judge(self, keycloak: Keycloak) -> Iterator[Hit]:
        setting, database = keycloak.jdbc.parameters_setting, keycloak.database
        if setting is None or database is None or sslmode(keycloak) != "disable":
            return
        if forces_tls(database) is True:
            yield Hit.at(
                setting.place,
                f"no task starts (no pg_hba.conf entry ..., no encryption): {database.name} refuses "
                "connections without TLS",
                "write sslmode=verify-full and sslrootcert with RDS's certificates, at the least "
                "sslmode=require",
            )
