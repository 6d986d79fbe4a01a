"""Stand-ins for images, under the names that a registry has them by, made from packages.

Only for our own engine: one that was here before has registries, and a stand-in under a real name would deceive
whoever uses it next. A stand-in is made by a shell script (`files/*.sh`) that runs in a container of its base, with its
inputs below /mnt, and is committed with a label that tells its recipe: it is made again only when that changes.
"""

from __future__ import annotations

import contextlib
import hashlib
import os
import platform
import re
import shutil
import threading
from collections.abc import Callable, Iterable
from concurrent.futures import FIRST_EXCEPTION, Future, ThreadPoolExecutor, wait
from dataclasses import dataclass
from pathlib import Path

from tests.cluster import packages
from tests.cluster.engine import LABEL, Engine, folder
from tests.cluster.steps import ClusterError, alone, step

FILES = Path(__file__).resolve().parent / "files"
_WAY = 1
"""Goes up when images have to be made again because of what this module does with a recipe."""
_BASES = "cluster"
_KEYCLOAK = "quay.io/keycloak/keycloak"
_PREFIXES = ("docker.io/library/", "docker.io/", "library/")
_ARCHITECTURE = {"aarch64": "arm64v8"}.get(platform.machine(), "amd64")
"""As the archives of PostgreSQL call it."""


@dataclass(frozen=True)
class Recipe:
    """How an image is made: from another one, by a script in a container. Without a script it's a new Debian."""

    name: str
    base: str = ""
    script: str = ""
    """File in files/ that runs as root in the base."""
    files: tuple[str, ...] = ()
    """More files of files/ that the script uses."""
    debian: tuple[str, ...] = ()
    """Packages that the script finds in /mnt/packages, with all they depend on that the base hasn't."""
    maven: tuple[str, str, str, str] | None = None
    """Group, artifact, version (or a range, of which the newest is taken) and type of what the script finds in
    /mnt/artifact."""
    changes: tuple[str, ...] = ()
    """Lines of a Dockerfile that set the image's configuration."""

    @property
    def digest(self) -> str:
        """Of everything that decides what the image becomes, less what newer versions of packages change."""
        files = [(FILES / name).read_bytes() for name in (self.script, *self.files) if name]
        below = recipe(self.base).digest if self.base else ""
        return hashlib.sha256(repr((self, files, below, _WAY)).encode()).hexdigest()[:16]


def provide(engine: Engine, names: Iterable[str]) -> None:
    """See to it that the engine has these images: stand-ins in our own engine, pulled in another.

    Names are as in a Compose file (`quay.io/keycloak/keycloak:26.7.4`, `postgres:17`); `keycloak:26.7.4` is short for
    the former. Takes one or two seconds when all are there. Raises ClusterError.
    """
    wanted = [full(name) for name in names]
    if not engine.own:
        there = _labels(engine, wanted)
        for name in wanted:
            if name not in there:
                with step(f"pulling {name}"):
                    engine.docker("pull", "--quiet", name, purpose=f"docker pull {name}")
        return
    with alone(folder() / "engine/images.lock"):
        recipes = _with_bases([recipe(name) for name in wanted])
        labels = _labels(engine, [one.name for one in recipes])
        if outdated := [one for one in recipes if labels.get(one.name) != one.digest]:
            _make_all(engine, outdated)


def full(name: str) -> str:
    """An image's name as the engine lists it. Raises ClusterError where there's no tag."""
    for prefix in _PREFIXES:
        name = name.removeprefix(prefix)
    repository, colon, tag = name.rpartition(":")
    if not colon or "/" in tag:
        raise ClusterError(f"{name}: say which tag")
    return f"{_KEYCLOAK}:{tag}" if repository == "keycloak" else name


def recipe(name: str) -> Recipe:
    """How the image of that name is made. Raises ClusterError where no stand-in is known."""
    repository, _, tag = name.rpartition(":")
    if repository in _RECIPES and (made := _RECIPES[repository](name, tag)):
        return made
    version, codename = packages.release()
    raise ClusterError(f"there is no stand-in for {name} (there are {_KEYCLOAK}:VERSION, postgres:MAJOR, haproxy:TAG and "
                       f"debian:{version}, debian:{codename})")


def _root(name: str, tag: str) -> Recipe:
    return Recipe(name)


def _debian(name: str, tag: str) -> Recipe | None:
    if tag.partition("-")[0] not in packages.release():
        return None
    tools = ("nftables", "dnsmasq-base", "iproute2", "curl", "openssl", "ca-certificates", "procps")
    return Recipe(name, _base("root"), "packages.sh", debian=tools, changes=('CMD ["bash"]',))


def _haproxy(name: str, tag: str) -> Recipe:
    return Recipe(name, _base("root"), "haproxy.sh", ("haproxy-entrypoint.sh",), ("haproxy",), changes=(
        "STOPSIGNAL SIGUSR1", "USER haproxy", "WORKDIR /var/lib/haproxy", 'ENTRYPOINT ["docker-entrypoint.sh"]',
        'CMD ["haproxy", "-f", "/usr/local/etc/haproxy/haproxy.cfg"]'))


def _java(name: str, tag: str) -> Recipe:
    return Recipe(name, _base("root"), "packages.sh", debian=("default-jre-headless",))


def _keycloak(name: str, tag: str) -> Recipe | None:
    if not re.fullmatch(r"[0-9]+(\.[0-9A-Za-z]+)+", tag):
        return None
    return Recipe(name, _base("java"), "keycloak.sh", maven=("org.keycloak", "keycloak-quarkus-dist", tag, "tar.gz"),
                  changes=("ENV LANG=C.UTF-8", "ENV KC_RUN_IN_CONTAINER=true", "USER 1000", "EXPOSE 8080 8443 9000",
                           'ENTRYPOINT ["/opt/keycloak/bin/kc.sh"]'))


def _clients(name: str, tag: str) -> Recipe:
    return Recipe(name, _base("root"), "packages.sh", debian=("postgresql-client", "unzip", "xz-utils"))


def _postgres(name: str, tag: str) -> Recipe | None:
    asked = re.fullmatch(r"([0-9]+)(?:\.([0-9]+))?(-[a-z0-9.]+)?", tag)
    if asked is None:
        return None
    major, minor, _ = asked.groups()
    version = f"{major}.{minor}.0" if minor else f"[{major},{major}.999]"
    return Recipe(
        name, _base("postgres-clients"), "postgres.sh", ("postgres-entrypoint.sh",),
        maven=("io.zonky.test.postgres", f"embedded-postgres-binaries-linux-{_ARCHITECTURE}", version, "jar"), changes=(
            "ENV LANG=C.UTF-8", f"ENV PG_MAJOR={major}", "ENV PGDATA=/var/lib/postgresql/data",
            f"ENV PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin:/usr/lib/postgresql/{major}/bin",
            "EXPOSE 5432", "STOPSIGNAL SIGINT", "VOLUME /var/lib/postgresql/data",
            'ENTRYPOINT ["docker-entrypoint.sh"]', 'CMD ["postgres"]'))


_RECIPES: dict[str, Callable[[str, str], Recipe | None]] = {
    _KEYCLOAK: _keycloak, "postgres": _postgres, "haproxy": _haproxy, "debian": _debian,
    f"{_BASES}/root": _root, f"{_BASES}/java": _java, f"{_BASES}/postgres-clients": _clients,
}


def _base(kind: str) -> str:
    """Name of an image that others are made from, for this machine's Debian."""
    return f"{_BASES}/{kind}:{packages.release()[0]}"


def _with_bases(wanted: Iterable[Recipe]) -> list[Recipe]:
    """The recipes and those of what they are made from, each once and after its base; long chains first, as they
    decide how long it takes."""
    chains = []
    for one in wanted:
        chain = [one]
        while chain[0].base:
            chain.insert(0, recipe(chain[0].base))
        chains.append(chain)
    return list({one.name: one for chain in sorted(chains, key=len, reverse=True) for one in chain}.values())


def _labels(engine: Engine, names: Iterable[str]) -> dict[str, str]:
    """The images of these names that the engine has, with the digest of the recipe they were made by."""
    listed = engine.docker("image", "ls", "--format", "{{.Repository}}:{{.Tag}}").split()
    there = [name for name in names if name in listed]
    if not there:
        return {}
    told = engine.docker("image", "inspect", "--format", f'{{{{index .Config.Labels "{LABEL}"}}}}', *there)
    return dict(zip(there, told.splitlines()))


def _make_all(engine: Engine, recipes: list[Recipe]) -> None:
    """Make images, as many at a time as there are processors, each after its base; one more thread fetches."""
    shutil.rmtree(_workshop(), ignore_errors=True)
    fetched: dict[str, Future[None]] = {}
    made: dict[str, Future[None]] = {}

    def fetch(one: Recipe) -> None:
        if one.maven:
            with step(f"fetching {one.maven[1]} {one.maven[2]}"):
                packages.from_maven(*one.maven, _inputs(one) / "maven").rename(_inputs(one) / "artifact")

    def make(one: Recipe) -> None:
        fetched[one.name].result()
        if one.base in made:
            made[one.base].result()
        with step(f"making {one.name}"):
            _make(engine, one)

    with ThreadPoolExecutor(1) as fetcher, ThreadPoolExecutor(os.cpu_count()) as makers:
        try:
            for one in recipes:
                _inputs(one).mkdir(parents=True)
                fetched[one.name] = fetcher.submit(fetch, one)
            for one in recipes:  # a base stands before what is made from it, so no thread waits for ever
                made[one.name] = makers.submit(make, one)
            wait([*fetched.values(), *made.values()], return_when=FIRST_EXCEPTION)
        finally:
            fetcher.shutdown(cancel_futures=True)
            makers.shutdown(cancel_futures=True)
            shutil.rmtree(_workshop(), ignore_errors=True)
    for future in [*fetched.values(), *made.values()]:
        if not future.cancelled():
            future.result()


def _workshop() -> Path:
    """Where the inputs of images lie while those are made."""
    return folder() / "engine/making"


def _inputs(one: Recipe) -> Path:
    return _workshop() / one.digest


def _make(engine: Engine, one: Recipe) -> None:
    """Make one image; its base is there, and what comes from Maven is among its inputs."""
    inputs = _inputs(one)
    if not one.base:
        # The tar is kept, as it takes longest to make.
        tar = folder() / f"downloads/debian-{one.digest}.tar"
        if not tar.exists():
            packages.bootstrap(tar)
        engine.docker("import", "--change", f"LABEL {LABEL}={one.digest}", str(tar), one.name, purpose=one.name)
        return
    for file in (one.script, *one.files):
        shutil.copy(FILES / file, inputs)
    if one.debian:
        status = inputs / "status"
        status.write_text(engine.docker("run", "--rm", "--network", "none", one.base, "cat", "/var/lib/dpkg/status"),
                          "utf-8")
        (inputs / "packages").mkdir()
        for file in packages.download(one.debian, status, folder() / "downloads/packages"):
            shutil.copy(file, inputs / "packages")
    container = f"making-{one.digest}"
    with contextlib.suppress(ClusterError):
        engine.docker("rm", "--force", container)  # of a run that was killed
    try:
        engine.docker("run", "--name", container, "--network", "none", "--volume", f"{inputs}:/mnt:ro", one.base,
                      "bash", "-eu", f"/mnt/{one.script}", purpose=one.name)
        made = engine.docker("commit", container).strip()
        # Configured by a build, as commit can't set the signal that stops a container.
        context = inputs / "context"
        context.mkdir()
        (context / "Dockerfile").write_text(
            "\n".join([f"FROM {made}", "CMD []", f"LABEL {LABEL}={one.digest}", *one.changes]), "utf-8")
        engine.docker("build", "--quiet", "--tag", one.name, str(context), purpose=one.name)
    finally:
        with contextlib.suppress(ClusterError):
            engine.docker("rm", "--force", container)
