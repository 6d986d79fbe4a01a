"""E9085: the password of the database user."""

from __future__ import annotations

from collections.abc import Iterator

from generator.document import Resource
from generator.linting.rule import Hit, KeycloakRule
from generator.linting.rules._database import configured_elsewhere
from generator.linting.rules._secrets import address, dynamic, template_value
from generator.linting.view import Keycloak
from generator.linting.view.databases import CLUSTER, INSTANCE, Database


class OtherPassword(KeycloakRule):
    """Keycloak logs in to the database with a password that the database doesn't have, or with none.

    As the master user it needs the very secret that the database got its password from: the one in
    MasterUserPassword, or with ManageMasterUserPassword the one that RDS made, `MasterUserSecret.SecretArn`.
    No task starts: "FATAL: password authentication failed" or "The server requested SCRAM-based
    authentication, but no password was provided".

    Bad (another secret):

        TaskDefinition:
          Properties:
            ContainerDefinitions:
              - Name: keycloak
                Environment:
                  - {Name: KC_DB_USERNAME, Value: keycloak}
                Secrets:
                  - {Name: KC_DB_USERNAME, ValueFrom: ~}
                  - {Name: KC_DB_PASSWORD, ValueFrom: !Sub "${AdminSecret}:password::"}

    Bad (RDS made another one):

        Database:
          Properties: {ManageMasterUserPassword: true, MasterUserPassword: ~}

    Bad (none):

        TaskDefinition:
          Properties:
            ContainerDefinitions:
              - Name: keycloak
                Image: quay.io/keycloak/keycloak:26.7.4
                Command: [start]
                Environment:
                  - {Name: KC_DB, Value: postgres}
                Secrets:
                  - {Name: KC_DB_PASSWORD, ValueFrom: ~}

    Good:

        Database:
          Properties:
            MasterUserPassword: !Sub "{{resolve:secretsmanager:${DatabaseSecret}:SecretString:password}}"
        TaskDefinition:
          Properties:
            ContainerDefinitions:
              - Name: keycloak
                Secrets:
                  - {Name: KC_DB_PASSWORD, ValueFrom: !Sub "${DatabaseSecret}:password::"}
    """

    id = "E9085"
    shortdesc = "Keycloak has the password that the database has"
    source_url = "https://docs.aws.amazon.com/AmazonRDS/latest/UserGuide/rds-secrets-manager.html"

    def judge(self, keycloak: Keycloak) -> Iterator[Hit]:
        database, options = keycloak.database, keycloak.options
        if database is None or keycloak.jdbc.wrapper or options.get("db-driver"):
            return
        password = options.get("db-password")
        if password is None:
            unset = options.missing("db-password") and "password" not in keycloak.jdbc.parameters
            if unset and not configured_elsewhere(keycloak):
                yield Hit.at(
                    keycloak.environment_place,
                    f"no task starts: nothing gives Keycloak a password for {database.name}",
                    'add to Secrets: {Name: KC_DB_PASSWORD, ValueFrom: !Sub "${<secret>}:password::"}',
                )
            return
        given = address(password.place) if password.secret else None
        right = _master_secret(database)
        if given is None or given.resource is None or right is None or given.resource is right:
            return
        user, master = _user(keycloak), _master(keycloak, database)
        if user is None or user != master:
            return
        managed = right.type in (INSTANCE, CLUSTER)
        arn = f"{right.logical_id}.MasterUserSecret.SecretArn" if managed else right.logical_id
        yield Hit.at(
            password.place,
            f"no task starts (password authentication failed): {user} of {database.name} has the password of "
            f"{'the secret that RDS made' if managed else right.logical_id}, Keycloak gets that of "
            f"{given.resource.logical_id}",
            f'write ValueFrom: !Sub "${{{arn}}}:password::"',
        )


def _master_secret(database: Database) -> Resource | None:
    """The secret that the master user's password comes from; the database itself if RDS makes it."""
    if database.properties["ManageMasterUserPassword"].flag:
        return database.resource
    return dynamic(database.properties["MasterUserPassword"])


def _master(keycloak: Keycloak, database: Database) -> str | None:
    """The master user's name, also one that a dynamic reference reads from a secret of the template."""
    place = database.properties["MasterUsername"]
    secret = dynamic(place)
    if secret is None:
        return place.text
    return template_value(keycloak.view, secret, str(place.value).rstrip("}").rpartition(":")[2])


def _user(keycloak: Keycloak) -> str | None:
    setting = keycloak.options.get("db-username")
    if setting is None or not setting.secret:
        return setting.value if setting else None
    named = address(setting.place)
    if named is None or named.resource is None or named.resource.type in (INSTANCE, CLUSTER):
        return None
    return template_value(keycloak.view, named.resource, named.key)
