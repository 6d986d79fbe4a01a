"""W9168: ECS Exec that nobody can use."""

from __future__ import annotations

from collections.abc import Iterator

from generator.linting.rule import Hit, KeycloakRule
from generator.linting.view import Keycloak

_ACTIONS = ("CreateControlChannel", "CreateDataChannel", "OpenControlChannel", "OpenDataChannel")


class ExecRefused(KeycloakRule):
    """ECS Exec is on, and the task role doesn't let it work.

    The agent in the task opens its channel to Systems Manager with the task role. Without the four
    `ssmmessages` actions `aws ecs execute-command` answers "TargetNotConnectedException", on the day somebody
    needs a shell.

    Bad:

        Service:
          Properties: {EnableExecuteCommand: true}

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

    id = "W9168"
    shortdesc = "The task role lets ECS Exec work"
    source_url = "https://docs.aws.amazon.com/AmazonECS/latest/developerguide/ecs-exec.html"

    def judge(self, keycloak: Keycloak) -> Iterator[Hit]:
        role = keycloak.task_role
        if role is None:
            return
        missing = [one for one in _ACTIONS if role.allows(f"ssmmessages:{one}") is False]
        for service in keycloak.services if missing else ():
            place = service.properties["EnableExecuteCommand"]
            if place.flag:
                yield Hit.at(
                    place,
                    f"nobody gets a shell when it is needed (TargetNotConnectedException): {role.name} may "
                    "not "
                    f"ssmmessages:{missing[0]}",
                    f"allow {role.name} {', '.join(f'ssmmessages:{one}' for one in _ACTIONS)} on *",
                )
