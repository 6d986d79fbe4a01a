"""Packages by the machine's own clients: Debian's programs and roots, Maven's Keycloak and PostgreSQL.

Where packages come from is the business of the clients' own settings; nothing here names a registry.
"""

from __future__ import annotations

import contextlib
import os
import re
import shutil
import tempfile
import threading
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path

from tests.cluster.steps import ClusterError, is_root, output, step

_MAVEN_COPY = "org.apache.maven.plugins:maven-dependency-plugin:3.8.1:copy-dependencies"
_POLICY = Path("/usr/sbin/policy-rc.d")
_ONE_AT_A_TIME = threading.Lock()
"""Held by apt-get, which locks neither its cache nor a folder of downloads here."""


def release() -> tuple[str, str]:
    """This machine's Debian as (version, code name): ("12", "bookworm").
    Raises ClusterError on anything but Debian."""
    try:
        text = Path("/etc/os-release").read_text("utf-8")
    except FileNotFoundError:
        text = ""
    values = dict(re.findall(r'^(\w+)="?([^"\n]*)"?$', text, re.MULTILINE))
    if values.get("ID") != "debian" or "VERSION_CODENAME" not in values:
        raise ClusterError("an engine of our own needs Debian: start a Docker engine, then run this again")
    return values["VERSION_ID"], values["VERSION_CODENAME"]


def install(programs: Iterable[tuple[str, str]]) -> None:
    """Install the Debian packages of those programs that aren't there; no service that comes along is
    started.

    Takes pairs of (program, package). Raises ClusterError where that takes root or Debian, or apt-get fails.
    """
    missing = {package: program for program, package in programs if shutil.which(program) is None}
    if not missing:
        return
    release()
    names = " ".join(sorted(missing))
    if not is_root():
        raise ClusterError(f"not installed: {names} "
                           f"(as root: apt-get install --no-install-recommends {names})")
    with step(f"installing {names}"), _no_services():
        if output(["dpkg", "--audit"]):  # an installation that was interrupted
            output(["dpkg", "--configure", "--pending"], purpose="dpkg")
        _apt_get("install", "--yes", "--no-install-recommends", *sorted(missing))
    still = [program for program in missing.values() if shutil.which(program) is None]
    if still:
        raise ClusterError(f"apt-get installed {names}, but there is no {', '.join(still)} on PATH")


@contextlib.contextmanager
def _no_services() -> Iterator[None]:
    """Keep packages from starting services: an engine in the machine's own network would change its firewall.

    invoke-rc.d and deb-systemd-invoke ask /usr/sbin/policy-rc.d; 101 means "not allowed" (invoke-rc.d(8)).
    """
    if _POLICY.exists():
        yield
        return
    _POLICY.write_text("#!/bin/sh\nexit 101\n", "utf-8")
    _POLICY.chmod(0o755)
    try:
        yield
    finally:
        _POLICY.unlink()


def _apt_get(*arguments: str) -> str:
    """Run apt-get; if it fails, with fresh package lists once more."""
    environment = {**os.environ, "DEBIAN_FRONTEND": "noninteractive"}
    try:
        return output(["apt-get", "-q", *arguments], purpose="apt-get", environment=environment)
    except ClusterError:
        output(["apt-get", "-q", "update"], purpose="apt-get update", environment=environment)
        return output(["apt-get", "-q", *arguments], purpose="apt-get", environment=environment)


def bootstrap(target: Path) -> None:
    """Write a tar of a minimal Debian, the release of this machine, from the machine's own package sources.

    minbase is Debian's essential packages and apt, as in the images debian:*-slim; those have no
    documentation and no translations either.
    """
    _, codename = release()
    # Debian's own only: a machine may have others, for which the new root has no keys.
    places = [Path("/etc/apt/sources.list"), *sorted(Path("/etc/apt/sources.list.d").glob("*debian*"))]
    sources = [str(path) for path in places if path.suffix in {".list", ".sources"} and path.is_file()]
    part = target.with_suffix(".part")
    part.parent.mkdir(parents=True, exist_ok=True)
    try:
        output(["mmdebstrap", "--mode=root", "--variant=minbase", "--format=tar",
                "--dpkgopt=path-exclude=/usr/share/doc/*", "--dpkgopt=path-exclude=/usr/share/locale/*",
                codename, str(part), *sources], purpose="mmdebstrap")
        part.replace(target)
    finally:
        part.unlink(missing_ok=True)


def download(packages: Sequence[str], status: Path, folder: Path) -> list[Path]:
    """Fetch packages and what they depend on, less what a root has already.

    `status` is the root's /var/lib/dpkg/status. Returns the .deb files in `folder`; what is there isn't
    fetched again.
    """
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "partial").mkdir(exist_ok=True)
    options = ["-o", f"Dir::State::status={status}", "-o", f"Dir::Cache::archives={folder}",
               "-o", "Dir::State::extended_states=/dev/null", "-o", "APT::Sandbox::User=root",
               "-o", "Debug::NoLocking=true", "--yes", "--no-install-recommends"]
    # The list leaves out what has been fetched, so it is made for an empty folder.
    with _ONE_AT_A_TIME, tempfile.TemporaryDirectory() as empty:
        (Path(empty) / "partial").mkdir()
        listed = _apt_get(*options, "-o", f"Dir::Cache::archives={empty}", "--print-uris",
                          "install", *packages)
        names = re.findall(r"^'[^']+' (\S+\.deb) \d+", listed, re.MULTILINE)
        if not all((folder / name).exists() for name in names):
            _apt_get(*options, "--download-only", "install", *packages)
    return [folder / name for name in names]


def from_maven(group: str, artifact: str, version: str, kind: str, folder: Path) -> Path:
    """Fetch one file with Maven, by its settings and through its local repository; returns its copy in
    `folder`.

    `version` may be a range (`[17,17.999]`), of which the newest is taken. Raises ClusterError.
    """
    folder.mkdir(parents=True, exist_ok=True)
    pom = folder / "pom.xml"
    pom.write_text(
        '<project xmlns="http://maven.apache.org/POM/4.0.0"><modelVersion>4.0.0</modelVersion>'
        "<groupId>cluster</groupId><artifactId>cluster</artifactId><version>1</version>"
        "<packaging>pom</packaging><dependencies>"
        f"<dependency><groupId>{group}</groupId><artifactId>{artifact}</artifactId>"
        f"<version>{version}</version><type>{kind}</type>"
        # What it depends on isn't looked up: that takes long, and repositories that may not be in reach.
        "<exclusions><exclusion><groupId>*</groupId><artifactId>*</artifactId></exclusion></exclusions>"
        "</dependency></dependencies></project>", "utf-8")
    # Updates are asked for, as Maven remembers for a day that it didn't find something.
    output(["mvn", "--quiet", "--batch-mode", "--update-snapshots", "--file", str(pom), _MAVEN_COPY,
            "-DincludeTransitive=false", f"-DoutputDirectory={folder / 'out'}"],
           purpose=f"mvn: {artifact} {version}")
    files = list((folder / "out").iterdir())
    if len(files) != 1:
        raise ClusterError(f"mvn gave {len(files)} files for {group}:{artifact}:{version}")
    return files[0]
