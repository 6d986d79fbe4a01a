"""Our own checks: what AWS refuses at deploy time and cfn-lint accepts. One module, one concern; a
class is a check.

A check looks at what a template says in plain values. A value that only AWS can work out (a parameter, a
`!If`) is never judged: no finding is better than a wrong one.
"""

from __future__ import annotations

import importlib
import pkgutil


def load() -> None:
    """Imports every module of this folder, so that `Rule.kinds` has its rules."""
    for module in pkgutil.iter_modules(__path__):
        importlib.import_module(f"{__name__}.{module.name}")
