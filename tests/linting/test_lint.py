"""The engine: text to findings, once for each text, in one process or several, and never
a process left behind.
"""

from __future__ import annotations

import contextlib
import json
import os
import signal
import subprocess
import sys
import time
from textwrap import dedent
from types import SimpleNamespace

import pytest
from bending import GOOD_TEXT, REGION, bent, needed_for, written

from generator.linting import Cache, Finding, Job, lint_many, lint_text, linter, pack
from generator.linting.rule import Rule

BUCKET = {"A": {"Type": "AWS::S3::Bucket"}}

BAD_BOTH = {"Service.LoadBalancers.0.ContainerName": "x", "Database.PreferredUpkeepWindow": "x"}
"""A mistake that one of our checks finds, and one that cfn-lint finds."""


def ids(findings) -> list[str]:
    return [finding.rule for finding in findings]


def small(number: int) -> str:
    """A template that is quick to lint, with one mistake at a line of its own."""
    notes = "".join(f"# {line}\n" for line in range(number))
    return f"{notes}Resources:\n  Topic:\n    Type: AWS::SNS::Topic\n    Properties:\n      Nmae: x{number}\n"


def test_a_good_template_gives_no_finding():
    """Nothing to say is an empty list."""
    assert lint_text(GOOD_TEXT, "t.yaml", REGION) == []


def test_both_linters_speak_about_one_text():
    """cfn-lint's findings and ours come together, sorted by place, about the file they were asked about."""
    found = lint_text(written(bent(BAD_BOTH)), "rendered/prod/template.yaml", REGION)
    assert ids(found) == ["E9502", "E3002"]
    assert [finding.line for finding in found] == sorted(finding.line for finding in found)
    assert {finding.file for finding in found} == {"rendered/prod/template.yaml"}
    assert {finding.severity for finding in found} == {"error"}
    assert all(finding.title and finding.source_url.startswith("https://") for finding in found)


def test_a_finding_knows_its_place_and_path():
    """A finding of cfn-lint's has the path, the line and the columns of the key it is about."""
    (found,) = lint_text(small(2), "t.yaml", REGION)
    assert found.path == ("Resources", "Topic", "Properties", "Nmae")
    assert (found.rule, found.line, found.column, found.end_line, found.end_column) == ("E3002", 7, 7, 7, 11)


def test_alternatives_that_all_fail_are_one_finding():
    """What cfn-lint says about each alternative is said with the finding, not beside it."""
    bad = bent({"Database.MasterUserSecret": {"KmsKeyId": "nonsense"}})
    (found,) = lint_text(written(bad), "t.yaml", REGION)
    assert found.rule == "E3017" and "AWS::KMS::Key.Arn" in found.message


@pytest.mark.parametrize(
    ("text", "line", "words"),
    [
        pytest.param("Resources:\n  A: [\n", 3, "expected node content", id="broken YAML"),
        pytest.param("a: 1\na: 2\n", 2, "twice", id="a key twice"),
        pytest.param("- a\n", 1, "mapping at the top", id="a list"),
        pytest.param("", 1, "mapping at the top", id="nothing"),
    ],
)
def test_unreadable_text_is_one_finding(text, line, words):
    """Text that can't be read gives E0000 at its line, and nothing else."""
    (found,) = lint_text(text, "t.yaml", REGION)
    assert (found.rule, found.severity, found.line, found.file) == ("E0000", "error", line, "t.yaml")
    assert words in found.message


@pytest.mark.parametrize(
    ("sections", "said"),
    [
        ({"Resources": {"A": None}}, ["Resources.A is empty"]),
        ({"Resources": {"A": "x", "B": 5}}, ["Resources.A is a single value", "Resources.B is a single value"]),
        ({"Resources": []}, ["Resources is a list"]),
        ({"Resources": BUCKET, "Parameters": None}, ["Parameters is empty"]),
        ({"Resources": BUCKET, "Conditions": {"P": None}, "Outputs": {"O": 1}},
         ["Conditions.P is empty", "Outputs.O is a single value"]),
        ({"Resources": BUCKET | {"Fn::ForEach::More": ["X", ["a"], {"${X}": BUCKET["A"]}]},
          "Transform": "AWS::LanguageExtensions"}, []),
    ],
)
def test_what_has_to_be_a_mapping_and_is_none_is_named(sections, said):
    """Whoever writes `A: ` and nothing behind it reads what is wrong and where, not how a linter's rule crashed."""
    found = lint_text(json.dumps(sections, indent=1), "t.json", REGION)
    assert [one.message.partition(" and has")[0] for one in found if one.rule == "E0000"] == said
    assert all(one.line > 1 for one in found if one.rule == "E0000")
    assert not [one for one in found if "xception" in one.message]


def test_a_crash_of_cfn_lint_is_told_as_one():
    """Where a rule of cfn-lint's crashes on a well-formed template, its id is said and that it checked nothing."""
    rule = SimpleNamespace(id="E0002", severity="error", shortdesc="", source_url="")
    match = SimpleNamespace(
        rule=rule, id="1", parent_id=None, message="Unknown exception while processing rule E1029: 'x'", path=[],
        linenumber=1, columnnumber=1, linenumberend=1, columnnumberend=2)
    (found,) = linter._findings([match])
    assert "cfn-lint's rule E1029 can't cope" in found.message and linter.is_crash(found)


def test_unreadable_text_needs_no_linter():
    """The answer about broken YAML doesn't wait for cfn-lint to be imported."""
    code = (
        "import sys; from generator.linting import lint_text; "
        "print(lint_text('a: [', 't', 'eu-central-1')[0].rule, 'cfnlint' in sys.modules)"
    )
    assert (
        subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout
        == "E0000 False\n"
    )


@pytest.mark.parametrize(
    ("ignored", "left"),
    [
        pytest.param({}, ["E9502", "E3002"], id="nothing"),
        pytest.param({"": ["E9502"]}, ["E3002"], id="one of ours, everywhere"),
        pytest.param({"": ["E95"]}, ["E3002"], id="all of ours, everywhere"),
        pytest.param({"": ["E3002"]}, ["E9502"], id="one of cfn-lint's, everywhere"),
        pytest.param({"Service": ["E9502"]}, ["E3002"], id="one of ours, in its resource"),
        pytest.param({"Database": ["E9502"]}, ["E9502", "E3002"], id="one of ours, in another resource"),
        pytest.param({"Service": ["E95"]}, ["E9502", "E3002"], id="a resource names whole ids"),
        pytest.param({"": "E9502"}, ["E9502", "E3002"], id="a text is no list"),
    ],
)
def test_the_templates_own_exceptions_hold(ignored, left):
    """`Metadata.cfn-lint` counts for our checks as it does for cfn-lint's rules."""
    template = needed_for(bent(BAD_BOTH), {"Service", "Database"})
    for logical_id, checks in ignored.items():
        holder = template["Resources"][logical_id] if logical_id else template
        holder["Metadata"] = {"cfn-lint": {"config": {"ignore_checks": checks}}}
    assert [
        rule for rule in ids(lint_text(written(template), "t.yaml", REGION)) if rule in ("E9502", "E3002")
    ] == left


def test_the_region_counts():
    """A template is judged for the region it goes to."""
    template = "Resources: {App: {Type: AWS::AppRunner::Service, Properties: {SourceConfiguration: {}}}}"
    assert "E3006" in ids(lint_text(template, "t.yaml", "eu-north-1"))
    assert "E3006" not in ids(lint_text(template, "t.yaml", "eu-west-1"))


def test_an_unknown_region_is_an_error_of_its_own_text():
    """A misspelt region is a finding that names the nearest, and keeps no other text from being judged."""
    jobs = [Job(GOOD_TEXT, "one.yaml", "eu-centrl-1"), Job(GOOD_TEXT, "two.yaml", REGION)]
    (unknown,), known = lint_many(jobs)
    assert (unknown.severity, unknown.file) == ("error", "one.yaml")
    assert "'eu-centrl-1'" in unknown.message and unknown.fix == "did you mean eu-central-1?"
    assert known == []


def test_a_machines_own_configuration_has_no_say(tmp_path, monkeypatch):
    """A `.cfnlintrc` in the folder or at home changes nothing: findings are the same on every machine."""
    (tmp_path / ".cfnlintrc").write_text("ignore_checks: [E3002]\n", "utf-8")
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("HOME", str(tmp_path))
    assert ids(lint_text(small(0), "t.yaml", REGION)) == ["E3002"]


def test_many_texts_are_answered_in_their_order():
    """Results stand in the order of the jobs, also where two jobs have one text."""
    jobs = [Job(small(number % 2), f"{number}.yaml", REGION) for number in range(3)]
    found = lint_many(jobs)
    assert [[(one.file, one.line) for one in result] for result in found] == [
        [("0.yaml", 5)],
        [("1.yaml", 6)],
        [("2.yaml", 5)],
    ]
    assert lint_many([]) == []


def test_several_processes_find_what_one_finds():
    """The pool's findings are those of this process, broken text included."""
    jobs = [Job(small(number), f"{number}.yaml", REGION) for number in range(4)] + [
        Job("a: [", "b.yaml", REGION)
    ]
    assert lint_many(jobs, processes=2) == lint_many(jobs, processes=1)


def test_only_texts_that_nobody_knows_are_linted(tmp_path):
    """What the cache knows is answered by it; the rest is linted and known from then on."""
    cache = Cache(tmp_path)
    jobs = [Job(small(number), f"{number}.yaml", REGION) for number in range(3)]
    for job in jobs[:2]:
        cache.store(cache.key(job.text, job.region), [Finding("E1", "error", "known")])
    assert [ids(found) for found in lint_many(jobs, cache=cache)] == [["E1"], ["E1"], ["E3002"]]
    assert len(list(cache.folder.glob("*.json"))) == 3


BUSY = dedent("""
    import multiprocessing, threading, time
    from generator.linting import Job, lint_many

    def tell():
        while len(multiprocessing.active_children()) < 2:
            time.sleep(0.01)
        print("busy", flush=True)

    if __name__ == "__main__":
        threading.Thread(target=tell, daemon=True).start()
        text = "Resources: {T: {Type: AWS::SNS::Topic, Properties: {TopicName: n%d}}}"
        lint_many([Job(text % n, "t", "eu-central-1") for n in range(200)], processes=2)
""")


@pytest.mark.parametrize("sent", [signal.SIGINT, signal.SIGKILL], ids=["interrupted", "killed"])
def test_no_process_is_left_behind(sent):
    """Ctrl-C, which reaches the whole group, and the death of the parent alone both end every process."""
    started = subprocess.Popen(
        [sys.executable, "-c", BUSY],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
    )
    try:
        assert started.stdout.readline() == "busy\n"
        if sent == signal.SIGINT:
            os.killpg(started.pid, sent)
        else:
            os.kill(started.pid, sent)
        _, said = started.communicate(timeout=120)
        assert _group_ends(started.pid)
        assert started.returncode != 0
        # One traceback: the caller's. Workers that were told to stop have nothing to say.
        assert said.count("Traceback") == (1 if sent == signal.SIGINT else 0), said
    finally:
        with contextlib.suppress(ProcessLookupError):
            os.killpg(started.pid, signal.SIGKILL)
        started.communicate()


def _group_ends(group: int) -> bool:
    """Whether the last process of a group goes; it is given far more time than it needs."""
    for _ in range(1200):
        try:
            os.killpg(group, 0)
        except ProcessLookupError:
            return True
        time.sleep(0.05)
    return False


class _Broken(Rule):
    """It fails at once."""

    shortdesc = "It fails"

    def __init__(self, name: str):
        self.id = name

    def hits(self, view):
        return view.document["a secret value"]


def test_a_rule_that_fails_leaves_the_others_alone(monkeypatch):
    """A fault of our own is one finding that names the rules, not a traceback; the others say what they have to
    say, and nothing of the template is repeated."""
    text = written(bent(BAD_BOTH))
    before = lint_text(text, "t.yaml", REGION)
    broken = tuple(_Broken(f"E989{number}") for number in range(5))
    monkeypatch.setattr(pack, "all_rules", lambda rules=pack.all_rules(): (*broken, *rules))
    found = lint_text(text, "t.yaml", REGION)
    (said,) = [finding for finding in found if finding not in before]
    assert [finding for finding in found if finding in before] == before
    assert (said.rule, said.severity, said.line) == ("E9598", "error", 1)
    assert "E9890, E9891, E9892 and 2 more" in said.message and "report" in said.fix
    assert "TypeError in generator/linting/rule.py" in said.message and "secret" not in said.message


def test_rules_that_fail_can_be_left_out(monkeypatch):
    """The finding about a fault of our own is ignored as any other one is."""
    monkeypatch.setattr(pack, "all_rules", lambda: (_Broken("E9890"),))
    text = "Metadata: {cfn-lint: {config: {ignore_checks: [E9598]}}}\n" + small(0)
    assert ids(lint_text(text, "t.yaml", REGION)) == ["E3002"]
