"""E9168: ECS Exec without a task role."""

from __future__ import annotations

from collections.abc import Iterator

from generator.linting.rule import Hit, KeycloakRule
from generator.linting.view import Keycloak


class ExecRole(KeycloakRule):
    """ECS Exec is on, and the task has no role.

    The agent that ECS Exec puts into the task speaks to Systems Manager with the task role. ECS refuses such
    a service: "The service couldn't be created because a valid taskRoleArn is not being used".

    Bad:

        Service:
          Properties: {EnableExecuteCommand: true}
        TaskDefinition:
          Properties: {TaskRoleArn: ~}

    Good:

        Service:
          Properties: {EnableExecuteCommand: true}
        TaskRole:
          Properties:
            Policies:
              - PolicyName: ecs-exec
                PolicyDocument:
                  Version: "2012-10-17"
                  Statement: [{Effect: Allow, Action: "ssmmessages:*", Resource: "*"}]
    """

    id = "E9168"
    shortdesc = "With ECS Exec the task has a role"
    source_url = "https://docs.aws.amazon.com/AmazonECS/latest/developerguide/ecs-exec.html"

    def judge(self, keycloak: Keycloak) -> Iterator[Hit]:
        role = keycloak.task_properties["TaskRoleArn"]
        if role or role.unknown is not None:
            return
        for service in keycloak.services:
            place = service.properties["EnableExecuteCommand"]
            if place.flag:
                yield Hit.at(
                    place,
                    "the deployment fails (a valid taskRoleArn is not being used): "
                    f"{keycloak.task.logical_id} has no task "
                    "role",
                    "give the task definition a TaskRoleArn, or write EnableExecuteCommand: false",
                )
