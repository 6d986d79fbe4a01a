"""A project with one rendered environment, a local AWS with an account for it, and commands that run
there."""

from __future__ import annotations

import itertools
import json
import os
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from generator.aws import Connection
from generator.deploying import executing
from generator.deploying.target import Target, of
from generator.reviewing import Artefact
from generator.reviewing.sources import committed
from generator.sandbox import faults, local_aws
from generator.sandbox.local_aws import REGION, LocalAws
from tests.cases import PROJECT
from tests.deploying.deploying import Ran, called

STACK = "keycloak-test"
_accounts = itertools.count(400_000_000_001)

SMALL = """
Parameters:
  Secret: {Type: String, NoEcho: true, Default: hunter2hunter2}
  Words: {Type: String, Default: plain}
Resources:
  Log:
    Type: AWS::Logs::LogGroup
    DeletionPolicy: Retain
    Properties: {LogGroupName: small-log, RetentionInDays: 30}
  Topic:
    Type: AWS::SNS::Topic
    Properties: {DisplayName: before}
  Queue:
    Type: AWS::SQS::Queue
    DependsOn: Topic
    Properties: {VisibilityTimeout: 30}
Outputs:
  Url: {Value: https://sso.example.com/, Description: Public address}
  Login: {Value: !Sub "admin:${Secret}"}
  Name: {Value: !Ref Words}
"""


@dataclass(frozen=True)
class Site:
    """The environment `test` of a project, in an account of its own."""

    root: Path
    aws: LocalAws
    running: local_aws.Running
    run_in: Callable[..., Ran]

    @property
    def folder(self) -> Path:
        """rendered/test."""
        return self.root / "rendered" / "test"

    @property
    def artefact(self) -> Artefact:
        """What is rendered."""
        found = committed(self.root, "test")
        assert found is not None
        return found

    @property
    def target(self) -> Target:
        """The same, as calls need it."""
        return of(self.artefact)

    def connection(self, url: str = "") -> Connection:
        """Calls to the local AWS, or to what stands before it."""
        return Connection(REGION, self.aws.account, url or self.aws.url)

    def client(self, service: str) -> Any:
        """A client of the account."""
        return self.aws.client(service)

    def aws_faults(self, *wrong: faults.Fault):
        """A way to the local AWS on which calls go wrong; its `url` instead of the local AWS' own."""
        return self.running.faults(*wrong)

    def set(self, **stack: Any) -> None:
        """Changes stack.json."""
        file = self.folder / "stack.json"
        file.write_text(json.dumps({**json.loads(file.read_text("utf-8")), **stack}), "utf-8")

    def deploy(self) -> None:
        """Deploys what is rendered, as somebody else's tool would."""
        cloudformation = self.client("cloudformation")
        target = self.target
        cloudformation.create_stack(
            StackName=STACK,
            TemplateBody=target.template,
            Parameters=[
                {"ParameterKey": key, "ParameterValue": value} for key, value in target.parameters.items()
            ],
            Tags=[{"Key": key, "Value": value} for key, value in target.tags.items()],
            Capabilities=["CAPABILITY_NAMED_IAM"],
        )
        cloudformation.close()
        assert self.aws.settled(STACK) == "CREATE_COMPLETE"

    def run(self, *arguments: str, url: str = "") -> Ran:
        """A command with the account's credentials, sent to the local AWS."""
        return self.run_in(self.root, *arguments, "--endpoint-url", url or self.aws.url)


@pytest.fixture
def run(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Callable[..., Ran]:
    """Runs a command in a project folder, in this process."""

    def ran(root: Path, *arguments: str) -> Ran:
        return called(monkeypatch, capsys, "--project", str(root), *arguments)

    return ran


@pytest.fixture
def site(
    local: local_aws.Running, run: Callable[..., Ran], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Iterator[Site]:
    """A project with a small template, and an empty account."""
    account = str(next(_accounts))
    folder = tmp_path / "rendered" / "test"
    for made in (folder, tmp_path / "params", tmp_path / "templates"):
        made.mkdir(parents=True)
    about = {
        "stack_name": STACK,
        "account": account,
        "region": REGION,
        "capabilities": ["CAPABILITY_NAMED_IAM"],
    }
    (folder / "template.yaml").write_text(SMALL, "utf-8")
    (folder / "stack.json").write_text(json.dumps(about), "utf-8")
    (folder / "parameters.json").write_text("[]", "utf-8")
    (folder / "tags.json").write_text(json.dumps([{"Key": "owner", "Value": "identity"}]), "utf-8")
    for name in [one for one in os.environ if one.startswith("AWS_")]:
        monkeypatch.delenv(name)
    for name, value in local_aws.settings(account).items():
        monkeypatch.setenv(name, value)
    # Nothing is waited for on this machine.
    monkeypatch.setattr(executing, "AT_FIRST", 0.02)
    yield Site(tmp_path, local.within(account), local, run)


def dev(site: Site) -> None:
    """Makes dev's template the environment's: one with a service, a database and a balancer."""
    text = (PROJECT / "rendered" / "dev" / "template.yaml").read_text("utf-8")
    (site.folder / "template.yaml").write_text(text, "utf-8")
