"""Our own checks: what AWS refuses at deploy time and cfn-lint accepts. One module, one concern; a
class is a check.

A check looks at what a template says in plain values. A value that only AWS can work out (a parameter, a
`!If`) is never judged: no finding is better than a wrong one.
"""

from __future__ import annotations

import functools
import importlib
import pkgutil

from generator.document import Document
from generator.linting.checks.base import Check
from generator.linting.findings import Finding


@functools.cache
def all_checks() -> tuple[Check, ...]:
    """One of each check in this folder, by id. Raises ValueError where two have the same id."""
    for module in pkgutil.iter_modules(__path__):
        importlib.import_module(f"{__name__}.{module.name}")
    checks = sorted((kind() for kind in Check.kinds), key=lambda check: check.id)
    ids = [check.id for check in checks]
    twice = {one for one in ids if ids.count(one) > 1}
    if twice:
        raise ValueError(f"two checks have the id {', '.join(sorted(twice))}")
    return tuple(checks)


def run(document: Document) -> list[Finding]:
    """What the checks say about a document, in no particular order and without a file."""
    return [finding for check in all_checks() for finding in check.findings(document)]
