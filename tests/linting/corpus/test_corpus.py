"""Templates as other people shape them: the rules are silent but for true faults, and never break."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest
import yaml

from generator.document import parse
from generator.linting import pack
from generator.linting.engine import own_findings
from generator.linting.view import View
from tests.cases import PROJECT, REGION

FOLDER = Path(__file__).parent / "templates"
EXPECTED: dict[str, dict[str, str]] = yaml.safe_load((Path(__file__).parent / "expected.yaml").read_text("utf-8"))
UNSEEN = {
    "no-keycloak.yaml",
    "wildfly.yaml",  # another program, of which the rules know nothing
    "express.yaml",  # no task definition
    "for-each.yaml",  # a loop writes the task definitions
}
"""Templates in which rules see no Keycloak."""

CFN_LINT = Path(sys.executable).parent / "cfn-lint"
THROUGH_CFN_LINT = ("cdk.json", "workshop.yaml")


def text(name: str) -> str:
    return (FOLDER / name).read_text("utf-8")


def test_the_table_has_every_template():
    """Each template of the corpus is judged, each fault in the table says why it is one."""
    assert {file.name for file in FOLDER.iterdir()} == set(EXPECTED) and len(EXPECTED) >= 12
    assert all(why for faults in EXPECTED.values() for why in faults.values())


@pytest.mark.parametrize("name", EXPECTED)
def test_only_true_faults_are_told(name):
    """A template of a shape that isn't ours gets its true faults told, and no false alarm."""
    assert {one.rule for one in own_findings(parse(text(name)), REGION)} == set(EXPECTED[name])


@pytest.mark.parametrize("name", EXPECTED)
@pytest.mark.parametrize("version", ["22.0.5", "24.0.5", "26.7.4"])
def test_rules_take_any_shape(name, version):
    """No rule raises, whatever version somebody says the template is for, and without a region."""
    for finding in pack.run(View(parse(text(name)), keycloak_version=version)):
        assert finding.message and finding.line >= 1


@pytest.mark.parametrize("name", EXPECTED)
def test_keycloak_is_found_where_it_is(name):
    """The corpus tests something: rules see Keycloak in all templates but those that show none."""
    assert bool(View(parse(text(name)), region=REGION).keycloaks) == (name not in UNSEEN)


def test_cfn_lint_says_the_same():
    """People who append the rules to cfn-lint get the same ids at the same lines."""
    files = [FOLDER / name for name in THROUGH_CFN_LINT]
    command = [CFN_LINT, *files, "--format", "json", "--regions", REGION]
    command += ["--append-rules", "generator.linting.cfnlint_rules"]
    ran = subprocess.run(command, cwd=PROJECT, capture_output=True, text=True, check=False)
    assert ran.returncode < 32, ran.stderr
    ours = {rule.id for rule in pack.all_rules()}
    said = [one for one in json.loads(ran.stdout or "[]") if one["Rule"]["Id"] in ours]
    for file in files:
        places = {
            (one["Rule"]["Id"], one["Location"]["Start"]["LineNumber"])
            for one in said
            if Path(one["Filename"]).name == file.name
        }
        assert places == {(one.rule, one.line) for one in own_findings(parse(text(file.name)), REGION)}
