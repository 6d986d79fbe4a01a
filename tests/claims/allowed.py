"""What a server may warn of although nothing is wrong, with the reason."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass

from tests.claims.environment import Environment


@dataclass(frozen=True)
class Excuse:
    """A warning that the rendered environment may bring about."""

    text: str
    """A regular expression."""
    reason: str
    base: str = ""
    """The only kind of environment; any where empty."""
    since: tuple[int, ...] = ()
    before: tuple[int, ...] = (99,)


EXCUSES = (
    Excuse(
        r"Thread Thread\[.*has been blocked for \d+ ms",
        "the machine was at work on other things",
    ),
    Excuse(
        r"\[io.qua.dep.ind.IndexWrapper\] .* Failed to index",
        "classes that Keycloak's own build looks for and doesn't bring",
        before=(25,),
    ),
    Excuse(
        r"ISPN000569: Unable to persist Infinispan internal caches as no global state enabled",
        "Infinispan's remark on every Keycloak of this line",
        before=(26, 2),
    ),
    Excuse(
        r"JGRP000014: ThreadPool.thread_dumps_threshold has been deprecated",
        "a line of the JGroups stacks that Keycloak ships",
        since=(25,),
        before=(26, 2),
    ),
    Excuse(
        r"JDBC resources leaked: \d+ ResultSet\(s\) and 0 Statement\(s\)",
        "Keycloak's own migration of an empty database",
        since=(26,),
        before=(26, 2),
    ),
    Excuse(
        r"option values are DEPRECATED.*: - hostname-admin - hostname( Consult|$)",
        "with --optimized, 25 takes `hostname` for the option of 24 that has the same name",
        "optimized",
        (25,),
        (26,),
    ),
    Excuse(
        r"option values are DEPRECATED.*: - cache-stack=kubernetes: [^-]*-ping' [^-]*$",
        "the stack `kubernetes` is deprecated, a choice of params",
        "stock",
        (26, 3),
    ),
    Excuse(
        r"Stack 'jdbc-ping' not used\. Unable to check cluster health",
        "no health check of the cluster with discovery by DNS, a choice of params",
        since=(26, 4),
    ),
    Excuse(
        r"Deprecated features .* enabled by default",
        "features that Keycloak itself switches on",
        since=(26, 6),
    ),
)


def excuse(excuses: Iterable[Excuse], environment: Environment, text: str) -> str:
    """Why the line is fine; empty where it isn't."""
    version = tuple(int(part) for part in environment.version.split("."))
    return next(
        (
            one.reason
            for one in excuses
            if re.search(one.text, text)
            and one.since <= version < one.before
            and one.base in ("", environment.base)
        ),
        "",
    )
