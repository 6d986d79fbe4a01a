"""Target groups as backends: three of HAProxy's for each, so that each part is told apart."""

from __future__ import annotations

import re
from collections.abc import Collection

from generator.rehearsing import quoting
from generator.rehearsing.topology import TargetGroup, Topology

STICKY_COOKIE = "AWSALB"
"""Its value begins with the name of the slot that it holds on to, then `|`."""

_COOKIE_LIFE = "Max-Age=604800"
"""Seven days, whatever the duration of the stickiness (sticky sessions, "Duration-based stickiness")."""

_ALGORITHMS = {
    "round_robin": "roundrobin",
    "least_outstanding_requests": "leastconn",
    "weighted_random": "random",
}


def backend(group: TargetGroup | str) -> str:
    """What a target group is called in HAProxy, in its log and in `states`: its logical id."""
    return re.sub(r"[^A-Za-z0-9_.:-]", "_", group if isinstance(group, str) else group.logical_id)


def section(topology: Topology, group: TargetGroup, started: Collection[str]) -> dict[str, object]:
    """What the configuration's template says of a target group; `started` are the slots that begin
    registered.

    Raises RehearsalError for values that no target group has.
    """
    where = quoting.place(topology.file, group.line)
    checked = quoting.place(topology.file, group.health_line or group.line)
    if not re.fullmatch(r"\d{3}(-\d{3})?(,\d{3}(-\d{3})?)*", group.health_codes):
        raise quoting.refused(checked, f"{quoting.comment(group.health_codes)!r} are no status codes")
    if group.algorithm not in _ALGORITHMS:
        raise quoting.refused(
            where, f"{quoting.comment(group.algorithm)!r} is no algorithm of a target group's"
        )
    if group.application_cookie and not re.fullmatch(r"[A-Za-z0-9_.~-]{1,256}", group.application_cookie):
        raise quoting.refused(where, f"{quoting.comment(group.application_cookie)!r} is no name of a cookie")
    for port in (group.port, group.health_port):
        quoting.ports(port, port, where)
    own_cookie = group.stickiness is not None and not group.application_cookie
    return {
        "logical_id": group.logical_id,
        "name": backend(group),
        "port": group.port,
        "algorithm": _ALGORITHMS[group.algorithm],
        "title": f"every address of a task of {topology.service.logical_id}, template line {group.line}",
        "health_path": quoting.haproxy(group.health_path, checked, "the health check's path"),
        "health_port": group.health_port or group.port,
        "health_codes": group.health_codes,
        "interval": group.interval,
        "timeout": group.timeout,
        "healthy": group.healthy,
        "unhealthy": group.unhealthy,
        "health_options": " check-ssl verify none" if group.health_protocol == "HTTPS" else "",
        # The balancer doesn't look at a target's certificate (target groups, "Routing configuration").
        "options": " ssl verify none" if group.protocol == "HTTPS" else "",
        "stickiness": _stickiness(group),
        "after": [
            f"http-after-response add-header Set-Cookie '{STICKY_COOKIE}CORS=%[res.cook({STICKY_COOKIE})]; "
            f"{_COOKIE_LIFE}; Path=/; SameSite=None; Secure' if {{ res.cook({STICKY_COOKIE}) -m found }}"
        ]
        if own_cookie
        else [],
        "servers": [
            {
                "name": quoting.word(slot.name, where, "the slot"),
                "address": slot.address,
                "enabled": slot.name in started,
                "cookie": f" cookie {slot.name}" if own_cookie else "",
            }
            for slot in topology.slots
        ],
    }


def _stickiness(group: TargetGroup) -> list[str]:
    if group.stickiness is None:
        return []
    if group.application_cookie:
        # The balancer wraps the application's cookie into one of its own; here it remembers the cookie.
        return [
            f"stick-table type string len 1024 size 100k expire {group.stickiness}s",
            f"stick match req.cook({group.application_cookie})",
            f"stick store-response res.cook({group.application_cookie})",
        ]
    # The target sees the cookie too, as behind the real balancer, so not `indirect`.
    return [f'cookie {STICKY_COOKIE} insert maxidle {group.stickiness}s attr "{_COOKIE_LIFE}"']
