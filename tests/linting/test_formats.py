"""Formats: each can be read by what reads it, says where a line came from, and lets no character
act on its own.
"""

from __future__ import annotations

import json
from dataclasses import fields, replace
from urllib.parse import unquote, urlsplit
from xml.etree import ElementTree

import pytest
from hypothesis import given
from hypothesis import strategies as st

from generator.linting import Finding, formats
from generator.linting.findings import SEVERITIES

FINDING = Finding(
    rule="E3002",
    severity="error",
    message="'Nmae' was unexpected",
    path=("Resources", "Topic", "Properties", "Nmae"),
    line=123,
    column=7,
    end_line=123,
    end_column=11,
    file="rendered/prod/template.yaml",
    title="Resource properties are valid",
    fix="write Name",
    source_url="https://github.com/aws-cloudformation/cfn-lint",
    template_file="templates/resources/x.yaml.j2",
    template_line=12,
    params_key="service.cpu",
    params_file="params/prod.yaml",
    params_line=9,
)
BARE = Finding("W2001", "warning", "unused", file="other.yaml")
NASTY = "\x00\x1b[31m\x9b <&>'\"]]>\r\n%0A::error::\u2028\u202e\ud800\uffff é 😀"


def test_text_reads_as_compilers_write():
    """Place, severity, rule and message in a line; below it where the line came from, and what to do."""
    assert formats.as_text([FINDING, BARE]) == (
        "rendered/prod/template.yaml:123:7 error E3002 'Nmae' was unexpected\n"
        "    from templates/resources/x.yaml.j2:12, params/prod.yaml:9 service.cpu\n"
        "    fix: write Name\n"
        "other.yaml warning W2001 unused\n"
    )
    assert formats.as_text([]) == ""


@pytest.mark.parametrize(
    ("known", "said"),
    [
        pytest.param(
            {"template_file": "t.j2", "template_line": 3}, "from t.j2:3\n", id="a template line only"
        ),
        pytest.param(
            {"template_file": "t.j2", "template_line": 3, "params_key": "a.b"},
            "from t.j2:3, a.b\n",
            id="a default",
        ),
        pytest.param({}, None, id="nothing"),
    ],
)
def test_text_says_the_origins_it_knows(known, said):
    """What isn't known of a line's origin is left out."""
    text = formats.as_text([replace(BARE, **known)])
    assert text.count("\n") == (2 if said else 1)
    assert said is None or text.endswith(said)


def test_lines_come_with_what_they_are():
    """Who colours the text knows each line's kind, and the lines are those of the text."""
    lines = formats.text_lines([FINDING, BARE])
    assert [kind for kind, _ in lines] == ["error", "origin", "fix", "warning"]
    assert "".join(f"{line}\n" for _, line in lines) == formats.as_text([FINDING, BARE])


def test_json_holds_every_field():
    """A finding can be made again from its JSON."""
    (found, bare) = json.loads(formats.as_json([FINDING, BARE]))
    assert set(found) == {field.name for field in fields(Finding)}
    assert Finding(**{**found, "path": tuple(found["path"])}) == FINDING
    assert Finding(**{**bare, "path": tuple(bare["path"])}) == BARE
    assert json.loads(formats.as_json([])) == []


def region_faults(region: dict) -> list[str]:
    """What is wrong with a SARIF region (SARIF 2.1.0, 3.30)."""
    faults = [f"{key} {value}" for key, value in region.items() if not isinstance(value, int) or value < 1]
    start = (region["startLine"], region.get("startColumn", 1))
    end = (region.get("endLine", start[0]), region.get("endColumn", start[1]))
    return faults + ([] if start <= end else [f"{start} is behind {end}"])


def sarif_faults(log: dict) -> list[str]:
    """What is wrong with a SARIF log, by the requirements of SARIF 2.1.0 on what we write."""
    faults = []
    if log["version"] != "2.1.0" or not urlsplit(log["$schema"]).scheme:  # 3.13.2, 3.13.3
        faults.append("version or schema")
    for run in log["runs"]:  # 3.14
        driver = run["tool"]["driver"]
        if not driver["name"]:  # 3.19.8
            faults.append("a driver without a name")
        if run["columnKind"] not in ("utf16CodeUnits", "unicodeCodePoints"):  # 3.14.17
            faults.append("columnKind")
        rules = driver["rules"]
        if len({rule["id"] for rule in rules}) != len(rules):  # 3.19.23
            faults.append("a rule twice")
        for rule in rules:
            if not rule["shortDescription"]["text"]:  # 3.49.9, 3.12
                faults.append("an empty description")
            if "helpUri" in rule and not urlsplit(rule["helpUri"]).scheme:  # 3.49.12: absolute
                faults.append("a relative helpUri")
        for result in run["results"]:
            if rules[result["ruleIndex"]]["id"] != result["ruleId"]:  # 3.27.6
                faults.append("ruleIndex")
            if result["level"] not in ("none", "note", "warning", "error"):  # 3.27.10
                faults.append("level")
            if not result["message"]["text"]:  # 3.27.11
                faults.append("an empty message")
            related = result.get("relatedLocations", [])
            if len({location["id"] for location in related}) != len(related):  # 3.28.2
                faults.append("an id twice")
            for location in [*result["locations"], *related]:
                physical = location["physicalLocation"]
                uri = physical["artifactLocation"]["uri"]
                if (
                    urlsplit(uri).scheme or not uri.isascii() or " " in uri
                ):  # 3.4.3: a relative reference, RFC 3986
                    faults.append(f"uri {uri}")
                faults += region_faults(physical.get("region", {"startLine": 1}))
    return faults


def test_sarif_meets_the_standard():
    """A log has what SARIF 2.1.0 requires, with findings and without."""
    findings = [FINDING, BARE, replace(FINDING, line=5, severity="info", file="a b/ü.yaml")]
    assert sarif_faults(json.loads(formats.as_sarif(findings))) == []
    assert sarif_faults(json.loads(formats.as_sarif([]))) == []


def test_sarif_says_where_a_line_came_from():
    """The result is at the rendered file; template and params are its related locations; the
    rule has its page.
    """
    (run,) = json.loads(formats.as_sarif([FINDING]))["runs"]
    (result,) = run["results"]
    places = [
        (
            location["physicalLocation"]["artifactLocation"]["uri"],
            location["physicalLocation"]["region"]["startLine"],
        )
        for location in [*result["locations"], *result["relatedLocations"]]
    ]
    assert places == [
        ("rendered/prod/template.yaml", 123),
        ("templates/resources/x.yaml.j2", 12),
        ("params/prod.yaml", 9),
    ]
    assert result["relatedLocations"][1]["message"]["text"] == "params/prod.yaml:9 service.cpu"
    assert result["level"] == "error"
    assert result["locations"][0]["physicalLocation"]["region"] == {
        "startLine": 123,
        "startColumn": 7,
        "endLine": 123,
        "endColumn": 11,
    }
    assert run["tool"]["driver"]["rules"] == [
        {
            "id": "E3002",
            "shortDescription": {"text": "Resource properties are valid"},
            "helpUri": "https://github.com/aws-cloudformation/cfn-lint",
        }
    ]


def test_sarif_has_each_rule_once():
    """Rules are listed once, however many findings they have."""
    (run,) = json.loads(formats.as_sarif([BARE, FINDING, BARE]))["runs"]
    assert [rule["id"] for rule in run["tool"]["driver"]["rules"]] == ["E3002", "W2001"]
    assert [result["ruleIndex"] for result in run["results"]] == [1, 0, 1]


def test_junit_fails_on_errors_only():
    """An error is a failure with all that is known; a warning is a case that passes and says so."""
    root = ElementTree.fromstring(formats.as_junit([FINDING, BARE]))
    assert root.tag == "testsuites" and root.attrib["tests"] == "2" and root.attrib["failures"] == "1"
    failing, passing = root.iter("testcase")
    assert failing.attrib["classname"] == "rendered/prod/template.yaml"
    failure = failing.find("failure")
    assert failure.attrib == {"type": "E3002", "message": "'Nmae' was unexpected"}
    assert failure.text == formats.as_text([FINDING])
    assert passing.find("failure") is None
    assert passing.find("system-out").text == "other.yaml warning W2001 unused\n"


def test_junit_shows_what_passed():
    """A file without findings is a case that passed, so that a report is never empty."""
    root = ElementTree.fromstring(formats.as_junit([BARE], ["clean.yaml", "other.yaml"]))
    assert [suite.attrib["name"] for suite in root] == ["clean.yaml", "other.yaml"]
    (clean,) = root[0]
    assert clean.attrib["name"] == "no findings" and len(clean) == 0


def test_github_annotates_what_gets_edited():
    """An annotation is at the template line, or at the rendered file where no template is known."""
    first, second = formats.as_github([FINDING, BARE]).splitlines()
    assert first.startswith(
        "::error file=templates/resources/x.yaml.j2,line=12,title=E3002 Resource properties are valid::"
    )
    assert "%0A    from templates/resources/x.yaml.j2:12, params/prod.yaml:9 service.cpu%0A" in first
    assert second == "::warning file=other.yaml,line=1,title=W2001::other.yaml warning W2001 unused"


TEXTS = st.text() | st.just(NASTY)
FINDINGS = st.builds(
    Finding,
    rule=st.sampled_from(["E1", "W1", "I1"]),
    severity=st.sampled_from(SEVERITIES),
    message=TEXTS.filter(bool),
    path=st.lists(TEXTS | st.integers(), max_size=3).map(tuple),
    line=st.integers(0, 9),
    column=st.integers(1, 9),
    end_line=st.just(9),
    end_column=st.integers(9, 12),
    file=TEXTS,
    title=TEXTS,
    fix=TEXTS,
    template_file=TEXTS,
    template_line=st.integers(1, 9),
    params_key=TEXTS,
    params_file=TEXTS,
    params_line=st.integers(1, 9),
)


@given(st.lists(FINDINGS, max_size=3))
def test_every_format_survives_any_character(findings):
    """Nothing a template, a path or a message holds breaks a format or reaches a terminal as a command."""
    for name, form in formats.FORMATS.items():
        said = form(findings)
        said.encode("utf-8")
        assert not [char for char in said if ord(char) < 32 and char != "\n" or 127 <= ord(char) < 160], name
    assert formats.as_text(findings).count("\n") == len(formats.text_lines(findings))
    assert [one["message"] for one in json.loads(formats.as_json(findings))] == [
        one.message for one in findings
    ]
    log = json.loads(formats.as_sarif(findings))
    assert sarif_faults(log) == []
    assert len(list(ElementTree.fromstring(formats.as_junit(findings)).iter("testcase"))) == len(findings)
    commands = formats.as_github(findings).split("\n")[:-1]
    assert len(commands) == len(findings) and all(line.startswith("::") for line in commands)


def test_files_keep_their_names_in_sarif():
    """A URI decodes to the file it names."""
    name = "rendered/a b/ü#?%.yaml"
    (run,) = json.loads(formats.as_sarif([replace(BARE, file=name)]))["runs"]
    assert unquote(run["results"][0]["locations"][0]["physicalLocation"]["artifactLocation"]["uri"]) == name


def test_the_chosen_names_are_these():
    """The names a user chooses a format by."""
    assert list(formats.FORMATS) == ["text", "json", "sarif", "junit", "github"]
