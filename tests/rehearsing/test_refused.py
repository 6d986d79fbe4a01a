"""Templates that can't be rehearsed, and odd ones: reasons, never a crash."""

from __future__ import annotations

import copy
import json
import random
from pathlib import Path
from typing import Any

import pytest
import yaml

from generator.document import Document, parse
from generator.rehearsing.reading import NotRehearsable, read
from generator.rehearsing.show import describe
from tests.rehearsing.foreign import (
    FOREIGN,
    PARAMETERS,
    changed,
    document,
    line,
    problems,
)

CASES = yaml.safe_load(Path(__file__).with_name("refused.yaml").read_text("utf-8"))


@pytest.mark.parametrize("case", CASES, ids=[case["case"] for case in CASES])
def test_refused(case: dict[str, str]):
    """What can't be rehearsed says why, where, and what to do."""
    name = case["template"]
    said = problems(changed(name, case["replace"], case["by"]), parameters=PARAMETERS.get(name))
    assert any(case["says"] in one for one in said), said
    assert all(one.startswith(f"{name}:") for one in said)


def test_every_reason_at_once():
    """All reasons of one step are told together, in the order of their lines."""
    found = changed("sidecar.yaml", "Image: nginx", 'Image: "nginx; rm"')
    found = parse(
        found.text.replace("Name: BUCKET", 'Name: "A=B"').replace('User: "1000:0"', 'User: "1000; 0"'), "x"
    )
    said = problems(found)
    assert [one.split(":")[1] for one in said] == [
        str(line(found, text)) for text in ("A=B", "nginx; rm", "1000; 0")
    ]


def test_parameter_that_is_not_there():
    """A parameter the template doesn't have is a mistake, not silently nothing."""
    (said,) = problems(document("aurora.yaml"), parameters={"VpcCdir": "10.0.0.0/16"})
    assert said.startswith("aurora.yaml: there is no parameter or export VpcCdir (look for the name in")


def test_nested_stacks():
    """A template of nested stacks says which template to take."""
    found = parse(
        'Resources: {Child: {Type: "AWS::CloudFormation::Stack", Properties: {TemplateURL: x}}}', "x"
    )
    assert problems(found) == [
        "x:1: there is no ECS service, but nested stacks (rehearse the template of the nested stack)"
    ]


def test_empty_template():
    """A template without resources is refused with a sentence too."""
    assert problems(parse("Resources: {}", "x")) == [
        "x:1: there is no ECS service (rehearse a template that holds an AWS::ECS::Service)"
    ]


ODD = (
    None, "", 5, -1, True, [], {}, "\x00", "a\nb", "{{resolve:ssm:/x}}", {"Ref": "Nope"}, {"Ref": "Service"},
    {"Fn::If": ["x", 1, 2]}, {"Fn::Sub": "${}${A.B}"}, [[1]], {"Fn::GetAtt": ["Service", "x"]},
    {"Ref": "AWS::NoValue"}, {"Fn::ImportValue": "e"}, {"a": {"b": 1}}, "10.0.0.0/33",
    99999999999, "$(x)", "${x}", "é", " ",
)  # fmt: skip


def test_odd_values_are_read_or_refused():
    """Whatever stands anywhere in a template, it becomes a topology without control characters or a list of
    reasons."""
    chance = random.Random(20)
    places = [
        (name, path)
        for name in FOREIGN
        for path in _paths(document(name).data.get("Resources"), ("Resources",))
    ]
    for name, path in chance.sample(places, 120):
        data = copy.deepcopy(document(name).data)
        around = data
        for step in path[:-1]:
            around = around[step]
        around[path[-1]] = chance.choice(ODD)
        bent = Document(name, document(name).text, data, document(name).spans)
        try:
            topology = read(bent, "bent", file=name, parameters=PARAMETERS.get(name))
        except NotRehearsable as error:
            assert error.problems
        else:
            assert "\\x00" not in repr(topology), (name, path)
            json.dumps(describe(topology))


def _paths(value: Any, path: tuple[Any, ...]) -> list[tuple[Any, ...]]:
    """Every place below `value`."""
    steps = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    return [one for step, inner in steps for one in ((*path, step), *_paths(inner, (*path, step)))]
