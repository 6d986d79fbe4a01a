"""W9079: a Keycloak whose log nobody keeps."""

from __future__ import annotations

from collections.abc import Iterator

from generator.linting.rule import Hit, KeycloakRule
from generator.linting.view import Keycloak


class NoLog(KeycloakRule):
    """The container's log goes nowhere.

    Keycloak writes to its standard output. Without a LogConfiguration Fargate throws that away, and with the
    task goes everything: why it didn't start, who logged in, which node was lost. What remains is an exit
    code.

    Bad:

        TaskDefinition:
          Properties:
            ContainerDefinitions:
              - {Name: keycloak, LogConfiguration: !Ref AWS::NoValue}

    Good:

        TaskDefinition:
          Properties:
            ContainerDefinitions:
              - Name: keycloak
                LogConfiguration:
                  LogDriver: awslogs
                  Options:
                    awslogs-group: !Ref LogGroup
                    awslogs-region: !Ref AWS::Region
                    awslogs-stream-prefix: keycloak
    """

    id = "W9079"
    shortdesc = "Keycloak's log is kept"
    source_url = "https://docs.aws.amazon.com/AmazonECS/latest/developerguide/using_awslogs.html"

    def judge(self, keycloak: Keycloak) -> Iterator[Hit]:
        place = keycloak.container["LogConfiguration"]
        fargate = any(one.fargate for one in keycloak.services) or "FARGATE" in [
            one.text for one in keycloak.task_properties["RequiresCompatibilities"]
        ]
        if not place and place.unknown is None and fargate:
            yield Hit.at(
                keycloak.container,
                "nobody will know why a task didn't start or who logged in: the container has no "
                "LogConfiguration",
                "add LogConfiguration: {LogDriver: awslogs, Options: {awslogs-group: ..., awslogs-region: "
                "..., "
                "awslogs-stream-prefix: keycloak}}",
            )
