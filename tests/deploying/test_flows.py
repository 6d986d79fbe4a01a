"""Every way that a deployment goes, against the local AWS: what the user sees, what AWS has afterwards, how it ends."""

from __future__ import annotations

import datetime
import json
import os
import signal
import threading
from typing import Any

import botocore.session
import pytest

from generator.cli.watching import deferred
from generator.deploying.target import LIMIT
from generator.sandbox.local_aws import LocalAws, Validation
from tests.deploying.deploying import ACCOUNT, LOG, Place, Ran, template, topic

READY = (
    "CREATE_COMPLETE",
    "UPDATE_COMPLETE",
    "UPDATE_ROLLBACK_COMPLETE",
    "IMPORT_COMPLETE",
    "IMPORT_ROLLBACK_COMPLETE",
)
BUSY = (
    "CREATE_IN_PROGRESS",
    "ROLLBACK_IN_PROGRESS",
    "DELETE_IN_PROGRESS",
    "UPDATE_IN_PROGRESS",
    "UPDATE_COMPLETE_CLEANUP_IN_PROGRESS",
    "UPDATE_ROLLBACK_IN_PROGRESS",
    "UPDATE_ROLLBACK_COMPLETE_CLEANUP_IN_PROGRESS",
    "IMPORT_IN_PROGRESS",
    "IMPORT_ROLLBACK_IN_PROGRESS",
)
STUCK = {
    "CREATE_FAILED": "cloakform delete test",
    "ROLLBACK_FAILED": "cloakform delete test",
    "ROLLBACK_COMPLETE": "cloakform delete test",
    "DELETE_FAILED": "cloakform events test --failed",
    "UPDATE_FAILED": "aws cloudformation rollback-stack",
    "UPDATE_ROLLBACK_FAILED": "cloakform deploy test --continue-rollback",
    "IMPORT_ROLLBACK_FAILED": "cloakform deploy test --continue-rollback",
}
ONE, TWO = template(A=topic("one")), template(A=topic("two"))


@pytest.fixture
def orders(place: Place) -> LocalAws:
    """What is to go wrong in the account."""
    return place.aws.within(ACCOUNT)


@pytest.fixture
def there(place: Place) -> Place:
    """A stack that is deployed."""
    create(place, ONE)
    return place


def create(place: Place, body: dict[str, Any]) -> None:
    """Makes the stack, as another tool would."""
    place.cloudformation.create_stack(
        StackName=place.stack,
        TemplateBody=json.dumps(body, indent=2),
        Tags=[{"Key": key, "Value": value} for key, value in place.tags.items()],
    )
    assert place.settled() == "CREATE_COMPLETE"


def logs(place: Place, name: str) -> dict[str, Any]:
    """A template whose log group has this name: another one loses what is in it."""
    return template(Log=(LOG, {"LogGroupName": f"{place.stack}-{name}"}))


# --- Every state that a stack may be in ---


def test_every_state_is_tried() -> None:
    """Each of CloudFormation's states of a stack is one of those below."""
    model = botocore.session.get_session().get_service_model("cloudformation")
    known = set(model.shape_for("StackStatus").enum)
    assert known == {*READY, *BUSY, *STUCK, "REVIEW_IN_PROGRESS", "DELETE_COMPLETE"}


@pytest.mark.parametrize("status", READY)
def test_a_stack_that_rests_is_deployed_to(there: Place, orders: LocalAws, status: str) -> None:
    """Whatever it went through before, a stack that rests gets the change."""
    orders.set_status(there.stack, status)
    ran = there.deploy(TWO)
    assert ran.code == 0 and there.status == "UPDATE_COMPLETE", ran.err
    assert there.change_sets == []


@pytest.mark.parametrize("status", BUSY)
def test_a_busy_stack_is_left_alone(there: Place, orders: LocalAws, status: str) -> None:
    """While something goes on with the stack nothing else is begun, and it is said how to wait."""
    orders.set_status(there.stack, status)
    before = there.history
    ran = there.deploy(TWO)
    assert ran.code == 3 and status in ran.err and "--wait" in ran.err
    assert there.history == before and there.change_sets == []


@pytest.mark.parametrize("status", STUCK)
def test_a_stuck_stack_is_left_alone_and_the_way_out_is_said(there: Place, orders: LocalAws, status: str) -> None:
    """What needs a person ends with 5 and the command that frees it; nothing is deleted that holds something."""
    orders.set_status(there.stack, status, "because of this")
    before = there.history, there.has()
    ran = there.deploy(TWO)
    assert ran.code == 5 and STUCK[status] in ran.err and "because of this" in ran.err
    assert (there.history, there.has()) == before and there.change_sets == []


def test_a_busy_stack_is_waited_for(there: Place, orders: LocalAws) -> None:
    """With --wait the deployment begins as soon as the other one is done."""
    held = orders.hold("A", "UPDATE")
    there.cloudformation.update_stack(StackName=there.stack, TemplateBody=json.dumps(TWO))
    held.reached()
    orders.forget_calls()

    def release() -> None:
        while sum(name == "cloudformation:DescribeStacks" for name, _ in orders.calls()) < 2:
            pass
        held.take_back()

    other = threading.Thread(target=release)
    other.start()
    ran = there.deploy(template(A=topic("three")), wait=100_000)
    other.join()
    assert ran.code == 0 and "is busy (UPDATE_IN_PROGRESS), waiting" in ran.err
    assert there.executions == 3 and there.status == "UPDATE_COMPLETE"


def test_a_stack_that_never_came_up_is_deleted_and_made(place: Place, orders: LocalAws) -> None:
    """A first creation that failed ends with 4; the next one deletes what it left, which is nothing, and says so."""
    orders.fail("A", "CREATE", "no topics today", times=1)
    ran = place.deploy(ONE)
    assert ran.code == 4 and "no topics today" in ran.out
    assert place.status == "ROLLBACK_COMPLETE"
    again = place.deploy(ONE, quiet=True)
    assert again.code == 0 and place.status == "CREATE_COMPLETE"
    assert "holds nothing" in again.err and "deleted" in again.err


def test_a_protected_stack_that_never_came_up_is_deleted_too(place: Place, orders: LocalAws) -> None:
    """Termination protection of a stack that holds nothing is taken away, and that is said."""
    orders.fail("A", "CREATE", "no", times=1)
    place.deploy(ONE)
    place.cloudformation.update_termination_protection(StackName=place.stack, EnableTerminationProtection=True)
    again = place.deploy(ONE)
    assert again.code == 0 and "its termination protection is taken away" in again.err


# --- Stacks that are nothing but a change set ---


def test_a_ghost_is_used(place: Place) -> None:
    """A stack that somebody's change set left behind doesn't keep a deployment from being made."""
    made = place.cloudformation.create_change_set(
        StackName=place.stack, ChangeSetName="ghost", ChangeSetType="CREATE", TemplateBody=json.dumps(ONE)
    )
    place.cloudformation.delete_change_set(ChangeSetName=made["Id"])
    assert place.status == "REVIEW_IN_PROGRESS"
    assert place.deploy(ONE).code == 0 and place.status == "CREATE_COMPLETE"


def test_somebody_elses_change_set_stays(place: Place, orders: LocalAws) -> None:
    """A stack that isn't only there for this deployment's change set isn't deleted with it."""
    place.cloudformation.create_change_set(
        StackName=place.stack, ChangeSetName="theirs", ChangeSetType="CREATE", TemplateBody=json.dumps(TWO)
    )
    orders.fail_change_set("Template error: no")
    assert place.deploy(ONE).code == 4
    assert place.status == "REVIEW_IN_PROGRESS" and place.change_sets == ["theirs"]


def test_early_validation_is_explained_and_leaves_nothing(place: Place, orders: LocalAws) -> None:
    """What AWS' own checks found is told with its path; the empty stack is deleted, which is said."""
    said = "Resource of type 'AWS::SNS::Topic' with identifier 'x' already exists."
    orders.fail_change_set(validation=[Validation("A", "AWS::SNS::Topic", "/Resources/A/Properties/TopicName", said)])
    ran = place.deploy(ONE)
    assert ran.code == 4 and said in ran.out
    assert "rendered/test/template.yaml:" in ran.out and "only there for the change set: it is deleted" in ran.err
    assert place.status == ""


def test_an_update_that_aws_refuses_leaves_the_stack_as_it_was(there: Place, orders: LocalAws) -> None:
    """A change set that fails ends with 4 and AWS' words; it isn't left behind, and nothing was executed."""
    orders.fail_change_set("Transform AWS::LanguageExtensions failed")
    ran = there.deploy(TWO)
    assert ran.code == 4 and "Transform AWS::LanguageExtensions failed" in ran.out
    listed = there.cloudformation.list_change_sets(StackName=there.stack)["Summaries"]
    assert listed == [] and there.executions == 1 and there.status == "CREATE_COMPLETE"


# --- Deploying ---


def test_a_slow_change_set_is_awaited(there: Place, orders: LocalAws) -> None:
    """A change set that AWS takes its time to make is waited for."""
    order = orders.pending_change_set(4)
    assert there.deploy(TWO).code == 0
    assert order.followed == 1 and there.executions == 2


def test_every_page_is_read_and_what_is_missing_asked_for(place: Place, orders: LocalAws) -> None:
    """All the changes are there, whichever page has them and although the answer with values lacks one."""
    names = [f"T{number}" for number in range(7)]
    create(place, template(**{name: topic("one") for name in names}))
    orders.pages(2)
    orders.drop_changes("T3")
    ran = place.deploy(template(**{name: topic("two") for name in names}), form="json")
    assert ran.code == 0
    changes = ran.data["change_set"]["changes"]
    assert sorted(one["logical_id"] for one in changes) == names
    assert ran.data["change_set"]["complete_values"] is False
    values = {one["logical_id"]: one["details"][0]["after"] for one in changes}
    assert values == {**dict.fromkeys(names, "two"), "T3": None}
    assert ran.data["surprises"] == []


def test_nothing_to_do_is_nothing_done(place: Place, orders: LocalAws) -> None:
    """The same again asks for no change set; another spelling of the same leaves none behind."""
    text = "Resources:\n  A:\n    Type: AWS::SNS::Topic\n    Properties:\n      DisplayName: one\n"
    assert place.deploy(text).code == 0
    for again, asks in ((text, False), (text + "# a word\n", True)):
        orders.forget_calls()
        ran = place.deploy(again)
        assert ran.code == 0 and "nothing to deploy" in ran.out
        assert ("cloudformation:CreateChangeSet" in [name for name, _ in orders.calls()]) is asks
    listed = place.cloudformation.list_change_sets(StackName=place.stack)["Summaries"]
    assert [one["ExecutionStatus"] for one in listed] == ["EXECUTE_COMPLETE"]  # what made it
    assert place.executions == 1


def test_the_stack_has_what_it_is_to_have(place: Place) -> None:
    """Tags, service role, topics for its events, termination protection and policy are as rendered."""
    policy = {"Statement": [{"Effect": "Allow", "Action": "Update:*", "Principal": "*", "Resource": "*"}]}
    policy["Statement"].append({**policy["Statement"][0], "Effect": "Deny", "Action": "Update:Delete"})
    role = f"arn:aws:iam::{ACCOUNT}:role/cloudformation"
    events = f"arn:aws:sns:eu-central-1:{ACCOUNT}:events"
    place.about = {
        "termination_protection": True,
        "stack_policy": policy,
        "service_role": role,
        "notifications": [events],
    }
    assert place.deploy(ONE).code == 0
    found = place.described
    assert found["RoleARN"] == role and found["NotificationARNs"] == [events]
    assert found["Tags"] == [{"Key": "owner", "Value": "identity"}]
    assert place.protected and place.policy == policy
    # Only what protects it is otherwise now: CloudFormation has nothing to do, and it is done all the same.
    place.about["termination_protection"] = False
    refused = place.deploy(ONE)
    assert refused.code == 3 and "stack.termination_protection" in refused.err and place.protected
    ran = place.deploy(ONE, allowed=["stack.termination_protection"])
    assert ran.code == 0 and "termination protection is off" in ran.err
    assert not place.protected and place.executions == 1


def test_an_update_that_fails_is_rolled_back_and_explained(there: Place, orders: LocalAws) -> None:
    """AWS' reason is at the end, the code is 4, and the stack is as it was."""
    orders.fail("A", "UPDATE", "the topic is tired")
    ran = there.deploy(TWO)
    assert ran.code == 4 and "the topic is tired" in ran.out.splitlines()[-1]
    assert there.status == "UPDATE_ROLLBACK_COMPLETE" and there.change_sets == []
    assert there.executions == 2


def test_a_rollback_that_fails_is_continued(there: Place, orders: LocalAws) -> None:
    """A stack that got stuck ends with 5 and its way out: continued while the reason is there it ends with 5 again,
    without what can't be mended with 0; a stack that isn't stuck is left alone."""
    orders.fail("A", "UPDATE", "no update")
    orders.fail("A", "ROLLBACK", "no way back")
    ran = there.deploy(TWO)
    assert ran.code == 5 and there.status == "UPDATE_ROLLBACK_FAILED"
    assert "--continue-rollback" in ran.out and "no way back" in ran.out
    assert there.deploy(TWO).code == 5
    again = there.deploy(TWO, free=True)
    assert again.code == 5 and there.status == "UPDATE_ROLLBACK_FAILED"
    assert there.deploy(TWO, free=True, skip=["Nobody"]).code == 4
    freed = there.deploy(TWO, free=True, skip=["A"])
    assert freed.code == 0 and "it is as it was before" in freed.out
    assert there.status == "UPDATE_ROLLBACK_COMPLETE"
    refused = there.deploy(TWO, free=True)
    assert refused.code == 3 and "only a rollback that failed" in refused.err
    orders.forget_orders()
    assert there.deploy(TWO).code == 0 and there.status == "UPDATE_COMPLETE"


def test_the_end_of_an_older_operation_isnt_this_ones(there: Place, orders: LocalAws) -> None:
    """A stack that was UPDATE_COMPLETE before is watched until it is so again, and not taken for done."""
    assert there.deploy(TWO).code == 0
    held = orders.hold("A", "UPDATE")
    ends: list[Ran] = []
    other = threading.Thread(target=lambda: ends.append(there.deploy(template(A=topic("three")))))
    other.start()
    held.reached()
    orders.forget_calls()
    while sum(name == "cloudformation:DescribeStackEvents" for name, _ in orders.calls()) < 3:
        assert not ends
    held.take_back()
    other.join()
    assert ends[0].code == 0 and there.executions == 3


def test_ctrl_c_while_aws_is_being_told_waits() -> None:
    """Ctrl-C doesn't tear the call that begins the execution: it counts afterwards, and says that it waits."""
    told: list[str] = []
    before = signal.getsignal(signal.SIGINT)
    with deferred(lambda: told.append("one moment")) as came:
        assert not came
        os.kill(os.getpid(), signal.SIGINT)
        os.kill(os.getpid(), signal.SIGINT)
        assert told == ["one moment"] and len(came) == 2
    assert signal.getsignal(signal.SIGINT) is before


# --- What nobody allowed ---


def test_what_loses_data_needs_leave(place: Place) -> None:
    """Without leave the change set is put away and nothing is executed; with it the deployment is made."""
    create(place, logs(place, "old"))
    ran = place.deploy(logs(place, "new"))
    assert ran.code == 3 and "--allow Log" in ran.err
    assert place.executions == 1 and place.change_sets == []
    assert place.deploy(logs(place, "new"), allowed=["Log"]).code == 0
    assert place.has() == {"Log": f"{place.stack}-new"}


def test_an_allowance_that_expired_allows_nothing(place: Place) -> None:
    """What was allowed until yesterday is refused today, in a plan as well that was made while it held."""
    create(place, logs(place, "old"))

    def allow(until: datetime.date) -> None:
        (place.root / "allowances.yaml").write_text(
            f"allowances:\n- {{id: Log, environment: test, reason: it moves, expires: {until}}}\n", "utf-8"
        )

    (place.root / "rendered" / "test").mkdir(parents=True)
    today = datetime.date.today()
    allow(today + datetime.timedelta(days=1))
    plan = place.root / "plan"
    assert place.deploy(logs(place, "new"), save_plan=plan).code == 0
    allow(today - datetime.timedelta(days=1))
    assert place.deploy(logs(place, "new"), use_plan=plan).code == 3
    assert place.deploy(logs(place, "new")).code == 3
    assert place.executions == 1
    allow(today)
    assert place.deploy(logs(place, "new"), use_plan=plan).code == 0 and place.executions == 2


def test_more_than_the_review_says_isnt_deployed_unseen(place: Place) -> None:
    """What AWS would change and the review can't know of, here by a value that AWS keeps to itself, --yes alone
    doesn't deploy; as a plan it can be seen, and is executed then."""
    body = template(A=topic({"Ref": "Words"}))
    body["Parameters"] = {"Words": {"Type": "String", "NoEcho": True}}
    place.parameters = {"Words": "one-thing"}
    assert place.deploy(body).code == 0
    place.parameters = {"Words": "another-thing"}
    ran = place.deploy(body, form="json")
    assert ran.code == 3 and "AWS would do more than the review says" in ran.err
    assert [(one["logical_id"], one["kind"]) for one in ran.data["surprises"]] == [("A", "more")]
    assert place.change_sets == [] and place.executions == 1
    plan = place.root / "plan"
    assert "AWS changes A as well" in place.deploy(body, save_plan=plan).out
    assert place.deploy(body, use_plan=plan).code == 0 and place.executions == 2


def test_what_is_looked_up_elsewhere_is_asked_for(place: Place, orders: LocalAws) -> None:
    """A template that takes a value from SSM isn't called deployed because its text is: AWS is asked."""
    ssm = place.aws.client("ssm", ACCOUNT)
    ssm.put_parameter(Name=f"/{place.stack}/words", Value="one", Type="String")
    ssm.close()
    body = template(A=topic({"Ref": "Words"}))
    body["Parameters"] = {"Words": {"Type": "AWS::SSM::Parameter::Value<String>", "Default": f"/{place.stack}/words"}}
    assert place.deploy(body).code == 0
    orders.forget_calls()
    assert place.deploy(body).code == 0
    assert "cloudformation:CreateChangeSet" in [name for name, _ in orders.calls()]
    assert place.executions == 1


# --- Plans ---


def test_a_plan_is_executed_once(there: Place) -> None:
    """What was planned is what is executed; a second time it is refused, and says that it was executed."""
    plan = there.root / "plan"
    ran = there.deploy(TWO, save_plan=plan)
    assert ran.code == 0 and "--use-plan" in ran.err and there.executions == 1
    (planned,) = there.change_sets
    assert there.deploy(TWO, use_plan=plan).code == 0
    assert there.executions == 2 and planned in plan.read_text("utf-8")
    again = there.deploy(TWO, use_plan=plan)
    assert again.code == 3 and "was executed already" in again.err and there.executions == 2


def test_a_plan_makes_a_stack_too(place: Place) -> None:
    """A plan for a stack that isn't there yet keeps the empty stack until it is executed."""
    plan = place.root / "plan"
    assert place.deploy(ONE, save_plan=plan).code == 0 and place.status == "REVIEW_IN_PROGRESS"
    assert place.deploy(ONE, use_plan=plan).code == 0 and place.status == "CREATE_COMPLETE"


@pytest.mark.parametrize(
    ("meanwhile", "said"),
    [
        ("edited", "template.yaml is not what it was"),
        ("deployed", "the change set is gone"),
        ("deleted", "the change set is gone"),
        ("made anew", "the change set is gone"),
        ("busy", "is busy"),
        ("removed", "the change set is gone"),
    ],
)
def test_a_plan_that_no_longer_matches_is_refused(
    there: Place, orders: LocalAws, meanwhile: str, said: str
) -> None:
    """Whatever happened since, what is executed is what was looked at, or nothing; nothing is cleaned up either."""
    plan = there.root / "plan"
    assert there.deploy(TWO, save_plan=plan).code == 0
    body = TWO
    if meanwhile == "edited":
        body = template(A=topic("three"))
    elif meanwhile == "deployed":
        there.cloudformation.update_stack(StackName=there.stack, TemplateBody=json.dumps(template(A=topic("other"))))
        there.settled()
    elif meanwhile in ("deleted", "made anew"):
        there.cloudformation.delete_stack(StackName=there.stack)
        while there.status:
            pass
        if meanwhile == "made anew":
            create(there, ONE)
    elif meanwhile == "busy":
        orders.set_status(there.stack, "UPDATE_IN_PROGRESS")
    else:
        there.cloudformation.delete_change_set(ChangeSetName=there.change_sets[0], StackName=there.stack)
    before = there.history
    ran = there.deploy(body, use_plan=plan, form="json")
    assert ran.code == 3 and said in ran.err and ran.data["outcome"] == "refused"
    assert there.history == before


def test_a_plan_whose_creation_failed_touches_nothing(place: Place, orders: LocalAws) -> None:
    """The plan of a creation that failed is refused; what is left of it is not cleaned up for a plan's sake."""
    plan = place.root / "plan"
    place.deploy(ONE, save_plan=plan)
    orders.fail("A", "CREATE", "no", times=1)
    assert place.deploy(ONE, use_plan=plan).code == 4 and place.status == "ROLLBACK_COMPLETE"
    ran = place.deploy(ONE, use_plan=plan)
    assert ran.code == 3 and place.status == "ROLLBACK_COMPLETE"


def test_the_plan_to_do_nothing(there: Place) -> None:
    """Where there is nothing to do there is a plan all the same, which does nothing; not once there is something."""
    plan = there.root / "plan"
    plan.write_text("an older one", "utf-8")
    assert "nothing to deploy" in there.deploy(ONE, save_plan=plan).out
    ran = there.deploy(ONE, use_plan=plan)
    assert ran.code == 0 and "nothing to deploy" in ran.out
    there.cloudformation.update_stack(StackName=there.stack, TemplateBody=json.dumps(TWO))
    there.settled()
    refused = there.deploy(ONE, use_plan=plan)
    assert refused.code == 3 and "now there is" in refused.err and there.change_sets == []


# --- Large templates ---


def large(words: str) -> dict[str, Any]:
    """A template that is too large for a call."""
    body = template(A=topic(words))
    body["Metadata"] = {"Filler": "x" * LIMIT}
    return body


def test_a_large_template_goes_through_the_bucket(place: Place) -> None:
    """A template over the limit is put into the account's bucket, and deployed from there."""
    s3 = place.aws.client("s3", ACCOUNT)
    place.about["template_bucket"] = f"{place.stack}-templates"
    s3.create_bucket(
        Bucket=f"{place.stack}-templates", CreateBucketConfiguration={"LocationConstraint": "eu-central-1"}
    )
    ran = place.deploy(large("one"))
    assert ran.code == 0 and place.status == "CREATE_COMPLETE", ran.err
    (there,) = s3.list_objects_v2(Bucket=f"{place.stack}-templates")["Contents"]
    s3.close()
    assert there["Key"].startswith(f"cloakform/{place.stack}/") and there["Size"] > LIMIT
    assert there["Key"] in ran.err


def test_a_large_template_without_a_bucket(place: Place) -> None:
    """Without a bucket it is said which key names one; with one that can't be used, what it has to be."""
    ran = place.deploy(large("one"))
    assert ran.code == 2 and "stack.template_bucket" in ran.err
    place.about["template_bucket"] = f"{place.stack}-nowhere"
    ran = place.deploy(large("one"))
    assert ran.code == 4 and f"account {ACCOUNT}'s" in ran.err and "NoSuchBucket" in ran.err
    assert place.status == ""


# --- What is said ---


@pytest.mark.parametrize("form", ["json", "markdown"])
def test_every_outcome_is_one_document(there: Place, orders: LocalAws, form: str) -> None:
    """With --format json there is exactly one document on standard output, however a deployment ends."""
    plan = there.root / "plan"
    ends = []

    def run(outcome: str, code: int, body: dict[str, Any], **how: Any) -> None:
        ran = there.deploy(body, form=form, **how)
        assert ran.code == code, ran.err
        if form == "json":
            assert ran.data["outcome"] == outcome and ran.data["environment"] == "test"
            assert bool(ran.data["diagnosis"]) is (outcome in ("rolled back", "stuck", "refused by AWS"))
        else:
            assert ran.out and ran.out.count("<details>") == ran.out.count("</details>")
        ends.append(outcome)

    run("nothing to do", 0, ONE)
    run("planned", 0, TWO, save_plan=plan)
    run("deployed", 0, TWO, use_plan=plan)
    run("refused", 3, TWO, use_plan=plan)
    orders.fail_change_set("no")
    run("refused by AWS", 4, ONE)
    orders.fail("A", "UPDATE", "no", times=1)
    run("rolled back", 4, ONE)
    orders.fail("A", "UPDATE", "no")
    orders.fail("A", "ROLLBACK", "no")
    run("stuck", 5, ONE)
    run("failed", 5, ONE)
    orders.forget_orders()
    freed = there.deploy(ONE, free=True, form=form)
    assert freed.code == 0 and (form == "markdown" or freed.data["outcome"] == "rolled back")
    assert len(ends) == 8


def test_secret_values_are_nowhere(place: Place) -> None:
    """The value of a NoEcho parameter is in no output, no plan and no JSON, and neither is what is made from it."""
    body = template(A=topic({"Ref": "Password"}))
    body["Parameters"] = {"Password": {"Type": "String", "NoEcho": True}}
    body["Outputs"] = {"Login": {"Value": {"Fn::Sub": "admin:${Password}"}}, "Other": {"Value": "plain"}}
    plan = place.root / "plan"
    said = []
    for secret in ("correct-horse", "battery-staple"):
        place.parameters = {"Password": secret}
        said += [place.deploy(body, form=form, save_plan=plan) for form in ("text", "json", "markdown")]
        said.append(place.deploy(body, use_plan=plan))
        assert said[-1].code == 0 and "Other" in said[-1].out and "plain" in said[-1].out
    said.append(place.deploy(body, form="json"))
    text = "".join(f"{one.out}{one.err}" for one in said) + plan.read_text("utf-8")
    assert "correct-horse" not in text and "battery-staple" not in text
    assert "Login" in text


def test_a_stack_of_another_tools_is_updated(place: Place) -> None:
    """A stack that was made from JSON by something else is compared, and updated in place."""
    place.tags = {}
    place.cloudformation.create_stack(StackName=place.stack, TemplateBody=json.dumps(ONE))
    place.settled()
    body = "Resources:\n  A:\n    Type: AWS::SNS::Topic\n    Properties:\n      DisplayName: two\n"
    ran = place.deploy(body)
    assert ran.code == 0 and "DisplayName: one -> two" in ran.out
    assert "as the review says" in ran.out and place.status == "UPDATE_COMPLETE"


def test_a_policy_that_gave_way_is_back_after_a_rollback(place: Place, orders: LocalAws) -> None:
    """The policy lets go of what was allowed for as long as the deployment takes, also where that is rolled back."""
    policy = {
        "Statement": [
            {"Effect": "Allow", "Action": "Update:*", "Principal": "*", "Resource": "*"},
            {"Effect": "Deny", "Action": "Update:Replace", "Principal": "*", "Resource": "LogicalResourceId/Log"},
        ]
    }
    place.about["stack_policy"] = policy
    assert place.deploy(logs(place, "old")).code == 0 and place.policy == policy
    orders.fail("Log", "UPDATE", "no log")
    ran = place.deploy(logs(place, "new"), allowed=["Log"])
    assert ran.code == 4 and place.status == "UPDATE_ROLLBACK_COMPLETE"
    assert "lets go of Log" in ran.err and place.policy == policy
