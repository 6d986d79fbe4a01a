"""I9087: a database whose certificate nobody looks at."""

from __future__ import annotations

from collections.abc import Iterator

from generator.linting.rule import Hit, KeycloakRule
from generator.linting.rules._database import forces_tls, sslmode
from generator.linting.view import Keycloak


class UnverifiedServer(KeycloakRule):
    """Keycloak doesn't check that it is the database that it speaks to.

    With `sslmode=require` the connection is encrypted, with whomever. `verify-full` compares the certificate
    and the host name. RDS's certificates have to be in the image for that: its bundle in a file that
    `sslrootcert` names, so Keycloak's own image is not enough.

    Bad:

        TaskDefinition:
          Properties:
            ContainerDefinitions:
              - Name: keycloak
                Environment:
                  - {Name: KC_DB_URL_PROPERTIES, Value: "?sslmode=require"}

    Good:

        TaskDefinition:
          Properties:
            ContainerDefinitions:
              - Name: keycloak
                Environment:
                  - Name: KC_DB_URL_PROPERTIES
                    Value: "?sslmode=verify-full&sslrootcert=/opt/keycloak/conf/rds-bundle.pem"
    """

    id = "I9087"
    shortdesc = "Keycloak checks that it speaks to its database"
    source_url = "https://www.keycloak.org/server/db"

    def judge(self, keycloak: Keycloak) -> Iterator[Hit]:
        jdbc, database = keycloak.jdbc, keycloak.database
        mode = sslmode(keycloak)
        forced = forces_tls(database) if database is not None else None
        setting = jdbc.parameters_setting or jdbc.host_setting
        encrypted = mode in ("require", "verify-ca") or mode in ("allow", "prefer") and forced is True
        if setting is None or not encrypted:
            return
        what = "the certificate's name isn't compared" if mode == "verify-ca" else "nobody looks at the certificate"
        yield Hit.at(
            setting.place,
            f"somebody between Keycloak and its database is not noticed: {what}",
            "write sslmode=verify-full&sslrootcert=<file with RDS's certificates>, and put that file into "
            "the image",
        )
