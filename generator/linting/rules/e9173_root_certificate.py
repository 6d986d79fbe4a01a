"""E9173: certificates that aren't in the image."""

from __future__ import annotations

from collections.abc import Iterator

from generator.linting.rule import Hit, KeycloakRule
from generator.linting.rules._database import sslmode
from generator.linting.view import Keycloak

_OWN = "/opt/keycloak/"


class RootCertificate(KeycloakRule):
    """Keycloak is to verify the database's certificate, and the file to verify it with isn't there.

    PostgreSQL's driver reads the certificates to trust from the file that `sslrootcert` names, else from
    `.postgresql/root.crt` in the home folder; Java's own and Keycloak's trust store don't count. Keycloak's
    image has neither. No task starts: "Could not open SSL root certificate file".

    Put RDS's bundle (global-bundle.pem or the region's) into an image of your own, or mount it.

    Bad (the file isn't in the image):

        TaskDefinition:
          Properties:
            ContainerDefinitions:
              - Name: keycloak
                Image: quay.io/keycloak/keycloak:26.7.4
                Command: [start]

    Bad (no file is named):

        TaskDefinition:
          Properties:
            ContainerDefinitions:
              - Name: keycloak
                Image: quay.io/keycloak/keycloak:26.7.4
                Command: [start]
                Environment:
                  - {Name: KC_DB_URL_PROPERTIES, Value: "?sslmode=verify-full"}

    Good:

        TaskDefinition:
          Properties:
            ContainerDefinitions:
              - Name: keycloak
                Image: 123456789012.dkr.ecr.eu-central-1.amazonaws.com/keycloak:26.7.4
                Environment:
                  - Name: KC_DB_URL_PROPERTIES
                    Value: "?sslmode=verify-full&sslrootcert=/opt/keycloak/conf/rds-bundle.pem"
    """

    id = "E9173"
    shortdesc = "The certificates to verify the database with are in the image"
    source_url = "https://www.keycloak.org/server/db"

    def judge(self, keycloak: Keycloak) -> Iterator[Hit]:
        jdbc, mounts = keycloak.jdbc, keycloak.container["MountPoints"]
        setting = jdbc.parameters_setting
        if setting is None or not keycloak.image.stock or not keycloak.command.complete:
            return
        if sslmode(keycloak) not in ("verify-full", "verify-ca") or "sslfactory" in jdbc.parameters:
            return
        if mounts.unknown is not None or any(mounts) or any(keycloak.container["VolumesFrom"]):
            return
        named = jdbc.parameters.get("sslrootcert")
        # What lies elsewhere (/etc/pki) may be the image's.
        if named is not None and not named.startswith(_OWN):
            return
        what = f"{named} isn't in Keycloak's own image" if named else "no sslrootcert is named"
        yield Hit.at(
            setting.place,
            f"no task starts (Could not open SSL root certificate file): {what}",
            "build an image with RDS's bundle and name it: sslrootcert=/opt/keycloak/conf/rds-bundle.pem",
        )
