"""E9084: where Keycloak looks for its database."""

from __future__ import annotations

from collections.abc import Iterator

from generator.linting.rule import Hit, KeycloakRule
from generator.linting.rules._database import configured_elsewhere, local, networked
from generator.linting.rules._ecs import alone
from generator.linting.view import Keycloak
from generator.linting.view.databases import CLUSTER, INSTANCE, PROXY
from generator.resolving import Reference

_ADDRESS = {INSTANCE: "Endpoint.Address", CLUSTER: "Endpoint.Address", PROXY: "Endpoint"}


class DatabaseHost(KeycloakRule):
    """Keycloak looks for its database where it isn't.

    The host is what `Endpoint.Address` of the instance or cluster gives. `!Ref` gives its identifier, which
    is no host name. `ReadEndpoint.Address` leads to replicas that take no writes, and Keycloak writes with
    every login. Without a host Keycloak tries localhost, which is the task itself. In each case no task
    starts: "Failed to obtain JDBC connection", "Connection refused", "cannot execute ... in a read-only
    transaction".

    Bad (the identifier):

        TaskDefinition:
          Properties:
            ContainerDefinitions:
              - Name: keycloak
                Environment:
                  - {Name: KC_DB_URL_HOST, Value: !Ref Database}

    Bad (no host):

        TaskDefinition:
          Properties:
            ContainerDefinitions:
              - Name: keycloak
                Image: quay.io/keycloak/keycloak:26.7.4
                Command: [start]
                Environment:
                  - {Name: KC_DB, Value: postgres}
                  - {Name: KC_DB_URL_HOST, Value: ~}

    Good:

        TaskDefinition:
          Properties:
            ContainerDefinitions:
              - Name: keycloak
                Environment:
                  - {Name: KC_DB_URL_HOST, Value: !GetAtt Database.Endpoint.Address}
    """

    id = "E9084"
    shortdesc = "Keycloak looks for its database at the database's address"
    source_url = "https://www.keycloak.org/server/db"

    def judge(self, keycloak: Keycloak) -> Iterator[Hit]:
        jdbc, options = keycloak.jdbc, keycloak.options
        if isinstance(jdbc.host, Reference) and jdbc.host_setting is not None:
            found = keycloak.view.databases.get(jdbc.host.logical_id)
            right = _ADDRESS[found.resource.type] if found is not None else ""
            if found is None or jdbc.host.attribute == right:
                return
            what = "not the host name of the database"
            if jdbc.host.attribute == "ReadEndpoint.Address":
                what = "an endpoint for reading, and Keycloak writes"
            yield Hit.at(
                jdbc.host_setting.place,
                f"no task starts: {jdbc.host} is {what}",
                f"write !GetAtt {found.name}.{right}",
            )
        elif jdbc.host_setting is None and networked(keycloak) and alone(keycloak):
            unset = options.missing("db-url") and options.missing("db-url-host")
            if unset and not configured_elsewhere(keycloak):
                yield Hit.at(
                    keycloak.environment_place,
                    "no task starts: without KC_DB_URL_HOST Keycloak looks for its database in the task "
                    "itself (localhost)",
                    "add {Name: KC_DB_URL_HOST, Value: !GetAtt <database>.Endpoint.Address}",
                )
        elif jdbc.host_setting is not None and local(jdbc.host) and networked(keycloak) and alone(keycloak):
            yield Hit.at(
                jdbc.host_setting.place,
                f"no task starts: {jdbc.host} is the task itself, and there is no database in it",
                "write the database's address: !GetAtt <database>.Endpoint.Address",
            )
