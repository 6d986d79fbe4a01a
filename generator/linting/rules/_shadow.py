"""Which listener rules never decide, because an earlier one takes all of their requests; no rules in here."""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Iterator

from generator.linting.view import Keycloak
from generator.linting.view.balancers import Condition, Decision


def shadowed(keycloak: Keycloak) -> Iterator[tuple[Decision, Decision, str]]:
    """(the late rule, the early one, what that means) on the listeners in front of Keycloak: `opened` for one that
    should close what is forwarded to Keycloak already, `closed` for one that should forward what is answered
    already, `dead` for any other."""
    groups = {one.name for one in keycloak.target_groups}
    for listener in keycloak.listeners:
        if not listener.ordered:
            continue
        for number, late in enumerate(listener.rules):
            early = next((one for one in listener.rules[:number] if _covers(one, late)), None)
            if early is None or early.priority == late.priority:
                continue
            first, second = _does(early, groups), _does(late, groups)
            if first == "forward" and second in ("refuse", "login"):
                yield late, early, "opened"
            elif first == "refuse" and second in ("forward", "login"):
                yield late, early, "closed"
            elif {first, second} & {"forward", "login"}:
                yield late, early, "dead"


def _does(decision: Decision, groups: set[str]) -> str:
    """`login` and `refuse` close a path, `forward` opens it."""
    if decision.action.kind == "fixed-response":
        status = decision.action.place["FixedResponseConfig"]["StatusCode"].text or ""
        return "refuse" if status[:1] in ("4", "5") else "else"
    if not groups & set(decision.action.groups):
        return "else"
    return "login" if decision.action.login else "forward"


def _covers(early: Decision, late: Decision) -> bool:
    """Whether every request that the late rule is for meets the early one's conditions."""
    if not early.conditions_known or not early.conditions or not late.conditions_known:
        return False
    return all(any(_narrower(mine, one) for mine in late.conditions) for one in early.conditions)


def _narrower(mine: Condition, one: Condition) -> bool:
    """Whether every request that meets `mine` meets `one`."""
    if mine.field != one.field or not mine.complete or not one.complete:
        return False
    if one.field == "source-ip":
        return all(any(_within(text, wide) for wide in one.texts) for text in mine.texts)
    if one.field == "http-header":
        names = [each.place["HttpHeaderConfig"]["HttpHeaderName"].text for each in (mine, one)]
        if None in names or names[0].lower() != names[1].lower():  # type: ignore[union-attr]
            return False
    if one.field == "http-request-method":
        return set(mine.texts) <= set(one.texts)
    if one.field not in ("path-pattern", "host-header", "http-header"):
        return False
    exact = one.field == "path-pattern"
    return all(any(_wider(wide, text, exact) for wide in one.texts) for text in mine.texts)


def _wider(wide: str, pattern: str, exact: bool) -> bool:
    """Whether one pattern takes all that the other takes: its `*` anything, wildcards too, its `?` no `*`."""
    parts = (".*" if sign == "*" else "[^*]" if sign == "?" else re.escape(sign) for sign in wide)
    return re.fullmatch("".join(parts), pattern, re.DOTALL if exact else re.DOTALL | re.IGNORECASE) is not None


def _within(text: str, wide: str) -> bool:
    try:
        inner, outer = (ipaddress.ip_network(one, strict=False) for one in (text, wide))
        return inner.version == outer.version and inner.subnet_of(outer)  # type: ignore[arg-type]
    except ValueError:
        return False
