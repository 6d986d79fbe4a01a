"""E9088: the pools of all tasks against what the database takes."""

from __future__ import annotations

from collections.abc import Iterator

from generator.keycloak.sizing import RESERVED_CONNECTIONS
from generator.linting.rule import Hit, KeycloakRule
from generator.linting.view import Keycloak


class Connections(KeycloakRule):
    """All tasks together may open more connections than the database takes.

    Each task has a pool of `db-pool-max-size` connections, 100 unless it is set, and while a deployment runs
    there are more tasks than usual. PostgreSQL on RDS takes about one connection for each 9.5 MB of the
    instance's memory (`max_connections`), 112 on a db.t4g.micro. Beyond that it answers "FATAL: sorry, too
    many clients already": logins fail under load, and new tasks can't start while the old ones hold their
    connections, so the deployment fails too.

    Bad:

        TaskDefinition:
          Properties:
            ContainerDefinitions:
              - Name: keycloak
                Environment:
                  - {Name: KC_DB_POOL_MAX_SIZE, Value: "100"}
        Database:
          Properties: {DBInstanceClass: db.t4g.small}

    Good:

        TaskDefinition:
          Properties:
            ContainerDefinitions:
              - Name: keycloak
                Environment:
                  - {Name: KC_DB_POOL_MAX_SIZE, Value: "50"}
        Database:
          Properties: {DBInstanceClass: db.t4g.small}
    """

    id = "E9088"
    shortdesc = "The database takes as many connections as all tasks may open"
    source_url = "https://www.keycloak.org/high-availability/multi-cluster/concepts-database-connections"

    def judge(self, keycloak: Keycloak) -> Iterator[Hit]:
        database = keycloak.database
        most = database.max_connections if database else None
        if database is None or most is None:
            return
        setting = keycloak.options.get("db-pool-max-size")
        # An image of the user's own may have another default built in: nothing is said about that one.
        pool = keycloak.options.number("db-pool-max-size") if setting or keycloak.image.stock else None
        pool = (
            100 if pool is None and setting is None and keycloak.options.missing("db-pool-max-size") else pool
        )
        if not pool:
            return
        tasks = [service.most_tasks_while_deploying for service in keycloak.services]
        if not tasks or None in tasks:
            return
        count = sum(one for one in tasks if one is not None)
        room = most - RESERVED_CONNECTIONS
        if count * pool <= room:
            return
        place = setting.place if setting else database.properties["DBInstanceClass"]
        least = room // count if count else 0
        yield Hit.at(
            place if place else database.properties,
            f"logins fail and deployments get stuck under load: {count} tasks (while a deployment runs) with "
            f"a pool of {pool} may open {count * pool} connections, {database.name} takes {most} and "
            f"RDS keeps {RESERVED_CONNECTIONS} of them",
            f"set KC_DB_POOL_MAX_SIZE to {least} or less, or take a larger instance class"
            if least
            else "take a larger instance class",
        )
