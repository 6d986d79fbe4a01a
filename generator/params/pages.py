"""What stands in a project and is made from the model alone: the schema editors use, and the reference page."""

from __future__ import annotations

from generator.params.reference import page
from generator.params.schema import schema_text


def made() -> dict[str, str]:
    """Path below the project folder -> text of each of them."""
    return {"params/schema.json": schema_text(), "docs/params.md": page()}
