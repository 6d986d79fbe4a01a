"""W9087: connections that may be in plain text."""

from __future__ import annotations

from collections.abc import Iterator

from generator.linting.rule import Hit, KeycloakRule
from generator.linting.rules._database import forces_tls, sslmode, sslmode_of_mysql, unencrypted_mssql
from generator.linting.view import Keycloak


class PlainConnection(KeycloakRule):
    """Keycloak may speak to the database in plain text.

    Without `sslmode` the JDBC driver prefers TLS and goes on without it where the server doesn't offer it,
    silently. Then the database's password, users' data and the realms' keys cross the network readable for
    whoever gets between, and somebody between can bring that about. MySQL's driver does the same without
    `sslMode` (PREFERRED). SQL Server's encrypts unless `encrypt=false` says otherwise.

    Bad:

        TaskDefinition:
          Properties:
            ContainerDefinitions:
              - Name: keycloak
                Environment:
                  - {Name: KC_DB_URL_PROPERTIES, Value: "?ApplicationName=sso"}
        DatabaseParameters:
          Properties:
            Parameters: {rds.force_ssl: "0"}

    Bad (MySQL):

        TaskDefinition:
          Properties:
            ContainerDefinitions:
              - Name: keycloak
                Environment:
                  - {Name: KC_DB, Value: mysql}
                  - {Name: KC_DB_URL_PROPERTIES, Value: "?characterEncoding=UTF-8"}
        Database:
          Properties: {Engine: mysql, EngineVersion: "8.4.5", DBParameterGroupName: ~}

    Good:

        TaskDefinition:
          Properties:
            ContainerDefinitions:
              - Name: keycloak
                Environment:
                  - Name: KC_DB_URL_PROPERTIES
                    Value: "?sslmode=verify-full&sslrootcert=/opt/keycloak/conf/rds-bundle.pem"
    """

    id = "W9087"
    shortdesc = "Connections to the database are encrypted"
    source_url = "https://www.keycloak.org/server/db"

    def judge(self, keycloak: Keycloak) -> Iterator[Hit]:
        yield from self._others(keycloak)
        jdbc, database = keycloak.jdbc, keycloak.database
        mode = sslmode(keycloak)
        forced = forces_tls(database) if database is not None else None
        # Where the database insists, disable is an error (E9087) and the others end up encrypted (I9087).
        if mode not in ("disable", "allow", "prefer") or forced is True:
            return
        setting = jdbc.parameters_setting or jdbc.host_setting
        if setting is None:
            return
        said = f"sslmode is {mode}" if "sslmode" in jdbc.parameters else "no sslmode is set"
        yield Hit.at(
            setting.place,
            f"passwords and keys may cross the network in plain text: {said}",
            "write ?sslmode=verify-full&sslrootcert=<file with RDS's certificates> in KC_DB_URL_PROPERTIES "
            "(or db-url)",
        )

    def _others(self, keycloak: Keycloak) -> Iterator[Hit]:
        """What other drivers than PostgreSQL's send without encryption."""
        jdbc, mode = keycloak.jdbc, sslmode_of_mysql(keycloak)
        setting = jdbc.parameters_setting or jdbc.host_setting
        if setting is None:
            return
        if mode in ("DISABLED", "PREFERRED"):
            written = any(name.lower() == "sslmode" for name in jdbc.parameters)
            said = f"sslMode is {mode}" if written or mode == "DISABLED" else "no sslMode is set"
            yield Hit.at(
                setting.place,
                f"users' data and the realms' keys may cross the network in plain text: {said}",
                "write ?sslMode=REQUIRED in KC_DB_URL_PROPERTIES (or db-url), or VERIFY_IDENTITY with a trust store of "
                "RDS's certificates (trustCertificateKeyStoreUrl)",
            )
        elif unencrypted_mssql(keycloak):
            yield Hit.at(
                setting.place,
                f"users' data and the realms' keys {'may ' if keycloak.database is None else ''}cross the network in "
                "plain text: encrypt is "
                f"{next(value for name, value in jdbc.parameters.items() if name.lower() == 'encrypt')}",
                "write encrypt=true, with a trust store of RDS's certificates (trustStore)",
            )
