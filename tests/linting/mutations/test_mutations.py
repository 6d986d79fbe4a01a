"""Single faults in clean templates: each is caught by the rule that is meant, and by no rule that it doesn't
concern."""

from __future__ import annotations

from collections import Counter

import pytest

from tests.linting.mutations.faulty import PAGE, VARIANTS, clean, edited, faults, found, judged, page

AREAS = ("options", "cluster", "balancer", "ECS", "database", "WAF", "certificates")


@pytest.mark.parametrize("fault", faults(), ids=lambda fault: fault.what)
def test_a_fault_is_caught_by_its_rules_alone(fault):
    """Whoever makes this mistake is told by the rule it is about, and by no other but those that the table
    names with a reason."""
    assert fault.text() != clean(fault.template)
    assert {one.rule for one in found(fault)} == fault.rules


def test_faults_are_of_all_areas():
    """There are at least sixty, some of every area, and no two are the same edit."""
    assert len(faults()) >= 60
    areas = Counter(fault.area for fault in faults())
    assert tuple(areas) == AREAS and min(areas.values()) >= 5
    edits = Counter((fault.template, fault.resource, fault.replace, fault.by) for fault in faults())
    assert max(edits.values()) == 1


@pytest.mark.parametrize("name", ["prod", *VARIANTS])
def test_clean_templates_have_no_error(name):
    """What the faults are put into has no error, and warnings only of what a stock image brings."""
    said = {one.rule for one in judged(clean(name)) if one.severity != "info"}
    assert said <= {"W9015", "W9028"}


def test_an_edit_has_one_place():
    """An edit that would change nothing, or two places, is refused instead of testing something else."""
    for resource, replace in (("Nobody", "x"), ("TaskDefinition", "not there"), ("TaskDefinition", "Value:")):
        with pytest.raises(ValueError):
            edited(clean("prod"), resource, replace, "")
    left = edited(clean("prod"), "TaskInCluster", "", "")
    assert "TaskInCluster" not in left and "  TaskOutCluster:\n" in left


def test_the_page_is_the_table():
    """docs/mutations.md shows these faults with what the rules say now; `python -m tests.linting.mutations`
    writes it."""
    assert PAGE.read_text("utf-8") == page()
