"""How the parts of an ECS service find each other in a template; no checks in here."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from generator.document import Document, Path, Resource
from generator.linting.checks.base import items, target

SERVICE = "AWS::ECS::Service"
TASK = "AWS::ECS::TaskDefinition"
TARGET_GROUP = "AWS::ElasticLoadBalancingV2::TargetGroup"


def task_of(document: Document, service: Resource) -> Resource | None:
    """The service's task definition, if it is in the same template."""
    return target(document, service.properties.get("TaskDefinition"), TASK)


def containers(task: Resource) -> list[tuple[Path, dict[str, Any]]]:
    """(path, container) of a task definition's containers."""
    path = (*task.path, "Properties", "ContainerDefinitions")
    return [
        ((*path, index), container) for index, container in items(task.properties, "ContainerDefinitions")
    ]


def all_containers(document: Document) -> Iterator[tuple[Resource, Path, dict[str, Any]]]:
    """(task definition, path, container) of every container in the template."""
    for task in document.of_type(TASK):
        for path, container in containers(task):
            yield task, path, container


def task_on_fargate(task: Resource) -> bool:
    """Whether a task definition is registered for Fargate, which is when AWS holds
    it against Fargate's limits.
    """
    compatible = task.properties.get("RequiresCompatibilities")
    return isinstance(compatible, list) and "FARGATE" in compatible


def service_on_fargate(service: Resource) -> bool:
    """Whether a service says that it runs on Fargate, by launch type or by capacity providers alone."""
    providers = [
        provider.get("CapacityProvider")
        for _, provider in items(service.properties, "CapacityProviderStrategy")
    ]
    by_provider = bool(providers) and all(provider in ("FARGATE", "FARGATE_SPOT") for provider in providers)
    return service.properties.get("LaunchType") == "FARGATE" or by_provider
