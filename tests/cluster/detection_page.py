"""The page of what a lost node costs: docs/failure-detection.md."""

from __future__ import annotations

import platform
from collections.abc import Iterable, Mapping
from typing import Protocol

CLOSED = "closed"
"""The same as failover, with FD_SOCK2's port closed between the tasks."""
TITLES = {
    "discovery": "full view", "failover": "killed", "stop": "stopped in order", "freeze": "frozen (SIGSTOP)",
    "lose": "its host lost", "cut": "cut off for 60 s", CLOSED: "killed, 57800 closed",
    "deploy": "rolling deployment"}
"""Way -> its column."""
_GOALS = {"failover": 3.0, "freeze": 15.0, "lose": 15.0, "cut": 15.0}
"""Way -> seconds that clients may be without service at most."""
_HEAD = """\
# How long a lost node costs

Measured by `python -m tests.cluster detection` on clusters of real Keycloak nodes, each rendered from params and
rehearsed with its security groups, Cloud Map's answers and the balancer's checks. The figures of each cell:

- full view: seconds from the first task's start until every node sees every other;
- a lost node: seconds until the others have a view without it, then the longest outage that clients saw through the
  balancer, at 5 probes a second of each kind;
- stopped in order: the same view, and the number of failed probes;
- rolling deployment: failed requests of all that clients sent meanwhile, 20 a second (logins, tokens, refreshes).

`shipped` is Keycloak's own stack in the official image, `own` the stack of the optimized image (`cache-cloudmap.xml`:
FD_ALL3 of 10 s, discovery by hearsay, from 26.2 on a sender for each node). `–` was not measured. **Bold** is more than
the goal: 3 s for clients of a killed node, 15 s where it is frozen, lost or cut off, otherwise no failed request.

A node is killed first of all, in a cluster that has just started. Where its nodes had merged instead of joining, they
don't watch each other yet, and heartbeats decide: up to 26.5 with DNS
([decision 15](decisions/0015-nodes-that-merge-may-not-watch-each-other.md)).
"""


class Cluster(Protocol):
    """What was measured, as `detection.Setup` is."""

    version: str
    discovery: str
    stack: str
    tasks: int
    name: str


_FOOT = """
Machine: {machine}, 2 cores shared by all nodes, database, balancer and probes.

A living node isn't suspected because it collects garbage: two tasks of 2 GiB with the own stack (26.7.4), under the load
of a rolling deployment, made 113 pauses, the longest of 0.19 s, and no node was suspected
(`tests/cluster/test_nodes.py`, 2026-11-23). Encryption stays on with the own stack: every connection to 7800 begins with
TLS. Port 57800 has none, in no stack and no version
([decision 16](decisions/0016-failure-detection-is-not-encrypted.md)).
"""


def page(setups: Iterable[Cluster], known: Mapping[str, Mapping[str, Mapping]]) -> str:
    """The page as Markdown; a cluster without any figure is left out."""
    lines = [
        _HEAD,
        f"| Keycloak | discovery | stack | tasks | {' | '.join(TITLES.values())} | measured |",
        f"|---|---|---|---|{'---|' * len(TITLES)}---|",
    ]
    for setup in setups:
        found = known.get(setup.name)
        if found:
            cells = " | ".join(_cell(way, found.get(way)) for way in TITLES)
            days = max(one["date"] for one in found.values())
            lines.append(f"| {setup.version} | {setup.discovery} | {setup.stack} | {setup.tasks} | {cells} | {days} |")
    return "\n".join([*lines, _FOOT.format(machine=platform.machine())])


def _cell(way: str, found: Mapping | None) -> str:
    if found is None:
        return "–"
    if way == "discovery":
        return f"{found['full']:.0f} s" if "full" in found else "never"
    if way == "deploy":
        if "requests" not in found:
            return "not done"
        return _marked(f"{found['failed']:.0f} of {found['requests']:.0f}", found["failed"] > 0)
    view = f"{found['view']:.1f} s" if "view" in found else "never"
    if way == "stop":
        failed = found.get("failed", 0)
        return f"{view}, {_marked(f'{failed:.0f} failed', failed > 0)}"
    outage = found.get("outage")
    if outage is None:
        return view
    return f"{view}, {_marked(f'{outage:.1f} s', outage > _GOALS.get(way, outage))}"


def _marked(text: str, beyond: bool) -> str:
    return f"**{text}**" if beyond else text
