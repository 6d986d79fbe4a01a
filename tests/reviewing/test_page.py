"""The review as a page: it stands by itself, holds everything, and nothing in it acts."""

from __future__ import annotations

import base64
import dataclasses
import datetime
import hashlib
import re
from html.parser import HTMLParser

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from generator import web
from generator.reviewing import differences, report, review
from generator.reviewing.allowances import Allowance
from tests.reviewing.examples import artefact, committed, prod, resource, reviewed, stack_json, template
from tests.reviewing.test_diagram import NASTY, large
from tests.reviewing.test_review_report import HOSTILE

VOID = {"meta", "br"}
TAGS = set(
    "html head meta title style body main h1 h2 h3 h4 p section table caption thead tbody tr th td code span "
    "a br details summary div ul li figure figcaption svg desc path polygon rect text tspan g".split()
)
ATTRIBUTES = set(
    "lang charset http-equiv content name id class href role scope data-label aria-label aria-labelledby "
    "tabindex open xmlns width height viewbox d points x y rx".split()
)


class Page(HTMLParser):
    """A page, read as a browser would: every tag is closed where it should be."""

    def __init__(self, text: str):
        super().__init__(convert_charrefs=True)
        self.stack: list[str] = []
        self.starts: list[tuple[str, dict[str, str | None]]] = []
        self.texts: list[str] = []
        self.raw: list[str] = []
        self.feed(text)
        self.close()
        assert self.stack == []

    def handle_starttag(self, tag, attrs):
        assert len(dict(attrs)) == len(attrs)
        self.starts.append((tag, dict(attrs)))
        if tag not in VOID and not self.get_starttag_text().endswith("/>"):
            self.stack.append(tag)

    def handle_endtag(self, tag):
        if not self.get_starttag_text().endswith("/>") or self.stack and self.stack[-1] == tag:
            assert self.stack.pop() == tag

    def handle_startendtag(self, tag, attrs):
        self.starts.append((tag, dict(attrs)))

    def handle_data(self, data):
        (self.raw if self.stack and self.stack[-1] in ("style", "script") else self.texts).append(data)

    def handle_comment(self, data):
        raise AssertionError(data)

    def handle_decl(self, decl):
        assert decl == "doctype html"

    def handle_pi(self, data):
        raise AssertionError(data)

    @property
    def text(self) -> str:
        return re.sub(r"\s+", " ", " ".join(self.texts))


def assert_stands_alone(text: str) -> Page:
    """Nothing is fetched, run, sent or styled from outside of its one style; ids are there once; no control
    character is left."""
    read = Page(text)
    assert {tag for tag, _ in read.starts} <= TAGS
    assert {key for _, attributes in read.starts for key in attributes} <= ATTRIBUTES
    (style,) = read.raw
    policy = next(
        one["content"] for _, one in read.starts if one.get("http-equiv") == "Content-Security-Policy"
    )
    mark = base64.b64encode(hashlib.sha256(style.encode()).digest()).decode()
    assert policy == f"default-src 'none'; style-src 'sha256-{mark}'; base-uri 'none'; form-action 'none'"
    assert not re.search(r"url\(|@import|expression|</", style)
    ids = [one["id"] for _, one in read.starts if "id" in one]
    assert len(ids) == len(set(ids)) and all(re.fullmatch("[a-z0-9-]+", one) for one in ids)
    for tag, attributes in read.starts:
        assert attributes.get("href", "#")[0] == "#" and attributes.get("href", "#x")[1:] in {*ids, "x"}
        assert tag != "th" or attributes["scope"] in ("col", "row")
        for name in (attributes.get("aria-labelledby") or "").split():
            assert name in ids
    assert all(character == "\n" or character.isprintable() or character > "\x9f" for character in text)
    return read


class TestWhole:
    def test_everything_is_told(self):
        """Hazards with how to allow them, consequences, each property before and after, a picture."""
        found = large()
        read = assert_stands_alone(report.html([found]))
        for hazard in found.refused:
            assert hazard.text in read.text and f"--allow {hazard.path}" in read.text
        for one in found.consequences:
            assert one.text in read.text and one.do in read.text
        for effect in found.effects:
            assert effect.logical_id in read.text and effect.type in read.text
            for change in effect.change.changes if effect.change else ():
                assert change.name in read.text
                for value in (change.before, change.after):
                    assert value is None or re.sub(r"\s+", " ", value) in read.text
        assert sum(tag == "svg" for tag, _ in read.starts) == 1

    def test_the_gravest_first(self):
        """A summary leads to each environment; what is lost stands open, what is harmless is folded."""
        found = large()
        text = report.html(
            [found, dataclasses.replace(prod(("RetentionInDays: 90", "RetentionInDays: 91")), name="b")]
        )
        order = [
            "<h1>",
            "<table",
            'href="#environment0"',
            'href="#environment1"',
            "Not allowed yet",
            "<svg",
            "Keycloak</h3>",
            "made anew</summary>",
            "changed in place</summary>",
            'id="environment1"',
        ]
        places = [text.index(one) for one in order]
        assert places == sorted(places)
        opened = {
            name: bool(state) for state, name in re.findall(r"<details( open|)><summary>\d+ ([^<]+)<", text)
        }
        assert opened["made anew"] and opened["deleted"]
        assert not opened["changed in place"] and not opened["new"]

    def test_leave(self):
        """Who allowed what is told with reason and day; what is allowed for nothing too."""
        leave = [
            Allowance("Database", "prod", "moves to <b>", datetime.date(2999, 1, 31), "allowances.yaml:2"),
            Allowance("Nothing", "prod", "x", datetime.date(2999, 1, 31), "allowances.yaml:3"),
        ]
        read = assert_stands_alone(
            report.html([prod(('DBName: "keycloak"', "DBName: kc"), allowances=leave)])
        )
        assert (
            "allowances.yaml:2: moves to <b>, until 2999-01-31" in read.text
            and "Not allowed yet" not in read.text
        )
        assert "the allowance for Nothing allows nothing that happens here" in read.text

    def test_nothing(self):
        """No change is said in a line, and nothing is marked."""
        read = assert_stands_alone(report.html([]))
        assert "Nothing under rendered/ changed." in read.text and "environment" not in read.text
        same = assert_stands_alone(report.html([prod()]))
        assert "nothing changes" in same.text and "Every change" not in same.text

    def test_new_and_gone(self):
        """A new environment and one that is gone have their parts; the latter no picture."""
        side = artefact(committed("dev"), stack_json("dev"), "dev")
        read = assert_stands_alone(report.html([review(None, side), review(side, None)]))
        assert "deletes nothing" in read.text and sum(tag == "svg" for tag, _ in read.starts) == 1

    def test_two_environments(self):
        """Differences are told without effects, and nobody's leave is asked."""
        sides = [artefact(committed(name), stack_json(name), name) for name in ("dev", "prod")]
        read = assert_stands_alone(report.html([differences(*sides)]))
        assert "only in prod" in read.text and "MultiAZ" in read.text and "not asked" in read.text
        assert "not allowed" not in read.text.lower()

    def test_beside_the_resources(self):
        """Outputs, the stack's settings and other files are told as well."""
        before = artefact(committed("dev"), '{"termination_protection": true}', image=b"1")
        after = artefact(
            committed("dev").replace("Outputs:\n", "Outputs:\n  More: {Value: more}\n"), "{}", image=b"2"
        )
        read = assert_stands_alone(report.html([review(before, after)]))
        for word in (
            "Outputs",
            "More",
            "stack settings",
            "termination_protection",
            "Other files that changed: image",
        ):
            assert word in read.text

    def test_secrets_stay_hidden(self):
        """What the text hides, the page hides."""
        sides = [
            template(A=resource("AWS::RDS::DBInstance", {"MasterUserPassword": word}))
            for word in ("one-1", "two-2")
        ]
        text = report.html([reviewed(*sides)])
        assert "one-1" not in text and "two-2" not in text and "(hidden)" in text

    def test_long_values_are_cut(self):
        """A value that nobody reads to its end doesn't fill the page."""
        sides = [template(A=resource("AWS::SNS::Topic", {"Name": letter * 90_000})) for letter in "ab"]
        text = report.html([reviewed(*sides)])
        assert len(text) < 30_000 and "90,000 characters" in text

    def test_the_same_every_time(self):
        """The same review gives the same page, without a word of when or where."""
        found = large()
        assert report.html([found]) == report.html([found])

    def test_for_every_reader(self):
        """Light and dark, paper and narrow screens have their rules; what scrolls is reached by keyboard."""
        text = report.html([large()])
        for rule in ("prefers-color-scheme: dark", "@media print", "@media (max-width", "focus-visible"):
            assert rule in text
        assert re.search(r'class="scroll" tabindex="0" role="region" aria-label="Diagram of prod"', text)


class TestHostile:
    def test_known_tricks(self):
        """Markup, control characters and what changes the direction of writing are shown, not obeyed."""
        one = template(Here=resource("AWS::SNS::Topic", {"Name": "a"}), **{HOSTILE: resource(HOSTILE)})
        other = template(Here=resource("AWS::SNS::Topic", {"Name": HOSTILE, HOSTILE: HOSTILE}))
        leave = [Allowance("Here", "prod", HOSTILE, datetime.date(2999, 1, 1), HOSTILE)]
        found = dataclasses.replace(reviewed(one, other, allowances=leave), name=HOSTILE)
        text = report.html([found])
        read = assert_stands_alone(text)
        assert "<script>alert(1)</script>" in read.text and "\\x1b[2J" in read.text
        assert "<script" not in text and "\u202e" not in text and "\u200b" not in text

    @given(st.lists(NASTY, min_size=4, max_size=4))
    @settings(max_examples=40)
    def test_anything(self, words):
        """Whatever an input says, wherever it says it: the page stays what it is."""
        name, type_, value, reason = words
        one = template(T=resource(type_), **{f"{name}1": resource(type_, {"Name": value})})
        other = template(T=resource(type_, {value: name, "Tags": [{"Key": name, "Value": value}]}))
        leave = [Allowance(name, "prod", reason, datetime.date(2999, 1, 1), value)]
        found = dataclasses.replace(reviewed(one, other, allowances=leave), name=value)
        assert_stands_alone(report.html([found]))


@pytest.mark.parametrize("scheme", [0, 1])
def test_colours_stand_out(scheme):
    """Text has a contrast of at least 4.5 to 1 and lines of 3 to 1, in light and in dark (WCAG 2.2)."""
    colours = dict(re.findall(r"--(\w+): #(\w{6})", re.findall(r":root \{([^}]*)\}", web.COLOURS)[scheme]))

    def light(colour: str) -> float:
        parts = [int(colour[place : place + 2], 16) / 255 for place in (0, 2, 4)]
        linear = [part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in parts]
        return sum(part * share for part, share in zip(linear, (0.2126, 0.7152, 0.0722)))

    def contrast(one: str, other: str) -> float:
        low, high = sorted((light(colours[one]), light(colours[other])))
        return (high + 0.05) / (low + 0.05)

    for name in ("ink", "dim", "good", "bad", "warn", "calm"):
        assert min(contrast(name, "paper"), contrast(name, "soft")) >= 4.5, name
    assert contrast("line", "paper") >= 3
