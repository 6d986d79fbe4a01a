"""One Keycloak server: its files in layers, started in a place, asked, and ended."""

from __future__ import annotations

import contextlib
import json
import os
import re
import shutil
import signal
import subprocess
import tempfile
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from generator.errors import CatalogError
from generator.keycloak import distribution, facts
from tests.claims import place as places
from tests.claims.environment import Environment
from tests.claims.place import Place
from tests.cluster import packages
from tests.cluster.steps import ClusterError, output, step

_PATIENCE = 900
"""Seconds in which a server has to be ready or to end. On a machine at work on other things, a build alone
takes five minutes."""
_UP = r"Keycloak \S+ on JVM .* started in "
_LATE = 60
"""Seconds after it says so in which it has to be ready."""
_SETTLE = 2
"""Seconds after it is ready in which it may still complain."""
_HEAP = "-Xms64m -Xmx512m -XX:TieredStopAtLevel=1"
"""In place of the image's share of the machine's memory, which is no task's here; the quick compiler alone,
as no server lives long."""
_BUILT = "built"
"""A file of a layer that is whole: what the build complained of."""
_LEVEL = re.compile(r"^(?:\S+ \S+ )?(WARN|WARNING|ERROR|FATAL|SEVERE)\b|^\[\S+\] \[(ERROR|WARN)\]")


@dataclass(frozen=True)
class Line:
    """A line of the log."""

    level: str
    """`WARN`, `ERROR`, or whatever else stands there; empty for plain text."""
    text: str

    @property
    def complains(self) -> bool:
        """Whether it is a warning or worse."""
        return self.level in ("WARN", "WARNING", "ERROR", "FATAL", "SEVERE")


@dataclass(frozen=True)
class Answer:
    """What a request was answered; status 0 where there was no answer."""

    status: int
    headers: str
    body: str


class Server:
    """A server that was started; it is up until the block that started it ends."""

    def __init__(self, place: Place, environment: Environment, process: subprocess.Popen, log: Path) -> None:
        self.place = place
        self.environment = environment
        self._process = process
        self._log = log
        self._started = time.monotonic()
        self.ready: float | None = None
        """Seconds until it was ready; None if it never was."""

    @property
    def of_the_build(self) -> list[Line]:
        """What `kc.sh build` complained of when the rendered image was made."""
        file = _kept(self.environment) / _BUILT
        return [_line(one) for one in file.read_text("utf-8").splitlines()] if file.exists() else []

    @property
    def lines(self) -> list[Line]:
        """The log so far."""
        return read_log(self._log)

    @property
    def code(self) -> int | None:
        """Its exit code; None while it runs."""
        return self._process.poll()

    @property
    def seconds(self) -> float:
        """Since it was started."""
        return time.monotonic() - self._started

    def ask(
        self,
        path: str,
        port: int = 8080,
        *,
        scheme: str = "http",
        headers: Sequence[str] = (),
        source: str = "",
        form: Mapping[str, str] | None = None,
        cookies: str = "",
        host: str = places.TASK,
    ) -> Answer:
        """What it answers to a request from an address, the balancer's unless another one is named."""
        with tempfile.NamedTemporaryFile() as told:
            command = [
                "curl",
                "-s",
                "-k",
                "--path-as-is",
                "-m",
                "90",
                "-D",
                told.name,
                "--interface",
                source or self.environment.balancer,
            ]
            for one in headers:
                command += ["-H", one]
            for name, value in (form or {}).items():
                command += ["--data-urlencode", f"{name}={value}"]
            if cookies:
                command += ["-b", cookies]
            ran = subprocess.run(
                [*self.place.enter, *command, f"{scheme}://{host}:{port}{path}"],
                text=True,
                errors="replace",
                capture_output=True,
                check=False,
            )
            headers_read = Path(told.name).read_text("utf-8", "replace")
        statuses = re.findall(r"^HTTP/\S+ (\d+)", headers_read, re.MULTILINE)
        return Answer(int(statuses[-1]) if statuses else 0, headers_read, ran.stdout)

    def listening(self) -> set[tuple[str, int]]:
        """Addresses and ports where somebody listens in the task's network, but the database's and DNS."""
        told = output([*self.place.enter, "ss", "-Hltn"])
        found = {
            (
                line.split()[3].rpartition(":")[0].strip("[]").removeprefix("::ffff:"),
                int(line.split()[3].rpartition(":")[2]),
            )
            for line in told.splitlines()
        }
        return {(address, port) for address, port in found if port not in (53, 5432)}

    @property
    def options_of_java(self) -> str:
        """The command line of the server's Java."""
        return self._java_below(self._process.pid)

    def _java_below(self, pid: int) -> str:
        for child in _children(pid):
            words = Path(f"/proc/{child}/cmdline").read_bytes().split(b"\0")
            if words[0].endswith(b"java"):
                return b" ".join(words).decode("utf-8", "replace")
            if found := self._java_below(child):
                return found
        return ""

    def stop(self) -> float:
        """Sends SIGTERM to the container's first process, as ECS does; returns the seconds that it took."""
        began = time.monotonic()
        for child in _children(self._process.pid):
            os.kill(child, signal.SIGTERM)
        with contextlib.suppress(subprocess.TimeoutExpired):
            self._process.wait(60)
        return time.monotonic() - began

    def wait(self, url: str) -> None:
        """Returns when the URL answers with 200 or the server has ended. Raises ClusterError for neither.

        `url` is `SCHEME:PORT/PATH`, or `SCHEME:HOST:PORT/PATH`.
        """
        scheme, host, port, path = re.fullmatch(r"(https?):(?:([^:/]+):)?(\d+)(/.*)", url).groups()
        until = None
        while self.code is None:
            if until is None and any(re.search(_UP, line.text) for line in self.lines):
                until = self.seconds + _LATE
            if self.seconds > (until or _PATIENCE):
                raise ClusterError(f"it neither ended nor answered at {url} within {self.seconds:.0f} s")
            if self.ask(path, int(port), scheme=scheme, host=host or places.TASK).status == 200:
                self.ready = self.seconds
                time.sleep(_SETTLE)
                return
            time.sleep(1)


def read_log(log: Path) -> list[Line]:
    """The lines of a log; the items of a list belong to the line before them."""
    found: list[Line] = []
    for text in log.read_text("utf-8", "replace").splitlines():
        if found and re.match(r"\s+- ", text):
            found[-1] = Line(found[-1].level, f"{found[-1].text} {text.strip()}")
        elif text.strip():
            found.append(_line(text))
    return found


def _line(text: str) -> Line:
    if text.startswith("{"):
        with contextlib.suppress(json.JSONDecodeError):
            data = json.loads(text)
            told = re.sub(r"\s+", " ", str(data.get("message", "")))
            thrown = data.get("exception") or {}
            while isinstance(thrown, dict) and thrown:
                thrown = thrown.get("exception", thrown)
                told += f" | {thrown.get('exceptionType', '')}: {thrown.get('message', '')}"
                thrown = (thrown.get("causedBy") or {}).get("exception")
            return Line(str(data.get("level", "")), f"{told} [{data.get('loggerName', '')}]")
    plain = re.sub(r"\x1b\[[0-9;]*m", "", text)
    found = _LEVEL.match(plain)
    return Line((found[1] or found[2]) if found else "", plain)


def distributed(version: str) -> Path:
    """Keycloak's files as the distribution has them; fetched with Maven unless they are there."""
    home = places.folder() / "distributions" / version
    if not home.exists():
        with step(f"fetching Keycloak {version}"), tempfile.TemporaryDirectory() as folder:
            file = packages.from_maven(
                "org.keycloak", "keycloak-quarkus-dist", version, "tar.gz", Path(folder)
            )
            part = home.with_suffix(".part")
            shutil.rmtree(part, ignore_errors=True)
            part.mkdir(parents=True)
            output(["tar", "-xzf", str(file), "-C", str(part), "--strip-components=1"], purpose="tar")
            output(["chown", "-R", "1000:0", str(part)])
            part.rename(home)
    return home


def layers(place: Place, environment: Environment) -> list[Path]:
    """The files of the image, the uppermost layer first: Keycloak's, and what the rendered Dockerfile adds.

    For the stock image, what its first start built is a layer too, so that a start with the same build
    options doesn't take half a minute; `keep` makes it. Raises ClusterError.
    """
    home = distributed(environment.version)
    if environment.base == "optimized":
        return [built(place, environment), home]
    kept = _kept(environment)
    return [kept, home] if kept.exists() else [home]


def keep(environment: Environment, upper: Path) -> None:
    """Keeps what a stock server built at its start."""
    kept = _kept(environment)
    if not kept.exists():
        kept.mkdir(parents=True)
        output(["cp", "-a", str(upper / "lib"), str(kept / "lib")])


def built(place: Place, environment: Environment, changes: Mapping[str, str | None] | None = None) -> Path:
    """The layer that the rendered Dockerfile makes, with variables of its build changed. Made once."""
    variables = _laid(environment.build, changes or {})
    if environment.build == variables:
        layer = _kept(environment)
    else:
        name = re.sub(
            r"\W+", "-", "-".join(f"{key}={value}" for key, value in sorted((changes or {}).items()))
        )
        layer = _kept(environment).with_name(_kept(environment).name + name)
    if (layer / _BUILT).exists():
        return layer
    shutil.rmtree(layer, ignore_errors=True)
    layer.mkdir(parents=True)
    for path, content in environment.files.items():
        file = layer / Path(path).relative_to("/opt/keycloak")
        file.parent.mkdir(parents=True, exist_ok=True)
        # The authorities of RDS are in the real one; what is checked against them here is ours.
        file.write_bytes(place.authority.read_bytes() if file.suffix == ".pem" else content)
    output(["chown", "-R", "1000:0", str(layer)])
    with step(f"building the image of {environment.version}"), tempfile.NamedTemporaryFile() as log:
        process = _run(
            place, [distributed(environment.version)], layer, ("build",), variables, Path(log.name)
        )
        try:
            code = process.wait()
        finally:
            _kill(process)
        lines = read_log(Path(log.name))
        shutil.copy(log.name, _logs() / f"build {layer.name}.log")
        if code:
            raise ClusterError(f"kc.sh build: {[one.text for one in lines][-3:]}")
    (layer / _BUILT).write_text("\n".join(one.text for one in lines if one.complains), "utf-8")
    return layer


def _kept(environment: Environment) -> Path:
    name = f"{environment.version} {environment.base} {environment.digest}"
    return places.folder() / "layers" / name.replace(" ", "-")


def _logs() -> Path:
    folder = places.folder() / "logs"
    folder.mkdir(parents=True, exist_ok=True)
    return folder


def _laid(variables: Mapping[str, str], changes: Mapping[str, str | None]) -> dict[str, str]:
    return {name: value for name, value in {**variables, **changes}.items() if value is not None}


def health(version: str) -> str:
    """Where a server of the version says that it is ready, as `wait` takes it."""
    return f"http:{facts.management_port(version) or 8080}/health/ready"


@contextlib.contextmanager
def started(
    place: Place,
    environment: Environment,
    name: str,
    *,
    variables: Mapping[str, str | None],
    command: tuple[str, ...] | None = None,
    lower: Sequence[Path] | None = None,
    read_only: bool = False,
    writable: Sequence[str] = (),
    files: Mapping[str, Path] | None = None,
    keep_built: bool = False,
) -> Iterator[Server]:
    """A server of an environment with some variables changed, as long as the block runs.

    `lower` is the image's layers, `files` are more files to be in it, by their path below /opt/keycloak;
    `read_only` is the container's file system, but for the folders in `writable`. Its log is kept under `name`.
    """
    place.address(environment.balancer)
    log = _logs() / f"{re.sub(r'[^-.=,A-Za-z0-9 ]+', '_', name)[:150]}.log"
    with tempfile.TemporaryDirectory(dir=places.folder()) as folder:
        upper = Path(folder) / "upper"
        upper.mkdir()
        for path, source in (files or {}).items():
            (upper / path).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(source, upper / path)
        output(["chown", "-R", "1000:0", str(upper)])
        process = _run(
            place,
            lower or layers(place, environment),
            upper,
            environment.command if command is None else command,
            _laid(environment.variables, variables),
            log,
            read_only,
            writable,
        )
        try:
            server = Server(place, environment, process, log)
            yield server
            if keep_built and server.ready is not None:
                keep(environment, upper)
        finally:
            _kill(process)
            _gone(place)


def _kill(process: subprocess.Popen) -> None:
    """Ends the container's first process, with which all of its processes end, and who waits for it."""
    # unshare's own --kill-child is lost when the child changes its user.
    for pid in [*_children(process.pid), process.pid]:
        with contextlib.suppress(ProcessLookupError):
            os.kill(pid, signal.SIGKILL)
    process.wait()


def _children(pid: int) -> list[int]:
    try:
        return [int(one) for one in Path(f"/proc/{pid}/task/{pid}/children").read_text("ascii").split()]
    except OSError:
        return []


def _gone(place: Place) -> None:
    """Returns when no port of the server's is open any more."""
    until = time.monotonic() + 10
    while time.monotonic() < until:
        if not output(
            [*place.enter, "ss", "-Hltn", "sport = :8080 or sport = :7800 or sport = :9000"]
        ).strip():
            return
        time.sleep(0.1)


def _run(
    place: Place,
    lower: Sequence[Path],
    upper: Path,
    command: Sequence[str],
    variables: Mapping[str, str],
    log: Path,
    read_only: bool = False,
    writable: Sequence[str] = (),
) -> subprocess.Popen:
    try:
        java = Path(distribution.java()).resolve().parent.parent
    except CatalogError as error:
        raise ClusterError(str(error)) from None
    work = upper.with_name(upper.name + ".work")
    work.mkdir(exist_ok=True)
    # A colon separates layers, and a comma options.
    layered = ":".join(str(one) for one in lower)
    script = (
        f"set -e; mount -t overlay overlay -o 'lowerdir={layered},upperdir={upper},workdir={work}'"
        " /opt/keycloak; "
        + "".join(f"mkdir -p {path}; " for path in writable)
        + (
            "mount -o remount,bind,ro /; mount -o remount,ro /opt/keycloak; mount --bind -o ro /tmp /tmp; "
            "mount -o remount,bind,ro /tmp; "
            if read_only
            else ""
        )
        + "".join(f"mount -t tmpfs -o mode=1777 tmpfs {path}; " for path in writable)
        + "cd /; exec nice -n 5 setpriv --reuid=1000 --regid=0 --clear-groups --inh-caps=-all "
        '/opt/keycloak/bin/kc.sh "$@"'
    )
    environment = {
        "PATH": "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin",
        "LANG": "C.UTF-8",
        "HOME": "/opt/keycloak",
        "JAVA_HOME": str(java),
        "JAVA_OPTS_KC_HEAP": _HEAP,
        **variables,
    }
    with log.open("wb") as file:
        return subprocess.Popen(
            [
                *place.network,
                "unshare",
                "--mount",
                "--pid",
                "--fork",
                "--mount-proc",
                "--kill-child=KILL",
                "sh",
                "-c",
                script,
                "kc",
                *command,
            ],
            stdin=subprocess.DEVNULL,
            stdout=file,
            stderr=subprocess.STDOUT,
            env=environment,
            cwd="/",
        )
