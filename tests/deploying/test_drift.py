"""What somebody changed beside CloudFormation."""

from __future__ import annotations

import json

import pytest

from generator.deploying import drift, masking, stacks
from generator.deploying.drift import Difference, Drift, Drifted
from generator.deploying.operating import HIDDEN
from generator.errors import RefusedError
from tests.deploying.deployed import STACK as NAME
from tests.deploying.deployed import Site, run, site  # noqa: F401


def detect(site: Site) -> Drift:
    connection = site.connection()
    stack = stacks.look(connection, NAME)
    assert stack is not None
    return drift.detect(connection, site.target, stack, sleep=lambda _: None)


def test_what_nobody_changed_is_in_sync(site: Site):
    """A stack that is as CloudFormation made it has no drift, and everything was looked at."""
    site.deploy()
    found = detect(site)
    assert (found.complete, found.drifted, found.failed, found.unsupported) == (True, (), (), ())
    assert {one.status for one in found.resources} == {drift.IN_SYNC}


def test_a_changed_property_is_told_with_both_values(site: Site):
    """Of a resource that was changed by hand: which property, what it should be, what it is."""
    site.deploy()
    topic = site.aws.resources(NAME)["Topic"]
    site.client("sns").set_topic_attributes(
        TopicArn=topic, AttributeName="DisplayName", AttributeValue="by hand"
    )
    found = detect(site)
    (one,) = found.drifted
    assert (one.logical_id, one.physical_id, one.type, one.status) == (
        "Topic",
        topic,
        "AWS::SNS::Topic",
        drift.MODIFIED,
    )
    assert one.differences == (Difference("/DisplayName", "NOT_EQUAL", "before", "by hand"),)


def test_a_deleted_resource_is_told(site: Site):
    """Of a resource that is gone, that it is gone."""
    site.deploy()
    site.client("sqs").delete_queue(QueueUrl=site.aws.resources(NAME)["Queue"])
    assert [(one.logical_id, one.status) for one in detect(site).drifted] == [("Queue", drift.DELETED)]


def test_what_aws_can_not_look_at_is_named(site: Site):
    """A resource of a type without drift detection isn't passed over in silence."""
    text = (site.folder / "template.yaml").read_text("utf-8")
    text = text.replace(
        "Resources:\n",
        "Resources:\n  Network:\n    Type: AWS::EC2::VPC\n    Properties: {CidrBlock: 10.0.0.0/16}\n",
    )
    (site.folder / "template.yaml").write_text(text, "utf-8")
    site.deploy()
    found = detect(site)
    assert found.unsupported == (("Network", "AWS::EC2::VPC"),)
    assert "Network" not in [one.logical_id for one in found.resources]


@pytest.mark.parametrize("status", ["ROLLBACK_COMPLETE", "UPDATE_FAILED"])
def test_a_stack_in_another_state_is_refused(site: Site, status: str):
    """Where AWS doesn't look for drift, that is said before it is asked."""
    site.deploy()
    site.aws.set_status(NAME, status)
    with pytest.raises(RefusedError, match=status):
        detect(site)


def test_what_failed_is_no_drift_and_not_well_either():
    """What AWS tried to look at and couldn't is neither drifted nor in sync."""
    one = Drifted("Topic", "arn", "AWS::SNS::Topic", "UNKNOWN", (), "AccessDenied")
    found = Drift(None, False, "failed", (one,), ())  # type: ignore[arg-type]
    assert (found.drifted, found.failed) == ((), (one,))


def shown(path: str, value: str) -> str:
    told = {"PropertyPath": path, "ExpectedValue": value, "ActualValue": "", "DifferenceType": "REMOVE"}
    return drift._difference(told, masking.Masking(("correct-horse",))).expected


@pytest.mark.parametrize(
    ("path", "value"),
    [
        ("/MasterUserPassword", "Tr0ub4dor&3"),
        ("/SecretString", "Tr0ub4dor&3"),
        ("/Description", "it is correct-horse"),
        (
            "/ContainerDefinitions/0/Environment/3",
            json.dumps({"Name": "KC_DB_PASSWORD", "Value": "Tr0ub4dor&3"}),
        ),
        (
            "/ContainerDefinitions/0",
            json.dumps({"Environment": [{"Name": "X_TOKEN", "Value": "Tr0ub4dor&3"}]}),
        ),
        ("/Tags", json.dumps([{"Key": "note", "Value": "correct-horse"}])),
    ],
)
def test_secrets_are_not_shown(path: str, value: str):
    """A value that is a secret by its name, its variable's name or because it is known is hidden, in objects,
    too."""
    text = shown(path, value)
    assert "Tr0ub4dor" not in text and "correct-horse" not in text
    assert HIDDEN in text


@pytest.mark.parametrize(
    ("path", "value"),
    [
        ("/DesiredCount", "3"),
        ("/MasterUserSecret/SecretArn", "arn:aws:secretsmanager:eu-central-1:1:secret:x"),
        ("/ContainerDefinitions/0/Environment/3", '{"Name": "KC_HOSTNAME", "Value": "sso.example.com"}'),
        ("/Tags", '[{"Key": "owner", "Value": "identity"}]'),
        ("/Enabled", "true"),
        ("/Odd", "[not json"),
    ],
)
def test_what_is_no_secret_is_shown_as_it_is(path: str, value: str):
    """What isn't secret isn't hidden: it is what the command is for."""
    assert shown(path, value) == value
