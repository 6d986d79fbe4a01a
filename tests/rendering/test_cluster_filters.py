"""CloudWatch's patterns for the cluster's size, evaluated as CloudWatch does, on lines that real servers wrote."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest

from generator.rendering.cluster_filters import cluster_filters

FOLDER = Path(__file__).with_name("loglines")
FILES = sorted(FOLDER.glob("*.log"))
VERSIONS = ("24.0.5", "26.0.8", "26.7.4")

ALLOWED = re.compile(r"(?:[A-Za-z0-9:_#=@/;,^$?\[\]{}|*+.-]|\\[sSdDwW])+")
"""What a regular expression of a filter pattern may hold (CloudWatch Logs User Guide, "Supported regular expressions
(regex) syntax"); no other escapes are used here."""


def fits(pattern: str, line: str) -> bool:
    """Whether a filter pattern selects a log event: `%regex%` is looked for anywhere in it, `{ $.key = %regex% }`
    anywhere in that key of an event that is a JSON object. An empty pattern is no filter."""
    if not pattern:
        return False
    match = re.fullmatch(r"\{ \$\.(?P<key>\w+) = %(?P<regex>[^%]+)% \}|%(?P<alone>[^%]+)%", pattern)
    if match["alone"]:
        return re.search(match["alone"], line) is not None
    try:
        value = json.loads(line)[match["key"]]
    except (ValueError, KeyError, TypeError):
        return False
    return isinstance(value, str) and re.search(match["regex"], value) is not None


def lines(file: Path) -> list[str]:
    """The lines of a log, as the container wrote them."""
    return file.read_text("utf-8").splitlines()


def members(line: str) -> int | None:
    """How many nodes the view in a line names; None for a line about something else."""
    if "cluster view for channel ISPN: " not in line:
        return None
    view = line.split("cluster view for channel ISPN: ")[1]
    names = view.split("] (", 1)[1].split(") [", 1)[1].split("]")[0]
    return len(names.split(", "))


def verdict(line: str, tasks: int, is_json: bool) -> tuple[bool, bool]:
    """(broken, whole) as the filters of a service of `tasks` tasks see a line."""
    filters = cluster_filters("keycloak-dev", tasks, is_json)
    return fits(filters.broken, line), fits(filters.whole, line)


def test_the_lines_are_of_every_kind():
    """Three versions in both formats, with views of one, two and three nodes, merged ones and much else."""
    assert [file.stem for file in FILES] == [f"{version}-{kind}" for version in VERSIONS for kind in ("json", "plain")]
    for file in FILES:
        sizes = {members(line) for line in lines(file)}
        assert {None, 2, 3} <= sizes
        assert any("ISPN000093" in line for line in lines(file))
        assert 1 in sizes or "plain" in file.stem
    assert any("(v=16" in line for line in lines(FOLDER / "26.7.4-json.log"))


@pytest.mark.parametrize("file", FILES, ids=lambda file: file.stem)
@pytest.mark.parametrize("tasks", [1, 2, 3, 4])
def test_a_real_view_is_broken_or_whole(file, tasks):
    """A view of fewer nodes than tasks is broken, one of as many or more is whole, and no other line is either."""
    for line in lines(file):
        size = members(line)
        wanted = (False, False) if size is None else (size < tasks, size >= tasks)
        assert verdict(line, tasks, "json" in file.stem) == wanted, line


@pytest.mark.parametrize("file", FILES, ids=lambda file: file.stem)
def test_a_merged_view_counts_as_what_it_became(file):
    """After a split, the view of three names subgroups of one and two: it is whole."""
    merged = [line for line in lines(file) if "ISPN000093" in line]
    assert merged and all("2 subgroups" in line and "|3] (1) [" in line for line in merged)
    for line in merged:
        assert verdict(line, 3, "json" in file.stem) == (False, True)
        assert verdict(line, 4, "json" in file.stem) == (True, False)


@pytest.mark.parametrize("file", [file for file in FILES if "json" in file.stem], ids=lambda file: file.stem)
def test_a_line_before_the_log_is_no_view(file):
    """Even a server that logs JSON begins with plain lines; a pattern for JSON passes over them and over others."""
    plain = [line for line in lines(file) if not line.startswith("{")]
    assert plain
    for line in [*plain, "[1, 2]", "null", '{"message": 3}', "{}"]:
        assert verdict(line, 2, True) == (False, False)
    # The pattern for plain lines would see a view in JSON, so that a wrong format isn't noticed by silence alone.
    view = next(line for line in lines(file) if members(line) == 3)
    assert verdict(view, 3, False) == (False, True)


NAME = "ip-10-40-1-11-{}(v=16.0.14)"


def view(size: int, merged: bool = False) -> str:
    """A line about a view of `size` nodes, as 26.7.4 writes it; the subgroups of a merged one are of sizes of their own."""
    names = ", ".join(NAME.format(number) for number in range(size))
    if not merged:
        return f"ISPN000094: Received new cluster view for channel ISPN: [{NAME.format(0)}|12] ({size}) [{names}]"
    return (f"ISPN000093: Received new, MERGED cluster view for channel ISPN: MergeView::[{NAME.format(0)}|12] ({size}) "
            f"[{names}], 2 subgroups: [{NAME.format(0)}|11] (1) [{NAME.format(0)}], [{NAME.format(1)}|11] (98) [x]")


def test_the_lines_made_here_are_like_real_ones():
    """A view as it is made for the next test is the real one, with other names."""
    def bare(text: str) -> str:
        return re.sub(r"ip-[\d-]+", "NODE", re.sub(r"\|\d+\]", "|N]", text))

    real = [json.loads(line)["message"] for line in lines(FOLDER / "26.7.4-json.log") if members(line)]
    assert bare(view(3)) in map(bare, real)
    assert any(bare(text).startswith(bare(view(3, merged=True)).split("|N] (1)")[0]) for text in real)


@pytest.mark.parametrize("tasks", range(2, 65))
def test_every_size_is_exactly_one_of_both(tasks):
    """For any number of tasks, views of 1 to 99 nodes are broken below it and whole from it on, never both."""
    filters = cluster_filters("keycloak-dev", tasks, json_lines=True)
    for size in range(1, 100):
        for merged in (False, True):
            line = json.dumps({"level": "INFO", "message": view(size, merged), "service.name": "keycloak"})
            assert (fits(filters.broken, line), fits(filters.whole, line)) == (size < tasks, size >= tasks)


def test_one_task_is_always_whole():
    """A single node can't miss another, so there is no filter for a broken cluster."""
    filters = cluster_filters("keycloak-dev", 1, json_lines=True)
    assert filters.broken == ""
    assert all(fits(filters.whole, json.dumps({"message": view(size)})) for size in range(1, 100))


@pytest.mark.parametrize("is_json", [True, False])
def test_the_patterns_hold_only_what_cloudwatch_knows(is_json):
    """Documented characters and operators, at most 1024 characters, one expression in each pattern, no brackets that
    are left open."""
    for tasks in range(1, 65):
        filters = cluster_filters("keycloak-dev", tasks, is_json)
        for pattern in filter(None, (filters.broken, filters.whole)):
            assert len(pattern) <= 1024
            assert pattern.count("%") == 2
            before, regex, after = pattern.split("%")
            assert (before, after) == (("{ $.message = ", " }") if is_json else ("", ""))
            assert ALLOWED.fullmatch(regex)
            assert regex.count("[") == regex.count("]")


def test_the_metric_is_the_stack_s_own():
    """Two stacks in one account don't share a metric."""
    assert cluster_filters("keycloak-dev", 2, True).namespace == "Keycloak/keycloak-dev"
    assert cluster_filters("other", 2, True).namespace != cluster_filters("keycloak-dev", 2, True).namespace


def test_a_template_has_the_patterns_of_its_tasks_and_format(wholes):
    """Each environment with alarms filters its own log, for its own number of tasks, in the format it is written in."""
    seen = set()
    for name in wholes.names:
        settings = wholes[name].settings
        found = [one.properties for one in wholes[name].document.of_type("AWS::Logs::MetricFilter")
                 if one.logical_id.startswith("Cluster")]
        if settings.alarms is None:
            assert found == []
            continue
        tasks, is_json = settings.service.tasks, settings.keycloak.log.format == "json"
        stack = settings.stack.name or f"keycloak-{name}"
        wanted = cluster_filters(stack, tasks, is_json)
        by_value = {one["MetricTransformations"][0]["MetricValue"]: one["FilterPattern"] for one in found}
        assert by_value == ({"0": wanted.broken, "1": wanted.whole} if tasks > 1 else {})
        assert {one["MetricTransformations"][0]["MetricNamespace"] for one in found} <= {f"Keycloak/{stack}"}
        seen.add((tasks > 1, is_json))
    assert {(True, True), (True, False)} <= seen
