"""What a service says about the containers of its task definition."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from generator.document import Path, Resource
from generator.linting.checks.base import integer, is_given, items, nearest, text
from generator.linting.checks.ecs import SERVICE, containers, task_of
from generator.linting.rule import Hit, Rule
from generator.linting.view import View


def _mismatches(task: Resource, entry: dict[str, Any], path: Path) -> Iterator[Hit]:
    named = {text(container.get("Name")): container for _, container in containers(task)}
    name, port = text(entry.get("ContainerName")), integer(entry.get("ContainerPort"))
    if name is None or None in named:  # a name that only AWS knows could be any
        return
    if name not in named:
        message = f"{task.logical_id} has no container {name!r}"
        yield Hit((*path, "ContainerName"), message, nearest(name, [known for known in named if known]))
        return
    mappings = items(named[name], "PortMappings")
    ports = [integer(mapping.get("ContainerPort")) for _, mapping in mappings]
    ranged = any("ContainerPortRange" in mapping for _, mapping in mappings)
    if port is not None and not ranged and None not in ports and port not in ports:
        known = ", ".join(map(str, ports)) or "none"
        yield Hit((*path, "ContainerPort"), f"container {name!r} maps no port {port} (its ports: {known})")


class BalancedContainer(Rule):
    """A service registers one port of one container, by name; a task definition that lacks either is refused.

    CreateService answers "The container x does not exist in the task definition" or "... did not have a
    container port y defined", after everything the service depends on was built.
    """

    id = "E9502"
    shortdesc = "The container and port behind a load balancer are in the task definition"
    source_url = "https://docs.aws.amazon.com/AmazonECS/latest/APIReference/API_LoadBalancer.html"

    def hits(self, view: View) -> Iterator[Hit]:
        for service in view.document.of_type(SERVICE):
            task = task_of(view.document, service)
            for index, entry in items(service.properties, "LoadBalancers") if task else ():
                yield from _mismatches(task, entry, (*service.path, "Properties", "LoadBalancers", index))


class RegisteredContainer(Rule):
    """A service may be in one Cloud Map registry, and the container it registers has to be
    in its task definition.
    """

    id = "E9503"
    shortdesc = "A service has one registry, with a container and port of its task definition"
    source_url = "https://docs.aws.amazon.com/AmazonECS/latest/APIReference/API_ServiceRegistry.html"

    def hits(self, view: View) -> Iterator[Hit]:
        for service in view.document.of_type(SERVICE):
            task = task_of(view.document, service)
            path = (*service.path, "Properties", "ServiceRegistries")
            registries = items(service.properties, "ServiceRegistries")
            if len(registries) > 1:
                yield Hit(
                    (*path, registries[1][0]),
                    f"{len(registries)} registries; ECS supports one for each service",
                )
            for index, registry in registries:
                if task:
                    yield from _mismatches(task, registry, (*path, index))
                if is_given(registry.get("Port")) and is_given(registry.get("ContainerPort")):
                    message = "Port and ContainerPort exclude each other"
                    yield Hit((*path, index, "Port"), message, "keep ContainerName and ContainerPort")
