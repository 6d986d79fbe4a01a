"""`python -m tests.linting.mutations`: writes docs/mutations.md."""

from __future__ import annotations

from tests.linting.mutations.faulty import PAGE, page

PAGE.write_text(page(), "utf-8")
