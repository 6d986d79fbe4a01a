"""`python -m benchmarks review`: the review of one environment, as a command that starts anew, as text and as a page.

The peer is `sceptre --version`: what another tool for CloudFormation takes before it does anything at all. Its own
comparison asks AWS, so there is nothing of its that does the same here. It gets an environment of its own under .cache
the first time. All run in turn; the ratio is of the medians.
"""

from __future__ import annotations

import argparse
import json
import shutil
import statistics
import subprocess
import sys
import tempfile
import venv
from pathlib import Path

from benchmarks.rendering import BIN, ROOT, run

PEER = "4.7.0"
GOAL = 1.0
"""Of the review as text: it is done before the other has started."""

CHANGES = [("      Memory: ", "      Memory: 8192 # was "), ('      Cpu: "2048"', '      Cpu: "4096"')]
"""Of prod's template: nothing that needs leave."""


def main(arguments: list[str]) -> None:
    """Measures and prints a line per figure; with --json, writes them to a file."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks review", description=__doc__)
    parser.add_argument("--times", type=int, default=11, help="runs of each (default 11)")
    parser.add_argument("--json", type=Path, help="also write the figures to this file")
    options = parser.parse_args(arguments)
    theirs = [str(_sceptre()), "--version"]
    review = [str(BIN / "cloakform"), "-q", "review"]
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        page = ["--format", "html", "-o", str(folder / "review.html")]
        _changed(folder)
        runs: dict[str, list] = {"text": [], "page": [], "peer": []}
        for _ in range(options.times):
            for what, command in (("text", review), ("page", [*review, *page]), ("peer", theirs)):
                runs[what].append(run(command, folder))
    wall = {what: statistics.median(one.wall for one in several) for what, several in runs.items()}
    cpu = {what: statistics.median(one.cpu for one in several) for what, several in runs.items()}
    memory = {what: max(one.memory for one in several) for what, several in runs.items()}
    figures = [
        {"what": f"review as {what}", "s": wall[what], "sceptre_s": wall["peer"], "ratio": wall[what] / wall["peer"],
         "cpu_s": cpu[what], "sceptre_cpu_s": cpu["peer"], "mib": memory[what], "sceptre_mib": memory["peer"]}
        for what in ("text", "page")
    ]
    for one in figures:
        goal = f" (goal {GOAL})" if one["what"] == "review as text" else ""
        print(f"{one['what']}: {one['s']:.2f} s, sceptre --version {one['sceptre_s']:.2f} s, ratio {one['ratio']:.2f}"
              f"{goal}, CPU {one['cpu_s']:.2f} s (sceptre {one['sceptre_cpu_s']:.2f} s), "
              f"peak {one['mib']:.0f} MiB (sceptre {one['sceptre_mib']:.0f} MiB)")
    if options.json:
        options.json.write_text(json.dumps(figures, indent=2) + "\n", "utf-8")


def _sceptre() -> Path:
    """The peer's command, in an environment of its own; made where there is none."""
    folder = ROOT / ".cache" / f"sceptre-{PEER}"
    command = folder / "bin" / "sceptre"
    if not command.exists():
        venv.create(folder, with_pip=True, clear=True)
        pip = [str(folder / "bin" / "python"), "-m", "pip", "install", "--quiet", "--disable-pip-version-check"]
        subprocess.run([*pip, f"sceptre=={PEER}"], check=True)
    return command


def _changed(folder: Path) -> None:
    """This project in `folder`, committed, with a change of prod that isn't."""
    for name in ("params", "templates", "rendered"):
        shutil.copytree(ROOT / name, folder / name)
    who = ["-c", "user.name=benchmark", "-c", "user.email=benchmark@example.com", "-c", "commit.gpgsign=false"]
    for words in (["init", "--quiet"], ["add", "--all"], ["commit", "--quiet", "--message", "before"]):
        subprocess.run(["git", *who, *words], cwd=folder, check=True)
    template = folder / "rendered" / "prod" / "template.yaml"
    text = template.read_text("utf-8")
    for old, new in CHANGES:
        if text.count(old) != 1:
            sys.exit(f"{template.name} of prod has no single {old.strip()!r} to change")
        text = text.replace(old, new)
    template.write_text(text, "utf-8")
