"""ECS services: how many tasks run, where, and how they are replaced."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

from generator.document import Resource
from generator.linting.view.balancers import SUBNET, TARGET_GROUP, TargetGroup
from generator.linting.view.discovery import Registration
from generator.linting.view.firewall import Party, networks
from generator.resolving import Place, Text, Unknown

if TYPE_CHECKING:
    from generator.linting.view.template import View

SERVICE = "AWS::ECS::Service"
TASK = "AWS::ECS::TaskDefinition"
SCALABLE_TARGET = "AWS::ApplicationAutoScaling::ScalableTarget"
SCALING_POLICY = "AWS::ApplicationAutoScaling::ScalingPolicy"


@dataclass(frozen=True)
class Target:
    """One entry of a service's LoadBalancers: a container's port in a target group."""

    place: Place
    """The entry."""
    container_name: str | None
    container_port: int | None
    group: TargetGroup | None
    """None where the target group isn't in the template."""


@dataclass(frozen=True)
class Scaling:
    """An Application Auto Scaling target of a service."""

    resource: Resource
    properties: Place
    policies: tuple[Resource, ...]
    """The template's scaling policies that name it."""

    @property
    def least(self) -> int | None:
        """MinCapacity; None where it isn't known."""
        return self.properties["MinCapacity"].integer

    @property
    def most(self) -> int | None:
        """MaxCapacity; None where it isn't known."""
        return self.properties["MaxCapacity"].integer


@dataclass(frozen=True, eq=False)
class Service:
    """An ECS service of the template."""

    resource: Resource
    properties: Place
    _view: View

    @property
    def name(self) -> str:
        """Its logical id."""
        return self.resource.logical_id

    @cached_property
    def task(self) -> Resource | None:
        """Its task definition, if the template holds it."""
        return self.properties["TaskDefinition"].resource(TASK)

    @cached_property
    def scaling(self) -> Scaling | None:
        """What scales it."""
        return self._view.scaling_of(self)

    @property
    def desired(self) -> int | None:
        """DesiredCount, 1 where none is written (ECS API reference, CreateService by CloudFormation); None
        where it isn't known."""
        place = self.properties["DesiredCount"]
        return place.integer if place else 1

    @property
    def count_place(self) -> Place:
        """Where the number of tasks is decided: MinCapacity of what scales it, else DesiredCount, else the
        service."""
        if self.scaling is not None and self.scaling.properties["MinCapacity"]:
            return self.scaling.properties["MinCapacity"]
        return self.properties["DesiredCount"] if self.properties["DesiredCount"] else self.properties

    @property
    def least_tasks(self) -> int | None:
        """How few tasks it may settle at: MinCapacity, without scaling DesiredCount; None where that isn't
        known."""
        return self.scaling.least if self.scaling else self.desired

    @property
    def most_tasks(self) -> int | None:
        """How many tasks it may settle at: MaxCapacity, without scaling DesiredCount; None where that isn't
        known."""
        if self.scaling is None:
            return self.desired
        known = [one for one in (self.scaling.most, self.desired) if one is not None]
        return None if self.scaling.most is None else max(known)

    @property
    def minimum_healthy_percent(self) -> int | None:
        """100 where none is written (ECS API reference, DeploymentConfiguration); None where it isn't
        known."""
        place = self.properties["DeploymentConfiguration"]["MinimumHealthyPercent"]
        return place.integer if place else 100 if self._deployment_known else None

    @property
    def maximum_percent(self) -> int | None:
        """200 where none is written; None where it isn't known."""
        place = self.properties["DeploymentConfiguration"]["MaximumPercent"]
        return place.integer if place else 200 if self._deployment_known else None

    @property
    def most_tasks_while_deploying(self) -> int | None:
        """How many tasks exist at once while a deployment runs: ECS rounds the maximum down."""
        most, percent = self.most_tasks, self.maximum_percent
        return None if most is None or percent is None else max(most * percent // 100, most)

    @property
    def _deployment_known(self) -> bool:
        return self.properties["DeploymentConfiguration"].unknown is None

    @property
    def fargate(self) -> bool | None:
        """Whether its tasks run on Fargate; None where that can't be told."""
        launch = self.properties["LaunchType"]
        if launch:
            return launch.text == "FARGATE" if launch.text is not None else None
        providers = [one["CapacityProvider"].text for one in self.properties["CapacityProviderStrategy"]]
        if not providers:
            return None
        return all(one is not None and one.startswith("FARGATE") for one in providers)

    @property
    def _network(self) -> Place:
        return self.properties["NetworkConfiguration"]["AwsvpcConfiguration"]

    @property
    def subnets(self) -> tuple[Place, ...]:
        """The subnets its tasks run in; see `subnets_known`."""
        return tuple(self._network["Subnets"])

    @cached_property
    def subnet_resources(self) -> tuple[Resource, ...] | None:
        """The same as resources; None where one of them isn't in the template or none is known."""
        found = [one.resource(SUBNET) for one in self.subnets]
        return None if not found or None in found else tuple(one for one in found if one is not None)

    @cached_property
    def party(self) -> Party:
        """Its tasks, for the firewall."""
        known = self.subnet_resources
        return Party(
            self._view.firewall.groups(self._network["SecurityGroups"]),
            networks(known, self._view.resolver) if known else None,
        )

    @property
    def groups_place(self) -> Place:
        """Where its security groups are or should be written."""
        for place in (self._network["SecurityGroups"], self._network):
            if place:
                return place
        return self.properties

    @cached_property
    def targets(self) -> tuple[Target, ...]:
        """Where its tasks are registered with target groups."""
        found = []
        for entry in self.properties["LoadBalancers"]:
            group = entry["TargetGroupArn"].resource(TARGET_GROUP)
            known = self._view.balancers.target_groups.get(group.logical_id) if group else None
            found.append(Target(entry, entry["ContainerName"].text, entry["ContainerPort"].integer, known))
        return tuple(found)

    @cached_property
    def registrations(self) -> tuple[Registration, ...]:
        """Where its tasks are registered in Cloud Map."""
        return tuple(self._view.discovery.registration(one) for one in self.properties["ServiceRegistries"])

    @property
    def registrations_known(self) -> bool:
        """Whether the list of registries is known: none means none."""
        return self.properties["ServiceRegistries"].unknown is None


def scaling_of(view: View, service: Service) -> Scaling | None:
    """The scaling target of a service: the one whose ResourceId refers to it or ends with its name, or the
    only one of the only service."""
    policies = view.resolver.resources(SCALING_POLICY)
    for target in view.resolver.resources(SCALABLE_TARGET):
        properties = view.resolver.properties(target)
        if properties["ScalableDimension"].text not in (None, "ecs:service:DesiredCount"):
            continue
        if properties["ServiceNamespace"].text not in (None, "ecs"):
            continue
        if _names(properties["ResourceId"], service, len(view.services)):
            mine = tuple(one for one in policies if _scales(view, one, target))
            return Scaling(target, properties, mine)
    return None


def _names(place: Place, service: Service, services: int) -> bool:
    value, references = place.value, place.references
    if any(one.logical_id == service.name for one in references):
        return True
    if any(one.logical_id in service.properties.resolver.document.resources for one in references) and any(
        service.properties.resolver.document.resources[one.logical_id].type == SERVICE for one in references
    ):
        return False
    name = service.properties["ServiceName"].text
    if name and str(value).endswith(f"/{name}"):
        return True
    return services == 1 and isinstance(value, (Text, Unknown))


def _scales(view: View, policy: Resource, target: Resource) -> bool:
    properties = view.resolver.properties(policy)
    named = properties["ScalingTargetId"].resource(SCALABLE_TARGET)
    if named is not None:
        return named.logical_id == target.logical_id
    return str(properties["ResourceId"].value) == str(view.resolver.properties(target)["ResourceId"].value)
