"""`python -m benchmarks rendering`: render and lint against the bare `cfn-lint` command on the same files, turn by turn.

Each pair runs alternately, so that a busy machine slows both down; the ratio is of the medians. CPU is user plus
system time of the process and its children, memory the largest resident set of any one of them.

`python -m benchmarks pack` measures the rule pack alone: cfn-lint with and without it, as a command that starts anew
and inside of one process, where its imports are paid already.
"""

from __future__ import annotations

import argparse
import json
import os
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).parent.parent
BIN = Path(sys.executable).parent

PACK = ["--append-rules", "generator.linting.cfnlint_rules"]

GOALS = {"pack, cold": 1.15, "pack, in process": 1.15, "one environment, cold": 1.1, "environments, cold": 0.6, "nothing changed": 0.2}


@dataclass(frozen=True)
class Run:
    """One command's run: seconds on the wall, CPU seconds, largest resident set in MiB."""

    wall: float
    cpu: float
    memory: float


def run(command: list[str], folder: Path) -> Run:
    """Runs a command to its end; its output goes nowhere. Raises SystemExit if it fails."""
    started = time.perf_counter()
    process = subprocess.Popen(command, cwd=folder, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE)
    _, status, usage = os.wait4(process.pid, 0)
    wall = time.perf_counter() - started
    if os.waitstatus_to_exitcode(status) not in (0, 4):  # 4: cfn-lint found warnings
        sys.exit(f"{' '.join(command)} failed:\n{process.stderr.read().decode()}")
    process.stderr.close()
    return Run(wall, usage.ru_utime + usage.ru_stime, usage.ru_maxrss / 1024)


def pair(name: str, ours: list[str], theirs: list[str], folder: Path, times: int) -> dict:
    """Runs both commands `times` times in turn and compares their medians."""
    mine, others = [], []
    for _ in range(times):
        mine.append(run(ours, folder))
        others.append(run(theirs, folder))
    return {"what": name, "cloakform_s": statistics.median(one.wall for one in mine),
            "cfn_lint_s": statistics.median(one.wall for one in others),
            "ratio": statistics.median(one.wall for one in mine) / statistics.median(one.wall for one in others),
            "cloakform_cpu_s": statistics.median(one.cpu for one in mine),
            "cloakform_mib": max(one.memory for one in mine), "cfn_lint_mib": max(one.memory for one in others)}


IN_PROCESS = """
import gc, json, statistics, sys, time
from generator.document import parse
from generator.linting import engine, linter

text, region, times = open(sys.argv[1], encoding="utf-8").read(), sys.argv[2], int(sys.argv[3])
took = {"with": [], "without": []}
for number in range(times + 1):
    for name in took:
        gc.collect()
        started = time.process_time()
        linter.run(text, region)
        if name == "with":
            engine.own_findings(parse(text), region)
        if number:  # the first turn pays for imports
            took[name].append(time.process_time() - started)
print(json.dumps({name: statistics.median(all) for name, all in took.items()}))
"""


def pack(file: str, region: str, times: int) -> list[dict]:
    """CPU seconds of cfn-lint with and without the pack on one file: as a command, and inside of one process."""
    cfn_lint = [str(BIN / "cfn-lint"), "-r", region]
    ours, theirs = [*cfn_lint, *PACK, "--", file], [*cfn_lint, "--", file]
    turns = [(run(ours, ROOT).cpu, run(theirs, ROOT).cpu) for _ in range(times)]
    mine, others = (statistics.median(side) for side in zip(*turns))
    figures = [{"what": "pack, cold", "cloakform_s": mine, "cfn_lint_s": others, "ratio": mine / others}]
    command = [sys.executable, "-c", IN_PROCESS, file, region, str(times)]
    took = json.loads(subprocess.run(command, cwd=ROOT, check=True, capture_output=True, text=True).stdout)
    figures.append({"what": "pack, in process", "cloakform_s": took["with"], "cfn_lint_s": took["without"],
                    "ratio": took["with"] / took["without"]})
    return figures


def project(folder: Path, count: int) -> list[str]:
    """A copy of this project in `folder`; with `count`, that many variants of dev and prod instead of its own."""
    shutil.copytree(ROOT / "templates", folder / "templates")
    shutil.copytree(ROOT / "params", folder / "params")
    if count:
        texts = [(ROOT / "params" / f"{name}.yaml").read_text("utf-8") for name in ("dev", "prod")]
        for name in ("dev", "staging", "prod"):
            (folder / "params" / f"{name}.yaml").unlink()
        for number in range(count):
            text = texts[number % 2].replace("example.com", f"n{number}.example.com")
            (folder / "params" / f"env{number:03d}.yaml").write_text(text, "utf-8")
    cloakform = str(BIN / "cloakform")
    subprocess.run([cloakform, "-q", "render"], cwd=folder, check=True)
    return sorted(str(path.relative_to(folder)) for path in (folder / "rendered").glob("*/template.yaml"))


def main(arguments: list[str], part: str = "all") -> None:
    """Measures, prints a line per figure and, with --json, writes them to a file; `part` is `all` or `pack`."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks rendering", description=__doc__)
    parser.add_argument("--times", type=int, default=5, help="runs of each command of a pair (default 5)")
    parser.add_argument("--environments", type=int, default=100, help="how many in the large project (default 100)")
    parser.add_argument("--json", type=Path, help="also write the figures to this file")
    options = parser.parse_args(arguments)
    cloakform, cfn_lint = str(BIN / "cloakform"), str(BIN / "cfn-lint")
    region = ["-r", "eu-central-1", "--"]
    figures = pack("rendered/prod/template.yaml", "eu-central-1", options.times)
    if part == "all":
        figures += renders(cloakform, cfn_lint, region, options)
    for figure in figures:
        goal = GOALS[figure["what"]]
        count = f"{options.environments} " if figure["what"] == "environments, cold" else ""
        more = (f", CPU {figure['cloakform_cpu_s']:.2f} s, peak {figure['cloakform_mib']:.0f} MiB "
                f"(cfn-lint {figure['cfn_lint_mib']:.0f} MiB)" if "cloakform_mib" in figure else "")
        print(f"{count}{figure['what']}: {figure['cloakform_s']:.2f} s, cfn-lint {figure['cfn_lint_s']:.2f} s, "
              f"ratio {figure['ratio']:.2f} (goal {goal}){more}")
    if options.json:
        options.json.write_text(json.dumps(figures, indent=2) + "\n", "utf-8")


def renders(cloakform: str, cfn_lint: str, region: list[str], options: argparse.Namespace) -> list[dict]:
    """Rendering against bare cfn-lint: one environment, nothing changed, many environments."""
    figures = []
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name) / "three"
        folder.mkdir()
        project(folder, 0)
        one = "rendered/prod/template.yaml"
        figures.append(pair("one environment, cold", [cloakform, "-q", "render", "--no-cache", "prod"],
                            [cfn_lint, *region, one], folder, options.times))
        run([cloakform, "-q", "render"], folder)
        figures.append(pair("nothing changed", [cloakform, "render"], [cfn_lint, *region, one], folder, options.times))
        large = Path(name) / "large"
        large.mkdir()
        files = project(large, options.environments)
        figures.append(pair("environments, cold", [cloakform, "-q", "render", "--no-cache"],
                            [cfn_lint, *region, *files], large, max(1, options.times // 3)))
    return figures
