"""E9092: the AWS JDBC driver."""

from __future__ import annotations

from collections.abc import Iterator

from generator.linting.rule import Hit, KeycloakRule
from generator.linting.view import Keycloak

_DRIVER = "software.amazon.jdbc.Driver"


class JdbcWrapper(KeycloakRule):
    """The AWS JDBC driver is half set up.

    It takes three things: its jar in /opt/keycloak/providers (so an image of your own), `db-driver` with its
    class, and a URL that begins with `jdbc:aws-wrapper:postgresql:`. With the URL alone PostgreSQL's driver
    refuses it, with the class alone the wrapper refuses the URL, and without the jar the class isn't found.
    No task starts.

    Bad (the URL of PostgreSQL's driver):

        TaskDefinition:
          Properties:
            ContainerDefinitions:
              - Name: keycloak
                Environment:
                  - {Name: KC_DB_DRIVER, Value: software.amazon.jdbc.Driver}
                  - {Name: KC_DB_URL, Value: !Sub "jdbc:postgresql://${Database.Endpoint.Address}/keycloak"}

    Bad (Keycloak's own image):

        TaskDefinition:
          Properties:
            ContainerDefinitions:
              - Name: keycloak
                Image: quay.io/keycloak/keycloak:26.7.4
                Command: [start]
                Environment:
                  - {Name: KC_DB_DRIVER, Value: software.amazon.jdbc.Driver}
                  - Name: KC_DB_URL
                    Value: !Sub "jdbc:aws-wrapper:postgresql://${Database.Endpoint.Address}/keycloak"

    Good:

        TaskDefinition:
          Properties:
            ContainerDefinitions:
              - Name: keycloak
                Environment:
                  - {Name: KC_DB_DRIVER, Value: software.amazon.jdbc.Driver}
                  - Name: KC_DB_URL
                    Value: !Sub "jdbc:aws-wrapper:postgresql://${Database.Endpoint.Address}/keycloak"
    """

    id = "E9092"
    shortdesc = "The AWS JDBC driver has its URL, its class and its jar"
    source_url = "https://www.keycloak.org/server/db"

    def judge(self, keycloak: Keycloak) -> Iterator[Hit]:
        jdbc, driver = keycloak.jdbc, keycloak.options.get("db-driver")
        named = driver is not None and driver.value == _DRIVER
        other = driver is not None and driver.value not in (None, _DRIVER)
        place = jdbc.url.place if jdbc.url is not None else driver.place if driver is not None else None
        if place is None or not (named or jdbc.wrapper):
            return
        mounts = keycloak.container["MountPoints"]
        mounted = mounts.unknown is not None or any(True for _ in mounts)
        if keycloak.image.stock and keycloak.command.complete and not mounted:
            yield Hit.at(
                place,
                "no task starts: the AWS JDBC driver isn't in Keycloak's own image",
                "build an image with its jar in /opt/keycloak/providers, or write a URL with "
                "jdbc:postgresql:",
            )
        elif jdbc.wrapper and (other or keycloak.options.missing("db-driver")):
            yield Hit.at(
                place,
                "no task starts: a URL with jdbc:aws-wrapper: needs the driver's class",
                f"add {{Name: KC_DB_DRIVER, Value: {_DRIVER}}}",
            )
        elif named and jdbc.url is not None and jdbc.vendor is not None and not jdbc.wrapper:
            yield Hit.at(
                place,
                f"no task starts: {_DRIVER} takes URLs with jdbc:aws-wrapper: only",
                "write jdbc:aws-wrapper:postgresql://... as the URL, or leave KC_DB_DRIVER out",
            )
