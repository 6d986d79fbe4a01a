"""What is said to the balancer while it runs: targets come and go, as ECS has it."""

from __future__ import annotations

from generator.rehearsing.balancer.targets import backend
from generator.rehearsing.topology import Host, TargetGroup


def register(group: TargetGroup, host: Host) -> list[str]:
    """Commands that register a slot: it is `initial` and gets nothing until it passes a check, one being
    enough for a target that was just registered (health checks for target groups). After a failed one it
    needs as many passes as any unhealthy target.

    Commands of one list may go in one line with `;` between them, and the last two have to.
    """
    checks = f"{backend(group)}-checks/{host.name}"
    # `state ready` alone would make it healthy before the first check; a stopping server gets no requests.
    return [
        f"set server {backend(group)}-open/{host.name} state ready",
        f"set server {checks} state ready",
        f"set server {checks} health stopping",
    ]


def deregister(group: TargetGroup, host: Host) -> list[str]:
    """Commands that deregister a slot: no new request goes there, not even of a client that is sticky, while
    those under way go on (`draining`)."""
    return [
        f"set server {backend(group)}-open/{host.name} state maint",
        f"set server {backend(group)}-checks/{host.name} state maint",
    ]


def disconnect(group: TargetGroup, host: Host) -> list[str]:
    """Commands that end what is still under way when the deregistration delay is over (`unused`)."""
    return [f"shutdown sessions server {backend(group)}{kind}/{host.name}" for kind in ("", "-open")]


def states_command() -> str:
    """The command whose answer `states` reads."""
    return "show servers state"


def states(answer: str) -> dict[tuple[str, str], str]:
    """(`backend` of a target group, slot) to `initial`, `healthy`, `unhealthy` or `maint` (not registered).

    `answer` is what HAProxy says to `states_command`: the format of its state file, whose columns its second
    line names (management guide, "show servers state"). Empty for an empty answer.
    """
    found: dict[tuple[str, str], str] = {}
    columns: list[str] = []
    for line in answer.splitlines():
        words = line.split()
        if line.startswith("# "):
            columns = words[1:]
        elif len(words) == len(columns) and words:
            row = dict(zip(columns, words))
            group, _, kind = row["be_name"].rpartition("-")
            if kind == "checks":
                found[group, row["srv_name"]] = _state(row)
    return found


def _state(row: dict[str, str]) -> str:
    # 1, 2 and 32: in maintenance by command, by the server it follows, by DNS. 4 only tells that it began so.
    if int(row["srv_admin_state"]) & 35:
        return "maint"
    # 0 and 1: nothing checked yet, as at HAProxy's own start.
    if row["srv_op_state"] == "3" or row["srv_op_state"] == "2" and row["srv_check_status"] in ("0", "1"):
        return "initial"
    return "healthy" if row["srv_op_state"] == "2" else "unhealthy"


def paths_command(*, normalized: bool) -> str:
    """The command that lets rules see paths as they come (the start), or without dot segments and with
    unreserved characters decoded.

    AWS says both that a pattern is matched against the URL's path and that this happens "after URI
    normalization", not what the normalization is (condition types, "Path conditions"). Targets get the path
    as it came either way. Where rules see normalized paths, a percent sign without two digits is answered
    400.
    """
    return f"experimental-mode on; set var proc.paths str({'normalized' if normalized else 'raw'})"
