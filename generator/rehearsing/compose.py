"""A topology as a Compose project: files that start it, readable and usable without this program."""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from generator.errors import ProjectError, RehearsalError
from generator.rehearsing import balancer as balancing
from generator.rehearsing import firewall as filtering
from generator.rehearsing import names, quoting, resolver
from generator.rehearsing.certificates import REVOCATIONS_FILE, Authority, Clients
from generator.rehearsing.topology import Container, Host, Topology
from generator.rehearsing.vantage import vantages

HAPROXY = "haproxy:2.8"
"""The oldest line that HAProxy maintains for as long as the newest; the configuration also runs on 2.6."""

TOOLS = "cloakform-rehearsal"

STARTING_SHARE = 128
"""Share of the processor of a task that starts, where others have Docker's 1024: on Fargate a node that starts takes
nothing from those that serve. The watch raises it when the task is healthy."""

# What a database client may be told to check the server against: in a rehearsal, the rehearsal's own authority.
_TRUST_FILE = re.compile(r"[?&]sslrootcert=([^&]+)")
_TRUST_VARIABLE = re.compile(r"KC_DB_TLS_TRUST_STORE_FILE$")

# Its folder truststores holds authorities that Keycloak itself trusts beside those of the system (server guide,
# "Configuring trusted certificates"; from 24 on); a realm's X.509 step names a revocation list by its path in here.
_CONF = "/opt/keycloak/conf"

_CONDITIONS = {"START": "service_started", "HEALTHY": "service_healthy",
               "SUCCESS": "service_completed_successfully", "COMPLETE": "service_completed_successfully"}

MANY_CONNECTIONS = 1000
"""Connections that the database takes where the template doesn't tell: PostgreSQL's own default of 100 is nobody's
RDS, and three tasks with their pools are more."""


@dataclass(frozen=True)
class Choices:
    """How a rehearsal is to be run, beside what the template says."""

    images: Mapping[str, str] = field(default_factory=dict)
    """Container name to the image to use instead of the template's."""
    image_folder: Path | None = None
    """Folder with the Dockerfile of Keycloak's image; None where the image is pulled."""
    firewall: bool = True
    nofile: int | None = None
    """The largest number of open files the engine can grant; None where there is no limit to heed."""
    changes: Mapping[str, Mapping[str, str]] = field(default_factory=dict)
    """Slot to environment variables that its task has otherwise: a deployment under way."""


def files(topology: Topology, root: Path, authority: Authority, choices: Choices = Choices(),
          clients: Clients | None = None) -> dict[str, bytes]:
    """Path in the project folder to content. Secrets aren't among them: the project reads `$REHEARSAL_SECRETS`.

    `clients` signs for the clients of listeners that ask for certificates; a topology with such a listener needs it.

    Raises RehearsalError for values of the template's that have no place in such files, ProjectError where the
    templates of the rehearsal are missing.
    """
    made: dict[str, bytes] = {"compose.yaml": compose_file(topology, root, choices).encode()}
    for name in ("tools/Dockerfile", "database/database.sh"):
        made[name] = _template(root, name)
    made["dns/resolver.conf"] = resolver.resolving(topology, root).encode()
    made["dns/zone.conf"] = resolver.zone(topology, root).encode()
    made["dns/hosts"] = resolver.answers(
        topology, [slot.address for slot in topology.slots[:topology.service.desired]]).encode()
    if choices.firewall:
        for host in topology.hosts:
            made[f"firewall/{host.name}.nft"] = filtering.rules(topology, host, root).encode()
    made["balancer/balancer.pem"] = _pem(authority, names.certified(topology))
    for balancer in topology.balancers:
        made[f"balancer/{balancer.host.name}.cfg"] = balancing.configuration(topology, balancer, root).encode()
    if topology.mutual_listeners:
        if clients is None:
            raise ValueError("listeners ask for client certificates, and nobody signs any")
        made["balancer/client-authorities.pem"] = clients.authority.certificate
        made["balancer/client-revocations.pem"] = clients.revocations
        made["balancer/certificates.lua"] = _template(root, "certificates.lua")
    if topology.database is not None:
        issued = authority.issue([topology.database.host])
        made["database/server.crt"] = issued.certificate
        made["database/server.key"] = issued.key
    made["authority.pem"] = authority.certificate
    if choices.image_folder is not None:
        for path in sorted(choices.image_folder.rglob("*")):
            if path.is_file():
                made[f"image/{path.relative_to(choices.image_folder).as_posix()}"] = path.read_bytes()
    made["ports.json"] = (json.dumps(_ports(topology), indent=2) + "\n").encode()
    return made


def compose_file(topology: Topology, root: Path, choices: Choices = Choices()) -> str:
    """The text of compose.yaml."""
    ports = _ports(topology)
    return quoting.fill(root, "compose.yaml.j2", {
        "name": topology.name, "file": topology.file, "tools": tools_image(root), "haproxy": HAPROXY,
        "starting_share": STARTING_SHARE, "resolver": topology.resolver, "vpc": topology.vpc,
        "gateway": topology.vpc.network_address + 1, "firewall": choices.firewall, "nofile": choices.nofile,
        "database": _database(topology), "volumes": volumes(topology, [slot.name for slot in topology.slots]),
        "balancers": [{"logical_id": one.logical_id, "host": _host(one.host, ports=[
            port["port"] for port in ports if port["balancer"] == one.logical_id]),
                       "certificates": any(owner is one for owner, _ in topology.mutual_listeners)}
                      for one in topology.balancers],
        "slots": [{"host": _host(slot, spare=number >= topology.service.desired),
                   "containers": _containers(topology, slot, choices)}
                  for number, slot in enumerate(topology.slots)],
    })


def tools_image(root: Path) -> str:
    """Name of the image of firewalls and DNS: a new one when its Dockerfile changes."""
    return f"{TOOLS}:{hashlib.sha256(_template(root, 'tools/Dockerfile')).hexdigest()[:12]}"


def keycloak_image(topology: Topology, folder: Path) -> str:
    """Name of the image that is built from `folder`: a new one when a file in it changes."""
    digest = hashlib.sha256()
    for path in sorted(folder.rglob("*")):
        if path.is_file():
            digest.update(path.relative_to(folder).as_posix().encode() + b"\0" + path.read_bytes() + b"\0")
    return f"{TOOLS}-{topology.name}:{digest.hexdigest()[:12]}"


def service_name(topology: Topology, slot: str, container: str) -> str:
    """The Compose service of a task's container: the slot's own name for Keycloak's."""
    return slot if container == topology.task.keycloak else f"{slot}-{container}"


def task_services(topology: Topology, slot: str, firewall: bool = True) -> list[str]:
    """The Compose services of a slot, in the order they start."""
    holding = [f"{slot}-net", *([f"{slot}-firewall"] if firewall else [])]
    return holding + [service_name(topology, slot, one.name) for one in topology.task.containers]


def volumes(topology: Topology, slots: Sequence[str]) -> list[str]:
    """The volumes of slots: empty when a task starts, shared by the containers of that task only."""
    found = dict.fromkeys(name for container in topology.task.containers for name, _, _ in container.volumes)
    return [_volume(slot, name) for slot in slots for name in found]


def _ports(topology: Topology) -> list[dict[str, Any]]:
    """Where each balancer is asked from each vantage: `port` of the container `host` stands for `listener`, a port."""
    there = {(balancer.logical_id, listener.logical_id): (balancer.host.name, listener.port)
             for balancer in topology.balancers for listener in balancer.listeners}
    found = []
    for one in vantages(topology):
        host, listener = there[one.balancer, one.listener]
        found.append({"vantage": one.name, "balancer": one.balancer, "host": host, "port": one.port,
                      "listener": listener})
    return found


def _host(host: Host, *, ports: Sequence[int] = (), spare: bool = False) -> dict[str, Any]:
    return {"name": host.name, "hostname": host.hostname, "address": host.address, "ports": ports, "spare": spare}


def _database(topology: Topology) -> dict[str, Any] | None:
    database = topology.database
    if database is None or topology.database_host is None:
        return None
    settings = ["ssl=on", "ssl_cert_file=/tmp/rehearsal/server.crt", "ssl_key_file=/tmp/rehearsal/server.key",
                "hba_file=/tmp/rehearsal/pg_hba.conf", f"port={database.port}",
                f"max_connections={database.max_connections or MANY_CONNECTIONS}"]
    return {"host": _host(topology.database_host), "image": f"postgres:{database.major}", "major": database.major,
            "name": database.name, "port": database.port, "settings": settings,
            "connections": "hostssl" if database.force_tls else "host"}


def _containers(topology: Topology, slot: Host, choices: Choices) -> list[dict[str, Any]]:
    changed = choices.changes.get(slot.name, {})
    return [_container(topology, slot, one, choices, changed if one.name == topology.task.keycloak else {})
            for one in topology.task.containers]


def _container(topology: Topology, slot: Host, container: Container, choices: Choices, changed: Mapping[str, str]
               ) -> dict[str, Any]:
    image = choices.images.get(container.name, container.image)
    build = False
    if container.name == topology.task.keycloak and choices.image_folder is not None:
        image, build = keycloak_image(topology, choices.image_folder), True
    environment = {**dict(container.environment), **changed}
    container = replace(container, environment=tuple(environment.items()))
    return {
        "service": service_name(topology, slot.name, container.name), "name": container.name, "image": image,
        "build": build, "entrypoint": container.entrypoint, "command": container.command,
        "environment": container.environment, "secrets": container.secrets, "user": container.user,
        "working_directory": container.working_directory, "read_only": container.read_only, "init": container.init,
        "memory": container.memory or topology.task.memory, "stop_timeout": container.stop_timeout,
        "ulimits": [(name, _granted(name, soft, choices), _granted(name, hard, choices))
                    for name, soft, hard in container.ulimits],
        "volumes": _trust_volumes(container) + _client_volumes(topology, container) + [
            f"{_volume(slot.name, name)}:{path}:{'ro' if read_only else 'rw'}"
            for name, path, read_only in container.volumes], "health_check": container.health_check,
        "depends_on": [(service_name(topology, slot.name, other), _CONDITIONS[condition])
                       for other, condition in container.depends_on],
    }


def _volume(slot: str, name: str) -> str:
    return f"{slot}-{name}"


def _granted(name: str, value: int, choices: Choices) -> int:
    return min(value, choices.nofile) if name == "nofile" and choices.nofile is not None else value


def _trust_volumes(container: Container) -> list[str]:
    """The rehearsal's authority in the place of the file that the database's certificate is checked against."""
    found = []
    for name, value in container.environment:
        if name.startswith("KC_DB_URL"):
            found += _TRUST_FILE.findall(value)
        elif _TRUST_VARIABLE.match(name):
            found.append(value)
    for path in found:
        if not re.fullmatch(r"/[A-Za-z0-9._/-]+", path) or ".." in path:
            raise RehearsalError(f"{container.name}: the file of authorities {path!r} isn't a plain path")
    return [f"./authority.pem:{path}:ro" for path in dict.fromkeys(found)]


def _client_volumes(topology: Topology, container: Container) -> list[str]:
    """The rehearsal's authority of clients among those that Keycloak trusts, and its revocation list, where Keycloak
    has to look at certificates itself because the balancer passes them through unseen."""
    if container.name != topology.task.keycloak or not any(
            listener.mutual_tls and listener.mutual_tls.mode == "passthrough"
            for _, listener in topology.mutual_listeners):
        return []
    return [
        f"./balancer/client-authorities.pem:{_CONF}/truststores/rehearsal-clients.pem:ro",
        f"./balancer/client-revocations.pem:{_CONF}/{REVOCATIONS_FILE}:ro",
    ]


def _pem(authority: Authority, names: Sequence[str]) -> bytes:
    issued = authority.issue(names)
    return issued.certificate + authority.certificate + issued.key


def _template(root: Path, name: str) -> bytes:
    try:
        return (root / quoting.TEMPLATES / name).read_bytes()
    except OSError as error:
        raise ProjectError(f"{quoting.TEMPLATES}/{name} can't be read ({error.strerror})") from error
