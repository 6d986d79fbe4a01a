"""Why a deployment failed is told on one screen: the first real cause, what only followed, what stands
behind it, and what to do; whatever AWS refuses to answer, and without a secret."""

from __future__ import annotations

import json
import re
from dataclasses import replace

import pytest

from generator.aws import Connection
from generator.deploying import causes, diagnosis, events, investigating, masking, report, stacks
from generator.deploying.causes import EXIT, LOG, TARGET, TASK
from generator.deploying.diagnosis import Diagnosis
from generator.deploying.events import STACK, Event
from generator.deploying.stacks import Stack
from generator.deploying.target import Target
from generator.deploying.tasks import ContainerEnd, TaskEnd
from generator.errors import AwsError
from generator.sandbox.local_aws import REGION, LocalAws, Validation
from tests.cases import PROJECT
from tests.deploying.deploying import EMPTY as ACCOUNT
from tests.deploying.recording import Refusing, Stream

SECRET = "hunter22-and-more"
LITERAL = "s3cr3t-in-the-template"
CHANGE_SET = (
    f"arn:aws:cloudformation:{REGION}:{ACCOUNT}:changeSet/cloakform-1/00000000-0000-4000-8000-000000000001"
)
TEMPLATE = f"""\
Parameters:
  Password: {{Type: String, NoEcho: true, Default: {SECRET}}}
  Size: {{Type: String, Default: small-and-public}}
Resources:
  Cluster: {{Type: AWS::ECS::Cluster}}
  LogGroup: {{Type: AWS::Logs::LogGroup, Properties: {{RetentionInDays: 1}}}}
  Topic: {{Type: AWS::SNS::Topic, DependsOn: LogGroup}}
  TaskDefinition:
    Type: AWS::ECS::TaskDefinition
    Properties:
      Family: keycloak
      RequiresCompatibilities: [FARGATE]
      NetworkMode: awsvpc
      Cpu: "512"
      Memory: "1024"
      ContainerDefinitions:
        - Name: keycloak
          Image: quay.io/keycloak/keycloak:26.7.4
          Environment: [{{Name: KC_DB_PASSWORD, Value: {LITERAL}}}, {{Name: KC_HTTP_ENABLED, Value: "true"}}]
          LogConfiguration:
            LogDriver: awslogs
            Options: {{awslogs-group: !Ref LogGroup, awslogs-region: {REGION}, awslogs-stream-prefix: kc}}
  Service:
    Type: AWS::ECS::Service
    Properties:
      Cluster: !Ref Cluster
      TaskDefinition: !Ref TaskDefinition
      DesiredCount: 2
      LaunchType: FARGATE
      NetworkConfiguration: {{AwsvpcConfiguration: {{Subnets: [subnet-1]}}}}
  Database: {{Type: "AWS::RDS::DBInstance", Properties: {{DBInstanceClass: db.t4g.micro, Engine: postgres,
    AllocatedStorage: "20", MasterUsername: keycloak, MasterUserPassword: !Ref Password}}}}
"""


def target(template: str = TEMPLATE, stack: str = "keycloak-prod", **parameters: str) -> Target:
    return Target(
        "prod", ACCOUNT, REGION, stack, template, {}, parameters, (), False, None, None, None, (), {}
    )


def line(text: str) -> int:
    return next(number for number, one in enumerate(TEMPLATE.splitlines(), 1) if text in one)


def diagnosed(name: str, connection: type[Stream] = Stream) -> Diagnosis:
    stream = connection(name)
    return diagnosis.diagnose(stream, stream.stack, stream.events, target())


def text(found: Diagnosis) -> str:
    return "\n".join(line for _, line in report.text_lines(found))


def event(
    after: float, logical_id: str, status: str, reason: str = "", type: str = "AWS::SNS::Topic", **more
) -> Event:
    return Event(f"{logical_id}-{status}-{after}", 1e9 + after, logical_id, "", type, status, reason, **more)


def about_stack(after: float, status: str, reason: str = "") -> Event:
    return event(after, "keycloak-prod", status, reason, STACK, about_stack=True)


def stack(status: str, reason: str = "", protected: bool = False) -> Stack:
    return Stack(
        f"arn:aws:cloudformation:{REGION}:{ACCOUNT}:stack/keycloak-prod/1",
        "keycloak-prod",
        status,
        reason,
        1e9,
        1e9,
        protected,
        None,
        {},
        {},
        (),
    )


def read(status: str, *told: Event, **parameters: str) -> Diagnosis:
    return diagnosis.read(stack(status), told, target(**parameters))


# --- The first real cause ---


def test_the_cause_is_in_the_older_of_two_operations():
    """After a rollback the deployment's own failure is told, not that the rollback went well; what only
    followed is folded, also where its event comes after the rollback began."""
    found = diagnosed("two_operations")
    assert [one.logical_id for one in found.causes] == ["Service"]
    assert (found.phase, found.followed, found.rollback) == ("update", ("Database",), ())
    assert (
        found.causes[0].reason
        == "Error occurred during operation 'ECS Deployment Circuit Breaker was triggered'."
    )
    assert found.causes[0].code == "GeneralServiceException"
    assert found.causes[0].line == line("  Service:")
    assert (found.stuck, found.exit_code, found.commands, found.notes) == (False, 4, (), ())


def test_followers_that_are_told_first():
    """CloudFormation tells of cancelled resources before the one that failed; the cause is that one all
    the same."""
    found = diagnosed("cancelled")
    assert [one.logical_id for one in found.causes] == ["NatAddressA"]
    assert found.causes[0].reason == "The maximum number of addresses has been reached."
    assert found.causes[0].code == "AddressLimitExceeded"
    assert found.followed == ("PublicSubnetA", "PublicSubnetB", "PublicRouteTable", "Cluster")
    assert found.kept == ("LogGroup",)
    assert "4 resources only followed: PublicSubnetA" in text(found)


def test_two_failures_of_their_own():
    """Two resources that fail independently are both told, the first as the cause, each with its advice."""
    found = diagnosed("certificate")
    assert [one.logical_id for one in found.causes] == ["Certificate", "Database"]
    told = text(found)
    assert told.index("Failed as well: Database") < told.index("Cause: Certificate")
    assert "write the records into the domain's public zone" in told
    assert "RDS has no postgres 17.2" in told


def test_nobody_has_a_reason_of_its_own():
    """Where somebody cancelled the update no resource is blamed."""
    found = diagnosed("cancelled_by_user")
    assert [(one.logical_id, one.reason) for one in found.causes] == [("keycloak-prod", "User Initiated")]
    assert found.followed == ("Service",)
    assert found.advice[0].say == "somebody cancelled the update"


def test_only_the_last_attempt_counts():
    """What failed in last week's attempt isn't why today's failed."""
    found = read(
        "UPDATE_ROLLBACK_COMPLETE",
        about_stack(0, "UPDATE_IN_PROGRESS"),
        event(1, "Old", "UPDATE_FAILED", "last week's"),
        about_stack(2, "UPDATE_ROLLBACK_IN_PROGRESS", "The following resource(s) failed to update: [Old]. "),
        about_stack(3, "UPDATE_ROLLBACK_COMPLETE"),
        about_stack(9, "UPDATE_IN_PROGRESS"),
        event(10, "New", "UPDATE_FAILED", "today's"),
        about_stack(11, "UPDATE_ROLLBACK_IN_PROGRESS"),
        about_stack(12, "UPDATE_ROLLBACK_COMPLETE"),
    )
    assert [one.logical_id for one in found.causes] == ["New"]


def test_without_ids_of_operations():
    """Where AWS gives no ids of operations, what comes after the rollback began is the rollback's."""
    found = read(
        "UPDATE_ROLLBACK_FAILED",
        about_stack(0, "UPDATE_IN_PROGRESS"),
        event(1, "First", "UPDATE_FAILED", "the cause"),
        about_stack(2, "UPDATE_ROLLBACK_IN_PROGRESS"),
        event(3, "Second", "UPDATE_FAILED", "can't go back"),
        about_stack(4, "UPDATE_ROLLBACK_FAILED"),
    )
    assert [one.logical_id for one in found.causes] == ["First"]
    assert [one.logical_id for one in found.rollback] == ["Second"]


def test_a_rollback_that_was_continued_and_failed_again():
    """After `--continue-rollback` there is no deployment in the events: what holds the rollback is the
    cause."""
    found = read(
        "UPDATE_ROLLBACK_FAILED",
        about_stack(0, "UPDATE_ROLLBACK_IN_PROGRESS"),
        event(1, "Topic", "UPDATE_FAILED", "still can't go back"),
        about_stack(2, "UPDATE_ROLLBACK_FAILED", "The following resource(s) failed to update: [Topic]. "),
    )
    assert found.phase == "rollback" and found.causes == ()
    told = text(found)
    assert "Cause: Topic (AWS::SNS::Topic) couldn't be put back" in told
    assert told.count("still can't go back") == 1


def test_what_could_not_be_cleaned_up():
    """A resource that an update couldn't delete at its end is told as left behind: it is not why anything
    failed."""
    found = read(
        "UPDATE_COMPLETE",
        about_stack(0, "UPDATE_IN_PROGRESS"),
        about_stack(1, "UPDATE_COMPLETE_CLEANUP_IN_PROGRESS"),
        event(2, "Topic", "DELETE_FAILED", "resource sg-1 has a dependent object"),
        about_stack(3, "UPDATE_COMPLETE"),
    )
    assert found.causes == () and [one.logical_id for one in found.left] == ["Topic"]
    assert "left behind: Topic" in text(found)


def test_an_empty_stream_has_no_cause():
    """Without any event there is a screen all the same."""
    found = read("ROLLBACK_COMPLETE")
    assert "AWS gives no reason" in text(found)
    assert "AWS gives no reason" in report.markdown(found)
    assert report.as_data(found)["causes"] == []


@pytest.mark.parametrize(
    ("raw", "told", "code"),
    [
        (
            'Resource handler returned message: "No such thing (Service: Ecs, Status Code: 400, Request ID: '
            '1-2) (SDK Attempt Count: 1)" (RequestToken: 94, HandlerErrorCode: InvalidRequest)',
            "No such thing",
            "InvalidRequest",
        ),
        (
            "It is full. (Service: AmazonRDS; Status Code: 400; Error Code: StorageQuotaExceeded; Request "
            "ID: 1; Proxy: null)",
            "It is full.",
            "StorageQuotaExceeded",
        ),
        (
            "Resource timed out (RequestToken: 5c, HandlerErrorCode: NotStabilized)",
            "Resource timed out",
            "NotStabilized",
        ),
        ("keycloak already exists in stack arn:aws:x", "keycloak already exists in stack arn:aws:x", ""),
        ("(Service: Ecs, Status Code: 500)", "(Service: Ecs, Status Code: 500)", ""),
    ],
)
def test_reasons_without_request_ids(raw, told, code):
    """What a handler wraps around a message is taken off, and its code is kept."""
    assert diagnosis.reduced(raw) == (told, code)


# --- Nested stacks, hooks, validation ---


def test_the_cause_inside_a_nested_stack():
    """A nested stack's own events are read for the cause, although the rollback has deleted it."""
    found = diagnosed("nested")
    assert [one.name for one in found.causes] == ["NetworkStack/Vpc"]
    assert "The maximum number of VPCs" in found.causes[0].reason
    assert "Embedded stack" not in text(found)


def test_a_nested_resource_is_skipped_by_its_stacks_name():
    """ResourcesToSkip wants the nested stack's name, which isn't its logical id."""
    found = diagnosed("nested_rollback_failed")
    assert [one.name for one in found.rollback] == ["NetworkStack/Vpc"]
    skipped = "keycloak-prod-NetworkStack-6LV2DJOIC9I8.Vpc"
    assert found.commands[1].line == f"cloakform deploy prod --continue-rollback --skip {skipped}"
    assert found.commands[1].aws.endswith(f"--resources-to-skip {skipped}")


def test_a_nested_stack_that_may_not_be_read():
    """Without the permission to read it, the nested stack itself is the cause."""
    found = diagnosed("nested", Refusing)
    assert [one.logical_id for one in found.causes] == ["NetworkStack"]
    assert len(found.notes) == 1 and "AccessDenied" in found.notes[0]


def test_a_hook_says_why():
    """The event of a hook's refusal has no reason; the hook's own is told, and one that only warned isn't."""
    found = diagnosed("hook")
    assert "AWS_S3_Bucket_AccessControl" in report.because(found)[0]
    assert "TagHook" not in text(found)


def test_early_validation():
    """The reason of a change set that early validation refused says only where to ask: each finding is
    told with its line, and warnings aren't."""
    reason = "The following hook(s)/validation failed: [AWS::EarlyValidation::PropertyValidation]…"
    found = diagnosis.refused(Stream("early_validation"), target(), CHANGE_SET, reason)
    assert [one.logical_id for one in found.causes] == ["LogGroup", "Service", "Service"]
    assert found.causes[0].line == line("  LogGroup:")
    assert found.causes[1].line == next(
        number
        for number, one in enumerate(TEMPLATE.splitlines(), 1)
        if number > line("  Service:") and "Prop" in one
    )
    told = text(found)
    assert "nothing was changed" in told and "already exists" in told and "[TaskDefinition] not found" in told
    assert "quota" not in told and found.exit_code == 4


def test_a_change_set_whose_validation_may_not_be_asked():
    """Without the permission to ask for more, the change set's own reason is told."""
    reason = "The following hook(s)/validation failed: [AWS::EarlyValidation::PropertyValidation]."
    found = diagnosis.refused(Refusing("early_validation"), target(), CHANGE_SET, reason)
    assert [one.reason for one in found.causes] == [reason] and len(found.notes) == 1


def test_another_reason_of_a_change_set_asks_nothing():
    """A change set that is refused for something else has its reason already."""
    connection = Refusing("early_validation")
    found = diagnosis.refused(
        connection, target(), CHANGE_SET, "Requires capabilities : [CAPABILITY_NAMED_IAM]"
    )
    assert connection.asked == [] and found.advice[0].say.startswith("the template makes IAM roles")


# --- What stands behind it ---


def test_tasks_and_targets_explain_a_service():
    """Behind the circuit breaker stand the tasks, and behind them the health check; ECS' own taking away
    of tasks doesn't count."""
    found = diagnosed("two_operations")
    because = report.because(found)
    assert because[0].startswith("3 tasks stopped for the same reason, the last one after")
    assert "[404]" in because[1]
    assert found.advice[-1].say == "Keycloak answers the health check, but not with 200"
    kinds = {one.kind: one for one in found.evidence}
    assert kinds["targets"].heading == "Health in the target group keycl-Targe-1ABC: 1 healthy, 1 not"
    # A task that ECS asked to stop said nothing about why.
    assert kinds["log"].telling == ""


def test_what_the_watcher_saw_survives_the_rollback():
    """Tasks, their log and what the service said are told although the rollback has deleted the service."""
    end = TaskEnd(
        "0a1b2c3d4e",
        "Service",
        "keycloak:1",
        1e9 + 5,
        42.0,
        "EssentialContainerExited",
        "Essential container in task exited",
        (ContainerEnd("keycloak", 1, ""),),
        ("INFO starting", 'ERROR FATAL: password authentication failed for user "keycloak"'),
        'FATAL: password authentication failed for user "keycloak"',
        (f"(service keycloak) was unable to place a task. Reason: Capacity is unavailable. {SECRET}",),
    )
    told = [
        about_stack(0, "CREATE_IN_PROGRESS"),
        replace(
            event(
                9,
                "Service",
                "CREATE_FAILED",
                "Resource timed out waiting for completion",
                "AWS::ECS::Service",
            ),
            physical_id=f"arn:aws:ecs:{REGION}:{ACCOUNT}:service/there/keycloak",
        ),
        about_stack(10, "ROLLBACK_IN_PROGRESS"),
        about_stack(11, "ROLLBACK_COMPLETE"),
    ]
    found = diagnosis.diagnose(
        Refusing("cancelled"), stack("ROLLBACK_COMPLETE"), told, target(), [end, replace(end, task="f")]
    )
    assert report.because(found) == (
        "2 tasks stopped for the same reason, the last one after 42 s: Essential container in task exited; "
        "keycloak exited with 1 (an error)",
        'FATAL: password authentication failed for user "keycloak"',
    )
    assert found.advice[0].say == "the database refuses the user or its password"
    assert "Capacity is unavailable. [hidden]" in text(found)
    assert found.notes == ("service Service: ecs:describe_services: AccessDenied: not allowed",)


def test_what_the_template_proves():
    """Where tasks fail health checks, a fault that the template itself proves is named with its line."""
    template = (PROJECT / "rendered" / "dev" / "template.yaml").read_text("utf-8")
    broken = template.replace("HealthCheckPath: /health/ready", "HealthCheckPath: /healthy", 1)
    broken = broken.replace('"/health/ready"', '"/health/readily"', 1) if broken == template else broken
    assert broken != template
    unwell = TaskEnd(
        "0a1b",
        "Service",
        "k:1",
        1e9,
        90.0,
        "ServiceSchedulerInitiated",
        "Task failed ELB health checks in (x)",
        (),
    )
    told = [
        about_stack(0, "CREATE_IN_PROGRESS"),
        event(9, "Service", "CREATE_FAILED", "did not stabilize", "AWS::ECS::Service"),
    ]
    status = stack("ROLLBACK_COMPLETE")
    whole = diagnosis.diagnose(Refusing("cancelled"), status, told, target(template), [unwell])
    assert not any(one.kind == "template" for one in whole.evidence)
    found = diagnosis.diagnose(Refusing("cancelled"), status, told, target(broken), [unwell])
    proved = [one for one in found.evidence if one.kind == "template"]
    assert len(proved) == 1 and "Keycloak answers on" in proved[0].lines[0]
    assert re.search(r"rendered/prod/template\.yaml:\d+", proved[0].lines[0])


def test_what_holds_a_security_group():
    """A security group that can't be deleted is told with what uses it, and not with itself."""
    found = diagnosed("delete_failed")
    lines = next(one.lines for one in found.evidence if one.kind == "holders")
    assert lines == (
        "network interface eni-0aa (in-use): AWS Lambda VPC ENI-report-0f",
        "a rule of the security group sg-0ff (bastion)",
    )


def test_records_that_nobody_wrote():
    """A certificate that is gone with the rollback is still told with the record that was waited for."""
    found = diagnosed("certificate")
    told = text(found)
    assert "_a79865eb4cd1a6ab990a45779b4e0b96.sso.example.com" in told
    assert "postgres in eu-central-1: 17.4, 17.5" in told and "18.1" not in told


@pytest.mark.parametrize(
    "name",
    ["two_operations", "rollback_failed", "cancelled", "nested", "hook", "delete_failed", "certificate"],
)
def test_without_any_permission_to_ask(name):
    """Where AWS answers nothing but the events, the cause and the exit code are the same, and what
    couldn't be asked is noted once each."""
    found, blind = diagnosed(name), diagnosed(name, Refusing)
    assert blind.exit_code == found.exit_code and blind.status == found.status
    assert [one.logical_id for one in blind.causes][-1:] in (
        [one.logical_id for one in found.causes][-1:],
        ["NetworkStack"],
    )
    assert len(set(blind.notes)) == len(blind.notes)
    assert text(blind) and report.markdown(blind)


class Odd(Stream):
    """Answers that have no shape that anybody knows."""

    def ask(self, service, operation, /, **arguments):
        if service in ("cloudformation", "sts"):
            return super().ask(service, operation, **arguments)
        return {
            "services": [{"deployments": 7}],
            "Events": 3,
            "NetworkInterfaces": [None],
            "Certificate": "?",
        }


@pytest.mark.parametrize("name", ["two_operations", "rollback_failed", "delete_failed", "certificate"])
def test_answers_of_another_shape(name):
    """An answer that can't be read is a note, never a traceback over the failure that is to be told."""
    found = diagnosed(name, Odd)
    assert found.causes and any("can't be read" in note for note in found.notes)


def test_time_that_is_used_up(monkeypatch):
    """When asking has taken a minute, what is left isn't asked any more, and that is noted."""
    monkeypatch.setattr(investigating, "ALL", 0.0)
    found = diagnosed("two_operations")
    assert found.causes[0].logical_id == "Service" and found.evidence == ()
    assert "not asked any more" in found.notes[0]


# --- Stuck stacks ---


def test_a_stack_that_is_stuck():
    """A rollback that failed ends with 5, with what holds it and the commands that free it, in both forms;
    what was only cancelled needs no skipping."""
    found = diagnosed("rollback_failed")
    assert (found.stuck, found.exit_code) == (True, 5)
    assert [one.logical_id for one in found.causes] == ["Database"]
    assert [one.logical_id for one in found.rollback] == ["TaskSecurityGroup"]
    assert [one.line for one in found.commands] == [
        "cloakform deploy prod --continue-rollback",
        "cloakform deploy prod --continue-rollback --skip TaskSecurityGroup",
    ]
    assert found.commands[1].aws == (
        f"aws cloudformation continue-update-rollback --stack-name keycloak-prod --region {REGION} "
        "--resources-to-skip TaskSecurityGroup"
    )
    assert "ec2:RevokeSecurityGroupEgress" in found.advice[0].do + found.advice[0].say
    assert "How the stack gets free" in text(found)


@pytest.mark.parametrize(
    ("status", "code", "piece"),
    [
        ("ROLLBACK_COMPLETE", 4, "cloakform deploy prod"),
        ("ROLLBACK_FAILED", 5, "delete-stack"),
        ("CREATE_FAILED", 5, "delete-stack"),
        ("UPDATE_ROLLBACK_COMPLETE", 4, ""),
        ("UPDATE_ROLLBACK_FAILED", 5, "continue-update-rollback"),
        ("UPDATE_FAILED", 5, "rollback-stack"),
        ("DELETE_FAILED", 5, "--retain-resources Topic"),
        ("IMPORT_ROLLBACK_FAILED", 5, "AWS Support"),
        ("IMPORT_ROLLBACK_COMPLETE", 4, ""),
    ],
)
def test_every_state_and_its_way_on(status, code, piece):
    """Each state that a stack can end in has its exit code, a sentence, and a way on where it needs one."""
    found = read(status, about_stack(0, "UPDATE_IN_PROGRESS"), event(1, "Topic", "UPDATE_FAILED", "no"))
    assert found.exit_code == code
    ways = " ".join(f"{one.say} {one.line} {one.aws}" for one in found.commands)
    assert piece in ways if piece else not ways
    assert status not in found.outcome and found.outcome in text(found)


def test_a_protected_stack_is_unlocked_first():
    """A stack that is protected against deletion can only be deleted when that is lifted: the command for
    it comes first."""
    failed = event(1, "Topic", "DELETE_FAILED", "no")
    told = (about_stack(0, "DELETE_IN_PROGRESS"), failed)
    found = diagnosis.read(stack("DELETE_FAILED", protected=True), told, target())
    assert "--no-enable-termination-protection" in found.commands[0].aws
    assert not any(
        "termination" in one.aws for one in diagnosis.read(stack("DELETE_FAILED"), told, target()).commands
    )


# --- Secrets and what could deceive ---


def test_secrets_are_nowhere():
    """Values of NoEcho parameters, secrets that the template spells out, and what looks like a password
    are in no form of a diagnosis."""
    reason = f"can't log in with {SECRET} or {LITERAL}, not even with other-given-value; db_password=abcdefgh"
    found = read(
        "ROLLBACK_COMPLETE",
        about_stack(0, "CREATE_IN_PROGRESS"),
        event(1, "Topic", "CREATE_FAILED", reason),
        about_stack(2, "ROLLBACK_IN_PROGRESS"),
        Password="other-given-value",
        Size="small-and-public",
    )
    said = text(found) + report.markdown(found) + json.dumps(report.as_data(found)) + repr(found)
    for secret in (SECRET, LITERAL, "other-given-value", "abcdefgh"):
        assert secret not in said
    assert "[hidden]" in said


def test_what_is_no_secret_stays():
    """Values of other parameters are shown."""
    hidden = masking.of(target(Size="small-and-public"))
    assert hidden.hide("the size small-and-public") == "the size small-and-public"


@pytest.mark.parametrize(
    ("raw", "shown"),
    [
        ("KC_DB_PASSWORD=abc def", "KC_DB_PASSWORD=[hidden] def"),
        ('{"password": "a b c", "user": "x"}', '{"password": [hidden], "user": "x"}'),
        ("password: 'it is'", "password: [hidden]"),
        ("--db-password abc start", "--db-password [hidden] start"),
        ("jdbc:postgresql://me:abc@host/db", "jdbc:postgresql://me:[hidden]@host/db"),
        ("-Djavax.net.ssl.trustStorePassword=abc", "-Djavax.net.ssl.trustStorePassword=[hidden]"),
        ("token eyJhbGciOiJSUzI1NiJ9.eyJzdWIiOiIxIn0.sig", "token [hidden]"),
        ("key AKIAIOSFODNN7EXAMPLE", "key [hidden]"),
    ],
)
def test_what_looks_like_a_secret(raw, shown):
    """What a name or its shape calls a secret is hidden, whoever wrote it."""
    assert masking.Masking().hide(raw) == shown


@pytest.mark.parametrize(
    "raw",
    [
        'FATAL: password authentication failed for user "keycloak"',
        "arn:aws:secretsmanager:eu-central-1:111111111111:secret:Bootstrap-AbCdEf isn't there",
        "unable to pull secrets or registry auth: execution resource retrieval failed",
        "unable to retrieve secret from asm: ResourceNotFoundException: no such secret",
        "password: {{resolve:secretsmanager:x:SecretString:password}}",
        "Invalid value for option 'KC_DB_POOL_MAX_SIZE': Expected an integer value",
        "master user password: ${Password}",
    ],
)
def test_what_only_speaks_of_secrets_stays(raw):
    """Where a secret is, and that one is wrong, has to be read: it helps."""
    assert masking.Masking().hide(raw) == raw


def test_a_template_that_can_not_be_read_hides_every_parameter():
    """Without knowing which parameters are NoEcho, all of their values are hidden."""
    hidden = masking.of(target("{", Size="small-and-public"))
    assert hidden.hide("the size small-and-public") == "the size [hidden]"


def test_nothing_steers_the_terminal_or_the_page():
    """Control characters, markup and mentions in what AWS or a log says are shown, not obeyed."""
    reason = "\x1b[2Jgone <script>alert(1)</script> @everyone | `x` \u202eabc"
    found = read(
        "ROLLBACK_COMPLETE", about_stack(0, "CREATE_IN_PROGRESS"), event(1, "Topic", "CREATE_FAILED", reason)
    )
    shown = text(found)
    assert "\x1b" not in shown and "\\x1b[2Jgone" in shown and "\u202e" not in shown
    page = report.markdown(found)
    assert "<script>" not in page and "@everyone" not in page and "\x1b" not in page and "`x`" not in page
    assert json.loads(json.dumps(report.as_data(found)))["causes"][0]["reason"] == reason


# --- One screen ---


def test_one_screen():
    """However much failed and was said, a diagnosis takes about one screen, whose end is the cause and
    what to do."""
    told = [about_stack(0, "CREATE_IN_PROGRESS")]
    told += [
        event(1 + number, f"Topic{number}", "CREATE_FAILED", f"no, {number}: " + "x" * 3000)
        for number in range(30)
    ]
    told += [
        event(50, f"Other{number}", "CREATE_FAILED", "Resource creation cancelled") for number in range(200)
    ]
    told += [about_stack(60, "ROLLBACK_IN_PROGRESS")]
    told += [
        event(61, f"Gone{number}", "DELETE_FAILED", f"resource {number} has a dependent object")
        for number in range(30)
    ]
    told += [about_stack(70, "ROLLBACK_FAILED")]
    found = read("ROLLBACK_FAILED", *told)
    found = replace(
        found,
        evidence=tuple(
            diagnosis.Evidence(
                "Topic0", kind, f"What {kind} says", tuple(f"{kind} {number}" for number in range(50))
            )
            for kind in ("tasks", "log", "service", "targets", "database")
        ),
        notes=tuple(f"note {number}" for number in range(20)),
    )
    lines = list(report.text_lines(found))
    assert len(lines) <= report.SCREEN
    assert max(len(one) for _, one in lines) < 700
    shown = [one for _, one in lines]
    assert "… 49 more" in "\n".join(shown)
    assert any(one.startswith("  log 49") for one in shown) and any(
        one.startswith("  tasks 0") for one in shown
    )
    cause = next(number for number, one in enumerate(shown) if one.startswith("Cause: Topic0"))
    assert cause > max(number for number, one in enumerate(shown) if "only followed" in one)


def test_little_stays_little():
    """A simple failure takes a few lines, nothing of it folded."""
    found = read(
        "UPDATE_ROLLBACK_COMPLETE",
        about_stack(0, "UPDATE_IN_PROGRESS"),
        event(1, "Topic", "UPDATE_FAILED", "no"),
    )
    assert [one for _, one in report.text_lines(found)] == [
        "keycloak-prod: the update failed, and everything is as it was before (UPDATE_ROLLBACK_COMPLETE)",
        "",
        f"Cause: Topic (AWS::SNS::Topic) couldn't be updated, rendered/prod/template.yaml:{line('  Topic:')}",
        "  no",
    ]


@pytest.mark.parametrize("name", ["two_operations", "rollback_failed", "nested", "hook", "certificate"])
def test_the_forms_say_the_same(name):
    """Text, Markdown and JSON name the same cause and the same commands."""
    found = diagnosed(name)
    data = json.loads(json.dumps(report.as_data(found)))
    first = found.causes[0]
    assert data["causes"][0]["logical_id"] == first.logical_id and data["exit_code"] == found.exit_code
    assert len(list(report.text_lines(found))) <= report.SCREEN
    page = report.markdown(found)
    assert page.count("<details>") == page.count("</details>")
    for command in data["commands"]:
        assert command["aws"] in text(found)
    assert f"<code>{first.name}</code>" in page


# --- What is known ---

WORDINGS = [
    (
        TASK,
        'CannotPullContainerError: failed to resolve ref "x": dial tcp 10.0.3.17:443: i/o timeout',
        "no way out",
    ),
    (
        TASK,
        "CannotPullContainerError: pull image manifest has been retried 1 time(s): x: not found",
        "isn't in its registry",
    ),
    (TASK, "CannotPullContainerError: unexpected status code 403 Forbidden", "may not pull"),
    (
        TASK,
        "CannotPullContainerError: toomanyrequests: You have reached your pull rate limit",
        "refuses more",
    ),
    (
        TASK,
        "CannotPullContainerError: image Manifest does not contain descriptor matching platform "
        "'linux/arm64'",
        "CPU",
    ),
    (
        TASK,
        "ResourceInitializationError: unable to pull secrets or registry auth: execution resource retrieval "
        "failed: unable to retrieve secret from asm: service call has been retried 1 time(s): "
        "AccessDeniedException",
        "may not read",
    ),
    (
        TASK,
        "ResourceInitializationError: unable to pull secrets or registry auth: execution resource retrieval "
        "failed: unable to retrieve ecr registry auth: service call has been retried 3 time(s): "
        "RequestError: send request failed",
        "no way out",
    ),
    (
        TASK,
        "ResourceInitializationError: unable to pull secrets or registry auth: ResourceNotFoundException: "
        "Secrets Manager can't find the specified secret.",
        "isn't there",
    ),
    (
        TASK,
        "ResourceInitializationError: unable to pull secrets or registry auth: retrieved secret from "
        "Secrets Manager did not contain json key passwort",
        "no key passwort",
    ),
    (
        TASK,
        "ResourceInitializationError: failed to validate logger args: create stream has been retried 1 "
        "times: failed to create Cloudwatch log stream: The specified log group does not exist.",
        "log group",
    ),
    (TASK, "OutOfMemoryError: Container killed due to memory usage", "more memory"),
    (TASK, "Task failed ELB health checks in (target-group arn:aws:x)", "unhealthy"),
    (TASK, "Task failed container health checks", "own health check"),
    (
        TASK,
        "InsufficientFreeAddressesInSubnet: not enough free addresses in subnet 'subnet-1'",
        "no free addresses",
    ),
    (TASK, "Timeout waiting for network interface provisioning to complete.", "network interface"),
    (EXIT, "137", "killed"),
    (EXIT, "127", "command"),
    (EXIT, "2", "refused its options"),
    (LOG, 'FATAL: password authentication failed for user "keycloak"', "refuses the user"),
    (
        LOG,
        "Key material not provided to setup HTTPS. Please configure your keys/certificates",
        "neither certificate",
    ),
    (
        LOG,
        "hostname is not configured; either configure hostname, or set hostname-strict to false",
        "no host name",
    ),
    (LOG, "The '--optimized' flag was used for first ever server start.", "isn't built"),
    (
        LOG,
        "The following build time options have values that differ from what is persisted - the new values "
        "will NOT be used until another build is run: kc.db",
        "kc.db",
    ),
    (
        LOG,
        "Invalid value for option 'KC_PROXY_HEADERS': bogus. Expected values are: forwarded, xforwarded",
        "KC_PROXY_HEADERS",
    ),
    (LOG, "dns_query can not be null or empty", "look each other up"),
    (LOG, "ISPN000540: No such JGroups stack 'nonsense'", "nonsense"),
    (LOG, "'bogus' is an unrecognized feature, it should be one of [x]", "no such feature"),
    (LOG, "Option: '--verbose start' is not expected to contain whitespace", "several words"),
    (LOG, "java.net.UnknownHostException: db.example.internal", "db.example.internal"),
    (LOG, 'FATAL: database "keycloack" does not exist', "no database keycloack"),
    (LOG, "FATAL: sorry, too many clients already", "no connection left"),
    (
        LOG,
        'no pg_hba.conf entry for host "10.0.0.1", user "keycloak", database "keycloak", no encryption',
        "encrypted",
    ),
    (TARGET, "Target.Timeout Request timed out", "no answer"),
    (TARGET, "Target.ResponseCodeMismatch Health checks failed with these codes: [503]", "not with 200"),
    (TARGET, "Target.NotInUse Target group is not configured to receive traffic", "no listener"),
    (
        "AWS::ECS::Service",
        "(service x) was unable to place a task. Reason: Capacity is unavailable at this time.",
        "no room",
    ),
    (
        "AWS::ECS::Service",
        "The target group with targetGroupArn arn:aws:x does not have an associated load balancer.",
        "before a listener",
    ),
    (
        "AWS::ECS::Service",
        "Resource handler returned message: \"Error occurred during operation 'ECS Deployment Circuit "
        "Breaker was triggered'.\"",
        "again and again",
    ),
    (
        "AWS::ECS::TaskDefinition",
        "No Fargate configuration exists for given values: 512 CPU, 512 memory.",
        "no task of that",
    ),
    (
        "AWS::RDS::DBInstance",
        "RDS does not support creating a DB instance with the following combination: "
        "DBInstanceClass=db.t2.micro, Engine=postgres",
        "doesn't have that class",
    ),
    ("AWS::RDS::DBInstance", "Cannot find version 17.2 for postgres", "postgres 17.2"),
    ("AWS::RDS::DBInstance", "Cannot upgrade postgres from 17.5 to 16.9", "from 17.5 to 16.9"),
    (
        "AWS::RDS::DBInstance",
        "The AllowMajorVersionUpgrade flag must be present when upgrading",
        "major upgrade",
    ),
    ("AWS::RDS::DBInstance", "StorageQuotaExceeded", "storage is reached"),
    (
        "AWS::RDS::DBInstance",
        "Cannot delete protected DB Instance, please disable deletion protection and try again.",
        "protected against deletion",
    ),
    (
        "AWS::RDS::DBInstance",
        "DB Subnet Group doesn't meet availability zone coverage requirement.",
        "one zone",
    ),
    (
        "AWS::ElasticLoadBalancingV2::LoadBalancer",
        "Load balancer 'arn:x' cannot be deleted because deletion protection is " "enabled",
        "protected against deletion",
    ),
    (
        "AWS::ElasticLoadBalancingV2::Listener",
        "The certificate 'arn:x' must have a fully-qualified domain name, a "
        "supported signature, and a supported key size.",
        "can't use the certificate",
    ),
    ("AWS::ElasticLoadBalancingV2::ListenerRule", "Priority '10' is currently in use", "has that priority"),
    ("AWS::CertificateManager::Certificate", "Resource timed out waiting for completion", "gave up"),
    (
        "AWS::ServiceDiscovery::PrivateDnsNamespace",
        "ResourceInUse: Namespace has services associated",
        "holds something",
    ),
    (
        "AWS::WAFv2::WebACLAssociation",
        "WAFUnavailableEntityException: AWS WAF couldn't retrieve the resource",
        "WAF",
    ),
    ("AWS::EC2::SecurityGroup", "resource sg-1 has a dependent object", "still uses it"),
    ("AWS::EC2::EIP", "The maximum number of addresses has been reached.", "Elastic IP"),
    ("AWS::EC2::VPC", "The maximum number of VPCs has been reached.", "quota of VPCs"),
    (
        "AWS::SecretsManager::Secret",
        "You can't create this secret because a secret with this name is already scheduled " "for deletion.",
        "can still be restored",
    ),
    ("AWS::Logs::LogGroup", "keycloak-prod already exists in stack arn:aws:x", "there already"),
    ("AWS::S3::Bucket", "The following hook(s) failed: [Company::Guard::Hook]", "hook"),
    (
        "AWS::IAM::Role",
        "User: arn:aws:iam::1:user/x is not authorized to perform: iam:CreateRole on resource: y",
        "iam:CreateRole",
    ),
    (
        "AWS::RDS::DBInstance",
        "Action denied by stack policy: Statement [#1] does not allow [Update:Replace] for resource "
        "[LogicalResourceId/Database]",
        "stack policy",
    ),
    (STACK, "Export keycloak-vpc cannot be deleted as it is in use by other", "imports"),
    (STACK, "Requires capabilities : [CAPABILITY_NAMED_IAM]", "IAM roles"),
    (
        "AWS::RDS::DBInstance",
        "Could not find a value associated with JSONKey in SecretString",
        "doesn't have",
    ),
    ("AWS::ECS::Service", "Rate exceeded (Service: Ecs)", "too many calls"),
]


@pytest.mark.parametrize(("of", "raw", "piece"), WORDINGS, ids=[f"{of}-{piece}" for of, _, piece in WORDINGS])
def test_known_messages(of, raw, piece):
    """Messages of AWS and Keycloak as they are really worded are known, and what is told first is what
    they mean."""
    found = causes.known(raw, of)
    assert found and piece in f"{found[0].say} {found[0].do}", found


@pytest.mark.parametrize(
    ("of", "raw"),
    [
        ("AWS::SNS::Topic", "something that nobody has seen"),
        (LOG, "INFO Keycloak 26.7.4 on JVM started in 12.3s. Listening on: http://0.0.0.0:8080"),
        (LOG, "Updating the configuration and installing your custom providers, if any. Please wait."),
        (TASK, "Essential container in task exited"),
        (EXIT, "0"),
        (EXIT, "143"),
        ("AWS::SNS::Topic", 'FATAL: password authentication failed for user "x"'),
        (LOG, "WARN the realm already exists, and its quota of clients is 7"),
    ],
)
def test_what_is_not_known_gets_no_advice(of, raw):
    """Nothing is advised about a message that isn't known, or that only a log says."""
    assert causes.known(raw, of) == ()


def test_every_entry_has_its_source():
    """Each known message says what it means or what to do, in a sentence without an end, and where it is
    from."""
    for one in causes.KNOWN:
        groups = dict.fromkeys(re.compile(one.pattern).groupindex, "x")
        assert "{" not in one.say.format(**groups) + one.do.format(**groups), one.pattern
        assert one.source and one.do and not one.do.endswith(".") and not one.say.endswith("."), one.pattern
    assert len({one.pattern for one in causes.KNOWN}) == len(causes.KNOWN)


def test_what_is_precise_takes_the_place_of_what_is_general():
    """Beside a message that says what is wrong, `look further` isn't told."""
    assert all(not one.general for one in diagnosed("two_operations").advice)
    found = read(
        "UPDATE_ROLLBACK_COMPLETE",
        about_stack(0, "UPDATE_IN_PROGRESS"),
        event(1, "Service", "UPDATE_FAILED", "Deployment Circuit Breaker was triggered", "AWS::ECS::Service"),
    )
    assert [one.general for one in found.advice] == [True]


# --- Through real calls ---


def created(aws: LocalAws, template: str = TEMPLATE) -> str:
    client = aws.client("cloudformation")
    client.create_stack(StackName="keycloak-prod", TemplateBody=template)
    client.close()
    return aws.settled("keycloak-prod")


def updated(aws: LocalAws, template: str) -> str:
    client = aws.client("cloudformation")
    client.update_stack(StackName="keycloak-prod", TemplateBody=template)
    client.close()
    return aws.settled("keycloak-prod")


def looked_at(aws: LocalAws) -> Diagnosis:
    connection = Connection(REGION, ACCOUNT, aws.url)
    found = stacks.look(connection, "keycloak-prod")
    return diagnosis.diagnose(connection, found, events.read(connection, found.id), target())


def test_a_creation_that_fails(aws):
    """A resource that AWS refuses is the cause, the stack is gone back, and deploying again is the way on."""
    aws.fail("Topic", "CREATE", "Topic already exists")
    assert created(aws) == "ROLLBACK_COMPLETE"
    found = looked_at(aws)
    assert [(one.logical_id, one.reason, one.line) for one in found.causes] == [
        ("Topic", "Topic already exists", line("  Topic:"))
    ]
    assert (found.phase, found.exit_code) == ("create", 4)
    assert found.advice[0].say.startswith("something of that name is there already")


def test_an_update_that_gets_stuck(aws):
    """An update that fails and whose rollback fails ends with 5 and names both."""
    assert created(aws) == "CREATE_COMPLETE"
    aws.fail("LogGroup", "UPDATE", "no, because of the quota")
    aws.fail("LogGroup", "ROLLBACK", "not back either")
    assert (
        updated(aws, TEMPLATE.replace("RetentionInDays: 1", "RetentionInDays: 7")) == "UPDATE_ROLLBACK_FAILED"
    )
    found = looked_at(aws)
    assert (found.phase, found.exit_code) == ("update", 5)
    assert [one.reason for one in found.causes] == ["no, because of the quota"]
    assert [one.reason for one in found.rollback] == ["not back either"]
    assert found.commands[1].line == "cloakform deploy prod --continue-rollback --skip LogGroup"


def test_tasks_that_stop_in_an_update(aws):
    """The service of an update that fails is asked for its tasks, and their log gives the cause, without
    secrets."""
    assert created(aws) == "CREATE_COMPLETE"
    lines = [
        "INFO starting",
        f"KC_DB_PASSWORD={LITERAL}",
        'ERROR: FATAL: database "keycloack" does not exist',
    ]
    aws.stop_tasks(lines=lines)
    assert updated(aws, TEMPLATE.replace('Memory: "1024"', 'Memory: "2048"')) == "UPDATE_ROLLBACK_COMPLETE"
    found = looked_at(aws)
    assert [one.logical_id for one in found.causes] == ["Service"]
    assert found.advice[0].say == "the database server has no database keycloack"
    assert "keycloack" in report.because(found)[-1]
    assert LITERAL not in text(found) + json.dumps(report.as_data(found)) + report.markdown(found)


def test_what_a_database_says_of_itself(aws):
    """What RDS told of a database while it was changed is on the screen."""
    assert created(aws) == "CREATE_COMPLETE"
    identifier = aws.resources("keycloak-prod")["Database"]
    aws.fail("Database", "UPDATE", "Database instance is in a state that cannot be converged")
    order = aws.hold("Database", "UPDATE")
    client = aws.client("cloudformation")
    client.update_stack(
        StackName="keycloak-prod",
        TemplateBody=TEMPLATE.replace('AllocatedStorage: "20"', 'AllocatedStorage: "40"'),
    )
    client.close()
    order.reached()
    aws.rds_event(identifier, "DB instance waits: insufficient capacity", "failure")
    order.take_back()
    assert aws.settled("keycloak-prod") == "UPDATE_ROLLBACK_COMPLETE"
    found = looked_at(aws)
    assert [one.logical_id for one in found.causes] == ["Database"]
    told = next(one for one in found.evidence if one.kind == "database")
    assert [one.split(" ", 1)[1] for one in told.lines] == ["DB instance waits: insufficient capacity"]
    assert found.advice[0].say.startswith("RDS has no room")


def test_early_validation_through_a_change_set(aws):
    """A change set that early validation refuses is told with what DescribeEvents says of it."""
    aws.fail_change_set(
        validation=[
            Validation("Service", "AWS::ECS::Service", "/Resources/Service/Properties", "no such property")
        ]
    )
    client = aws.client("cloudformation")
    made = client.create_change_set(
        StackName="keycloak-prod", ChangeSetName="one", ChangeSetType="CREATE", TemplateBody=TEMPLATE
    )
    reason = client.describe_change_set(ChangeSetName=made["Id"])["StatusReason"]
    client.close()
    found = diagnosis.refused(Connection(REGION, ACCOUNT, aws.url), target(), made["Id"], reason)
    assert [(one.logical_id, one.code) for one in found.causes] == [("Service", "PropertyValidation")]
    assert "no such property" in text(found) and found.exit_code == 4


def test_a_connection_that_breaks_while_asking(aws):
    """Where AWS can't be reached any more, what is known by then is told."""
    aws.fail("Topic", "CREATE", "no")
    assert created(aws) == "ROLLBACK_COMPLETE"
    connection = Connection(REGION, ACCOUNT, aws.url)
    found = stacks.look(connection, "keycloak-prod")
    told = events.read(connection, found.id)

    class Broken(Connection):
        def __init__(self):
            pass

        def ask(self, service, operation, /, **arguments):
            raise AwsError("it is gone")

    assert diagnosis.diagnose(Broken(), found, told, target()).causes[0].logical_id == "Topic"
