"""W9092: the AWS JDBC driver without failover."""

from __future__ import annotations

import re
from collections.abc import Iterator

from generator.linting.rule import Hit, KeycloakRule
from generator.linting.view import Keycloak


class WrapperFailover(KeycloakRule):
    """The AWS JDBC driver is told which plugins to use, and failover isn't among them.

    `wrapperPlugins` replaces the driver's own list. Without `failover` or `failover2` it doesn't follow the
    writer: after a failover connections lead to an instance that only reads, and every login fails until the
    tasks are started anew.

    Bad:

        TaskDefinition:
          Properties:
            ContainerDefinitions:
              - Name: keycloak
                Environment:
                  - {Name: KC_DB_DRIVER, Value: software.amazon.jdbc.Driver}
                  - Name: KC_DB_URL
                    Value: !Sub "jdbc:aws-wrapper:postgresql://${Database.Endpoint.Address}/sso?wrapperPlugins=iam"

    Good:

        TaskDefinition:
          Properties:
            ContainerDefinitions:
              - Name: keycloak
                Environment:
                  - {Name: KC_DB_DRIVER, Value: software.amazon.jdbc.Driver}
                  - Name: KC_DB_URL
                    Value: !Sub "jdbc:aws-wrapper:postgresql://${Database.Endpoint.Address}/kc?wrapperPlugins=failover"
    """

    id = "W9092"
    shortdesc = "The AWS JDBC driver follows the writer"
    source_url = "https://www.keycloak.org/server/db"

    def judge(self, keycloak: Keycloak) -> Iterator[Hit]:
        jdbc = keycloak.jdbc
        plugins = jdbc.parameters.get("wrapperPlugins")
        if not jdbc.wrapper or plugins is None or "${" in plugins or jdbc.parameters_setting is None:
            return
        if not {"failover", "failover2"} & {one.strip() for one in re.split(r",|%2[cC]", plugins)}:
            yield Hit.at(
                jdbc.parameters_setting.place,
                f"every login fails after the writer changes: wrapperPlugins is {plugins}, without failover",
                f"write wrapperPlugins=failover2,{plugins}",
            )
