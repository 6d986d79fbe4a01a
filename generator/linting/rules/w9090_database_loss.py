"""W9090: a database that can be lost."""

from __future__ import annotations

from collections.abc import Iterator

from generator.linting.rule import Hit, KeycloakRule
from generator.linting.view import Keycloak
from generator.linting.view.databases import CLUSTER, INSTANCE

# What decides about encryption instead of the template.
_INHERITED = ("DBSnapshotIdentifier", "SnapshotIdentifier", "SourceDBInstanceIdentifier",
              "SourceDBClusterIdentifier", "DBClusterIdentifier", "DBClusterSnapshotIdentifier",
              "SourceDbiResourceId", "SourceDBInstanceAutomatedBackupsArn", "ReplicationSourceIdentifier")


class DatabaseLoss(KeycloakRule):
    """The database has no backups, or isn't encrypted.

    All of Keycloak is in its database: realms, users, keys, and from 26 on sessions. With
    BackupRetentionPeriod 0 RDS takes no backups and can't go back to a point in time: a migration that went
    wrong, a realm that was deleted by mistake, are for good. Storage that isn't encrypted can't be encrypted
    later: StorageEncrypted replaces the instance, which is a new, empty database.

    Bad (no backups):

        Database:
          Properties: {BackupRetentionPeriod: 0}

    Bad (not encrypted):

        Database:
          Properties: {StorageEncrypted: ~}

    Good:

        Database:
          Properties: {BackupRetentionPeriod: 14, StorageEncrypted: true}
    """

    id = "W9090"
    shortdesc = "The database is backed up and encrypted"
    source_url = "https://docs.aws.amazon.com/AmazonRDS/latest/UserGuide/Overview.Encryption.html"

    def judge(self, keycloak: Keycloak) -> Iterator[Hit]:
        database = keycloak.database
        if database is None or database.resource.type not in (INSTANCE, CLUSTER):
            return
        days, encrypted = (database.properties[key] for key in ("BackupRetentionPeriod", "StorageEncrypted"))
        if days and days.integer == 0:
            yield Hit.at(
                days,
                f"what is deleted or migrated by mistake is gone for good: {database.name} has no backups",
                "write BackupRetentionPeriod: 14, or as many days as you need to notice",
            )
        inherited = any(one in database.resource.properties for one in _INHERITED)
        unset = not encrypted and encrypted.unknown is None and not inherited
        unset = unset and database.resource.type == INSTANCE
        if encrypted.flag is False or unset:
            yield Hit.at(
                encrypted if encrypted else database.properties,
                f"passwords and keys lie readable on the disks of {database.name}, and encrypting it later "
                "replaces it with "
                "an empty one",
                "write StorageEncrypted: true; of a database that holds data make an encrypted copy from a "
                "snapshot",
            )
