"""Connections that answer as a recorded stream says; what a stream doesn't answer is refused, as without
leave."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from datetime import datetime, timezone
from pathlib import Path
from typing import Any

from generator.aws import Connection
from generator.deploying import events, stacks
from generator.deploying.events import Event
from generator.deploying.stacks import Stack
from generator.errors import AwsError

STREAMS = Path(__file__).parent / "streams"
STREAM_START = datetime(2026, 5, 1, 12, tzinfo=timezone.utc)
"""When the deployments of the streams begin."""
_TIME = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}\+00:00")


class Stream(Connection):
    """A recorded stream in AWS' place."""

    def __init__(self, name: str):
        told = _read(json.loads((STREAMS / f"{name}.json").read_text("utf-8")))
        self.region, self.account = "eu-central-1", "111111111111"
        self.asked: list[str] = []
        self._stack = told["stack"]
        self._answers = [
            *told["answers"],
            _answer("describe_stacks", self._stack["StackId"], Stacks=[self._stack]),
            _answer("describe_stack_events", self._stack["StackId"], StackEvents=told["events"]),
        ]

    @property
    def stack(self) -> Stack:
        found = stacks.look(self, self._stack["StackId"])
        assert found is not None
        return found

    @property
    def events(self) -> list[Event]:
        return events.read(self, self._stack["StackId"])

    def ask(self, service: str, operation: str, /, **arguments: Any) -> dict[str, Any]:
        self.asked.append(f"{service}:{operation}")
        for one in self._answers:
            wanted = one.get("with", {})
            if one["operation"] == operation and all(arguments.get(key) == wanted[key] for key in wanted):
                if "error" in one:
                    code, message = one["error"]
                    raise AwsError(f"{service}:{operation}: {code}: {message}", code, message)
                gives = one["gives"]
                for event in gives.get("StackEvents", ()):
                    event.setdefault("StackId", arguments["StackName"])
                return gives
        raise AwsError(f"{service}:{operation}: AccessDenied: not allowed", "AccessDenied", "not allowed")

    def every(self, service: str, operation: str, key: str, /, **arguments: Any) -> Iterator[Any]:
        yield from self.ask(service, operation, **arguments).get(key, ())


class Refusing(Stream):
    """The same events, and nothing else may be asked."""

    def __init__(self, name: str):
        super().__init__(name)
        self._answers = self._answers[-2:]


def _answer(operation: str, stack: str, **gives: Any) -> dict[str, Any]:
    return {"operation": operation, "with": {"StackName": stack}, "gives": gives}


def _read(value: Any) -> Any:
    """Plain data, with times as boto3 has them."""
    if isinstance(value, dict):
        return {key: _read(inner) for key, inner in value.items()}
    if isinstance(value, list):
        return [_read(inner) for inner in value]
    return datetime.fromisoformat(value) if isinstance(value, str) and _TIME.fullmatch(value) else value
