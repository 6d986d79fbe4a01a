"""What needs leave, and how leave is given."""

from __future__ import annotations

import datetime
import json

import pytest

from generator.reviewing import allowances, review
from generator.reviewing.allowances import AllowancesError
from tests.reviewing.examples import (
    artefact,
    committed,
    edited,
    prod,
    resource,
    reviewed,
    stack_json,
    template,
)

TODAY = datetime.date(2026, 6, 1)


def kinds(found) -> set[tuple[str, str]]:
    return {(one.path, one.kind) for one in found.refused}


@pytest.mark.parametrize(
    ("change", "path", "kind"),
    [
        (('DBName: "keycloak"', "DBName: kc"), "Database", "replaced"),
        (("Engine: postgres", "Engine: mysql"), "Database", "replaced"),
        (('AllocatedStorage: "100"', 'AllocatedStorage: "50"'), "Database.AllocatedStorage", "shrunk"),
        (
            ("BackupRetentionPeriod: 14", "BackupRetentionPeriod: 7"),
            "Database.BackupRetentionPeriod",
            "unprotected",
        ),
        (
            ("DeletionProtection: true", "DeletionProtection: false"),
            "Database.DeletionProtection",
            "unprotected",
        ),
        (("      DeletionProtection: true\n", ""), "Database.DeletionProtection", "unprotected"),
        (("DeletionPolicy: Snapshot", "DeletionPolicy: Delete"), "Database.DeletionPolicy", "unprotected"),
        (
            ("UpdateReplacePolicy: Snapshot", "UpdateReplacePolicy: Delete"),
            "Database.UpdateReplacePolicy",
            "unprotected",
        ),
        (("RetentionInDays: 90", "RetentionInDays: 7"), "LogGroup.RetentionInDays", "shrunk"),
        (('"keycloak-prod.internal"', '"other.internal"'), "DiscoveryNamespace", "replaced"),
        (('DomainName: "sso.example.com"', 'DomainName: "id.example.com"'), "Certificate", "replaced"),
        (
            ('deletion_protection.enabled, Value: "true"', 'deletion_protection.enabled, Value: "false"'),
            "LoadBalancer.LoadBalancerAttributes[deletion_protection.enabled]",
            "unprotected",
        ),
        (
            (
                'PasswordLength: 32\n        ExcludeCharacters: "$\\\\/\\"@ \'`" # what',
                'PasswordLength: 40\n        ExcludeCharacters: "$\\\\/\\"@ \'`" # what',
            ),
            "DatabaseSecret.GenerateSecretString.PasswordLength",
            "overwritten",
        ),
    ],
)
def test_what_needs_leave(change, path, kind):
    """Data, protection and secrets are told, each under the path that an allowance names."""
    assert (path, kind) in kinds(prod(change))


@pytest.mark.parametrize(
    "change",
    [
        ("RetentionInDays: 90", "RetentionInDays: 365"),
        ("BackupRetentionPeriod: 14", "BackupRetentionPeriod: 30"),
        ("DeletionPolicy: Snapshot", "DeletionPolicy: Retain"),
        ('AllocatedStorage: "100"', 'AllocatedStorage: "200"'),
        ('Cpu: "2048"', "Cpu: 4096"),
        ('EngineVersion: "17.10"', 'EngineVersion: "18.1"'),
        ("MultiAZ: true", "MultiAZ: false"),
        ('GroupDescription: "Keycloak tasks"', 'GroupDescription: "Tasks"'),
    ],
)
def test_what_needs_none(change):
    """More protection, growth, new revisions and what holds no data pass."""
    assert not prod(change).hazards


@pytest.mark.parametrize(
    "type_",
    [
        "AWS::RDS::DBInstance",
        "AWS::RDS::DBCluster",
        "AWS::SecretsManager::Secret",
        "AWS::KMS::Key",
        "AWS::Logs::LogGroup",
        "AWS::ServiceDiscovery::PrivateDnsNamespace",
        "AWS::ServiceDiscovery::Service",
        "AWS::ECR::Repository",
        "AWS::CertificateManager::Certificate",
        "AWS::S3::Bucket",
        "AWS::EFS::FileSystem",
        "AWS::DynamoDB::Table",
    ],
)
def test_deleting_what_holds_data(type_):
    """Each type that holds data may not just go, whatever its policy."""
    for policy in ("Delete", "Retain"):
        one = template(Thing=resource(type_, DeletionPolicy=policy), Other=resource("AWS::SNS::Topic"))
        assert kinds(reviewed(one, template(Other=resource("AWS::SNS::Topic")))) == {("Thing", "deleted")}
    assert not reviewed(one, template(Thing=resource(type_, DeletionPolicy=policy))).hazards


class TestStack:
    def of(self, **changes):
        stack = {**json.loads(stack_json("prod")), **changes}
        return review(artefact(committed("prod"), stack_json("prod")), artefact(committed("prod"), stack))

    def test_termination_protection(self):
        """A stack that may be deleted from now on."""
        assert kinds(self.of(termination_protection=False)) == {
            ("stack.termination_protection", "unprotected")
        }

    def test_stack_policy(self):
        """A stack policy that goes, or that keeps less."""
        assert kinds(self.of(stack_policy=None)) == {("stack.stack_policy", "unprotected")}
        policy = json.loads(stack_json("prod"))["stack_policy"]
        policy["Statement"][1]["Resource"].remove("LogicalResourceId/Database")
        (one,) = self.of(stack_policy=policy).refused
        assert "Database" in one.text and "LogGroup" not in one.text

    def test_another_place(self):
        """Another region, account or stack name starts from nothing."""
        assert kinds(self.of(region="eu-west-1")) == {("stack.region", "moved")}
        assert self.of(stack_name="other").refused and self.of(account="999999999999").refused

    def test_more_protection(self):
        """Protection that comes needs no leave."""
        back = review(
            artefact(committed("prod"), {"region": "eu-central-1"}),
            artefact(committed("prod"), {"region": "eu-central-1", "termination_protection": True}),
        )
        assert not back.hazards and back.stack

    def test_a_new_environment_needs_no_leave(self):
        """Where nothing was, nothing is lost; what it opens is told all the same."""
        found = review(None, artefact(committed("prod"), stack_json("prod")))
        assert not found.hazards
        assert any("the internet can now reach port 443" in one.text for one in found.consequences)

    def test_an_environment_that_is_gone(self):
        """A folder that is deleted deletes no stack, and that is said."""
        found = review(artefact(committed("prod"), stack_json("prod")), None)
        assert not found.hazards and "deletes nothing" in found.consequences[0].text


CHANGE = (('DBName: "keycloak"', "DBName: kc"), ("DeletionProtection: true", "DeletionProtection: false"))


def written(**changes) -> str:
    entry = {
        "id": "Database",
        "environment": "prod",
        "reason": "a new volume",
        "expires": "2026-06-01",
        **changes,
    }
    return json.dumps({"allowances": [{key: value for key, value in entry.items() if value is not None}]})


class TestAllowances:
    def test_a_logical_id_covers_its_paths(self):
        """Leave for a resource is leave for all of it; each hazard names the allowance."""
        found = self.of(allowances.given(["Database"]))
        assert not found.refused and len(found.hazards) == 2
        assert {str(one.allowed_by) for one in found.hazards} == {"--allow"}

    def of(self, leave, today=TODAY):
        text, told = committed("prod"), stack_json("prod")
        return review(artefact(text, told), artefact(edited(text, *CHANGE), told), leave, today)

    def test_a_path_covers_itself_only(self):
        """Leave for a property isn't leave for the resource, nor for one whose name starts alike."""
        found = self.of(allowances.given(["Database.DeletionProtection", "Data", "DatabaseSecret"]))
        assert kinds(found) == {("Database", "replaced")}
        assert {one.id for word, one in found.allowances if word == "unused"} == {"Data", "DatabaseSecret"}

    def test_the_file(self):
        """An entry of the file holds through its last day, with its reason in the report."""
        found = self.of(allowances.read(written(), ["prod"]))
        assert not found.refused and not found.allowances
        assert "a new volume" in str(found.hazards[0].allowed_by)
        assert "allowances.yaml:1" in str(found.hazards[0].allowed_by)

    def test_an_expired_one_is_told_and_allows_nothing(self):
        """After its day an entry is told as expired."""
        found = self.of(allowances.read(written(), ["prod"]), TODAY + datetime.timedelta(days=1))
        assert len(found.refused) == 2 and [word for word, _ in found.allowances] == ["expired"]

    def test_another_environments(self):
        """Leave for one environment is none for another, and nobody is bothered with it."""
        found = self.of(allowances.read(written(environment="dev"), ["prod", "dev"]))
        assert len(found.refused) == 2 and not found.allowances

    def test_all_problems_at_once(self):
        """What is wrong in the file is told in one run, with its lines and the nearest name."""
        text = """\
allowances:
  - id: Data*
    environment: prd
    reason: ""
    expires: soon
    why: x
  - 3
more: 1
"""
        with pytest.raises(AllowancesError) as caught:
            allowances.read(text, ["prod", "dev"])
        told = {(one.line, one.key) for one in caught.value.problems}
        assert {
            (2, "id"),
            (3, "environment"),
            (4, "reason"),
            (5, "expires"),
            (6, "why"),
            (7, ""),
            (8, "more"),
        } <= told
        assert "did you mean prod?" in str(caught.value.problems)

    @pytest.mark.parametrize("one", ["*", "Data*", "Database.*", "", "-x", "Data base"])
    def test_no_wildcards_on_the_command_line(self, one):
        """Leave is for a single thing."""
        with pytest.raises(AllowancesError):
            allowances.given([one])

    @pytest.mark.parametrize("text", ["", "# nothing yet\n", "allowances:\n", "allowances: []\n"])
    def test_an_empty_file(self, text):
        """A file without entries allows nothing and is no problem."""
        assert allowances.read(text) == ()
