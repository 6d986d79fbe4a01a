"""The pages that measured clusters are written to."""

from __future__ import annotations

from tests.cluster import detection, detection_page, table


def test_a_result_replaces_the_one_before_and_leaves_others_alone():
    """What ran again has its last result; what didn't run keeps its row to the letter."""
    first = table.page("", [table.Tried("test_b.py::b", "Is b.\n\n    Or | c.", "passed", 90.0),
                            table.Tried("test_a.py::a[x-1]", "Is a.", "failed", 6.0)])
    rows = first.splitlines()[-2:]
    assert rows[0].startswith("| `test_a.py::a[x-1]` | Is a. | failed | 0.1 min | 20")
    assert rows[1].startswith("| `test_b.py::b` | Is b. Or \\| c. | passed | 1.5 min | 20")
    second = table.page(first, [table.Tried("test_a.py::a[x-1]", "Is a.", "passed", 6.0)])
    assert second == first.replace("failed", "passed")


def test_figures_of_a_report_are_found_by_promise():
    """A step's figures come from the promises that say them; one without any has none, others are left out."""
    report = {"steps": [
        {"name": "freeze", "promises": [
            {"name": "freeze.view", "figures": [{"name": "time to the new view", "value": 13.5}]},
            {"name": "freeze.outage", "figures": [{"name": "outage seen by clients", "value": 14.0},
                                                  {"name": "slowest good answer", "value": 1.0}]}]},
        {"name": "deploy", "promises": [
            {"name": "deploy.requests", "figures": [{"name": "failed requests", "value": 0},
                                                    {"name": "requests", "value": 3003}]}]},
        {"name": "cut", "promises": [{"name": "cut.view"}]},
    ]}
    assert dict(detection.reported(report)) == {
        "freeze": {"view": 13.5, "outage": 14.0}, "deploy": {"failed": 0, "requests": 3003}, "cut": {}}


def test_a_page_marks_what_is_beyond_the_goals():
    """An outage above its limit, and any request that failed where none should; what is within them isn't marked."""
    setups = detection.setups(("26.7.4",))
    rows = {}
    for setup, outage, failed in ((setups[0], 15.1, 2), (setups[1], 3.0, 0)):
        rows[setup.name] = {way: {"view": 1.0, "outage": outage, "date": "2026-01-01"}
                            for way in ("failover", "freeze", "closed")}
        rows[setup.name] |= {"stop": {"view": 0.1, "failed": failed, "date": "2026-01-01"},
                             "deploy": {"failed": failed, "requests": 3000, "date": "2026-01-01"}}
    text = detection_page.page(setups, rows)
    bad, good = (line for line in text.splitlines() if line.startswith("| 26.7.4"))
    assert bad.count("**15.1 s**") == 2 and "1.0 s, 15.1 s" in bad
    assert "**2 failed**" in bad and "**2 of 3000**" in bad and "**" not in good


def test_a_page_tells_what_never_came_from_what_was_not_measured():
    """`never` is a node that was not found to be gone, `–` what nobody has tried; a cluster without figures has no
    row."""
    setups = detection.setups(("26.7.4",))
    text = detection_page.page(setups, {setups[1].name: {
        "cut": {"outage": 60.0, "date": "2026-01-02"}, "failover": {"view": 1.71, "outage": 0.4, "date": "2026-01-01"},
    }})
    rows = [line for line in text.splitlines() if line.startswith("| 26.7.4")]
    cells = "– | 1.7 s, 0.4 s | – | – | – | never, **60.0 s** | – | –"
    assert rows == [f"| 26.7.4 | dns | own | 2 | {cells} | 2026-01-02 |"]
