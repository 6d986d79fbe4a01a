"""Keycloak's distribution on this machine: fetched with Maven or given, and its catalog read with Java.

Nothing of Keycloak's is started; the extractor only loads its classes.
"""

from __future__ import annotations

import gzip
import os
import re
import shutil
import subprocess
import tarfile
import zlib
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path, PurePosixPath
from tempfile import TemporaryDirectory

from generator.errors import CatalogError
from generator.keycloak import extract
from generator.keycloak.catalog import known_versions
from generator.keycloak.version import Version, parse

_GROUP, _ARTIFACT = "org.keycloak", "keycloak-quarkus-dist"
_PLUGIN = "org.apache.maven.plugins:maven-dependency-plugin:3.8.1"
_OLDEST_JAVA = 17

# Distributions hold some 400 jars of 200 MB together; what is far beyond that is no Keycloak.
_MOST_BYTES = 2 * 2**30

Say = Callable[[str], None]


def released(version: str) -> Version:
    """Read a version that may have a catalog. Raises CatalogError for anything else and for a pre-release."""
    if re.fullmatch(r"\d+\.\d+\.\d+[.-].+|nightly|.*SNAPSHOT", version):
        raise CatalogError(
            f"{version} is a pre-release, and what it understands may still change: catalogs are of "
            "releases only, such as 26.7.4"
        )
    return parse(version)


def java() -> str:
    """Path of a Java that can run the extractor: JAVA_HOME's, else the one on the PATH.

    Raises CatalogError where there is none or it is too old.
    """
    home = os.environ.get("JAVA_HOME", "")
    found = shutil.which("java", path=str(Path(home) / "bin")) if home else shutil.which("java")
    if found is None:
        where = f"JAVA_HOME ({home}) has no bin/java" if home else "there is no java on the PATH"
        raise CatalogError(f"reading Keycloak's classes takes Java {_OLDEST_JAVA} or newer, and {where}")
    ran = _run([found, "-version"], "java -version")
    told = re.search(r'version "(?:1\.)?(\d+)', ran.stderr + ran.stdout)
    if told is None:
        raise CatalogError(f"{found} doesn't say which Java it is")
    if int(told[1]) < _OLDEST_JAVA:
        raise CatalogError(
            f"reading Keycloak's classes takes Java {_OLDEST_JAVA} or newer, and {found} is Java "
            f"{told[1]}: name a newer one with JAVA_HOME"
        )
    return found


@contextmanager
def fetched(version: str, say: Say) -> Iterator[Path]:
    """The distribution of a release, fetched from Maven's repositories into a folder that is gone afterwards.

    Maven's settings, proxies and local repository hold. Raises CatalogError where there is no Maven, no such
    release, or nothing can be fetched.
    """
    asked = released(version)
    maven = shutil.which("mvn")
    if maven is None:
        raise CatalogError(
            "fetching a distribution takes Maven's client, and there is no mvn on the PATH (or name a "
            "distribution that is here already with --from)"
        )
    with TemporaryDirectory(prefix="cloakform-") as folder:
        say(f"fetching Keycloak {asked} with Maven (about 180 MB)")
        out = Path(folder) / "fetched"
        ran = _run(
            [
                maven,
                "--batch-mode",
                "--quiet",
                "--strict-checksums",
                f"{_PLUGIN}:copy",
                f"-Dartifact={_GROUP}:{_ARTIFACT}:{asked}:tar.gz",
                f"-DoutputDirectory={out}",
            ],
            "mvn",
            folder,
        )
        files = list(out.glob("*.tar.gz"))
        if ran.returncode or len(files) != 1:
            raise CatalogError(_why_not(ran, asked, maven, Path(folder), say))
        with unpacked(files[0], say) as home:
            yield home


@contextmanager
def unpacked(source: Path, say: Say) -> Iterator[Path]:
    """The folder of a distribution: `source` itself, or what is in the .tar.gz that it is.

    Only the jars that the extractor reads are unpacked, into a folder that is gone afterwards. Raises
    CatalogError where it is no Keycloak distribution, or not a whole one.
    """
    if source.is_dir():
        _check(source, source)
        yield source
        return
    if not source.is_file():
        raise CatalogError(f"{source} doesn't exist")
    with TemporaryDirectory(prefix="cloakform-") as folder:
        say(f"unpacking {source.name}")
        home = Path(folder)
        try:
            _unpack(source, home)
        except (tarfile.TarError, zlib.error, EOFError, OSError) as error:
            raise CatalogError(f"{source} is no whole .tar.gz: {error}") from error
        _check(home, source)
        yield home


def version_of(home: Path) -> Version:
    """The version of the distribution in a folder. Raises CatalogError for none, and for a pre-release."""
    named = [
        re.fullmatch(r"org\.keycloak\.keycloak-quarkus-server-(\d.*)\.jar", file.name)
        for file in sorted((home / "lib/lib/main").glob("org.keycloak.keycloak-quarkus-server-*.jar"))
    ]
    found = [match[1] for match in named if match]
    if len(found) != 1:
        raise CatalogError(
            f"{home} is no Keycloak distribution: lib/lib/main has no keycloak-quarkus-server jar"
        )
    return released(found[0])


def catalog_text(home: Path, version: str, say: Say) -> str:
    """The text of the catalog file of the distribution in a folder.

    Raises CatalogError where it is of another version, Java is missing, or a class can't be read.
    """
    asked, found = released(version), version_of(home)
    if asked != found:
        raise CatalogError(f"this is Keycloak {found}, not {asked}")
    runtime = java()
    say(f"reading what Keycloak {asked} understands out of its classes")
    ran = _run(extract.command(home, str(asked), runtime), "the extractor")
    if ran.returncode:
        raise CatalogError(f"the classes of Keycloak {asked} can't be read: {_last_line(ran.stderr)}")
    return extract.compact(ran.stdout)


def _check(home: Path, source: Path) -> None:
    for folder in extract.FOLDERS:
        if not any((home / folder).glob("*.jar")):
            raise CatalogError(f"{source} is no whole Keycloak distribution: {folder} has no jars")
    version_of(home)


def _unpack(source: Path, home: Path) -> None:
    """Regular files only, and each under the last part of its name: no archive decides where it writes."""
    total = 0
    for folder in extract.FOLDERS:
        (home / folder).mkdir(parents=True)
    with gzip.open(source) as packed, tarfile.open(fileobj=packed, mode="r:") as archive:
        for member in archive:
            path = PurePosixPath(member.name)
            folder = "/".join(path.parts[1:-1])
            if not (member.isfile() and folder in extract.FOLDERS and path.suffix == ".jar"):
                continue
            total += member.size
            if total > _MOST_BYTES:
                raise tarfile.TarError("it holds more than a Keycloak does")
            stream = archive.extractfile(member)
            with open(home / folder / path.name, "wb") as file:
                shutil.copyfileobj(stream, file)
        # The archive ends before the file does: its checksum comes last.
        while packed.read(2**20):
            pass


def _why_not(ran: subprocess.CompletedProcess, asked: Version, maven: str, folder: Path, say: Say) -> str:
    told = ran.stdout + ran.stderr
    if "Could not find artifact" in told or "was not found in" in told:
        near = _nearest(asked, maven, folder, say)
        hint = f"the nearest one before it is {near}" if near else "there is none before it, either"
        return f"Maven's repositories have no Keycloak {asked}: {hint}"
    errors = [line.removeprefix("[ERROR] ") for line in told.splitlines() if line.startswith("[ERROR] ")]
    return f"Maven can't fetch Keycloak {asked}: {errors[0] if errors else _last_line(told)}"


def _nearest(asked: Version, maven: str, folder: Path, say: Say) -> str:
    """The newest release before one that isn't there, or empty. Only its small POM is fetched."""
    say("looking for the nearest release")
    pom = folder / "pom.xml"
    pom.write_text(
        '<project xmlns="http://maven.apache.org/POM/4.0.0"><modelVersion>4.0.0</modelVersion>'
        "<groupId>local</groupId><artifactId>local</artifactId><version>1</version><packaging>pom</packaging>"
        f"<dependencies><dependency><groupId>{_GROUP}</groupId><artifactId>{_ARTIFACT}</artifactId>"
        f"<version>[22.0.0,{asked})</version><type>pom</type><exclusions><exclusion><groupId>*</groupId>"
        "<artifactId>*</artifactId></exclusion></exclusions></dependency></dependencies></project>",
        "utf-8",
    )
    out = folder / "nearest"
    _run(
        [
            maven,
            "--batch-mode",
            "--quiet",
            "--file",
            str(pom),
            f"{_PLUGIN}:copy-dependencies",
            "-DincludeTransitive=false",
            f"-DoutputDirectory={out}",
        ],
        "mvn",
        str(folder),
    )
    names = [file.name for file in out.glob(f"{_ARTIFACT}-*.pom")] if out.is_dir() else []
    near = [parse(name.removeprefix(f"{_ARTIFACT}-").removesuffix(".pom")) for name in names]
    # A mirror's list may be older than what it holds; a version that has a catalog was there once.
    near += [one for one in map(parse, known_versions()) if one < asked]
    return str(max(near)) if near else ""


def _run(command: list[str], what: str, folder: str | None = None) -> subprocess.CompletedProcess:
    try:
        return subprocess.run(
            command,
            cwd=folder,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            errors="replace",
            check=False,
        )
    except OSError as error:
        raise CatalogError(f"{what} can't be run: {error.strerror}") from error


def _last_line(text: str) -> str:
    lines = [line.strip() for line in text.splitlines() if line.strip()]
    return lines[-1] if lines else "it says nothing"
