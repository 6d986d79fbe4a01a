"""A rehearsal as a drill sees it: everything may be broken, and is, with Docker's own means."""

from __future__ import annotations

import json
import re
import threading
import time
from collections.abc import Mapping
from types import MappingProxyType

from generator.errors import RehearsalError
from generator.keycloak import facts
from generator.rehearsing import firewall, names, rehearsal
from generator.rehearsing.certificates import DOOR_FILE, Clients
from generator.rehearsing.compose import service_name, tools_image
from generator.rehearsing.credentials import Credentials
from generator.rehearsing.docker import Docker
from generator.rehearsing.place import Place
from generator.rehearsing.started import Started
from generator.rehearsing.target import Door, LogLine, RunningTask
from generator.rehearsing.topology import Host

LOST_AFTER = 20.0
"""Seconds until ECS notices that a task's host is gone. Not documented; seconds to minutes are reported."""


class Rehearsal:
    """Implements `target.Target`."""

    local = True
    unable: Mapping[str, str] = MappingProxyType({})

    def __init__(self, place: Place, started: Started, docker: Docker):
        self.place = place
        self.topology = started.topology
        self.name = place.name
        self._started = started
        self._docker = docker
        self._credentials = Credentials.load(place.secrets)
        self._clients = Clients.load(place.secrets)

    def public_names(self) -> list[str]:
        """Host names that the balancers answer for, Keycloak's own first."""
        return names.certified(self.topology)

    def administrator(self) -> str | None:
        """Name of the first administrator; None where the template has none."""
        for variable in ("KC_BOOTSTRAP_ADMIN_USERNAME", "KEYCLOAK_ADMIN"):
            value = self.topology.keycloak.variable(variable) or self.secret(variable)
            if value:
                return value
        return None

    def doors(self) -> list[Door]:
        """Ways in from every vantage that exists."""
        balancers = {one.logical_id: one for one in self.topology.balancers}
        containers = self._containers()
        published = {balancer.host.name: self._docker.published(containers[f"{balancer.host.name}-net"].identity)
                     for balancer in self.topology.balancers if f"{balancer.host.name}-net" in containers}
        found = []
        for port in json.loads((self.place.project / "ports.json").read_text(encoding="utf-8")):
            outside = published.get(port["host"], {}).get(port["port"])
            if outside is None:
                continue
            listener = next(one for one in balancers[port["balancer"]].listeners if one.port == port["listener"])
            shown = str(self.place.secrets / DOOR_FILE) if listener.mutual_tls and self._clients else None
            found.append(Door(port["vantage"], port["balancer"], listener.protocol.lower(), listener.port,
                              "127.0.0.1", outside, str(self.place.project / "authority.pem"), certificate=shown))
        return found

    def tasks(self) -> list[RunningTask]:
        """Tasks that are not stopped."""
        addresses = {slot.name: str(slot.address) for slot in self.topology.slots}
        return [RunningTask(one["slot"], addresses[one["slot"]], one["phase"], one["healthy"], one["started"])
                for one in self.place.read("tasks.json", {"tasks": []})["tasks"] if one["phase"] != "stopped"]

    def logs(self, task: str, since: float = 0.0) -> list[LogLine]:
        """Lines that a task wrote after `since`."""
        return [LogLine(moment, text) for moment, text in
                rehearsal.log_lines(self._docker, self.place, task, since)]

    def secret(self, variable: str) -> str | None:
        """Value of a secret environment variable of the Keycloak container."""
        field = dict(self.topology.keycloak.secrets).get(variable)
        return self._credentials.value(field) if field is not None else None

    def clients(self) -> Clients | None:
        """Who signs client certificates for it; None where no listener asks for any."""
        return self._clients

    def served_by(self, cookie: str) -> str | None:
        """The task that a sticky cookie's value leads to."""
        slot = cookie.split("|")[0].strip('"')
        return slot if slot in {one.name for one in self.topology.slots} else None

    def metrics(self, task: str) -> str | None:
        """What the task's own metrics endpoint says; None where it has none."""
        port, path = self._management()
        asked = (f"exec 3<>/dev/tcp/127.0.0.1/{port} && printf 'GET {path}/metrics HTTP/1.0\\r\\n\\r\\n' >&3 "
                 "&& cat <&3")
        try:
            said = self._docker.call("exec", self._identity(task), "bash", "-c", asked, timeout=10,
                                     wanted=f"{task} can't be asked for its metrics")
        except RehearsalError:
            return None
        head, _, body = said.replace("\r\n", "\n").partition("\n\n")
        return body if " 200 " in head.split("\n")[0] else None

    def reaches(self, task: str, other: str, port: int) -> bool | None:
        """Whether a connection from one task to a TCP port of another comes about; None without the firewall."""
        if not self._started.choices.firewall:
            return None
        socket = f"/dev/tcp/{self._slot(other).address}/{port}"
        asked = f"timeout 3 bash -c 'exec 3<>{socket}' 2>/dev/null && echo open || echo shut"
        said = self._docker.call("exec", self._identity(task), "bash", "-c", asked, timeout=10,
                                 wanted=f"{task} can't try to reach {other}")
        return said.strip() == "open"

    def kill(self, task: str) -> float:
        """SIGKILL to the task's processes."""
        return self._now("kill", "--signal", "KILL", *self._all(task), wanted=f"{task} can't be killed")

    def stop(self, task: str) -> float:
        """ECS' StopTask."""
        folder = self.place.state / "requests"
        folder.mkdir(exist_ok=True)
        moment = time.time()
        (folder / f"stop-{task}").touch()
        return moment

    def freeze(self, task: str) -> float:
        """Stops the task's processes where they are."""
        return self._now("pause", *self._all(task), wanted=f"{task} can't be frozen")

    def thaw(self, task: str) -> float:
        """Lets them go on."""
        return self._now("unpause", *self._all(task), wanted=f"{task} can't be thawed")

    def lose(self, task: str) -> float:
        """Nothing reaches it or leaves it from now on; after a while ECS notices."""
        moment = self._filter(task, silent=True)
        identities = self._all(task)
        timer = threading.Timer(LOST_AFTER, lambda: self._docker.succeeds("kill", "--signal", "KILL", *identities))
        timer.daemon = True
        timer.start()
        return moment

    def cut(self, task: str, direction: str) -> float:
        """Packets between this task and the others vanish."""
        return self._filter(task, blocked=direction)

    def heal(self, task: str) -> float:
        """Ends a `cut`."""
        return self._filter(task)

    def restart_database(self) -> float:
        """The database restarts."""
        if self.topology.database_host is None:
            raise RehearsalError("the rehearsal has no database of its own")
        return self._now("restart", "--time", "5", self._identity(self.topology.database_host.name),
                         wanted="the database can't be restarted")

    def scale(self, tasks: int) -> None:
        """Sets the number of tasks."""
        self._want(tasks=tasks)

    def deploy(self, changes: dict[str, str]) -> None:
        """Starts a rolling deployment with these environment variables changed."""
        now = self._wanted()
        self._want(revision=now["revision"] + 1, changes={**now["changes"], **changes})

    def deployment_done(self) -> bool:
        """Whether every task is of the newest deployment and well, and there are as many as wanted."""
        known = self.place.read("tasks.json", {})
        return bool(known.get("settled")) and known.get("wanted") == self._wanted()

    def restore(self) -> str:
        """Nothing: a rehearsal is thrown away."""
        return ""

    def _management(self) -> tuple[int, str]:
        """Port and relative path of health and metrics, from the container's environment."""
        variable = self.topology.keycloak.variable
        path = variable("KC_HTTP_MANAGEMENT_RELATIVE_PATH") or variable("KC_HTTP_RELATIVE_PATH") or "/"
        # A version that nothing tells is taken for a new one.
        own = facts.management_port(self.topology.version or "26.0.0")
        if own is None or variable("KC_LEGACY_OBSERVABILITY_INTERFACE") == "true":
            port = variable("KC_HTTP_PORT") or "8080"
        else:
            port = variable("KC_HTTP_MANAGEMENT_PORT") or str(own)
        if not port.isdigit() or not re.fullmatch(r"/[A-Za-z0-9._~/-]*", path):
            raise RehearsalError(f"metrics at port {port!r} and path {path!r} can't be asked for")
        return int(port), path.rstrip("/")

    def _wanted(self) -> dict:
        stored = self.place.read("wanted.json", {})
        return {"tasks": stored.get("tasks", self.topology.service.desired), "revision": stored.get("revision", 1),
                "changes": stored.get("changes", {})}

    def _want(self, **changed) -> None:
        self.place.write("wanted.json", {**self._wanted(), **changed})

    def _containers(self):
        return {one.service: one for one in self._docker.containers(self.place.compose_name)}

    def _identity(self, service: str) -> str:
        found = self._containers().get(service)
        if found is None:
            raise RehearsalError(f"{service} has no container")
        return found.identity

    def _all(self, task: str) -> list[str]:
        """Every container of a task that runs, Keycloak's first; the one that holds its address isn't a process of
        the task's. Raises RehearsalError where Keycloak's isn't there."""
        there = self._containers()
        found = [there.get(service_name(self.topology, task, one.name)) for one in self.topology.task.containers]
        running = [one.identity for one in found if one is not None and one.status in ("running", "paused")]
        first = self._identity(task)
        return [first, *(one for one in running if one != first)]

    def _now(self, *arguments: str, wanted: str) -> float:
        moment = time.time()
        self._docker.call(*arguments, wanted=wanted)
        return moment

    def _slot(self, task: str) -> Host:
        return next(slot for slot in self.topology.slots if slot.name == task)

    def _filter(self, task: str, **how) -> float:
        """Replaces a task's packet filter, at once and as a whole."""
        if not self._started.choices.firewall:
            raise RehearsalError("packets can only be held back where the rehearsal has its firewall")
        text = firewall.rules(self.topology, self._slot(task), self.place.root, **how)
        moment = time.time()
        self._docker.call("run", "--rm", "--interactive", "--network", f"container:{self._identity(f'{task}-net')}",
                          "--cap-drop", "ALL", "--cap-add", "NET_ADMIN", tools_image(self.place.root), "nft", "-f", "-",
                          text=text, wanted=f"the packet filter of {task} can't be changed")
        return moment
