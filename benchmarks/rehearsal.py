"""`python -m benchmarks rehearsal`: from `cloakform rehearse up` to the full view, and what it takes of memory.

The peer is one node of the same image, started by hand (`start-dev`), until its health page answers: what anybody
waits who tries Keycloak with Docker. Both run in turn. `cold`: what a rehearsal builds is built anew; the images that
it pulls are there. Takes a few minutes, and an engine as `make test-cluster` has.
"""

from __future__ import annotations

import argparse
import json
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from tests.cluster import images
from tests.cluster.engine import Engine, up

ROOT = Path(__file__).parent.parent
VERSION = "26.7.4"
IMAGE = f"quay.io/keycloak/keycloak:{VERSION}"
_READY = "exec 3<>/dev/tcp/127.0.0.1/9000; printf 'GET /health/ready HTTP/1.0\\r\\n\\r\\n' >&3; grep -q '200 OK' <&3"


def main(arguments: list[str]) -> None:
    """Measures and prints a line per figure; with --json, writes them to a file."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks rehearsal", description=__doc__)
    parser.add_argument("--times", type=int, default=3, help="runs of each (default 3)")
    parser.add_argument("--json", type=Path, help="also write the figures to this file")
    options = parser.parse_args(arguments)
    engine = up()
    images.provide(engine, ["debian:12-slim", "haproxy:2.8", "postgres:17", f"keycloak:{VERSION}"])
    with tempfile.TemporaryDirectory() as name:
        project = Path(name)
        for folder in ("params", "templates", "rendered"):
            shutil.copytree(ROOT / folder, project / folder)
        _forget_built(engine)
        cold, memory = _rehearsal(engine, project)
        warm, alone = [], []
        for _ in range(options.times):
            alone.append(_one_node(engine))
            took, memory = _rehearsal(engine, project)
            warm.append(took)
    peer = statistics.median(alone)
    figures = [
        {"what": "rehearsal, warm", "s": statistics.median(warm), "one_node_s": peer,
         "ratio": statistics.median(warm) / peer},
        {"what": "rehearsal, cold", "s": cold, "one_node_s": peer, "ratio": cold / peer},
    ]
    for one in figures:
        print(f"{one['what']}: {one['s']:.0f} s to the full view, one node {one['one_node_s']:.0f} s, "
              f"ratio {one['ratio']:.1f}")
    print(f"memory: {sum(memory.values()):.0f} MiB: "
          + ", ".join(f"{name} {size:.0f}" for name, size in sorted(memory.items(), key=lambda pair: -pair[1])))
    if options.json:
        told = {"figures": figures, "memory_mib": memory}
        options.json.write_text(json.dumps(told, indent=2) + "\n", "utf-8")


def _run(engine: Engine, *command: str) -> str:
    done = subprocess.run(engine.command(*command), env={**engine.environment, "PYTHONPATH": str(ROOT)},
                          capture_output=True, text=True, check=False)
    if done.returncode:
        sys.exit(f"{' '.join(command[:6])} failed:\n{done.stderr}")
    return done.stdout


def _rehearsal(engine: Engine, project: Path) -> tuple[float, dict[str, float]]:
    """(seconds to the full view, MiB of each part then)."""
    cloakform = (sys.executable, "-m", "generator", "--project", str(project), "-q", "rehearse")
    begun = time.monotonic()
    _run(engine, *cloakform, "up", "dev")
    took = time.monotonic() - begun
    try:
        told = _run(engine, "docker", "stats", "--no-stream", "--format", "{{.Name}} {{.MemUsage}}")
    finally:
        _run(engine, *cloakform, "down", "dev")
    memory: dict[str, float] = {}
    for line in told.splitlines():
        name, used = line.split()[:2]
        part = name.split("_")[1].removesuffix("-net") if "_" in name else name
        memory[part] = memory.get(part, 0.0) + _mib(used)
    return took, memory


def _mib(text: str) -> float:
    for unit, size in (("GiB", 1024.0), ("MiB", 1.0), ("KiB", 1 / 1024), ("kB", 1 / 1049), ("B", 1 / 1048576)):
        if text.endswith(unit):
            return float(text.removesuffix(unit)) * size
    return 0.0


def _one_node(engine: Engine) -> float:
    """Seconds until one node answers."""
    name = "cloakform-benchmark"
    begun = time.monotonic()
    _run(engine, "docker", "run", "--detach", "--rm", "--name", name, "--memory", "2g", "--env",
         "KC_HEALTH_ENABLED=true", IMAGE, "start-dev")
    try:
        probe = engine.command("docker", "exec", name, "bash", "-c", _READY)
        while subprocess.run(probe, env=engine.environment, capture_output=True, check=False).returncode:
            time.sleep(0.5)
        return time.monotonic() - begun
    finally:
        _run(engine, "docker", "rm", "--force", name)


def _forget_built(engine: Engine) -> None:
    """Removes the images that rehearsals build for themselves."""
    built = _run(engine, "docker", "images", "--format", "{{.Repository}}:{{.Tag}}").split()
    for one in built:
        if one.startswith("cloakform-rehearsal"):
            _run(engine, "docker", "rmi", "--force", one)
