"""E9079: the role that writes the log."""

from __future__ import annotations

from collections.abc import Iterator

from generator.linting.rule import Hit, KeycloakRule
from generator.linting.view import Keycloak


class LogRefused(KeycloakRule):
    """The execution role may not make the log group or the log stream that the container asks for.

    The awslogs driver opens its stream before the container starts. Where the execution role may not, no task
    starts: "ResourceInitializationError: failed to validate logger args". `awslogs-create-group` needs
    `logs:CreateLogGroup`, which isn't in the policy AmazonECSTaskExecutionRolePolicy. Without
    `logs:PutLogEvents` tasks start and nobody sees a line of theirs.

    Bad (a group that is to be made):

        TaskDefinition:
          Properties:
            ContainerDefinitions:
              - Name: keycloak
                LogConfiguration:
                  Options: {awslogs-group: /ecs/keycloak, awslogs-create-group: "true"}

    Bad (no right to write):

        ExecutionRole:
          Properties:
            Policies:
              - PolicyName: start-tasks
                PolicyDocument:
                  Version: "2012-10-17"
                  Statement:
                    - Effect: Allow
                      Action: secretsmanager:GetSecretValue
                      Resource: [!Ref AdminSecret, !Ref DatabaseSecret]

    Good:

        ExecutionRole:
          Properties:
            ManagedPolicyArns: [arn:aws:iam::aws:policy/service-role/AmazonECSTaskExecutionRolePolicy]
    """

    id = "E9079"
    shortdesc = "The execution role may write the log"
    source_url = "https://docs.aws.amazon.com/AmazonECS/latest/developerguide/using_awslogs.html"

    def judge(self, keycloak: Keycloak) -> Iterator[Hit]:
        role = keycloak.execution_role
        logging = keycloak.container["LogConfiguration"]
        if role is None or logging["LogDriver"].text != "awslogs":
            return
        create = logging["Options"]["awslogs-create-group"]
        if create.flag and role.allows("logs:CreateLogGroup") is False:
            yield Hit.at(
                create,
                f"no task starts (failed to validate logger args): {role.name} may not make the log group",
                f"make an AWS::Logs::LogGroup in the template, or allow {role.name} logs:CreateLogGroup",
            )
        # AWS's own policy, the only one that a complete role may have, allows to write.
        elif not role.managed_policies and role.allows("logs:CreateLogStream") is False:
            yield Hit.at(
                logging,
                f"no task starts (failed to validate logger args): {role.name} may not write the log",
                f"allow {role.name} logs:CreateLogStream and logs:PutLogEvents on the log group",
            )
        elif not role.managed_policies and role.allows("logs:PutLogEvents") is False:
            yield Hit.at(
                logging,
                f"the log stays empty: {role.name} may open it and not write into it",
                f"allow {role.name} logs:PutLogEvents on the log group",
            )
