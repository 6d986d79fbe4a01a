"""docs/cluster-tests.md: what the tests that start clusters promise, and whether it was kept, with the day."""

from __future__ import annotations

import datetime
import re
from collections.abc import Iterable
from dataclasses import dataclass

_HEAD = """\
# What was tried on real clusters

Written by `make test-cluster-all`. Each row is a test that starts a cluster from a template and says what it found
there; one that ran again has its last result.

| test | promise | result | took | on |
|---|---|---|---|---|
"""


@dataclass(frozen=True)
class Tried:
    """A test that ran."""

    name: str
    """`test_broken.py::test_a_missing_path_guard_is_found`."""
    promise: str
    """Its docstring."""
    result: str
    """`passed`, `failed` or `skipped`."""
    seconds: float

    @property
    def line(self) -> str:
        """Its row, dated today."""
        promise = " ".join(self.promise.split()).replace("|", "\\|")
        took = f"{self.seconds / 60:.1f} min"
        return f"| `{self.name}` | {promise} | {self.result} | {took} | {datetime.date.today().isoformat()} |"


def page(before: str, tried: Iterable[Tried]) -> str:
    """The page as Markdown: the rows of the page `before`, with the ones of what was tried in their place."""
    rows = {found["name"]: found[0] for found in re.finditer(r"^\| `(?P<name>[^`]+)` \|.*$", before, re.MULTILINE)}
    rows.update((one.name, one.line) for one in tried)
    return _HEAD + "".join(f"{rows[name]}\n" for name in sorted(rows))
