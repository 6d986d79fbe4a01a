"""Whatever goes wrong on the way to AWS, at whichever call of a deployment: the stack ends in a state that is known,
nothing is executed twice, and the exit code tells how it ended.

The faults are microburst's, in front of the local AWS, between the SDK's own retries and the server.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest

from generator.aws import Connection
from generator.sandbox import faults
from generator.sandbox.faults import Fault
from tests.deploying.deploying import ACCOUNT, LOG, Place, Ran, every, numbered, template

POLICY = {
    "Statement": [
        {"Effect": "Allow", "Action": "Update:*", "Principal": "*", "Resource": "*"},
        {
            "Effect": "Deny",
            "Action": ["Update:Replace", "Update:Delete"],
            "Principal": "*",
            "Resource": "LogicalResourceId/Log",
        },
    ]
}
OPEN = {"Statement": POLICY["Statement"][:1]}

CALLS = (
    "sts:GetCallerIdentity",
    # What is there, and what is to be:
    "cloudformation:DescribeStacks",
    "cloudformation:GetStackPolicy",
    "cloudformation:GetTemplate",
    "cloudformation:CreateChangeSet",
    "cloudformation:DescribeChangeSet",
    "cloudformation:DescribeChangeSet",
    "cloudformation:DescribeEvents",
    "cloudformation:DescribeStackEvents",
    # What was allowed is let go of, and executed:
    "cloudformation:DescribeStackEvents",
    "cloudformation:SetStackPolicy",
    "cloudformation:ExecuteChangeSet",
    # It is watched, and protected again:
    "cloudformation:ListStackResources",
    "cloudformation:DescribeStacks",
    "cloudformation:DescribeStackEvents",
    "cloudformation:GetStackPolicy",
    "cloudformation:SetStackPolicy",
    "cloudformation:UpdateTerminationProtection",
)
"""Every call of an update that was allowed to replace what holds data, in order."""
EXECUTE = CALLS.index("cloudformation:ExecuteChangeSet")
OPENED = CALLS.index("cloudformation:SetStackPolicy")
MADE = CALLS.index("cloudformation:CreateChangeSet")

EVERY = every(CALLS)
LOST = "may be left; nothing executes it by itself"


def before(place: Place) -> Any:
    """What is deployed before."""
    return template(Log=(LOG, {"LogGroupName": f"{place.stack}-old"}))


def after(place: Place) -> Any:
    """What is to be: what holds data under another name."""
    return template(Log=(LOG, {"LogGroupName": f"{place.stack}-new"}))


@pytest.fixture
def there(place: Place) -> Place:
    """A stack that is deployed and protected by its policy."""
    place.cloudformation.create_stack(
        StackName=place.stack,
        TemplateBody=json.dumps(before(place)),
        StackPolicyBody=json.dumps(POLICY),
        Tags=[{"Key": key, "Value": value} for key, value in place.tags.items()],
    )
    assert place.settled() == "CREATE_COMPLETE"
    place.about |= {"termination_protection": True, "stack_policy": POLICY}
    return place


@pytest.fixture
def wrong(there: Place) -> Callable[..., Ran]:
    """Deploys while these things go wrong; each of them has to have happened."""

    def run(*listed: Fault, form: str = "text", fresh: bool = False) -> Ran:
        with there.aws.faults() as proxy:
            # Who is calling was asked before, so that the calls that count are the deployment's.
            there.connection(proxy.url)
        with there.aws.faults(*listed) as proxy:
            ran = there.deploy(after(there), allowed=["Log"], url=proxy.url, form=form, fresh=fresh)
            assert len(proxy.happened) >= len(listed), "the deployment didn't meet every fault"
        assert "Traceback" not in ran.err
        return ran

    return run


def replaced(place: Place) -> bool:
    """Whether the change was made."""
    return place.has() == {"Log": f"{place.stack}-new"}


def well(place: Place, ran: Ran) -> None:
    """It was deployed, once, and is protected as rendered; nothing is left over."""
    assert ran.code == 0, ran.err
    assert place.status == "UPDATE_COMPLETE" and replaced(place)
    assert place.executions == 2  # its creation is one
    assert place.change_sets == [] and place.policy == POLICY and place.protected


def untouched(place: Place, ran: Ran) -> None:
    """Nothing was executed, and that is said by one line and 4."""
    assert ran.code == 4, ran.err
    assert place.status == "CREATE_COMPLETE" and place.executions == 1 and not replaced(place)
    assert len([one for one in ran.err.splitlines() if one.startswith("cloakform: ")]) == 1
    assert "AWS goes on" not in ran.err


def test_these_are_all_the_calls(there: Place) -> None:
    """The list that faults are tried on has every call of a deployment."""
    aws = there.aws.within(ACCOUNT)
    aws.forget_calls()
    ran = there.deploy(after(there), allowed=["Log"], fresh=True)
    made = tuple(name for name, _ in aws.calls())
    well(there, ran)
    assert made == CALLS


@EVERY
@pytest.mark.parametrize("kind", [faults.throttled, faults.cut], ids=lambda one: one.__name__)
def test_what_goes_wrong_once_is_survived(
    there: Place, wrong: Callable[..., Ran], at: int, kind: Callable[..., Fault]
) -> None:
    """A call that is throttled, or whose answer breaks off, is made again, and does no harm twice."""
    service, operation, number = numbered(CALLS, at)
    well(there, wrong(kind(service, operation, at=number), fresh=not at))


@pytest.mark.parametrize("kind", [faults.reset, faults.unavailable], ids=lambda one: one.__name__)
def test_a_line_on_which_every_call_is_lost_once(
    there: Place, wrong: Callable[..., Ran], kind: Callable[..., Fault]
) -> None:
    """Where the first try of every single call is lost on its way, or meets a 503, the second ones deploy."""
    listed = []
    for at in range(len(CALLS)):
        service, operation, number = numbered(CALLS, at)
        # Each one before it was made twice.
        listed.append(kind(service, operation, at=2 * number - 1))
    well(there, wrong(*listed, fresh=True))


@EVERY
def test_what_stays_away_ends_it_clearly(there: Place, wrong: Callable[..., Ran], at: int) -> None:
    """Where AWS has no answer to a call any more, nothing is executed that wasn't; what was is told with its end."""
    service, operation, number = numbered(CALLS, at)
    watching = EXECUTE < at <= CALLS.index("cloudformation:GetStackPolicy", EXECUTE)
    looking = watching and operation.startswith("DescribeStack")
    # Watching outlives some minutes without an answer; here it is three looks.
    ran = wrong(faults.unavailable(service, operation, at=number, times=6 if looking else None), fresh=not at)
    if looking or operation in ("DescribeEvents", "ListStackResources"):
        well(there, ran)
    elif at <= EXECUTE:
        untouched(there, ran)
        assert there.change_sets == [] and there.policy == POLICY and not there.protected
    else:
        assert ran.code == 4 and there.status == "UPDATE_COMPLETE" and replaced(there)
        assert there.executions == 2 and there.change_sets == []
        assert "isn't as rendered" in ran.err
        assert there.policy == (POLICY if operation == "UpdateTerminationProtection" else OPEN)


@EVERY
def test_credentials_that_expire_end_it_clearly(there: Place, wrong: Callable[..., Ran], at: int) -> None:
    """A token that expires at any moment ends it with 4 and what to do; what AWS does by then it does once."""
    # Whoever is calling was asked before, unless that is the call.
    ran = wrong(faults.expired("*", at=max(at, 1)), fresh=not at)
    assert "expired" in ran.err and "log in again" in ran.err
    if at <= EXECUTE:
        untouched(there, ran)
        # Without credentials nothing can be put away; what is left is said.
        assert bool(there.change_sets) is (LOST in ran.err) is (at > MADE)
        assert (there.policy == OPEN) is (OPENED < at)
        assert ("stack policy may not be what it was" in ran.err) is (OPENED <= at)
        return
    assert ran.code == 4 and there.settled() == "UPDATE_COMPLETE"
    assert there.executions == 2 and replaced(there)
    assert "isn't as rendered" in ran.err
    ended = at > CALLS.index("cloudformation:DescribeStackEvents", EXECUTE)
    assert ("AWS goes on" in ran.err) is not ended


def test_slow_answers_only_take_longer(there: Place, wrong: Callable[..., Ran]) -> None:
    """An AWS that takes its time with every call is waited for."""
    well(there, wrong(faults.slow("*", milliseconds=60)))


@pytest.mark.parametrize("kind", [faults.throttled, faults.unavailable, faults.reset], ids=lambda one: one.__name__)
def test_an_execution_that_aws_never_takes_isnt_one(
    there: Place, wrong: Callable[..., Ran], kind: Callable[..., Fault]
) -> None:
    """Where AWS never takes the execution the policy that was let go of is back, and the change set is gone."""
    ran = wrong(kind("cloudformation", "ExecuteChangeSet", times=None))
    untouched(there, ran)
    assert there.policy == POLICY and there.change_sets == []


def test_an_execution_whose_answers_are_all_lost_is_followed(there: Place, wrong: Callable[..., Ran]) -> None:
    """AWS takes the execution, every answer breaks off: it is found out, watched, and not begun again."""
    well(there, wrong(faults.cut("cloudformation", "ExecuteChangeSet", times=None)))


def test_a_lost_answer_and_then_a_refusal_is_no_refusal(there: Place, wrong: Callable[..., Ran]) -> None:
    """The first try reaches AWS and its answer is lost, the others are throttled: AWS has begun, and it is seen."""
    well(
        there,
        wrong(
            faults.cut("cloudformation", "ExecuteChangeSet"),
            faults.throttled("cloudformation", "ExecuteChangeSet", at=2, times=None),
        ),
    )


def test_an_execution_that_nobody_can_ask_about_is_said_to_be_one(there: Place, wrong: Callable[..., Ran]) -> None:
    """Where AWS took the execution and can't be asked, that isn't called a failure: what watches it is said."""
    ran = wrong(
        faults.cut("cloudformation", "ExecuteChangeSet", times=None),
        faults.unavailable("cloudformation", "DescribeChangeSet", at=3, times=None),
        form="json",
    )
    assert ran.code == 4 and ran.data["outcome"] == "unclear" and "isn't known" in ran.err
    assert "AWS goes on" in ran.err and there.settled() == "UPDATE_COMPLETE"
    assert there.executions == 2


@pytest.mark.parametrize("kind", [faults.cut, faults.reset], ids=lambda one: one.__name__)
def test_a_change_set_whose_answer_is_lost_is_put_away(
    place: Place, kind: Callable[..., Fault]
) -> None:
    """A first deployment whose change set is made and never heard of leaves neither it nor its empty stack."""
    with place.aws.faults(kind("cloudformation", "CreateChangeSet", times=None)) as proxy:
        ran = place.deploy(before(place), url=proxy.url)
    assert ran.code == 4 and place.status == "" and place.change_sets == []
    assert ("only there for the change set" in ran.err) is (kind is faults.cut)


@pytest.mark.parametrize("operation", ["DeleteChangeSet", "ListChangeSets", "DeleteStack"])
def test_what_cant_be_put_away_is_said(place: Place, operation: str) -> None:
    """Where tidying up fails as well, what is left is said, the first error counts, and the next deployment works."""
    with place.aws.faults(
        faults.unavailable("cloudformation", "DescribeChangeSet", times=None),
        faults.unavailable("cloudformation", operation, times=None),
    ) as proxy:
        ran = place.deploy(before(place), url=proxy.url)
    assert ran.code == 4 and "DescribeChangeSet" in ran.err.splitlines()[-1]
    assert "may be left" in ran.err and place.status == "REVIEW_IN_PROGRESS"
    assert place.deploy(before(place)).code == 0 and place.status == "CREATE_COMPLETE"


def test_a_creation_survives_what_goes_wrong_once(place: Place) -> None:
    """A first deployment in which each of its calls is throttled, lost or cut off makes the stack once."""
    place.about["termination_protection"] = True
    listed = [
        faults.cut("cloudformation", "CreateChangeSet"),
        faults.reset("cloudformation", "DescribeChangeSet"),
        faults.cut("cloudformation", "ExecuteChangeSet"),
        faults.reset("cloudformation", "DescribeStackEvents"),
        faults.unavailable("cloudformation", "DescribeStacks", at=2),
        faults.cut("cloudformation", "UpdateTerminationProtection"),
        faults.reset("sts"),
    ]
    with place.aws.faults(*listed) as proxy:
        ran = place.deploy(before(place), url=proxy.url, fresh=True)
        assert len(proxy.happened) == len(listed)
    assert ran.code == 0 and place.status == "CREATE_COMPLETE" and place.protected
    assert place.executions == 1 and place.change_sets == []


def test_a_call_is_tried_six_times(place: Place) -> None:
    """Without being told otherwise a call is made six times before it is given up, as often as the SDK is asked to."""
    place.deploy(before(place))
    with place.aws.faults(faults.unavailable("cloudformation", "DescribeStacks", times=5)) as proxy:
        connection = Connection(place.connection().region, ACCOUNT, proxy.url)
        found = connection.ask("cloudformation", "describe_stacks", StackName=place.stack)
        assert len(proxy.happened) == 5
    assert found["Stacks"][0]["StackName"] == place.stack
