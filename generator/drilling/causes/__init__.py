"""Why a promise is broken: what the template itself proves about it, each with the line that makes it so.

Every function takes what was seen for granted and hands back the causes that fit, the likeliest first. What
can't be proved from the template or from a log line isn't named.
"""

from __future__ import annotations

from generator.drilling.causes.access import (
    exposed,
    forged,
    hidden,
    hostname,
    locked_out,
    proxy_headers,
    unserved,
    unsteady,
)
from generator.drilling.causes.certificates import believed, beside, unread, unverified
from generator.drilling.causes.cluster import (
    abrupt,
    alone,
    apart,
    deployment,
    forgotten,
    late,
    served_late,
    silence,
    unwatched,
)

__all__ = [
    "abrupt",
    "alone",
    "apart",
    "believed",
    "beside",
    "deployment",
    "exposed",
    "forged",
    "forgotten",
    "hidden",
    "hostname",
    "late",
    "locked_out",
    "proxy_headers",
    "served_late",
    "silence",
    "unread",
    "unserved",
    "unsteady",
    "unverified",
    "unwatched",
]
