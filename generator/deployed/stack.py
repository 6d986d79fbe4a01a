"""What a stack holds: the ECS service, its task definition, its target groups, its database."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from generator.aws import Connection
from generator.errors import RehearsalError
from generator.rehearsing.topology import Topology


@dataclass(frozen=True)
class Stack:
    """A stack's resources, as far as a drill needs them."""

    name: str
    resources: tuple[tuple[str, str, str], ...]
    """(logical id, type, physical id)."""
    template: str
    """The text it was made from; empty where AWS gives something else."""

    def physical(self, logical_id: str, *types: str) -> str | None:
        """The physical id of a resource of one of these types; None where the stack has none."""
        return next(
            (
                physical
                for logical, kind, physical in self.resources
                if logical == logical_id and kind in types and physical
            ),
            None,
        )


@dataclass(frozen=True)
class Service:
    """The ECS service that runs Keycloak."""

    cluster: str
    name: str
    desired: int
    task_definition: str
    """ARN."""
    target_groups: tuple[str, ...]
    """ARNs."""


def read(connection: Connection, name: str) -> Stack:
    """The stack of that name. Raises AwsError; RehearsalError where somebody is changing it."""
    described = connection.ask("cloudformation", "describe_stacks", StackName=name)["Stacks"][0]
    status = str(described["StackStatus"])
    if status.endswith("_IN_PROGRESS"):
        raise RehearsalError(f"the stack {name} is being changed ({status}): drill it when that is done")
    # All pages: a stack may hold 500 resources, and DescribeStackResources stops at 100.
    found = connection.every(
        "cloudformation", "list_stack_resources", "StackResourceSummaries", StackName=name
    )
    resources = tuple(
        (str(one["LogicalResourceId"]), str(one["ResourceType"]), str(one.get("PhysicalResourceId", "")))
        for one in found
    )
    body = connection.ask("cloudformation", "get_template", StackName=name, TemplateStage="Original")[
        "TemplateBody"
    ]
    return Stack(name, resources, body if isinstance(body, str) else "")


def service(connection: Connection, stack: Stack, topology: Topology) -> Service:
    """The service that the template's is in the stack. Raises AwsError, or RehearsalError where there is
    none."""
    logical_id = topology.service.logical_id
    arn = stack.physical(logical_id, "AWS::ECS::Service")
    if arn is None:
        raise RehearsalError(
            f"the stack {stack.name} has no ECS service {logical_id}: deploy what is rendered first"
        )
    # arn:aws:ecs:REGION:ACCOUNT:service/CLUSTER/NAME; the form without a cluster ended with 2021.
    words = arn.split(":service/", 1)[-1].split("/")
    cluster = (
        words[0]
        if len(words) > 1
        else next(
            (physical for _, kind, physical in stack.resources if kind == "AWS::ECS::Cluster"), "default"
        )
    )
    described = describe(connection, cluster, words[-1])
    return Service(
        cluster,
        words[-1],
        int(described["desiredCount"]),
        str(described["taskDefinition"]),
        tuple(
            str(one["targetGroupArn"])
            for one in described.get("loadBalancers", ())
            if one.get("targetGroupArn")
        ),
    )


def describe(connection: Connection, cluster: str, name: str) -> dict[str, Any]:
    """What ECS says of a service. Raises AwsError, or RehearsalError where it is gone."""
    found = connection.ask("ecs", "describe_services", cluster=cluster, services=[name])["services"]
    if not found or found[0].get("status") != "ACTIVE":
        raise RehearsalError(f"the ECS service {name} of cluster {cluster} isn't active")
    return found[0]
