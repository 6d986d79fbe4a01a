"""`python -m benchmarks deploy`: what `cloakform deploy` adds to the waiting that a deployment is anyway.

The peer is the same deployment of the same template by bare boto3 calls: a change set, its waiter, its execution, the
stack's waiter, all asking every half second. Both run in turn against the local AWS, where each resource takes some
time, as whole processes. `--seconds` says how much: on AWS a first deployment takes a quarter of an hour, of which
what is added is the less the longer it is.
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
from pathlib import Path

from generator.sandbox import local_aws

ROOT = Path(__file__).parent.parent
_PEER = """
import json, sys, boto3
about, template, tags, name, url = sys.argv[1:]
about = json.loads(about)
client = boto3.client("cloudformation", region_name=about["region"], endpoint_url=url)
made = client.create_change_set(
    StackName=about["stack_name"], ChangeSetName=name, ChangeSetType="UPDATE" if name == "update" else "CREATE",
    TemplateBody=open(template).read(), Tags=json.loads(tags), Capabilities=about["capabilities"])["Id"]
often = {"Delay": 0.5, "MaxAttempts": 10_000}
client.get_waiter("change_set_create_complete").wait(ChangeSetName=made, WaiterConfig=often)
client.describe_change_set(ChangeSetName=made)
client.execute_change_set(ChangeSetName=made)
client.get_waiter(f"stack_{name}_complete").wait(StackName=about["stack_name"], WaiterConfig=often)
"""


def main(arguments: list[str]) -> None:
    """Measures and prints a line per figure; with --json, writes them to a file."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks deploy", description=__doc__)
    parser.add_argument("--times", type=int, default=3, help="runs of each (default 3)")
    parser.add_argument("--seconds", type=float, default=0.5, help="that each resource takes (default 0.5)")
    parser.add_argument("--json", type=Path, help="also write the figures to this file")
    options = parser.parse_args(arguments)
    with tempfile.TemporaryDirectory() as name:
        figures = _measured(Path(name), options.times, options.seconds)
    for one in figures:
        print(f"{one['what']}: {one['s']:.1f} s, bare boto3 calls {one['boto3_s']:.1f} s, ratio {one['ratio']:.2f}, "
              f"{one['s'] - one['boto3_s']:.1f} s more")
    if options.json:
        options.json.write_text(json.dumps({"figures": figures}, indent=2) + "\n", "utf-8")


def _measured(folder: Path, times: int, seconds: float) -> list[dict]:
    project = folder / "project"
    for one in ("params", "templates", "rendered", "docs"):
        shutil.copytree(ROOT / one, project / one)
    (project / ".gitignore").write_text("/.cache/\n", "utf-8")
    _git(project, "init", "-q")
    versions = {"creation": _commit(project, "as it is"), "update": _changed(project)}
    took: dict[str, dict[str, list[float]]] = {what: {"s": [], "boto3_s": []} for what in versions}
    (folder / "aws").mkdir()
    with local_aws.running(ROOT, folder / "aws") as aws:
        about = json.loads((project / "rendered" / "dev" / "stack.json").read_text("utf-8"))
        # Its caches are filled, as they are where somebody works.
        for what in versions:
            _git(project, "checkout", "-q", versions[what])
            _check(subprocess.run(_generator("check", "dev"), cwd=project, env=_variables(about["account"]),
                                  capture_output=True, text=True, check=False))
        for _ in range(times):
            for who in took["creation"]:
                aws.reset()
                aws.delay("", seconds)
                for what, commit in versions.items():
                    _git(project, "checkout", "-q", commit)
                    took[what][who].append(_deployed(project, aws, about, what, who))
    figures = []
    for what, runs in took.items():
        mine, peer = statistics.median(runs["s"]), statistics.median(runs["boto3_s"])
        figures.append({"what": f"deploy, {what}", "s": mine, "boto3_s": peer, "ratio": mine / peer,
                        "seconds_per_resource": seconds})
    return figures


def _deployed(project: Path, aws: local_aws.Running, about: dict, what: str, who: str) -> float:
    """Seconds that a deployment took."""
    rendered = project / "rendered" / "dev"
    if who == "s":
        command = _generator("deploy", "dev", "--yes", "--quiet", "--endpoint-url", aws.url)
    else:
        command = [sys.executable, "-c", _PEER, json.dumps(about), str(rendered / "template.yaml"),
                   (rendered / "tags.json").read_text("utf-8"), "create" if what == "creation" else "update", aws.url]
    begun = time.monotonic()
    _check(subprocess.run(command, cwd=project, env=_variables(about["account"]), stdin=subprocess.DEVNULL,
                          capture_output=True, text=True, check=False))
    return time.monotonic() - begun


def _generator(*arguments: str) -> list[str]:
    return [sys.executable, "-m", "generator", *arguments]


def _changed(project: Path) -> str:
    """A commit in which logs are kept longer."""
    file = project / "params" / "dev.yaml"
    text = file.read_text("utf-8")
    changed = text.replace("retention_days: 7", "retention_days: 14")
    if changed == text:
        sys.exit("params/dev.yaml no longer says retention_days: 7")
    file.write_text(changed, "utf-8")
    _check(subprocess.run(_generator("render", "dev", "-q"), cwd=project, env=_variables(""), capture_output=True,
                          text=True, check=False))
    return _commit(project, "logs are kept longer")


def _commit(project: Path, text: str) -> str:
    _git(project, "add", "-A")
    _git(project, "commit", "-qm", text)
    return _git(project, "rev-parse", "HEAD").strip()


def _git(project: Path, *arguments: str) -> str:
    who = ("-c", "user.name=benchmark", "-c", "user.email=benchmark@localhost")
    return _check(subprocess.run(["git", *who, *arguments], cwd=project, env=_variables(""), capture_output=True,
                                 text=True, check=False))


def _variables(account: str) -> dict[str, str]:
    told = {name: value for name, value in local_aws.variables(account).items() if not name.startswith("GIT_")}
    return {**told, "PYTHONPATH": str(ROOT), "GIT_CONFIG_GLOBAL": os.devnull, "GIT_CONFIG_NOSYSTEM": "1"}


def _check(done: subprocess.CompletedProcess[str]) -> str:
    if done.returncode:
        sys.exit(f"{' '.join(map(str, done.args[:6]))} failed:\n{done.stdout}{done.stderr}")
    return done.stdout
