"""From a template to a running rehearsal and back: what the commands do, step by step.

Nothing here prints; progress is told to a function.
"""

from __future__ import annotations

import contextlib
import ipaddress
import json
import re
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from pathlib import Path
from typing import Any

from generator.document import parse
from generator.errors import RehearsalError
from generator.keycloak import logs
from generator.rehearsing import certificates, quoting
from generator.rehearsing.compose import Choices, files, keycloak_image, tools_image
from generator.rehearsing.credentials import Credentials
from generator.rehearsing.docker import Docker
from generator.rehearsing.place import Place, put
from generator.rehearsing.reading import read, renumbered
from generator.rehearsing.started import Started, keep
from generator.rehearsing.topology import Topology

_NAME = re.compile(r"[a-z][a-z0-9-]{0,30}")


@dataclass(frozen=True)
class Source:
    """A template and what came with it."""

    name: str
    file: str
    """Path as messages show it."""
    text: str
    stack: dict[str, Any] | None
    """stack.json of a hand-over set; None beside a template of somebody else's."""
    image_folder: Path | None
    """Folder with the Dockerfile of the optimized image."""


def source(root: Path, subject: str) -> Source:
    """The artefact that `subject` names: an environment, or the path of a template.

    Raises RehearsalError where there is neither.
    """
    folder = root / "rendered" / subject
    if _NAME.fullmatch(subject) and (folder / "template.yaml").is_file():
        image = folder / "image"
        return Source(subject, f"rendered/{subject}/template.yaml", _text(folder / "template.yaml"),
                      json.loads(_text(folder / "stack.json")), image if (image / "Dockerfile").is_file() else None)
    path = Path(subject)
    if path.is_file():
        name = _plain(path.stem)
        if name == "template":
            name = _plain(path.resolve().parent.name or name)
        return Source(name, subject, _text(path), None, None)
    rendered = sorted(one.parent.name for one in (root / "rendered").glob("*/template.yaml"))
    raise RehearsalError(f"{subject} is neither a rendered environment ({', '.join(rendered) or 'there is none'}) "
                         f"nor a template file")


def _plain(name: str) -> str:
    """A name that a Compose project can have, out of a file's or a folder's."""
    words = re.sub(r"[^a-z0-9]+", "-", name.lower()).strip("-")
    return (words if re.match("[a-z]", words) else f"t-{words}")[:31].strip("-")


def topology(found: Source, parameters: Mapping[str, str], service: str = "") -> Topology:
    """What the template describes; `service` is the logical id of the ECS service, where several run Keycloak.

    Raises RehearsalError or DocumentError.
    """
    return read(parse(found.text, found.file), found.name, stack=found.stack, file=found.file,
                parameters=dict(parameters), service=service)


def export(root: Path, found: Source, folder: Path, parameters: Mapping[str, str], *, service: str = "",
           firewall: bool = True) -> list[Path]:
    """Writes the Compose project to `folder` and its secrets beside it; returns both folders.

    Raises RehearsalError where one of them holds something already.
    """
    secrets = folder.with_name(f"{folder.name}-secrets")
    for one in (folder, secrets):
        if one.exists() and any(one.iterdir()):
            raise RehearsalError(f"{one} isn't empty")
    described = topology(found, parameters, service)
    choices = Choices(image_folder=found.image_folder, firewall=firewall)
    clients = _clients(described)
    made = files(described, root, certificates.authority(found.name), choices, clients)
    made[".env"] = f"REHEARSAL_SECRETS=../{secrets.name}\n".encode()
    made["README.md"] = (root / quoting.TEMPLATES / "README.md").read_bytes()
    put(folder, made)
    Credentials.generate(described).store(secrets, described)
    if clients is not None:
        clients.store(secrets)
    return [folder, secrets]


@dataclass(frozen=True)
class Options:
    """What a user chose for `up`."""

    parameters: Mapping[str, str]
    images: Mapping[str, str]
    service: str = ""
    firewall: bool = True
    linger: float = 30.0
    drain: float = float("inf")


def prepare(root: Path, found: Source, options: Options, docker: Docker, name: str,
            progress: Callable[[str], None]) -> tuple[Place, Started]:
    """Everything that is needed before the first container starts: files, secrets, images.

    A rehearsal of the same name that is still there is taken down first.
    """
    described = topology(found, options.parameters, options.service)
    described = replace(described, name=name)
    place = Place(root, name)
    if place.exists:
        progress("taking down what is there")
    down(place, docker)
    vpc = free_network(described.vpc, docker.networks() + _routes())
    if vpc != described.vpc:
        described = renumbered(described, vpc)
    folder = found.image_folder if described.task.keycloak not in options.images else None
    choices = Choices(options.images, folder, options.firewall)
    place.create()
    place.put({"tools/Dockerfile": (root / quoting.TEMPLATES / "tools/Dockerfile").read_bytes()})
    _build(docker, tools_image(root), place.project / "tools", progress)
    if options.firewall:
        _check_firewall(docker, root)
    choices = replace(choices, nofile=_granted_files(docker, root, described))
    clients = _clients(described)
    made = files(described, root, certificates.authority(name), choices, clients)
    place.put(made)
    Credentials.generate(described).store(place.secrets, described)
    if clients is not None:
        clients.store(place.secrets)
    if folder is not None:
        _build(docker, keycloak_image(described, folder), place.project / "image", progress)
    (place.project / ".env").write_text(f"REHEARSAL_SECRETS={place.secrets.resolve()}\n", encoding="utf-8")
    _pull(docker, _images(described, choices), progress)
    started = Started(described, choices, options.linger, options.drain)
    keep(place, started, found.text, found.stack, options.parameters, options.service)
    return place, started


def up(place: Place, started: Started, docker: Docker, progress: Callable[[str], None]) -> subprocess.Popen[str]:
    """Starts DNS, database and balancers, then the watch, which starts the tasks; returns the watch's process.

    The watch takes everything down when this process goes before it says that the rehearsal stays (`settle`).
    """
    described = started.topology
    services = ["dns"]
    hosts = [*(balancer.host.name for balancer in described.balancers),
             *([described.database_host.name] if described.database_host else [])]
    for host in hosts:
        services += [f"{host}-net", *([f"{host}-firewall"] if started.choices.firewall else []), host]
    progress("starting DNS, database and balancer")
    docker.compose(place.project, place.compose_name, "up", "--detach", "--no-build", *services,
                   wanted="DNS, database or balancer can't be started")
    for host in ["dns", *hosts]:
        _wait_for(docker, place, host, healthy=described.database_host is not None
                  and host == described.database_host.name)
    progress("starting tasks")
    process = subprocess.Popen(
        [sys.executable, "-m", "generator", "--project", str(place.root), "rehearse", "watch", place.name],
        stdin=subprocess.PIPE, stdout=subprocess.DEVNULL, stderr=(place.state / "watch.log").open("wb"), text=True,
        start_new_session=True)
    return process


def settle(process: subprocess.Popen[str]) -> None:
    """Tells the watch that the rehearsal stays when this process goes."""
    assert process.stdin is not None
    process.stdin.write("stay\n")
    process.stdin.close()


def down(place: Place, docker: Docker) -> bool:
    """Ends a rehearsal: watch, containers, networks, volumes, files. Whether there was one."""
    there = place.exists
    place.end_watcher()
    docker.take_down(place.compose_name)
    place.remove()
    return there


@dataclass(frozen=True)
class TaskStatus:
    """A task as `status` shows it."""

    slot: str
    address: str
    phase: str
    health: str
    """`healthy`, `unhealthy` or `starting`."""
    target: str
    """By the balancer; empty before it said anything."""
    members: int
    """Nodes in the newest view of the cluster that its log tells of; 0 before the first."""
    since: float
    """Seconds since the epoch when it was started."""
    reason: str
    """Why it stopped."""


@dataclass(frozen=True)
class Status:
    """A rehearsal as it is now."""

    tasks: tuple[TaskStatus, ...]
    wanted: int
    watched: bool
    """Whether the watch runs: without it nothing is replaced, and DNS doesn't change."""
    complete: bool
    """Whether every task that is wanted is well and sees all the others."""


def status(place: Place, started: Started, docker: Docker) -> Status:
    """How the tasks are."""
    known = place.read("tasks.json", {"tasks": [], "wanted": {"tasks": started.topology.service.desired},
                                      "settled": False})
    addresses = {slot.name: str(slot.address) for slot in started.topology.slots}
    identities = {one.service: one.identity for one in docker.containers(place.compose_name)}
    tasks = []
    for record in known["tasks"]:
        members = 0
        if record["phase"] in ("running", "starting") and record["slot"] in identities:
            members = last_view(docker, identities[record["slot"]])
        health = "healthy" if record["healthy"] else "unhealthy" if record["failing"] else "starting"
        tasks.append(TaskStatus(record["slot"], addresses[record["slot"]], record["phase"], health, record["target"],
                                members, record["started"], record["reason"]))
    wanted = known["wanted"]["tasks"]
    living = [task for task in tasks if task.phase in ("starting", "running")]
    complete = bool(known["settled"]) and all(task.members == wanted for task in living)
    return Status(tuple(tasks), wanted, place.watcher() is not None, complete)


def last_view(docker: Docker, identity: str) -> int:
    """Members of the newest cluster view that a container's log tells of; 0 for none."""
    size = 0
    for _, line in docker.logs(identity):
        if "ISPN00009" in line:
            found = logs.view(logs.entry(line).message)
            size = len(found.members) if found else size
    return size


def log_lines(docker: Docker, place: Place, service: str, since: float = 0.0) -> Iterator[tuple[float, str]]:
    """(seconds since the epoch, line) of a service's log."""
    for one in docker.containers(place.compose_name):
        if one.service == service:
            for moment, line in docker.logs(one.identity, since=since):
                yield seconds(moment), line


def seconds(moment: str) -> float:
    """RFC 3339 with nanoseconds, as Docker writes it, in seconds since the epoch; 0.0 for anything else."""
    found = re.fullmatch(r"(\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d)(\.\d+)?(Z|[+-]\d\d:\d\d)", moment)
    if found is None:
        return 0.0
    whole = datetime.fromisoformat(found[1] + ("+00:00" if found[3] == "Z" else found[3]))
    return whole.timestamp() + float(found[2] or 0)


def free_network(wanted: ipaddress.IPv4Network, used: list[str]) -> ipaddress.IPv4Network:
    """`wanted`, or the first private network of its size that touches none of `used`.

    Raises RehearsalError where there is none left.
    """
    taken = []
    for one in used:
        with contextlib.suppress(ValueError):
            taken.append(ipaddress.IPv4Network(one, strict=False))
    taken = [one for one in taken if one.prefixlen > 0]

    def free(network: ipaddress.IPv4Network) -> bool:
        return not any(network.overlaps(one) for one in taken)

    if free(wanted):
        return wanted
    for whole in ("10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16"):
        area = ipaddress.IPv4Network(whole)
        if area.prefixlen <= wanted.prefixlen:
            for network in area.subnets(new_prefix=wanted.prefixlen):
                if free(network):
                    return network
    raise RehearsalError(f"no network of the size of {wanted} is free on this machine")


def _routes() -> list[str]:
    """Networks that this machine has routes to."""
    found = []
    with contextlib.suppress(OSError, ValueError, IndexError):
        for line in Path("/proc/net/route").read_text(encoding="ascii").splitlines()[1:]:
            fields = line.split()
            address, mask = (ipaddress.IPv4Address(bytes.fromhex(fields[column])[::-1]) for column in (1, 7))
            found.append(f"{address}/{mask}")
    return found


def _clients(described: Topology) -> certificates.Clients | None:
    """Who signs client certificates; None where no listener asks for any."""
    return certificates.clients(described.name) if described.mutual_listeners else None


def _images(described: Topology, choices: Choices) -> list[str]:
    from generator.rehearsing.compose import HAPROXY

    found = [HAPROXY] if described.balancers else []
    if described.database is not None:
        found.append(f"postgres:{described.database.major}")
    for container in described.task.containers:
        if container.name != described.task.keycloak or choices.image_folder is None:
            found.append(choices.images.get(container.name, container.image))
    return list(dict.fromkeys(found))


def _pull(docker: Docker, images: list[str], progress: Callable[[str], None]) -> None:
    missing = [image for image in images if not docker.has_image(image)]
    for number, image in enumerate(missing, 1):
        progress(f"pulling {image} ({number} of {len(missing)})")
        docker.call("pull", "--quiet", image, wanted=f"the image {image} can't be pulled")


def _build(docker: Docker, image: str, folder: Path, progress: Callable[[str], None]) -> None:
    if docker.has_image(image):
        return
    progress(f"building {image.split(':')[0]}")
    with subprocess.Popen(["docker", "build", "--tag", image, str(folder)], stdin=subprocess.DEVNULL,
                          stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, errors="replace") as process:
        lines = []
        for line in process.stdout or ():
            if line.strip():
                lines.append(line.strip())
                progress(f"building {image.split(':')[0]}: {line.strip()[:80]}")
    if process.returncode:
        raise RehearsalError(f"the image of {folder.name}/ can't be built: {lines[-1] if lines else 'no output'}")


def _check_firewall(docker: Docker, root: Path) -> None:
    tried = docker.succeeds("run", "--rm", "--network", "none", "--cap-drop", "ALL", "--cap-add", "NET_ADMIN",
                            tools_image(root), "nft", "add", "table", "inet", "probe")
    if not tried:
        raise RehearsalError("this engine can't run nftables in a container, so security groups can't be enforced "
                             "(--no-firewall rehearses without them)")


def _granted_files(docker: Docker, root: Path, described: Topology) -> int | None:
    """The largest number of open files that the engine grants, if the template asks for more than that."""
    asked = max((hard for container in described.task.containers for name, _, hard in container.ulimits
                 if name == "nofile"), default=0)

    def granted(number: int) -> bool:
        return docker.succeeds("run", "--rm", "--network", "none", "--ulimit", f"nofile={number}:{number}",
                               tools_image(root), "true")

    if not asked or granted(asked):
        return None
    low, high = 1024, asked
    while high - low > 1024:
        middle = (low + high) // 2
        low, high = (middle, high) if granted(middle) else (low, middle)
    return low


def _wait_for(docker: Docker, place: Place, service: str, *, healthy: bool) -> None:
    for _ in range(120):
        found = {one.service: one for one in docker.containers(place.compose_name)}.get(service)
        if found is not None and found.status in ("exited", "dead"):
            said = [line for _, line in docker.logs(found.identity)]
            raise RehearsalError(f"{service} ended at once: {said[-1] if said else 'it wrote nothing'}")
        if found is not None and found.status == "running" and (not healthy or found.health == "healthy"):
            return
        time.sleep(0.5)
    raise RehearsalError(f"{service} isn't ready after a minute (`cloakform rehearse logs {place.name} {service}`)")


def _text(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise RehearsalError(f"{path} can't be read: {error}") from error
