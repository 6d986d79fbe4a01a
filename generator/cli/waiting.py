"""Waits for a rehearsal's cluster: shows how far it is, and says why it won't be."""

from __future__ import annotations

import sys
import time

from generator.errors import RehearsalError

LOOK_EVERY = 3.0
"""Seconds between two looks."""
BREAKER = 3
"""Tasks that end before a rehearsal is given up: what ECS' deployment circuit breaker takes at least (ECS
developer guide, "How the deployment circuit breaker detects failures")."""
APART = 90.0
"""Seconds that tasks may all be well and not see each other. Two that began as clusters of one merge within 50 s
(measured on 26.7.4)."""
REFUSED = 60.0
"""Seconds that the balancer's checks may fail on tasks that are well, where the template tells why they would. ECS
replaces such tasks only after the service's grace period, and the new ones fare no better."""


def await_cluster(place, started, docker, watch, tell, begun: float, wait: float) -> None:
    """Returns when the cluster is complete; `watch` is the watch's process, `begun` is by `time.monotonic`. Raises
    RehearsalError with the cause when it won't be."""
    from generator.rehearsing import rehearsal

    topology = started.topology
    # Until then an answer of DNS' from before keeps them from each other.
    patience = APART + (topology.discovery.kept if topology.discovery else 0)
    apart = refused = 0.0
    while True:
        now = rehearsal.status(place, started, docker)
        if now.complete:
            return
        ended = [one for one in place.lines("events.jsonl") if one["what"] in ("died", "unhealthy")]
        if said := hopeless(ended):
            raise RehearsalError(said + _because(topology, ended[-1]["what"]))
        moment = time.monotonic()
        apart = (apart or moment) if _well(now) else 0.0
        if apart and moment - apart > patience:
            raise RehearsalError(
                f"the tasks are well and don't see each other after {moment - begun:.0f} s: "
                f"{'; '.join(_lines(now))}{_because(topology, 'apart')}"
            )
        refused = (refused or moment) if _refused(now) else 0.0
        if refused and moment - refused > REFUSED and (why := _because(topology, "unhealthy")):
            raise RehearsalError(
                f"the tasks are well, and the balancer's checks of them fail: {'; '.join(_lines(now))}{why}"
            )
        if watch.poll() is not None:
            log = (place.state / "watch.log").read_text(encoding="utf-8").strip().splitlines()
            said = log[-1] if log else f"exit code {watch.returncode}"
            raise RehearsalError(f"the watch over the rehearsal ended: {said}")
        if moment - begun > wait:
            causes = _because(topology, "unhealthy") + _because(topology, "apart")
            raise RehearsalError(f"no full cluster after {wait:.0f} s: {'; '.join(_lines(now))}{causes}")
        if sys.stderr.isatty():
            tell("\n  ".join((f"waiting for the cluster, {moment - begun:.0f} s", *_lines(now))))
        else:
            tell("; ".join(_lines(now)))
        time.sleep(LOOK_EVERY)


def hopeless(ended: list[dict]) -> str:
    """Why more tasks would end as these did; empty where one that was replaced may do better.

    ECS replaces a task that ended. One may have lost a race, as two nodes do that make an empty database's tables;
    two that ended for the same reason, or three, are what ECS' circuit breaker would call a failed deployment.
    """
    reasons = [one["text"] for one in ended]
    if len(reasons) >= BREAKER or len(set(reasons)) < len(reasons):
        return f"{ended[-1]['slot']}: {reasons[-1]}"
    return ""


def _well(now) -> bool:
    """Whether all tasks that are wanted are well, and only the cluster is missing."""
    well = _living(now)
    return len(well) == now.wanted and any(one.members < now.wanted for one in well)


def _refused(now) -> bool:
    """Whether all tasks that are wanted are well, and the balancer says otherwise of each."""
    well = _living(now)
    return len(well) == now.wanted and all(one.target == "unhealthy" for one in well)


def _living(now) -> list:
    """The tasks that are well, whatever the balancer and the others say of them."""
    return [one for one in now.tasks if one.phase == "running" and one.health == "healthy"]


def _because(topology, what: str) -> str:
    """What in the template explains it, each on a line; empty where nothing is found, or a task ended by itself."""
    from generator.drilling import causes

    found = {"apart": causes.apart, "unhealthy": causes.unserved}.get(what, lambda _: ())(topology)
    return "".join(
        f"\n  {one.text}{f' (template line {one.line})' if one.line else ''}{f': {one.fix}' if one.fix else ''}"
        for one in found
    )


def _lines(now) -> list[str]:
    return [
        f"{task.slot} {task.phase}, {task.health}, sees {task.members} of {now.wanted}"
        + (f", balancer: {task.target}" if task.target else "")
        for task in now.tasks
    ] or ["no task yet"]
