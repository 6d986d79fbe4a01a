"""How a deployed environment is, what happened to it, what it gives."""

from __future__ import annotations

import json

import pytest

from generator.aws import Connection
from generator.deploying import operating
from generator.deploying.events import STACK, Event
from generator.deploying.operating import Telling
from generator.deploying.target import DeployError
from generator.errors import AwsError
from generator.sandbox import faults
from tests.deploying.deployed import SMALL, Site, dev, run, site  # noqa: F401
from tests.deploying.deployed import STACK as NAME


def status(site: Site, connection: Connection | None = None) -> operating.Status:
    return operating.status(connection or site.connection(), site.target)


# --- Status ---


def test_what_is_not_there_is_not_deployed(site: Site):
    """An environment without a stack is said to be none, and nothing else is asked."""
    found = status(site)
    assert (found.condition, found.status, found.deployed) == (operating.ABSENT, "", operating.NOT_DEPLOYED)
    assert found.changed == 0 and found.services == ()


def test_what_is_deployed_as_rendered(site: Site):
    """What is deployed is compared with what is rendered: text, parameters, tags."""
    site.deploy()
    found = status(site)
    assert (found.condition, found.status, found.words) == (operating.RESTS, "CREATE_COMPLETE", "created")
    assert (found.deployed, found.differing) == (operating.AS_RENDERED, ())
    assert found.changed > 0


@pytest.mark.parametrize(
    ("file", "text", "differing"),
    [
        ("template.yaml", SMALL.replace("before", "after"), ("template",)),
        (
            "parameters.json",
            json.dumps([{"ParameterKey": "Words", "ParameterValue": "others"}]),
            ("parameters",),
        ),
        ("tags.json", "[]", ("tags",)),
    ],
)
def test_what_differs_is_named(site: Site, file: str, text: str, differing: tuple[str, ...]):
    """What isn't deployed as it is rendered is said by its kind."""
    site.deploy()
    (site.folder / file).write_text(text, "utf-8")
    found = status(site)
    assert (found.deployed, found.differing) == (operating.DIFFERS, differing)


def test_a_hidden_parameter_is_no_difference(site: Site):
    """Of a NoEcho parameter AWS tells stars only, so nothing can be said of it, and nothing is."""
    secret = [{"ParameterKey": "Secret", "ParameterValue": "another-secret"}]
    (site.folder / "parameters.json").write_text(json.dumps(secret), "utf-8")
    site.deploy()
    assert status(site).deployed == operating.AS_RENDERED


def test_service_tasks_and_database(site: Site):
    """Of a whole environment: wanted, running and healthy tasks, targets by state, the rollout, the
    database."""
    dev(site)
    site.deploy()
    site.aws.say({}, {"10.0.0.1": "healthy", "10.0.0.2": ["draining", "Target.DeregistrationInProgress", ""]})
    found = status(site)
    (service,) = found.services
    assert (service.logical_id, service.active, service.wanted, service.running) == ("Service", True, 2, 2)
    assert (service.healthy, service.rollout) == (2, "COMPLETED")
    assert service.targets == (("TargetGroup", (("draining", 1), ("healthy", 1))),)
    assert found.databases == (operating.Database("Database", "available"),)
    assert found.notes == ()


def test_an_unhealthy_task_isnt_counted_as_healthy(site: Site):
    """A task that runs and isn't healthy counts as running only."""
    dev(site)
    site.deploy()
    ecs = site.client("ecs")
    cluster = site.aws.resources(NAME)["Cluster"]
    first, *_ = ecs.list_tasks(cluster=cluster)["taskArns"]
    ecs.close()
    site.aws.say({first.rsplit("/", 1)[-1]: {"healthStatus": "UNHEALTHY"}}, {})
    (service,) = status(site).services
    assert (service.running, service.healthy) == (2, 1)


def test_a_part_that_may_not_be_asked_is_a_note(site: Site):
    """Who may see the stack and not its database is told so, and gets the rest."""
    dev(site)
    site.deploy()
    denied = faults.refused("rds", "DescribeDBInstances", "AccessDenied", "you may not", status=403)
    with site.aws_faults(denied) as proxy:
        found = status(site, site.connection(proxy.url))
    assert found.databases == ()
    assert len(found.services) == 1
    assert [note.split(":")[0] for note in found.notes] == ["Database"]
    assert "AccessDenied" in found.notes[0]


def test_a_stack_that_may_not_be_asked_for_is_an_error(site: Site):
    """Who may not see the stack gets what AWS says."""
    denied = faults.refused("cloudformation", "DescribeStacks", "AccessDenied", "you may not", status=403)
    with site.aws_faults(denied) as proxy, pytest.raises(AwsError, match="AccessDenied: you may not"):
        status(site, site.connection(proxy.url))


def test_a_stuck_stack_has_a_way_out(site: Site):
    """A stack that needs a person says which command frees it."""
    site.deploy()
    site.aws.set_status(
        NAME, "UPDATE_ROLLBACK_FAILED", "The following resource(s) failed to update: [Topic]."
    )
    found = status(site)
    assert (found.condition, found.reason) == (
        operating.STUCK,
        "The following resource(s) failed to update: [Topic].",
    )
    assert "cloakform deploy test --continue-rollback" in found.way_out


def test_a_stack_that_was_never_made_can_only_be_deleted(site: Site):
    """A stack whose creation failed isn't deployed, and says so."""
    site.aws.fail("Topic", "CREATE", "no topics today")
    site.client("cloudformation").create_stack(StackName=NAME, TemplateBody=SMALL)
    assert site.aws.settled(NAME) == "ROLLBACK_COMPLETE"
    found = status(site)
    assert (found.condition, found.deployed) == (operating.UNMADE, operating.NOT_DEPLOYED)
    assert found.words == "its creation failed and was undone"


def test_a_busy_stack_says_what_aws_works_on(site: Site):
    """While something goes on, it is said with what AWS is at."""
    held = site.aws.hold("Topic", "CREATE")
    site.client("cloudformation").create_stack(StackName=NAME, TemplateBody=SMALL)
    held.reached()
    found = status(site)
    assert (found.condition, found.words) == (operating.BUSY, "being created")
    assert ("Topic", "creating") in [(one.logical_id, one.doing) for one in found.working]
    held.take_back()
    site.aws.settled(NAME)


def test_protection_as_it_is_and_as_it_is_to_be(site: Site):
    """Termination protection that somebody turned off is seen beside what is rendered."""
    site.deploy()
    site.set(termination_protection=True)
    found = status(site)
    assert (found.protected, found.protection_wanted) == (False, True)


def test_every_status_of_cloudformations_has_words():
    """No status that AWS may give a stack is left as a code."""
    import botocore.session

    model = botocore.session.get_session().get_service_model("cloudformation")
    for one in model.shape_for("StackStatus").enum:
        assert operating.words(one) != one, one
    assert operating.words("SOMETHING_NEW") == "SOMETHING_NEW"


# --- Events ---


def about(number: int, logical_id: str, status: str, reason: str = "") -> Event:
    whole = logical_id == "stack"
    return Event(
        str(number),
        float(number),
        logical_id,
        "",
        STACK if whole else "AWS::SNS::Topic",
        status,
        reason,
        about_stack=whole,
    )


CREATION = [
    about(1, "stack", "REVIEW_IN_PROGRESS"),
    about(100, "stack", "CREATE_IN_PROGRESS"),
    about(101, "Topic", "CREATE_IN_PROGRESS"),
    about(104, "Topic", "CREATE_COMPLETE"),
    about(110, "stack", "CREATE_COMPLETE"),
]
UPDATE = [
    about(200, "stack", "UPDATE_IN_PROGRESS"),
    about(201, "Topic", "UPDATE_IN_PROGRESS"),
    about(202, "Topic", "UPDATE_FAILED", "no"),
    about(203, "stack", "UPDATE_ROLLBACK_IN_PROGRESS"),
    about(204, "stack", "UPDATE_ROLLBACK_FAILED"),
]
CONTINUED = [
    about(300, "stack", "UPDATE_ROLLBACK_IN_PROGRESS"),
    about(301, "stack", "UPDATE_ROLLBACK_COMPLETE"),
]


def test_events_belong_to_operations():
    """A creation begins with its review, a rollback belongs to what it undoes, and one that was continued
    stands alone."""
    assert operating.operations(CREATION + UPDATE + CONTINUED) == [CREATION, UPDATE, CONTINUED]
    assert operating.newest(CREATION + UPDATE) == UPDATE
    assert operating.operations([]) == [] and operating.newest([]) == []


def test_events_whose_beginning_aws_has_forgotten_are_kept():
    """After 90 days AWS forgets events; what is left is still told."""
    assert operating.operations(CREATION[3:] + UPDATE) == [CREATION[3:], UPDATE]


def test_durations_from_the_beginning_of_each_step():
    """What ends something says how long it took; a creation isn't as long as its review waited."""
    told = {(one.event.logical_id, one.event.status): one.took for one in Telling().tell(CREATION + UPDATE)}
    assert told["Topic", "CREATE_COMPLETE"] == 3.0
    assert told["stack", "CREATE_COMPLETE"] == 10.0
    assert told["Topic", "UPDATE_FAILED"] == 1.0
    assert told["stack", "UPDATE_ROLLBACK_FAILED"] == 4.0
    assert told["Topic", "CREATE_IN_PROGRESS"] is None


def test_durations_across_looks():
    """Events that come in one by one have the same durations."""
    telling = Telling()
    one_by_one = [told.took for event in CREATION for told in telling.tell([event])]
    assert one_by_one == [told.took for told in Telling().tell(CREATION)]


def test_a_deleted_stack_is_found(site: Site):
    """What happened to a stack that is gone can still be asked."""
    site.deploy()
    before = operating.existing(site.connection(), site.target)
    site.client("cloudformation").delete_stack(StackName=NAME)
    assert site.aws.settled(before.id) == "DELETE_COMPLETE"
    found = operating.find(site.connection(), site.target)
    assert (found.id, found.status) == (before.id, "DELETE_COMPLETE")
    with pytest.raises(DeployError, match="cloakform deploy test"):
        operating.existing(site.connection(), site.target)


def test_a_stack_that_never_was_isnt_found(site: Site):
    """Where there never was one, the line says how to make it."""
    with pytest.raises(DeployError, match="there is no stack keycloak-test.*cloakform deploy test"):
        operating.find(site.connection(), site.target)


# --- Outputs ---


def test_outputs_with_their_descriptions(site: Site):
    """Outputs are given as AWS has them."""
    site.deploy()
    stack, found = operating.outputs(site.connection(), site.target)
    assert stack.name == NAME
    told = {one.key: one for one in found}
    assert (told["Url"].value, told["Url"].description) == ("https://sso.example.com/", "Public address")
    assert told["Name"].value == "plain"


def test_an_output_that_is_made_from_a_secret_is_hidden(site: Site):
    """CloudFormation shows what is made from a NoEcho parameter; this program doesn't, and says why."""
    secret = [{"ParameterKey": "Secret", "ParameterValue": "correct-horse"}]
    (site.folder / "parameters.json").write_text(json.dumps(secret), "utf-8")
    site.deploy()
    (there,) = site.client("cloudformation").describe_stacks(StackName=NAME)["Stacks"]
    assert "correct-horse" in json.dumps(there["Outputs"])
    _, found = operating.outputs(site.connection(), site.target)
    (login,) = [one for one in found if one.key == "Login"]
    assert login.value == operating.HIDDEN and "NoEcho parameter Secret" in login.hidden
    assert not any("correct-horse" in str(one) for one in found)


def test_what_names_a_secret_isnt_hidden(site: Site):
    """Where a secret is, is no secret: ARNs are shown."""
    dev(site)
    site.deploy()
    _, found = operating.outputs(site.connection(), site.target)
    told = {one.key: one for one in found}
    assert told["DatabaseSecretArn"].value.startswith("arn:aws:secretsmanager:")
    assert [one.key for one in found if one.hidden] == []
