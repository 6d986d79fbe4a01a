"""What stands in a project and is made from the model alone: the schema editors use, and the reference page."""

from __future__ import annotations

from pathlib import Path

from generator.params.reference import page
from generator.params.schema import schema_text


def made() -> dict[str, str]:
    """Path below the project folder -> text of each of them."""
    return {"params/schema.json": schema_text(), "docs/params.md": page()}


def stale(root: Path, missing: bool = False) -> list[str]:
    """Paths of those in the project at `root` that aren't what the model gives; with `missing`, also of those that
    aren't there. Raises OSError for one that can't be read.
    """
    def is_stale(file: Path, text: str) -> bool:
        return file.read_bytes() != text.encode("utf-8") if file.is_file() else missing

    return [name for name, text in made().items() if is_stale(root / name, text)]
