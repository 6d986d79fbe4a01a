"""W9074: one role for two purposes."""

from __future__ import annotations

from collections.abc import Iterator

from generator.linting.rule import Hit, KeycloakRule
from generator.linting.view import Keycloak


class OneRole(KeycloakRule):
    """The task has its execution role as its task role too.

    The execution role is for ECS: it pulls the image, writes the log and fetches the secrets before the
    container starts. The task role is for what runs in the container. With one role for both, anybody who
    gets a foot into Keycloak (a provider, a hole) reads every secret that the role may read and pushes to the
    log, from the inside.

    Keycloak itself calls nothing in AWS, so its task role can be empty.

    Bad:

        TaskDefinition:
          Properties: {TaskRoleArn: !GetAtt ExecutionRole.Arn}

    Good:

        TaskDefinition:
          Properties: {ExecutionRoleArn: !GetAtt ExecutionRole.Arn, TaskRoleArn: !GetAtt TaskRole.Arn}
    """

    id = "W9074"
    shortdesc = "The task role isn't the execution role"
    source_url = "https://docs.aws.amazon.com/AmazonECS/latest/developerguide/security-iam-roles.html"

    def judge(self, keycloak: Keycloak) -> Iterator[Hit]:
        task, execution = (keycloak.task_properties[key] for key in ("TaskRoleArn", "ExecutionRoleArn"))
        mine, its = keycloak.task_role, keycloak.execution_role
        if mine and its and mine.name == its.name or task.text is not None and task.text == execution.text:
            name = mine.name if mine else "it"
            yield Hit.at(
                task,
                f"whoever gets into Keycloak reads its secrets straight from AWS: {name} is the execution "
                "role too",
                "give the task a role of its own, without policies unless a provider needs one",
            )
