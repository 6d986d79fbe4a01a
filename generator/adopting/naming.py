"""The name of a stack that is there, as far as its own texts tell."""

from __future__ import annotations

import re
from collections import Counter

from generator.adopting.preview import STACK, Preview
from generator.document import Document


def stack_name(document: Document, preview: Preview) -> str:
    """The name that stands where rendering writes a stack's: in descriptions. One that stands for it where
    there is none."""
    ours = preview.document(STACK)
    if ours is None:
        return STACK
    said = {
        value.rpartition(STACK)[0]
        for path, value in ours.leaves()
        if isinstance(value, str) and value.endswith(f" of {STACK}") and _describes(path)
    }
    found: Counter[str] = Counter()
    for path, value in document.leaves():
        if isinstance(value, str) and _describes(path):
            found.update(
                value.removeprefix(one)
                for one in said
                if value.startswith(one) and re.fullmatch(r"[A-Za-z][A-Za-z0-9-]{0,127}", value.removeprefix(one))
            )
    return found.most_common(1)[0][0] if found else STACK


def _describes(path: tuple) -> bool:
    return path[:1] == ("Resources",) and str(path[-1]).endswith("Description")
