"""The workflow that users copy: what it may do, and that its commands are there."""

from __future__ import annotations

import re
import shlex

import pytest
import yaml

from generator.cli import cli
from tests.cases import PROJECT

FILE = PROJECT / "docs" / "ci" / "github-review.yml"
FLOW = yaml.load(FILE.read_text("utf-8"), yaml.BaseLoader)
STEPS = [(name, step) for name, job in FLOW["jobs"].items() for step in job["steps"]]
LINES = [step["run"] for _, step in STEPS if "run" in step]


def test_a_pull_request_only_and_nothing_by_itself():
    """It runs for pull requests, never with the rights of the base, and with those only that a job asks for."""
    assert FLOW["on"] == {"pull_request": ""} and FLOW["permissions"] == {}
    assert "secrets" not in str(FLOW) and FLOW["concurrency"]["cancel-in-progress"] == "true"


def test_who_may_write_runs_nothing_of_the_pull_request():
    """Only the job that hands findings over may write, and it has no shell; the others read."""
    for name, job in FLOW["jobs"].items():
        assert int(job["timeout-minutes"]) <= 15
        writes = {right for right, how in job["permissions"].items() if how != "read"}
        assert writes == ({"security-events"} if name == "findings" else set())
        assert not writes or not any("run" in step for step in job["steps"])


def test_actions_are_pinned():
    """Every action by the whole hash of its commit, with its release behind; no checkout leaves its token."""
    used = re.findall(r"uses: (\S+)(.*)", FILE.read_text("utf-8"))
    assert len(used) == sum("uses" in step for _, step in STEPS) >= 8
    for action, comment in used:
        assert re.fullmatch(r"[\w-]+/[\w/-]+@[0-9a-f]{40}", action) and re.fullmatch(
            r" # v\d+\.\d+\.\d+", comment
        )
    for _, step in STEPS:
        assert "checkout@" not in step.get("uses", "") or step["with"]["persist-credentials"] == "false"


def test_no_text_of_a_pull_request_in_a_shell():
    """No expression of GitHub's is put into a command."""
    assert LINES and not any("${{" in line for line in LINES)


@pytest.mark.parametrize("line", [line for line in LINES if "cloakform" in line])
def test_the_commands_are_there(line):
    """Each command and each of its options is one that the program has."""
    words = shlex.split(line.replace(">>", " ").split(" > ")[0].split(" || ")[0])
    command = cli.commands[words[1]]
    known = {name for one in command.params for name in one.opts}
    assert {word for word in words if word.startswith("-")} <= known
    assert words[0] == ".venv/bin/cloakform"
