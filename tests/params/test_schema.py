"""params/schema.json and docs/params.md: what editors and people read is what the program does."""

from __future__ import annotations

import json
import re

import jsonschema
import pytest
import yaml

from generator.params import describe, reference
from generator.params.schema import schema_text
from generator.rendering.engine import Engine
from tests.cases import CASES, PROJECT

CHECKER = jsonschema.Draft202012Validator(json.loads(schema_text()))


def refused(params) -> list[str]:
    """Dotted keys of what the schema doesn't accept."""
    return sorted(".".join(map(str, _deepest(error))) for error in CHECKER.iter_errors(params))


def _deepest(error) -> tuple:
    """Where an error stands, as an editor shows it: in the branch of an `anyOf` that fits the furthest."""
    return max([tuple(error.absolute_path), *map(_deepest, error.context or ())], key=len)


def test_the_files_are_fresh():
    """Schema and reference page are those of today's model; `cloakform schema` makes them."""
    assert (PROJECT / "params/schema.json").read_text("utf-8") == schema_text()
    assert (PROJECT / "docs/params.md").read_text("utf-8") == reference.page()


def test_the_schema_is_one():
    """It follows its own dialect, so every editor can read it."""
    jsonschema.Draft202012Validator.check_schema(CHECKER.schema)
    assert CHECKER.schema["$schema"] == "https://json-schema.org/draft/2020-12/schema"


@pytest.mark.parametrize("name", ["base", "dev", "prod", "staging"])
def test_the_projects_params_are_accepted(name):
    """An editor has nothing to say about the project's own files, and knows which schema they follow."""
    text = (PROJECT / f"params/{name}.yaml").read_text("utf-8")
    assert text.startswith("# yaml-language-server: $schema=schema.json\n")
    assert refused(yaml.safe_load(text)) == []


@pytest.mark.parametrize("base", ["", "base.yaml"])
def test_a_new_file_is_accepted(base):
    """What `cloakform new` writes is right in an editor from the first moment."""
    text = Engine(PROJECT / "templates").render("params.yaml.j2", {"environment": "qa", "base": base}).text
    assert refused(yaml.safe_load(text)) == []


def test_what_the_program_takes_the_schema_takes():
    """No environment that renders is marked as wrong in an editor."""
    assert {name: found for name, params in CASES.items() if (found := refused(params))} == {}


@pytest.mark.parametrize("params", [
    pytest.param({}, id="nothing at all"),
    pytest.param({"abstract": True, "extends": "base.yaml"}, id="what files say about themselves"),
    pytest.param({"service": {"memory": 4096}}, id="a part of an environment"),
    pytest.param({"service": None, "alarms": None, "keycloak": {"image": {"tag": None}}}, id="null for the default"),
    pytest.param({"keycloak": {"jvm_options": {"append": ["-XX:+UseZGC"]}}}, id="more items of a list"),
    pytest.param({"keycloak": {"admin": {"allow_from": {"replace": ["203.0.113.0/24"]}}}}, id="other items of a list"),
    pytest.param({"network": {"egress": {"append": [{"to": "10.0.0.0/8", "port": 25, "description": "Mail"}]}}},
                 id="more sections of a list"),
    pytest.param({"account": 123456789012}, id="an account without quotes"),
    pytest.param({"keycloak": {"options": {"KC_HTTP_MAX_QUEUED_REQUESTS": 1000, "KC_X": True}}, "tags": {"Cost": 42}},
                 id="free values without quotes"),
    pytest.param({"keycloak": {"options": {"KC_X": None}}, "tags": {"Team": None}}, id="null for an inherited name"),
])
def test_what_may_be_written_is_accepted(params):
    """A file may hold a part of an environment, in every form that the loader takes."""
    assert refused(params) == []


@pytest.mark.parametrize("params, key", [
    pytest.param({"servce": {}}, "", id="an unknown section"),
    pytest.param({"service": {"memroy": 2048}}, "service", id="an unknown key"),
    pytest.param({"network": {"egress": [{"prot": 25}]}}, "network.egress.0", id="an unknown key in a list"),
    pytest.param({"keycloak": {"options": {"LOG_LEVEL": "info"}}}, "keycloak.options", id="no option of Keycloak's"),
    pytest.param({"service": {"memory": "a lot"}}, "service.memory", id="text for a number"),
    pytest.param({"service": {"memory": 2048.5}}, "service.memory", id="a fraction for a number"),
    pytest.param({"service": {"tasks": 0}}, "service.tasks", id="a number too small"),
    pytest.param({"service": {"tasks": 65}}, "service.tasks", id="a number too large"),
    pytest.param({"service": {"exec": "yes"}}, "service.exec", id="text for a boolean"),
    pytest.param({"service": {"architecture": "arm"}}, "service.architecture", id="none of the choices"),
    pytest.param({"keycloak": {"discovery": "DNS"}}, "keycloak.discovery", id="a choice in capital letters"),
    pytest.param({"keycloak": {"log": {"retention_days": 31}}}, "keycloak.log.retention_days",
                 id="days that CloudWatch doesn't have"),
    pytest.param({"keycloak": {"hostname": "sso.example.com"}}, "keycloak.hostname", id="a host without https"),
    pytest.param({"keycloak": {"version": 26.7}}, "keycloak.version", id="a version that YAML takes for a number"),
    pytest.param({"account": "1234"}, "account", id="an account too short"),
    pytest.param({"account": 1234}, "account", id="a number too short for an account"),
    pytest.param({"region": "Frankfurt"}, "region", id="no region"),
    pytest.param({"network": {"existing": {"vpc": "my-vpc"}}}, "network.existing.vpc", id="no id of a VPC"),
    pytest.param({"network": {"existing": {"private_subnets": "subnet-1"}}}, "network.existing.private_subnets",
                 id="text for a list"),
    pytest.param({"service": [1]}, "service", id="a list for a section"),
    pytest.param({"load_balancer": {"certificate": "none"}}, "load_balancer.certificate", id="no certificate"),
    pytest.param({"keycloak": {"jvm_options": {"add": ["-Xlog"]}}}, "keycloak.jvm_options",
                 id="a third form of a list"),
    pytest.param({"abstract": "yes"}, "abstract", id="a word for abstract"),
])
def test_typical_mistakes_are_refused(params, key):
    """What the program would refuse is marked while it is typed, at the key it stands at."""
    assert refused(params) == [key]


def test_every_key_has_a_description():
    """Each key says what it means, once, in a sentence; numbers that count something have their unit."""
    units = {"seconds": "seconds", "days": "days", "percent": "percent", "gb": "GiB", "milliseconds": "milliseconds"}
    for key in describe.keys():
        assert key.description[:1].isupper() or re.match(r"[a-z-]+: ", key.description), key.path
        assert key.description.endswith((".", "…")), key.path
        ending = key.path.rsplit("_", 1)[-1]
        assert key.unit == units[ending] if ending in units else True, key.path


def test_the_schema_describes_every_key():
    """An editor shows the same description as `explain`, for each key."""
    def walk(node, path=()):
        node = CHECKER.schema["$defs"][node["$ref"].rsplit("/", 1)[1]] if "$ref" in node else node
        for branch in node.get("anyOf", [node]):
            branch = CHECKER.schema["$defs"][branch["$ref"].rsplit("/", 1)[1]] if "$ref" in branch else branch
            for name, inner in branch.get("properties", {}).items():
                if name not in ("replace", "append"):
                    found[".".join((*path, name))] = inner.get("description", "")
                    walk(inner, (*path, name))
            if isinstance(branch.get("items"), dict):
                walk(branch["items"], path)
    found: dict[str, str] = {}
    walk({"properties": CHECKER.schema["properties"]})
    assert {name for name in found if not found[name]} == set()
    expected = {key.path.replace("[]", ""): key.description for key in describe.keys()}
    assert {name: text for name, text in found.items() if name not in ("extends", "abstract")} == expected


def test_the_reference_page_has_a_row_for_every_key():
    """Nobody has to read the program to know which keys there are, what they mean and what they default to."""
    rows = reference.page().splitlines()
    for key in describe.keys():
        if key.section and "." not in key.path:
            assert f"## {key.path}" in rows
            continue
        (row,) = [row for row in rows if row.startswith(f"| `{key.path}` |")]
        assert key.description.replace("|", "\\|") in row
        assert "**required**" in row if key.required else f"`{key.default}`" in row or not key.default
        assert len(re.findall(r"(?<!\\)\|", row)) == 5
