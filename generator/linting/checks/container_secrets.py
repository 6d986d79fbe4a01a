"""Secrets of containers, and who fetches them."""

from __future__ import annotations

from collections.abc import Iterator

from generator.linting.checks.base import items, mapping, text
from generator.linting.checks.ecs import TASK, all_containers, containers, task_on_fargate
from generator.linting.rule import Hit, Rule
from generator.linting.view import View


class SecretNames(Rule):
    """A secret becomes an environment variable, so the two share their names.

    RegisterTaskDefinition answers "The secret name must be unique and not shared with any new or existing
    environment variables set on the container".
    """

    id = "E9515"
    shortdesc = "A secret has the name of no other secret and of no environment variable"
    source_url = "https://docs.aws.amazon.com/AmazonECS/latest/APIReference/API_Secret.html"

    def hits(self, view: View) -> Iterator[Hit]:
        for _, path, container in all_containers(view.document):
            taken = {
                text(variable.get("Name")): "an environment variable"
                for _, variable in items(container, "Environment")
            }
            for index, secret in items(container, "Secrets"):
                name = text(secret.get("Name"))
                if name is None:
                    continue
                if name in taken:
                    yield Hit((*path, "Secrets", index, "Name"), f"{name} is {taken[name]} already")
                taken.setdefault(name, "a secret")


class ExecutionRole(Rule):
    """Somebody has to fetch secrets and write logs before the task runs: the execution role.

    RegisterTaskDefinition answers "When you are specifying container secrets, you must also specify a
    value for 'executionRoleArn'", and on Fargate "... to have execution role ARN to support log driver
    awslogs" (or ECR images).
    """

    id = "E9516"
    shortdesc = "A task with secrets, awslogs or an ECR image has an execution role"
    source_url = "https://docs.aws.amazon.com/AmazonECS/latest/developerguide/task_execution_IAM_role.html"

    def hits(self, view: View) -> Iterator[Hit]:
        for task in view.document.of_type(TASK):
            if "ExecutionRoleArn" in task.properties:
                continue
            for path, container in containers(task):
                reason = self._reason(container, task_on_fargate(task))
                if reason:
                    message = f"{reason} and {task.logical_id} has no ExecutionRoleArn"
                    yield Hit(path, message, "give the task definition an ExecutionRoleArn")
                    break

    def _reason(self, container: dict, fargate: bool) -> str:
        logging = mapping(container, "LogConfiguration")
        image = text(container.get("Image")) or ""
        if items(container, "Secrets") or items(logging, "SecretOptions"):
            return "the container has secrets"
        if fargate and logging.get("LogDriver") == "awslogs":
            return "the container logs with awslogs"
        if fargate and ".dkr.ecr." in image:
            return "the image comes from ECR"
        return ""
