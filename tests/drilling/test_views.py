"""Views of the cluster in lines that real nodes wrote (Keycloak 24.0.5, 26.0.8 and 26.7.4, JSON and text)."""

from __future__ import annotations

from pathlib import Path

import pytest

from generator.drilling import views
from generator.drilling.exercise import Cluster
from generator.drilling.logbook import LogBook
from generator.rehearsing.target import LogLine, RunningTask

LINES = Path(__file__).parents[1] / "rendering" / "loglines"
VERSIONS = ("24.0.5", "26.0.8", "26.7.4")


def written(version: str, kind: str) -> list[LogLine]:
    """One node's lines, one a second from 1000 on."""
    text = (LINES / f"{version}-{kind}.log").read_text(encoding="utf-8")
    # The file in JSON holds the lines of a second node too.
    lines = [line for line in text.splitlines() if "hostName" not in line or "ip-10-40-1-11.internal" in line]
    return [LogLine(1000.0 + number, line) for number, line in enumerate(lines)]


@pytest.mark.parametrize("version", VERSIONS)
@pytest.mark.parametrize(("kind", "sizes"), [("json", [1, 2, 3, 2, 3, 2, 1]), ("plain", [2, 3, 2, 3, 2])])
def test_every_view_is_found_with_its_members(version, kind, sizes):
    """Whatever the version and the format: three nodes join, one is cut off, comes back, and goes."""
    found = views.views("keycloak-1", written(version, kind))
    assert [view.size for view in found] == sizes
    assert [view.size for view in found if view.merged] == [3]
    assert all(
        member.startswith("ip-10-40-1-1") and "(" not in member for view in found for member in view.members
    )
    assert found[0].task == "keycloak-1" and [view.time for view in found] == sorted(
        view.time for view in found
    )


@pytest.mark.parametrize("version", VERSIONS)
def test_the_view_that_a_node_left_is_the_first_without_it(version):
    """The node that is cut off is told from those that stay, and only views after the moment count."""
    found = views.views("keycloak-1", written(version, "json"))
    lost = next(member for member in found[2].members if member.startswith("ip-10-40-1-13"))
    left = views.first_without(found, lost, found[2].time)
    assert left == found[3]
    assert views.first_without(found, lost, found[4].time) == found[5]
    assert views.first_without(found, found[0].members[0], 0.0) is None


def test_lines_without_a_view_tell_nothing():
    """Nodes that left, rebalancing and text that only quotes a message are no views."""
    lines = ["ISPN100001: Node ip-10-40-1-13-3907 left the cluster", "", "{broken json ISPN000094",
             '{"message": "ISPN000094: but no list of members"}', "started in 9.2s"]
    assert views.views("keycloak-1", [LogLine(1.0, line) for line in lines]) == []


@pytest.mark.parametrize(
    "line",
    [
        '{"message":"ISPN000079: Channel `ISPN` local address is `ip-10-40-1-11-33867`, physical addresses are '
        '`[10.40.1.11:7800]`"}',
        "2026-11-22 02:29:15,317 INFO  [org.infinispan.CLUSTER] (keycloak-cache-init) ISPN000079: Channel `ISPN` local "
        "address is `ip-10-40-1-11-33867`, physical addresses are `[10.40.1.11:7800]`",
    ],
)
def test_a_node_says_what_it_calls_itself(line):
    """The name that it has in views, with its address to tell it from another's."""
    assert views.own_name([LogLine(1.0, line)]) == "ip-10-40-1-11-33867"
    assert views.own_name([LogLine(1.0, line)], "10.40.1.11") == "ip-10-40-1-11-33867"
    assert views.own_name([LogLine(1.0, line)], "10.40.1.12") == ""


@pytest.mark.parametrize(
    ("text", "size"),
    [
        (
            '# TYPE vendor_cluster_size gauge\nvendor_cluster_size{cache_manager="keycloak",node="vm-32391"} 2.0\n',
            2,
        ),
        ('vendor_cache_manager_default_cluster_size{node="a-1"} 3.0\n', 3),
        ("vendor_cluster_size 1.0\n", 1),
        ("jvm_threads_live_threads 40.0\n", None),
        ("# HELP vendor_cluster_size Size of the cluster in number of nodes\n", None),
    ],
)
def test_metrics_count_the_members(text, size):
    """The number of members by a node's metrics; none where they don't name it."""
    assert views.cluster_size(text) == size


class Logs:
    """The logs of tasks, as far as a log book asks for them."""

    def __init__(self):
        self.lines: dict[str, list[LogLine]] = {}
        self.asked: list[float] = []

    def logs(self, task: str, since: float = 0.0) -> list[LogLine]:
        self.asked.append(since)
        return [line for line in self.lines.get(task, []) if line.time > since]


def task(name: str, started: float) -> RunningTask:
    return RunningTask(name, "10.40.1.11", "running", True, started)


def test_a_log_book_reads_on_where_it_stopped():
    """Every line is read once, also where two were written in the same instant."""
    target, one = Logs(), task("keycloak-1", 1000.0)
    book, lines = LogBook(target), written("26.7.4", "json")
    for count in range(0, len(lines) + 1, 3):
        target.lines["keycloak-1"] = [LogLine(1000.0 + number // 2, line.text)
                                      for number, line in enumerate(lines[:count])]
        book.read([one])
        book.read([one])
    target.lines["keycloak-1"] = [
        LogLine(1000.0 + number // 2, line.text) for number, line in enumerate(lines)
    ]
    book.read([one])
    assert [view.size for view in book.views(one)] == [1, 2, 3, 2, 3, 2, 1]
    assert target.asked[0] < 1000.0 < target.asked[-1]


def test_a_new_task_in_an_old_slot_has_a_log_of_its_own():
    """What its predecessor saw is not what it sees, and isn't forgotten either."""
    target = Logs()
    target.lines["keycloak-1"] = written("26.7.4", "json")
    book, old, new = LogBook(target), task("keycloak-1", 1000.0), task("keycloak-1", 2000.0)
    book.read([old])
    book.read([new])
    assert len(book.views(old)) == 7 and book.views(new) == [] and len(book.every_view()) == 7


def test_warnings_and_errors_are_kept_and_the_rest_is_not():
    """What a node complains of is what a cause may quote."""
    target = Logs()
    target.lines["keycloak-1"] = [
        LogLine(1000.0, '{"level": "INFO", "message": "all is well"}'),
        LogLine(1001.0, '{"level": "ERROR", "message": "dns_query can not be null or empty"}'),
        LogLine(1002.0, "2026-11-22 02:27:27,219 WARN  [org.jgroups] (main) JGRP000014: deprecated")]
    book, one = LogBook(target), task("keycloak-1", 999.0)
    book.read([one])
    assert book.complaints(one) == ["ERROR dns_query can not be null or empty", "WARN JGRP000014: deprecated"]


def test_a_cluster_that_isn_t_whole_says_why():
    """Where the number of members tells nothing, the names do: one that is unknown, and one that nobody has."""
    tasks = tuple(RunningTask(f"keycloak-{one}", f"10.40.4.{one}", "running", True, 0.0) for one in (1, 2))

    def text(names: tuple[str, str], members: tuple[str, ...]) -> str:
        last = tuple((task.name, views.Seen(1.0, task.name, 1, members, False, "")) for task in tasks)
        cluster = Cluster(tasks, tuple(zip((task.name for task in tasks), names)), last, 2)
        assert cluster.whole == (set(names) == set(members))
        return cluster.text

    whole = "2 of 2 tasks healthy; members in view: keycloak-1 2, keycloak-2 2"
    assert text(("a", "b"), ("a", "b")) == whole
    assert text(("a", ""), ("a", "b")) == f"{whole}; keycloak-2 hasn't said what it calls itself"
    assert "the view of keycloak-1 has c, which no task calls itself" in text(("a", "b"), ("a", "c"))


UUID = "47d95c82-43e6-4f33-adf2-9a406e4ed3a0"


def shown(task: str, number: int, *members: str) -> views.Seen:
    return views.Seen(1.0, task, number, members, False, "")


def test_a_member_whose_name_had_not_arrived_has_the_name_that_others_wrote():
    """26.4.7 wrote an address instead of a name; the same view in another node's log tells whose it is."""
    nameless = shown("keycloak-1", 4, "a", "b", UUID)
    others = [shown("keycloak-4", 3, "x", "y", "z"), shown("keycloak-4", 4, "a", UUID, "c"),
              shown("keycloak-2", 4, "a", "b", "c")]
    assert views.named(nameless, others).members == ("a", "b", "c")
    assert views.named(others[1], others).members == ("a", "b", "c")


def test_a_name_is_not_taken_from_another_view():
    """One of another number, another size or with other members tells nothing; a view with all its names stays."""
    nameless = shown("keycloak-1", 4, "a", "b", UUID)
    for other in (shown("x", 5, "a", "b", "c"), shown("x", 4, "a", "b"), shown("x", 4, "a", "d", "c")):
        assert views.named(nameless, [other]) == nameless
    whole = shown("keycloak-1", 4, "a", "b", "c")
    assert views.named(whole, [shown("x", 4, "a", "b", UUID)]) is whole


def test_a_log_book_asks_the_other_logs_for_names():
    """Each node's log is read by itself, and names are known from all of them."""
    target, tasks = Logs(), [task("keycloak-1", 1000.0), task("keycloak-2", 1000.0)]
    line = "ISPN000094: Received new cluster view for channel ISPN: [a|1] (2) [a, {}]"
    for one, name in zip(tasks, (UUID, "b")):
        target.lines[one.name] = [LogLine(1001.0, line.format(name))]
    book = LogBook(target)
    book.read(tasks)
    assert [book.views(one)[-1].members for one in tasks] == [("a", "b")] * 2
