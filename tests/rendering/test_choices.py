"""Whatever params let somebody choose renders, and the linter has nothing to say about it."""

from __future__ import annotations

import itertools
import re
from collections import defaultdict

import pytest
from pydantic import BaseModel

from generator import linting
from generator.document import parse
from generator.keycloak import catalog
from generator.params import describe
from tests.cases import CASES, CHOICES, CHOSEN, ENVIRONMENTS, PROJECT, pairwise, possible

NAMES = sorted([*CASES, *ENVIRONMENTS])

ALLOWED = {
    "W9015": ("keycloak.image.kind: stock builds Keycloak at each start", lambda s: s.keycloak.image.kind == "stock"),
    "W9028": ("keycloak.image.kind: stock with DNS uses the stack `kubernetes`, deprecated from 26.3 on",
              lambda s: s.keycloak.image.kind == "stock" and s.keycloak.discovery == "dns"),
    "W9042": ("keycloak.cluster_encryption: false", lambda s: s.keycloak.cluster_encryption is False),
    "W9066": ("service.tasks: 1 with high_availability: false", lambda s: s.service.tasks == 1),
    "W9068": ("service.deployment: recreate stops all tasks first", lambda s: s.service.deployment == "recreate"),
    "W9103": ("keycloak.features.enabled holds a deprecated feature", lambda s: bool(s.keycloak.features.enabled)),
    "W9130": ("keycloak.version has a known bug of database discovery", lambda s: s.keycloak.discovery == "database"),
    "W9141": ("load_balancer.path_guard: off", lambda s: s.load_balancer.path_guard == "off"),
    "W9152": ("load_balancer.forwarded_for: trust", lambda s: s.load_balancer.forwarded_for == "trust"),
    "W9595": ("the case is larger than 51,200 bytes", lambda s: True),
}
"""Warnings that a choice of params brings with it: which choice, and whether an environment made it."""


@pytest.mark.parametrize("name", NAMES)
def test_a_case_is_lint_clean(name, wholes, findings):
    """No choice, and no two choices together, give a template that cfn-lint or the rules object to; a warning
    follows from a choice that the params made, and says so."""
    settings = wholes[name].settings
    left = [finding for finding in findings[name]
            if finding.rule not in ALLOWED or not ALLOWED[finding.rule][1](settings)]
    assert left == [], CHOSEN.get(name)
    large = len(wholes[name].text.encode()) > 51_200
    assert ("W9595" in [finding.rule for finding in findings[name]]) == large


@pytest.mark.parametrize("name", NAMES)
def test_a_case_reads_well(name, wholes):
    """No trailing blanks, double empty lines, anchors or leftovers of Jinja stand in any rendered template."""
    assert linting.guard_text(wholes[name].text) == []


@pytest.mark.parametrize("name", NAMES)
def test_a_case_refers_to_nothing_that_is_not_there(name, wholes):
    """Every Ref, GetAtt, Sub and DependsOn, in resources and outputs, names a resource of the same template."""
    document = wholes[name].document
    assert document.references(document.data) <= set(document.resources)
    for resource in document.resources.values():
        assert set(resource.depends_on) <= set(document.resources), resource.logical_id


def test_the_check_of_references_sees_a_wrong_one(wholes):
    """A reference that leads nowhere is seen, so the test above can fail."""
    document = parse(wholes["dev"].text.replace("!Ref TaskDefinition", "!Ref TaskDefinitoin"))
    assert document.references(document.data) - set(document.resources) == {"TaskDefinitoin"}


def test_all_pairs_of_choices_are_there():
    """Whatever two values of two choices may stand together stand together in at least one case."""
    singles = [(choice, value) for choice in CHOICES for value in CHOICES[choice]]
    wanted = {pair for pair in itertools.combinations(singles, 2)
              if pair[0][0] != pair[1][0] and possible(dict(pair))}
    there = {pair for case in CHOSEN.values() for pair in itertools.combinations(case.items(), 2)}
    assert wanted <= there
    assert all(possible(case) for case in CHOSEN.values())


def test_the_pairs_take_few_cases():
    """Three choices of two values take four cases, not eight, and a forbidden pair is in none of them."""
    choices = {name: {"yes": {}, "no": {}} for name in "abc"}
    assert len(pairwise(choices, lambda case: True)) == 4
    cases = pairwise(choices, lambda case: not (case.get("a") == case.get("b") == "yes"))
    assert {"a": "yes", "b": "no"}.items() <= cases[0].items()
    assert not any(case["a"] == case["b"] == "yes" for case in cases)


def test_every_version_is_there_with_both_images():
    """Each Keycloak version with a catalog has a case with the stock image and one with an optimized one."""
    for version in catalog.versions():
        for image in ("stock", "optimized"):
            keycloak = CASES[f"v{version.replace('.', '-')}-{image}"]["keycloak"]
            assert (keycloak["version"], keycloak.get("image", {}).get("kind", "stock")) == (version, image)


def _values(model: BaseModel, prefix: str = ""):
    """(dotted key, value) of every key of a settings object, list items without their number."""
    for name in type(model).model_fields:
        value, path = getattr(model, name), f"{prefix}{name}"
        yield path, value
        for inner in value if isinstance(value, list) else [value]:
            if isinstance(inner, BaseModel):
                yield from _values(inner, f"{path}[]." if isinstance(value, list) else f"{path}.")


def test_every_choice_of_the_model_is_taken_by_some_case(wholes):
    """Each value of an enumeration, both booleans, and for whatever may be left out both ways, occur in some case."""
    seen = defaultdict(set)
    for name in CASES:
        for path, value in _values(wholes[name].settings):
            seen[path].add(str(value).lower() if isinstance(value, (str, bool)) else bool(value))
    untried = []
    for key in describe.keys():
        if key.type.startswith("one of ") and key.type.removeprefix("one of ").split(", ")[0].isdigit():
            continue  # days of retention
        if key.type.startswith("one of "):
            untried += [f"{key.path}: {value}" for value in key.type.removeprefix("one of ").split(", ")
                        if value not in seen[key.path]]
        elif key.type == "true or false":
            untried += [f"{key.path}: {value}" for value in ("true", "false") if value not in seen[key.path]]
        elif key.default in ("unset", "[]", "{}"):
            untried += [f"{key.path} left out"] if False not in seen[key.path] else []
            untried += [f"{key.path} given"] if seen[key.path] <= {False} else []
    assert untried == []


TEMPLATES = [PROJECT / "templates" / name for name in ("keycloak.yaml.j2", "outputs.yaml.j2")] + sorted(
    path for folder in ("macros", "resources") for path in (PROJECT / "templates" / folder).rglob("*.j2"))
"""What template.yaml is made from."""


def test_every_resource_type_of_the_templates_occurs(wholes):
    """A resource that a template can make is made by some case, so it was linted above."""
    source = "\n".join(path.read_text("utf-8") for path in TEMPLATES)
    source = source.replace("SecurityGroup{{ permission.direction }}", "SecurityGroupIngress\nType: "
                            "AWS::EC2::SecurityGroupEgress")
    written = set(re.findall(r"Type: (AWS::\w+::\w+)", source))
    made = {resource.type for name in CASES for resource in wholes[name].document.resources.values()}
    assert len(written) > 35
    assert made == written


def test_every_line_of_the_templates_is_written_by_some_case(wholes):
    """No branch of a template goes untried, and a comment for the reviewer stands in the output as it was written."""
    lines = {(f"templates/{path.relative_to(PROJECT / 'templates').as_posix()}", number): line.strip()
             for path in TEMPLATES for number, line in enumerate(path.read_text("utf-8").splitlines(), 1)}
    # What starts with a tag writes what the tag's own lines write.
    expected = {place for place, line in lines.items() if line and not line.startswith(("{{", "{%", "{#"))}
    written = set()
    for name in CASES:
        whole = wholes[name]
        for origin, rendered in zip(whole.hand_over.origins, whole.text.split("\n")):
            place = (origin.template_file, origin.template_line)
            written.add(place)
            if lines[place].startswith("#") and "{{" not in lines[place] and rendered:
                assert rendered.strip() == lines[place]
    assert sorted(expected - written) == []
