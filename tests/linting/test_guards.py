"""Guards: what our rendered text never has, found at its line; and what only looks like it, left alone."""

from __future__ import annotations

import pytest
from bending import GOOD_TEXT

from generator.linting import guard_text
from generator.linting.guards import TITLES


def places(text: str) -> list[tuple[str, int, int]]:
    return [(finding.rule, finding.line, finding.column) for finding in guard_text(text)]


@pytest.mark.parametrize(
    ("text", "found"),
    [
        pytest.param("a: 1 \n", [("E9901", 1, 5)], id="a blank at the end"),
        pytest.param("a: 1\n  \nb: 2\n", [("E9901", 2, 1)], id="a line of blanks"),
        pytest.param("a: 1\n\n\nb: 2\n", [("E9902", 3, 1)], id="two empty lines"),
        pytest.param("a: 1\n\n\n\nb: 2\n", [("E9902", 3, 1), ("E9902", 4, 1)], id="three empty lines"),
        pytest.param("a: 1", [("E9903", 1, 5)], id="no newline at the end"),
        pytest.param("a: 1\nb: 2", [("E9903", 2, 5)], id="no newline at the end of the last line"),
        pytest.param("a: 1\n\n", [("E9903", 2, 1)], id="an empty line at the end"),
        pytest.param("", [("E9903", 1, 1)], id="no text"),
        pytest.param("\n", [("E9903", 1, 1)], id="an empty line"),
        pytest.param("a: 'x\ty'\n", [("E9904", 1, 6)], id="a tab"),
        pytest.param("a: '{{ env }}'\n", [("E9905", 1, 5)], id="a print statement"),
        pytest.param("a: '{{ x }}{{ y }}'\n", [("E9905", 1, 5), ("E9905", 1, 12)], id="two print statements"),
        pytest.param("a: '{{ resolve:x }}'\n", [("E9905", 1, 5)], id="nearly a dynamic reference"),
        pytest.param("a: 1 # {% if x %}\n", [("E9906", 1, 8), ("E9906", 1, 16)], id="a statement"),
        pytest.param("a: 1 # {# x #}\n", [("E9906", 1, 8), ("E9906", 1, 13)], id="a comment"),
        pytest.param("a: &x 1\n", [("E9907", 1, 4)], id="an anchor"),
        pytest.param("a: &x [1]\nb:\n  - *x\n", [("E9907", 1, 4), ("E9907", 3, 5)], id="an alias"),
        pytest.param("a: 1\r\n", [("E9908", 1, 5)], id="a carriage return"),
    ],
)
def test_a_guard_finds_it_at_its_place(text, found):
    """Each finding is an error at the line and column of what has to go."""
    assert places(text) == found
    for finding in guard_text(text, "rendered/prod/template.yaml"):
        assert (finding.severity, finding.file) == ("error", "rendered/prod/template.yaml")
        assert finding.title == TITLES[finding.rule]


@pytest.mark.parametrize(
    "text",
    [
        pytest.param("a: 1\n", id="one line"),
        pytest.param("a: 1\n\nb: 2\n", id="one empty line"),
        pytest.param("\na: 1\n", id="an empty line first"),
        pytest.param("a: '{{resolve:secretsmanager:sso:SecretString:password}}'\n", id="a dynamic reference"),
        pytest.param("a: !Sub '${AWS::Region}'\n", id="a substitution"),
        pytest.param("a: {b: {c: 1}}\n", id="mappings in one line"),
        pytest.param("a: ['*', \"&x\", a&b, a*b]\n", id="signs that are no anchors"),
        pytest.param("a: /realms/* # &x and *y\n", id="signs in a path and in a comment"),
        pytest.param("a: |\n  *x &y\n", id="signs in a block"),
        pytest.param("a: b & c\n", id="a sign between blanks"),
        pytest.param("a: [ &\n", id="broken YAML is the linter's"),
        pytest.param(GOOD_TEXT, id="a whole template"),
    ],
)
def test_a_guard_leaves_alone_what_is_clean(text):
    """Nothing is found where there is nothing to mend."""
    assert guard_text(text) == []


def test_findings_stand_in_the_order_of_their_lines():
    """Whatever was looked for first, a reader goes from top to bottom."""
    text = "a: &x 1\nb: 2 \n\n\nc: '{{ x }}'\n"
    assert [finding.line for finding in guard_text(text)] == [1, 2, 4, 5]
