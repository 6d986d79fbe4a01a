"""Rules on templates in which anything stands anywhere: they judge or they are silent, they never break."""

from __future__ import annotations

import copy
import itertools

import pytest
from laying import document, good

from generator.linting import pack
from generator.linting.view import View

ODD = [
    None,
    True,
    -1,
    10**400,
    "9" * 5000,
    "²",
    "\ud800",
    "",
    "${",
    [],
    [None],
    {},
    {"Ref": "Nobody"},
    {"Ref": "AWS::NoValue"},
    {"Ref": ["x"]},
    {"Fn::If": ["a", "b", "c"]},
    {"Fn::GetAtt": "Database"},
    {"Fn::Sub": "{{resolve:ssm:/x}}${Database.Endpoint.Address}"},
    [{"Ref": "x"}],
    [[1]],
    {"Name": {"Name": 1}},
]

# Names and zones are nothing that a rule reads; without them the tour takes half as long.
_DULL = ("Tags", "AssumeRolePolicyDocument", "LogConfiguration")


def _places() -> list[tuple]:
    found: dict[tuple, None] = {}

    def visit(value, path):
        if len(path) > 2:
            found[path] = None
        inner = (
            value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
        )
        for key, one in inner:
            if key not in _DULL:
                visit(one, (*path, key))

    visit(good()["Resources"], ("Resources",))
    return list(found)


PLACES = _places()

# Those of E95xx have a tour of their own.
RULES = [rule for rule in pack.all_rules() if rule.id[1:3] != "95"]


def judge(template: dict) -> list:
    view = View(document(template), region="eu-central-1")
    return [finding for rule in RULES for finding in rule.findings(view)]


@pytest.mark.parametrize("part", range(8))
def test_rules_survive_any_value(part):
    """Whatever stands where something else belongs, no rule raises: each place meets an odd value, together
    with two places far away from it."""
    start = part * len(ODD) // 8
    odd = itertools.cycle(ODD[start:] + ODD[:start])
    third = len(PLACES) // 3 + 1
    template = copy.deepcopy(good())
    for number in range(part % 4, third, 4):
        undo = []
        # The later place first: it may be inside of the other.
        for path in PLACES[number::third][::-1]:
            holder = template
            for step in path[:-1]:
                holder = holder[step]
            undo.append((holder, path[-1], holder[path[-1]]))
            holder[path[-1]] = next(odd)
        judge(template)
        for holder, key, value in undo[::-1]:
            holder[key] = value
    assert template == good()


@pytest.mark.parametrize("odd", ODD, ids=lambda odd: repr(odd)[:30])
def test_rules_survive_a_template_of_odd_values(odd):
    """A container's parts, a service's, a rule's: all odd at once."""
    for kind in (
        "ContainerDefinitions",
        "Environment",
        "LoadBalancers",
        "Conditions",
        "DefaultActions",
        "Properties",
    ):
        template = copy.deepcopy(good())
        _replace(template["Resources"], kind, odd)
        judge(template)


@pytest.mark.parametrize(
    "data", [{}, {"Resources": None}, {"Resources": {"A": None}}, {"Resources": []}], ids=repr
)
def test_rules_survive_no_template(data):
    """A document without resources gives no finding of ours and no error."""
    assert judge(data) == []


def _replace(value, kind, odd):
    if isinstance(value, dict):
        for key in value:
            if key == kind:
                value[key] = odd
            else:
                _replace(value[key], kind, odd)
    elif isinstance(value, list):
        for one in value:
            _replace(one, kind, odd)


def _in_doubt(path: tuple, doubt: str) -> dict | None:
    """The good template with a place that may or may not be as it was; None where a function stands there."""
    template = copy.deepcopy(good())
    holder = template
    for step in path[:-1]:
        holder = holder[step]
    if len(holder) == 1 and str(next(iter(holder))).startswith(("Fn::", "Ref")):
        return None
    if doubt == "condition":
        holder[path[-1]] = {"Fn::If": ["Unheard", holder[path[-1]], {"Ref": "AWS::NoValue"}]}
        return template
    if not isinstance(path[-1], str):
        return None
    if doubt == "macro":
        holder.clear()
    else:
        del holder[path[-1]]
    holder["Fn::Transform"] = {"Name": "AWS::Include", "Parameters": {"Location": "s3://snippets/more.yaml"}}
    return template


@pytest.mark.parametrize("doubt", ["condition", "macro", "macro beside others"])
def test_what_may_be_right_is_no_fault(doubt):
    """Where a condition that isn't known may leave a value as it was, or a macro may bring it, rules are silent."""
    templates = {path: _in_doubt(path, doubt) for path in PLACES if len(path) > 3}
    told = {path: {one.rule for one in judge(template)} for path, template in templates.items() if template}
    assert len(told) > 300 and {path: rules for path, rules in told.items() if rules} == {}
