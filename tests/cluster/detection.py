"""How long a lost node costs, measured: `python -m tests.cluster detection` starts a cluster for each version,
discovery and cache stack, breaks a node in every way, and writes docs/failure-detection.md.

What was measured before is kept in the cluster tests' folder and not measured again: the whole takes hours and may
be done in parts.
"""

from __future__ import annotations

import datetime
import json
import platform
import re
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from generator.keycloak import catalog
from tests.cluster import engine as engines
from tests.cluster import images
from tests.cluster.engine import PROJECT, Engine
from tests.cluster.steps import ClusterError, say

PAGE = PROJECT / "docs/failure-detection.md"
VERSIONS = ("24.0.5", "26.0.8", "26.4.7", "26.7.4")
IMAGES = ("debian:12-slim", "haproxy:2.8", "postgres:16")
WAYS = ("failover", "stop", "freeze", "lose", "cut")
"""Steps of the drill, each a way to lose a node."""
CLOSED = "closed"
"""The same as failover, with FD_SOCK2's port closed between the tasks."""
_TITLES = {
    "failover": "killed", "stop": "stopped in order", "freeze": "frozen (SIGSTOP)", "lose": "its host lost",
    "cut": "cut off for 60 s", CLOSED: "killed, 57800 closed"}


@dataclass(frozen=True)
class Setup:
    """A cluster to measure."""

    version: str
    discovery: str
    """`dns` or `database`."""
    stack: str
    """`shipped`, or `own`: the optimized image's."""

    @property
    def name(self) -> str:
        """`26.7.4 dns own`."""
        return f"{self.version} {self.discovery} {self.stack}"

    @property
    def params(self) -> dict:
        """What it differs in from dev."""
        image = {"kind": "stock"}
        if self.stack == "own":
            image = {"kind": "optimized", "repository": "111111111111.dkr.ecr.eu-central-1.amazonaws.com/keycloak"}
        return {"extends": "dev.yaml", "service": {"cpu": 1024, "memory": 2048},
                # The newest PostgreSQL that all of these versions support.
                "database": {"create": {"engine_version": "16"}},
                "keycloak": {"version": self.version, "discovery": self.discovery, "image": image}}


def setups(versions: Iterable[str] = VERSIONS) -> list[Setup]:
    """Every cluster there is to measure: DNS with both stacks, and the database where a version knows it."""
    found = []
    for version in versions:
        found += [Setup(version, "dns", "shipped"), Setup(version, "dns", "own")]
        if "jdbc-ping" in {stack.name for stack in catalog.load(version).stacks}:
            found.append(Setup(version, "database", "shipped"))
    return found


def kept() -> Path:
    """Where the figures lie."""
    return engines.folder() / "detection.json"


def measure(wanted: Iterable[Setup], again: bool = False) -> None:
    """Measures what hasn't been measured, and writes the page after each cluster. Raises ClusterError."""
    engine = engines.up()
    for setup in wanted:
        known = figures()
        if setup.name in known and not again:
            continue
        images.provide(engine, [*IMAGES, f"keycloak:{setup.version}"])
        say(f"{setup.name} …")
        with tempfile.TemporaryDirectory() as folder:
            found = _measured(engine, Path(folder), setup)
        known = {**figures(), setup.name: {"date": datetime.date.today().isoformat(), **found}}
        kept().write_text(json.dumps(known, indent=1, sort_keys=True) + "\n", "utf-8")
        PAGE.write_text(page(known), "utf-8")
        say(f"{setup.name}: {found}")


def figures() -> dict:
    """What was measured so far, by the setup's name."""
    return json.loads(kept().read_text("utf-8")) if kept().is_file() else {}


def _measured(engine: Engine, folder: Path, setup: Setup) -> dict:
    for name in ("params", "templates"):
        shutil.copytree(PROJECT / name, folder / name)
    (folder / "params/measured.yaml").write_text(json.dumps(setup.params), "utf-8")
    _run(engine, folder, "render", "measured", fine=(0,))
    found = _drilled(engine, folder, "measured", WAYS)
    if setup.stack == "shipped":
        template = folder / "closed.yaml"
        rendered = (folder / "rendered/measured/template.yaml").read_text("utf-8")
        template.write_text(_without_detection(rendered), "utf-8")
        found[CLOSED] = _drilled(engine, folder, str(template), ("failover",))["failover"]
    return found


def _without_detection(template: str) -> str:
    """The template without the permission that FD_SOCK2's port needs."""
    for pattern in (r"  TaskInFailureDetection:\n.*?\n\n", r"TaskInFailureDetection, "):
        template, count = re.subn(pattern, "", template, flags=re.DOTALL)
        if not count:
            raise ClusterError(f"the template has no {pattern!r}")
    return template


def _drilled(engine: Engine, folder: Path, what: str, steps: Iterable[str]) -> dict:
    """Step -> figures, of a cluster that is started for it and taken down after."""
    name = "detection"
    _run(engine, folder, "rehearse", "down", name)
    try:
        _run(engine, folder, "rehearse", "up", what, "--name", name, fine=(0,))
        chosen = [part for step in steps for part in ("--step", step)]
        report = _run(engine, folder, "drill", name, "--format", "json", *chosen, fine=(0, 1))
    finally:
        _run(engine, folder, "rehearse", "down", name)
    return dict(_figures(json.loads(report)))


def _figures(report: Mapping) -> Iterator[tuple[str, dict]]:
    for step in report["steps"]:
        promises = {promise["name"].partition(".")[2]: promise for promise in step["promises"]}
        if step["name"] not in WAYS:
            continue
        found = {}
        for promise, name, figure in (("view", "view", "time to the new view"),
                                      ("outage", "outage", "outage seen by clients"),
                                      ("errors", "failed", "failed probes")):
            for one in promises.get(promise, {}).get("figures", ()):
                if one["name"] == figure:
                    found[name] = one["value"]
        yield step["name"], found


def _run(engine: Engine, folder: Path, *arguments: str, fine: tuple[int, ...] = ()) -> str:
    command = engine.command(sys.executable, "-m", "generator", "--project", str(folder), *arguments)
    done = subprocess.run(command, env={**engine.environment, "PYTHONPATH": str(PROJECT)}, text=True,
                          capture_output=True, check=False)
    if fine and done.returncode not in fine:
        raise ClusterError(f"{' '.join(arguments)}: {done.stderr.strip()[-2000:]}")
    return done.stdout


def page(known: Mapping[str, Mapping]) -> str:
    """The page of the figures, as Markdown."""
    columns = (*WAYS, CLOSED)
    lines = [
        "# How long a lost node costs",
        "",
        "Measured by `python -m tests.cluster detection` on clusters of two real Keycloak nodes, each rendered from params",
        "and rehearsed with its security groups, Cloud Map's answers and the balancer's checks. In each cell: seconds until",
        "the other node has a view without the lost one, then the longest outage that clients saw through the balancer, at",
        "5 probes a second of each kind; for a stop in order, the number of failed probes.",
        "",
        "`shipped` is Keycloak's own stack in the official image, `own` the stack of the optimized image",
        "(`cache-cloudmap.xml`: FD_ALL3 of 10 s, discovery by hearsay).",
        "",
        f"| Keycloak | discovery | stack | {' | '.join(_TITLES[one] for one in columns)} | measured |",
        f"|---|---|---|{'---|' * len(columns)}---|",
    ]
    for setup in setups():
        found = known.get(setup.name)
        if found:
            cells = " | ".join(_cell(one, found.get(one)) for one in columns)
            lines.append(f"| {setup.version} | {setup.discovery} | {setup.stack} | {cells} | {found['date']} |")
    lines += ["", f"Machine: {platform.machine()}, 2 cores shared by both nodes, database, balancer and probes.", ""]
    return "\n".join(lines)


def _cell(way: str, found: Mapping | None) -> str:
    if found is None:
        return "–"
    view = f"{found['view']:.1f} s" if "view" in found else "never"
    if way == "stop":
        return f"{view}, {found.get('failed', 0):.0f} failed"
    return f"{view}, {found['outage']:.1f} s" if "outage" in found else view
