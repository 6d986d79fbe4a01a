"""All rules there are, and running them over a template."""

from __future__ import annotations

import difflib
import functools
import traceback
from pathlib import Path

from generator.linting import checks, rules
from generator.linting.findings import Finding
from generator.linting.rule import Rule
from generator.linting.view import View

_NAMED = 3
"""How many rules that failed are named."""
_PACKAGE = Path(__file__).resolve().parent.parent


@functools.cache
def all_rules() -> tuple[Rule, ...]:
    """One of each rule, by number and then by letter. Raises ValueError where two have the same id."""
    checks.load()
    rules.load()
    found = sorted((kind() for kind in Rule.kinds), key=lambda rule: (rule.id[1:], rule.id))
    ids = [rule.id for rule in found]
    twice = {one for one in ids if ids.count(one) > 1}
    if twice:
        raise ValueError(f"two rules have the id {', '.join(sorted(twice))}")
    return tuple(found)


def rule(name: str) -> Rule | None:
    """The rule with that id, in whatever case it is written."""
    return next((one for one in all_rules() if one.id == name.strip().upper()), None)


def nearest(name: str) -> str:
    """The id that was probably meant by one that isn't there; empty if none looks like it.

    The same number with another letter comes first, since people remember numbers, then the next number.
    """
    wanted = name.strip().upper()
    ids = [one.id for one in all_rules()]
    number = wanted.lstrip("EWI")
    if number.isdigit() and len(number) == 4:
        return min(ids, key=lambda one: (abs(int(one[1:]) - int(number)), one[0] != wanted[0], one))
    return (difflib.get_close_matches(wanted, ids, 1, 0.5) or [""])[0]


def run(view: View) -> list[Finding]:
    """What the rules say about a template, in no particular order and without a file.

    A rule that fails raises whatever it stumbled over: see `run_all`.
    """
    return [finding for one in all_rules() for finding in one.findings(view)]


def run_all(view: View) -> list[Finding]:
    """The same, but a rule that fails doesn't keep the others from speaking: one finding more, E9598, names
    those that did."""
    found: list[Finding] = []
    failed: dict[str, Exception] = {}
    for one in all_rules():
        try:
            found += one.findings(view)
        except Exception as error:  # whatever it is, it is our fault, not the template's
            failed[one.id] = error
    return found + ([_failure(failed)] if failed else [])


def _failure(failed: dict[str, Exception]) -> Finding:
    """What is said of rules that failed. Not what the exceptions say, which may quote a secret."""
    name, error = next(iter(failed.items()))
    more = f" and {len(failed) - _NAMED} more" if len(failed) > _NAMED else ""
    ids = ", ".join([*failed][:_NAMED]) + more
    return Finding(
        "E9598",
        "error",
        f"nobody knows what {ids} would have said: a rule of this program failed ({name}: "
        f"{type(error).__name__} {_where(error)})",
        (),
        1,
        1,
        1,
        2,
        title="Every rule ran to its end",
        fix="please report it, with the part of the template that makes it happen",
    )


def _where(error: Exception) -> str:
    """The line of ours that an exception went through last."""
    frames = [(Path(one.filename), one.lineno) for one in traceback.extract_tb(error.__traceback__)]
    file, line = next(one for one in reversed(frames) if one[0].is_relative_to(_PACKAGE))
    return f"in {file.relative_to(_PACKAGE.parent).as_posix()}, line {line}"
