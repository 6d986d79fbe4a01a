"""The account and the region of params are those of what was adopted, not of the first ARN that is found."""

from __future__ import annotations

from tests.adopting.adoptions import adopt, task

SNS = "arn:aws:sns:us-east-1:999988887777:shared"
IMAGE = "999988887777.dkr.ecr.us-east-1.amazonaws.com/keycloak:26.7.4"
ROLE = "arn:aws:iam::111122223333:role/execution"


def bare(**more) -> dict:
    """A task definition as it is registered, without an ARN of its own."""
    found = task({"KC_SPI_X__Y__TOPIC": SNS}, **more)["taskDefinition"]
    del found["taskDefinitionArn"]
    return found


def line(found, key: str) -> str:
    """The line of params with a key."""
    return next(one for one in found.params.splitlines() if one.startswith(f"{key}:"))


def test_what_must_be_of_the_own_account_comes_before_what_stands_first():
    """Neither a topic nor an image of another account tells where the service is."""
    found = adopt(task({"KC_SPI_X__Y__TOPIC": SNS}, container={"image": IMAGE}))
    assert (line(found, "account"), line(found, "region")) == ('account: "111122223333"', "region: eu-central-1")


def test_a_role_tells_the_account_and_the_log_the_region():
    """Where no ARN says both, each comes from what has to be the service's own."""
    logs = {"logDriver": "awslogs", "options": {"awslogs-region": "eu-west-1", "awslogs-group": "sso"}}
    found = adopt(bare(executionRoleArn=ROLE, container={"image": IMAGE, "secrets": [], "logConfiguration": logs}))
    assert (line(found, "account"), line(found, "region")) == ('account: "111122223333"', "region: eu-west-1")


def test_a_likely_account_is_written_with_where_it_comes_from():
    """An ARN that may be of another account is named, and it alone: a secret's is likelier than a topic's."""
    found = adopt(bare())
    assert line(found, "account").startswith('account: "111122223333"  # from valueFrom at file')
    assert "another account" in line(found, "account") and not any(one.key == "account" for one in found.unset)


def test_two_accounts_that_are_as_likely_are_asked_for():
    """Nobody guesses between two: both are named."""
    arn = "arn:aws:sns:eu-west-1:444455556666:other"
    variables = [{"name": "KC_HOSTNAME", "value": SNS}, {"name": "KC_DB_URL_HOST", "value": arn}]
    files = bare(container={"secrets": [], "environment": variables})
    why, = [one.why for one in adopt(files).unset if one.key == "account"]
    assert "999988887777" in why and "444455556666" in why


def test_accounts_that_are_let_in_are_nobodys():
    """The account that writes a balancer's logs is AWS's own."""
    text = """
Mappings: {Logs: {us-east-1: {Account: "arn:aws:iam::127311923021:root"}}}
Resources:
  Task:
    Type: AWS::ECS::TaskDefinition
    Properties: {ContainerDefinitions: [{Name: sso, Image: "quay.io/keycloak/keycloak:26.7.4", Command: [start]}]}
"""
    found = adopt(text)
    assert "127311923021" not in found.params and {"account", "region"} <= {one.key for one in found.unset}


def test_the_region_that_somebody_gives_holds():
    """--region is right without a doubt."""
    assert line(adopt(bare(), region="eu-north-1"), "region") == "region: eu-north-1"
