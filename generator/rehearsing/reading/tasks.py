"""The task definition: containers with everything that they are started with."""

from __future__ import annotations

import re
from collections.abc import Callable

from generator.document import Resource
from generator.keycloak import sizing
from generator.rehearsing.reading.madeup import MadeUp
from generator.rehearsing.reading.scene import Scene
from generator.rehearsing.reading.secrets import Secrets
from generator.rehearsing.topology import Container, HealthCheck, SecretField, Task
from generator.resolving import Place, Resolver

_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9_-]{0,254}")
_VARIABLE = re.compile(r"[A-Za-z_][A-Za-z0-9_.-]{0,254}")
_IMAGE = re.compile(
    r"[a-z0-9][A-Za-z0-9._:-]*(/[a-z0-9][a-z0-9._-]*)*"
    r"(:[A-Za-z0-9_][A-Za-z0-9_.-]{0,127})?(@sha256:[0-9a-f]{64})?"
)
_USER = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_.-]*(:[A-Za-z0-9_][A-Za-z0-9_.-]*)?")
_FOLDER = re.compile(r"(/[A-Za-z0-9_][A-Za-z0-9._-]*)+")
_ULIMITS = (
    "core",
    "cpu",
    "data",
    "fsize",
    "locks",
    "memlock",
    "msgqueue",
    "nice",
    "nofile",
    "nproc",
    "rss",
    "rtprio",
    "rttime",
    "sigpending",
    "stack",
)
_CONDITIONS = ("START", "COMPLETE", "SUCCESS", "HEALTHY")
# Task sizes without any (instances have no need for them): what Keycloak's sizing guide starts with, rounded
# up.
_CPU, _MEMORY = 1024, 2048

# The most ECS takes on Fargate.
_STOP_TIMEOUT = 120


class Tasks:
    """Reads a task definition; `made` sees the template with values for what AWS makes."""

    def __init__(self, scene: Scene, made: Resolver, made_up: MadeUp, secrets: Secrets):
        self._scene = scene
        self._made = made
        self._made_up = made_up
        self._secrets = secrets
        self._stand_ins: dict[str, None] = {}

    def read(self, task: Resource, keycloak: Place) -> Task:
        """The task definition; `keycloak` is the container that runs Keycloak."""
        scene = self._scene
        properties = self._made.properties(task)
        what = f"the {{}} of {task.logical_id}"
        self._stand_ins.clear()
        containers: list[Container] = []
        chosen = ""
        for place in scene.known_list(properties["ContainerDefinitions"], what.format("containers")):
            made = self._container(place)
            if any(one.name == made.name for one in containers):
                scene.problem(place, f"two containers are called {made.name}")
            containers.append(made)
            chosen = made.name if place.path == keycloak.path else chosen
        names = {one.name for one in containers}
        for one in containers:
            for other, _ in one.depends_on:
                if other not in names:
                    scene.problem(one.line, f"{one.name} waits for the container {other}, which isn't there")
        self._note_made_up()
        memory = self._amount(properties["Memory"], what.format("memory"), sizing.task_memory) or 0
        if not memory:
            memory = sum(one.memory or 0 for one in containers) or _MEMORY
            scene.note(f"The task has no memory limit of its own; {memory} MiB are taken", task.line)
        return Task(
            task.logical_id,
            scene.text(properties["Family"], what.format("family"), task.logical_id),
            memory,
            self._amount(properties["Cpu"], what.format("CPU"), sizing.task_cpu) or _CPU,
            tuple(containers),
            chosen or keycloak["Name"].text or "",
            task.line,
        )

    def _note_made_up(self) -> None:
        if self._stand_ins:
            self._scene.note(f"Containers get made-up values for {', '.join(self._stand_ins)}")

    def _text(self, place: Place, what: str) -> str:
        """Known text that a container is given; remembers for which references it gets made-up values."""
        found = place.seen_by(self._scene.resolver).references
        self._stand_ins.update({str(one): None for one in found if not self._made_up.has_host(one)})
        return self._scene.text(place, what, lines=True)

    def _amount(self, place: Place, what: str, read: Callable[[str], int | None]) -> int | None:
        """CPU units or MiB, as `read` finds them in what is written; None where nothing or nonsense is."""
        text = self._scene.text(place, what) if place else ""
        number = read(text)
        if number is None and text:
            self._scene.problem(place, f"{what} is {text!r}", "write a number")
        elif number is not None and not 64 <= number <= 1_000_000:
            self._scene.problem(place, f"{what} is {text!r}", "write CPU units (1024 is one vCPU) and MiB")
            return None
        return number

    def _container(self, place: Place) -> Container:
        scene = self._scene
        name = scene.text(place["Name"], "the container's name")
        if not _NAME.fullmatch(name):
            scene.problem(place, f"{name!r} is no name for a container", "use letters, digits, - and _")
            name = "unnamed"
        what = f"the {{}} of the container {name}"
        if place["Privileged"].flag or place["LinuxParameters"]["Capabilities"]["Add"]:
            scene.note(f"{name} gets no privileges in a rehearsal", place)
        for key, sentence in (
            ("EnvironmentFiles", f"The environment files of {name} are in S3 and left out"),
            ("RestartPolicy", f"The restart policy of {name} is left out"),
        ):
            if list(place[key]):
                scene.note(sentence, place[key])
        environment, secrets, lines = self._variables(place, name)
        memory = scene.integer(place["Memory"], what.format("memory"), 0, least=6)
        return Container(
            name,
            self._image(place["Image"], name),
            essential=scene.flag(place["Essential"], what.format("Essential"), True),
            entrypoint=self._words(place["EntryPoint"], what.format("entry point")),
            command=self._words(place["Command"], what.format("command")),
            environment=tuple(environment.items()),
            secrets=tuple(secrets.items()),
            ports=tuple(
                scene.port(one["ContainerPort"], what.format("port"), 80)
                for one in scene.known_list(place["PortMappings"], what.format("ports"))
                if one["ContainerPort"]
            ),
            health_check=self._health_check(place["HealthCheck"], name),
            memory=memory or None,
            stop_timeout=self._stop_timeout(place["StopTimeout"], name),
            ulimits=self._ulimits(place["Ulimits"], name),
            user=self._plain(place["User"], what.format("user"), _USER),
            working_directory=self._plain(place["WorkingDirectory"], what.format("folder"), _FOLDER),
            read_only=scene.flag(place["ReadonlyRootFilesystem"], what.format("file system"), False),
            init=scene.flag(
                place["LinuxParameters"]["InitProcessEnabled"], what.format("init process"), False
            ),
            depends_on=tuple(
                (
                    scene.text(one["ContainerName"], what.format("dependency")),
                    scene.choice(one["Condition"], what.format("dependency"), _CONDITIONS, "START"),
                )
                for one in scene.known_list(place["DependsOn"], what.format("dependencies"))
            ),
            volumes=self._volumes(place["MountPoints"], name),
            line=place.line,
            lines=tuple(lines.items()),
        )

    def _image(self, place: Place, name: str) -> str:
        scene = self._scene
        image = scene.text(place, f"the image of {name}")
        if not place:
            scene.problem(place, f"the container {name} has no image")
        elif image and not _IMAGE.fullmatch(image):
            scene.problem(place, f"{image!r} is no name of an image")
        return image

    def _words(self, place: Place, what: str) -> tuple[str, ...] | None:
        """The words of a command; None where none is written."""
        if not place:
            return None
        listed = self._scene.known_list(place, what)
        return tuple(self._text(one, what) for one in listed)

    def _plain(self, place: Place, what: str, pattern: re.Pattern[str]) -> str:
        text = self._scene.text(place, what)
        if text and not pattern.fullmatch(text):
            self._scene.problem(place, f"{what} is {text!r}")
            return ""
        return text

    def _variables(
        self, place: Place, container: str
    ) -> tuple[dict[str, str], dict[str, SecretField], dict[str, int]]:
        """Environment, secrets, and the line of each. What a name is given last counts, as in Docker."""
        scene = self._scene
        environment: dict[str, str] = {}
        secrets: dict[str, SecretField] = {}
        lines: dict[str, int] = {}
        for entry in scene.known_list(place["Environment"], f"the environment of {container}"):
            name = self._variable(entry["Name"], entry, container)
            if not name:
                continue
            lines[name] = entry.line
            hidden = self._secrets.dynamic(entry["Value"])
            if hidden is not None:
                secrets[name] = hidden
                environment.pop(name, None)
            else:
                environment[name] = self._text(entry["Value"], name)
        for entry in scene.known_list(place["Secrets"], f"the secrets of {container}"):
            name = self._variable(entry["Name"], entry, container)
            field = self._secrets.value_from(entry["ValueFrom"])
            if name and field is not None:
                secrets[name] = field
                environment.pop(name, None)
                lines[name] = entry.line
        return environment, secrets, lines

    def _variable(self, place: Place, entry: Place, container: str) -> str:
        name = self._scene.text(place, f"the name of a variable of {container}")
        if not place or place.text is not None and not _VARIABLE.fullmatch(name):
            self._scene.problem(entry, f"{name!r} is no name for a variable", "use letters, digits and _")
            return ""
        return name

    def _health_check(self, place: Place, name: str) -> HealthCheck | None:
        if not place:
            return None
        scene = self._scene
        what = f"the health check of {name}"
        command = self._words(place["Command"], what) or ()
        if command[:1] == ("NONE",):
            return None
        if not command:
            scene.problem(place, f"{what} has no command")
        elif command[0] not in ("CMD", "CMD-SHELL"):
            # What ECS says of it: the list must start with one of the two.
            scene.problem(place, f"{what} begins with {command[0]!r}", "write CMD or CMD-SHELL in front")
        elif len(command) < 2:
            scene.problem(place, f"{what} has no command behind {command[0]}")
        return HealthCheck(
            command,
            scene.integer(place["Interval"], what, 30, least=5, most=300),
            scene.integer(place["Timeout"], what, 5, least=2, most=120),
            scene.integer(place["Retries"], what, 3, least=1, most=10),
            scene.integer(place["StartPeriod"], what, 0, most=300),
            place.line,
        )

    def _volumes(self, place: Place, name: str) -> tuple[tuple[str, str, bool], ...]:
        """Where a container sees the task's volumes; nothing of what they hold, and nothing of the
        machine's."""
        scene = self._scene
        what = f"a volume of {name}"
        found = []
        for one in scene.known_list(place, what):
            volume, path = scene.text(one["SourceVolume"], what), scene.text(one["ContainerPath"], what)
            if not _NAME.fullmatch(volume) or not _FOLDER.fullmatch(path):
                scene.problem(
                    one,
                    f"{what}, {volume!r}, is mounted at {path!r}",
                    "use names and a path without odd characters",
                )
                continue
            found.append((volume, path, scene.flag(one["ReadOnly"], what, False)))
            scene.note(f"The volume {volume} is empty when a task starts, whatever it holds on AWS")
        return tuple(found)

    def _stop_timeout(self, place: Place, name: str) -> int:
        found = self._scene.integer(place, f"the stop timeout of {name}", 30)
        if found > _STOP_TIMEOUT:
            self._scene.note(
                f"{name} may take {found} s to stop, Fargate waits {_STOP_TIMEOUT} s at most", place
            )
        return min(found, _STOP_TIMEOUT)

    def _ulimits(self, place: Place, name: str) -> tuple[tuple[str, int, int], ...]:
        scene = self._scene
        what = f"a limit of {name}"
        return tuple(
            (
                scene.choice(one["Name"], what, _ULIMITS),
                scene.integer(one["SoftLimit"], what, least=-1),
                scene.integer(one["HardLimit"], what, least=-1),
            )
            for one in scene.known_list(place, what)
        )


def version(image: str) -> str:
    """Keycloak's version in an image's tag, `26.7.4` in `quay.io/keycloak/keycloak:26.7.4-0`; empty for any
    other."""
    tag = image.split("@")[0].rsplit("/", 1)[-1].partition(":")[2]
    match = re.match(r"v?([0-9]+\.[0-9]+\.[0-9]+)(?![0-9.])", tag)
    return match[1] if match else ""
