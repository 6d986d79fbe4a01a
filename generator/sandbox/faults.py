"""What can go wrong between a client and AWS, by microburst: the N-th call of an operation is lost, late or
refused.

microburst knows AWS' services: its errors have the shape that an SDK's retries look for.
"""

from __future__ import annotations

import json
import urllib.request
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from generator.sandbox.processes import Program

_NOTHING = "match"
"""What microburst calls a rule that does nothing."""


@dataclass(frozen=True)
class Fault:
    """Something that goes wrong with some calls of an operation; the functions below make them."""

    service: str
    """As boto3 names it (`cloudformation`, `elbv2`); `*` for every one."""
    operation: str
    """Such as `DescribeStacks`; empty for every one."""
    effect: dict[str, Any] = field(hash=False)
    """What microburst does."""
    at: int = 1
    """The first call that it happens to, counted from 1."""
    times: int | None = 1
    """To how many calls, one after the other; None: to all from there on."""


def throttled(service: str, operation: str = "", *, at: int = 1, times: int | None = 1) -> Fault:
    """AWS says `Throttling: Rate exceeded`."""
    return Fault(
        service,
        operation,
        {"error": {"code": "Throttling", "status": 400, "message": "Rate exceeded"}},
        at,
        times,
    )


def unavailable(service: str, operation: str = "", *, at: int = 1, times: int | None = 1) -> Fault:
    """AWS says 503."""
    return Fault(
        service,
        operation,
        {"error": {"code": "ServiceUnavailable", "status": 503, "message": "Service is unavailable"}},
        at,
        times,
    )


def expired(service: str, operation: str = "", *, at: int = 1, times: int | None = None) -> Fault:
    """The credentials were good, and aren't from this call on."""
    return Fault(
        service,
        operation,
        {
            "error": {
                "code": "ExpiredToken",
                "status": 403,
                "message": "The security token included in the request is expired",
            }
        },
        at,
        times,
    )


def refused(
    service: str,
    operation: str,
    code: str,
    message: str,
    *,
    status: int = 400,
    at: int = 1,
    times: int | None = None,
) -> Fault:
    """AWS refuses with a code of its own, such as `AccessDenied`."""
    return Fault(
        service, operation, {"error": {"code": code, "status": status, "message": message}}, at, times
    )


def reset(service: str, operation: str = "", *, at: int = 1, times: int | None = 1) -> Fault:
    """The connection is reset before AWS has the request."""
    return Fault(service, operation, {"reset": True}, at, times)


def cut(service: str, operation: str = "", *, at: int = 1, times: int | None = 1) -> Fault:
    """AWS does what it was asked, and the connection breaks while it answers."""
    return Fault(service, operation, {"response": {"abort_frac": 0.5}}, at, times)


def slow(
    service: str, operation: str = "", *, milliseconds: float, at: int = 1, times: int | None = None
) -> Fault:
    """The call takes so much longer."""
    return Fault(service, operation, {"latency": milliseconds}, at, times)


class Proxy:
    """A way to the local AWS on which calls go wrong."""

    def __init__(self, python: Path, folder: Path, upstream: str):
        """Starts it; nothing goes wrong yet. Raises SandboxError where that can't be done."""
        self._program = Program(python, ("proxy", upstream), folder, {})
        self.url = self._program.said
        """What to give to a client instead of the local AWS' own."""

    def set(self, faults: Sequence[Fault]) -> None:
        """These go wrong from now on, and nothing else; calls are counted anew."""
        self._ask("POST", "rules", rules(faults))
        self._ask("DELETE", "fired")

    @property
    def happened(self) -> list[tuple[str, str]]:
        """What went wrong so far, in order: (`service:Operation`, what microburst did: `error:CODE`, `reset`,
        `response:abort`, `latency:N ms`)."""
        return [
            (f"{one['service']}:{one['operation']}", one["action"])
            for one in self._ask("GET", "fired?limit=2000")
            if one["action"] != _NOTHING
        ]

    @property
    def id(self) -> int:
        """Its process id."""
        return self._program.id

    @property
    def running(self) -> bool:
        """Whether it is there."""
        return self._program.running

    def end(self) -> None:
        """Ends it."""
        self._program.end()

    def _ask(self, method: str, what: str, body: Any = None) -> Any:
        asked = urllib.request.Request(
            f"{self.url}/_microburst/{what}",
            method=method,
            data=None if body is None else json.dumps(body).encode(),
        )
        with urllib.request.build_opener(urllib.request.ProxyHandler({})).open(asked, timeout=30) as answer:
            return json.loads(answer.read())


def rules(faults: Sequence[Fault]) -> list[dict[str, Any]]:
    """Faults as microburst's rules. The first rule that matches a call decides it, so calls that nothing
    happens to are used up by rules that do nothing: calls are counted for each operation as faults name
    it."""
    made, counted = [], {}
    for fault in sorted(faults, key=lambda one: one.at):
        asked = {"service": fault.service, **({"operation": fault.operation} if fault.operation else {})}
        key = fault.service, fault.operation
        between = fault.at - counted.get(key, 1)
        if between > 0:
            made.append({**asked, "latency": 0, "times": between})
        made.append({**asked, **fault.effect, **({} if fault.times is None else {"times": fault.times})})
        counted[key] = fault.at + (fault.times or 0)
    return made
