"""Nothing that matters in the files goes without a word."""

from __future__ import annotations

from pathlib import Path

import pytest
from adoptions import ARN, adopt, loaded, task

SERVICE = {
    "services": [
        {
            "serviceName": "sso",
            "taskDefinition": "arn:aws:ecs:eu-central-1:111122223333:task-definition/sso:7",
            "launchType": "FARGATE",
            "desiredCount": 2,
            "loadBalancers": [
                {"targetGroupArn": ARN + "targetgroup/sso/1", "containerName": "sso", "containerPort": 8080}
            ],
            "placementConstraints": [],
            "deploymentController": {"type": "ECS"},
        }
    ]
}
GROUP = {
    "TargetGroups": [
        {
            "TargetGroupArn": ARN + "targetgroup/sso/1",
            "LoadBalancerArns": [ARN + "loadbalancer/app/sso/1"],
            "Protocol": "HTTP",
            "Port": 8080,
            "TargetType": "ip",
            "VpcId": "vpc-0a1b2c3d4e5f67890",
            "IpAddressType": "ipv4",
        }
    ]
}
BALANCER = {
    "LoadBalancers": [
        {
            "LoadBalancerArn": ARN + "loadbalancer/app/sso/1",
            "Scheme": "internet-facing",
            "Type": "application",
            "IpAddressType": "ipv4",
            "SecurityGroups": ["sg-0a1b2c3d4e5f67890"],
            "AvailabilityZones": [{"SubnetId": "subnet-1"}, {"SubnetId": "subnet-2"}],
        }
    ]
}
LISTENER = {
    "Listeners": [
        {
            "ListenerArn": ARN + "listener/app/sso/1/1",
            "LoadBalancerArn": ARN + "loadbalancer/app/sso/1",
            "Port": 443,
            "Protocol": "HTTPS",
            "Certificates": [{"CertificateArn": "arn:aws:acm:eu-central-1:111122223333:certificate/0a1b"}],
            "DefaultActions": [{"Type": "forward", "TargetGroupArn": ARN + "targetgroup/sso/1"}],
            "MutualAuthentication": {"Mode": "off"},
        }
    ]
}


def rule(number: int, action: str, **conditions: list[str]) -> dict:
    """A listener rule as it is described: `path_pattern=["/a"]`."""
    return {
        "RuleArn": ARN + f"listener-rule/app/sso/1/1/{number}",
        "Priority": str(number),
        "Conditions": [{"Field": name.replace("_", "-"), "Values": texts} for name, texts in conditions.items()],
        "Actions": [
            {"Type": action, "TargetGroupArn": ARN + "targetgroup/sso/1"}
            if action == "forward"
            else {"Type": action, "RedirectConfig": {"Path": "/elsewhere", "StatusCode": "HTTP_301"}}
        ],
    }


def left(*files: object) -> list[str]:
    """What is said not to be carried."""
    return [one.what for one in adopt(*files).left]


CONTAINER = {
    "a user of its own": ({"user": "1000:0"}, "User"),
    "a read-only root": ({"readonlyRootFilesystem": True}, "ReadonlyRootFilesystem"),
    "another container first": ({"dependsOn": [{"containerName": "init", "condition": "SUCCESS"}]}, "DependsOn"),
    "a registry's password": (
        {"repositoryCredentials": {"credentialsParameter": "arn:aws:secretsmanager:eu-central-1:1:secret:r"}},
        "RepositoryCredentials",
    ),
    "a log elsewhere": ({"logConfiguration": {"logDriver": "awsfirelens", "options": {}}}, "awsfirelens"),
    "a log group": (
        {"logConfiguration": {"logDriver": "awslogs", "options": {"awslogs-group": "/ecs/sso"}}},
        "the log group /ecs/sso",
    ),
    "the URL's parameters": (
        {"environment": [
            {"name": "KC_DB_URL_PROPERTIES", "value": "?sslmode=require&socketTimeout=30"},
            {"name": "KC_DB", "value": "postgres"},
        ]},
        "socketTimeout in KC_DB_URL_PROPERTIES",
    ),
}


@pytest.mark.parametrize("case", CONTAINER)
def test_what_params_cannot_say_of_the_container_is_listed(case):
    """Each setting of the container that params have no place for is named with its line."""
    more, said = CONTAINER[case]
    found = left(task(container=more))
    assert [one for one in found if said in one and "file1.json:" in one]


TASK = {
    "larger storage": ({"ephemeralStorage": {"sizeInGiB": 50}}, "EphemeralStorage"),
    "a mesh": ({"proxyConfiguration": {"type": "APPMESH", "containerName": "envoy"}}, "ProxyConfiguration"),
    "a role": ({"taskRoleArn": "arn:aws:iam::111122223333:role/sso"}, "what the task role may do"),
}


@pytest.mark.parametrize("case", TASK)
def test_what_params_cannot_say_of_the_task_is_listed(case):
    """The same for the task definition."""
    more, said = TASK[case]
    assert [one for one in left(task(**more)) if said in one]


def test_what_nobody_set_is_not_listed():
    """A sound task, service and balancer, with all that describe calls print of things that aren't there, leave
    nothing behind but who may connect, which the files don't tell."""
    empty = {"user": "", "dnsServers": [], "readonlyRootFilesystem": False, "dockerLabels": {}, "cpu": 0}
    attributes = {
        "Attributes": [
            {"Key": "slow_start.duration_seconds", "Value": "0"},
            {"Key": "load_balancing.algorithm.type", "Value": "round_robin"},
            {"Key": "stickiness.enabled", "Value": "true"},
            {"Key": "stickiness.type", "Value": "lb_cookie"},
        ]
    }
    found = left(task(container=empty), SERVICE, GROUP, BALANCER, LISTENER, attributes)
    assert [one for one in found if "who may connect to LoadBalancer" not in one] == []


def test_who_may_connect_is_told():
    """A balancer whose security group isn't in the files doesn't become open to everybody silently."""
    assert [one for one in left(task(), SERVICE, GROUP, BALANCER, LISTENER) if "who may connect" in one]
    bare = {"LoadBalancers": [{k: v for k, v in BALANCER["LoadBalancers"][0].items() if k != "SecurityGroups"}]}
    assert not [one for one in left(task(), SERVICE, GROUP, bare, LISTENER) if "who may connect" in one]


RULES = {
    "another host": (rule(1, "forward", host_header=["old.example.com"]), "the rule for old.example.com"),
    "the console for an office": (
        rule(1, "forward", path_pattern=["/admin/*"], source_ip=["203.0.113.0/24"]),
        "the way to the admin console from 203.0.113.0/24",
    ),
    "a redirect": (rule(1, "redirect", path_pattern=["/old/*"]), "the redirect"),
}


@pytest.mark.parametrize("case", RULES)
def test_rules_that_have_no_equal_are_listed(case):
    """A listener rule that nothing rendered stands for is named; one that forwards to Keycloak isn't."""
    one, said = RULES[case]
    ours = rule(2, "forward", path_pattern=["/realms/*"], host_header=["sso.example.com"])
    found = left(task(), SERVICE, GROUP, BALANCER, LISTENER, {"Rules": [one, ours]})
    assert [text for text in found if said in text]
    assert not [text for text in left(task(), SERVICE, GROUP, BALANCER, LISTENER, {"Rules": [ours]}) if "rule" in text]


def test_the_schema_comes_along():
    """A schema in the URL is Keycloak's option afterwards: its tables aren't looked for elsewhere."""
    found = adopt(task({"KC_DB_URL": "jdbc:postgresql://db.example.com/sso?currentSchema=kc&sslmode=require"}))
    assert loaded(found)["keycloak"]["options"] == {"KC_DB_SCHEMA": "kc"}
    assert not [one for one in found.left if "sslmode" in one.what]


def test_the_databases_user_is_not_forgotten():
    """A user that doesn't stand in the password's secret is said to belong there; one that does isn't mentioned."""
    secret = "arn:aws:secretsmanager:eu-central-1:111122223333:secret:db-AbCdEf"
    found = adopt(task({"KC_DB_USERNAME": "kc_owner"}))
    assert [one.what for one in found.left if "KC_DB_USERNAME" in one.what]
    assert "needs the key `username` too" in found.params and loaded(found)["database"]["existing"]["secret"] == secret
    names = [{"name": f"KC_DB_{key.upper()}", "valueFrom": f"{secret}:{key}::"} for key in ("username", "password")]
    assert not [one for one in adopt(task(container={"secrets": names})).left if "USERNAME" in one.what]


def test_what_stays_as_it_is_is_not_called_corrected():
    """A warning that the new params bring, too, is told as their choice, and no line claims to have mended it."""
    old = task({"KC_CACHE_STACK": "jdbc-ping"}, container={"image": "quay.io/keycloak/keycloak:26.1.4"})
    text = adopt(old).params
    mended, _, still = text.partition("# Still so, as these params choose it:")
    assert "W9130" in still and "W9015" in still
    assert "W9130" not in mended and "W9015" not in mended


def test_tags_come_along():
    """Tags that `describe-task-definition --include TAGS` prints beside the task definition are the params'."""
    assert loaded(adopt(task()))["tags"] == {"Team": "identity"}
    without = {"taskDefinition": task()["taskDefinition"]}
    assert "tags" not in loaded(adopt(without))


@pytest.mark.parametrize(("kind", "listed"), [("io1", True), ("gp3", False)])
def test_another_kind_of_storage_is_listed(kind, listed):
    """Storage of another kind than what is rendered is named, and that kind isn't."""
    text = (Path(__file__).parent / "whole.yaml").read_text("utf-8")
    said = 'AllocatedStorage: "50"\n'
    assert said in text
    found = left(text.replace(said, f"{said}      StorageType: {kind}\n"))
    assert any("StorageType" in one for one in found) is listed
