"""What the rules say about what this project renders: no error, and warnings only for a choice that params
made."""

from __future__ import annotations

from pathlib import Path

import pytest
import yaml

from generator.document import parse
from generator.linting import pack
from generator.linting.view import View
from generator.params.load import load_all
from generator.rendering.engine import Engine
from generator.rendering.handover import hand_over
from tests.cases import CASES, ENVIRONMENTS, PROJECT, write_project

KNOWN = yaml.safe_load((Path(__file__).parent / "known_warnings.yaml").read_text("utf-8"))


def found(text: str, version: str = "") -> list:
    return pack.run(View(parse(text), region="eu-central-1", keycloak_version=version))


@pytest.mark.parametrize("environment", ENVIRONMENTS)
def test_a_rendered_environment_has_the_known_warnings_only(environment):
    """rendered/<env>/template.yaml gives no error, and of warnings those in known_warnings.yaml, each with
    its why."""
    findings = found((PROJECT / "rendered" / environment / "template.yaml").read_text("utf-8"))
    assert [finding for finding in findings if finding.severity == "error"] == []
    said = {finding.rule for finding in findings if finding.severity == "warning"}
    assert said == set(KNOWN[environment])
    assert all(KNOWN[environment].values())


@pytest.mark.parametrize("name", CASES)
def test_every_choice_renders_without_an_error_of_a_rule(name, wholes):
    """Whatever params choose, for every version: what the rules call an error is never rendered."""
    made = wholes[name]
    findings = found(made.text, made.settings.keycloak.version)
    assert [(one.rule, one.line, one.message) for one in findings if one.severity == "error"] == []


def test_an_admin_host_that_params_open_to_everybody_is_warned_of(tmp_path):
    """`allow_from: [0.0.0.0/0]` is allowed, with a warning, so what it renders has a warning too and no error."""
    admin = {"hostname": "https://admin.example.com", "allow_from": ["0.0.0.0/0"]}
    params = next(params for params in CASES.values() if "admin" not in params["keycloak"])
    write_project(tmp_path, {"open": {**params, "keycloak": {**params["keycloak"], "admin": admin}}})
    (outcome,) = load_all(tmp_path)
    assert outcome.environment is not None, "\n".join(map(str, outcome.problems))
    assert any("admin console" in str(one) for one in outcome.environment.warnings)
    made = hand_over(outcome.environment, tmp_path, Engine(PROJECT / "templates"))
    findings = found(made.template)
    assert [one for one in findings if one.severity == "error"] == []
    assert [one.rule for one in findings if "admin console" in one.message] == ["W9054"]
