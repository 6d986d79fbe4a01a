"""What Keycloak's log says of levels, views and causes, on lines that real servers wrote."""

from __future__ import annotations

from pathlib import Path

import pytest

from generator.keycloak.logs import complaint, entry, view

LINES = Path(__file__).parents[1] / "rendering" / "loglines"


def views(name):
    found = [view(entry(line).message) for line in (LINES / name).read_text(encoding="utf-8").splitlines()]
    return [one for one in found if one is not None]


@pytest.mark.parametrize("version", ["24.0.5", "26.0.8", "26.7.4"])
def test_text_and_json_tell_the_same_kind_of_views(version):
    """Views of two and three nodes are read from both formats, and so is a merged one."""
    for form in ("plain", "json"):
        found = views(f"{version}-{form}.log")
        assert {len(one.members) for one in found} >= {2, 3}
        assert any(one.merged for one in found)
        assert all("" not in one.members for one in found)


def test_other_lines_tell_of_no_view():
    """A message that merely names a node is none."""
    assert view("ISPN000079: Channel ISPN local address is ip-10-40-1-11, physical addresses are [10.40.1.11:7800]") is None


def test_a_line_that_is_no_entry_stays_as_it_is():
    """Stack traces and the JVM's own messages have no level."""
    assert entry("\tat java.base/java.lang.Thread.run(Thread.java:840)").level == ""
    assert entry("{not json").message == "{not json"


def test_the_cause_is_the_last_errors_before_the_launcher_speaks():
    """The hints that follow a failed start hide no cause."""
    lines = [
        "2026-11-22 03:00:00,000 INFO  [io.quarkus] (main) starting",
        "2026-11-22 03:00:01,000 ERROR [org.keycloak.quarkus] (main) ERROR: Failed to obtain JDBC connection",
        "2026-11-22 03:00:01,000 ERROR [org.keycloak.quarkus] (main) ERROR: The connection attempt failed.",
        "2026-11-22 03:00:01,000 ERROR [org.keycloak.quarkus] (main) ERROR: The connection attempt failed.",
        "2026-11-22 03:00:01,000 ERROR [org.keycloak.quarkus] (main) ERROR: database.example.com",
        "2026-11-22 03:00:01,000 ERROR [org.keycloak.quarkus] (main) For more details run the same command passing "
        "the '--verbose' option. Also you can use '--help' to see the details about the usage of the particular command.",
    ]
    assert complaint(lines) == "The connection attempt failed: database.example.com"


def test_a_node_that_never_spoke_says_so():
    """No line at all is an answer, too."""
    assert complaint([]) == "it wrote nothing"
