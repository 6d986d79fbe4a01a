"""Tasks that stop while a service is deployed are told with their reason, exit code and last log lines,
and nothing that goes wrong in looking for them ends a deployment."""

from __future__ import annotations

import json
import time
from collections.abc import Callable

from generator.aws import Connection
from generator.deploying import events, report, stacks, tasks
from generator.deploying.masking import Masking
from generator.deploying.tasks import TaskEnd, Watcher
from generator.errors import AwsError, CredentialsError
from generator.sandbox import faults
from generator.sandbox.local_aws import REGION, LocalAws
from tests.deploying.deploying import EMPTY as ACCOUNT
from tests.deploying.recording import STREAM_START, Stream

TEMPLATE = """\
Parameters:
  Password: {Type: String, NoEcho: true}
Resources:
  Cluster: {Type: AWS::ECS::Cluster}
  LogGroup: {Type: AWS::Logs::LogGroup, Properties: {RetentionInDays: 1}}
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
          Environment: [{Name: KC_DB_PASSWORD, Value: !Ref Password}]
          LogConfiguration:
            LogDriver: awslogs
            Options: {awslogs-group: !Ref LogGroup, awslogs-region: eu-central-1, awslogs-stream-prefix: kc}
  Service:
    Type: AWS::ECS::Service
    Properties:
      Cluster: !Ref Cluster
      TaskDefinition: !Ref TaskDefinition
      DesiredCount: 3
      LaunchType: FARGATE
      NetworkConfiguration: {AwsvpcConfiguration: {Subnets: [subnet-1]}}
"""
PASSWORD = "hunter22-and-more"
LOG = (
    "2026-05-01 12:00:00,000 INFO  [io.quarkus] (main) Keycloak starts",
    f"KC_DB_PASSWORD={PASSWORD}",
    "2026-05-01 12:00:01,000 ERROR [org.keycloak.quarkus.runtime.cli.ExecutionExceptionHandler] (main) "
    "ERROR: Failed to obtain JDBC connection",
    "2026-05-01 12:00:01,000 ERROR [org.keycloak.quarkus.runtime.cli.ExecutionExceptionHandler] (main) "
    "ERROR: FATAL: "
    'password authentication failed for user "keycloak" \x1b[31m',
)


def begin(aws: LocalAws) -> str:
    """Begins to create the stack; returns its id."""
    client = aws.client("cloudformation")
    made = client.create_stack(
        StackName="keycloak",
        TemplateBody=TEMPLATE,
        Parameters=[{"ParameterKey": "Password", "ParameterValue": PASSWORD}],
    )
    client.close()
    return made["StackId"]


def watcher(connection: Connection, stack_id: str, masking: Masking | None = None) -> Watcher:
    return Watcher(connection, lambda: events.read(connection, stack_id), time.time(), masking)


def seen(found: Watcher, until: Callable[[list[TaskEnd]], bool]) -> list[TaskEnd]:
    """What a watcher sees, look after look, until that is enough."""
    ends: list[TaskEnd] = []
    end = time.monotonic() + 60
    while not until(ends):
        assert time.monotonic() < end, (ends, found.notes)
        ends += found.look()
        time.sleep(0.02)
    return ends


def test_a_task_that_stops_is_told_with_everything(aws):
    """Reason, exit code, the last log lines and what in them says why, while CloudFormation still waits;
    secrets are not among it."""
    order = aws.stop_tasks(lines=LOG, seconds=60)
    connection = Connection(REGION, ACCOUNT, aws.url)
    watching = watcher(connection, begin(aws), Masking([PASSWORD]))
    order.reached()
    ends = seen(watching, lambda ends: len(ends) == 3)
    first = ends[0]
    assert (first.service, first.definition) == ("Service", "keycloak:1")
    assert (first.code, first.reason) == ("EssentialContainerExited", "Essential container in task exited")
    assert [(one.name, one.exit_code) for one in first.containers] == [("keycloak", 1)]
    assert first.log[0] == "INFO Keycloak starts"
    assert "password authentication failed" in first.complaint
    assert first.lived is not None and first.stopped > 0
    told = repr(ends) + "".join(line for end in ends for _, line in report.task_lines(end))
    assert "[hidden]" in told and PASSWORD not in told
    assert watching.notes == []
    order.take_back()


def test_again_and_again(aws):
    """The second task that stops for the same reason is more than bad luck, and says so; a log that says
    the same again is shown twice and no oftener."""
    order = aws.stop_tasks(lines=LOG, seconds=60)
    connection = Connection(REGION, ACCOUNT, aws.url)
    watching = watcher(connection, begin(aws))
    order.reached()
    ends = seen(watching, lambda ends: len(ends) == 3)
    assert [(one.again, one.repeated) for one in ends] == [(1, False), (2, True), (3, True)]
    assert [bool(one.log) for one in ends] == [True, True, False]
    lines = [list(report.task_lines(one)) for one in ends]
    assert [one[0][0] for one in lines] == ["warning", "error", "error"]
    assert "exited with 1" in lines[0][0][1] and lines[2][0][1].endswith("(3 times for this reason)")
    assert len(lines[0]) == 5 and len(lines[2]) == 1
    assert tasks.repeated(ends) and not tasks.repeated(ends[:1])
    order.take_back()


def test_a_task_is_told_once(aws):
    """What was told isn't told again, and asks for nothing more than a look at what there is."""
    order = aws.stop_tasks(seconds=60)
    connection = Connection(REGION, ACCOUNT, aws.url)
    watching = watcher(connection, begin(aws))
    order.reached()
    seen(watching, lambda ends: len(ends) == 3)
    aws.forget_calls()
    assert watching.look() == []
    asked = [name for name, _ in aws.calls() if not name.startswith("cloudformation:")]
    assert asked == ["ecs:DescribeServices", "ecs:ListTasks"]
    order.take_back()


def test_a_service_that_runs_is_left_alone(aws):
    """Where no task stops there is nothing to tell and nothing to note."""
    aws.deploy(
        TEMPLATE.replace("{Type: String, NoEcho: true}", "{Type: String, NoEcho: true, Default: x}"),
        "keycloak",
    )
    connection = Connection(REGION, ACCOUNT, aws.url)
    stack = stacks.look(connection, "keycloak")
    watching = watcher(connection, stack.id)
    assert watching.look() == [] and watching.notes == [] and watching.messages == []
    assert [(one.running, one.desired) for one in watching.services] == [(3, 3)]


def test_before_there_is_a_service_nothing_is_asked(aws):
    """As long as the stack has no service ECS isn't asked."""
    connection = Connection(REGION, ACCOUNT, aws.url)
    aws.forget_calls()
    watching = Watcher(connection, lambda: (), time.time())
    assert watching.look() == [] and watching.services == ()
    assert aws.calls() == []


def test_what_the_service_says(aws):
    """Messages of the service that tell of trouble are told once each, and those of every day aren't."""
    placing = "was unable to place a task. Reason: Capacity is unavailable at this time."
    order = aws.stop_tasks(events=[placing, "has reached a steady state."], seconds=60)
    connection = Connection(REGION, ACCOUNT, aws.url)
    watching = watcher(connection, begin(aws))
    order.reached()
    heard: list[str] = []
    seen(watching, lambda ends: bool(heard) or heard.extend(watching.messages) or bool(heard))
    assert len(heard) == 1 and heard[0].endswith(placing)
    watching.look()
    assert watching.messages == []
    order.take_back()


def test_a_container_that_ran_out_of_memory(aws):
    """A container that was killed for its memory says so in ECS' words and in plain ones."""
    killed = "OutOfMemoryError: Container killed due to memory usage"
    order = aws.stop_tasks(exit_code=137, container_reason=killed, seconds=60)
    connection = Connection(REGION, ACCOUNT, aws.url)
    watching = watcher(connection, begin(aws))
    order.reached()
    end = seen(watching, bool)[0]
    assert end.containers[0].exit_code == 137 and end.containers[0].reason == killed
    assert "killed: out of memory" in end.text and killed in end.text
    order.take_back()


def test_lines_as_json(aws):
    """A log in JSON is told by level and message, however long the stack trace beside them is."""
    trace = {"message": "no", "stackTrace": "at org.keycloak.Main\n" * 1000}
    line = {
        "level": "ERROR",
        "loggerName": "x",
        "message": "Failed to obtain JDBC connection",
        "exception": trace,
    }
    order = aws.stop_tasks(lines=[json.dumps(line)], seconds=60)
    watching = watcher(Connection(REGION, ACCOUNT, aws.url), begin(aws))
    order.reached()
    end = seen(watching, bool)[0]
    assert end.log == ("ERROR Failed to obtain JDBC connection: no",)
    assert end.complaint == "Failed to obtain JDBC connection: no"
    order.take_back()


def test_refused_calls_become_one_note(aws, sandbox):
    """Without the permission to look, or with a network that fails, a deployment goes on; what couldn't be
    seen is noted, once."""
    order = aws.stop_tasks(seconds=60)
    stack_id = begin(aws)
    order.reached()
    with sandbox.faults(
        faults.refused("ecs", "ListTasks", "AccessDeniedException", "not authorized")
    ) as proxy:
        connection = Connection(REGION, ACCOUNT, proxy.url)
        watching = watcher(connection, stack_id)
        assert [watching.look() for _ in range(3)] == [[], [], []]
    assert len(watching.notes) == 1
    assert "AccessDeniedException" in watching.notes[0] and "can't be watched" in watching.notes[0]
    order.take_back()


def test_a_log_that_may_not_be_read(aws, sandbox):
    """Without the permission to read logs the rest is told all the same."""
    order = aws.stop_tasks(lines=LOG, seconds=60)
    stack_id = begin(aws)
    order.reached()
    with sandbox.faults(
        faults.refused("logs", "GetLogEvents", "AccessDeniedException", "not authorized")
    ) as proxy:
        watching = watcher(Connection(REGION, ACCOUNT, proxy.url), stack_id)
        ends = seen(watching, lambda ends: len(ends) == 3)
    assert [one.log for one in ends] == [(), (), ()] and ends[0].containers[0].exit_code == 1
    assert len(watching.notes) == 1
    order.take_back()


# --- What the local AWS doesn't do: two revisions, a hundred tasks ---


def test_only_the_deployments_own_revision():
    """Tasks of the revision before, and tasks that ECS takes away because it needs them no longer, have
    not failed."""
    stream = Stream("two_operations")
    # This machine's clock may be wrong: the first event says when it began.
    watching = Watcher(stream, lambda: stream.events, 4e9)
    ends = watching.look()
    assert [one.task[-1] for one in ends] == ["1", "2", "3"]
    assert {one.definition for one in ends} == {"keycloak-prod-TaskDefinition:7"}
    assert all("health checks" in one.reason for one in ends)


def test_what_was_said_before_the_deployment_is_left_alone():
    """Last month's messages are not this deployment's."""
    stream = Stream("two_operations")
    watching = Watcher(stream, lambda: stream.events, 0.0)
    watching.look()
    assert len(watching.messages) == 3
    assert not any("Capacity is unavailable" in text for text in watching.messages)


class Crowd(Connection):
    """A service of which very many tasks stopped, in pages as ECS has them."""

    def __init__(self, number: int):
        self._tasks = [f"arn:aws:ecs:eu-central-1:{ACCOUNT}:task/c/{one:032x}" for one in range(number)]
        self.asked: list[tuple[str, int]] = []

    def ask(self, service, operation, /, **arguments):
        if operation == "describe_services":
            made = {
                "id": "ecs-svc/1",
                "taskDefinition": "arn:x:task-definition/kc:1",
                "createdAt": STREAM_START,
            }
            return {"services": [{"status": "ACTIVE", "deployments": [made], "events": []}]}
        self.asked.append((operation, len(arguments.get("tasks", ()))))
        if operation == "describe_tasks":
            return {
                "tasks": [
                    {
                        "taskArn": arn,
                        "taskDefinitionArn": "arn:x:task-definition/kc:1",
                        "lastStatus": "STOPPED",
                        "createdAt": STREAM_START,
                        "stoppedReason": f"CannotPullContainerError: no such image, task {number}",
                        "stopCode": "TaskFailedToStart",
                        "containers": [{"name": "keycloak"}],
                    }
                    for number, arn in enumerate(arguments["tasks"])
                ]
            }
        raise AwsError(f"{service}:{operation}: Throttling: Rate exceeded", "Throttling", "Rate exceeded")

    def every(self, service, operation, key, /, **arguments):
        yield from self._tasks


def service_event() -> events.Event:
    arn = f"arn:aws:ecs:eu-central-1:{ACCOUNT}:service/c/kc"
    return events.Event(
        "1", STREAM_START.timestamp(), "Service", arn, "AWS::ECS::Service", "CREATE_IN_PROGRESS", ""
    )


def test_more_tasks_than_one_call_takes():
    """Two hundred and fifty tasks that stopped are all told: DescribeTasks takes a hundred at a time."""
    crowd = Crowd(250)
    ends = Watcher(crowd, lambda: [service_event()], 0.0).look()
    assert len(ends) == 250
    assert crowd.asked == [("describe_tasks", 100), ("describe_tasks", 100), ("describe_tasks", 50)]


def test_a_container_that_never_ran_has_no_log():
    """For a task that never started no log is asked for, and it says that it never ran; numbers in a
    reason make no other reason of it."""
    crowd = Crowd(2)
    ends = Watcher(crowd, lambda: [service_event()], 0.0).look()
    assert ends[0].lived is None and "before it ran" in ends[0].text
    assert [one.again for one in ends] == [1, 2]
    assert [name for name, _ in crowd.asked] == ["describe_tasks"]


class Expired(Connection):
    def __init__(self):
        pass

    def ask(self, service, operation, /, **arguments):
        raise CredentialsError("the credentials have expired")


def test_credentials_that_end_are_a_note_as_well():
    """Credentials that end while tasks are watched end the watching, not the deployment."""
    watching = Watcher(Expired(), lambda: [service_event()], 0.0)
    assert watching.look() == watching.look() == []
    assert len(watching.notes) == 1 and "expired" in watching.notes[0]
