"""I9090: a database in one zone, or one that anybody may delete."""

from __future__ import annotations

from collections.abc import Iterator

from generator.linting.rule import Hit, KeycloakRule
from generator.linting.view import Keycloak
from generator.linting.view.databases import CLUSTER, INSTANCE


class DatabaseAvailability(KeycloakRule):
    """The database is in one zone, or nothing keeps it from being deleted.

    Keycloak's nodes are in several zones, but without its database none of them can log anybody in. With
    MultiAZ RDS moves to the other zone within a minute or two; without it the outage is as long as the
    zone's, or as a restore takes. DeletionProtection makes RDS refuse a deletion, also one that a replacement
    in a change set brings.

    For trying things out both may be off.

    Bad (one zone):

        Database:
          Properties: {MultiAZ: false}

    Bad (not protected):

        Database:
          Properties: {DeletionProtection: ~}

    Good:

        Database:
          Properties: {MultiAZ: true, DeletionProtection: true}
    """

    id = "I9090"
    shortdesc = "The database is in two zones and protected"
    source_url = "https://docs.aws.amazon.com/AmazonRDS/latest/UserGuide/Concepts.MultiAZSingleStandby.html"

    def judge(self, keycloak: Keycloak) -> Iterator[Hit]:
        database = keycloak.database
        if database is None or database.resource.type not in (INSTANCE, CLUSTER):
            return
        zones, protected = (database.properties[key] for key in ("MultiAZ", "DeletionProtection"))
        many = max((service.least_tasks or 0 for service in keycloak.services), default=0) > 1
        single = zones.flag is False or not zones and zones.unknown is None
        if database.resource.type == INSTANCE and many and single:
            yield Hit.at(
                zones if zones else database.properties,
                "nobody can log in while one zone is out, although Keycloak has several nodes: "
                f"{database.name} is in one",
                "write MultiAZ: true",
            )
        if protected.flag is False or not protected and protected.unknown is None:
            yield Hit.at(
                protected if protected else database.properties,
                f"one wrong click or change set deletes all users: {database.name} isn't protected",
                "write DeletionProtection: true",
            )
        if database.resource.type == CLUSTER and many and len(database.members) == 1:
            yield Hit.at(
                database.properties,
                f"nobody can log in until a new instance is made when the only one of {database.name} is "
                "lost",
                "add a second AWS::RDS::DBInstance to the cluster",
            )
