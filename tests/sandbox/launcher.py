"""ministack with what it lacks for the stacks of this project; run by the Python of its own environment.

`python launcher.py STATE`: STATE is a JSON file that says how tasks and targets are, read at each question:
`{"tasks": {task id: members of DescribeTasks' answer}, "targets": {address: state}}`. Without it tasks run,
are healthy, have no address, and the balancer calls nobody healthy.
"""

from __future__ import annotations

import json
import sys
import uuid
from pathlib import Path

from ministack.app import main
from ministack.services import alb, ecs
from ministack.services.cloudformation import provisioners

STATE = Path(sys.argv.pop())

# Types that ministack 1.5.33 doesn't have, with the attributes that templates ask for; they do nothing.
LACKING = {
    "AWS::ApplicationAutoScaling::ScalableTarget": (),
    "AWS::ApplicationAutoScaling::ScalingPolicy": ("Arn",),
    "AWS::EC2::EIP": ("AllocationId", "PublicIp"),
    "AWS::EC2::FlowLog": ("Id",),
    "AWS::EC2::NatGateway": ("NatGatewayId",),
    "AWS::EC2::SecurityGroupEgress": (),
    "AWS::EC2::SecurityGroupIngress": (),
    "AWS::WAFv2::WebACLAssociation": (),
}
# In zones that are there before the stack is, on AWS.
ELSEWHERE = {"AWS::Route53::RecordSet": ()}


def add_types() -> None:
    """Every template of this project can be deployed."""
    for kind, attributes in (LACKING | ELSEWHERE).items():

        def create(logical_id, props, stack, attributes=attributes):
            name = f"{logical_id.lower()}-{uuid.uuid4().hex[:17]}"
            return name, dict.fromkeys(attributes, name)

        provisioners._RESOURCE_HANDLERS[kind] = {"create": create, "delete": lambda *_: None}


def keep_secrets() -> None:
    """Containers get their secrets by ARN, and have them and their health check under ECS' own names."""
    normalize = provisioners._normalize_container_defs

    def normalized(definitions):
        found = normalize(definitions)
        for one in found:
            for key in ("secrets", "healthCheck"):
                if key in one:
                    one[key] = provisioners._pascal_to_camel(one[key])
        return found

    provisioners._normalize_container_defs = normalized
    # A secret's Ref is its ARN.
    secret = provisioners._RESOURCE_HANDLERS["AWS::SecretsManager::Secret"]
    named = secret["create"]

    def with_arn(logical_id, props, stack):
        _, attributes = named(logical_id, props, stack)
        return attributes["Arn"], attributes

    secret["create"] = with_arn
    create = provisioners._RESOURCE_HANDLERS["AWS::ECS::Service"]["create"]
    provisioners._RESOURCE_HANDLERS["AWS::ECS::Service"]["create"] = lambda logical_id, props, stack: create(
        logical_id, {**props, "DesiredCount": int(props.get("DesiredCount", 1))}, stack
    )


def state() -> dict:
    """What STATE says now."""
    return json.loads(STATE.read_text("utf-8")) if STATE.exists() else {}


def follow_state() -> None:
    """Tasks and targets are as STATE says, and a task that was stopped has a successor."""
    describe, stop = ecs._ACTION_MAP["DescribeTasks"], ecs._ACTION_MAP["StopTask"]

    def described(data):
        status, headers, body = describe(data)
        found, said = json.loads(body), state().get("tasks", {})
        for one in found.get("tasks", []):
            one["healthStatus"] = "HEALTHY"
            one.update(said.get(one["taskArn"].rsplit("/", 1)[-1], {}))
        return status, headers, json.dumps(found).encode()

    def stopped(data):
        answer = stop(data)
        for key in list(ecs._services):
            ecs._reconcile_service_tasks(key.split("/")[0], key)
        return answer

    def health(params):
        members = "".join(
            f"<member><Target><Id>{address}</Id></Target><TargetHealth><State>{word}</State></TargetHealth></member>"
            for address, word in state().get("targets", {}).items()
        )
        return alb._xml(
            200, "DescribeTargetHealth", f"<TargetHealthDescriptions>{members}</TargetHealthDescriptions>"
        )

    ecs._ACTION_MAP.update(DescribeTasks=described, StopTask=stopped)
    alb._ACTION_MAP["DescribeTargetHealth"] = health
    # Whatever Docker this machine has is somebody's.
    ecs._get_docker = lambda: None


add_types()
keep_secrets()
follow_state()
main()
