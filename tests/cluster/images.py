"""The images that a test asks for: stand-ins in our own engine, pulled in one that was here before.

An engine that was here before has registries, and a stand-in under a real name would deceive whoever uses it
next. A stand-in is labelled with the digest of its recipe, and made again only when that changes.
"""

from __future__ import annotations

import contextlib
import os
import shutil
from collections.abc import Iterable
from concurrent.futures import FIRST_EXCEPTION, CancelledError, Future, ThreadPoolExecutor, wait
from pathlib import Path

from tests.cluster import packages
from tests.cluster.engine import Engine, folder
from tests.cluster.recipes import FILES, Recipe, full, with_bases
from tests.cluster.steps import ClusterError, alone, step

_LABEL = "cloakform.recipe"
"""A stand-in's label; it holds the digest of the recipe."""


def provide(engine: Engine, names: Iterable[str]) -> None:
    """See to it that the engine has these images.

    Names are as in a Compose file (`quay.io/keycloak/keycloak:26.7.4`, `postgres:17`), or `keycloak:26.7.4`.
    Takes a second when all are there. Raises ClusterError.
    """
    wanted = [full(name) for name in names]
    if not engine.own:
        there = _digests(engine, wanted)
        for name in wanted:
            if name not in there:
                with step(f"pulling {name}"):
                    engine.docker("pull", "--quiet", name, purpose=f"docker pull {name}")
        return
    with alone(folder() / "engine/images.lock"):
        recipes = with_bases(wanted)
        digests = _digests(engine, [one.name for one in recipes])
        if outdated := [one for one in recipes if digests.get(one.name) != one.digest]:
            _make_all(engine, outdated)
            # What they replace has lost its name. Other images without one are layers that builds start from.
            engine.docker("image", "prune", "--force", "--filter", f"label={_LABEL}")


def _digests(engine: Engine, names: Iterable[str]) -> dict[str, str]:
    """The images of these names that the engine has, each with its recipe's digest, if any."""
    listed = engine.docker("image", "ls", "--format", "{{.Repository}}:{{.Tag}}").split()
    there = [name for name in names if name in listed]
    if not there:
        return {}
    told = engine.docker("image", "inspect", "--format", f'{{{{index .Config.Labels "{_LABEL}"}}}}', *there)
    return dict(zip(there, told.splitlines()))


def _make_all(engine: Engine, recipes: list[Recipe]) -> None:
    """Make images, as many at once as there are processors, each after its base; one more thread fetches."""
    shutil.rmtree(_workshop(), ignore_errors=True)
    fetched: dict[str, Future[None]] = {}
    made: dict[str, Future[None]] = {}

    def fetch(one: Recipe, artifact: tuple[str, str, str, str]) -> None:
        with step(f"fetching {artifact[1]} {artifact[2]}"):
            packages.from_maven(*artifact, _inputs(one) / "maven").rename(_inputs(one) / "artifact")

    def make(one: Recipe) -> None:
        for needed in (made.get(one.base), fetched.get(one.name)):
            if needed:
                needed.result()
        with step(f"making {one.name}"):
            _make(engine, one)

    with ThreadPoolExecutor(1) as fetcher, ThreadPoolExecutor(os.cpu_count()) as makers:
        try:
            for one in recipes:
                _inputs(one).mkdir(parents=True)
                if one.maven:
                    fetched[one.name] = fetcher.submit(fetch, one, one.maven)
            for one in recipes:  # a base stands before what is made from it, so no thread waits for ever
                made[one.name] = makers.submit(make, one)
            wait([*fetched.values(), *made.values()], return_when=FIRST_EXCEPTION)
        finally:
            fetcher.shutdown(cancel_futures=True)
            makers.shutdown(cancel_futures=True)
            shutil.rmtree(_workshop(), ignore_errors=True)
    errors = [future.exception() for future in (*fetched.values(), *made.values()) if not future.cancelled()]
    for error in errors:
        if error and not isinstance(error, CancelledError):  # which only says that another one failed
            raise error


def _workshop() -> Path:
    """Where the inputs of images lie while those are made."""
    return folder() / "engine/making"


def _inputs(one: Recipe) -> Path:
    return _workshop() / one.digest


def _make(engine: Engine, one: Recipe) -> None:
    """Make one image; its base is there, and what comes from Maven is among its inputs."""
    if not one.base:
        _make_root(engine, one)
        return
    inputs = _inputs(one)
    for file in (one.script, *one.files):
        shutil.copy(FILES / file, inputs)
    if one.debian:
        _fetch_packages(engine, one, inputs)
    container = f"making-{one.digest}"
    with contextlib.suppress(ClusterError):
        engine.docker("rm", "--force", container)  # of a run that was killed
    try:
        engine.docker("run", "--name", container, "--network", "none", "--volume", f"{inputs}:/mnt:ro",
                      one.base, "bash", "-eu", f"/mnt/{one.script}", purpose=one.name)
        made = engine.docker("commit", container).strip()
    finally:
        with contextlib.suppress(ClusterError):
            engine.docker("rm", "--force", container)
    # Configured by a build, as commit can't set the signal that stops a container.
    context = inputs / "context"
    context.mkdir()
    lines = [f"FROM {made}", "CMD []", f"LABEL {_LABEL}={one.digest}", *one.changes]
    (context / "Dockerfile").write_text("\n".join(lines), "utf-8")
    engine.docker("build", "--quiet", "--tag", one.name, str(context), purpose=one.name)


def _make_root(engine: Engine, one: Recipe) -> None:
    """Make a new Debian; its tar is kept, as that takes longest."""
    tar = folder() / f"downloads/debian-{one.digest}.tar"
    if not tar.exists():
        packages.bootstrap(tar)
    engine.docker("import", "--change", f"LABEL {_LABEL}={one.digest}", str(tar), one.name, purpose=one.name)


def _fetch_packages(engine: Engine, one: Recipe, inputs: Path) -> None:
    """Put the Debian packages that an image's base lacks among its inputs."""
    status = inputs / "status"
    installed = engine.docker("run", "--rm", "--network", "none", one.base, "cat", "/var/lib/dpkg/status")
    status.write_text(installed, "utf-8")
    (inputs / "packages").mkdir()
    for file in packages.download(one.debian, status, folder() / "downloads/packages"):
        shutil.copy(file, inputs / "packages")
