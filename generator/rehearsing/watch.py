"""What ECS, Cloud Map and the balancer's target registration do, for a rehearsal: a loop over what the engine says.

Runs as a process of its own for as long as the rehearsal does. It starts and stops tasks as `scheduler` decides, writes
the addresses that the discovery name answers with, and tells the balancer which targets there are. Everything it knows
stands in the rehearsal's `state/` folder, where the other commands read it and leave what they want.
"""

from __future__ import annotations

import contextlib
import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass

from generator.errors import CloakformError, RehearsalError
from generator.keycloak import logs
from generator.rehearsing import balancer as balancing
from generator.rehearsing import resolver, scheduler
from generator.rehearsing import topology as topologies
from generator.rehearsing.compose import compose_file, service_name, task_services, volumes
from generator.rehearsing.docker import Container, Docker, Shell
from generator.rehearsing.place import Place
from generator.rehearsing.scheduler import Start, Wanted
from generator.rehearsing.started import Started
from generator.rehearsing.topology import Host

TICK = 2.0
"""Seconds between two looks when the engine reports nothing."""

TARGETS_EVERY = 2.0
"""Seconds between two questions to the balancer about its targets."""

FULL_SHARE = "1024"
"""Docker's own share of the processor, which a task has from the moment it is healthy."""

ENGINE_GONE = 60.0
"""Seconds without an answer after which there is no engine any more."""

POD_STAYS = 10.0
"""Seconds after which the address of a dead task is gone, as its network interface is on Fargate: first connections to
it are refused, then nothing answers."""


@dataclass
class Record:
    """A task, as the watch has it."""

    slot: str
    revision: int
    phase: str
    """`starting`, `running`, `stopping` or `stopped`."""
    started: float
    healthy: bool = False
    """By its containers' health checks."""
    target: str = ""
    """`initial`, `healthy` or `unhealthy` by the balancer; empty without one."""
    failing: bool = False
    listed: bool = False
    """Whether Cloud Map has its address: when it is healthy, or at once where the service there has no health check."""
    stopped: float = 0.0
    reason: str = ""
    """Why it stopped."""
    swept: bool = False
    """Whether the containers that held its address are gone."""
    before: tuple[str, ...] = ()
    """Containers that an earlier task left in the slot: they go before its own come, and are none of it."""


class Watch:
    """The loop. `run` returns when `end` was called."""

    def __init__(self, place: Place, docker: Docker, started: Started):
        self.place = place
        self.docker = docker
        self.started = started
        self.topology = started.topology
        self.records: dict[str, Record] = {}
        self._changes: dict[str, dict[str, str]] = {}
        self._answers = ""
        self._asked = 0.0
        self._registered: set[str] = set()
        self._wake = threading.Event()
        self._ended = False
        self._composing = threading.Lock()
        self._talking = threading.Lock()
        self._shells: dict[str, Shell] = {}
        self._identities: dict[str, str] = {}

    def run(self) -> None:
        """Looks and acts until it is ended."""
        follower = threading.Thread(target=self._follow, daemon=True)
        follower.start()
        self._balance([command for group in self.topology.target_groups for slot in self.topology.slots
                       for command in balancing.deregister(group, slot)])
        answered = time.monotonic()
        # A rehearsal whose files are gone was taken down by other means; an engine that is gone took it along.
        while not self._ended and self.place.exists and time.monotonic() - answered < ENGINE_GONE:
            try:
                self.look()
                answered = time.monotonic()
            except CloakformError as error:
                # One question that the engine didn't answer is no reason to leave the cluster alone.
                self.event("", "trouble", str(error))
            self._wake.wait(TICK)
            self._wake.clear()

    def end(self) -> None:
        """Makes `run` return."""
        self._ended = True
        self._wake.set()

    def event(self, slot: str, what: str, text: str = "") -> None:
        """Notes something that happened."""
        self.place.append("events.jsonl", {"time": time.time(), "slot": slot, "what": what, "text": text})

    def look(self) -> None:
        """One round: see, register, decide, act, write down."""
        containers = {one.service: one for one in self.docker.containers(self.place.compose_name)}
        self._identities = {service: one.identity for service, one in containers.items()}
        wanted = self._wanted()
        for record in self.records.values():
            self._see(record, containers)
        self._ask_balancer()
        self._discover(containers)
        self._obey()
        self._sweep(containers)
        tasks = [self._task(record) for record in self.records.values() if record.phase != "stopped"]
        decisions = scheduler.decide(self.topology.service, wanted, tasks, self._free())
        starts = [one for one in decisions if isinstance(one, Start)]
        if starts:
            self._start(starts, wanted)
        for one in decisions:
            if not isinstance(one, Start):
                self.stop(one.slot, one.reason)
        self.place.write("tasks.json", {
            "time": time.time(), "wanted": asdict(wanted), "settled": scheduler.settled(wanted, tasks) and not decisions,
            "tasks": [asdict(record) for record in self.records.values()]})

    def stop(self, slot: str, reason: str) -> None:
        """Stops a task as ECS does: out of DNS and balancer first, then SIGTERM, then SIGKILL."""
        record = self.records[slot]
        if record.phase not in ("starting", "running"):
            return
        record.phase, record.reason = "stopping", reason
        self.event(slot, "stopping", reason)
        self._in_background(lambda: self._finish(record))

    # --- what is seen ---

    def _see(self, record: Record, containers: dict[str, Container]) -> None:
        if record.phase == "stopped":
            return
        parts: dict[str, Container | None] = {}
        for one in self.topology.task.containers:
            part = containers.get(service_name(self.topology, record.slot, one.name))
            parts[one.name] = None if part is not None and part.identity in record.before else part
        present = [part for part in parts.values() if part is not None]
        if record.phase == "starting":
            if len(present) < len(parts) or any(part.status == "created" for part in present):
                return
            record.phase = "running"
            self.event(record.slot, "running")
            self._register(record.slot)
        if record.phase == "stopping":
            return
        for one in self.topology.task.containers:
            part = parts[one.name]
            if part is None or part.status in ("exited", "dead"):
                done = part is not None and part.exit_code == 0 and not one.essential
                if one.essential or not done:
                    self._died(record, one.name, part)
                    return
        # What isn't essential counts for nothing (ECS developer guide, "Determine Amazon ECS task health").
        checked = [part for one in self.topology.task.containers if one.health_check is not None and one.essential
                   for part in [parts[one.name]] if part is not None]
        healthy = all(part.health == "healthy" for part in checked)
        if healthy and not record.healthy:
            self.event(record.slot, "healthy")
            identities = [part.identity for part in present]
            self._in_background(lambda: self.docker.succeeds("update", "--cpu-shares", FULL_SHARE, *identities))
        failing = any(part.health == "unhealthy" for part in checked)
        if failing and not record.failing:
            self.event(record.slot, "unhealthy", "its health check failed too often")
        record.healthy, record.failing = healthy, failing
        discovery = self.topology.discovery
        record.listed = healthy or discovery is not None and not discovery.by_health

    def _died(self, record: Record, name: str, part: Container | None) -> None:
        if part is None:
            reason = f"container {name} is gone"
        else:
            starved = self.docker.out_of_memory(part.identity)
            how = "killed for want of memory" if starved else f"exit code {part.exit_code}"
            reason = f"container {name} ended ({how})"
            if part.exit_code not in (0, 137, 143) and not starved:
                reason += f": {logs.complaint([line for _, line in self.docker.logs(part.identity)])}"
        record.phase, record.reason, record.stopped = "stopped", reason, time.time()
        self.event(record.slot, "died", reason)
        self._deregister(record.slot)
        others = [one for one in self.topology.task.containers if one.name != name]
        self._in_background(lambda: self._end(record.slot, others))

    def _ask_balancer(self) -> None:
        if not self.topology.target_groups or time.time() - self._asked < TARGETS_EVERY:
            return
        self._asked = time.time()
        states: dict[tuple[str, str], str] = {}
        for balancer in self.topology.balancers:
            states.update(balancing.states(self._to_balancer(balancer.host.name, [balancing.states_command()])))
        for record in self.records.values():
            if record.phase not in ("running", "stopping"):
                continue
            found = {states.get((balancing.backend(group), record.slot), "") for group in self.topology.target_groups}
            target = next((one for one in ("unhealthy", "initial", "healthy") if one in found), "")
            if record.phase == "running" and target != record.target:
                self.event(record.slot, f"target {target or 'unknown'}")
            record.target = target
            if (record.phase == "running" and target == "unhealthy" and not record.failing
                    and time.time() - record.started > max(self.topology.service.grace_period, 1)):
                record.failing = True
                self.event(record.slot, "unhealthy", "the balancer's health check fails")

    # --- Cloud Map ---

    def _discover(self, containers: dict[str, Container]) -> None:
        addresses = {slot.name: slot.address for slot in self.topology.slots}
        now = time.time()
        # One that died stays listed until somebody notices.
        listed = [record for record in self.records.values() if record.listed and (
            record.phase == "running" or record.phase == "stopped" and now - record.stopped < self.started.linger)]
        answers = resolver.answers(self.topology, [addresses[one.slot] for one in listed])
        if answers == self._answers:
            return
        self._answers = answers
        self.place.put({"dns/hosts": answers.encode()})
        dns = containers.get("dns")
        if dns is not None:
            self.docker.call("kill", "--signal", "HUP", dns.identity, wanted="can't tell DNS of a change")
        self.event("", "discovery", " ".join(str(addresses[one.slot]) for one in listed))

    # --- the balancer's targets ---

    def _register(self, slot: str) -> None:
        host = self._host(slot)
        self._balance([command for group in self.topology.target_groups
                       for command in balancing.register(group, host)])
        self._registered.add(slot)

    def _deregister(self, slot: str) -> None:
        if slot not in self._registered:
            return
        self._registered.discard(slot)
        host = self._host(slot)
        self._balance([command for group in self.topology.target_groups
                       for command in balancing.deregister(group, host)])

    def _host(self, slot: str) -> Host:
        return next(one for one in self.topology.slots if one.name == slot)

    def _balance(self, commands: list[str]) -> None:
        for balancer in self.topology.balancers if commands else ():
            self._to_balancer(balancer.host.name, commands)

    def _to_balancer(self, service: str, commands: list[str]) -> str:
        """What the balancer's runtime interface says to commands, which it takes in one line."""
        identity = self._identities.get(service) or {
            one.service: one.identity for one in self.docker.containers(self.place.compose_name)}.get(service)
        if identity is None:
            return ""
        line = ";".join(commands)
        if "'" in line or "\n" in line:
            raise RehearsalError(f"the balancer can't be told {line!r}")
        with self._talking:
            shell = self._shells.get(service)
            if shell is None or shell.identity != identity:
                shell = self._shells[service] = self.docker.shell(identity)
            try:
                return shell.ask(f"exec 3<>/dev/tcp/127.0.0.1/9999 && {{ printf '%s\\n' '{line}' >&3; cat <&3; exec 3>&-; }}")
            except RehearsalError:
                self._shells.pop(service).close()
                raise

    # --- starting and stopping ---

    def _wanted(self) -> Wanted:
        stored = self.place.read("wanted.json", {})
        return Wanted(int(stored.get("tasks", self.topology.service.desired)), int(stored.get("revision", 1)),
                      dict(stored.get("changes", {})))

    def _task(self, record: Record) -> scheduler.Task:
        served = record.target == "healthy" or not self.topology.target_groups
        well = record.healthy and record.phase == "running" and served
        return scheduler.Task(record.slot, record.revision, record.phase, record.started, well, record.failing)

    def _free(self) -> list[str]:
        """Slots that no task is in: unused ones first, then those that were left longest ago."""
        left = {record.slot: record.stopped for record in self.records.values() if record.phase == "stopped"}
        used = {record.slot for record in self.records.values() if record.phase != "stopped"}
        now = time.time()
        names = [slot.name for slot in self.topology.slots if slot.name not in used]
        ready = [name for name in names if now - left.get(name, 0.0) > self.started.linger + POD_STAYS]
        return sorted(ready, key=lambda name: (left.get(name, 0.0), names.index(name)))

    def _start(self, starts: list[Start], wanted: Wanted) -> None:
        for one in starts:
            services = task_services(self.topology, one.slot, self.started.choices.firewall)
            before = tuple(self._identities[service] for service in services if service in self._identities)
            self.records[one.slot] = Record(one.slot, one.revision, "starting", time.time(), before=before)
            self._changes[one.slot] = dict(wanted.changes)
            self.event(one.slot, "starting", f"revision {one.revision}" if one.revision > 1 else "")
        choices = self.started.choices_with(self._changes)
        self.place.put({"compose.yaml": compose_file(self.topology, self.place.root, choices).encode()})
        slots = [one.slot for one in starts]
        self._in_background(lambda: self._bring_up(slots))

    def _bring_up(self, slots: list[str]) -> None:
        services = [service for slot in slots
                    for service in task_services(self.topology, slot, self.started.choices.firewall)]
        with self._composing:
            old = [identity for slot in slots for identity in self.records[slot].before]
            try:
                if old:
                    self.docker.call("rm", "--force", "--volumes", *old, wanted="can't clear a slot")
                    for volume in volumes(self.topology, slots):
                        self.docker.succeeds("volume", "rm", f"{self.place.compose_name}_{volume}")
                self.docker.compose(self.place.project, self.place.compose_name, "up", "--detach", "--no-build",
                                    *services, wanted="a task can't be started")
            except CloakformError as error:
                for slot in slots:
                    record = self.records[slot]
                    record.phase, record.reason, record.stopped = "stopped", str(error), time.time()
                    self.event(slot, "died", str(error))

    def _finish(self, record: Record) -> None:
        with contextlib.suppress(CloakformError):
            self._deregister(record.slot)
        delay = max((group.deregistration_delay for group in self.topology.target_groups), default=0)
        time.sleep(min(delay, self.started.drain))
        host = self._host(record.slot)
        with contextlib.suppress(CloakformError):
            self._balance([command for group in self.topology.target_groups
                           for command in balancing.disconnect(group, host)])
        self._end(record.slot, self.topology.task.containers)
        record.phase, record.stopped, record.listed = "stopped", time.time(), False
        self.event(record.slot, "stopped", record.reason)
        self._wake.set()

    def _end(self, slot: str, containers: Sequence[topologies.Container]) -> None:
        """Stops containers of a task in ECS' order, those of one group at once, each with its own time to stop."""
        for group in self.topology.task.stopping:
            stopping = []
            for one in group:
                identity = self._identities.get(service_name(self.topology, slot, one.name))
                if one in containers and identity is not None:
                    stopping.append(threading.Thread(target=self.docker.succeeds, daemon=True, args=(
                        "stop", "--time", str(one.stop_timeout), identity)))
            for thread in stopping:
                thread.start()
            for thread in stopping:
                thread.join()

    def _sweep(self, containers: dict[str, Container]) -> None:
        """Takes away the address of tasks that are gone."""
        for record in self.records.values():
            if record.phase == "stopped" and not record.swept and time.time() - record.stopped > POD_STAYS:
                record.swept = True
                if f"{record.slot}-net" in containers:
                    self.docker.succeeds("rm", "--force", "--volumes", containers[f"{record.slot}-net"].identity)

    # --- requests and events ---

    def _obey(self) -> None:
        """Does what other commands left in `requests/`: a slot's name, for ECS' StopTask."""
        folder = self.place.state / "requests"
        for path in sorted(folder.glob("stop-*")) if folder.is_dir() else ():
            slot = path.name.removeprefix("stop-")
            path.unlink(missing_ok=True)
            if slot in self.records:
                self.stop(slot, "a user stopped it")

    def _follow(self) -> None:
        """Wakes the loop at each event of the project's containers."""
        while not self._ended:
            with self.docker.events(self.place.compose_name) as process:
                for line in process.stdout or ():
                    # Health checks run all the time, as exec_create, exec_start and exec_die.
                    if not line.startswith("exec_"):
                        self._wake.set()
            time.sleep(TICK)

    def _in_background(self, work: Callable[[], object]) -> None:
        threading.Thread(target=work, daemon=True).start()
