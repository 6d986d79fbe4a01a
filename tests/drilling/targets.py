"""A target for the tests: a topology with the doors of a server, and tasks that only have a log."""

from __future__ import annotations

from dataclasses import replace

from generator.errors import RehearsalError
from generator.rehearsing.target import Door, LogLine, RunningTask
from generator.rehearsing.topology import Container, SecretField, Topology
from tests.drilling.servers import ADMIN, PUBLIC, Server
from tests.rehearsing.topologies import TOPOLOGY

ENVIRONMENT = (
    ("KC_HOSTNAME", f"https://{PUBLIC}"),
    ("KC_HOSTNAME_ADMIN", f"https://{ADMIN}"),
    ("KC_HTTP_ENABLED", "true"),
    ("KC_PROXY_HEADERS", "xforwarded"),
    ("KC_HEALTH_ENABLED", "true"),
    ("KC_METRICS_ENABLED", "true"),
    ("KC_CACHE", "ispn"),
    ("KC_CACHE_STACK", "kubernetes"),
    ("KC_BOOTSTRAP_ADMIN_USERNAME", "temp-admin"),
    ("JAVA_OPTS_APPEND", "-Djgroups.dns.query=keycloak.keycloak-dev.internal -Djgroups.bind_addr=SITE_LOCAL"),
)

PASSWORD = "very-secret-bootstrap"


def with_container(topology: Topology, **attributes) -> Topology:
    """The topology with another Keycloak container."""
    changed = replace(topology.task.containers[0], **attributes)
    return replace(topology, task=replace(topology.task, containers=(changed,)))


def with_environment(topology: Topology, **variables: str | None) -> Topology:
    """The topology with these variables; None takes one away."""
    kept = {name: value for name, value in topology.keycloak.environment if name not in variables}
    kept.update({name: value for name, value in variables.items() if value is not None})
    return with_container(topology, environment=tuple(kept.items()),
                          lines=tuple((name, 600 + number) for number, name in enumerate(kept)))


def _container() -> Container:
    return replace(
        TOPOLOGY.keycloak,
        environment=ENVIRONMENT,
        command=("start",),
        line=590,
        lines=tuple((name, 600 + number) for number, (name, _) in enumerate(ENVIRONMENT)),
        secrets=(("KC_BOOTSTRAP_ADMIN_PASSWORD", SecretField("BootstrapAdminSecret", "password")),),
    )


DEV = replace(TOPOLOGY, task=replace(TOPOLOGY.task, containers=(_container(),)), version="26.7.4",
              service=replace(TOPOLOGY.service, line=700))
"""An environment as this project renders it: two tasks, found through DNS, an admin host for one network."""


def view(*members: str, number: int = 1) -> str:
    """A log line with a view."""
    return (
        f"ISPN000094: Received new cluster view for channel ISPN: [{members[0]}|{number}] ({len(members)}) "
        f"[{', '.join(members)}]"
    )


def started(name: str, node: str, *members: str, at: float) -> list[LogLine]:
    """What a node says that has come up among others."""
    return [
        LogLine(
            at,
            f"ISPN000079: Channel `ISPN` local address is `{node}`, physical addresses are `[10.40.4.10:7800]`",
        ),
        LogLine(at + 0.1, view(*members)),
    ]


class Stand:
    """A target whose tasks are what a test says they are. What it doesn't offer raises RehearsalError."""

    def __init__(
        self,
        topology: Topology = DEV,
        servers: dict[str, Server] | None = None,
        *,
        local: bool = True,
        whole: bool = True,
    ):
        self.topology, self.local, self.name = topology, local, topology.name
        self.unable: dict[str, str] = {}
        self._servers = servers or {}
        self.done: list[str] = []
        members = ("a-1", "b-2") if whole else ("a-1",)
        self._logs = {
            "keycloak-1": started("keycloak-1", "a-1", *members, at=1010.0),
            "keycloak-2": started("keycloak-2", "b-2", *(members if whole else ("b-2",)), at=1020.0),
        }

    def doors(self) -> list[Door]:
        sources = {"internet": "198.51.100.7", "admin": "203.0.113.9", "inside": "10.40.9.9"}
        return [server.door(vantage, source=sources[vantage]) for vantage, server in self._servers.items()]

    def tasks(self) -> list[RunningTask]:
        return [RunningTask("keycloak-1", "10.40.4.10", "running", True, 1000.0),
                RunningTask("keycloak-2", "10.40.4.11", "running", True, 1001.0)]

    def logs(self, task: str, since: float = 0.0) -> list[LogLine]:
        return [line for line in self._logs.get(task, []) if line.time > since]

    def secret(self, variable: str) -> str | None:
        return PASSWORD if variable == "KC_BOOTSTRAP_ADMIN_PASSWORD" else None

    def metrics(self, task: str) -> str | None:
        return "vendor_cluster_size 2.0\n"

    def restore(self) -> str:
        return ""

    def kill(self, task: object, direction: str = "") -> float:
        self.done.append(f"{task}")
        raise RehearsalError("nothing is killed here")

    stop = freeze = thaw = lose = cut = heal = scale = deploy = kill
