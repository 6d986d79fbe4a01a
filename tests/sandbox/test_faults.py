"""On the way to the local AWS the N-th call of an operation goes wrong, and no other."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import boto3
import pytest
from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError

from generator.sandbox import faults
from generator.sandbox.local_aws import REGION
from tests.sandbox.fixtures import aws  # noqa: F401
from tests.sandbox.stacks import NAME, group, template


@contextmanager
def client(aws, proxy: faults.Proxy, tries: int = 1) -> Iterator[Any]:  # noqa: F811
    """CloudFormation by way of a proxy, tried so often."""
    made = boto3.client(
        "cloudformation",
        region_name=REGION,
        endpoint_url=proxy.url,
        aws_access_key_id=aws.account,
        aws_secret_access_key="nobody's",
        config=Config(retries={"mode": "standard", "total_max_attempts": tries}),
    )
    yield made
    made.close()


def said(call: Callable[[], Any]) -> str:
    """The code that a call was refused with, the name of what was raised without one, or nothing."""
    try:
        call()
    except ClientError as error:
        return error.response["Error"]["Code"]
    except BotoCoreError as error:
        return type(error).__name__
    return ""


@pytest.mark.parametrize(
    "fault,expected",
    [
        (faults.throttled, "Throttling"),
        (faults.unavailable, "ServiceUnavailable"),
        (faults.reset, "ConnectionClosedError"),
        (faults.cut, "ConnectionClosedError"),
        (faults.expired, "ExpiredToken"),
    ],
)
def test_the_third_call_goes_wrong(aws, fault, expected):  # noqa: F811
    """Neither those before, nor the one after it, nor another operation's."""
    with (
        aws.faults(fault("cloudformation", "DescribeStacks", at=3, times=1)) as proxy,
        client(aws, proxy) as called,
    ):
        told = [said(called.describe_stacks) for _ in range(4)]
        assert told == ["", "", expected, ""] and not said(called.list_stacks)
        assert [name for name, _ in proxy.happened] == ["cloudformation:DescribeStacks"]


def test_several_faults_are_counted_together(aws):  # noqa: F811
    """Each at its own call of the operation."""
    with (
        aws.faults(
            faults.throttled("cloudformation", "DescribeStacks", at=4, times=2),
            faults.reset("cloudformation", "DescribeStacks", at=2),
        ) as proxy,
        client(aws, proxy) as called,
    ):
        told = [said(called.describe_stacks) for _ in range(6)]
    assert told == ["", "ConnectionClosedError", "", "Throttling", "Throttling", ""]


def test_after_the_block_nothing_goes_wrong(aws):  # noqa: F811
    """Credentials that are expired for good are so in their block alone."""
    with aws.faults(faults.expired("*")) as proxy, client(aws, proxy) as called:
        assert {said(called.describe_stacks) for _ in range(3)} == {"ExpiredToken"}
    with aws.faults() as proxy, client(aws, proxy) as called:
        assert not said(called.describe_stacks) and not proxy.happened


def test_retries_that_an_sdk_makes_get_through(aws):  # noqa: F811
    """A throttled call that is made again succeeds: the error has the shape that boto3 looks for."""
    with (
        aws.faults(faults.throttled("cloudformation", "DescribeStacks")) as proxy,
        client(aws, proxy, tries=2) as called,
    ):
        assert not said(called.describe_stacks) and proxy.happened == [
            ("cloudformation:DescribeStacks", "error:Throttling")
        ]


def test_a_reply_that_is_cut_was_done_and_a_connection_that_is_reset_wasn_t(aws):  # noqa: F811
    """The difference a deployer has to know about."""
    asked = {"StackName": NAME, "TemplateBody": template(Group=group())}
    for fault, there in ((faults.reset, False), (faults.cut, True)):
        with aws.faults(fault("cloudformation", "CreateStack")) as proxy, client(aws, proxy) as called:
            assert said(lambda: called.create_stack(**asked)) == "ConnectionClosedError"  # noqa: B023
        with aws.faults() as proxy, client(aws, proxy) as called:
            assert (said(lambda: called.describe_stacks(StackName=NAME)) == "") is there  # noqa: B023
    assert aws.settled(NAME) == "CREATE_COMPLETE"


def test_a_slow_answer_is_still_the_answer(aws):  # noqa: F811
    """It arrives, and microburst tells how late."""
    with (
        aws.faults(faults.slow("cloudformation", "DescribeStacks", milliseconds=50)) as proxy,
        client(aws, proxy) as called,
    ):
        assert called.describe_stacks()["Stacks"] == []
        assert proxy.happened == [("cloudformation:DescribeStacks", "latency:50ms")]
