"""What a service says about its target groups."""

from __future__ import annotations

import re
from collections.abc import Iterator

from generator.document import Document, Resource
from generator.linting.checks.base import items, target
from generator.linting.checks.ecs import SERVICE, TARGET_GROUP, service_on_fargate, task_of
from generator.linting.rule import Hit, Rule
from generator.linting.view import View

_ROUTERS = ("AWS::ElasticLoadBalancingV2::Listener", "AWS::ElasticLoadBalancingV2::ListenerRule")

# What may make routers of its own: nested stacks, custom resources and modules.
_MAKERS = re.compile(r"AWS::CloudFormation::(Stack|CustomResource|Macro)|Custom::.*|.*::MODULE")


def _groups(document: Document, service: Resource) -> Iterator[tuple[tuple, Resource]]:
    for index, entry in items(service.properties, "LoadBalancers"):
        group = target(document, entry.get("TargetGroupArn"), TARGET_GROUP)
        if group:
            yield (*service.path, "Properties", "LoadBalancers", index, "TargetGroupArn"), group


class TargetsByAddress(Rule):
    """A task of network mode awsvpc has an address of its own and is no instance, which is
    a target group's default.

    CreateService answers "has target type instance, which is incompatible with the awsvpc network mode".
    """

    id = "E9506"
    shortdesc = "The target group of a Fargate service has the target type ip"
    source_url = "https://docs.aws.amazon.com/AmazonECS/latest/APIReference/API_LoadBalancer.html"

    def hits(self, view: View) -> Iterator[Hit]:
        for service in view.document.of_type(SERVICE):
            task = task_of(view.document, service)
            awsvpc = task is not None and task.properties.get("NetworkMode") == "awsvpc"
            for _, group in _groups(view.document, service) if awsvpc or service_on_fargate(service) else ():
                kind = group.properties.get("TargetType", "instance")
                if isinstance(kind, str) and kind != "ip":
                    message = (
                        f"target type {kind}, and the tasks of {service.logical_id} are known by address"
                    )
                    yield Hit((*group.path, "Properties", "TargetType"), message, "write TargetType: ip")


class ServiceAfterListener(Rule):
    """CloudFormation may make the service before the listener, as only DependsOn ties the two together.

    ECS then answers "The target group with targetGroupArn ... does not have an associated load balancer". A
    target group belongs to a balancer from the moment a listener or a rule forwards to it. A nested stack or a custom
    resource that is given the target group may make the rule; a loop or a macro, too.
    """

    id = "E9507"
    shortdesc = "A service waits for the listener that forwards to its target group"
    making = True
    source_url = (
        "https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/aws-resource-ecs-service.html"
    )

    def hits(self, view: View) -> Iterator[Hit]:
        routers = view.document.of_type(*_ROUTERS)
        for service in view.document.of_type(SERVICE):
            waits_for = view.document.waits_for(service.logical_id)
            for path, group in _groups(view.document, service):
                forwarding = [
                    one.logical_id
                    for one in routers
                    if group.logical_id in view.document.references(one.properties)
                ]
                # These may forward as well; whether they do isn't seen here.
                making = {
                    one.logical_id
                    for one in view.document.resources.values()
                    if _MAKERS.fullmatch(one.type) and group.logical_id in view.document.references(one.properties)
                }
                if waits_for & making or making and not forwarding or _waits_for_others(view.document, service):
                    continue
                if not forwarding and not view.whole:
                    continue
                if not forwarding:
                    message = f"no listener or rule of the template forwards to {group.logical_id}"
                    yield Hit(path, message, "add a listener rule, and name it in DependsOn")
                elif not waits_for & set(forwarding):
                    message = (
                        f"{service.logical_id} may be made before anything forwards to {group.logical_id}"
                    )
                    yield Hit(path, message, f"add {forwarding[0]} to its DependsOn")


def _waits_for_others(document: Document, service: Resource) -> bool:
    """Whether it names in DependsOn what the template doesn't show: resources of a loop or a macro."""
    return any(one not in document.resources for one in service.depends_on)
