"""Placement of tasks."""

from __future__ import annotations

from collections.abc import Iterator

from generator.linting.checks.base import items
from generator.linting.checks.ecs import SERVICE, service_on_fargate
from generator.linting.rule import Hit, Rule
from generator.linting.view import View


class FargatePlacement(Rule):
    """Fargate has no instances to choose from, and spreads tasks over the subnets' zones by itself.

    CreateService answers "Placement constraints are not supported with FARGATE launch type". cfn-lint knows
    it of task definitions only.
    """

    id = "E9501"
    shortdesc = "A Fargate service has no placement strategy and no placement constraint"
    source_url = "https://docs.aws.amazon.com/AmazonECS/latest/developerguide/fargate-tasks-services.html"

    def hits(self, view: View) -> Iterator[Hit]:
        for service in view.document.of_type(SERVICE):
            if not service_on_fargate(service):
                continue
            for name in ("PlacementStrategies", "PlacementConstraints"):
                if items(service.properties, name):
                    path = (*service.path, "Properties", name)
                    yield Hit(path, f"{name} is not supported on Fargate", "leave it out")
