"""W9045: two services that share a database and don't know of each other."""

from __future__ import annotations

import itertools
from collections.abc import Iterator

from generator.linting.rule import Hit, Rule
from generator.linting.rules import _cluster as cluster
from generator.linting.view import Keycloak, View


class OneDatabaseTwoClusters(Rule):
    """Two services use one database, but their nodes aren't one cluster, or aren't of one version.

    Nodes keep realms, clients, users and sessions of the database in their caches, and tell the other nodes
    of their cluster what to forget. Nodes of another cluster on the same database aren't told: a user who is
    disabled through one service goes on logging in through the other until its caches let go. Nodes are one
    cluster where they look for each other under the same DNS name, or all in the database.

    With two versions on one database, the newer one changes the tables when it starts, under the feet of the
    older.

    For a switch from one cluster to another (blue/green) both may stand for a moment; requests belong to one
    of them at a time.

    Bad (two names):

        OtherTaskDefinition:
          Type: AWS::ECS::TaskDefinition
          Properties:
            NetworkMode: awsvpc
            ContainerDefinitions:
              - Name: keycloak
                Image: 123456789012.dkr.ecr.eu-central-1.amazonaws.com/keycloak:26.7.4
                Command: [start, --optimized]
                Environment:
                  - {Name: KC_DB_URL_HOST, Value: !GetAtt Database.Endpoint.Address}
                  - {Name: KC_DB_URL_PORT, Value: !GetAtt Database.Endpoint.Port}
                  - {Name: KC_DB_URL_DATABASE, Value: keycloak}
                  - {Name: KC_CACHE, Value: ispn}
                  - {Name: KC_CACHE_CONFIG_FILE, Value: cache-cloudmap.xml}
                  - {Name: JAVA_OPTS_APPEND, Value: "-Djgroups.dns.query=internal.sso.internal"}
        OtherService:
          Type: AWS::ECS::Service
          Properties: {TaskDefinition: !Ref OtherTaskDefinition, DesiredCount: 2}

    Bad (two versions):

        OtherTaskDefinition:
          Type: AWS::ECS::TaskDefinition
          Properties:
            NetworkMode: awsvpc
            ContainerDefinitions:
              - Name: keycloak
                Image: 123456789012.dkr.ecr.eu-central-1.amazonaws.com/keycloak:26.4.7
                Command: [start, --optimized]
                Environment:
                  - {Name: KC_DB_URL_HOST, Value: !GetAtt Database.Endpoint.Address}
                  - {Name: KC_DB_URL_PORT, Value: !GetAtt Database.Endpoint.Port}
                  - {Name: KC_DB_URL_DATABASE, Value: keycloak}
                  - {Name: KC_CACHE, Value: ispn}
                  - {Name: KC_CACHE_CONFIG_FILE, Value: cache-cloudmap.xml}
                  - {Name: JAVA_OPTS_APPEND, Value: "-Djgroups.dns.query=keycloak.sso.internal"}
        OtherService:
          Type: AWS::ECS::Service
          Properties: {TaskDefinition: !Ref OtherTaskDefinition, DesiredCount: 2}

    Good (a database of its own):

        OtherTaskDefinition:
          Type: AWS::ECS::TaskDefinition
          Properties:
            NetworkMode: awsvpc
            ContainerDefinitions:
              - Name: keycloak
                Image: 123456789012.dkr.ecr.eu-central-1.amazonaws.com/keycloak:26.7.4
                Command: [start, --optimized]
                Environment:
                  - {Name: KC_DB_URL_HOST, Value: !GetAtt Database.Endpoint.Address}
                  - {Name: KC_DB_URL_PORT, Value: !GetAtt Database.Endpoint.Port}
                  - {Name: KC_DB_URL_DATABASE, Value: partners}
                  - {Name: KC_CACHE, Value: ispn}
                  - {Name: KC_CACHE_CONFIG_FILE, Value: cache-cloudmap.xml}
                  - {Name: JAVA_OPTS_APPEND, Value: "-Djgroups.dns.query=internal.sso.internal"}
        OtherService:
          Type: AWS::ECS::Service
          Properties: {TaskDefinition: !Ref OtherTaskDefinition, DesiredCount: 2}
    """

    id = "W9045"
    shortdesc = "Services that share a database are one cluster of one version"
    source_url = "https://www.keycloak.org/server/caching"

    def hits(self, view: View) -> Iterator[Hit]:
        for one, other in itertools.combinations(view.keycloaks, 2):
            if one.task is other.task or not _runs(one) or not _runs(other) or not _one_database(one, other):
                continue
            names = " and ".join(service.name for service in (one.services[0], other.services[0]))
            difference = _other_version(one, other)
            if difference:
                yield Hit.at(
                    other.container["Image"],
                    f"the newer version changes the tables under the older: {names} share a database and "
                    f"run {difference}",
                    "give both one image, or the second one a KC_DB_URL_DATABASE of its own",
                )
                continue
            difference = _other_cluster(one, other)
            if difference:
                yield Hit.at(
                    other.dns_query.place if other.dns_query else other.environment_place,
                    f"what is changed through one isn't seen through the other until caches let go: {names} "
                    f"share a database, and their nodes don't find each other ({difference})",
                    "let both look in the same place, or give the second one a KC_DB_URL_DATABASE of its own",
                )


def _runs(keycloak: Keycloak) -> bool:
    """Whether it surely is there; of two with conditions, only one may be."""
    exists = keycloak.view.resolver.exists
    return exists(keycloak.task.logical_id) is True and any(
        service.most_tasks != 0 and exists(service.name) is True for service in keycloak.services
    )


def _one_database(one: Keycloak, other: Keycloak) -> bool:
    here, there = one.jdbc, other.jdbc
    if here.host is None or here.database is None:
        return False
    if (here.host, here.port, here.database) != (there.host, there.port, there.database):
        return False
    schemas = [keycloak.options.get("db-schema") for keycloak in (one, other)]
    if schemas[0] is None or schemas[1] is None:
        return schemas == [None, None]
    return schemas[0].value is not None and schemas[0].value == schemas[1].value


def _other_version(one: Keycloak, other: Keycloak) -> str:
    if one.version is None or other.version is None or one.version.line == other.version.line:
        return ""
    return f"{one.version} and {other.version}"


def _other_cluster(one: Keycloak, other: Keycloak) -> str:
    """Why they surely aren't one cluster; empty where they are or that can't be told."""
    if one.clustered is not True or other.clustered is not True:
        return ""
    by_dns = [cluster.asks_dns(keycloak) for keycloak in (one, other)]
    by_database = [cluster.stack(keycloak) in cluster.DATABASE_STACKS for keycloak in (one, other)]
    if all(by_dns):
        names = [cluster.asked_names(keycloak) for keycloak in (one, other)]
        if all(names) and not set(names[0]) & set(names[1]):
            return f"{names[0][0]}, {names[1][0]}"
    if by_dns[0] and by_database[1] or by_dns[1] and by_database[0]:
        return "one asks DNS, the other one the database"
    return ""
