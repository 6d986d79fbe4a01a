"""Our rules inside cfn-lint itself, run as people run it: the same ids at the same lines as by ourselves."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parent / "rules"))

from laying import REGION, TEXT, laid, viewed  # noqa: E402

from generator.document import parse  # noqa: E402
from generator.linting import pack  # noqa: E402
from generator.linting.engine import own_findings  # noqa: E402
from tests.cases import PROJECT  # noqa: E402

CFN_LINT = Path(sys.executable).parent / "cfn-lint"

BAD = """\
TaskDefinition:
  Properties:
    ContainerDefinitions:
      - Name: keycloak
        Image: 123456789012.dkr.ecr.eu-central-1.amazonaws.com/keycloak:%s
        Environment:
          - {Name: KC_PROXY_HEADERS, Value: forwarded}
          - {Name: KC_ADMIN_HOSTNAME, Value: "https://sso-admin.example.com"}
HttpsListener:
  Properties:
    DefaultActions: [{Type: forward, TargetGroupArn: !Ref TargetGroup}]
Service:
  Properties:
    DeploymentConfiguration: {MinimumHealthyPercent: 100, MaximumPercent: 100}
"""
EXPECTED = {"E9001", "E9008", "E9054", "E9504"}
OURS = {rule.id for rule in pack.all_rules()}


def bad(tag: str = "26.7.4", config: dict | None = None, of_task: dict | None = None) -> str:
    """A template with four faults, and settings for cfn-lint as a whole and for its task definition."""
    template = laid(BAD % tag)
    for holder, settings in ((template, config), (template["Resources"]["TaskDefinition"], of_task)):
        if settings:
            holder["Metadata"] = {"cfn-lint": {"config": settings}}
    return json.dumps(template, indent=1)


TEMPLATES = {
    "bad.json": bad(),
    "good.yaml": TEXT,
    "ignored.json": bad(config={"ignore_checks": ["E9008"]}, of_task={"ignore_checks": ["E9001"]}),
    "configured.json": bad("stable", config={"configure_rules": {"E9001": {"keycloak_version": "26.7.4"}}}),
    "unversioned.json": bad("stable"),
}


def cfn_lint(*args: str | Path, text: str | None = None) -> list[dict]:
    """What the real cfn-lint says with our rules appended, as it says it; ours only."""
    command = [CFN_LINT, *args, "--format", "json", "--regions", REGION]
    command += ["--append-rules", "generator.linting.cfnlint_rules"]
    ran = subprocess.run(command, cwd=PROJECT, input=text, capture_output=True, text=True, check=False)
    assert ran.returncode < 32, ran.stderr
    found = json.loads(ran.stdout or "[]")
    assert not [one for one in found if one["Rule"]["Id"].startswith("E0")], found
    return [one for one in found if one["Rule"]["Id"] in OURS]


def places(found: list[dict]) -> list[tuple[str, int]]:
    return sorted({(one["Rule"]["Id"], one["Location"]["Start"]["LineNumber"]) for one in found})


def ours(text: str, **given: str) -> list[tuple[str, int]]:
    """(id, line) of what our own engine says, sorted; our rules only, without those that inform: cfn-lint
    leaves them out unless it is asked."""
    found = own_findings(parse(text), REGION, **given)
    return sorted({(one.rule, one.line) for one in found})


@pytest.fixture(scope="module")
def folder(tmp_path_factory) -> Path:
    """A folder with all of TEMPLATES."""
    folder = tmp_path_factory.mktemp("templates")
    for name, text in TEMPLATES.items():
        (folder / name).write_text(text, "utf-8")
    return folder


@pytest.fixture(scope="module")
def said(folder) -> dict[str, list[dict]]:
    """What one run of cfn-lint says about each of TEMPLATES."""
    found = cfn_lint(*(folder / name for name in TEMPLATES))
    return {name: [one for one in found if one["Filename"].endswith(f"/{name}")] for name in TEMPLATES}


@pytest.mark.parametrize("name", TEMPLATES)
def test_cfn_lint_says_what_we_say(said, name):
    """Ids and lines are the same, whichever program one runs, also with what a template's Metadata says."""
    assert places(said[name]) == ours(TEMPLATES[name])


def test_faults_are_found_and_what_is_right_is_left_alone(said):
    """The faults are those that were put in; the good template gives nothing."""
    assert {rule for rule, _ in places(said["bad.json"])} >= EXPECTED
    assert said["good.yaml"] == []


def test_the_templates_metadata_leaves_rules_out(said):
    """An exception that is written into the template, for a resource or as a whole, counts."""
    assert {rule for rule, _ in places(said["ignored.json"])} & EXPECTED == {"E9054", "E9504"}


def test_a_version_in_the_template_counts_there_alone(said):
    """Where no tag tells the version, a setting of any rule does; without one, rules of some versions are
    silent."""
    assert "E9008" in dict(places(said["configured.json"]))
    assert "E9008" not in dict(places(said["unversioned.json"]))


def test_the_fix_is_in_cfn_lints_message(said):
    """cfn-lint has no place for a fix, so it is told with the message."""
    (one,) = (one for one in said["bad.json"] if one["Rule"]["Id"] == "E9001")
    assert one["Message"].endswith("KC_ADMIN_HOSTNAME (fix: write KC_HOSTNAME_ADMIN)")


def test_cfn_lints_own_switches_work(folder):
    """`--ignore-checks` leaves our rules out by id or by its beginning, `--configure-rule` tells them the
    version."""
    args = (
        "--ignore-checks",
        "E9001",
        "--ignore-checks",
        "E95",
        "--configure-rule",
        "E9031:keycloak_version=26.7.4",
    )
    expected = [
        place
        for place in ours(TEMPLATES["unversioned.json"], keycloak_version="26.7.4")
        if place[0] != "E9001" and not place[0].startswith("E95")
    ]
    assert places(cfn_lint(folder / "unversioned.json", *args)) == expected
    assert {"E9008", "E9054"} <= set(dict(expected))


def test_standard_input_is_linted_too():
    """A template that comes by a pipe has no file to read again; ids are the same."""
    found = cfn_lint(text=TEMPLATES["bad.json"])
    assert {one["Rule"]["Id"] for one in found} == {rule for rule, _ in ours(TEMPLATES["bad.json"])}


@pytest.mark.parametrize("version", ["26", "latest", "x", "26.7.4.1"])
def test_a_version_that_is_none_is_as_good_as_none(version):
    """A malformed version never breaks the linter: rules go by the tag."""
    view = viewed(laid(BAD % "26.7.4"), version)
    assert str(view.keycloaks[0].version) == "26.7.4"
