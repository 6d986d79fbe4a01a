"""Origins: each finding learns which template line and which params value are behind its line."""

from __future__ import annotations

from dataclasses import dataclass

import pytest

from generator.linting import Finding, with_origins
from generator.linting.findings import severity_of


@dataclass
class Line:
    """What rendering knows of a line; any object with these three will do."""

    template_file: str
    template_line: int
    params_key: str | None


ORIGINS = [
    Line("templates/a.j2", 1, None),
    Line("templates/b.j2", 7, "service.cpu"),
    None,
    Line("templates/b.j2", 8, "service.memory"),
]


def params(key: str) -> tuple[str, int] | None:
    return {"service.cpu": ("params/prod.yaml", 9)}.get(key)


@pytest.mark.parametrize(
    ("line", "origin"),
    [
        pytest.param(1, ("templates/a.j2", 1, "", "", 0), id="a line no value decided"),
        pytest.param(
            2, ("templates/b.j2", 7, "service.cpu", "params/prod.yaml", 9), id="a line a value decided"
        ),
        pytest.param(3, ("", 0, "", "", 0), id="a line nobody knows"),
        pytest.param(4, ("templates/b.j2", 8, "service.memory", "", 0), id="a value that is a default"),
        pytest.param(0, ("", 0, "", "", 0), id="no line"),
        pytest.param(5, ("", 0, "", "", 0), id="a line behind the last"),
    ],
)
def test_a_finding_learns_its_origin(line, origin):
    """The origin is that of the finding's line; what isn't known stays empty, and nothing else changes."""
    before = Finding("E1", "error", "m", ("a",), line, 2, line, 3, "f", "t", "x", "u")
    (after,) = with_origins([before], ORIGINS, params)
    found = (after.template_file, after.template_line, after.params_key, after.params_file, after.params_line)
    assert found == origin
    assert after.order == before.order and (after.fix, after.source_url) == ("x", "u")


def test_origins_need_no_params():
    """Without a way to look up params a finding still has its template line and the key."""
    (after,) = with_origins([Finding("E1", "error", "m", line=2)], ORIGINS)
    assert (after.template_line, after.params_key, after.params_file) == (7, "service.cpu", "")


def test_a_rules_letter_is_its_severity():
    """E is an error, W a warning, I good to know."""
    assert [severity_of(rule) for rule in ("E9501", "W9532", "I3011")] == ["error", "warning", "info"]
