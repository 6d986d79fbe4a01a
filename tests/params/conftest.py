"""What the tests of params share."""

from __future__ import annotations

import pytest


@pytest.fixture
def root(tmp_path):
    """An empty project folder."""
    (tmp_path / "project/params").mkdir(parents=True)
    (tmp_path / "project/templates").mkdir()
    return tmp_path / "project"
