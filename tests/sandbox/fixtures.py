"""A local AWS for the tests of every room: one for the whole run, an account of its own for each test.

from tests.sandbox.fixtures import aws  # noqa: F401
"""

from __future__ import annotations

import atexit
import functools
import itertools
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from generator.sandbox import local_aws
from generator.sandbox.local_aws import Running
from tests.cases import PROJECT

_accounts = itertools.count(200_000_000_000)


@functools.cache
def shared() -> Running:
    """The one that all tests of this run use. It ends with them."""
    scratch = tempfile.TemporaryDirectory(prefix="cloakform-tests-")
    made = local_aws.start(PROJECT, Path(scratch.name))
    atexit.register(scratch.cleanup)
    atexit.register(made.end)
    return made


@pytest.fixture
def aws() -> Iterator[Running]:
    """The local AWS within an account that nobody has used; what is ordered holds for this test alone."""
    made = shared().within(str(next(_accounts)))
    yield made
    made.forget_orders()
