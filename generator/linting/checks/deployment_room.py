"""Room for a rolling update."""

from __future__ import annotations

from collections.abc import Iterator

from generator.linting.checks.base import integer, is_function, mapping
from generator.linting.checks.ecs import SERVICE
from generator.linting.rule import Hit, Rule
from generator.linting.view import View


def _rolling(properties: dict) -> bool:
    if is_function(properties.get("DeploymentController")):
        return False
    controller = mapping(properties, "DeploymentController").get("Type", "ECS")
    strategy = mapping(properties, "DeploymentConfiguration").get("Strategy", "ROLLING")
    scheduling = properties.get("SchedulingStrategy", "REPLICA")
    return (controller, strategy, scheduling) == ("ECS", "ROLLING", "REPLICA")


class DeploymentRoom(Rule):
    """A rolling update stops a task or starts one more; percents that forbid both make it wait for ever.

    ECS rounds the lower limit up and the upper limit down to whole tasks, so 50 and 149 percent of one task
    leave no room either. For 100 and 100 CreateService answers "Both maximumPercent and minimumHealthyPercent
    cannot be 100 as this will block deployments". Below 100 the upper limit keeps a deployment from ever
    reaching the desired count.
    """

    id = "E9504"
    shortdesc = "MinimumHealthyPercent and MaximumPercent leave room to replace a task"
    source_url = "https://docs.aws.amazon.com/AmazonECS/latest/APIReference/API_DeploymentConfiguration.html"

    def hits(self, view: View) -> Iterator[Hit]:
        for service in view.document.of_type(SERVICE):
            limits = mapping(service.properties, "DeploymentConfiguration")
            low = integer(limits.get("MinimumHealthyPercent", 100))
            high = integer(limits.get("MaximumPercent", 200))
            if low is None or high is None or not _rolling(service.properties):
                continue
            path = (*service.path, "Properties", "DeploymentConfiguration", "MaximumPercent")
            if high < 100:
                yield Hit(path, f"{high} percent is fewer tasks than DesiredCount", "write 100 or more")
            elif low >= 100 and high == 100:
                message = f"at least {low} and at most {high} percent: no task may be stopped or started"
                yield Hit(path, message, "raise MaximumPercent, or lower MinimumHealthyPercent")
            else:
                yield from self._rounding(integer(service.properties.get("DesiredCount")), low, high, path)

    def _rounding(self, tasks: int | None, low: int, high: int, path: tuple) -> Iterator[Hit]:
        if not tasks or tasks < 0:
            return
        needed, allowed = -(-tasks * low // 100), tasks * high // 100
        if needed >= tasks and allowed <= tasks:
            enough = -(-100 * (tasks + 1) // tasks)
            message = f"of {tasks} task(s) {needed} have to run and {allowed} may: none can be replaced"
            yield Hit(path, message, f"write {enough} or more")


class RebalancingRoom(Rule):
    """Rebalancing starts a task in another zone before it stops one, so it needs room
    above the desired count.

    CreateService answers "AvailabilityZoneRebalancing does not support maximumPercent <= 100". Not said at
    all it is on for a new service, and then ECS decides by itself whether the service can have it.
    """

    id = "E9505"
    shortdesc = "Zone rebalancing needs a MaximumPercent above 100"
    source_url = "https://docs.aws.amazon.com/AmazonECS/latest/developerguide/service-rebalancing.html"

    def hits(self, view: View) -> Iterator[Hit]:
        for service in view.document.of_type(SERVICE):
            high = integer(mapping(service.properties, "DeploymentConfiguration").get("MaximumPercent", 200))
            if (
                service.properties.get("AvailabilityZoneRebalancing") == "ENABLED"
                and high is not None
                and high <= 100
            ):
                path = (*service.path, "Properties", "AvailabilityZoneRebalancing")
                message = f"not possible with MaximumPercent {high}"
                yield Hit(path, message, "write DISABLED, or a MaximumPercent above 100")
