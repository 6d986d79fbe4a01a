"""A project for what is adopted."""

from __future__ import annotations

import pytest
from adoptions import Rendering


@pytest.fixture
def rendering(tmp_path) -> Rendering:
    return Rendering(tmp_path / "project")
