"""What is ordered happens, and nothing else; what AWS tells of it is told as AWS does."""

from __future__ import annotations

import json
import threading

import pytest
from botocore.exceptions import ClientError

from generator.sandbox.local_aws import Validation
from tests.sandbox.fixtures import aws  # noqa: F401
from tests.sandbox.stacks import NAME, ROLE, Deployer, group, service, template, topic

TWO = template(First=group(), Second={**group(), "DependsOn": "First"})
TWO_CHANGED = template(First=group(14), Second={**group(14), "DependsOn": "First"})


@pytest.fixture
def deployer(aws):  # noqa: F811
    """Calls in an account of the test's own."""
    made = Deployer(aws)
    yield made
    made.client.close()


# --- Resources ---


def test_a_creation_fails_with_its_reason_and_rolls_back(aws, deployer):  # noqa: F811
    """The stack is ROLLBACK_COMPLETE, the reason is the resource's; what was made before is deleted."""
    aws.fail("Second", "CREATE", "no room for it")
    assert deployer.execute(TWO, "CREATE") == "ROLLBACK_COMPLETE"
    assert deployer.reason("Second", "CREATE_FAILED") == "no room for it"
    assert deployer.reason(NAME, "ROLLBACK_IN_PROGRESS").startswith(
        "The following resource(s) failed to create: [Second]."
    )
    assert ("First", "DELETE_COMPLETE") in deployer.events()


def test_what_isn_t_ordered_is_left_alone(aws, deployer):  # noqa: F811
    """Neither another resource, another operation, nor another account fails."""
    aws.fail("Other", "CREATE", "no")
    aws.fail("First", "DELETE", "no")
    aws.within("299999999999").fail("First", "CREATE", "no")
    assert deployer.execute(TWO, "CREATE") == "CREATE_COMPLETE"


def test_an_update_that_fails_brings_back_what_it_had_changed(aws, deployer):  # noqa: F811
    """As often as it was ordered: the next update goes well."""
    deployer.execute(TWO, "CREATE")
    order = aws.fail("Second", "UPDATE", "not today", times=1)
    assert deployer.execute(TWO_CHANGED) == "UPDATE_ROLLBACK_COMPLETE"
    groups = aws.client("logs").describe_log_groups()["logGroups"]
    assert {one["retentionInDays"] for one in groups} == {7} and order.followed == 1
    assert deployer.execute(TWO_CHANGED) == "UPDATE_COMPLETE"


def test_a_rollback_can_get_stuck_and_be_freed(aws, deployer):  # noqa: F811
    """UPDATE and ROLLBACK of one resource: the stack waits for somebody to say how, and skipping helps."""
    deployer.execute(TWO, "CREATE")
    aws.fail("Second", "UPDATE", "not today")
    aws.fail("Second", "ROLLBACK", "not back either")
    assert deployer.execute(TWO_CHANGED) == "UPDATE_ROLLBACK_FAILED"
    assert deployer.reason("Second", "UPDATE_FAILED") == "not back either"
    deployer.client.continue_update_rollback(StackName=NAME, ResourcesToSkip=["Second"])
    assert aws.settled(NAME) == "UPDATE_ROLLBACK_COMPLETE"


def test_a_deletion_can_fail(aws, deployer):  # noqa: F811
    """The stack is DELETE_FAILED; once nothing keeps it, it goes."""
    deployer.execute(TWO, "CREATE")
    number = deployer.client.describe_stacks(StackName=NAME)["Stacks"][0]["StackId"]
    order = aws.fail("First", "DELETE", "somebody needs it")
    deployer.client.delete_stack(StackName=NAME)
    assert aws.settled(number) == "DELETE_FAILED"
    order.take_back()
    deployer.client.delete_stack(StackName=NAME)
    assert aws.settled(number) == "DELETE_COMPLETE"


def test_something_is_held_until_it_may_go_on(aws, deployer):  # noqa: F811
    """Meanwhile the stack is busy, and answers."""
    order = aws.hold("Second", "CREATE")
    found = []
    running = threading.Thread(target=lambda: found.append(deployer.execute(TWO, "CREATE")))
    running.start()
    order.reached()
    other = Deployer(aws)
    assert other.client.describe_stacks(StackName=NAME)["Stacks"][0]["StackStatus"] == "CREATE_IN_PROGRESS"
    assert other.events()[-1] == ("Second", "CREATE_IN_PROGRESS") and not found
    order.take_back()
    running.join()
    assert found == ["CREATE_COMPLETE"]
    other.client.close()


def test_something_takes_its_time(aws, deployer):  # noqa: F811
    """A delay is between the beginning and the end of a resource, as its events tell."""
    aws.delay("Second", 0.3, "CREATE")
    deployer.execute(TWO, "CREATE")
    told = [one["Timestamp"] for one in deployer.told() if one["LogicalResourceId"] == "Second"]
    assert (told[-1] - told[0]).total_seconds() >= 0.3


# --- Events ---


def test_an_update_tells_of_what_it_changes_alone(deployer):
    """What stays has no events; what is new is created, what goes is deleted after the update."""
    deployer.execute(template(Kept=group(), Gone=group(), Changed=group()), "CREATE")
    before = len(deployer.told())
    deployer.execute(template(Kept=group(), Changed=group(14), New=group()))
    assert [one for one in deployer.events(before) if one[0] != NAME] == [
        ("Changed", "UPDATE_IN_PROGRESS"),
        ("Changed", "UPDATE_COMPLETE"),
        ("New", "CREATE_IN_PROGRESS"),
        ("New", "CREATE_IN_PROGRESS"),
        ("New", "CREATE_COMPLETE"),
        ("Gone", "DELETE_IN_PROGRESS"),
        ("Gone", "DELETE_COMPLETE"),
    ]
    assert [status for name, status in deployer.events(before) if name == NAME] == [
        "UPDATE_IN_PROGRESS",
        "UPDATE_COMPLETE_CLEANUP_IN_PROGRESS",
        "UPDATE_COMPLETE",
    ]
    statuses = {
        one["LogicalResourceId"]: one["ResourceStatus"]
        for one in deployer.client.list_stack_resources(StackName=NAME)["StackResourceSummaries"]
    }
    assert statuses == {"Kept": "CREATE_COMPLETE", "Changed": "UPDATE_COMPLETE", "New": "CREATE_COMPLETE"}


def test_a_rollback_is_an_operation_of_its_own(aws, deployer):  # noqa: F811
    """Events have the id of their operation; that of the failure is the older one of two."""
    aws.fail("Second", "CREATE", "no")
    deployer.execute(TWO, "CREATE")
    told = deployer.told()
    begun = next(one["OperationId"] for one in told if one["ResourceStatus"] == "CREATE_FAILED")
    ended = told[-1]["OperationId"]
    assert begun != ended and {one["OperationId"] for one in told[1:]} == {begun, ended}


# --- Change sets ---


def test_a_change_set_tells_what_is_made_anew(deployer):
    """As the resource's schema says, for types that ministack knows nothing about; with values before and
    after."""
    deployer.execute(template(Topic=topic("one"), Group=group()), "CREATE")
    made = deployer.change_set(template(Topic=topic("two"), Group=group(14)))
    found = {one["ResourceChange"]["LogicalResourceId"]: one["ResourceChange"] for one in made["Changes"]}
    assert (found["Topic"]["Replacement"], found["Group"]["Replacement"]) == ("True", "False")
    assert "BeforeContext" not in found["Group"]
    made = deployer.client.describe_change_set(ChangeSetName=made["ChangeSetId"], IncludePropertyValues=True)
    found = {one["ResourceChange"]["LogicalResourceId"]: one["ResourceChange"] for one in made["Changes"]}
    assert json.loads(found["Group"]["BeforeContext"])["Properties"] == {"RetentionInDays": 7}
    assert json.loads(found["Group"]["AfterContext"])["Properties"] == {"RetentionInDays": 14}
    (detail,) = found["Topic"]["Details"]
    assert {
        key: detail["Target"][key] for key in ("Path", "BeforeValue", "AfterValue", "AttributeChangeType")
    } == {
        "Path": "/Properties/TopicName",
        "BeforeValue": "one",
        "AfterValue": "two",
        "AttributeChangeType": "Modify",
    }


def test_a_change_set_comes_in_pages(aws, deployer):  # noqa: F811
    """Each change is on one of them."""
    aws.pages(2)
    body = template(**{f"Group{number}": group() for number in range(5)})
    made = deployer.change_set(body, "CREATE")
    names, pages = [], 1
    while True:
        names += [one["ResourceChange"]["LogicalResourceId"] for one in made["Changes"]]
        if "NextToken" not in made:
            break
        pages += 1
        made = deployer.client.describe_change_set(
            ChangeSetName=made["ChangeSetId"], NextToken=made["NextToken"]
        )
    assert pages == 3 and names == [f"Group{number}" for number in range(5)]


def test_with_values_changes_may_be_missing(aws, deployer):  # noqa: F811
    """Only the reason tells; without values all of them are there."""
    aws.drop_changes("Second")
    made = deployer.change_set(TWO, "CREATE")
    assert len(made["Changes"]) == 2 and not made.get("StatusReason")
    made = deployer.client.describe_change_set(ChangeSetName=made["ChangeSetId"], IncludePropertyValues=True)
    assert len(made["Changes"]) == 1
    assert made["StatusReason"].startswith(
        "[WARN] --include-property-values option can return incomplete ChangeSet data"
    )


def test_a_change_set_fails_for_what_validation_found(aws, deployer):  # noqa: F811
    """Its reason says where to ask, and there is the path; the next one is fine."""
    aws.fail_change_set(
        validation=[
            Validation(
                "First",
                "AWS::Logs::LogGroup",
                "/Resources/First/Properties/Days",
                "extraneous key [Days] is not permitted",
            )
        ]
    )
    made = deployer.change_set(TWO, "CREATE")
    assert made["Status"] == "FAILED" and "DescribeEvents" in made["StatusReason"]
    (told,) = deployer.client.describe_events(
        ChangeSetName=made["ChangeSetId"], Filters={"FailedEvents": True}
    )["OperationEvents"]
    assert (told["ValidationPath"], told["ValidationStatusReason"], told["EventType"]) == (
        "/Resources/First/Properties/Days",
        "extraneous key [Days] is not permitted",
        "VALIDATION_ERROR",
    )
    assert deployer.change_set(TWO, "CREATE", "second")["Status"] == "CREATE_COMPLETE"


def test_a_change_set_takes_its_time(aws, deployer):  # noqa: F811
    """It is CREATE_IN_PROGRESS as often as ordered."""
    aws.pending_change_set(2)
    made = deployer.change_set(TWO, "CREATE")
    states = [made["Status"]] + [
        deployer.client.describe_change_set(ChangeSetName=made["ChangeSetId"])["Status"] for _ in range(2)
    ]
    assert states == ["CREATE_IN_PROGRESS", "CREATE_IN_PROGRESS", "CREATE_COMPLETE"]


def test_nothing_to_change_is_said_in_aws_words(deployer):
    """The change set is FAILED, and can't be executed."""
    deployer.execute(TWO, "CREATE")
    made = deployer.change_set(TWO)
    assert (made["Status"], made["ExecutionStatus"]) == ("FAILED", "UNAVAILABLE")
    assert made["StatusReason"].startswith("The submitted information didn't contain changes.")


def test_a_stack_without_resources_stays_one(deployer):
    """Further change sets that would make it are for the same stack, which is still nothing."""
    first = deployer.change_set(TWO, "CREATE")
    second = deployer.change_set(TWO, "CREATE", "second")
    assert first["StackId"] == second["StackId"]
    (stack,) = deployer.client.describe_stacks(StackName=NAME)["Stacks"]
    assert (stack["StackStatus"], stack["StackId"]) == ("REVIEW_IN_PROGRESS", first["StackId"])
    assert len(deployer.client.list_change_sets(StackName=NAME)["Summaries"]) == 2


# --- What AWS refuses ---


def test_what_aws_refuses_is_refused(aws, deployer):  # noqa: F811
    """Capabilities that nobody gave; updates of a stack that was rolled back, or is busy; deleting a
    protected one."""
    with pytest.raises(ClientError, match=r"InsufficientCapabilities.*CAPABILITY_IAM"):
        deployer.change_set(template(Role=ROLE), "CREATE")
    aws.fail("First", "CREATE", "no", times=1)
    deployer.execute(TWO, "CREATE")
    with pytest.raises(
        ClientError, match=r"ValidationError.* is in ROLLBACK_COMPLETE state and can not be updated"
    ):
        deployer.change_set(TWO)
    with pytest.raises(ClientError, match="already exists and cannot be created again"):
        deployer.change_set(TWO, "CREATE")
    with pytest.raises(ClientError, match="AlreadyExists"):
        deployer.client.create_stack(StackName=NAME, TemplateBody=TWO)
    deployer.client.delete_stack(StackName=NAME)
    deployer.execute(template(Role=ROLE), "CREATE", Capabilities=["CAPABILITY_IAM"])
    deployer.client.update_termination_protection(StackName=NAME, EnableTerminationProtection=True)
    with pytest.raises(ClientError, match="TerminationProtection is enabled"):
        deployer.client.delete_stack(StackName=NAME)
    aws.set_status(NAME, "UPDATE_IN_PROGRESS")
    with pytest.raises(ClientError, match="UPDATE_IN_PROGRESS state and can not be updated"):
        deployer.change_set(TWO)


@pytest.mark.parametrize(
    "denied,wanted",
    [
        ("Update:Replace", template(Topic=topic("two"), Group=group())),
        ("Update:Delete", template(Group=group())),
    ],
)
def test_a_stack_policy_denies_an_update(deployer, denied, wanted):
    """The update is rolled back, with the statement; what the policy lets through is done."""
    deployer.execute(template(Topic=topic("one"), Group=group()), "CREATE")
    deployer.client.set_stack_policy(
        StackName=NAME,
        StackPolicyBody=json.dumps(
            {
                "Statement": [
                    {"Effect": "Allow", "Action": "Update:*", "Principal": "*", "Resource": "*"},
                    {
                        "Effect": "Deny",
                        "Action": denied,
                        "Principal": "*",
                        "Resource": "LogicalResourceId/Topic",
                    },
                ]
            }
        ),
    )
    before = aws_topics(deployer)
    assert deployer.execute(wanted) == "UPDATE_ROLLBACK_COMPLETE"
    assert deployer.reason("Topic", "UPDATE_FAILED") == (
        f"Action denied by stack policy: Statement [#2] does not allow [{denied}] for resource "
        "[LogicalResourceId/Topic]"
    )
    assert aws_topics(deployer) == before
    assert deployer.execute(template(Topic=topic("one"), Group=group(14))) == "UPDATE_COMPLETE"


def aws_topics(deployer: Deployer) -> list[str]:
    """The topics there are."""
    return [one["TopicArn"] for one in deployer.aws.client("sns").list_topics()["Topics"]]


def test_the_same_token_again_is_the_same_request(deployer):
    """It is answered as before and done once; for another request it is refused."""
    asked = {
        "StackName": NAME,
        "ChangeSetName": "one",
        "ChangeSetType": "CREATE",
        "TemplateBody": TWO,
        "ClientToken": "token",
    }
    first, again = (deployer.client.create_change_set(**asked) for _ in range(2))
    assert (
        first["Id"] == again["Id"] and len(deployer.client.list_change_sets(StackName=NAME)["Summaries"]) == 1
    )
    with pytest.raises(ClientError, match="TokenAlreadyExists"):
        deployer.client.create_change_set(**{**asked, "ChangeSetName": "two"})
    for _ in range(2):
        deployer.client.execute_change_set(ChangeSetName=first["Id"], ClientRequestToken="another")
    assert deployer.aws.settled(NAME) == "CREATE_COMPLETE"
    assert deployer.events().count((NAME, "CREATE_IN_PROGRESS")) == 1
    assert {
        one["ClientRequestToken"] for one in deployer.told() if one["ResourceStatus"] == "CREATE_COMPLETE"
    } == {"another"}
    # Without a token, or with another one, it is another request.
    with pytest.raises(ClientError, match="InvalidChangeSetStatus"):
        deployer.client.execute_change_set(ChangeSetName=first["Id"])


def test_a_stack_keeps_its_role_and_topics(deployer):
    """Those of the change set that was executed."""
    role, topics = "arn:aws:iam::111111111111:role/deployer", ["arn:aws:sns:eu-central-1:111111111111:told"]
    deployer.execute(TWO, "CREATE", RoleARN=role, NotificationARNs=topics)
    (stack,) = deployer.client.describe_stacks(StackName=NAME)["Stacks"]
    assert (stack["RoleARN"], stack["NotificationARNs"]) == (role, topics)


# --- Tasks ---


def test_a_deployment_goes_to_its_end(aws, deployer):  # noqa: F811
    """After an update the old tasks have gone and the new ones run, as CloudFormation waits for."""
    deployer.execute(service(), "CREATE")
    assert deployer.execute(service("two")) == "UPDATE_COMPLETE"
    (found,) = services(aws)
    (deployment,) = found["deployments"]
    assert (deployment["rolloutState"], deployment["runningCount"], found["runningCount"]) == (
        "COMPLETED",
        2,
        2,
    )
    client = aws.client("ecs")
    running = client.describe_tasks(
        cluster=found["clusterArn"], tasks=client.list_tasks(cluster=found["clusterArn"])["taskArns"]
    )["tasks"]
    addresses = {one["attachments"][0]["details"][0]["value"] for one in running}
    assert len(addresses) == 2 and {one["healthStatus"] for one in running} == {"HEALTHY"}
    client.close()


@pytest.mark.parametrize("kind", ["CREATE", "UPDATE"])
def test_tasks_stop_with_reason_code_and_log(aws, deployer, kind):  # noqa: F811
    """The circuit breaker fails the deployment, and everything is told where AWS tells it."""
    if kind == "UPDATE":
        deployer.execute(service(), "CREATE")
    before = len(deployer.told()) if kind == "UPDATE" else 0
    aws.stop_tasks(
        "OutOfMemory",
        exit_code=137,
        container_reason="OutOfMemoryError: Container killed due to memory",
        lines=["starting", "dying"],
        events=["is unable to place a task"],
    )
    expected = "ROLLBACK_COMPLETE" if kind == "CREATE" else "UPDATE_ROLLBACK_COMPLETE"
    hold = aws.hold("Cluster", "DELETE")
    if kind == "CREATE":
        made = deployer.change_set(service("two"), kind)
        deployer.client.execute_change_set(ChangeSetName=made["ChangeSetId"])
        hold.reached()
    else:
        assert deployer.execute(service("two")) == expected
    assert "Circuit Breaker" in deployer.reason("Service", f"{kind}_FAILED")
    client = aws.client("ecs")
    cluster = client.list_clusters()["clusterArns"][0]
    stopped = client.list_tasks(cluster=cluster, desiredStatus="STOPPED")["taskArns"]
    found = [
        one
        for one in client.describe_tasks(cluster=cluster, tasks=stopped)["tasks"]
        if one["stoppedReason"] == "OutOfMemory"
    ]
    assert len(found) == 3
    assert {(one["containers"][0]["exitCode"], one["containers"][0]["reason"]) for one in found} == {
        (137, "OutOfMemoryError: Container killed due to memory")
    }
    if kind == "UPDATE":
        (told,) = services(aws)
        assert any("is unable to place a task" in one["message"] for one in told["events"])
        assert [(one["status"], one["rolloutState"]) for one in told["deployments"]][0] == (
            "PRIMARY",
            "COMPLETED",
        )
        logs = aws.client("logs")
        name = aws.resources(NAME)["Log"]
        task = found[0]["taskArn"].rsplit("/", 1)[-1]
        lines = logs.get_log_events(logGroupName=name, logStreamName=f"keycloak/keycloak/{task}")["events"]
        assert [one["message"] for one in lines] == ["starting", "dying"]
    hold.take_back()
    assert aws.settled(NAME) == expected
    gone = [name for name, status in deployer.events(before) if status == "DELETE_COMPLETE"]
    assert ("Service" in gone) is (kind == "CREATE")


def services(aws) -> list[dict]:  # noqa: F811
    """The services of the account's cluster."""
    client = aws.client("ecs")
    cluster = client.list_clusters()["clusterArns"][0]
    return client.describe_services(
        cluster=cluster, services=client.list_services(cluster=cluster)["serviceArns"]
    )["services"]


def test_targets_and_databases_tell_what_is_ordered(aws):  # noqa: F811
    """States with reasons, and events of a database; what was said last holds."""
    aws.say({}, {"10.0.0.4": "healthy"})
    aws.say({}, {"10.0.0.5": ("unhealthy", "Target.Timeout", "Request timed out")})
    (told,) = aws.client("elbv2").describe_target_health(TargetGroupArn="arn:x")["TargetHealthDescriptions"]
    assert told["Target"]["Id"] == "10.0.0.5"
    assert told["TargetHealth"] == {
        "State": "unhealthy",
        "Reason": "Target.Timeout",
        "Description": "Request timed out",
    }
    aws.rds_event("keycloak-db", "The free storage is low", "low storage")
    (event,) = aws.client("rds").describe_events(SourceIdentifier="keycloak-db", SourceType="db-instance")[
        "Events"
    ]
    assert (event["Message"], event["EventCategories"]) == ("The free storage is low", ["low storage"])
    assert not aws.within("299999999998").client("rds").describe_events()["Events"]
