"""AWS as a test tells it: real boto3 clients, whose calls are checked by its service models and answered
here."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import boto3
import pytest
from botocore.validate import ParamValidator

ACCOUNT = "111122223333"

Answer = dict[str, Any] | Callable[[dict[str, Any]], dict[str, Any]]


class Aws:
    """Answers by operation (`ecs:DescribeTasks`); what isn't told is refused, as without the permission."""

    def __init__(self, patch: pytest.MonkeyPatch):
        self.answers: dict[str, Answer] = {"sts:GetCallerIdentity": {"Account": ACCOUNT}}
        self.calls: list[tuple[str, dict[str, Any]]] = []
        """(operation, its parameters)."""
        made = boto3.session.Session

        def session(**how: Any) -> boto3.session.Session:
            found = made(**how)
            found.events.register("before-parameter-build", self._asked)
            found.events.register("before-call", self._answer)
            return found

        patch.setattr(boto3.session, "Session", session)

    def asked(self, operation: str) -> list[dict[str, Any]]:
        """The parameters of every call of an operation."""
        return [parameters for name, parameters in self.calls if name == operation]

    def _asked(self, params: dict[str, Any], model: Any, **_: Any) -> None:
        self.calls.append((_name(model), dict(params)))

    def _answer(self, model: Any, **_: Any) -> tuple[Any, dict[str, Any]]:
        name, parameters = self.calls[-1]
        try:
            answer = self.answers[name]
            found = answer(parameters) if callable(answer) else answer
        except KeyError:
            found = refused("AccessDenied", f"not allowed: {name}")
        if "Error" not in found and model.output_shape is not None:
            wrong = ParamValidator().validate(found, model.output_shape)
            assert not wrong.has_errors(), wrong.generate_report()
        return _Response(400 if "Error" in found else 200), found


class _Response:
    def __init__(self, status: int):
        self.status_code = status


def refused(code: str, message: str) -> dict[str, Any]:
    """What AWS answers in an error's place."""
    return {"Error": {"Code": code, "Message": message}}


def _name(model: Any) -> str:
    return f"{model.service_model.service_name}:{model.name}"
