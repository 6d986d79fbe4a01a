"""What a drill needs of a running environment, whether it is a rehearsal on this machine or deployed on
AWS."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Protocol

from generator.errors import AwsError, CredentialsError, RehearsalError
from generator.rehearsing.certificates import Clients
from generator.rehearsing.topology import Topology

TARGET_ERRORS = (RehearsalError, AwsError, CredentialsError)
"""What a target's methods raise where it can't be asked, or can't do what it was asked to."""


@dataclass(frozen=True)
class RunningTask:
    """A task as it is now."""

    name: str
    """What to call it: the slot of a rehearsal (`keycloak-2`), the end of a task's ARN on AWS."""
    address: str
    """IPv4 address."""
    state: str
    """`starting`, `running`, `stopping` or `stopped`."""
    healthy: bool
    """By the container's own health check (`running` where it has none), and on AWS by the balancer's as
    well."""
    started: float
    """Seconds since the epoch, when the container was started; on AWS when the task was made."""


@dataclass(frozen=True)
class LogLine:
    """One line of a task's log."""

    time: float
    """Seconds since the epoch, when it was written."""
    text: str


@dataclass(frozen=True)
class Door:
    """Where a drill sends its requests: TCP to (address, port), TLS with the authorities in `authorities` if
    `tls`."""

    vantage: str
    """`internet`, `admin` or `inside`."""
    balancer: str
    scheme: str
    """`http` or `https`, as the listener."""
    listener_port: int
    """What clients would write behind the host name: 443 for `https://host/`."""
    address: str
    """Empty for what DNS says of the host that is asked for."""
    port: int
    authorities: str | None = None
    """Path of a PEM file; None for the system's."""
    source: str = ""
    """The address that requests through it count as coming from; empty where that isn't known."""
    certificate: str | None = None
    """Path of a PEM file with the certificate that a client shows there, and its key; None for none."""


class Target(Protocol):
    """A running environment. Methods raise RehearsalError where they can't do their work."""

    name: str
    topology: Topology
    local: bool
    """Whether it is a rehearsal, in which everything may be broken."""
    unable: Mapping[str, str]
    """Methods that can't do their work there, whatever happens, and why."""

    def doors(self) -> list[Door]:
        """Ways in from every vantage that exists."""

    def tasks(self) -> list[RunningTask]:
        """Tasks that are not stopped."""

    def logs(self, task: str, since: float = 0.0) -> list[LogLine]:
        """Lines that a task wrote after `since`, in their order; also of a task that has stopped."""

    def secret(self, variable: str) -> str | None:
        """Value of a secret environment variable of the Keycloak container; None where it has none or it
        can't be read. Never printed."""

    def clients(self) -> Clients | None:
        """Who signs certificates that the listeners let in; None where no listener asks for any, and where nobody
        can sign them."""
        return None

    def served_by(self, cookie: str) -> str | None:
        """The task that the value of a balancer's stickiness cookie (AWSALB) leads to; None where it doesn't
        tell."""
        return None

    def metrics(self, task: str) -> str | None:
        """What the task's metrics endpoint answers, asked from beside it; None where it can't be asked."""
        return None

    def reaches(self, task: str, other: str, port: int) -> bool | None:
        """Whether a connection from one task to a TCP port of another comes about; None where nobody can try."""
        return None

    def kill(self, task: str) -> float:
        """SIGKILL to the task's processes; the moment, in seconds since the epoch. ECS (or what stands in for
        it) replaces it."""

    def stop(self, task: str) -> float:
        """What ECS does when a task is stopped: SIGTERM, then SIGKILL after the stop timeout; the moment."""

    def freeze(self, task: str) -> float:
        """SIGSTOP to the task's processes; the moment."""

    def thaw(self, task: str) -> float:
        """SIGCONT; the moment."""

    def lose(self, task: str) -> float:
        """Its host is gone: packets to and from it vanish and it never comes back; the moment."""

    def cut(self, task: str, direction: str) -> float:
        """Packets between this task and the other tasks vanish, `in`, `out` or `both`, until `heal`; the
        moment."""

    def heal(self, task: str) -> float:
        """Ends a `cut`; the moment."""

    def restart_database(self) -> float:
        """The database restarts, dropping its connections; the moment it began."""

    def scale(self, tasks: int) -> None:
        """Sets the number of tasks; returns at once."""

    def deploy(self, changes: dict[str, str]) -> None:
        """Starts a rolling deployment with these environment variables changed; returns at once."""

    def deployment_done(self) -> bool:
        """Whether every task is of the newest deployment, healthy, and there are as many as wanted."""
        return False

    def restore(self) -> str:
        """Puts right what isn't as it was found; what that came to, as a sentence; empty where nothing was
        changed."""
        return ""
