"""Our own checks: each finds its mistake, at its place, and leaves alone what is right."""

from __future__ import annotations

import pytest
from bending import GOOD_TEXT, REGION, bent, needed_for, written
from check_cases import BAD, GOOD_CASES

from generator.document import Document, parse
from generator.linting import checks, linter

CHECKS = {check.id: check for check in checks.all_checks()}


def findings(check: str, changes: dict) -> list:
    return list(CHECKS[check].findings(parse(written(bent(changes)))))


def path_of(where: str) -> tuple:
    """The finding's path for a place written as in the cases."""
    logical_id, _, rest = where.partition(".")
    if not logical_id:
        return ()
    steps = tuple(int(step) if step.isdigit() else step for step in rest.split(".") if step)
    return ("Resources", logical_id, *(("Properties", *steps) if "." in where else ()))


BAD_CASES = [pytest.param(*case, id=f"{case[0]} {case[1]}") for case in BAD]


@pytest.mark.parametrize(("check", "phrase", "changes", "where", "words"), BAD_CASES)
def test_a_check_finds_its_mistake_where_it_is(check, phrase, changes, where, words):
    """One mistake gives one finding: at the value, in its line, in words that name it."""
    text = written(bent(changes))
    found = findings(check, changes)
    assert len(found) == 1
    (finding,) = found
    assert words in f"{finding.message} {finding.fix}"
    assert finding.path == path_of(where)
    assert finding.line == parse(text).line(finding.path)


@pytest.mark.parametrize(("check", "phrase", "changes", "where", "words"), BAD_CASES)
def test_cfn_lint_alone_accepts_the_mistake(check, phrase, changes, where, words):
    """A check is ours for as long as cfn-lint says nothing there; when it does, the check can go."""
    template = bent(changes)
    touched = {change.partition(".")[0].partition("@")[0] for change in changes} | {path_of(where)[1]} if where else set()
    said = linter.run(written(needed_for(template, touched) if where else template), REGION)
    path = path_of(where)
    assert [finding for finding in said if finding.path[: len(path)] == path] == []


@pytest.mark.parametrize(
    ("check", "phrase", "changes"), [pytest.param(*case, id=f"{case[0]} {case[1]}") for case in GOOD_CASES]
)
def test_a_check_leaves_alone_what_is_right(check, phrase, changes):
    """What looks like the mistake and is none, or can't be judged, gives no finding."""
    assert findings(check, changes) == []


def test_the_good_template_is_good():
    """Neither cfn-lint nor any of our checks objects to the template that the cases bend."""
    assert linter.run(GOOD_TEXT, REGION) == []
    assert checks.run(parse(GOOD_TEXT)) == []


def test_every_check_has_a_bad_case():
    """No check is without a mistake that it finds."""
    assert {case[0] for case in BAD} == set(CHECKS)


@pytest.mark.parametrize("check", CHECKS.values(), ids=CHECKS)
def test_a_check_says_what_and_why(check):
    """Each has an id of the range kept for it, a line on what, a reason, and AWS's page."""
    assert check.id[0] in "EW" and check.id[1:3] == "95" and len(check.id) == 5
    assert check.shortdesc and not check.shortdesc.endswith(".")
    assert type(check).__doc__
    assert check.source_url.startswith("https://docs.aws.amazon.com/")


def test_two_checks_of_one_id_are_refused(monkeypatch):
    """An id means one check: a second is an error at once, not a rule that nobody can ignore alone."""
    kind = type(CHECKS["E9501"])
    monkeypatch.setattr(checks.Check, "kinds", [kind, kind])
    with pytest.raises(ValueError, match="E9501"):
        checks.all_checks.__wrapped__()


ODD = [None, True, -1, "", "x", [], [None], {}, {"Ref": "Nobody"}, {"Fn::If": ["a", "b", "c"]}, [{"Ref": "x"}], [[1]]]


@pytest.mark.parametrize("odd", ODD, ids=repr)
def test_checks_survive_any_value(odd):
    """Whatever stands where something else belongs, a check judges it or leaves it: it never breaks."""
    template = bent({})
    leaves = Document("", "", template, {}).leaves(("Resources",))
    places = dict.fromkeys(path[:end] for path, _ in leaves for end in range(3, len(path) + 1))
    for *steps, last in list(places):
        holder = template
        for step in steps:
            holder = holder[step]
        before, holder[last] = holder[last], odd
        checks.run(Document("", "", template, {}))
        holder[last] = before
