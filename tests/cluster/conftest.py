"""The engine that the cluster tests run on; it stays up after them, for the next run."""

from __future__ import annotations

import pytest

from tests.cluster import engine as engines

# An engine that was here before is never stopped or replaced: nothing in test_engine.py concerns it.
_found = engines.find()
collect_ignore = [] if _found is None or _found.own else ["test_engine.py"]


@pytest.fixture(scope="session")
def engine() -> engines.Engine:
    """The engine that runs here, or our own, started."""
    return engines.up()
