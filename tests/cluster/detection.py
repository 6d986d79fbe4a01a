"""How long a lost node costs, measured: `python -m tests.cluster detection` starts a cluster for each version,
discovery, cache stack and number of tasks, breaks a node in every way, deploys under load, and writes
docs/failure-detection.md and its figures, docs/failure-detection.json.

What has a figure is not measured again, unless told: the whole takes hours and may be done in parts.
"""

from __future__ import annotations

import datetime
import json
import re
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from generator.keycloak import catalog
from tests.cluster import detection_page, images
from tests.cluster import engine as engines
from tests.cluster.engine import PROJECT, Engine
from tests.cluster.steps import ClusterError, say

FIGURES = PROJECT / "docs/failure-detection.json"
PAGE = PROJECT / "docs/failure-detection.md"
VERSIONS = ("24.0.5", "26.0.8", "26.4.7", "26.7.4")
IMAGES = ("debian:12-slim", "haproxy:2.8", "postgres:16")
CLOSED = detection_page.CLOSED
WAYS = tuple(detection_page.TITLES)
"""What is measured, as the page's columns have it."""
STEPS = tuple(way for way in WAYS if way != CLOSED)
"""Those that are steps of the drill, in its order."""
_FIGURES = {
    ("view", "first start to full view"): "full",
    ("view", "time to the new view"): "view",
    ("outage", "outage seen by clients"): "outage",
    ("errors", "failed probes"): "failed",
    ("requests", "failed requests"): "failed",
    ("requests", "requests"): "requests",
}
"""Promise and figure of a drill's report -> its name here."""


@dataclass(frozen=True)
class Setup:
    """A cluster to measure."""

    version: str
    discovery: str
    """`dns` or `database`."""
    stack: str
    """`shipped`, or `own`: the optimized image's."""
    tasks: int = 2

    @property
    def name(self) -> str:
        """`26.7.4 dns own 2`."""
        return f"{self.version} {self.discovery} {self.stack} {self.tasks}"

    @property
    def ways(self) -> tuple[str, ...]:
        """What is measured: the steps, and where the stack is Keycloak's own, a closed port."""
        return WAYS if self.stack == "shipped" else STEPS

    @property
    def params(self) -> dict:
        """What it differs in from dev."""
        image = {"kind": "stock"}
        if self.stack == "own":
            image = {"kind": "optimized", "repository": "111111111111.dkr.ecr.eu-central-1.amazonaws.com/keycloak"}
        return {"extends": "dev.yaml", "service": {"cpu": 1024, "memory": 2048, "tasks": self.tasks},
                # The newest PostgreSQL that all of these versions support.
                "database": {"create": {"engine_version": "16"}},
                "keycloak": {"version": self.version, "discovery": self.discovery, "image": image}}


def setups(versions: Iterable[str] = VERSIONS) -> list[Setup]:
    """Every cluster there is to measure: DNS with both stacks, three tasks as in prod, and the database where a
    version knows it."""
    found = []
    for version in versions:
        found += [Setup(version, "dns", "shipped"), Setup(version, "dns", "own"), Setup(version, "dns", "own", 3)]
        if "jdbc-ping" in {stack.name for stack in catalog.load(version).stacks}:
            found.append(Setup(version, "database", "shipped"))
    return found


def figures() -> dict[str, dict[str, dict]]:
    """What was measured so far: name of the setup -> way -> figures and the day."""
    return json.loads(FIGURES.read_text("utf-8")) if FIGURES.is_file() else {}


def reports() -> Path:
    """Where the drills' last reports lie, as JSON and as a page with the timeline; not in the repository."""
    return engines.folder() / "detection"


def measure(wanted: Iterable[Setup], steps: Iterable[str] = (), again: bool = False) -> None:
    """Measures what hasn't been measured, or `steps` of it only, and writes figures and page after each cluster.

    Raises ClusterError.
    """
    engine = engines.up()
    for setup in wanted:
        known = () if again else figures().get(setup.name, ())
        missing = [way for way in steps or setup.ways if way in setup.ways and way not in known]
        if not missing:
            continue
        images.provide(engine, [*IMAGES, f"keycloak:{setup.version}"])
        say(f"{setup.name}: {', '.join(missing)} …")
        with tempfile.TemporaryDirectory() as folder:
            found = _measured(engine, Path(folder), setup, missing)
        keep(setup, found)
        say(f"{setup.name}: {found}")


def keep(setup: Setup, found: Mapping[str, Mapping]) -> None:
    """Adds what was found to the figures, and writes the page."""
    today = datetime.date.today().isoformat()
    known = figures()
    known.setdefault(setup.name, {}).update({way: {"date": today, **one} for way, one in found.items()})
    FIGURES.write_text(json.dumps(known, indent=1, sort_keys=True) + "\n", "utf-8")
    PAGE.write_text(detection_page.page(setups(), known), "utf-8")


def _measured(engine: Engine, folder: Path, setup: Setup, ways: list[str]) -> dict:
    for name in ("params", "templates"):
        shutil.copytree(PROJECT / name, folder / name)
    (folder / "params/measured.yaml").write_text(json.dumps(setup.params), "utf-8")
    _run(engine, folder, "render", "measured", fine=(0,))
    page = reports() / f"{setup.name}.html"
    page.parent.mkdir(parents=True, exist_ok=True)
    found = {}
    if steps := [way for way in ways if way != CLOSED]:
        found = _drilled(engine, folder, "measured", steps, page)
    if CLOSED in ways:
        template = folder / "closed.yaml"
        rendered = (folder / "rendered/measured/template.yaml").read_text("utf-8")
        template.write_text(_without_detection(rendered), "utf-8")
        closed = _drilled(engine, folder, str(template), ["failover"], page.with_name(f"{setup.name} closed.html"))
        found |= {CLOSED: one for one in closed.values()}
    return found


def _without_detection(template: str) -> str:
    """The template without the permission that FD_SOCK2's port needs."""
    for pattern in (r"  TaskInFailureDetection:\n.*?\n\n", r"TaskInFailureDetection, "):
        template, count = re.subn(pattern, "", template, flags=re.DOTALL)
        if not count:
            raise ClusterError(f"the template has no {pattern!r}")
    return template


def _drilled(engine: Engine, folder: Path, what: str, steps: list[str], page: Path) -> dict:
    """Step -> figures, of a cluster that is started for it and taken down after; the report goes to `page`."""
    name = "detection"
    _run(engine, folder, "rehearse", "down", name)
    try:
        _run(engine, folder, "rehearse", "up", what, "--name", name, fine=(0,))
        chosen = [part for step in steps for part in ("--step", step)]
        report = _run(engine, folder, "drill", name, "--format", "json", "--html", str(page), *chosen, fine=(0, 1))
    finally:
        _run(engine, folder, "rehearse", "down", name)
    page.with_suffix(".json").write_text(report, "utf-8")
    found = {step: one for step, one in reported(json.loads(report)) if step in steps and one}
    if missing := [step for step in steps if step not in found]:
        say(f"no figures of {', '.join(missing)}: see {page}")
    return found


def reported(report: Mapping) -> Iterator[tuple[str, dict[str, float]]]:
    """(step, its figures) of a drill's report in JSON; a promise that was broken may have none."""
    for step in report["steps"]:
        found = {}
        for promise in step["promises"]:
            for figure in promise.get("figures", ()):
                if name := _FIGURES.get((promise["name"].partition(".")[2], figure["name"])):
                    found[name] = figure["value"]
        yield step["name"], found


def _run(engine: Engine, folder: Path, *arguments: str, fine: tuple[int, ...] = ()) -> str:
    command = engine.command(sys.executable, "-m", "generator", "--project", str(folder), *arguments)
    done = subprocess.run(command, env={**engine.environment, "PYTHONPATH": str(PROJECT)}, text=True,
                          capture_output=True, check=False)
    if fine and done.returncode not in fine:
        raise ClusterError(f"{' '.join(arguments)}: {done.stderr.strip()[-2000:]}")
    return done.stdout
