"""Lines of Keycloak's log, as text or JSON: their level and message, and the cluster views they tell of."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass

_TEXT = re.compile(r"^\S+ \S+ +(?P<level>TRACE|DEBUG|INFO|WARN|ERROR|FATAL) +\[(?P<logger>[^\]]+)\] "
                   r"\((?P<thread>[^)]*)\) (?P<message>.*)$")

# ISPN000094 is a new view, ISPN000093 one that merges parts of a cluster (Infinispan's own log messages; seen on
# Keycloak 24.0.5 to 26.7.4): `… for channel ISPN: [a|3] (2) [a, b]`, and `…: [a|4] (2) [a, b], 2 subgroups: …`.
_VIEW = re.compile(r"ISPN00009(?P<kind>[34]): .*?\[(?P<coordinator>[^|\]]*)\|(?P<number>\d+)\] \((?P<size>\d+)\) "
                   r"\[(?P<members>[^\]]*)\]")


@dataclass(frozen=True)
class Entry:
    """What one line says."""

    level: str
    """`INFO`, `WARN`, `ERROR`...; empty for a line that isn't an entry: a stack trace, a message of the JVM's."""
    logger: str
    message: str


@dataclass(frozen=True)
class View:
    """A cluster as one node sees it."""

    number: int
    members: tuple[str, ...]
    """Names of the nodes, the coordinator first."""
    merged: bool
    """Whether it joins parts that had lost each other."""


def entry(line: str) -> Entry:
    """A line of the log, whichever format it has (KC_LOG_CONSOLE_OUTPUT)."""
    if line.startswith("{"):
        try:
            data = json.loads(line)
        except ValueError:
            data = None
        if isinstance(data, dict):
            message = str(data.get("message", ""))
            exception = data.get("exception")
            if isinstance(exception, dict) and exception.get("message"):
                message = f"{message}: {exception['message']}" if message else str(exception["message"])
            return Entry(str(data.get("level", "")), str(data.get("loggerName", "")), message)
    found = _TEXT.match(line)
    if found:
        return Entry(found["level"], found["logger"], found["message"])
    return Entry("", "", line)


def view(message: str) -> View | None:
    """The cluster view that a message tells of; None where it tells of none."""
    found = _VIEW.search(message)
    if found is None:
        return None
    members = tuple(name.strip() for name in found["members"].split(",") if name.strip())
    # A view of many members is cut short in the line, its size is not.
    members += ("?",) * (int(found["size"]) - len(members))
    return View(int(found["number"]), members, found["kind"] == "3")


def complaint(lines: list[str]) -> str:
    """What best says why a node ended: its last errors, from effect to cause, else the last thing it said."""
    entries = [entry(line) for line in lines if line.strip()]
    errors = [
        one.message.removeprefix("ERROR: ") for one in entries if one.level in ("ERROR", "FATAL") and one.message
    ]
    # Keycloak's launcher closes with hints on how to see more; the cause stands before them.
    telling = [text for text in errors if not text.startswith(("For more details", "Failed to start server"))]
    plain = [one.message for one in entries if one.message]
    if telling:
        # The launcher writes the chain of causes, an error each, and the innermost is often no more than a name.
        return ": ".join(dict.fromkeys(text.rstrip(".") for text in telling[-3:]))
    return (errors or plain or ["it wrote nothing"])[-1]
