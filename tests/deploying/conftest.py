"""One local AWS for all the tests of this room, and places to deploy from."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from generator.sandbox import local_aws
from tests.cases import PROJECT
from tests.deploying.deploying import ACCOUNT, EMPTY, Place, client


@pytest.fixture(scope="session")
def local(tmp_path_factory: pytest.TempPathFactory) -> Iterator[local_aws.Running]:
    """A local AWS."""
    with local_aws.running(PROJECT, tmp_path_factory.mktemp("local")) as made:
        yield made


@pytest.fixture(scope="session")
def cloudformation(local: local_aws.Running) -> Iterator[Any]:
    """Its CloudFormation, on a way without faults."""
    with client(local) as made:
        yield made


@pytest.fixture
def credentials(monkeypatch: pytest.MonkeyPatch) -> None:
    """The local AWS' credentials, and nothing of this machine's."""
    for name in [one for one in os.environ if one.startswith("AWS_")]:
        monkeypatch.delenv(name)
    for name, value in local_aws.settings(ACCOUNT).items():
        monkeypatch.setenv(name, value)


@pytest.fixture
def make(
    local: local_aws.Running, cloudformation: Any, credentials: None, tmp_path: Path
) -> Iterator[Callable[..., Place]]:
    """Makes places: `make(stack="...", about={...})`."""

    yield lambda **given: Place(tmp_path, local, cloudformation, **given)
    local.within(ACCOUNT).forget_orders()


@pytest.fixture
def place(make: Callable[..., Place]) -> Place:
    """An environment whose stack isn't there yet."""
    return make()


@pytest.fixture(scope="module")
def sandbox(tmp_path_factory: pytest.TempPathFactory) -> Iterator[local_aws.Running]:
    """A local AWS that tests may empty."""
    with local_aws.running(PROJECT, tmp_path_factory.mktemp("aws")) as made:
        yield made


@pytest.fixture
def aws(sandbox: local_aws.Running, monkeypatch: pytest.MonkeyPatch) -> Iterator[local_aws.LocalAws]:
    """An account with nothing in it, and its credentials."""
    for name, value in local_aws.settings(EMPTY).items():
        monkeypatch.setenv(name, value)
    for name in ("AWS_PROFILE", "AWS_DEFAULT_PROFILE", "AWS_SESSION_TOKEN", "AWS_ENDPOINT_URL"):
        monkeypatch.delenv(name, raising=False)
    yield sandbox.within(EMPTY)
    sandbox.reset()
