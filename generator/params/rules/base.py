"""What a rule is, and what it says."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass

from generator.keycloak.catalog import Catalog
from generator.params.model import Settings


@dataclass(frozen=True)
class Complaint:
    """What is wrong at `key`; `severity` is error or warning."""

    key: str
    message: str
    fix: str
    severity: str = "error"


@dataclass(frozen=True)
class Rule:
    """A check over the settings and the catalog of their version; skipped while a key in `keys` is wrong.

    A check that asks the catalog names keycloak.version: there is no catalog while that one is wrong.
    """

    keys: tuple[str, ...]
    check: Callable[[Settings, Catalog], Iterable[Complaint]]


RULES: list[Rule] = []


def rule(*keys: str):
    """Registers a check that reads `keys`."""
    def register(check: Callable[[Settings, Catalog], Iterable[Complaint]]):
        RULES.append(Rule(keys, check))
        return check
    return register


def warning(key: str, message: str, fix: str) -> Complaint:
    """A complaint that doesn't keep the environment from being written."""
    return Complaint(key, message, fix, "warning")


def one_of_two(key: str, both: bool) -> Complaint:
    """About a section that wants `create` or `existing` and has both of them, or neither."""
    if both:
        return Complaint(key, "both `create` and `existing` are given",
                         "keep one; `create: null` or `existing: null` takes an inherited one away")
    return Complaint(key, "neither `create` nor `existing` is given", "write one of them")
