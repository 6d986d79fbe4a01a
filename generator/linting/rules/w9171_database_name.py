"""W9171: the database's name."""

from __future__ import annotations

from collections.abc import Iterator

from generator.linting.rule import Hit, KeycloakRule
from generator.linting.rules._database import postgresql
from generator.linting.rules._ecs import alone
from generator.linting.view import Keycloak
from generator.linting.view.databases import CLUSTER, INSTANCE

_NAME = {INSTANCE: "DBName", CLUSTER: "DatabaseName"}
# What brings the names of its databases along.
_RESTORED = ("DBSnapshotIdentifier", "SnapshotIdentifier", "DBClusterSnapshotIdentifier",
             "SourceDBInstanceIdentifier", "SourceDBClusterIdentifier", "SourceDbiResourceId",
             "ReplicationSourceIdentifier", "RestoreTime", "SourceDBInstanceAutomatedBackupsArn",
             "GlobalClusterIdentifier")


class DatabaseName(KeycloakRule):
    """Keycloak asks for a database that nobody makes.

    RDS makes the database that DBName (a cluster's DatabaseName) names, and for PostgreSQL none but
    `postgres` if it names none. Keycloak makes its tables, not its database. No task starts: `FATAL: database
    "keycloak" does not exist`.

    The rule is silent where something else in the template may make it: a custom resource, another container
    of the task, a snapshot.

    Bad:

        Database:
          Properties: {DBName: sso}

    Bad (none is made):

        Database:
          Properties: {DBName: ~}

    Good:

        Database:
          Properties: {DBName: keycloak}
        TaskDefinition:
          Properties:
            ContainerDefinitions:
              - Name: keycloak
                Environment:
                  - {Name: KC_DB_URL_DATABASE, Value: keycloak}
    """

    id = "W9171"
    shortdesc = "The database that Keycloak asks for is made"
    source_url = "https://docs.aws.amazon.com/AmazonRDS/latest/APIReference/API_CreateDBInstance.html"

    def judge(self, keycloak: Keycloak) -> Iterator[Hit]:
        jdbc, database = keycloak.jdbc, keycloak.database
        if database is None or not postgresql(keycloak) or not database.postgresql:
            return
        key = _NAME.get(database.resource.type)
        restored = any(one in database.resource.properties for one in _RESTORED)
        if key is None or restored or _made_elsewhere(keycloak):
            return
        asked, place = jdbc.database, jdbc.database_setting
        if asked is None and jdbc.url is None and keycloak.options.missing("db-url-database"):
            asked, place = "keycloak", jdbc.host_setting
        written = database.properties[key]
        made = written.text if written else "postgres"
        if not isinstance(asked, str) or place is None or made is None or written.unknown is not None:
            return
        if asked.lower() not in (made.lower(), "postgres"):
            yield Hit.at(
                place.place,
                f'no task starts (database "{asked}" does not exist): {database.name} makes '
                + (made if written else f"none but postgres, as it has no {key}"),
                f"write {made}" if written else f"write {key}: {asked} for {database.name}",
            )


def _made_elsewhere(keycloak: Keycloak) -> bool:
    """Whether something may make the database that isn't the database's own resource."""
    kinds = (one.type for one in keycloak.view.document.resources.values())
    custom = any(kind.startswith(("Custom::", "AWS::CloudFormation::CustomResource")) for kind in kinds)
    return custom or not alone(keycloak) or not keycloak.view.whole
