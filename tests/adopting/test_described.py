"""What AWS describes is there already: rules judge what it says, once, and not how it was made."""

from __future__ import annotations

from typing import Any

import pytest

from tests.adopting.adoptions import ARN, adopt, task

GROUP = ARN + "targetgroup/kc/1"
LISTENER = ARN + "listener/app/kc/1/2"
SERVICE = {
    "services": [
        {
            "serviceName": "sso",
            "taskDefinition": "sso",
            "desiredCount": 2,
            "loadBalancers": [{"targetGroupArn": GROUP, "containerName": "sso", "containerPort": 8080}],
        }
    ]
}
GROUPS = {"TargetGroups": [{"TargetGroupArn": GROUP, "Protocol": "HTTP", "Port": 8080, "TargetType": "ip"}]}
LISTENERS = {
    "Listeners": [
        {
            "ListenerArn": LISTENER,
            "LoadBalancerArn": ARN + "loadbalancer/app/kc/1",
            "Port": 443,
            "Protocol": "HTTPS",
            "DefaultActions": [{"Type": "forward", "TargetGroupArn": GROUP}],
        }
    ]
}


def rules(*conditions: dict[str, Any]) -> dict[str, Any]:
    """Rules of the listener as describe-rules prints them."""
    actions = [{"Type": "forward", "TargetGroupArn": GROUP}]
    arn = ARN + "listener-rule/app/kc/1/2/3"
    return {"Rules": [{"RuleArn": arn, "Priority": "5", "Conditions": list(conditions), "Actions": actions}]}


def condition(field: str, config: str, *values: str) -> dict[str, Any]:
    """A condition with its values twice, as they are printed."""
    return {"Field": field, "Values": [*values], config: {"Values": [*values]}}


def found(*files: Any) -> set[str]:
    """Ids of the findings."""
    return {one.finding.rule for one in adopt(task(), *files).findings}


def test_values_that_are_printed_twice_count_once():
    """Three values in two conditions are within every quota, and belong where they stand."""
    said = rules(
        condition("host-header", "HostHeaderConfig", "sso.example.com"),
        condition("path-pattern", "PathPatternConfig", "/realms/*", "/resources/*"),
    )
    assert not found(SERVICE, GROUPS, LISTENERS, said) & {"E9531", "W9532", "E9533", "E9535"}


def test_too_many_values_are_still_counted():
    """Six values stay six."""
    said = rules(condition("path-pattern", "PathPatternConfig", *(f"/realms/{one}" for one in "abcdef")))
    assert {"E9531", "W9532"} <= found(SERVICE, GROUPS, LISTENERS, said)


@pytest.mark.parametrize("files", [(LISTENERS,), ()], ids=["with its listener", "without"])
def test_a_service_that_runs_waits_for_nothing(files):
    """No DependsOn is asked of what was made long ago, and no listener that nobody described."""
    assert "E9507" not in found(SERVICE, GROUPS, *files)


def test_a_template_still_says_what_waits_for_what():
    """In a template the order of making counts."""
    text = """
Resources:
  Group: {Type: "AWS::ElasticLoadBalancingV2::TargetGroup", Properties: {Port: 8080, TargetType: ip}}
  Task:
    Type: AWS::ECS::TaskDefinition
    Properties:
      NetworkMode: awsvpc
      RequiresCompatibilities: [FARGATE]
      ContainerDefinitions: [{Name: sso, Image: "quay.io/keycloak/keycloak:26.7.4", Command: [start]}]
  Service:
    Type: AWS::ECS::Service
    Properties:
      TaskDefinition: !Ref Task
      LoadBalancers: [{ContainerName: sso, ContainerPort: 8080, TargetGroupArn: !Ref Group}]
"""
    assert "E9507" in {one.finding.rule for one in adopt(text).findings}
