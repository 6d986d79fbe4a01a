"""What resource schemas don't tell: interruptions, what AWS refuses, what holds data, what is protected by
what.

Each fact names its source.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any

NONE, CREATE, IN_PLACE, INTERRUPTION = "none", "create", "in place", "interruption"
CONDITIONAL, REPLACEMENT, DELETE, REFUSED = "conditional replacement", "replacement", "delete", "refused"
EFFECTS = (NONE, CREATE, IN_PLACE, INTERRUPTION, REFUSED, CONDITIONAL, REPLACEMENT, DELETE)
"""From harmless to what takes something away. `refused`: AWS fails the deployment, which is rolled back."""

DATABASES = ("AWS::RDS::DBInstance", "AWS::RDS::DBCluster")

HOLDS = {
    "AWS::RDS::DBInstance": "database",
    "AWS::RDS::DBCluster": "database",
    "AWS::RDS::GlobalCluster": "database",
    "AWS::SecretsManager::Secret": "secret",
    "AWS::SSM::Parameter": "parameter",
    "AWS::KMS::Key": "key",
    "AWS::KMS::ReplicaKey": "key",
    "AWS::Logs::LogGroup": "log",
    "AWS::ServiceDiscovery::PrivateDnsNamespace": "namespace",
    "AWS::ServiceDiscovery::PublicDnsNamespace": "namespace",
    "AWS::ServiceDiscovery::HttpNamespace": "namespace",
    "AWS::ServiceDiscovery::Service": "names of the tasks",
    "AWS::CertificateManager::Certificate": "certificate",
    "AWS::ECR::Repository": "images",
    "AWS::S3::Bucket": "files",
    "AWS::EFS::FileSystem": "files",
    "AWS::Route53::HostedZone": "DNS zone",
}
"""Type -> what would be gone with the resource. What cfn-lint counts as stateful beside these holds
`data`.
"""

SNAPSHOT_BY_DEFAULT = frozenset(DATABASES)
"""Without a DeletionPolicy CloudFormation takes a snapshot of these (template reference, DeletionPolicy); of
an instance only where it isn't a cluster's."""

NAMES = {
    "AWS::RDS::DBInstance": "DBInstanceIdentifier",
    "AWS::RDS::DBCluster": "DBClusterIdentifier",
    "AWS::RDS::DBSubnetGroup": "DBSubnetGroupName",
    "AWS::RDS::DBParameterGroup": "DBParameterGroupName",
    "AWS::ElasticLoadBalancingV2::LoadBalancer": "Name",
    "AWS::ElasticLoadBalancingV2::TargetGroup": "Name",
    "AWS::ECS::Service": "ServiceName",
    "AWS::ECS::Cluster": "ClusterName",
    "AWS::Logs::LogGroup": "LogGroupName",
    "AWS::IAM::Role": "RoleName",
    "AWS::EC2::SecurityGroup": "GroupName",
    "AWS::SecretsManager::Secret": "Name",
    "AWS::CloudWatch::Alarm": "AlarmName",
    "AWS::CloudWatch::Dashboard": "DashboardName",
    "AWS::WAFv2::WebACL": "Name",
    "AWS::ServiceDiscovery::Service": "Name",
    "AWS::S3::Bucket": "BucketName",
    "AWS::ECR::Repository": "RepositoryName",
    "AWS::SNS::Topic": "TopicName",
}
"""Type -> the property that gives a name of which the account, or what is around it, has one only. The new
one is made before the old one goes, so a replacement under the same name fails (CloudFormation User Guide,
"Name type")."""

DEPLOYING = frozenset(
    """TaskDefinition NetworkConfiguration LoadBalancers ServiceRegistries PlatformVersion
    CapacityProviderStrategy EnableECSManagedTags PropagateTags PlacementConstraints PlacementStrategies
    VolumeConfigurations ServiceConnectConfiguration ForceNewDeployment""".split()
)
"""Properties of an ECS service whose change starts new tasks (Amazon ECS API reference, UpdateService)."""


@dataclass(frozen=True)
class Fact:
    """What changing a property does."""

    path: tuple[str, ...]
    effect: str
    say: str
    """What happens, without a full stop."""
    source: str
    when: Callable[[str | None, str | None], bool] | None = None
    """Holds only where this is true of the value before and after; always if there is none."""
    unless: str = ""
    """Doesn't hold where this property of the resource is true."""


def major(version: str | None) -> str:
    """The major version of a database engine: `16` of `16.4`."""
    return (version or "").partition(".")[0]


def number(text: str | None) -> float | None:
    """A number, also one in quotes; None for anything else."""
    return float(text) if text is not None and re.fullmatch(r"[0-9]{1,15}(\.[0-9]{1,9})?", text) else None


def lower(before: str | None, after: str | None) -> bool:
    """Whether a number became a smaller one."""
    one, other = number(before), number(after)
    return one is not None and other is not None and other < one


def _other_major(before: str | None, after: str | None) -> bool:
    return bool(before and after) and major(before) != major(after)


def _older(before: str | None, after: str | None) -> bool:
    versions = [[int(one) for one in re.findall(r"\d{1,9}", text or "")] for text in (before, after)]
    return bool(versions[0] and versions[1]) and versions[1] < versions[0]


def _backups_switched(before: str | None, after: str | None) -> bool:
    return (before == "0") != (after == "0")


_MODIFY = "Amazon RDS User Guide, settings for DB instances"
_INSTANCE = "CloudFormation template reference, AWS::RDS::DBInstance"

_RDS = (
    Fact(("EngineVersion",), REFUSED, "RDS doesn't go back to an older version", _MODIFY, _older),
    # CloudFormation sends the leave for a DBInstance only where the template gives it
    # (hashicorp/terraform#3017 has RDS' own words for it).
    Fact(
        ("EngineVersion",),
        REFUSED,
        "RDS goes to another major version only with AllowMajorVersionUpgrade: true",
        _INSTANCE,
        _other_major,
        "AllowMajorVersionUpgrade",
    ),
    Fact(
        ("EngineVersion",),
        INTERRUPTION,
        "a major version: the database is away for minutes, and there is no way back but a snapshot",
        _MODIFY,
        _other_major,
    ),
    Fact(("EngineVersion",), INTERRUPTION, "the database restarts", _MODIFY),
    Fact(
        ("DBInstanceClass",),
        INTERRUPTION,
        "the database restarts on another machine, with a standby after a failover",
        _MODIFY,
    ),
    Fact(("AllocatedStorage",), REFUSED, "RDS doesn't make storage smaller", _MODIFY, lower),
    Fact(("AllocatedStorage",), IN_PLACE, "storage grows while the database serves", _MODIFY),
    Fact(("MultiAZ",), IN_PLACE, "the standby comes or goes while the database serves", _MODIFY),
    Fact(
        ("BackupRetentionPeriod",),
        INTERRUPTION,
        "switching backups on or off restarts the database",
        _MODIFY,
        _backups_switched,
    ),
    Fact(("BackupRetentionPeriod",), IN_PLACE, "backups are kept for another time", _MODIFY),
    Fact(("AutoMinorVersionUpgrade",), IN_PLACE, "it holds from now on", _MODIFY),
    Fact(("PreferredMaintenanceWindow",), IN_PLACE, "it holds from now on", _MODIFY),
    Fact(
        ("DBParameterGroupName",),
        INTERRUPTION,
        "static parameters act after a restart of the database",
        _MODIFY,
    ),
    Fact(
        ("CACertificateIdentifier",),
        INTERRUPTION,
        "engines that can't change it while they run restart",
        _MODIFY,
    ),
    Fact(("Port",), INTERRUPTION, "the database restarts", _MODIFY),
    Fact(("DBPortNumber",), INTERRUPTION, "the database restarts", _MODIFY),
    Fact(
        ("DBSnapshotIdentifier",),
        REPLACEMENT,
        "without it, or with another one, a new database is made and the old one deleted",
        _INSTANCE,
    ),
)

_KMS = "CloudFormation template reference, AWS::KMS::Key"
_CLOUD_MAP = "AWS Cloud Map API reference, UpdateService and DnsConfig"
_ECS = "Amazon ECS API reference, UpdateService"
_BALANCER = "Elastic Load Balancing, API reference"

FACTS: dict[str, tuple[Fact, ...]] = {
    "AWS::RDS::DBInstance": _RDS,
    "AWS::RDS::DBCluster": tuple(one for one in _RDS if one.source != _INSTANCE),
    "AWS::RDS::DBParameterGroup": (
        Fact(
            ("Parameters",),
            INTERRUPTION,
            "static parameters act after a restart of the database",
            "Amazon RDS User Guide, parameter groups",
        ),
    ),
    "AWS::ECS::Service": (
        *(
            Fact((name,), IN_PLACE, "ECS starts new tasks and stops the old ones", _ECS)
            for name in sorted(DEPLOYING)
        ),
        Fact(
            ("DesiredCount",),
            IN_PLACE,
            "ECS starts or stops tasks, and what autoscaling chose is overwritten",
            _ECS,
        ),
    ),
    "AWS::ECS::TaskDefinition": (
        Fact(
            (),
            REPLACEMENT,
            "a new revision; the old one stays until no task runs it",
            "CloudFormation template reference, AWS::ECS::TaskDefinition",
        ),
    ),
    "AWS::ElasticLoadBalancingV2::Listener": (
        Fact(("Port",), IN_PLACE, "the old port stops answering", f"{_BALANCER}, ModifyListener"),
        Fact(
            ("Protocol",), IN_PLACE, "clients of the old protocol are refused", f"{_BALANCER}, ModifyListener"
        ),
    ),
    "AWS::ServiceDiscovery::Service": (
        Fact(
            ("DnsConfig", "NamespaceId"),
            REPLACEMENT,
            "Cloud Map changes nothing of it but the time to live",
            _CLOUD_MAP,
        ),
        Fact(
            ("DnsConfig", "RoutingPolicy"),
            REPLACEMENT,
            "Cloud Map changes nothing of it but the time to live",
            _CLOUD_MAP,
        ),
        Fact(
            ("DnsConfig", "DnsRecords"),
            REFUSED,
            "Cloud Map can't change the type of a record: rename the resource",
            _CLOUD_MAP,
            lambda before, after: before is None or after is None,
        ),
    ),
    "AWS::SecretsManager::Secret": (
        Fact(
            ("GenerateSecretString",),
            IN_PLACE,
            "a new value is made and takes the place of the old one",
            "CloudFormation template reference, AWS::SecretsManager::Secret",
        ),
        Fact(
            ("SecretString",),
            IN_PLACE,
            "the value is overwritten",
            "CloudFormation template reference, AWS::SecretsManager::Secret",
        ),
    ),
    "AWS::Logs::LogGroup": (
        Fact(
            ("RetentionInDays",),
            IN_PLACE,
            "what is older is deleted",
            "CloudWatch Logs API, PutRetentionPolicy",
            lambda before, after: after is not None and (before is None or lower(before, after)),
        ),
    ),
    "AWS::KMS::Key": tuple(
        Fact((name,), REFUSED, "the update fails, so that no key is deleted by mistake", _KMS)
        for name in ("KeySpec", "KeyUsage", "Origin", "MultiRegion")
    ),
}


MOVED: dict[str, Fact] = {
    "AWS::RDS::DBSubnetGroup": Fact(
        ("SubnetIds",),
        REFUSED,
        "RDS moves no subnet group to another VPC: keep the network, or build a new stack with a snapshot of "
        "the database",
        "hashicorp/terraform-provider-aws#27459",
    ),
    "AWS::ElasticLoadBalancingV2::LoadBalancer": Fact(
        ("Subnets",),
        REFUSED,
        "no balancer moves to another VPC: keep the network, or build a new stack",
        "hashicorp/terraform-provider-aws#18317",
    ),
}
"""What can't follow its subnets into another VPC, though CloudFormation counts the change as one in place."""


def fact(
    type_: str,
    path: tuple[str, ...],
    before: str | None,
    after: str | None,
    properties: Mapping[str, Any] = MappingProxyType({}),
) -> Fact | None:
    """The first fact about a change below `path` of a resource of that type, which will have `properties`."""
    for one in FACTS.get(type_, ()):
        if path[: len(one.path)] != one.path or is_true(properties.get(one.unless)):
            continue
        if one.when is None or one.when(before, after):
            return one
    return None


def is_true(value: Any) -> bool:
    """Whether a template's value is a boolean that is true, in any way to write it."""
    return str(value).lower() == "true"
