"""The name that was probably meant."""

from __future__ import annotations

import difflib
from collections.abc import Iterable


def suggestion(name: str, known: Iterable[str], few: int = 12) -> str:
    """The known name that is nearest to `name`, as a question; without one, all of them if they are few."""
    known = sorted({str(one) for one in known})
    turned = [one for one in known if sorted(one) == sorted(name)]
    nearest = turned or difflib.get_close_matches(name, known, n=1)
    if nearest:
        return f"did you mean `{nearest[0]}`?"
    if 0 < len(known) <= few:
        return "there is " + ", ".join(f"`{one}`" for one in known)
    return ""
