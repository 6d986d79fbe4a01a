"""What CloudFormation does for a change, by type and property."""

from __future__ import annotations

import pytest

from generator.reviewing import schemas
from generator.reviewing.effects import effect_of
from generator.reviewing.facts import (
    CONDITIONAL,
    CREATE,
    DELETE,
    IN_PLACE,
    INTERRUPTION,
    REFUSED,
    REPLACEMENT,
)
from tests.reviewing.examples import REGION, committed, edited, effect, prod, resource, reviewed, template

TABLE = {
    "AWS::RDS::DBInstance": {
        "DBName": REPLACEMENT,
        "MasterUsername": REPLACEMENT,
        "StorageEncrypted": REPLACEMENT,
        "KmsKeyId": REPLACEMENT,
        "DBSubnetGroupName": REPLACEMENT,
        "DBInstanceIdentifier": REPLACEMENT,
        "DBSnapshotIdentifier": REPLACEMENT,
        "Engine": CONDITIONAL,
        "AvailabilityZone": CONDITIONAL,
        "DBInstanceClass": INTERRUPTION,
        "EngineVersion": REFUSED,
        "Port": INTERRUPTION,
        "MultiAZ": IN_PLACE,
        "AllocatedStorage": IN_PLACE,
        "DeletionProtection": IN_PLACE,
        "Tags": IN_PLACE,
        "VPCSecurityGroups": IN_PLACE,
        "PreferredMaintenanceWindow": IN_PLACE,
    },
    "AWS::ElasticLoadBalancingV2::LoadBalancer": {
        "Scheme": REPLACEMENT,
        "Name": REPLACEMENT,
        "Type": REPLACEMENT,
        "Subnets": IN_PLACE,
        "SecurityGroups": IN_PLACE,
        "LoadBalancerAttributes": IN_PLACE,
    },
    "AWS::ElasticLoadBalancingV2::TargetGroup": {
        "Port": REPLACEMENT,
        "Protocol": REPLACEMENT,
        "VpcId": REPLACEMENT,
        "TargetType": REPLACEMENT,
        "HealthCheckPath": IN_PLACE,
        "TargetGroupAttributes": IN_PLACE,
    },
    "AWS::ElasticLoadBalancingV2::Listener": {
        "LoadBalancerArn": REPLACEMENT,
        "Port": IN_PLACE,
        "Certificates": IN_PLACE,
        "SslPolicy": IN_PLACE,
    },
    "AWS::ElasticLoadBalancingV2::ListenerRule": {"ListenerArn": REPLACEMENT, "Priority": IN_PLACE},
    "AWS::ECS::Service": {
        "Cluster": REPLACEMENT,
        "ServiceName": REPLACEMENT,
        "LaunchType": CONDITIONAL,
        "TaskDefinition": IN_PLACE,
        "DesiredCount": IN_PLACE,
        "NetworkConfiguration": IN_PLACE,
    },
    "AWS::ECS::TaskDefinition": {"Cpu": REPLACEMENT, "ContainerDefinitions": REPLACEMENT, "Tags": IN_PLACE},
    "AWS::ServiceDiscovery::PrivateDnsNamespace": {"Name": REPLACEMENT, "Vpc": REPLACEMENT},
    "AWS::ServiceDiscovery::Service": {
        "Name": REPLACEMENT,
        "HealthCheckCustomConfig": REPLACEMENT,
        "DnsConfig.RoutingPolicy": REPLACEMENT,
        "DnsConfig.NamespaceId": REPLACEMENT,
        "DnsConfig.DnsRecords.TTL": IN_PLACE,
        "Description": IN_PLACE,
    },
    "AWS::EC2::SecurityGroup": {
        "GroupDescription": REPLACEMENT,
        "VpcId": REPLACEMENT,
        "SecurityGroupIngress": IN_PLACE,
    },
    "AWS::EC2::SecurityGroupIngress": {
        "CidrIp": REPLACEMENT,
        "FromPort": REPLACEMENT,
        "Description": IN_PLACE,
    },
    "AWS::SecretsManager::Secret": {
        "Name": REPLACEMENT,
        "GenerateSecretString": IN_PLACE,
        "KmsKeyId": IN_PLACE,
    },
    "AWS::Logs::LogGroup": {"LogGroupName": REPLACEMENT, "RetentionInDays": IN_PLACE},
    "AWS::KMS::Key": {"KeySpec": REFUSED, "EnableKeyRotation": IN_PLACE},
    "AWS::CertificateManager::Certificate": {"DomainName": REPLACEMENT, "Tags": IN_PLACE},
    "AWS::ECR::Repository": {"EncryptionConfiguration.KmsKey": REPLACEMENT, "ImageTagMutability": IN_PLACE},
    "AWS::S3::Bucket": {"BucketName": REPLACEMENT, "VersioningConfiguration": IN_PLACE},
    "AWS::EFS::FileSystem": {"Encrypted": REPLACEMENT, "ThroughputMode": IN_PLACE},
    "Custom::Thing": {"Anything": CONDITIONAL},
}


@pytest.mark.parametrize(
    ("type_", "name", "expected"),
    [(type_, name, expected) for type_, properties in TABLE.items() for name, expected in properties.items()],
)
def test_table(type_, name, expected):
    """Each property that matters does what AWS' template reference says."""
    assert effect_of(type_, tuple(name.split(".")), "1", "2", REGION)[0] == expected


@pytest.mark.parametrize(
    ("name", "before", "after", "expected", "word"),
    [
        ("EngineVersion", "16.4", "17.1", REFUSED, "AllowMajorVersionUpgrade"),
        ("EngineVersion", "17.1", "17.4", INTERRUPTION, "restarts"),
        ("EngineVersion", "17.4", "17.1", REFUSED, "older"),
        ("AllocatedStorage", "100", "200", IN_PLACE, "grows"),
        ("AllocatedStorage", "200", "100", REFUSED, "smaller"),
        ("BackupRetentionPeriod", "7", "14", IN_PLACE, "kept"),
        ("BackupRetentionPeriod", "7", "0", INTERRUPTION, "restarts"),
    ],
)
def test_what_depends_on_the_value(name, before, after, expected, word):
    """RDS grows and goes forwards; the other direction is refused or costs an interruption."""
    told = effect_of("AWS::RDS::DBInstance", (name,), before, after, REGION)
    assert told[0] == expected and word in told[1] and told[2]


def test_another_major_version_needs_the_templates_leave():
    """With AllowMajorVersionUpgrade a major version is an interruption, and going back is refused as before; a
    cluster's version needs no such leave."""
    leave = {"AllowMajorVersionUpgrade": "true"}
    path = ("EngineVersion",)
    told = effect_of("AWS::RDS::DBInstance", path, "16.4", "17.1", REGION, leave)
    assert told[0] == INTERRUPTION and "major" in told[1]
    assert effect_of("AWS::RDS::DBInstance", path, "17.1", "16.4", REGION, leave)[0] == REFUSED
    assert effect_of("AWS::RDS::DBCluster", path, "16.4", "17.1", REGION)[0] == INTERRUPTION


class TestAnotherNetwork:
    @staticmethod
    def network(cidr: str = "10.0.0.0/16", subnet: str = "10.0.1.0/24") -> str:
        """A network with what lives in its subnet."""
        users = {
            "Balancer": ("AWS::ElasticLoadBalancingV2::LoadBalancer", "Subnets"),
            "Group": ("AWS::RDS::DBSubnetGroup", "SubnetIds"),
        }
        return template(
            Vpc=resource("AWS::EC2::VPC", {"CidrBlock": cidr}),
            Subnet=resource("AWS::EC2::Subnet", {"VpcId": {"Ref": "Vpc"}, "CidrBlock": subnet}),
            **{name: resource(type_, {key: [{"Ref": "Subnet"}]}) for name, (type_, key) in users.items()},
        )

    def test_what_cannot_move_is_told(self):
        """Balancer and subnet group stay the ones they are and can't follow into another VPC: AWS refuses it, and
        the report says so before it."""
        found = reviewed(self.network(), self.network("10.1.0.0/16", "10.1.1.0/24"))
        for name in ("Balancer", "Group"):
            assert effect(found, name).effect == REFUSED
            assert any(one.logical_id == name and "AWS refuses" in one.text for one in found.consequences)

    def test_another_subnet_of_the_same_network(self):
        """Within the VPC they do follow."""
        found = reviewed(self.network(), self.network(subnet="10.0.2.0/24"))
        assert effect(found, "Subnet").effect == REPLACEMENT
        assert {effect(found, name).effect for name in ("Balancer", "Group")} == {IN_PLACE}
        assert not any("AWS refuses" in one.text for one in found.consequences)


def test_an_unknown_region_has_schemas():
    """Without a region, or with one that no schema is known of, the usual schemas answer."""
    for region in ("", "xx-nowhere-1"):
        assert effect_of("AWS::EC2::VPC", ("CidrBlock",), "a", "b", region)[0] == REPLACEMENT


def test_schemas_without_their_files(monkeypatch):
    """Where cfn-lint keeps its schemas elsewhere, it is asked, and says the same."""
    known = schemas.fixed("AWS::ECS::Service", REGION)
    schemas.fixed.cache_clear()
    monkeypatch.setattr(schemas, "_providers", lambda region: None)
    try:
        assert schemas.fixed("AWS::ECS::Service", REGION) == known
        assert schemas.fixed("AWS::No::Such", REGION) is None
    finally:
        schemas.fixed.cache_clear()


class TestCarried:
    def test_through_references(self):
        """A group that is made anew takes its rules with it; the service gets new tasks and stays."""
        found = prod(('GroupDescription: "Keycloak tasks"', 'GroupDescription: "Tasks"'))
        assert effect(found, "TaskSecurityGroup").effect == REPLACEMENT
        assert effect(found, "TaskInCluster").effect == REPLACEMENT
        assert effect(found, "TaskInCluster").causes[0].carried_from == "TaskSecurityGroup"
        service = effect(found, "Service")
        assert service.effect == IN_PLACE and "new tasks" in service.causes[0].say

    def test_through_several_steps_to_the_database(self):
        """A subnet group that is made anew makes the database anew, which is told as a loss."""
        named = edited(
            committed("prod"),
            ("DBSubnetGroupDescription:", "DBSubnetGroupName: a\n      DBSubnetGroupDescription:"),
        )
        found = reviewed(named, edited(named, ("DBSubnetGroupName: a\n", "DBSubnetGroupName: b\n")))
        database = effect(found, "Database")
        assert (database.effect, database.holds, database.loses) == (REPLACEMENT, "database", True)
        assert found.effects[0] is database

    def test_not_through_what_stays(self):
        """An interruption, a tag or a new task definition makes nothing else anew."""
        for change in (("db.m7g.large", "db.m7g.xlarge"), ("RetentionInDays: 90", "RetentionInDays: 120")):
            assert len(prod(change).effects) == 1
        found = prod(('Cpu: "2048"', "Cpu: 4096"))
        assert {one.logical_id for one in found.effects} == {"TaskDefinition", "Service"}
        assert not any(one.loses for one in found.effects)

    def test_perhaps_stays_perhaps(self):
        """What follows from a replacement that may be none may be none, too."""
        found = prod(("Engine: postgres", "Engine: mysql"))
        assert effect(found, "Database").effect == CONDITIONAL
        assert not any(one.effect == REPLACEMENT for one in found.effects)


class TestPolicies:
    def of(self, before: dict, after: dict | None) -> object:
        type_ = "AWS::RDS::DBInstance"
        one = template(Database=resource(type_, {"DBName": "a"}, **before), Other=resource("AWS::SNS::Topic"))
        sides = {"Database": resource(type_, {"DBName": "b"}, **after)} if after is not None else {}
        return effect(reviewed(one, template(**sides, Other=resource("AWS::SNS::Topic"))), "Database")

    @pytest.mark.parametrize(
        ("policy", "expected"),
        [
            ({"DeletionPolicy": "Retain"}, "Retain"),
            ({"DeletionPolicy": "RetainExceptOnCreate"}, "Retain"),
            ({"DeletionPolicy": "Snapshot"}, "Snapshot"),
            ({"DeletionPolicy": "Delete"}, "Delete"),
            ({}, "Snapshot"),
        ],
    )
    def test_a_delete_asks_the_policy_before(self, policy, expected):
        """What the deployed template says about deleting holds, and RDS' default where it says nothing."""
        found = self.of(policy, None)
        assert (found.effect, found.policy, found.loses) == (DELETE, expected, True)

    @pytest.mark.parametrize(
        ("before", "after", "expected"),
        [
            ("Retain", "Retain", "Retain"),
            ("Snapshot", "Retain", "Snapshot"),
            ("Retain", "Delete", "Delete"),
            (None, None, "Delete"),
            (None, "Retain", "Delete"),
        ],
    )
    def test_a_replacement_asks_the_other_policy(self, before, after, expected):
        """UpdateReplacePolicy counts, the less careful one of both texts; DeletionPolicy doesn't."""
        sides = [
            {"DeletionPolicy": "Retain", **({"UpdateReplacePolicy": one} if one else {})}
            for one in (before, after)
        ]
        assert self.of(*sides).policy == expected

    def test_what_becomes_of_it_is_said(self):
        """Snapshot, retention and deletion are told in words."""
        assert "snapshot" in self.of({"DeletionPolicy": "Snapshot"}, None).fate
        assert "stays in the account" in self.of({"DeletionPolicy": "Retain"}, None).fate
        assert "deleted" in self.of({"DeletionPolicy": "Delete"}, None).fate


def test_a_rename_is_a_delete_and_a_create():
    """A renamed database is told as one that is deleted and one that is made."""
    body = resource("AWS::RDS::DBInstance", {"Engine": "postgres"})
    found = reviewed(template(Old=body), template(New=body))
    assert {one.logical_id: one.effect for one in found.effects} == {"Old": DELETE, "New": CREATE}
    assert "looks like Old" in effect(found, "New").causes[0].say


def test_a_type_that_changes_is_refused():
    """CloudFormation changes no type under one logical id, and the report says so."""
    found = reviewed(template(A=resource("AWS::SNS::Topic")), template(A=resource("AWS::SQS::Queue")))
    assert effect(found, "A").effect == REFUSED


def test_a_fixed_name_is_in_the_way():
    """A replacement under a name that is taken is told; one under a new name or without a name isn't."""

    def group(**more):
        return template(Group=resource("AWS::ElasticLoadBalancingV2::TargetGroup", more))

    assert any(
        "fixed Name" in note
        for note in effect(reviewed(group(Name="a", Port=1), group(Name="a", Port=2)), "Group").notes
    )
    for sides in ((group(Name="a", Port=1), group(Name="b", Port=2)), (group(Port=1), group(Port=2))):
        assert not effect(reviewed(*sides), "Group").notes
