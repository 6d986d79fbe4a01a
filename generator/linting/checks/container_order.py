"""Which container waits for which."""

from __future__ import annotations

from collections.abc import Iterator

from generator.linting.checks.base import flag, items, nearest, text
from generator.linting.checks.ecs import TASK, containers
from generator.linting.rule import Hit, Rule
from generator.linting.view import View


class ContainerOrder(Rule):
    """A container waits for another of its task, and for a state that this one can reach."""

    id = "E9517"
    shortdesc = "A container depends on a container of its task that can reach the condition"
    source_url = "https://docs.aws.amazon.com/AmazonECS/latest/APIReference/API_ContainerDependency.html"

    def hits(self, view: View) -> Iterator[Hit]:
        for task in view.document.of_type(TASK):
            named = {text(container.get("Name")): container for _, container in containers(task)}
            for path, container in containers(task):
                for index, dependency in items(container, "DependsOn"):
                    name, condition = text(dependency.get("ContainerName")), dependency.get("Condition")
                    here = (*path, "DependsOn", index)
                    if name is None or None in named:
                        continue
                    if name not in named:
                        fix = nearest(name, [known for known in named if known])
                        yield Hit(
                            (*here, "ContainerName"), f"{task.logical_id} has no container {name!r}", fix
                        )
                    elif condition == "HEALTHY" and "HealthCheck" not in named[name]:
                        message = f"{name} has no HealthCheck, so it never becomes HEALTHY"
                        yield Hit((*here, "Condition"), message, f"give {name} a HealthCheck, or write START")
                    # A container is essential unless it says otherwise.
                    elif condition in ("COMPLETE", "SUCCESS") and flag(named[name].get("Essential", True)):
                        message = f"{name} is essential, so its end ends the task"
                        yield Hit((*here, "Condition"), message, f"write Essential: false for {name}")
