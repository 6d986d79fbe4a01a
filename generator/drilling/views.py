"""What the nodes' logs tell of the cluster: who calls itself what, and which views were installed when."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace

from generator.keycloak import logs
from generator.rehearsing.target import LogLine

# Infinispan writes the version behind a name in a view from 16 on (Keycloak 26.6), but not everywhere else.
_VERSION = re.compile(r"\(v=[^)]*\)$")
# ISPN000079: what a node calls itself, and its address; seen on Keycloak 24.0.5, 26.0.8 and 26.7.4.
_MYSELF = re.compile(
    r"ISPN000079: .*local address is `?(?P<name>[^`,]+)`?, physical addresses are `?\[(?P<address>[^\]]*)"
)
# What a node writes for a member whose name hasn't reached it yet, though it talks to it; seen on Keycloak 26.4.7
# with three tasks, for as long as that view lasts.
_NAMELESS = re.compile(r"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}")
_CLUSTER_SIZE = re.compile(
    r"^vendor_(?:[a-z_]+_)?cluster_size(?:\{[^}]*\})? +(?P<size>[0-9.]+)", re.MULTILINE
)


@dataclass(frozen=True)
class Seen:
    """A view that a node installed."""

    time: float
    """Seconds since the epoch."""
    task: str
    """Whose log it stands in."""
    number: int
    members: tuple[str, ...]
    """Names of the nodes, without versions; `?` for one that the line left out."""
    merged: bool
    line: str
    """The message."""

    @property
    def size(self) -> int:
        """How many members."""
        return len(self.members)


def views(task: str, lines: Iterable[LogLine]) -> list[Seen]:
    """The views in a task's log, in its order."""
    found = []
    for line in lines:
        # Cheap first: a debug log has many lines and few views.
        if "ISPN00009" not in line.text:
            continue
        message = logs.entry(line.text).message
        view = logs.view(message)
        if view is not None:
            found.append(
                Seen(line.time, task, view.number, tuple(map(plain, view.members)), view.merged, message)
            )
    return found


def own_name(lines: Iterable[LogLine], address: str = "") -> str:
    """What the node of a log calls itself in views; empty where it hasn't said. Of several starts the last
    one; with an `address`, only one that has that address."""
    name = ""
    for line in lines:
        if "ISPN000079" in line.text:
            found = _MYSELF.search(logs.entry(line.text).message)
            if found and (not address or found["address"].split(":")[0] == address):
                name = plain(found["name"])
    return name


def named(view: Seen, others: Iterable[Seen]) -> Seen:
    """The view with the names that other nodes wrote for the same members: a view has them in one order for all."""
    members = list(view.members)
    if not any(map(_NAMELESS.fullmatch, members)):
        return view
    for other in others:
        pairs = list(zip(members, other.members))
        if (other.number, other.size) == (view.number, view.size) and all(
            one == another or _NAMELESS.fullmatch(one) or _NAMELESS.fullmatch(another) for one, another in pairs
        ):
            members = [another if _NAMELESS.fullmatch(one) else one for one, another in pairs]
    return replace(view, members=tuple(members))


def plain(name: str) -> str:
    """A node's name without the version behind it."""
    return _VERSION.sub("", name.strip())


def first_without(found: Sequence[Seen], name: str, since: float) -> Seen | None:
    """The first view from a moment on that a node is no member of; None where there is none."""
    return next((view for view in found if view.time >= since and name not in view.members), None)


def cluster_size(metrics: str) -> int | None:
    """The number of members that a node's metrics name; None where they don't.

    Source: Keycloak's guide "Monitoring performance with Keycloak metrics" (`vendor_cluster_size`); names
    with the cache manager's in between are Infinispan's older ones.
    """
    found = _CLUSTER_SIZE.search(metrics)
    return int(float(found["size"])) if found else None
