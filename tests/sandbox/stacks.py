"""Small stacks for the sandbox's tests, and what is done with them."""

from __future__ import annotations

import json
import uuid
from collections.abc import Mapping
from typing import Any

from generator.sandbox.local_aws import LocalAws

NAME = "there"


def group(days: int = 7, **attributes: Any) -> dict[str, Any]:
    """A log group."""
    return {"Type": "AWS::Logs::LogGroup", "Properties": {"RetentionInDays": days}, **attributes}


def topic(name: str = "") -> dict[str, Any]:
    """A topic, made anew where its name changes."""
    return {"Type": "AWS::SNS::Topic", "Properties": {"TopicName": name} if name else {}}


def template(**resources: Mapping[str, Any]) -> str:
    """A template of resources."""
    return json.dumps({"AWSTemplateFormatVersion": "2010-09-09", "Resources": resources})


ROLE = {
    "Type": "AWS::IAM::Role",
    "Properties": {
        "AssumeRolePolicyDocument": {
            "Version": "2012-10-17",
            "Statement": [
                {
                    "Effect": "Allow",
                    "Principal": {"Service": "ecs-tasks.amazonaws.com"},
                    "Action": "sts:AssumeRole",
                }
            ],
        }
    },
}


def service(text: str = "one", tasks: int = 2) -> str:
    """A service whose tasks log, with a circuit breaker."""
    return template(
        Log=group(),
        Cluster={"Type": "AWS::ECS::Cluster"},
        Definition={
            "Type": "AWS::ECS::TaskDefinition",
            "Properties": {
                "Family": "keycloak",
                "ContainerDefinitions": [
                    {
                        "Name": "keycloak",
                        "Image": "example.com/keycloak",
                        "Essential": True,
                        "Environment": [{"Name": "TEXT", "Value": text}],
                        "LogConfiguration": {
                            "LogDriver": "awslogs",
                            "Options": {
                                "awslogs-group": {"Ref": "Log"},
                                "awslogs-region": "eu-central-1",
                                "awslogs-stream-prefix": "keycloak",
                            },
                        },
                    }
                ],
            },
        },
        Service={
            "Type": "AWS::ECS::Service",
            "Properties": {
                "Cluster": {"Ref": "Cluster"},
                "TaskDefinition": {"Ref": "Definition"},
                "DesiredCount": tasks,
                "DeploymentConfiguration": {
                    "MinimumHealthyPercent": 100,
                    "MaximumPercent": 150,
                    "DeploymentCircuitBreaker": {"Enable": True, "Rollback": True},
                },
            },
        },
    )


class Deployer:
    """CloudFormation's calls, as short as tests want them."""

    def __init__(self, aws: LocalAws):
        self.aws, self.client = aws, aws.client("cloudformation")

    def change_set(self, body: str, kind: str = "UPDATE", name: str = "", **more: Any) -> dict[str, Any]:
        """Makes a change set, and describes it."""
        made = self.client.create_change_set(
            StackName=NAME,
            ChangeSetName=name or f"change-{uuid.uuid4()}",
            ChangeSetType=kind,
            TemplateBody=body,
            **more,
        )
        return self.client.describe_change_set(ChangeSetName=made["Id"])

    def execute(self, body: str, kind: str = "UPDATE", name: str = "", **more: Any) -> str:
        """Makes a change set, executes it, and returns what becomes of the stack."""
        made = self.change_set(body, kind, name, **more)
        self.client.execute_change_set(ChangeSetName=made["ChangeSetId"])
        return self.aws.settled(NAME)

    def events(self, since: int = 0) -> list[tuple[str, str]]:
        """(logical id, status) of the stack's events in order, after the first `since`."""
        return [(one["LogicalResourceId"], one["ResourceStatus"]) for one in self.told()[since:]]

    def told(self) -> list[dict[str, Any]]:
        """The stack's events, in order."""
        return [
            one
            for page in self.client.get_paginator("describe_stack_events").paginate(StackName=NAME)
            for one in page["StackEvents"]
        ][::-1]

    def reason(self, logical_id: str, status: str) -> str:
        """The reason of a resource's last event with a status."""
        return [
            one.get("ResourceStatusReason", "")
            for one in self.told()
            if (one["LogicalResourceId"], one["ResourceStatus"]) == (logical_id, status)
        ][-1]
