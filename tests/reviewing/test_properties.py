"""What holds of any two templates: tried with variants of the project's own cases."""

from __future__ import annotations

import itertools
import json
import random

import pytest

from generator.document import parse
from generator.reviewing import review
from generator.reviewing.changes import Side, compare
from generator.reviewing.report import as_data, markdown, text_lines
from tests.reviewing.examples import artefact, committed

SAMPLE = (
    "choices-01",
    "choices-05",
    "choices-09",
    "choices-14",
    "v26-7-4-optimized",
    "v24-0-5-stock",
    "government",
)
PAIRS = list(itertools.islice(itertools.combinations(SAMPLE, 2), 0, None, 3))
BAGS = {
    "Environment",
    "Tags",
    "Secrets",
    "Subnets",
    "SubnetIds",
    "SecurityGroups",
    "Action",
    "Statement",
    "PortMappings",
    "LoadBalancerAttributes",
    "TargetGroupAttributes",
    "Values",
    "Conditions",
    "Dimensions",
    "DependsOn",
    "Resource",
}


@pytest.fixture(scope="module")
def documents(wholes):
    return {name: wholes[name].document for name in SAMPLE}


def flat(changes):
    """Everything told, as (resource, path, before, after)."""
    return {
        (one.logical_id, change.path, change.before, change.after)
        for one in (*changes.resources, *changes.sections)
        for change in one.changes
    } | {(one.logical_id, one.kind, one.type, one.type) for one in changes.resources if not one.changes}


def turned(told):
    """The same seen from the other side."""
    kinds = {"added": "removed", "removed": "added"}
    return {
        (name, kinds.get(path, path), after, before) if isinstance(path, str) else (name, path, after, before)
        for name, path, before, after in told
    }


def shuffled(value, chance: random.Random, name: str = ""):
    """The same template with its mappings, and lists whose order says nothing, in another order."""
    if isinstance(value, dict):
        items = [(key, shuffled(inner, chance, key)) for key, inner in value.items()]
        chance.shuffle(items)
        return dict(items)
    if isinstance(value, list):
        items = [shuffled(inner, chance) for inner in value]
        if name in BAGS:
            chance.shuffle(items)
        return items
    return value


def restated(value):
    """The same template in other forms: Ref as Sub, numbers and booleans as text."""
    if isinstance(value, dict):
        if set(value) == {"Ref"} and not value["Ref"].startswith("AWS::NoValue"):
            return {"Fn::Sub": f"${{{value['Ref']}}}"}
        if set(value) == {"Fn::GetAtt"}:
            return {"Fn::GetAtt": ".".join(value["Fn::GetAtt"])}
        return {key: restated(inner) for key, inner in value.items()}
    if isinstance(value, list):
        return [restated(inner) for inner in value]
    return json.dumps(value) if isinstance(value, (bool, int)) else value


@pytest.mark.parametrize("name", SAMPLE)
def test_identity(documents, name):
    """A template doesn't differ from itself."""
    assert not compare(*(Side.of(documents[name]) for _ in range(2)))


@pytest.mark.parametrize("name", SAMPLE)
def test_order_and_form(documents, name):
    """However it is ordered and written, it is the same template."""
    data = documents[name].data
    for other in (
        shuffled(data, random.Random(7)),
        restated({**data, "Description": ""}) | {"Description": data["Description"]},
    ):
        assert not compare(Side.of(documents[name]), Side.of(parse(json.dumps(other))))


@pytest.mark.parametrize("pair", PAIRS, ids="-".join)
def test_symmetry(documents, pair):
    """What came from one side went from the other, with the same values."""
    one, other = (Side.of(documents[name]) for name in pair)
    there, back = flat(compare(one, other)), flat(compare(other, one))
    assert there and there == turned(back)


@pytest.mark.parametrize("pair", PAIRS[:4], ids="-".join)
def test_order_changes_no_difference(documents, pair):
    """Two templates differ in the same things in any order."""
    one, other = (documents[name] for name in pair)
    mixed = parse(json.dumps(shuffled(other.data, random.Random(3))))
    assert flat(compare(Side.of(one), Side.of(mixed))) == flat(compare(Side.of(one), Side.of(other)))


@pytest.mark.parametrize("pair", PAIRS, ids="-".join)
def test_a_whole_review(documents, pair):
    """Any step can be reviewed and told, in either direction; a loss is never without a hazard."""
    for names in (pair, pair[::-1]):
        found = review(*(artefact(documents[name].text) for name in names))
        assert list(text_lines(found)) and markdown([found]) and json.dumps(as_data(found))
        named = {one.logical_id for one in found.hazards}
        assert {one.logical_id for one in found.effects if one.loses} <= named


def test_what_can_be_changed_is_noticed():
    """Every value of a template that is changed is told, under its resource and with its line."""
    text = committed("dev")
    document = parse(text)
    chance = random.Random(11)
    leaves = [
        (path, value)
        for path, value in document.leaves(("Resources",))
        if len(path) > 3
        and path[2] == "Properties"
        and "Ref" not in path
        and isinstance(value, (str, int))
        and not any(str(step).startswith("Fn::") for step in path)
    ]
    for path, value in chance.sample(leaves, 60):
        data = json.loads(json.dumps(document.data))
        place = data
        for step in path[:-1]:
            place = place[step]
        place[path[-1]] = not value if isinstance(value, bool) else f"{value}9"
        (found,) = compare(Side.of(document), Side.of(parse(json.dumps(data)))).resources
        assert found.logical_id == path[1] and found.changes
        # A list is told as a whole where its order counts.
        nearest = min(abs(one.before_line - document.line(path)) for one in found.changes)
        assert nearest <= 12
