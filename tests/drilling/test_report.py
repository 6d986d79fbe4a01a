"""The report in all its forms: what it says, and that nothing in it is taken for markup."""

from __future__ import annotations

import json
import re
from dataclasses import replace
from xml.etree import ElementTree

import pytest

from generator.drilling import page, report
from generator.drilling.promises import (
    BROKEN,
    KEPT,
    NOT_RUN,
    Cause,
    Figure,
    Members,
    Moment,
    Promise,
    Report,
    Sample,
    StepReport,
    Timeline,
    judged,
    number,
)
from generator.drilling.timeline import clock, picture

NASTY = 'a <b>&"bold"</b> | `code` [x](y) *z* ]]>'

STEPS = (
    StepReport(
        "discovery",
        "Discovery",
        "Looks.",
        1000.0,
        1010.0,
        (
            Promise(
                "discovery.view",
                "Every task sees every other",
                KEPT,
                figures=(Figure("time", 12.34, "s"),),
                evidence=("ISPN000094: ...",),
            ),
        ),
    ),
    StepReport(
        "failover",
        "A node is killed",
        "Kills.",
        1010.0,
        1100.0,
        (
            Promise(
                "failover.view",
                "The others notice at once",
                BROKEN,
                f"they needed 45.1 s {NASTY}",
                (Figure("time to the new view", 45.1, "s", 3.0),),
                (f"line one {NASTY}", "line two ``` fence"),
                (Cause("port 57800 is closed between tasks", 405, "permit TCP 57800"), Cause("unknown")),
            ),
            Promise("failover.outage", "Clients are served again", NOT_RUN, "the step ended before"),
        ),
    ),
)

TIMELINE = Timeline(
    (
        Moment(1020.0, "loss", f"keycloak-1 killed {NASTY}", "keycloak-1"),
        Moment(1021.0, "view", "view of 1", "keycloak-2"),
        Moment(1060.0, "recovery", "whole again"),
        Moment(990.0, "note", "before"),
    ),
    tuple(
        Sample(
            1015.0 + 0.2 * count,
            0.02 if count % 7 else 9.0,
            "document",
            "HTTP 502" if 25 < count < 35 else "",
        )
        for count in range(300)
    ),
    tuple(
        Members(
            1010.0 + count,
            (
                ("keycloak-1", "healthy" if count < 10 else "stopping"),
                ("keycloak-2", "healthy"),
                (f"k{NASTY}", "starting"),
            )[: 3 if 20 < count < 60 else 2],
        )
        for count in range(90)
    ),
)

REPORT = Report("dev", "rendered/dev/template.yaml", "26.7.4", True, 1000.0, 1100.0, STEPS, TIMELINE)


def test_a_report_is_kept_only_if_nothing_is_broken_and_something_was_proved():
    """A drill that was stopped, or that could try nothing, keeps nothing."""
    good = replace(REPORT, steps=STEPS[:1])
    assert good.kept and not REPORT.kept
    assert not replace(good, interrupted=True).kept and not replace(good, steps=()).kept
    assert not replace(good, steps=(replace(STEPS[0], promises=(STEPS[1].promises[1],)),)).kept


def test_causes_are_only_named_where_something_is_broken():
    """A promise that is kept needs no excuse."""
    why = (Cause("because"),)
    assert judged("a.b", "It holds", "", causes=why).causes == ()
    assert judged("a.b", "It holds", "it doesn't", causes=why).causes == why


@pytest.mark.parametrize(
    ("value", "text"),
    [(3.0, "3"), (45.12, "45.1"), (0.044, "0.04"), (0.98, "1.0"), (3000.0, "3,000"), (None, "-")],
)
def test_figures_are_written_for_readers(value, text):
    """As many digits as say something."""
    assert number(value) == text


def test_text_says_what_is_broken_why_and_where():
    """Verdict, reason, cause with the template's line, and what to do; in the style of the verdict."""
    lines = list(report.text_lines(REPORT))
    text = "\n".join(line for _, line in lines)
    assert "kept     Every task sees every other: time 12.3 s" in text
    assert "because port 57800 is closed between tasks (rendered/dev/template.yaml:405)" in text
    assert "because unknown (rendered/dev/template.yaml)" in text and "permit TCP 57800" in text
    assert ("error", "1 kept, 1 broken, 1 not run, in 1 min 40 s") == lines[-1]
    assert "ISPN000094" not in text and "| line one" in text
    assert "ISPN000094" in "\n".join(line for _, line in report.text_lines(REPORT, evidence=True))


def test_json_holds_everything():
    """Steps, promises, figures, causes and the timeline; verdicts counted."""
    found = json.loads(report.as_json(REPORT))
    assert found["kept"] is False and found["summary"] == {"kept": 1, "broken": 1, "not run": 1}
    broken = found["steps"][1]["promises"][0]
    assert broken["causes"][0] == {
        "text": "port 57800 is closed between tasks",
        "line": 405,
        "fix": "permit TCP 57800",
    }
    assert broken["figures"][0]["limit"] == 3.0 and len(found["timeline"]["samples"]) == 300
    assert "timeline" not in json.loads(report.as_json(REPORT, timeline=False))


def test_junit_is_xml_with_a_case_for_every_promise():
    """Broken ones fail with the cause and its line, those that were not run are skipped."""
    root = ElementTree.fromstring(report.junit(REPORT))
    suites = root.findall("testsuite")
    assert [(one.get("tests"), one.get("failures"), one.get("skipped")) for one in suites] == [
        ("1", "0", "0"), ("2", "1", "1")]
    failure = root.find(".//failure")
    assert "45.1" in failure.get("message") and NASTY in failure.get("message")
    assert "rendered/dev/template.yaml:405: port 57800" in failure.text
    assert root.find(".//skipped").get("message") == "the step ended before"


def test_markdown_keeps_its_shape():
    """A row for each promise with five bars, no markup from what was seen, and fences that hold."""
    text = report.markdown(REPORT)
    rows = [line for line in text.splitlines() if line.startswith("| ")]
    assert len(rows) == 4 and all(len(re.findall(r"(?<!\\)\|", row)) == 5 for row in rows)
    assert "- `rendered/dev/template.yaml:405`: Port 57800 is closed between tasks. Permit TCP 57800." in text
    assert "\n````\n" in text and "<b>" not in re.sub(r"(?s)````.*?````", "", text.replace("\\<", ""))


def test_the_page_stands_by_itself():
    """Nothing is fetched, no script is run, and both colour schemes are there."""
    text = page.page(REPORT)
    assert "<script" not in text.lower() and not re.search(r"""(?:src|href)=["'](?!#)""", text)
    assert "prefers-color-scheme: dark" in text and "default-src &#x27;none&#x27;" not in text
    assert "default-src 'none'" in text and "<b>" not in text
    assert "port 57800 is closed between tasks" in text and "rendered/dev/template.yaml:405" in text
    assert text.count("<svg") == 1 and 'id="failover"' in text


def test_the_picture_is_well_formed_and_shows_what_was():
    """Probes, errors, a lane for each task, views with their size, numbered moments."""
    drawn = picture(TIMELINE, 1010.0, 1100.0, "A <step>", style=True)
    root = ElementTree.fromstring(drawn.svg)
    space = "{http://www.w3.org/2000/svg}"
    classes = [one.get("class") for one in root.iter() if one.get("class")]
    assert {"answer", "median", "error", "healthy", "stopping", "starting", "moment loss", "moment recovery",
            "moment view", "size"} <= set(classes)
    assert drawn.moments == ((1, 10.0, f"keycloak-1 killed {NASTY}"), (2, 50.0, "whole again"))
    texts = [one.text for one in root.iter(f"{space}text")]
    assert {"keycloak-1", "keycloak-2", "10 ms", "1 s", "1"} <= set(texts)
    assert root.find(f"{space}style") is not None
    assert picture(TIMELINE, 1010.0, 1100.0, "x").svg.count("<style") == 0


def test_a_picture_of_nothing_is_still_one():
    """An empty timeline and an empty span draw an axis."""
    for start, end in ((0.0, 0.0), (10.0, 5.0), (0.0, 10_000.0)):
        assert ElementTree.fromstring(picture(Timeline(), start, end, "x").svg) is not None


def test_tasks_are_drawn_from_the_beginning_and_in_their_order():
    """What was seen shortly before a step is how it began; what was seen long before isn't."""
    healthy = (("keycloak-2", "healthy"), ("keycloak-10", "healthy"))
    lengths = []
    for before in (99.0, 10.0):
        timeline = Timeline(members=tuple(Members(at, healthy) for at in (before, 105.0, 110.0)))
        svg = picture(timeline, 100.0, 110.0, "x").svg
        assert svg.index("keycloak-2") < svg.index("keycloak-10")
        bars = [one for one in ElementTree.fromstring(svg).iter() if one.get("class") == "healthy"]
        lengths.append([float(one.get("width")) for one in bars])
    (first, second), (late, _) = lengths
    assert first == second == pytest.approx(2 * late)


def test_many_samples_make_a_small_picture():
    """Half an hour of probes is drawn by columns, not one by one."""
    many = tuple(Sample(number * 0.1, 0.01, "document") for number in range(18_000))
    assert len(picture(Timeline(samples=many), 0.0, 1800.0, "x").svg) < 60_000


@pytest.mark.parametrize(("seconds", "text"), [(0.5, "0.5 s"), (30, "30 s"), (90, "1:30"), (3600, "60:00")])
def test_times_on_the_axis(seconds, text):
    """Seconds, then minutes."""
    assert clock(seconds) == text
