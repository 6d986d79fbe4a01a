"""A stack is deleted: what goes, what stays, and what keeps it from going."""

from __future__ import annotations

import pytest

from generator.deploying import deletion, executing, stacks
from generator.deploying.deletion import Deletion, Left
from generator.deploying.progress import Planned
from generator.errors import RefusedError
from tests.deploying.deployed import STACK as NAME
from tests.deploying.deployed import Site, dev, run, site  # noqa: F401


def prepare(site: Site, *retain: str) -> Deletion:
    connection = site.connection()
    stack = stacks.look(connection, NAME)
    assert stack is not None
    return deletion.prepare(connection, site.target, stack, retain)


def delete(site: Site, *retain: str) -> tuple[str, Left]:
    """(outcome, what is left) of a deletion that is carried out."""
    connection, prepared = site.connection(), prepare(site, *retain)
    following = deletion.begin(connection, prepared)
    while not following.outcome:
        following.look()
    there = () if following.outcome == executing.DONE else stacks.resources(connection, prepared.stack.id)
    return following.outcome, deletion.left(connection, prepared, following.events, there)


def writes(site: Site) -> list[str]:
    """Calls that changed something."""
    reading = ("Get", "Describe", "List")
    return [name for name, _ in site.aws.calls() if not name.split(":")[1].startswith(reading)]


# --- What is said before ---


def test_what_goes_and_what_stays(site: Site):
    """Before anything is deleted it is said what goes and what DeletionPolicy keeps."""
    site.deploy()
    found = prepare(site)
    assert [one.logical_id for one in found.goes] == ["Topic", "Queue"]
    assert [(one.logical_id, one.physical_id, one.holds) for one in found.stays] == [
        ("Log", "small-log", "log")
    ]
    assert found.planned[0] == Planned("Log", "AWS::Logs::LogGroup", "Remove")
    assert found.obstacles == () and found.notes == ()


def test_looking_changes_nothing(site: Site):
    """To say what a deletion does nothing is changed."""
    site.deploy()
    site.aws.forget_calls()
    prepare(site)
    assert writes(site) == []


def test_what_is_lost_is_told_from_what_is_made_again(site: Site):
    """Of what goes, only what no later deployment makes again counts as lost; a database leaves a
    snapshot."""
    dev(site)
    site.deploy()
    found = {one.logical_id: one for one in prepare(site).parts}
    assert found["BootstrapAdminSecret"].lost
    assert not found["Certificate"].lost and not found["DiscoveryNamespace"].lost and not found["Vpc"].lost
    assert (found["Database"].policy, found["Database"].lost) == ("Snapshot", False)
    assert [(name, one.backups) for name, one in found.items() if one.backups] == [("Database", "stay")]
    assert found["DatabaseSecret"].policy == found["LogGroup"].policy == "Retain"


def test_a_template_without_policies(site: Site):
    """Without a DeletionPolicy a database leaves a snapshot, as CloudFormation has it, and loses its
    automatic backups; a log group is lost."""
    template = """
Resources:
  Log: {Type: AWS::Logs::LogGroup}
  Database:
    Type: AWS::RDS::DBInstance
    Properties: {DBInstanceClass: db.t4g.micro, Engine: postgres, AllocatedStorage: 20, MasterUsername: a}
"""
    (site.folder / "template.yaml").write_text(template, "utf-8")
    site.deploy()
    found = {one.logical_id: (one.policy, one.lost, one.backups) for one in prepare(site).parts}
    assert found == {"Log": ("Delete", True, ""), "Database": ("Snapshot", False, "go")}


# --- What is refused ---


def test_a_protected_environment_is_refused(site: Site):
    """What is protected in stack.json isn't deleted, whatever AWS would allow; the way to do it is said."""
    site.deploy()
    site.set(termination_protection=True)
    with pytest.raises(RefusedError, match="protected, nothing was deleted.*stack.protected: false"):
        prepare(site)


def test_termination_protection_is_refused(site: Site):
    """What has termination protection on AWS isn't deleted, whatever is rendered."""
    site.deploy()
    site.client("cloudformation").update_termination_protection(
        StackName=NAME, EnableTerminationProtection=True
    )
    with pytest.raises(RefusedError, match="has termination protection"):
        prepare(site)


def test_a_busy_stack_is_refused(site: Site):
    """A stack with which something goes on isn't deleted."""
    site.deploy()
    site.aws.set_status(NAME, "UPDATE_IN_PROGRESS")
    with pytest.raises(RefusedError, match="busy.*events test --follow"):
        prepare(site)


def test_a_protected_database_and_balancer_are_refused(site: Site):
    """Deletion protection would stop the deletion half way, with the service gone: nothing is begun then."""
    dev(site)
    site.deploy()
    there = site.aws.resources(NAME)
    site.client("rds").modify_db_instance(DBInstanceIdentifier=there["Database"], DeletionProtection=True)
    site.client("elbv2").modify_load_balancer_attributes(
        LoadBalancerArn=there["LoadBalancer"],
        Attributes=[{"Key": "deletion_protection.enabled", "Value": "true"}],
    )
    found = prepare(site)
    balancer, database = sorted(found.obstacles)
    assert "balancer LoadBalancer" in balancer and "load_balancer.deletion_protection: false" in balancer
    assert "database Database" in database and "database.create.deletion_protection: false" in database
    site.aws.forget_calls()
    with pytest.raises(RefusedError, match="nothing was deleted.*half way"):
        deletion.begin(site.connection(), found)
    assert writes(site) == []


def test_a_database_that_stays_is_no_obstacle(site: Site):
    """What isn't deleted may be protected."""
    dev(site)
    text = (site.folder / "template.yaml").read_text("utf-8")
    (site.folder / "template.yaml").write_text(
        text.replace("DeletionPolicy: Snapshot", "DeletionPolicy: Retain"), "utf-8"
    )
    site.deploy()
    site.client("rds").modify_db_instance(
        DBInstanceIdentifier=site.aws.resources(NAME)["Database"], DeletionProtection=True
    )
    assert prepare(site).obstacles == ()


@pytest.mark.parametrize(
    ("retain", "why"), [("Topic", "whose deletion failed"), ("Nothing", "whose deletion failed")]
)
def test_retain_is_only_for_what_failed(site: Site, retain: str, why: str):
    """--retain leaves out what failed to go, and nothing else: AWS takes it only then."""
    site.deploy()
    with pytest.raises(RefusedError, match=why):
        prepare(site, retain)


# --- What is done ---


def test_a_deletion_says_what_stays(site: Site):
    """After the deletion, what stayed is named with its physical id, and it is there."""
    site.deploy()
    outcome, found = delete(site)
    assert outcome == executing.DONE
    assert found == Left((("Log", "AWS::Logs::LogGroup", "small-log"),), (), ())
    groups = site.client("logs").describe_log_groups(logGroupNamePrefix="small-log")["logGroups"]
    assert [one["logGroupName"] for one in groups] == ["small-log"]


def test_the_snapshot_of_a_database_is_named(site: Site):
    """A database's last snapshot is named, so that somebody finds it."""
    dev(site)
    site.deploy()
    database = site.aws.resources(NAME)["Database"]
    outcome, found = delete(site)
    assert outcome == executing.DONE
    ((logical_id, snapshot),) = found.snapshots
    assert logical_id == "Database"
    (there,) = site.client("rds").describe_db_snapshots(DBSnapshotIdentifier=snapshot)["DBSnapshots"]
    assert there["DBInstanceIdentifier"] == database


def test_nothing_is_forced(site: Site):
    """The deletion is asked for by the stack's id, once, with a token, and never by force."""
    site.deploy()
    site.aws.forget_calls()
    prepared = prepare(site)
    delete(site)
    (told,) = [parameters for name, parameters in site.aws.calls() if name == "cloudformation:DeleteStack"]
    assert told["StackName"] == prepared.stack.id
    assert told["ClientRequestToken"].startswith("cloakform-")
    assert "DeletionMode" not in told and not any(key.startswith("RetainResources") for key in told)


def test_a_stack_whose_creation_failed_is_deleted(site: Site):
    """What can't be updated can be deleted: a stack that was rolled back, and one that is only a change
    set."""
    site.aws.fail("Topic", "CREATE", "no topics today", times=1)
    site.client("cloudformation").create_stack(StackName=NAME, TemplateBody=site.target.template)
    assert site.aws.settled(NAME) == "ROLLBACK_COMPLETE"
    assert delete(site)[0] == executing.DONE
    site.client("cloudformation").create_change_set(
        StackName=NAME, ChangeSetName="one", ChangeSetType="CREATE", TemplateBody=site.target.template
    )
    assert site.aws.settled(NAME) == "REVIEW_IN_PROGRESS"
    assert prepare(site).parts == ()
    assert delete(site)[0] == executing.DONE


def test_what_can_not_be_deleted_may_be_left_the_second_time(site: Site):
    """A resource that AWS can't delete is named with its reason; with --retain the rest goes and it stays."""
    site.deploy()
    queue = site.aws.resources(NAME)["Queue"]
    site.aws.fail("Queue", "DELETE", "the queue is in use")
    outcome, found = delete(site)
    assert outcome == executing.STUCK
    assert found.failed == (("Queue", queue, "the queue is in use"),)
    with pytest.raises(RefusedError, match=r"takes what failed to be deleted \(Queue\), not Topic"):
        prepare(site, "Topic")
    assert [one.logical_id for one in prepare(site, "Queue").stays] == ["Queue"]
    outcome, found = delete(site, "Queue")
    assert outcome == executing.DONE
    assert [(one, physical) for one, _, physical in found.kept] == [("Queue", queue)]
    assert site.client("sqs").get_queue_attributes(QueueUrl=queue, AttributeNames=["QueueArn"])["Attributes"]
