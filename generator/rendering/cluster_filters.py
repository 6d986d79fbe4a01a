"""CloudWatch Logs patterns that tell a whole cluster's view from one with fewer members than tasks.

Every node logs each new view of the cluster, e.g. (26.7.4; real lines stand in tests/rendering/loglines)
`ISPN000094: Received new cluster view for channel ISPN: [node-1(v=16.0.14)|1] (2) [node-1(v=16.0.14), …]` and
after a split `ISPN000093: … channel ISPN: MergeView::[node-1|4] (3) [a, b, c], 2 subgroups: [..|3] (1) [..], …`.
The number of members is the first one in round brackets that stands between blanks after `ISPN:`.

CloudWatch's regular expressions have no groups and no round brackets, hence `.`; \\s and \\S are among what they have
(CloudWatch Logs User Guide, "Supported regular expressions (regex) syntax"); a log group takes five such patterns.
"""

from __future__ import annotations

from dataclasses import dataclass

_VIEW = r"ISPN00009[34].*ISPN:\s\S+\s."


@dataclass(frozen=True)
class ClusterFilters:
    """Patterns of the two metric filters, and the namespace of their metric."""

    namespace: str
    broken: str
    """Matches a view with fewer members than tasks; empty where one task is a cluster."""
    whole: str
    """Matches a view with at least as many members as tasks."""


def fewer_than(tasks: int) -> str:
    """A regular expression for the digits of 1 to `tasks` - 1, as alternatives of whole views; `tasks` from 2 to 99."""
    tens, units = divmod(tasks - 1, 10)
    if tens == 0:
        return _either(f"[1-{units}]")
    # 1 to 9, and each full ten below; then the ten that isn't full.
    return _either(f"[1-{tens - 1}]?[0-9]" if tens > 1 else "[1-9]", f"{tens}[0-{units}]")


def at_least(tasks: int) -> str:
    """A regular expression for the digits of `tasks` to 99, as alternatives of whole views; `tasks` from 1 to 99."""
    tens, units = divmod(tasks, 10)
    if tens == 9:
        return _either(f"9[{units}-9]")
    return _either(f"{tens or ''}[{units}-9]", f"[{tens + 1}-9][0-9]")


def _either(*digits: str) -> str:
    return "|".join(rf"{_VIEW}{some}.\s" for some in digits)


def cluster_filters(stack: str, tasks: int, json_lines: bool) -> ClusterFilters:
    """The filters of a stack whose service runs `tasks` tasks at least."""
    def pattern(regex: str) -> str:
        return f"{{ $.message = %{regex}% }}" if json_lines else f"%{regex}%"

    broken = pattern(fewer_than(tasks)) if tasks > 1 else ""
    return ClusterFilters(f"Keycloak/{stack}", broken, pattern(at_least(tasks)))
