"""Whatever goes wrong at whichever call of a first deployment: the stack is made once or isn't there, and the next
deployment works.

The faults are microburst's, in front of the local AWS, between the SDK's own retries and the server.
"""

from __future__ import annotations

from collections.abc import Callable

import pytest

from generator.sandbox import faults
from generator.sandbox.faults import Fault
from tests.deploying.deploying import ACCOUNT, LOG, Place, Ran, every, numbered, template

CALLS = (
    "sts:GetCallerIdentity",
    "cloudformation:DescribeStacks",
    "cloudformation:CreateChangeSet",
    "cloudformation:DescribeChangeSet",
    "cloudformation:DescribeChangeSet",
    "cloudformation:DescribeEvents",
    "cloudformation:DescribeStackEvents",
    "cloudformation:ExecuteChangeSet",
    # It is watched, and protected:
    "cloudformation:ListStackResources",
    "cloudformation:DescribeStacks",
    "cloudformation:DescribeStackEvents",
    "cloudformation:GetStackPolicy",
    "cloudformation:UpdateTerminationProtection",
)
"""Every call of a first deployment, in order."""
EXECUTE = CALLS.index("cloudformation:ExecuteChangeSet")
MADE = CALLS.index("cloudformation:CreateChangeSet")

EVERY = every(CALLS)


@pytest.fixture
def new(place: Place) -> Place:
    """A stack that isn't there, and is to be protected."""
    place.about["termination_protection"] = True
    return place


def made(place: Place, *listed: Fault, fresh: bool) -> Ran:
    """Deploys while these things go wrong; each of them has to have happened."""
    with place.aws.faults() as proxy:
        # Who is calling was asked before, so that the calls that count are the deployment's.
        place.connection(proxy.url)
    with place.aws.faults(*listed) as proxy:
        ran = place.deploy(wanted(place), url=proxy.url, fresh=fresh)
        assert len(proxy.happened) >= len(listed), "the deployment didn't meet every fault"
    assert "Traceback" not in ran.err
    return ran


def wanted(place: Place) -> str:
    """What is to be."""
    return template(Log=(LOG, {"LogGroupName": f"{place.stack}-log"}))


def well(place: Place, ran: Ran) -> None:
    """It was made, once, and is protected as rendered; nothing is left over."""
    assert ran.code == 0, ran.err
    assert place.status == "CREATE_COMPLETE" and place.executions == 1
    assert place.change_sets == [] and place.protected


def afterwards(place: Place) -> None:
    """The next deployment does what this one was to."""
    ran = place.deploy(wanted(place))
    assert ran.code == 0, ran.err
    assert place.status == "CREATE_COMPLETE" and place.executions == 1 and place.protected


def test_these_are_all_the_calls(new: Place) -> None:
    """The list that faults are tried on has every call of a first deployment."""
    aws = new.aws.within(ACCOUNT)
    aws.forget_calls()
    ran = new.deploy(wanted(new), fresh=True)
    called = tuple(name for name, _ in aws.calls())
    well(new, ran)
    assert called == CALLS


@EVERY
@pytest.mark.parametrize("kind", [faults.throttled, faults.cut], ids=lambda one: one.__name__)
def test_what_goes_wrong_once_is_survived(new: Place, at: int, kind: Callable[..., Fault]) -> None:
    """A call that is throttled, or whose answer breaks off, is made again, and makes nothing twice."""
    service, operation, number = numbered(CALLS, at)
    well(new, made(new, kind(service, operation, at=number), fresh=not at))


@EVERY
def test_what_stays_away_ends_it_clearly(new: Place, at: int) -> None:
    """Where AWS has no answer to a call any more, no empty stack stays behind; what was made is told with its end."""
    service, operation, number = numbered(CALLS, at)
    looking = at > EXECUTE and operation.startswith("DescribeStack")
    # Watching outlives some minutes without an answer; here it is three looks.
    ran = made(new, faults.unavailable(service, operation, at=number, times=6 if looking else None), fresh=not at)
    if looking or operation in ("DescribeEvents", "ListStackResources"):
        well(new, ran)
    elif at <= EXECUTE:
        assert ran.code == 4 and new.status == "" and new.executions == 0
        assert "AWS goes on" not in ran.err
        afterwards(new)
    else:
        assert ran.code == 4 and new.status == "CREATE_COMPLETE" and new.executions == 1
        assert "isn't as rendered" in ran.err and not new.protected
        assert new.change_sets == []


@EVERY
def test_credentials_that_expire_end_it_clearly(new: Place, at: int) -> None:
    """A token that expires at any moment ends it with 4 and what to do; what is left is said, and is no obstacle."""
    # Whoever is calling was asked before, unless that is the call.
    ran = made(new, faults.expired("*", at=max(at, 1)), fresh=not at)
    assert ran.code == 4 and "expired" in ran.err and "log in again" in ran.err
    if at <= EXECUTE:
        assert new.executions == 0 and new.status == ("REVIEW_IN_PROGRESS" if at > MADE else "")
        assert ("may be left" in ran.err) is (at > MADE)
        afterwards(new)
        return
    assert new.settled() == "CREATE_COMPLETE" and new.executions == 1
    ended = at > CALLS.index("cloudformation:DescribeStackEvents", EXECUTE)
    assert ("isn't as rendered" if ended else "again puts its protection right") in ran.err
