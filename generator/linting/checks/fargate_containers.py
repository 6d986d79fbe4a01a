"""What Fargate gives a container, and how much."""

from __future__ import annotations

from collections.abc import Iterator

from generator.keycloak import sizing
from generator.linting.checks.base import flag, integer, is_given, mapping, strings
from generator.linting.checks.ecs import TASK, all_containers, containers, task_on_fargate
from generator.linting.rule import Hit, Rule
from generator.linting.view import View


class FargateContainer(Rule):
    """Fargate lends no host, so what a container wants of one is refused."""

    id = "E9518"
    shortdesc = "A Fargate container asks for nothing of its host"
    source_url = "https://docs.aws.amazon.com/AmazonECS/latest/developerguide/fargate-tasks-services.html"

    unsupported = ("DockerSecurityOptions", "ExtraHosts", "Hostname", "Links")
    unsupported_linux = ("Devices", "MaxSwap", "SharedMemorySize", "Swappiness")

    def hits(self, view: View) -> Iterator[Hit]:
        for task, path, container in all_containers(view.document):
            if not task_on_fargate(task):
                continue
            linux = mapping(container, "LinuxParameters")
            here = (*path, "LinuxParameters")
            if flag(container.get("Privileged")):
                yield Hit((*path, "Privileged"), "Privileged is not supported on Fargate", "leave it out")
            for name in self.unsupported:
                if container.get(name) and is_given(container[name]):
                    yield Hit((*path, name), f"{name} is not supported on Fargate", "leave it out")
            for name in self.unsupported_linux:
                if is_given(linux.get(name)):
                    yield Hit((*here, name), f"{name} is not supported on Fargate", "leave it out")
            for index, capability in strings(mapping(linux, "Capabilities"), "Add"):
                if capability != "SYS_PTRACE":
                    message = f"Fargate adds the capability SYS_PTRACE only, not {capability}"
                    yield Hit((*here, "Capabilities", "Add", index), message)


class TaskSize(Rule):
    """The containers of a task share what the task has: their parts can't be more than the whole."""

    id = "E9519"
    shortdesc = "Containers fit into their task, and its ephemeral storage is 21 to 200 GiB"
    source_url = "https://docs.aws.amazon.com/AmazonECS/latest/APIReference/API_ContainerDefinition.html"

    def hits(self, view: View) -> Iterator[Hit]:
        for task in view.document.of_type(TASK):
            size = integer(mapping(task.properties, "EphemeralStorage").get("SizeInGiB"))
            path = (*task.path, "Properties")
            if size is not None and task_on_fargate(task) and not 21 <= size <= 200:
                yield Hit((*path, "EphemeralStorage", "SizeInGiB"), f"{size} GiB: Fargate takes 21 to 200")
            for name, unit, read in (
                ("Memory", "MiB", sizing.task_memory),
                ("Cpu", "CPU units", sizing.task_cpu),
            ):
                written = task.properties.get(name)
                whole = read(written) if isinstance(written, str) else integer(written)
                parts = sum(integer(container.get(name)) or 0 for _, container in containers(task))
                if whole is not None and parts > whole:
                    message = f"the containers want {parts} {unit} of a task of {whole}"
                    yield Hit((*path, name), message)
            for here, container in containers(task):
                hard, soft = integer(container.get("Memory")), integer(container.get("MemoryReservation"))
                if hard is not None and soft is not None and soft > hard:
                    yield Hit(
                        (*here, "MemoryReservation"), f"MemoryReservation {soft} is above Memory {hard}"
                    )
