"""W9089: PostgreSQL versions."""

from __future__ import annotations

from collections.abc import Iterator

from generator.keycloak import facts
from generator.linting.rule import Hit, KeycloakRule
from generator.linting.view import Keycloak

_OLDEST_AURORA = 15
"""From 26.4 on (upgrading guide 26.4.0)."""


class PostgresqlVersion(KeycloakRule):
    """The database's PostgreSQL isn't one that the Keycloak version supports.

    On an older one Keycloak may use what it doesn't have, a newer one nobody has tried; either way the
    Keycloak project doesn't help, and the next version may not start. Move the database first, in a step of
    its own: RDS can't go back to an older major version.

    26.5 to 26.7 support 14 to 18, 26.4 13 to 17, Aurora from 15 on. 26.1 to 26.3 were tested with 17, before
    that with 16.

    Bad:

        Database:
          Properties: {EngineVersion: "13.20"}

    Bad (newer than 24 knows):

        TaskDefinition:
          Properties:
            ContainerDefinitions:
              - {Name: keycloak, Image: "quay.io/keycloak/keycloak:24.0.5"}
        Database:
          Properties: {EngineVersion: "17.5"}

    Good:

        Database:
          Properties: {EngineVersion: "17.10"}
    """

    id = "W9089"
    shortdesc = "Keycloak supports the database's PostgreSQL"
    source_url = "https://www.keycloak.org/server/db"

    def judge(self, keycloak: Keycloak) -> Iterator[Hit]:
        database = keycloak.database
        major = database.major if database is not None and database.postgresql else None
        if database is None or major is None or keycloak.version is None or keycloak.at_least(22) is False:
            return
        oldest, newest = facts.postgresql_majors(keycloak.version)
        if database.aurora and keycloak.at_least(26, 4):
            oldest = max(oldest, _OLDEST_AURORA)
        if oldest <= major <= newest:
            return
        what = "may need what it doesn't have" if major < oldest else "was never tried with it"
        yield Hit.at(
            database.properties["EngineVersion"],
            f"Keycloak {keycloak.version} {what}: {database.name} is PostgreSQL {major}, {oldest} to "
            f"{newest} are supported",
            f"take PostgreSQL {newest if major > newest else max(oldest, newest - 1)}, as the first of two "
            "steps",
        )
