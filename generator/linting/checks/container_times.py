"""How long containers may take."""

from __future__ import annotations

from collections.abc import Iterator

from generator.linting.checks.base import integer, mapping, strings
from generator.linting.checks.ecs import all_containers, task_on_fargate
from generator.linting.rule import Hit, Rule
from generator.linting.view import View


class FargateTimeouts(Rule):
    """Fargate kills a container 120 seconds after SIGTERM at the latest, and refuses to be told otherwise."""

    id = "E9511"
    shortdesc = "StopTimeout and StartTimeout are 2 to 120 seconds on Fargate"
    source_url = "https://docs.aws.amazon.com/AmazonECS/latest/APIReference/API_ContainerDefinition.html"

    def hits(self, view: View) -> Iterator[Hit]:
        for task, path, container in all_containers(view.document):
            for name in ("StopTimeout", "StartTimeout") if task_on_fargate(task) else ():
                seconds = integer(container.get(name))
                if seconds is not None and not 2 <= seconds <= 120:
                    fix = f"write {min(max(seconds, 2), 120)}"
                    yield Hit((*path, name), f"{name} {seconds}: Fargate takes 2 to 120 seconds", fix)


class ContainerHealthCheck(Rule):
    """ECS refuses a health check outside its ranges, or whose command begins with no CMD or CMD-SHELL."""

    id = "E9512"
    shortdesc = "A container health check is within what ECS takes"
    source_url = "https://docs.aws.amazon.com/AmazonECS/latest/APIReference/API_HealthCheck.html"

    ranges = {"Interval": (5, 300), "Timeout": (2, 60), "Retries": (1, 10), "StartPeriod": (0, 300)}

    def hits(self, view: View) -> Iterator[Hit]:
        for _, path, container in all_containers(view.document):
            check = mapping(container, "HealthCheck")
            here = (*path, "HealthCheck")
            for name, (low, high) in self.ranges.items():
                value = integer(check.get(name))
                if value is not None and not low <= value <= high:
                    yield Hit((*here, name), f"{name} {value}: ECS takes {low} to {high}")
            command = strings(check, "Command")
            if isinstance(check.get("Command"), list) and (not command or command[0][0] == 0):
                first = command[0][1] if command else "nothing"
                if first not in ("CMD", "CMD-SHELL"):
                    message = f"the command starts with {first}, not with CMD or CMD-SHELL"
                    yield Hit((*here, "Command"), message)
