"""What HAProxy writes of a request, and how it is read back."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass

# One request is one line of JSON: `json` escapes what is not ASCII as if it were ISO 8859-1, so each byte
# survives.
_FIELDS = {
    "time": "%Ts.%ms",
    "vantage": '"%[so_name]"',
    "source": '"%[src]"',
    "method": '"%[capture.req.method,json]"',
    "host": '"%[var(txn.host),json]"',
    "target": '"%[capture.req.uri,json]"',
    "rule": '"%[var(txn.rule)]"',
    "backend": '"%b"',
    "server": '"%s"',
    "status": "%ST",
    "state": '"%tsc"',
    "milliseconds": "%Ta",
}

FORMAT = "{" + ",".join(f'"{key}":{value}' for key, value in _FIELDS.items()) + "}"
"""HAProxy's log format."""


@dataclass(frozen=True)
class Request:
    """One request, as the balancer's log has it."""

    time: float
    """Seconds since the epoch, when its first byte came."""
    vantage: str
    """Name of the vantage; empty for a connection to a listener's real port."""
    source: str
    """The client's address, as rules and X-Forwarded-For see it."""
    method: str
    """Empty, like all that follows from it, for what was no request."""
    host: str
    """The Host header."""
    target: str
    """Path and query as they came, one character a byte; of an absolute URI without scheme and host."""
    rule: str
    """Logical id of the rule that decided; empty where none was asked."""
    target_group: str
    """Logical id (`backend` of it) of the group that the request was sent to; empty where the balancer
    answered."""
    server: str
    """Name of the slot that answered or failed to; empty where the balancer answered."""
    status: int
    """What the client got; -1 where it got nothing."""
    state: str
    """HAProxy's session state at disconnection (manual, 8.5): `--` is a regular end, `SC` a refused
    connection, `sC` one that timed out, `SH` and `sH` the same of the response, `LR` an answer of the
    balancer's own, `CD` a client gone; then two characters of the sticky cookie's."""
    milliseconds: int
    """From its first byte to the answer's last; -1 where that isn't known."""


def parse_log(line: str) -> Request | None:
    """The request of a line of HAProxy's output; None for a line that is none, as when a target's state
    changes."""
    start = line.find('{"time":')
    if start < 0:
        return None
    try:
        row = json.loads(line[start:])
    except ValueError:
        return None
    if row.keys() != _FIELDS.keys():
        return None

    def known(key: str) -> str:
        # What there is none of is `-` in a log, `<BADREQ>` and the like.
        return "" if row[key] == "-" or re.fullmatch(r"<[A-Z]+>", row[key]) else row[key]

    server = known("server")
    return Request(
        time=float(row["time"]),
        vantage=known("vantage"),
        source=known("source"),
        method=known("method"),
        host=known("host"),
        target=known("target"),
        rule=known("rule"),
        target_group=row["backend"].removesuffix("-open") if server else "",
        server=server,
        status=int(row["status"]),
        state=row["state"],
        milliseconds=int(row["milliseconds"]),
    )
