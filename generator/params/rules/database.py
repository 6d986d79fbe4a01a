"""Rules about the database."""

from __future__ import annotations

from collections.abc import Iterator

from generator.keycloak import facts, sizing
from generator.keycloak.catalog import Catalog
from generator.params.model import Settings
from generator.params.rules.base import Complaint, one_of_two, rule, warning


@rule("keycloak.version", "database.create", "database.existing")
def database_fits_keycloak(settings: Settings, catalog: Catalog) -> Iterator[Complaint]:
    database = settings.database
    if bool(database.create) == bool(database.existing):
        yield one_of_two("database", bool(database.create))
        return
    kind = "create" if database.create else "existing"
    version = getattr(database, kind).engine_version
    first, last = facts.postgresql_majors(catalog.version)
    if not first <= int(version.split(".")[0]) <= last:
        yield Complaint(f"database.{kind}.engine_version",
                        f"Keycloak {catalog.version} supports PostgreSQL {first} to {last}, not {version}",
                        f"write a version from {first} to {last}")
    created = database.create
    if created and created.max_storage_gb is not None and created.max_storage_gb * 10 < created.storage_gb * 11:
        yield Complaint("database.create.max_storage_gb", f"RDS wants at least a tenth more than the "
                        f"{created.storage_gb} GiB of storage_gb", f"write {-(-created.storage_gb * 11 // 10)} or more")


@rule("database.pool_size", "database.create.instance_class", "database.existing.max_connections", "service.tasks",
      "service.autoscaling.max_tasks", "service.deployment")
def pool_fits_connections(settings: Settings, _: Catalog) -> Iterator[Complaint]:
    database = settings.database
    if bool(database.create) == bool(database.existing):
        return
    if database.existing:
        limit, where, more = database.existing.max_connections, "the database", "raise its max_connections"
    else:
        more = "take a larger instance"
        limit, where = sizing.max_connections(database.create.instance_class), database.create.instance_class
        if limit is None:
            yield warning("database.create.instance_class", f"how many connections {where} takes is not known "
                          "here: the pool is not checked", "check max_connections against database.pool_size x tasks")
            return
    service = settings.service
    tasks = sizing.tasks_during_deployment(service.tasks, settings.max_tasks, service.deployment == "recreate")
    wanted = tasks * database.pool_size
    free = limit - sizing.RESERVED_CONNECTIONS
    if wanted > free:
        yield Complaint("database.pool_size", f"{tasks} tasks during a deployment x {database.pool_size} "
                        f"connections are {wanted}; {where} takes {limit}, of which {free} are free for them",
                        f"write {free // tasks} or less, or {more}" if free // tasks >= 2 else more)
