"""The Docker command line, which is all that a rehearsal needs: no library, no socket of our own.

Every call names what it wanted when it fails; what the engine said stands behind it.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from generator.errors import RehearsalError

PROJECT_LABEL = "com.docker.compose.project"
SERVICE_LABEL = "com.docker.compose.service"


@dataclass(frozen=True)
class Container:
    """A container as the engine sees it now."""

    identity: str
    service: str
    """Its Compose service."""
    status: str
    """`created`, `running`, `paused`, `restarting`, `removing`, `exited` or `dead`."""
    health: str
    """`healthy`, `unhealthy`, `starting`; empty where the container has no health check."""
    exit_code: int
    out_of_memory: bool
    started: str
    """RFC 3339, by the engine's clock."""
    ports: Mapping[int, int]
    """Port inside to the port published on 127.0.0.1."""
    error: str = ""
    """Why the engine couldn't start it."""


class Docker:
    """An engine and its Compose. Raises RehearsalError where one of them is missing."""

    def __init__(self) -> None:
        if shutil.which("docker") is None:
            raise RehearsalError("Docker isn't installed: a rehearsal needs the docker command and an engine")
        done = _run(["docker", "version", "--format", "{{.Server.Version}}"])
        if done.returncode:
            raise RehearsalError(f"no Docker engine answers ({_last_line(done.stderr)}); start it, or set DOCKER_HOST")
        self.version = done.stdout.strip()
        self.compose_command = _compose_command()

    def call(self, *arguments: str, wanted: str, text: str | None = None, timeout: float | None = None) -> str:
        """Standard output of `docker ARGUMENTS`. Raises RehearsalError naming what was `wanted`."""
        done = _run(["docker", *arguments], text=text, timeout=timeout)
        if done.returncode:
            raise RehearsalError(f"{wanted}: {_last_line(done.stderr) or _last_line(done.stdout)}")
        return done.stdout

    def succeeds(self, *arguments: str) -> bool:
        """Whether `docker ARGUMENTS` ends with 0."""
        return _run(["docker", *arguments]).returncode == 0

    def compose(self, folder: Path, project: str, *arguments: str, wanted: str,
                progress: Callable[[str], None] | None = None) -> str:
        """`docker compose ARGUMENTS` for the project in `folder`; its lines go to `progress` as they come."""
        command = [*self.compose_command, "--project-name", project, "--project-directory", str(folder),
                   "--file", str(folder / "compose.yaml"), "--profile", "spare", *arguments]
        if progress is None:
            done = _run(command)
            code, said = done.returncode, done.stderr + done.stdout
        else:
            said = ""
            with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
                                  env=_environment(), stdin=subprocess.DEVNULL, errors="replace") as process:
                for line in process.stdout or ():
                    said += line
                    progress(line.strip())
            code = process.returncode
        if code:
            raise RehearsalError(f"{wanted}: {_telling_line(said)}")
        return said

    def containers(self, project: str) -> list[Container]:
        """The containers of a Compose project, by service."""
        listed = self.call("ps", "--all", "--quiet", "--no-trunc", "--filter", f"label={PROJECT_LABEL}={project}",
                           wanted="can't list the containers").split()
        if not listed:
            return []
        # One that is gone in between makes the command fail, but still shows the others.
        done = _run(["docker", "container", "inspect", *listed])
        try:
            shown = json.loads(done.stdout or "[]")
        except ValueError as error:
            raise RehearsalError(f"can't read what the engine says of its containers: {error}") from error
        return sorted(map(_container, shown), key=lambda one: one.service)

    def events(self, project: str) -> subprocess.Popen[str]:
        """A process that writes a line for each event of the project's containers."""
        return subprocess.Popen(
            ["docker", "events", "--filter", "type=container", "--filter", f"label={PROJECT_LABEL}={project}",
             "--format", "{{.Action}}"],
            stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, stdin=subprocess.DEVNULL, text=True,
            env=_environment())

    def logs(self, identity: str, *, since: float = 0.0) -> Iterator[tuple[str, str]]:
        """(RFC 3339 moment, line) of a container's log, standard error among it."""
        arguments = ["docker", "logs", "--timestamps", *(["--since", f"{since:.6f}"] if since else []), identity]
        done = subprocess.run(arguments, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
                              stdin=subprocess.DEVNULL, errors="replace", env=_environment(), check=False)
        for line in done.stdout.splitlines():
            moment, _, text = line.partition(" ")
            yield moment, text

    def networks(self) -> list[str]:
        """IPv4 networks that the engine's bridges use, in CIDR form."""
        names = self.call("network", "ls", "--quiet", wanted="can't list the networks").split()
        if not names:
            return []
        found = json.loads(self.call("network", "inspect", *names, wanted="can't read the networks"))
        return [entry["Subnet"] for one in found for entry in (one.get("IPAM") or {}).get("Config") or ()
                if "." in entry.get("Subnet", "")]

    def has_image(self, name: str) -> bool:
        """Whether the engine holds an image of that name."""
        return self.succeeds("image", "inspect", name)

    def take_down(self, project: str) -> None:
        """Removes every container, network and volume of a project, whatever state its files are in."""
        label = f"label={PROJECT_LABEL}={project}"
        for kind, listing, removal in (
            ("containers", ["ps", "--all", "--quiet"], ["rm", "--force", "--volumes"]),
            ("networks", ["network", "ls", "--quiet"], ["network", "rm"]),
            ("volumes", ["volume", "ls", "--quiet"], ["volume", "rm", "--force"]),
        ):
            found = self.call(*listing, "--filter", label, wanted=f"can't list the {kind}").split()
            if found:
                self.call(*removal, *found, wanted=f"can't remove the {kind}")


def _container(shown: dict[str, Any]) -> Container:
    state = shown.get("State") or {}
    published = (shown.get("NetworkSettings") or {}).get("Ports") or {}
    return Container(
        identity=shown["Id"],
        service=((shown.get("Config") or {}).get("Labels") or {}).get(SERVICE_LABEL, ""),
        status=state.get("Status", ""),
        health=(state.get("Health") or {}).get("Status", "").replace("none", ""),
        exit_code=state.get("ExitCode", 0),
        out_of_memory=bool(state.get("OOMKilled")),
        started=state.get("StartedAt", ""),
        ports={int(inside.split("/")[0]): int(bindings[0]["HostPort"])
               for inside, bindings in published.items() if bindings},
        error=state.get("Error", ""),
    )


def _compose_command() -> list[str]:
    for command in (["docker", "compose"], ["docker-compose"]):
        if shutil.which(command[0]) and _run([*command, "version"]).returncode == 0:
            return command
    raise RehearsalError("Docker Compose isn't installed: a rehearsal needs `docker compose` (version 2) or "
                         "docker-compose 1.29")


def _run(command: Sequence[str], *, text: str | None = None, timeout: float | None = None
         ) -> subprocess.CompletedProcess[str]:
    given: dict[str, Any] = {"input": text} if text is not None else {"stdin": subprocess.DEVNULL}
    try:
        return subprocess.run(command, capture_output=True, text=True, errors="replace", env=_environment(),
                              timeout=timeout, check=False, **given)
    except subprocess.TimeoutExpired:
        return subprocess.CompletedProcess(command, 124, "", f"no answer within {timeout:.0f} s")


def _environment() -> dict[str, str]:
    # What stands in somebody's shell is not to reach into a project of ours.
    return {name: value for name, value in os.environ.items() if not name.startswith("COMPOSE_")}


def _last_line(text: str) -> str:
    lines = [line.strip() for line in text.splitlines() if line.strip()]
    return lines[-1] if lines else ""


def _telling_line(text: str) -> str:
    """The line of Compose's output that says what went wrong: an error where there is one, else the last."""
    lines = [line.strip() for line in text.splitlines() if line.strip()]
    telling = [line for line in lines if "error" in line.lower() or "denied" in line.lower()]
    return (telling or lines or [""])[-1]
