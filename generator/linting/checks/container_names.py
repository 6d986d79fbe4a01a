"""Names and ports within a task."""

from __future__ import annotations

import re
from collections.abc import Iterator

from generator.linting.checks.base import integer, items, text
from generator.linting.checks.ecs import SERVICE, TASK, all_containers, containers
from generator.linting.rule import Hit, Rule
from generator.linting.view import View

_NAME = re.compile(r"[A-Za-z0-9_-]{1,255}")
_PORT_NAME = re.compile(r"[a-z0-9_][a-z0-9_-]{0,63}")


class EcsNames(Rule):
    """ECS names are letters, digits, hyphens and underscores; a port's name has no capitals."""

    id = "E9513"
    shortdesc = "Names of services, task families, containers and ports are ones ECS takes"
    source_url = "https://docs.aws.amazon.com/AmazonECS/latest/APIReference/API_RegisterTaskDefinition.html"

    named = {SERVICE: "ServiceName", TASK: "Family", "AWS::ECS::Cluster": "ClusterName"}

    def hits(self, view: View) -> Iterator[Hit]:
        for kind, key in self.named.items():
            for resource in view.document.of_type(kind):
                yield from self._check(resource.properties, key, (*resource.path, "Properties"), _NAME)
        for _, path, container in all_containers(view.document):
            yield from self._check(container, "Name", path, _NAME)
            for index, mapping in items(container, "PortMappings"):
                yield from self._check(mapping, "Name", (*path, "PortMappings", index), _PORT_NAME)

    def _check(self, holder: dict, key: str, path: tuple, pattern: re.Pattern[str]) -> Iterator[Hit]:
        name = text(holder.get(key))
        if name is not None and not pattern.fullmatch(name):
            length, letters = ("64", "lowercase letters") if pattern is _PORT_NAME else ("255", "letters")
            message = f"{key} {name!r}: ECS takes up to {length} {letters}, digits, - and _"
            yield Hit((*path, key), message)


class UniqueInTask(Rule):
    """In a task definition container names are unique, and in a container its ports."""

    id = "E9514"
    shortdesc = "No container name and no container port is there twice"
    source_url = "https://docs.aws.amazon.com/AmazonECS/latest/APIReference/API_PortMapping.html"

    def hits(self, view: View) -> Iterator[Hit]:
        for task in view.document.of_type(TASK):
            names: set[str] = set()
            for path, container in containers(task):
                name = text(container.get("Name"))
                if name in names:
                    yield Hit((*path, "Name"), f"a second container is called {name!r}")
                names.add(name or "")
                ports: set[tuple[int, str]] = set()
                for index, mapping in items(container, "PortMappings"):
                    port, protocol = integer(mapping.get("ContainerPort")), mapping.get("Protocol", "tcp")
                    if port is None or not isinstance(protocol, str):
                        continue
                    if (port, protocol) in ports:
                        yield Hit((*path, "PortMappings", index), f"port {port}/{protocol} is mapped twice")
                    ports.add((port, protocol))
