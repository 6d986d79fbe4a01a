"""The Docker command line, which is all that a rehearsal needs: no library, no socket of our own.

Every call names what it wanted when it fails; what the engine said stands behind it.
"""

from __future__ import annotations

import contextlib
import json
import os
import re
import shutil
import subprocess
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from generator.errors import RehearsalError

PROJECT_LABEL = "com.docker.compose.project"
SERVICE_LABEL = "com.docker.compose.service"


# `Up 3 minutes (healthy)`, `Up 2 seconds (health: starting)`, `Exited (137) 4 seconds ago`.
_HEALTH = re.compile(r"\((?:health: )?(healthy|unhealthy|starting)\)")
_EXIT = re.compile(r"^Exited \((\d+)\)")


@dataclass(frozen=True)
class Container:
    """A container as the engine lists it."""

    identity: str
    service: str
    """Its Compose service."""
    status: str
    """`created`, `running`, `paused`, `restarting`, `removing`, `exited` or `dead`."""
    health: str
    """`healthy`, `unhealthy`, `starting`; empty where the container has no health check or doesn't run."""
    exit_code: int


class Docker:
    """An engine and its Compose. Raises RehearsalError where one of them is missing."""

    def __init__(self) -> None:
        if shutil.which("docker") is None:
            raise RehearsalError("Docker isn't installed: a rehearsal needs the docker command and an engine")
        done = _run(["docker", "version", "--format", "{{.Server.Version}}"])
        if done.returncode:
            raise RehearsalError(f"no Docker engine answers ({_telling_line(done.stderr)}); start it, or set DOCKER_HOST")
        self.version = done.stdout.strip()
        self.compose_command = _compose_command()

    def call(self, *arguments: str, wanted: str, text: str | None = None, timeout: float | None = None) -> str:
        """Standard output of `docker ARGUMENTS`. Raises RehearsalError naming what was `wanted`."""
        done = _run(["docker", *arguments], text=text, timeout=timeout)
        if done.returncode:
            raise RehearsalError(f"{wanted}: {_telling_line(done.stderr) or _telling_line(done.stdout)}")
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
        listed = self.call("ps", "--all", "--no-trunc", "--filter", f"label={PROJECT_LABEL}={project}", "--format",
                           '{{.ID}}\t{{.Label "' + SERVICE_LABEL + '"}}\t{{.State}}\t{{.Status}}',
                           wanted="can't list the containers")
        return sorted((_container(*line.split("\t")) for line in listed.splitlines() if line.count("\t") == 3),
                      key=lambda one: one.service)

    def inspect(self, identity: str) -> dict[str, Any]:
        """Everything the engine knows of a container."""
        return json.loads(self.call("container", "inspect", identity, wanted="can't look at a container"))[0]

    def published(self, identity: str) -> dict[int, int]:
        """Port inside of a container to the port of 127.0.0.1 that leads there."""
        ports = (self.inspect(identity).get("NetworkSettings") or {}).get("Ports") or {}
        return {int(inside.split("/")[0]): int(bindings[0]["HostPort"])
                for inside, bindings in ports.items() if bindings}

    def out_of_memory(self, identity: str) -> bool:
        """Whether a container was killed for want of memory."""
        return bool((self.inspect(identity).get("State") or {}).get("OOMKilled"))

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

    def shell(self, identity: str) -> Shell:
        """A shell in a container that stays: each command that is run anew costs the engine a tenth of a second."""
        return Shell(identity)

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


class Shell:
    """A bash in a container, to which lines are written and from which their output is read."""

    _END = "--end of answer--"

    def __init__(self, identity: str):
        self.identity = identity
        self._process = subprocess.Popen(
            ["docker", "exec", "--interactive", identity, "bash"], stdin=subprocess.PIPE, stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL, text=True, errors="replace", env=_environment())

    def ask(self, line: str) -> str:
        """What a line of shell prints. Raises RehearsalError where the container, or its bash, is gone."""
        told, heard = self._process.stdin, self._process.stdout
        assert told is not None and heard is not None
        try:
            told.write(f"{line}\necho '{self._END}'\n")
            told.flush()
        except OSError as error:
            raise RehearsalError("the container can't be talked to any more") from error
        answer = []
        for got in heard:
            if got.rstrip("\n") == self._END:
                return "".join(answer)
            answer.append(got)
        raise RehearsalError("the container can't be talked to any more")

    def close(self) -> None:
        """Ends it."""
        self._process.kill()
        self._process.wait()
        for stream in (self._process.stdin, self._process.stdout):
            if stream is not None:
                with contextlib.suppress(OSError):
                    stream.close()


def _container(identity: str, service: str, state: str, status: str) -> Container:
    health, code = _HEALTH.search(status), _EXIT.match(status)
    return Container(identity, service, state, health[1] if health else "", int(code[1]) if code else 0)


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


def _telling_line(text: str) -> str:
    """The line that says what went wrong: an error where there is one, else the last."""
    lines = [line.strip() for line in text.splitlines() if line.strip()]
    telling = [line for line in lines if "error" in line.lower() or "denied" in line.lower()]
    return (telling or lines or [""])[-1].removeprefix("docker: ").removeprefix("Error response from daemon: ")
