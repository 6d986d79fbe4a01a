"""I9181: a log group that the task makes for itself."""

from __future__ import annotations

from collections.abc import Iterator

from generator.linting.rule import Hit, KeycloakRule
from generator.linting.view import Keycloak


class LogGroupByWhoeverStarts(KeycloakRule):
    """The first task is to make the log group, with a role that the template doesn't show.

    `awslogs-create-group` needs `logs:CreateLogGroup`, which AWS's own AmazonECSTaskExecutionRolePolicy
    doesn't have: without it no task starts ("failed to validate logger args"). A group that is made this way
    keeps its lines for ever and stays when the stack is deleted.

    Bad:

        TaskDefinition:
          Properties:
            ExecutionRoleArn: arn:aws:iam::111122223333:role/ecsTaskExecutionRole
            ContainerDefinitions:
              - Name: keycloak
                LogConfiguration:
                  LogDriver: awslogs
                  Options:
                    awslogs-create-group: "true"
                    awslogs-group: /ecs/keycloak

    Good:

        TaskDefinition:
          Properties:
            ContainerDefinitions:
              - Name: keycloak
                LogConfiguration:
                  LogDriver: awslogs
                  Options: {awslogs-group: !Ref LogGroup}
    """

    id = "I9181"
    shortdesc = "The log group is made by the template"
    source_url = "https://docs.aws.amazon.com/AmazonECS/latest/developerguide/using_awslogs.html"

    def judge(self, keycloak: Keycloak) -> Iterator[Hit]:
        logging = keycloak.container["LogConfiguration"]
        create = logging["Options"]["awslogs-create-group"]
        # A role of the template is E9079's business.
        if logging["LogDriver"].text == "awslogs" and create.flag is True and keycloak.execution_role is None:
            yield Hit.at(
                create,
                "no task starts unless its execution role has logs:CreateLogGroup, which AWS's standard"
                " policy hasn't, and the lines are kept for ever",
                "make an AWS::Logs::LogGroup with RetentionInDays and take awslogs-create-group out",
            )
