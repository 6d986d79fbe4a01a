"""Templates of stacks that are there: this project's own come back as they were, others keep what holds data.
"""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from adoptions import adopt, loaded

from generator import adopting
from generator.document import Document, parse
from generator.rendering.renaming import renamed_data
from generator.resolving import Resolver
from generator.reviewing.changes import Side, compare
from generator.reviewing.effects import Effect, judge
from tests.cases import ENVIRONMENTS, PROJECT

CDK = (Path(__file__).parent / "cdk.yaml").read_text("utf-8")
WHOLE = (Path(__file__).parent / "whole.yaml").read_text("utf-8")

DATABASE = "      DBName: sso\n"
VARIANTS = [
    (CDK, CDK),
    (DATABASE, DATABASE + "      DBInstanceIdentifier: sso-db\n"),
    (DATABASE, DATABASE + '      DBInstanceIdentifier: !Sub "${AWS::StackName}-db"\n'),
    (DATABASE, DATABASE + "      KmsKeyId: !GetAtt SsoKey1A2B3C4D.Arn\n"),
    (DATABASE, DATABASE + "      AvailabilityZone: eu-central-1a\n"),
    (DATABASE, ""),
    ("MasterUsername: sso", 'MasterUsername: !Sub "{{resolve:secretsmanager:${SsoDbSecret5E6F7A8B}::username}}"'),
    ("      StorageEncrypted: true\n", ""),
    ("StorageEncrypted: true", "StorageEncrypted: false"),
    ("{DBSubnetGroupDescription", "{DBSubnetGroupName: sso, DBSubnetGroupDescription"),
    ("Properties: {Scheme", "Properties: {Type: application, Name: sso, Scheme"),
    ("Port: 80,", "Port: 8080, Name: sso,"),
    ("Port: 80,", "Port: 8080, ProtocolVersion: HTTP1,"),
    ("{RetentionInDays", "{LogGroupName: /ecs/sso, RetentionInDays"),
    ("      LaunchType: FARGATE\n", "      LaunchType: FARGATE\n      ServiceName: sso\n"),
    ("      LaunchType: FARGATE\n", "      LaunchType: FARGATE\n      SchedulingStrategy: REPLICA\n"),
    ("ClusterName: sso", "ClusterName: !Ref AWS::StackName"),
    ("DnsRecords:", "RoutingPolicy: MULTIVALUE, DnsRecords:"),
    ("      Name: keycloak\n", "      Name: sso\n"),
    ("Name: sso.internal", "Name: services.corp"),
]
"""A part of that template, and what other stacks have in its place."""

ZONE = 'CidrBlock: 10.0.80.0/20, AvailabilityZone: !Select [1, !GetAZs ""]'
LETTER = ZONE.replace('!Select [1, !GetAZs ""]', "eu-central-1b")
ELSEWHERE = ZONE.replace('!Select [1, !GetAZs ""]', "eu-central-1c")
NAT = "AllocationId: !GetAtt NatIp.AllocationId, SubnetId: !Ref Outer0"
FLOWS = """  Flows: {Type: "AWS::Logs::LogGroup", Properties: {RetentionInDays: 7}}
  FlowRights: {Type: "AWS::IAM::Role", Properties: {AssumeRolePolicyDocument: {Statement: []}}}
  Flow:
    Type: AWS::EC2::FlowLog
    Properties: {ResourceType: VPC, ResourceId: !Ref Network, TrafficType: ALL, LogGroupName: !Ref Flows,
      DeliverLogsPermissionArn: !GetAtt FlowRights.Arn}
"""
TEMPLATE = "        SecretStringTemplate: '{\"username\": \"keycloak\"}'\n"
GROUP = """  Address:
    Type: AWS::Route53::RecordSetGroup
    Properties:
      HostedZoneId: !Ref Zone
      RecordSets:
        - {Name: sso.example.com., Type: A, AliasTarget: {DNSName: !GetAtt Front.DNSName, HostedZoneId: Z1}}
"""
OTHER = """  Other:
    Type: AWS::Route53::RecordSet
    Properties: {HostedZoneId: !Ref Zone, Name: www.example.com, Type: CNAME, ResourceRecords: [example.com]}
"""
ADDRESS = WHOLE[WHOLE.index("  Address:") : WHOLE.index("  Rights:")]
WHOLE_VARIANTS = [
    (WHOLE, WHOLE),
    (ZONE, LETTER),
    (ZONE, ELSEWHERE),
    ("  Password:\n", FLOWS + "  Password:\n"),
    ("  Password:\n", FLOWS.replace("TrafficType: ALL", "TrafficType: REJECT") + "  Password:\n"),
    (NAT, NAT.replace("0", "1")),
    ("SubnetId: !Ref Outer1, RouteTableId: !Ref OuterTable", "SubnetId: !Ref Outer1, RouteTableId: !Ref InnerTable"),
    ("10.0.144.0/20", "10.0.200.0/24"),
    (TEMPLATE, TEMPLATE.replace('": "', '":"')),
    (TEMPLATE, TEMPLATE + "        ExcludePunctuation: true\n"),
    (TEMPLATE, TEMPLATE + "        RequireEachIncludedType: true\n"),
    (TEMPLATE, TEMPLATE.replace("keycloak", "master")),
    ("Password", "DatabaseSecret"),
    ("      DnsConfig: {NamespaceId: !Ref Names, ", "      NamespaceId: !Ref Names\n      DnsConfig: {"),
    ("RoutingPolicy: MULTIVALUE", "RoutingPolicy: WEIGHTED"),
    ("Priority: 301", "Priority: 11"),
    ("  Moved:", "  PublicPathsRule1:"),
    ("HostedZoneId: !Ref Zone", "HostedZoneName: example.com."),
    ("Default: Z0123456789ABCDEFGHIJ", "Description: the zone"),
    (ADDRESS, GROUP),
    (ADDRESS, GROUP + OTHER),
    ('!Sub "service/${Herd}/${Runner.Name}"', '!Join ["/", [service, !Ref Herd, !GetAtt Runner.Name]]'),
    ('!Sub "service/${Herd}/${Runner.Name}"', "service/herd/runner"),
    ("LogGroupName: /ecs/sso", "RetentionInDays: 90"),
    ("LogGroupName: /ecs/sso", "KmsKeyId: x"),
    ("  Herd:", "  Database:"),
    ("Scheme: internet-facing", "Scheme: internal"),
]


def changed(template: str, old: str, new: str) -> str:
    """The template with something else; a resource's new id also where it is named."""
    assert old in template
    if old.strip(" :").isalnum() and new.strip(" :").isalnum():
        return template.replace(old.strip(" :"), new.strip(" :"))
    return template.replace(old, new)


def effects_of(before: Document, after: Document) -> dict[str, Effect]:
    """What the review of the move says."""
    changes = compare(Side.of(before, region="eu-central-1"), Side.of(after, region="eu-central-1"))
    return {one.logical_id: one for one in judge(changes, before, after, "eu-central-1")}


HELD = {
    "AWS::EC2::Subnet": "CidrBlock",
    "AWS::EC2::SubnetRouteTableAssociation": "SubnetId",
    "AWS::ElasticLoadBalancingV2::ListenerRule": "Priority",
    "AWS::Route53::RecordSet": "Name",
    "AWS::ServiceDiscovery::Service": "Name",
    "AWS::ServiceDiscovery::PrivateDnsNamespace": "Name",
    "AWS::ApplicationAutoScaling::ScalableTarget": "ScalableDimension",
    "AWS::ApplicationAutoScaling::ScalingPolicy": "PolicyName",
    "AWS::ECS::Cluster": "ClusterName",
    "AWS::Logs::LogGroup": "LogGroupName",
    "AWS::SecretsManager::Secret": "Name",
}
"""Type -> what one stack of these has once only."""


def held(document: Document, names: set[str]) -> dict[tuple[str, str], str]:
    """(type, what AWS has one of) -> who has it, among `names`."""
    resolver, found = Resolver(document, region="eu-central-1"), {}
    for name in names & document.resources.keys():
        one = document.resources[name]
        properties = resolver.properties(one)
        values = [properties[HELD[one.type]]] if one.type in HELD else []
        if one.type == "AWS::Route53::RecordSetGroup":
            values = [each["Name"] for each in properties["RecordSets"]]
        for value in values:
            text = value.text or str(value.reference or "")
            if text:
                found[one.type.removesuffix("Group"), text.rstrip(".")] = name
    return found


def rendered(name: str) -> str:
    return (PROJECT / "rendered" / name / "template.yaml").read_text("utf-8")


def own(wholes, name: str) -> adopting.Adoption:
    """An environment's own template, adopted."""
    return adopting.adopt([("template.yaml", wholes[name].text)])


class TestOwn:
    @pytest.mark.parametrize("name", ENVIRONMENTS)
    def test_resources_come_back(self, name, wholes, rendering):
        """Adopting a rendered template gives params that render the very same resources."""
        settings = wholes[name].settings
        more = {"account": settings.account, "region": settings.region}
        if settings.database.existing:
            more |= {
                f"database__existing__{key}": getattr(settings.database.existing, key)
                for key in ("engine_version", "max_connections")
            }
            more["network__existing__cidrs"] = settings.network.existing.cidrs
        made = rendering.handed(own(wholes, name), name, **more)
        assert parse(made.template).data["Resources"] == wholes[name].document.data["Resources"]

    @pytest.mark.parametrize("name", ENVIRONMENTS)
    def test_all_of_it_is_kept(self, name, wholes):
        """Every id stays as it is, so that no map is needed and nothing is replaced or deleted."""
        found = own(wholes, name)
        assert "logical_ids" not in found.params
        assert {one.verdict for one in found.kept} == {"kept"}


    @pytest.mark.parametrize("name", ENVIRONMENTS)
    def test_other_ids_change_nothing(self, name, wholes, rendering):
        """The same stack with an id of its own for each resource loses nothing that holds data or has a name."""
        ids = {one: f"Their{one}" for one in wholes[name].document.resources}
        there = json.dumps(renamed_data(wholes[name].document.data, ids))
        found = adopting.adopt([("template.json", there)])
        assert {one.verdict for one in found.kept} == {"kept"}
        mapped = loaded(found)["stack"]["logical_ids"]
        assert mapped.items() <= ids.items()
        left = {wholes[name].document.resources[one].type.rpartition("::")[2] for one in ids.keys() - mapped}
        assert left <= {
            "SecurityGroup",
            "SecurityGroupIngress",
            "SecurityGroupEgress",
            "Alarm",
            "MetricFilter",
            "Topic",
            "Subscription",
        }


class TestForeign:
    def test_ids_are_kept(self, rendering):
        """What holds data goes on under the id that its stack has for it, and every reference follows."""
        found = adopt(CDK)
        made = rendering.handed(found, stack__name="sso")
        document, before = parse(made.template), parse(CDK)
        for logical_id in (
            "SsoDb11AA22BB",
            "SsoDbSubnets9F8E7D6C",
            "SsoLogs33CC44DD",
            "SsoCluster55EE66FF",
            "SsoNamespace77AA88BB",
            "SsoNodes99CC00DD",
            "SsoBalancerAABBCCDD",
            "SsoTargets44556677",
            "SsoService22334455",
            "SsoTask88990011",
            "SsoListener00112233",
        ):
            assert document.resources[logical_id].type == before.resources[logical_id].type
        assert document.references(document.data) <= document.resources.keys()

    def test_what_would_be_replaced_is_told(self):
        """A port that rendering can't keep, and what it doesn't render at all, are in the table."""
        verdicts = {one.theirs: one.verdict for one in adopt(CDK).kept}
        assert verdicts["SsoTargets44556677"] == "replaced: Port becomes 8080"
        assert (
            verdicts["SsoListener00112233"]
            == "replaced: it belongs to SsoBalancerAABBCCDD, which is replaced"
        )
        assert "which the database gets in the same update" in verdicts["SsoDbSecret5E6F7A8B"]
        assert verdicts["SsoKey1A2B3C4D"] == "deleted"
        for one in ("SsoDb11AA22BB", "SsoDbSubnets9F8E7D6C", "SsoCluster55EE66FF", "SsoService22334455"):
            assert verdicts[one] == "kept"
        assert "# - SsoKey1A2B3C4D (AWS::KMS::Key): deleted" in adopt(CDK).params

    @pytest.mark.parametrize(
        "template, old, new",
        [(CDK, *one) for one in VARIANTS] + [(WHOLE, *one) for one in WHOLE_VARIANTS],
    )
    def test_kept_means_kept(self, template, old, new, rendering):
        """What is called kept is what the review of the move calls so, and the same for what is replaced."""
        found = adopt(changed(template, old, new))
        before, after = parse(changed(template, old, new)), parse(rendering.handed(found).template)
        effects = effects_of(before, after)
        anew = {name for name, one in effects.items() if one.effect.endswith(("replacement", "delete", "refused"))}
        # What somebody writes into a line that waits is another text to the review, be it the same thing or not.
        # So is a zone's letter beside its number.
        waits = {one.theirs for one in found.kept if one.kept and any(text[:3] == "if " for text in one.changed)}
        anew -= {name for name in anew if waits & {name, *(each.carried_from for each in effects[name].causes)}}
        for one in found.kept:
            if one.ours != "TaskDefinition":
                assert (one.theirs in anew) != one.kept or one.fails, one.verdict
        verdicts = {one.theirs: one for one in found.kept}
        assert all(
            name in verdicts for name, one in effects.items() if one.loses and one.type != "AWS::IAM::Role"
        ), "what is lost is told"

    @pytest.mark.parametrize(
        "template, old, new",
        [(CDK, *one) for one in VARIANTS] + [(WHOLE, *one) for one in WHOLE_VARIANTS],
    )
    def test_nothing_new_is_in_the_way_of_what_is_there(self, template, old, new, rendering):
        """CloudFormation makes the new ones first: none has what one of the old ones holds, or it is told."""
        found = adopt(changed(template, old, new))
        before, after = parse(changed(template, old, new)), parse(rendering.handed(found).template)
        told = {one.theirs for one in found.kept if one.fails}
        there = held(before, set(before.resources))
        for what, name in held(after, set(after.resources)).items():
            if what in there and there[what] != name:
                assert there[what] in told, what

    @pytest.mark.parametrize("old, new", [one for one in WHOLE_VARIANTS if one[0] == TEMPLATE] + [(WHOLE, WHOLE)])
    @pytest.mark.parametrize("name", ["Password", "DatabaseSecret"])
    def test_no_secret_gets_another_value_under_its_id(self, old, new, name, rendering):
        """A secret that rendering makes in another way is left behind, whatever it is called."""
        template = changed(WHOLE, old, new).replace("Password:", f"{name}:").replace("{Password}", f"{{{name}}}")
        template = template.replace("MasterUserDatabaseSecret", "MasterUserPassword")
        found = adopt(template)
        before, after = parse(template), parse(rendering.handed(found).template)
        assert (name in after.resources) == (old == WHOLE)
        if name in after.resources:
            made = [one.resources[name].properties["GenerateSecretString"] for one in (before, after)]
            assert made[0] == made[1]

    def test_networks_records_and_scaling_go_on(self, rendering):
        """A network that is laid out as rendered ones, its records, its rules and its scaling keep their ids."""
        ids = loaded(adopt(WHOLE))["stack"]["logical_ids"]
        assert ids.items() >= {
            "Vpc": "Network",
            "InternetGateway": "Door",
            "PublicSubnetB": "Outer1",
            "PrivateSubnetARoutes": "InnerRoutes0",
            "PrivateRouteTableA": "InnerTable",
            "PrivateRouteA": "InnerRoute",
            "NatGatewayA": "Nat",
            "NatAddressA": "NatIp",
            "PublicPathsRule1": "Everybody",
            "DnsRecord": "Address",
            "ScalableTarget": "Room",
            "ScaleOutPolicy": "Growth",
        }.items()
        after = parse(rendering.handed(adopt(WHOLE)).template)
        assert after.resources["Growth"].properties["PolicyName"] == "cpu"

    @pytest.mark.parametrize(
        "old, new, name, said",
        [
            (WHOLE, WHOLE, "Lines", "kept; RetentionInDays becomes 3653: what is older is deleted"),
            ("LogGroupName: /ecs/sso", "RetentionInDays: 90", "Lines", "kept"),
            ("LogGroupName: /ecs/sso", "KmsKeyId: x", "Lines", "without KmsKeyId"),
            (WHOLE, WHOLE, "Moved", "takes its priority"),
            ("Priority: 10", "Priority: 77", "Moved", "deleted"),
            (ZONE, LETTER, "Inner1", "kept; if !Select [1, !GetAZs ] is eu-central-1b"),
            (ZONE, ELSEWHERE, "Inner1", "EC2 takes no second subnet"),
            (NAT, NAT.replace("0", "1"), "NatIp", "deleted"),
            ("10.0.144.0/20", "10.0.200.0/24", "Network", "write DeletionPolicy: Retain into Network, Door, DoorFrame"),
            ("HostedZoneId: !Ref Zone", "HostedZoneName: example.com.", "Address", "its name leads nowhere"),
            ("RoutingPolicy: MULTIVALUE", "RoutingPolicy: WEIGHTED", "Nodes", "Name becomes keycloak-2"),
            (ADDRESS, GROUP, "Address", "its name leads nowhere"),
            (ADDRESS, GROUP + OTHER, "Address", "no second record"),
            ('!Sub "service/${Herd}/${Runner.Name}"', "service/herd/runner", "Room", "takes the new one away"),
        ],
    )
    def test_what_an_update_does_is_told(self, old, new, name, said):
        """What a kept thing loses, what goes, and what has to be done before are in the table and in the file."""
        found = adopt(changed(WHOLE, old, new))
        (verdict,) = {one.verdict for one in found.kept if one.theirs == name}
        assert said in verdict if said != "kept" else verdict == said
        assert (f"# - {name} " in found.params) == (verdict != "kept")

    def test_a_log_keeps_as_long_as_params_can_say(self):
        """A log without an end gets the longest there is; one with an end keeps that."""
        assert loaded(adopt(WHOLE))["keycloak"]["log"] == {"retention_days": 3653}
        ended = changed(WHOLE, "LogGroupName: /ecs/sso", "RetentionInDays: 90")
        assert loaded(adopt(ended))["keycloak"]["log"] == {"retention_days": 90}

    def test_an_id_that_means_something_else_is_left_to_it(self, rendering):
        """A resource of another type never gets our resource's place under its id."""
        template = WHOLE.replace("Herd", "Database")
        before, after = parse(template), parse(rendering.handed(adopt(template)).template)
        assert "Data" in after.resources
        for name in before.resources.keys() & after.resources.keys():
            assert before.resources[name].type == after.resources[name].type

    def test_what_is_replaced_takes_no_name_along(self):
        """CloudFormation makes the new one before the old one goes: under the same name that would fail."""
        database = "      DBName: sso\n"
        named = CDK.replace(database, f"{database}      DBInstanceIdentifier: sso-db\n")
        assert loaded(adopt(named))["stack"]["physical_names"]["Database"] == "sso-db"
        plain = named.replace("StorageEncrypted: true", "StorageEncrypted: false")
        assert "Database" not in loaded(adopt(plain))["stack"]["physical_names"]

    def test_settings_are_carried(self):
        """Address and path, size, pool, database, log and options come along; faults are mended with a
        comment.
        """
        found = adopt(CDK)
        params = loaded(found)
        assert params["keycloak"]["hostname"] == "https://sso.example.com"
        assert params["keycloak"]["http_relative_path"] == "/auth"
        assert params["keycloak"]["heap_percent"] == 50 and params["keycloak"]["jvm_options"] == ["-Dmine=1"]
        assert params["keycloak"]["log"] == {"retention_days": 90}
        assert params["keycloak"]["features"] == {"enabled": ["token-exchange"]}
        assert params["keycloak"]["options"] == {
            "KC_HTTP_POOL_MAX_THREADS": "60",
            "KC_EVENT_METRICS_USER_ENABLED": "true",
        }
        assert params["database"]["name"] == params["database"]["username"] == "sso"
        assert params["database"]["create"]["engine_version"] == "16.9"
        assert params["service"]["tasks"] == 3 and params["service"]["architecture"] == "x86_64"
        assert "tls_policy" in params["load_balancer"] and "ELBSecurityPolicy-2016-08" in found.params

    def test_what_params_cannot_say_is_listed(self):
        """A container beside Keycloak and a feature that nobody has are listed, in the file and in the
        report.
        """
        found = adopt(CDK)
        for what in ("the container agent", "the feature nothing-like-it"):
            assert any(what in one.what for one in found.left) and f"# - {what}" in found.params

    def test_pointers_lead_into_the_template(self):
        """A finding's pointer is a path of the template."""
        for one in adopt(CDK).findings:
            node = parse(CDK).data
            for step in one.pointer.split("/")[1:]:
                step = step.replace("~1", "/").replace("~0", "~")
                node = node[int(step)] if isinstance(node, list) else node[step]


def test_secrets_come_along_by_address():
    """An option that is read from a secret stays one; an SSM parameter's name becomes its ARN."""
    template = CDK.replace(
        "          LogConfiguration: {LogDriver",
        "            - {Name: KC_SPI_MAIL_TOKEN, ValueFrom: /sso/mail}\n"
        "          LogConfiguration: {LogDriver",
    )
    assert template != CDK
    assert loaded(adopt(template))["keycloak"]["secret_options"] == {
        "KC_SPI_MAIL_TOKEN": "arn:aws:ssm:eu-central-1:111122223333:parameter/sso/mail"
    }


@pytest.mark.parametrize("address", ["https://[bad", "//[", "https://", "sso_x", "${nobody}"])
def test_an_address_that_is_none_waits(address):
    """What can't be an address is asked for, never guessed."""
    found = adopt(CDK.replace("https://sso.example.com/auth", address))
    assert "keycloak.hostname" in {one.key for one in found.unset}
