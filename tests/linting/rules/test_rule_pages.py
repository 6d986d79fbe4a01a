"""Each rule's page: it says what, why and for which versions, and its examples do what they say."""

from __future__ import annotations

import re

import pytest
from laying import REGION, TEXT, laid, viewed

from generator.document import parse
from generator.linting import pack
from generator.linting.view import View

RULES = [one for one in pack.all_rules() if one.id[1:3] != "95"]
EXAMPLES = [
    pytest.param(rule, example, id=f"{rule.id} {'bad' if example.bad else 'good'} {example.title}".strip())
    for rule in RULES
    for example in rule.examples()
]


@pytest.mark.parametrize(("rule", "example"), EXAMPLES)
def test_an_example_does_what_it_says(rule, example):
    """A bad example of a rule's page gives a finding of that rule, a good one gives none."""
    found = list(rule.findings(viewed(laid(example.text))))
    assert bool(found) == example.bad, found


@pytest.mark.parametrize(("rule", "example"), [one for one in EXAMPLES if one.values[1].bad])
def test_a_finding_has_a_place_and_says_what_to_do(rule, example):
    """A finding stands at something that is written, in one line that isn't a page, with a fix."""
    view = viewed(laid(example.text))
    for finding in rule.findings(view):
        value = view.document.data
        for step in finding.path:
            value = value[step]
        assert finding.line > 1
        assert finding.fix and "\n" not in finding.fix + finding.message
        assert not finding.message.endswith(".") and not finding.fix.endswith(".")
        assert len(finding.message) < 400


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule.id)
def test_a_rule_has_a_page(rule):
    """Each has an id of its own range, a short sentence, a source, a reason and both kinds of example."""
    assert re.fullmatch(r"[EWI]9[01]\d\d", rule.id)
    assert rule.shortdesc and not rule.shortdesc.endswith(".") and len(rule.shortdesc) <= 90
    assert rule.source_url.startswith("https://") and rule.versions
    assert len(rule.text().split("\n\n")) >= 3
    assert {example.bad for example in rule.examples()} == {True, False}


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule.id)
def test_a_rule_has_a_file_of_its_own(rule):
    """A rule is found by its id: the file is called after it and holds no other rule."""
    module = type(rule).__module__.rpartition(".")[2]
    assert module.startswith(f"{rule.id.lower()}_")
    assert [one.id for one in RULES if type(one).__module__ == type(rule).__module__] == [rule.id]


def test_the_good_template_is_good():
    """The template that the examples change gives no finding at all, so what a test sees is the example's
    doing."""
    assert pack.run(View(parse(TEXT), region=REGION)) == []
