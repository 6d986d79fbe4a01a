"""Answers of AWS' API that the local AWS never gives, in the order they are asked for."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from generator.aws import Connection
from generator.errors import AwsError


class Recorded(Connection):
    """A connection whose answers are known beforehand; what is asked is kept."""

    def __init__(self, **answers: list[Any]):
        self.answers = {operation: list(listed) for operation, listed in answers.items()}
        self.asked: list[tuple[str, dict[str, Any]]] = []
        self.region, self.account, self.endpoint_url = "eu-central-1", "111111111111", None

    def ask(self, service: str, operation: str, /, **arguments: Any) -> dict[str, Any]:
        self.asked.append((operation, arguments))
        answer = self.answers[operation].pop(0)
        if isinstance(answer, AwsError):
            raise answer
        return answer

    def every(self, service: str, operation: str, key: str, /, **arguments: Any) -> Iterator[Any]:
        yield from self.ask(service, operation, **arguments).get(key, ())
