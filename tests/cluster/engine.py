"""A Docker engine for the cluster tests: the one that runs here, or our own in a network namespace of its
own.

In a namespace, because an engine changes the firewall of the network it is in (it sets the policy of
forwarded packets to DROP). Ports that its containers publish are on that namespace's 127.0.0.1: whatever
talks to them runs in there, see Engine.command. Its containers reach nothing outside this machine.
"""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
import shutil
import signal
import subprocess
import time
from dataclasses import dataclass, replace
from pathlib import Path

from tests.cluster import leftovers, packages
from tests.cluster.steps import ClusterError, alone, is_root, output, say, step, works

PROJECT = Path(__file__).resolve().parents[2]
FOLDER_VARIABLE = "CLOAKFORM_CLUSTER"
"""Where the engine keeps its data, if not in .cache/cluster of the project."""

TOOLS = (
    ("ip", "iproute2"), ("ss", "iproute2"), ("nsenter", "util-linux"), ("nft", "nftables"), ("haproxy", "haproxy"),
    ("dig", "bind9-dnsutils"), ("dnsmasq", "dnsmasq-base"), ("curl", "curl"), ("openssl", "openssl"))
"""What the tests of rehearsals run on this machine, with an engine or without, each with its package."""
_PROGRAMS = (
    ("dockerd", "docker.io"), ("docker", "docker.io"), ("docker-compose", "docker-compose"), ("iptables", "iptables"),
    ("mmdebstrap", "mmdebstrap"), ("mvn", "maven"), *TOOLS)
"""What the engine and the images need, too."""
# 198.18.0.0/15 is set aside for tests of networks (RFC 2544): no VPC that is rehearsed has it.
_BRIDGE = "198.18.0.1/16"
_POOL = {"base": "198.19.0.0/16", "size": 24}
_RESOLVER = "198.18.255.53"
_WEIGHT = 8
"""How many busy processes of this machine all containers together weigh as much as. An engine's cgroup counts
as one otherwise, and a cluster beside a test run or a build takes minutes instead of seconds."""


def folder() -> Path:
    """Where everything is kept that the cluster tests download and make."""
    return Path(os.environ.get(FOLDER_VARIABLE) or PROJECT / ".cache/cluster").resolve()


@dataclass(frozen=True)
class Engine:
    """An engine that answers."""

    own: bool
    """Whether we started it. Only then are there stand-ins under the names of real images."""
    variables: tuple[tuple[str, str], ...] = ()
    """What its clients need in their environment."""
    enter: tuple[str, ...] = ()
    """What stands before a command that shall reach published ports; empty where those are on the machine's
    own 127.0.0.1."""

    @property
    def environment(self) -> dict[str, str]:
        """The whole environment for a client of the engine."""
        return {**os.environ, **dict(self.variables)}

    def command(self, *arguments: str) -> list[str]:
        """A command as it has to be run to reach published ports; to be run with `environment`."""
        return [*self.enter, *arguments]

    def docker(self, *arguments: str, purpose: str = "") -> str:
        """What a docker command prints. Raises ClusterError."""
        return output(["docker", *arguments], environment=self.environment,
                      purpose=purpose or f"docker {arguments[0]}")

    def compose(self) -> tuple[str, ...]:
        """How Compose is called: docker's own, or else Debian's docker-compose. Raises ClusterError."""
        if works(["docker", "compose", "version"], self.environment):
            return ("docker", "compose")
        if works(["docker-compose", "version"], self.environment):
            return ("docker-compose",)
        raise ClusterError("no Compose here "
                           "(as root: apt-get install --no-install-recommends docker-compose)")

    def with_compose(self, plugin: Path) -> Engine:
        """The same engine for clients that have this Compose v2. Our own only: we configure its clients."""
        configured = plugin.parent / "client"
        place = configured / "cli-plugins/docker-compose"
        place.parent.mkdir(parents=True, exist_ok=True)
        place.unlink(missing_ok=True)
        place.symlink_to(plugin)
        return replace(self, variables=tuple((name, str(configured) if name == "DOCKER_CONFIG" else value)
                                             for name, value in self.variables))

    def largest_nofile(self, image: str, wanted: int) -> int:
        """How many open files a container may be allowed, at most `wanted`.

        An engine without CAP_SYS_RESOURCE can't give more than it has itself: runc refuses to start the
        container (measured with 1.1.5). `image` is one with bash.
        """
        if works(["docker", "run", "--rm", "--network", "none", "--ulimit", f"nofile={wanted}:{wanted}",
                  "--entrypoint", "bash", image, "-c", "true"], self.environment):
            return wanted
        told = self.docker("run", "--rm", "--network", "none", "--entrypoint", "bash", image,
                           "-c", "ulimit -Hn")
        return min(wanted, int(told))


@dataclass(frozen=True)
class _Own:
    """The places of our own engine. Sockets, mounts and process ids are in /run, where paths are short (a
    socket's has at most 107 characters) and gone after a restart of the machine."""

    data: Path

    @property
    def mark(self) -> str:
        """A name that no other engine has, made from where this one keeps its data."""
        return "cloakform-" + hashlib.sha256(str(self.data).encode()).hexdigest()[:10]

    @property
    def run(self) -> Path:
        return Path("/run") / self.mark

    @property
    def lock(self) -> Path:
        return self.data / "lock"

    @property
    def log(self) -> Path:
        return self.data / "dockerd.log"

    @property
    def socket(self) -> Path:
        return self.run / "docker.sock"

    @property
    def namespace(self) -> Path:
        return self.run / "net"

    @property
    def enter(self) -> tuple[str, ...]:
        return ("nsenter", f"--net={self.namespace}", "--")

    @property
    def engine(self) -> Engine:
        # An empty client configuration: no registry's login and no other engine's context gets in. BuildKit
        # is off, as Debian's client comes without it. What is run with this finds the same engine.
        variables = {"DOCKER_HOST": f"unix://{self.socket}", "DOCKER_CONFIG": str(self.data / "client"),
                     "DOCKER_BUILDKIT": "0", "COMPOSE_DOCKER_CLI_BUILD": "0",
                     FOLDER_VARIABLE: str(self.data.parent)}
        return Engine(True, tuple(variables.items()), self.enter)

    def processes(self) -> set[int]:
        """The engine's processes and its containers'. (dockerd's docker-proxy dies with it.)"""
        programs = ("dockerd", "containerd", "containerd-shim", "containerd-shim-runc-v2", "dnsmasq")
        return leftovers.naming(f"{self.run}/", programs) | leftovers.in_cgroup(self.mark)

    def answers(self) -> bool:
        return self.socket.exists() and works(["docker", "version"], self.engine.environment)


def _own() -> _Own:
    return _Own(folder() / "engine")


def find() -> Engine | None:
    """The engine that runs: ours, or the one that `docker info` finds. None if there is none."""
    own = _own()
    if own.answers():
        return own.engine
    if shutil.which("docker") and works(["docker", "info"]):
        return Engine(False)
    return None


def up() -> Engine:
    """The engine that runs; if there is none, our own, started. Takes about two seconds when all is
    installed.

    Raises ClusterError.
    """
    if engine := find():
        return engine
    if not is_root():
        raise ClusterError("no Docker engine runs here, and only root can start one: "
                           "start it, or run this as root")
    own = _own()
    with alone(own.lock):
        if engine := find():
            return engine
        packages.install(_PROGRAMS)
        _clean(own)
        try:
            with step("starting a Docker engine"):
                _start(own)
        except BaseException:
            _clean(own)
            raise
        _forget(own.engine)
    return own.engine


def down() -> bool:
    """Stop our own engine and its containers, and leave nothing of it but its data. Whether there was one."""
    own = _own()
    if not own.data.exists() and not own.run.exists():
        return False
    with alone(own.lock):
        there = bool(own.processes() or leftovers.mounts(own.run) or own.run.exists())
        if there:
            with step("stopping the Docker engine"):
                if own.answers():
                    _forget(own.engine)
                _stop(own)
                _clean(own)
    return there


def remove() -> None:
    """Stop our own engine and delete its data, its images with them."""
    down()
    shutil.rmtree(_own().data, ignore_errors=True)


def status() -> str:
    """One line about the engine that runs; empty if there is none."""
    engine = find()
    if engine is None:
        return ""
    told = json.loads(engine.docker("info", "--format", "{{json .}}"))
    place = f"our own, {_own().data}" if engine.own else "not ours, images come from registries"
    return (f"Docker {told['ServerVersion']} ({place}); {told['Driver']}, {told['Images']} images, "
            f"{told['ContainersRunning']} containers")


def _start(own: _Own) -> None:
    """Network namespace, resolver, dockerd; returns when it answers."""
    own.run.mkdir(parents=True, exist_ok=True)
    own.run.chmod(0o700)
    (own.data / "client").mkdir(parents=True, exist_ok=True)
    own.namespace.touch()
    output(["unshare", f"--net={own.namespace}", "ip", "link", "set", "lo", "up"],
           purpose="making a network namespace")
    output([*own.enter, "ip", "address", "add", f"{_RESOLVER}/32", "dev", "lo"],
           purpose="making a network namespace")
    # Answers at once that a name doesn't exist: without it, every unknown name takes a container 20 seconds.
    output([*own.enter, "dnsmasq", "--conf-file=/dev/null", "--no-resolv", "--no-hosts", "--address=/#/",
            "--bind-interfaces", f"--listen-address={_RESOLVER}", "--except-interface=lo", "--user=root",
            f"--pid-file={own.run / 'dnsmasq.pid'}"], purpose="dnsmasq")
    # A file of its own, so that what the machine has for another engine doesn't count. It lies in the folder
    # by whose name a killed engine's processes are known.
    settings = own.run / "daemon.json"
    settings.write_text(json.dumps({
        "data-root": str(own.data / "data"),
        "exec-root": str(own.run / "exec"),
        "pidfile": str(own.run / "dockerd.pid"),
        "deprecated-key-path": str(own.data / "key.json"),
        "hosts": [f"unix://{own.socket}"],
        "bip": _BRIDGE,
        "default-address-pools": [_POOL],
        "dns": [_RESOLVER],
        "exec-opts": ["native.cgroupdriver=cgroupfs"],
        "cgroup-parent": f"/{own.mark}",
    }), "utf-8")
    leftovers.weigh(own.mark, _WEIGHT)
    with own.log.open("w") as log:
        subprocess.run([*own.enter, "setsid", "--fork", "dockerd", "--config-file", str(settings)],
                       stdin=subprocess.DEVNULL, stdout=log, stderr=log, check=True)
    until = time.monotonic() + 60
    missed = 0
    while not own.answers():
        # A process that becomes another program has no arguments for a moment: missing once is not gone.
        missed = 0 if leftovers.naming(f"{own.run}/", ("setsid", "dockerd")) else missed + 1
        if missed > 2 or time.monotonic() > until:
            raise ClusterError(f"dockerd doesn't start: {_complaint(own.log)} (its log: {own.log})")
        time.sleep(0.2)


def _complaint(log: Path) -> str:
    """The last line of dockerd's log, without its time and level."""
    lines = [line for line in log.read_text("utf-8", errors="replace").splitlines() if line.strip()]
    return lines[-1].partition("msg=")[2].strip('"') or lines[-1] if lines else "it says nothing"


def _forget(engine: Engine) -> None:
    """Remove every container, network and volume: what an engine is left with is an earlier run's."""
    for left in (2, 1, 0):
        try:
            if containers := engine.docker("ps", "--all", "--quiet").split():
                engine.docker("rm", "--force", "--volumes", *containers)
            engine.docker("network", "prune", "--force")
            if volumes := engine.docker("volume", "ls", "--quiet").split():
                engine.docker("volume", "rm", "--force", *volumes)
            break
        except ClusterError:
            # A process of that earlier run may be at work still, and start a container meanwhile.
            if not left:
                raise


def _stop(own: _Own) -> None:
    """End dockerd in its own way, so that its data stay whole."""
    with contextlib.suppress(FileNotFoundError, ProcessLookupError, ValueError):
        pid = int((own.run / "dockerd.pid").read_text("ascii"))
        if pid in own.processes():
            os.kill(pid, signal.SIGTERM)
            until = time.monotonic() + 30
            while leftovers.alive(pid) and time.monotonic() < until:
                time.sleep(0.05)


def _clean(own: _Own) -> None:
    """Remove what is left of an engine, however it ended."""
    if stuck := leftovers.kill(own.processes):
        raise ClusterError(f"these processes of an earlier engine can't be ended: {sorted(stuck)}")
    for point in [*leftovers.mounts(own.run), *leftovers.mounts(own.data)]:
        output(["umount", "--lazy", str(point)], purpose="umount")
    for group in leftovers.cgroups(own.mark):
        with contextlib.suppress(OSError):
            group.rmdir()
    shutil.rmtree(own.run, ignore_errors=True)
    if own.run.exists():
        say(f"{own.run} could not be removed")
