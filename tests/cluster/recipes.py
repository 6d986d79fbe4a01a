"""How stand-ins for images are made, as values: packages, a script, and what the image is configured to do.

A stand-in has those places, users, entry points and tools of the official image that rehearsals rely on; what
is in it comes from Debian's packages and from Maven Central.
"""

from __future__ import annotations

import hashlib
import platform
import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path

from tests.cluster import packages
from tests.cluster.steps import ClusterError

FILES = Path(__file__).resolve().parent / "files"
_WAY = 1
"""Goes up when all images have to be made again because of how images.py follows a recipe."""
_BASES = "cluster"
_KEYCLOAK = "quay.io/keycloak/keycloak"
_PREFIXES = ("docker.io/library/", "docker.io/", "library/")
_PATH = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"


@dataclass(frozen=True)
class Recipe:
    """An image made from another one by a script in a container; without a base it's a new Debian."""

    name: str
    base: str = ""
    script: str = ""
    """File in files/ that runs as root in the base."""
    files: tuple[str, ...] = ()
    """More files of files/ that the script uses. It finds its inputs in /mnt."""
    debian: tuple[str, ...] = ()
    """Packages that lie in /mnt/packages, with all they depend on that the base hasn't."""
    maven: tuple[str, str, str, str] | None = None
    """Group, artifact, version (or a range, of which the newest is taken) and type of /mnt/artifact."""
    changes: tuple[str, ...] = ()
    """Lines of a Dockerfile that set the image's configuration."""

    @property
    def digest(self) -> str:
        """Of everything that decides what the image becomes, less what newer versions of packages change."""
        files = [(FILES / name).read_bytes() for name in (self.script, *self.files) if name]
        below = recipe(self.base).digest if self.base else ""
        return hashlib.sha256(repr((self, files, below, _WAY)).encode()).hexdigest()[:16]


def full(name: str) -> str:
    """An image's name as the engine lists it; `keycloak:TAG` is short for the one on quay.io.

    Raises ClusterError where there's no tag.
    """
    for prefix in _PREFIXES:
        name = name.removeprefix(prefix)
    repository, colon, tag = name.rpartition(":")
    if not colon or "/" in tag:
        raise ClusterError(f"{name}: say which tag")
    return f"{_KEYCLOAK}:{tag}" if repository == "keycloak" else name


def recipe(name: str) -> Recipe:
    """How the image of that name is made. Raises ClusterError where no stand-in is known."""
    repository, _, tag = name.rpartition(":")
    if repository in _RECIPES and (known := _RECIPES[repository](name, tag)):
        return known
    version, codename = packages.release()
    raise ClusterError(f"there is no stand-in for {name} (there are {_KEYCLOAK}:VERSION, postgres:MAJOR, "
                       f"haproxy:TAG, debian:{version} and debian:{codename})")


def with_bases(names: Iterable[str]) -> list[Recipe]:
    """The recipes of images and of those they are made from, each once.

    In layers: what is made from nothing, then what is made from that. A layer can be made side by side.
    What others are made from comes first in its layer. Raises ClusterError.
    """
    layers: list[dict[str, Recipe]] = []
    chains = [_chain(name) for name in names]
    for chain in sorted(chains, key=len, reverse=True):
        for depth, one in enumerate(chain):
            if depth == len(layers):
                layers.append({})
            layers[depth][one.name] = one
    return [one for layer in layers for one in layer.values()]


def _chain(name: str) -> list[Recipe]:
    """The recipe of an image, with all it is made from before it."""
    one = recipe(name)
    return [*(_chain(one.base) if one.base else ()), one]


def _base(kind: str) -> str:
    """Name of an image that others are made from, for this machine's Debian."""
    return f"{_BASES}/{kind}:{packages.release()[0]}"


def _root(name: str, tag: str) -> Recipe:
    return Recipe(name)


def _java(name: str, tag: str) -> Recipe:
    return Recipe(name, _base("root"), "packages.sh", debian=("default-jre-headless",))


def _postgres_clients(name: str, tag: str) -> Recipe:
    return Recipe(name, _base("root"), "packages.sh", debian=("postgresql-client", "unzip", "xz-utils"))


def _debian(name: str, tag: str) -> Recipe | None:
    if tag.partition("-")[0] not in packages.release():
        return None
    tools = ("nftables", "dnsmasq-base", "iproute2", "curl", "openssl", "ca-certificates", "procps")
    return Recipe(name, _base("root"), "packages.sh", debian=tools, changes=('CMD ["bash"]',))


def _haproxy(name: str, tag: str) -> Recipe:
    return Recipe(name, _base("root"), "haproxy.sh", ("haproxy-entrypoint.sh",), ("haproxy",), changes=(
        "STOPSIGNAL SIGUSR1",
        "USER haproxy",
        "WORKDIR /var/lib/haproxy",
        'ENTRYPOINT ["docker-entrypoint.sh"]',
        'CMD ["haproxy", "-f", "/usr/local/etc/haproxy/haproxy.cfg"]',
    ))


def _keycloak(name: str, tag: str) -> Recipe | None:
    if not re.fullmatch(r"[0-9]+(\.[0-9A-Za-z]+)+", tag):
        return None
    distribution = ("org.keycloak", "keycloak-quarkus-dist", tag, "tar.gz")
    return Recipe(name, _base("java"), "keycloak.sh", maven=distribution, changes=(
        "ENV LANG=C.UTF-8",
        "ENV KC_RUN_IN_CONTAINER=true",
        "USER 1000",
        "EXPOSE 8080 8443 9000",
        'ENTRYPOINT ["/opt/keycloak/bin/kc.sh"]',
    ))


def _postgres(name: str, tag: str) -> Recipe | None:
    asked = re.fullmatch(r"([0-9]+)(?:\.([0-9]+))?(?:-[a-z0-9.]+)?", tag)
    if asked is None:
        return None
    major, minor = asked.groups()
    kind = {"aarch64": "arm64v8"}.get(platform.machine(), "amd64")
    archive = ("io.zonky.test.postgres", f"embedded-postgres-binaries-linux-{kind}",
               f"{major}.{minor}.0" if minor else f"[{major},{major}.999]", "jar")
    return Recipe(
        name, _base("postgres-clients"), "postgres.sh", ("postgres-entrypoint.sh",), maven=archive, changes=(
            "ENV LANG=C.UTF-8",
            f"ENV PG_MAJOR={major} PGDATA=/var/lib/postgresql/data",
            f"ENV PATH={_PATH}:/usr/lib/postgresql/{major}/bin",
            "EXPOSE 5432",
            "STOPSIGNAL SIGINT",
            "VOLUME /var/lib/postgresql/data",
            'ENTRYPOINT ["docker-entrypoint.sh"]',
            'CMD ["postgres"]',
        ))


_RECIPES: dict[str, Callable[[str, str], Recipe | None]] = {
    _KEYCLOAK: _keycloak,
    "postgres": _postgres,
    "haproxy": _haproxy,
    "debian": _debian,
    f"{_BASES}/root": _root,
    f"{_BASES}/java": _java,
    f"{_BASES}/postgres-clients": _postgres_clients,
}
