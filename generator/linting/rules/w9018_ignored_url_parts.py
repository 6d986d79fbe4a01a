"""W9018: parts of a database URL that nobody puts together."""

from __future__ import annotations

from collections.abc import Iterator

from generator.linting.rule import Hit, KeycloakRule
from generator.linting.rules import _options as ask
from generator.linting.view import Keycloak

_PARTS = ("db-url-host", "db-url-port", "db-url-database", "db-url-properties")


class IgnoredUrlParts(KeycloakRule):
    """The database's URL is given as a whole and in parts; the parts are ignored.

    Where `db-url` is set, Keycloak uses it as it is and ignores `db-url-host`, `db-url-port`,
    `db-url-database` and `db-url-properties` without a word. Whoever changes a part later changes nothing:
    the server goes on with the old database, or without TLS to it where `sslmode` stands in the properties.

    Bad:

        TaskDefinition:
          Properties:
            ContainerDefinitions:
              - Name: keycloak
                Environment:
                  - {Name: KC_DB_URL, Value: !Sub "jdbc:postgresql://${Database.Endpoint.Address}/keycloak"}
                  - {Name: KC_DB_URL_PORT, Value: "5432"}

    Good:

        TaskDefinition:
          Properties:
            ContainerDefinitions:
              - Name: keycloak
                Environment:
                  - {Name: KC_DB_URL_HOST, Value: !GetAtt Database.Endpoint.Address}
                  - {Name: KC_DB_URL_PORT, Value: "5432"}
    """

    id = "W9018"
    shortdesc = "The database's URL is given as a whole or in parts, not both"
    source_url = "https://www.keycloak.org/server/db"

    def judge(self, keycloak: Keycloak) -> Iterator[Hit]:
        url = ask.given(keycloak, "db-url")
        if url is None:
            return
        for key in _PARTS:
            one = ask.given(keycloak, key)
            if one is not None:
                yield Hit.at(
                    one.name_place,
                    f"{one.name} is ignored, since {url.name} is set: "
                    + (
                        "no sslmode in it takes effect"
                        if key == "db-url-properties"
                        else "changing it changes nothing"
                    ),
                    f"take {url.name} away, or write it into {url.name} and take it away here",
                )
