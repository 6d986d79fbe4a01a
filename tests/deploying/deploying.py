"""Deployments of small hand-made environments to a local AWS, in this process and through real HTTP; the server's
side of what they did."""

from __future__ import annotations

import contextlib
import gc
import hashlib
import itertools
import json
import sys
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from generator import cli
from generator.aws import Connection
from generator.cli.deploying import _Run
from generator.cli.session import Session
from generator.deploying.target import of
from generator.errors import CloakformError
from generator.reviewing import Artefact
from generator.sandbox.local_aws import REGION, Running

ACCOUNT = "600000000001"
EMPTY = "111111111111"
"""The account of the fixture `aws`."""
_numbers = itertools.count(1)
_connections: dict[tuple[str, str, int], Connection] = {}

LOG = "AWS::Logs::LogGroup"
TOPIC = "AWS::SNS::Topic"


def template(**resources: Any) -> dict[str, Any]:
    """A template of these resources: type and properties by logical id, or the whole resource."""
    made = {
        name: one if isinstance(one, dict) else {"Type": one[0], "Properties": one[1]}
        for name, one in resources.items()
    }
    return {"Resources": made}


def topic(words: str, name: str = "") -> tuple[str, dict[str, Any]]:
    """A topic that shows these words; another name makes it anew."""
    return TOPIC, {"DisplayName": words, **({"TopicName": name} if name else {})}


def quickly(seconds: float) -> None:
    """Waits for the local AWS, which takes milliseconds where AWS takes minutes."""
    time.sleep(min(seconds, 0.02))


@dataclass(frozen=True)
class Ran:
    """How a command ended."""

    code: int
    out: str
    err: str

    @property
    def data(self) -> Any:
        """Its one JSON document."""
        return json.loads(self.out)


def called(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], *arguments: str) -> Ran:
    """Runs the command line in this process."""
    monkeypatch.setattr(sys, "argv", ["cloakform", *arguments])
    capsys.readouterr()
    with pytest.raises(SystemExit) as ended:
        cli.main()
    gc.enable()
    said = capsys.readouterr()
    return Ran(int(ended.value.code or 0), said.out, said.err)


class Kept(Session):
    """Keeps what is printed."""

    def __init__(self, root: Path, quiet: bool = False):
        super().__init__(root, False, quiet)
        self.lines: list[str] = []
        self.errors: list[str] = []

    @property
    def root(self) -> Path:
        assert self._folder is not None, "a place has a folder"
        return self._folder

    def out(self, text: str = "", style: str = "") -> None:
        self.lines.append(text)

    def err(self, text: str, style: str = "") -> None:
        self.errors.append(text)

    def progress(self):
        return (lambda text: None), (lambda: None)


@dataclass
class Place:
    """An environment with a stack name of its own."""

    root: Path
    aws: Running
    cloudformation: Any
    """A client of the local AWS' own address: no fault is on that way."""
    stack: str = ""
    account: str = ACCOUNT
    about: dict[str, Any] = field(default_factory=dict)
    """What stack.json says beside the names."""
    tags: dict[str, str] = field(default_factory=lambda: {"owner": "identity"})
    parameters: dict[str, str] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.stack = self.stack or f"keycloak-{next(_numbers)}"

    def artefact(self, body: dict[str, Any] | str) -> Artefact:
        """What is rendered, with this template."""
        text = body if isinstance(body, str) else json.dumps(body, indent=2)
        about = {
            "stack_name": self.stack,
            "account": self.account,
            "region": REGION,
            "capabilities": ["CAPABILITY_NAMED_IAM"],
            "termination_protection": False,
            "stack_policy": None,
            "service_role": None,
            "notifications": [],
            **self.about,
        }
        files = {
            "template.yaml": text,
            "stack.json": json.dumps(about),
            "tags.json": json.dumps([{"Key": key, "Value": value} for key, value in self.tags.items()]),
            "parameters.json": json.dumps(
                [{"ParameterKey": key, "ParameterValue": value} for key, value in self.parameters.items()]
            ),
        }
        return Artefact("test", "rendered/test", {name: one.encode() for name, one in files.items()})

    def deploy(
        self,
        body: dict[str, Any] | str,
        *,
        yes: bool = True,
        save_plan: Path | None = None,
        use_plan: Path | None = None,
        allowed: Sequence[str] = (),
        wait: float = 0.0,
        free: bool = False,
        skip: Sequence[str] = (),
        form: str = "text",
        quiet: bool = False,
        url: str = "",
        tries: int = 2,
        fresh: bool = False,
    ) -> Ran:
        """What `cloakform deploy` does with what is committed; a call is tried `tries` times."""
        session = Kept(self.root, quiet)
        run = _Run(session, "test", form, sleep=quickly)
        code: Any = 0
        try:
            with run.told():
                run.artefact, run.commit = self.artefact(body), hashlib.sha1(b"commit").hexdigest()
                run.target = of(run.artefact)
                run.connection = self.connection(url, tries, fresh)
                if free:
                    run.free(skip)
                elif use_plan:
                    run.with_plan(use_plan, yes, allowed, wait)
                else:
                    run.anew(allowed, wait, save_plan, yes and not save_plan)
        except CloakformError as error:
            session.err(f"cloakform: {error}")
            code = error.exit_code
        except SystemExit as ended:
            code = ended.code
        return Ran(code, "\n".join(session.lines), "\n".join(session.errors))

    def connection(self, url: str = "", tries: int = 2, fresh: bool = False) -> Connection:
        """A connection of the account's. Making one takes as long as a deployment to the local AWS, so they are
        shared, unless it is to be a `fresh` one that asks who is calling."""
        key = url or self.aws.url, self.account, tries
        if fresh or key not in _connections:
            _connections[key] = Connection(REGION, self.account, url or self.aws.url, tries)
        return _connections[key]

    # --- The server's side ---

    @property
    def status(self) -> str:
        """The stack's; empty where there is none."""
        return str(self.described.get("StackStatus", ""))

    @property
    def described(self) -> dict[str, Any]:
        """The stack as AWS has it; empty where there is none."""
        with contextlib.suppress(self.cloudformation.exceptions.ClientError):
            return self.cloudformation.describe_stacks(StackName=self.stack)["Stacks"][0]
        return {}

    @property
    def executions(self) -> int:
        """How often something was begun with the stack."""
        return sum(
            one in ("CREATE_IN_PROGRESS", "UPDATE_IN_PROGRESS") for one in self.history
        )

    @property
    def history(self) -> list[str]:
        """States that the stack went through, from the first."""
        try:
            told = self.cloudformation.describe_stack_events(StackName=self.stack)["StackEvents"]
        except self.cloudformation.exceptions.ClientError:
            return []
        return [
            one["ResourceStatus"] for one in reversed(told) if one["PhysicalResourceId"] == one["StackId"]
        ]

    @property
    def change_sets(self) -> list[str]:
        """Names of those that could still be executed."""
        try:
            listed = self.cloudformation.list_change_sets(StackName=self.stack)["Summaries"]
        except self.cloudformation.exceptions.ClientError:
            return []
        return [one["ChangeSetName"] for one in listed if one["ExecutionStatus"] == "AVAILABLE"]

    @property
    def policy(self) -> Any:
        """The stack's policy; None where there is none."""
        body = self.cloudformation.get_stack_policy(StackName=self.stack).get("StackPolicyBody")
        return json.loads(body) if body else None

    @property
    def protected(self) -> bool:
        """Whether the stack has termination protection."""
        return bool(self.described.get("EnableTerminationProtection"))

    def has(self) -> dict[str, str]:
        """Physical ids of the stack's resources by logical id."""
        return self.aws.within(self.account).resources(self.stack)

    def settled(self) -> str:
        """The stack's state once nothing goes on with it."""
        return self.aws.within(self.account).settled(self.stack)


@contextlib.contextmanager
def client(aws: Running, account: str = ACCOUNT) -> Iterator[Any]:
    """CloudFormation, asked past whatever goes wrong on the way of a deployment."""
    made = aws.client("cloudformation", account)
    try:
        yield made
    finally:
        made.close()


def every(calls: Sequence[str]) -> pytest.MarkDecorator:
    """A test for each of these calls (`service:Operation`), with its place as `at`."""
    names = [f"{number}-{one.split(':')[1]}" for number, one in enumerate(calls)]
    return pytest.mark.parametrize("at", range(len(calls)), ids=names)


def numbered(calls: Sequence[str], at: int) -> tuple[str, str, int]:
    """(service, operation, its how manieth call) of the call at a place."""
    service, operation = calls[at].split(":")
    return service, operation, calls[: at + 1].count(calls[at])
