"""The forms of a report, and what they make of hostile text."""

from __future__ import annotations

import json
import re

import pytest

from generator.reviewing import differences, report
from generator.showing import escaping
from tests.reviewing.examples import artefact, committed, prod, resource, reviewed, stack_json, template

HOSTILE = (
    "\x1b[2J\x07<script>alert(1)</script>|`x`[a](javascript:1)@team #1 **b**"
    "\u202e\u200b\n## head\r$(x) www.e.com"
)


def whole(found) -> dict[str, str]:
    return {
        "text": "\n".join(line for _, line in report.text_lines(found)),
        "markdown": report.markdown([found]),
        "json": json.dumps(report.as_data(found)),
    }


def test_the_gravest_comes_first():
    """What isn't allowed, then what it means, then the resources from lost to unchanged."""
    lines = [
        line
        for _, line in report.text_lines(
            prod(
                ('DBName: "keycloak"', "DBName: kc"),
                ('Cpu: "2048"', "Cpu: 4096"),
                ("RetentionInDays: 90", "RetentionInDays: 91"),
            )
        )
    ]
    order = [
        "prod: 1 made anew, 1 new revision",
        "Not allowed yet",
        "Keycloak",
        "Resources made anew",
        "Resources new revision",
        "Resources changed in place",
    ]
    places = [next(number for number, line in enumerate(lines) if line.startswith(one)) for one in order]
    assert places == sorted(places)


def test_every_form_tells_the_same():
    """Resources, values, consequences and hazards are in all three."""
    found = prod(('DBName: "keycloak"', "DBName: kc"))
    for text in whole(found).values():
        for word in ("Database", "DBName", "kc", "realms, users, keys and sessions", "snapshot"):
            assert word in text
    data = report.as_data(found)
    assert data["refused"] is True and data["hazards"][0]["path"] == "Database"
    (change,) = data["resources"][0]["changes"]
    assert (change["before"], change["after"]) == ("keycloak", "kc") and change["before_line"] == change[
        "after_line"
    ]


def test_nothing():
    """No change is said in a line."""
    found = reviewed(committed("dev"), committed("dev"))
    assert "nothing changes" in whole(found)["text"] and not found.changed
    assert "Nothing under rendered/ changed." in report.markdown([])


def test_two_environments():
    """What comes from an environment's own name isn't told; what was decided otherwise is."""
    sides = [artefact(committed(name), stack_json(name), name) for name in ("dev", "prod")]
    text = whole(differences(*sides))["text"]
    assert "MultiAZ" in text and "CidrBlock" in text
    assert "keycloak-dev" not in text.replace("rendered/dev", "") and "Tags[Environment]" not in text


def test_a_picture_has_its_place():
    """A figure of an environment stands in its part of the Markdown."""
    found = prod(('Cpu: "2048"', "Cpu: 4096"))
    text = report.markdown([found], {found.name: "```mermaid\nflowchart\n```"})
    assert text.index("### prod") < text.index("```mermaid") < text.index("<details>")


class TestHostile:
    def found(self):
        one = template(Here=resource("AWS::SNS::Topic", {"Name": "a"}), **{HOSTILE: resource(HOSTILE)})
        other = template(
            Here=resource(
                "AWS::SNS::Topic",
                {"Name": HOSTILE, HOSTILE: HOSTILE, "Tags": [{"Key": HOSTILE, "Value": HOSTILE}]},
            )
        )
        return reviewed(one, other)

    def test_terminal(self):
        """No control character, no change of direction and no line break gets to a terminal."""
        for _, line in report.text_lines(self.found()):
            assert line.isprintable()
        assert "\\x1b[2J" in whole(self.found())["text"]

    def test_markdown(self):
        """No markup, link, mention, cell or HTML of an input's acts."""
        text = report.markdown([self.found()])
        assert "\x1b" not in text and "\u202e" not in text and "<script" not in text
        assert not re.search(r"@team|\[a\]|javascript:|`x`|\*\*b|^## head|www\.e", text, re.MULTILINE)
        allowed = r"</?(code|details|summary)>"
        assert "<" not in re.sub(allowed, "", text)
        for row in re.findall(r"^\| .* \|$", text, re.MULTILINE):
            assert row.count("|") in (3, 5)

    def test_json(self):
        """JSON holds the value as it is, escaped as JSON is."""
        text = whole(self.found())["json"]
        assert "\x1b" not in text and "\\u001b" in text
        assert json.loads(text)

    @pytest.mark.parametrize("escape", [escaping.markdown, escaping.html, escaping.mermaid, escaping.code])
    def test_for_pictures_and_pages(self, escape):
        """What is put into HTML, SVG or Mermaid opens no tag, quote or statement."""
        text = escape(HOSTILE + "\"'];end")
        assert "<script" not in text and "\x1b" not in text and '"' not in text and "\n" not in text

    def test_plain_text_is_left_alone(self):
        """Ordinary text, letters of any language too, is shown as it is."""
        for text in ("db.m7g.large -> db.m7g.xlarge", "Größe 東京 ✓", 'a_b[c]="d"'):
            assert escaping.plain(text) == text


def test_long_values_are_cut():
    """A value of many characters is cut in text and Markdown, with its length, and whole in JSON."""
    long = "x" * 5000
    found = reviewed(
        template(A=resource("AWS::SNS::Topic", {"Name": "a"})),
        template(A=resource("AWS::SNS::Topic", {"Name": long})),
    )
    told = whole(found)
    assert long not in told["text"] and "5,000 characters" in told["text"] and long in told["json"]
