"""Types and properties that ministack 1.5.33 doesn't have, and what is there before a stack is."""

from __future__ import annotations

import itertools
import os
import uuid

from ministack.core.responses import get_account_id, get_region
from ministack.services import ec2, ecs
from ministack.services.cloudformation import provisioners

from . import fixed

# In zones that are there before the stack is, on AWS.
ELSEWHERE = ("AWS::Route53::RecordSet",)


def install() -> None:
    """Every template whose types CloudFormation has can be deployed."""
    for kind in (*fixed.types(os.environ["MINISTACK_REGION"]), *ELSEWHERE):
        if kind not in provisioners._RESOURCE_HANDLERS or kind in ELSEWHERE:
            provisioners._RESOURCE_HANDLERS[kind] = _placeholder(kind)
    _keep_secrets()
    _keep_services()
    _find_subnets()
    # Whatever Docker this machine has is somebody's.
    ecs._get_docker = lambda: None


def _placeholder(kind: str) -> dict:
    """A resource that does nothing, with the attributes that its schema says."""

    def create(logical_id, props, stack):
        name = f"{logical_id.lower()}-{uuid.uuid4().hex[:17]}"
        service = kind.split("::")[1].lower()
        arn = f"arn:aws:{service}:{get_region()}:{get_account_id()}:{name}"
        return name, {one: arn if one.endswith("Arn") else name for one in fixed.attributes(kind)}

    def update(physical_id, old, new, stack):
        return physical_id, dict.fromkeys(fixed.attributes(kind), physical_id)

    return {"create": create, "update": update, "delete": lambda *_: None}


def _find_subnets() -> None:
    """Subnets that a template only names are there, as on AWS, in zones of one network."""
    group = provisioners._RESOURCE_HANDLERS["AWS::RDS::DBSubnetGroup"]
    make = group["create"]

    def create(logical_id, props, stack):
        zones = itertools.cycle("abc")
        for subnet in props.get("SubnetIds") or ():
            if subnet not in ec2._subnets:
                ec2._subnets[subnet] = {
                    "SubnetId": subnet,
                    "VpcId": "vpc-elsewhere",
                    "CidrBlock": "10.0.0.0/24",
                    "State": "available",
                    "AvailabilityZone": f"{get_region()}{next(zones)}",
                    "AvailableIpAddressCount": 251,
                    "DefaultForAz": False,
                    "MapPublicIpOnLaunch": False,
                    "OwnerId": get_account_id(),
                }
        return make(logical_id, props, stack)

    group["create"] = create


def _keep_secrets() -> None:
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


def _keep_services() -> None:
    """A service wants a number of tasks, keeps what ministack leaves out, and finds a cluster that is there
    before the stack is, as on AWS."""
    service = provisioners._RESOURCE_HANDLERS["AWS::ECS::Service"]
    make, change, remove = (service[one] for one in ("create", "update", "delete"))

    def completed(props):
        cluster = str(props.get("Cluster", "default"))
        if ecs._resolve_cluster_name(cluster) not in ecs._clusters:
            cluster = cluster.rsplit("/", 1)[-1]
            if cluster not in ecs._clusters:
                ecs._create_cluster({"clusterName": cluster})
        return {**props, "Cluster": cluster, "DesiredCount": int(props.get("DesiredCount", 1))}

    def create(logical_id, props, stack):
        made = make(logical_id, completed(props), stack)
        name = made[0].rsplit("/", 1)[-1]
        found = next(one for one in ecs._services.values() if one["serviceName"] == name)
        found["serviceRegistries"] = provisioners._pascal_to_camel(props.get("ServiceRegistries") or [])
        found["enableExecuteCommand"] = str(props.get("EnableExecuteCommand")).lower() == "true"
        found["healthCheckGracePeriodSeconds"] = int(props.get("HealthCheckGracePeriodSeconds", 0))
        return made

    service.update(
        create=create,
        update=lambda physical_id, old, new, stack: change(
            physical_id, completed(old), completed(new), stack
        ),
        delete=lambda physical_id, props: remove(physical_id, completed(props)),
    )
