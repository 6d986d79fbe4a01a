"""Templates of stacks that are there: this project's own come back as they were, others keep what holds data.
"""

from __future__ import annotations

from pathlib import Path

import pytest
from adoptions import adopt, loaded

from generator import adopting
from generator.document import parse
from generator.reviewing.changes import Side, compare
from generator.reviewing.effects import judge
from tests.cases import ENVIRONMENTS, PROJECT

CDK = (Path(__file__).parent / "cdk.yaml").read_text("utf-8")

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

    @pytest.mark.parametrize("old, new", VARIANTS)
    def test_kept_means_kept(self, old, new, rendering):
        """What is called kept is what the review of the move calls so, and the same for what is replaced."""
        assert old in CDK
        template = CDK.replace(old, new)
        found = adopt(template)
        before, after = parse(template), parse(rendering.handed(found).template)
        changes = compare(Side.of(before), Side.of(after))
        effects = {one.logical_id: one.effect for one in judge(changes, before, after, "eu-central-1")}
        anew = {one for one, effect in effects.items() if effect in ("replacement", "conditional replacement")}
        for one in found.kept:
            if one.ours and one.ours != "TaskDefinition":
                assert (one.theirs in anew) == (one.verdict != "kept"), one.verdict

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
