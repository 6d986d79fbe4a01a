"""A deployed environment as a drill sees it: AWS' answers become tasks, logs and secrets, and only what AWS
has a call for is done. How a whole drill goes, with AWS' API answered by a local AWS, the cluster tests
show."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import datetime, timezone

import pytest

from generator.aws import Connection
from generator.deployed import stack as stacks
from generator.deployed.credentials import from_file
from generator.deployed.target import UNABLE, Deployed, Way, standing
from generator.drilling.promises import BROKEN, KEPT, NOT_RUN
from generator.drilling.run import STEPS, drill
from generator.errors import AwsError, CredentialsError, RefusedError, RehearsalError
from generator.rehearsing.target import TARGET_ERRORS, LogLine
from tests.drilling.aws import ACCOUNT, Aws, refused
from tests.drilling.little import Little
from tests.drilling.servers import serving
from tests.drilling.targets import DEV, PASSWORD, Stand
from tests.drilling.test_run import QUICK, briefly, verdicts
from tests.rehearsing.topologies import BALANCER, with_rules

ARN = f"arn:aws:ecs:eu-central-1:{ACCOUNT}"
GROUP = f"arn:aws:elasticloadbalancing:eu-central-1:{ACCOUNT}:targetgroup/keycloak/1"
SECRET = f"arn:aws:secretsmanager:eu-central-1:{ACCOUNT}:secret:Bootstrap-AbCdEf"
MADE = datetime(2026, 5, 1, 12, tzinfo=timezone.utc)
DEFINITION = f"{ARN}:task-definition/keycloak:7"

WAY = Way("admin")
IN_STACK = replace(DEV, database=replace(DEV.database, logical_id="Database"))
"""An environment whose database is its own."""

CONTAINER = {
    "name": "keycloak",
    "healthCheck": {"command": ["CMD", "true"]},
    "secrets": [
        {"name": "KC_BOOTSTRAP_ADMIN_PASSWORD", "valueFrom": f"{SECRET}:password:AWSCURRENT:"},
        {"name": "OTHER", "valueFrom": "/keycloak/other"},
    ],
    "logConfiguration": {
        "logDriver": "awslogs",
        "options": {
            "awslogs-group": "keycloak",
            "awslogs-stream-prefix": "kc",
            "awslogs-region": "eu-central-1",
        },
    },
}


def task(
    name: str,
    last: str = "RUNNING",
    wanted: str = "RUNNING",
    health: str = "HEALTHY",
    address: str = "10.0.0.4",
) -> dict:
    """A task as DescribeTasks has it."""
    return {
        "taskArn": f"{ARN}:task/there/{name}",
        "taskDefinitionArn": DEFINITION,
        "lastStatus": last,
        "desiredStatus": wanted,
        "healthStatus": health,
        "createdAt": MADE,
        "attachments": [
            {"type": "ElasticNetworkInterface", "details": [{"name": "privateIPv4Address", "value": address}]}
        ],
    }


def healthy(*addresses: str) -> dict:
    """A target group in which these are healthy."""
    return {
        "TargetHealthDescriptions": [
            {"Target": {"Id": one}, "TargetHealth": {"State": "healthy"}} for one in addresses
        ]
    }


@pytest.fixture(autouse=True)
def nobody(monkeypatch, tmp_path):
    """Credentials that mean nothing, and nothing of the user's."""
    for name in ("AWS_PROFILE", "AWS_DEFAULT_PROFILE", "AWS_SESSION_TOKEN", "AWS_ENDPOINT_URL"):
        monkeypatch.delenv(name, raising=False)
    for name in ("AWS_CONFIG_FILE", "AWS_SHARED_CREDENTIALS_FILE"):
        monkeypatch.setenv(name, str(tmp_path / "none"))
    monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "AKIDNOBODY")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "nobody's")


@pytest.fixture
def aws(monkeypatch) -> Aws:
    """AWS with a service of two tasks."""
    made = Aws(monkeypatch)
    made.answers |= {
        "ecs:DescribeServices": {
            "services": [
                {
                    "status": "ACTIVE",
                    "desiredCount": 2,
                    "runningCount": 2,
                    "taskDefinition": DEFINITION,
                    "loadBalancers": [{"targetGroupArn": GROUP}],
                    "deployments": [{"id": "new", "rolloutState": "COMPLETED"}],
                }
            ]
        },
        "ecs:ListTasks": lambda asked: {"taskArns": [f"{ARN}:task/there/{asked['desiredStatus'].lower()}"]},
        "ecs:DescribeTasks": {"tasks": [task("a"), task("b", address="10.0.0.5")]},
        "ecs:DescribeTaskDefinition": {"taskDefinition": {"containerDefinitions": [CONTAINER]}},
        "ecs:StopTask": {"task": task("a")},
        "ecs:UpdateService": {"service": {"deployments": [{"id": "new", "status": "PRIMARY"}]}},
        "elbv2:DescribeTargetHealth": healthy("10.0.0.4", "10.0.0.5"),
    }
    return made


STACK = stacks.Stack(
    "there",
    (
        ("Service", "AWS::ECS::Service", f"{ARN}:service/there/keycloak"),
        ("Database", "AWS::RDS::DBInstance", "keycloak-db"),
    ),
    "",
)


def deployed(topology=IN_STACK, stack=STACK, way=WAY) -> Deployed:
    """What is drilled."""
    return Deployed(Connection("eu-central-1", ACCOUNT), "there", stack, topology, way)


# --- Whose account ---


def test_another_account_is_left_alone(aws):
    """Credentials of another account end it with 3, and nothing but who is calling was asked."""
    with pytest.raises(
        RefusedError, match=f"belong to account {ACCOUNT}, the environment to 999999999999"
    ) as error:
        Connection("eu-central-1", "999999999999")
    assert error.value.exit_code == 3 and [name for name, _ in aws.calls] == ["sts:GetCallerIdentity"]


def test_missing_credentials_are_one_line(monkeypatch):
    """Without any it ends with 2 and says how to get some; a profile that doesn't exist as well."""
    monkeypatch.delenv("AWS_ACCESS_KEY_ID")
    for profile in ("", "nobody"):
        if profile:
            monkeypatch.setenv("AWS_PROFILE", profile)
        with pytest.raises(CredentialsError, match=r"^no credentials for AWS: [^\n]*AWS_PROFILE") as error:
            Connection("eu-central-1", ACCOUNT)
        assert error.value.exit_code == 2


def test_a_redirected_endpoint_is_refused_unless_it_is_meant(aws, monkeypatch):
    """What a machine's settings redirect isn't AWS: every service's own variable counts, --endpoint-url says
    it is meant."""
    for name in ("AWS_ENDPOINT_URL", "AWS_ENDPOINT_URL_STS"):
        with (
            monkeypatch.context() as patch,
            pytest.raises(RefusedError, match=r"sts to http://127\.0\.0\.1:9, not"),
        ):
            patch.setenv(name, "http://127.0.0.1:9")
            Connection("eu-central-1", ACCOUNT)
    assert not aws.calls
    assert Connection("eu-central-1", ACCOUNT, "http://127.0.0.1:9").account == ACCOUNT


def test_a_refused_call_says_so_in_aws_words(aws):
    """Code and message of AWS', in one line, exit code 4; a step goes on to the next over it."""
    aws.answers["cloudformation:DescribeStacks"] = refused(
        "ValidationError", "Stack with id there does not\n exist"
    )
    with pytest.raises(AwsError) as error:
        stacks.read(Connection("eu-central-1", ACCOUNT), "there")
    assert (
        str(error.value)
        == "cloudformation:DescribeStacks: ValidationError: Stack with id there does not exist"
    )
    assert error.value.exit_code == 4 and isinstance(error.value, TARGET_ERRORS)


def test_a_stack_that_is_being_changed_is_left_alone(aws):
    """Nothing is looked for in it."""
    aws.answers["cloudformation:DescribeStacks"] = {
        "Stacks": [{"StackName": "there", "CreationTime": MADE, "StackStatus": "UPDATE_IN_PROGRESS"}]
    }
    with pytest.raises(RehearsalError, match=r"is being changed \(UPDATE_IN_PROGRESS\)"):
        stacks.read(Connection("eu-central-1", ACCOUNT), "there")


def test_every_page_of_a_stack_is_read(aws):
    """A service on the second page is found; without one, nothing is drilled."""
    aws.answers["cloudformation:DescribeStacks"] = {
        "Stacks": [{"StackName": "there", "CreationTime": MADE, "StackStatus": "CREATE_COMPLETE"}]
    }

    def summary(name: str, kind: str, physical: str) -> dict:
        return {
            "LogicalResourceId": name,
            "ResourceType": kind,
            "PhysicalResourceId": physical,
            "LastUpdatedTimestamp": MADE,
            "ResourceStatus": "CREATE_COMPLETE",
        }

    aws.answers["cloudformation:ListStackResources"] = lambda asked: (
        {"StackResourceSummaries": [summary("Vpc", "AWS::EC2::VPC", "vpc-1")], "NextToken": "2"}
        if "NextToken" not in asked
        else {"StackResourceSummaries": [summary(*one) for one in STACK.resources]}
    )
    aws.answers["cloudformation:GetTemplate"] = {"TemplateBody": "text"}
    connection = Connection("eu-central-1", ACCOUNT)
    found = stacks.read(connection, "there")
    assert found.template == "text" and len(found.resources) == 3
    assert stacks.service(connection, found, DEV).name == "keycloak"
    with pytest.raises(RehearsalError, match="no ECS service Service: deploy what is rendered first"):
        stacks.service(connection, replace(found, resources=()), DEV)


# --- Looking ---


@pytest.mark.parametrize(
    "told,served,state,well",
    [
        (task("a"), True, "running", True),
        (task("a", health="UNHEALTHY"), True, "running", False),
        (task("a"), False, "running", False),
        (task("a", "PENDING", health="UNKNOWN"), False, "starting", False),
        (task("a", "ACTIVATING", health="UNKNOWN"), False, "starting", False),
        (task("a", "RUNNING", "STOPPED"), True, "stopping", True),
        (task("a", "DEACTIVATING", "STOPPED"), False, "stopping", False),
        (task("a", "DEPROVISIONING", "STOPPED"), False, "stopping", False),
        (task("a", "STOPPED", "STOPPED"), False, None, None),
    ],
)
def test_a_task_is_healthy_where_ecs_and_the_balancer_say_so(aws, told, served, state, well):
    """Every phase of a task on ECS is one of a drill's; a stopped one is gone."""
    aws.answers["ecs:DescribeTasks"] = {"tasks": [told]}
    aws.answers["elbv2:DescribeTargetHealth"] = healthy("10.0.0.4") if served else healthy()
    found = deployed().tasks()
    assert [(one.name, one.address, one.state, one.healthy, one.started) for one in found] == (
        [("a", "10.0.0.4", state, well, MADE.timestamp())] if state else []
    )


def test_tasks_that_stopped_are_asked_for_once(aws):
    """ECS lists them for an hour; tasks that are being stopped are among them and are seen."""
    aws.answers["ecs:DescribeTasks"] = lambda asked: {
        "tasks": [
            {**task("x", "STOPPED", "STOPPED"), "taskArn": arn}
            if arn.endswith("stopped")
            else {**task("x"), "taskArn": arn}
            for arn in asked["tasks"]
        ]
    }
    target = deployed()
    assert [one.name for one in target.tasks()] == [one.name for one in target.tasks()] == ["running"]
    assert [len(one["tasks"]) for one in aws.asked("ecs:DescribeTasks")] == [2, 1]


def test_a_container_without_a_health_check_is_judged_by_the_balancer(aws):
    """ECS says UNKNOWN of it."""
    aws.answers["ecs:DescribeTaskDefinition"] = {
        "taskDefinition": {
            "containerDefinitions": [{key: value for key, value in CONTAINER.items() if key != "healthCheck"}]
        }
    }
    aws.answers["ecs:DescribeTasks"] = {"tasks": [task("a", health="UNKNOWN")]}
    assert deployed().tasks()[0].healthy


def test_as_many_tasks_are_wanted_as_there_are_now(aws):
    """A scaling policy may have changed what the template says; that is what a drill starts from."""
    aws.answers["ecs:DescribeServices"]["services"][0]["desiredCount"] = 5
    assert deployed().topology.service.desired == 5 and IN_STACK.service.desired == 2


def test_a_log_is_read_to_its_end(aws):
    """Page by page, also over an empty one, until the token stays the same."""
    pages = {"": ([1.5], "1"), "1": ([], "2"), "2": ([2.25], "3"), "3": ([], "3")}

    def page(asked: dict) -> dict:
        times, token = pages[asked.get("nextToken", "")]
        return {
            "events": [{"timestamp": int(one * 1000), "message": f"at {one}"} for one in times],
            "nextForwardToken": token,
        }

    aws.answers["logs:GetLogEvents"] = page
    target = deployed()
    target.tasks()
    assert target.logs("a", 1.2345) == [LogLine(1.5, "at 1.5"), LogLine(2.25, "at 2.25")]
    asked = aws.asked("logs:GetLogEvents")[0]
    assert (asked["logGroupName"], asked["logStreamName"], asked["startTime"]) == (
        "keycloak",
        "kc/keycloak/a",
        1234,
    )


def test_a_task_that_hasn_t_written_has_no_lines(aws):
    """Its stream isn't there yet; any other refusal is told. A log that goes elsewhere can't be read."""
    target = deployed()
    target.tasks()
    aws.answers["logs:GetLogEvents"] = refused("ResourceNotFoundException", "no such stream")
    assert target.logs("a") == [] and target.logs("nobody") == []
    del aws.answers["logs:GetLogEvents"]
    with pytest.raises(AwsError, match="AccessDenied"):
        target.logs("a")
    aws.answers["ecs:DescribeTaskDefinition"] = {
        "taskDefinition": {
            "containerDefinitions": [{**CONTAINER, "logConfiguration": {"logDriver": "splunk"}}]
        }
    }
    target = deployed()
    target.tasks()
    with pytest.raises(RehearsalError, match="isn't in CloudWatch Logs"):
        target.logs("a")


def test_a_secret_is_read_where_ecs_reads_it(aws):
    """By ARN, key and stage, as the task definition names them; parameters too; what ECS doesn't hand out
    isn't read."""
    aws.answers["secretsmanager:GetSecretValue"] = {"SecretString": json.dumps({"password": PASSWORD})}
    aws.answers["ssm:GetParameter"] = {"Parameter": {"Value": "another"}}
    target = deployed()
    assert target.secret("KC_BOOTSTRAP_ADMIN_PASSWORD") == PASSWORD and target.secret("OTHER") == "another"
    assert aws.asked("secretsmanager:GetSecretValue") == [{"SecretId": SECRET, "VersionStage": "AWSCURRENT"}]
    assert aws.asked("ssm:GetParameter") == [{"Name": "/keycloak/other", "WithDecryption": True}]
    assert (
        target.secret("KEYCLOAK_ADMIN_PASSWORD") is None
        and len(aws.asked("secretsmanager:GetSecretValue")) == 1
    )
    del aws.answers["secretsmanager:GetSecretValue"]
    with pytest.raises(
        AwsError, match="KC_BOOTSTRAP_ADMIN_PASSWORD can't be read: .*AccessDenied.*--credentials"
    ):
        target.secret("KC_BOOTSTRAP_ADMIN_PASSWORD")


# --- Ways in ---


def test_this_machine_stands_where_a_realm_can_be_made():
    """In an administrators' network where the template names one, else wherever there is a way in."""
    assert standing(DEV) == "admin" and standing(DEV, "internet") == "internet"
    everybody = with_rules(*BALANCER.listeners[0].rules, topology=DEV)
    assert standing(everybody) == "internet"
    with pytest.raises(RehearsalError, match="no way in from there: --from admin"):
        standing(everybody, "admin")


def test_doors_lead_where_dns_leads(aws):
    """One for each listener; somewhere else only if that is said; into an internal balancer not from the
    internet."""
    assert [
        (one.vantage, one.scheme, one.address, one.port, one.authorities) for one in deployed().doors()
    ] == [("admin", "http", "", 80, None), ("admin", "https", "", 443, None)]
    elsewhere = deployed(way=Way("admin", "127.0.0.1", 8443, "ca.pem", "203.0.113.9")).doors()
    assert {(one.address, one.port, one.listener_port, one.authorities, one.source) for one in elsewhere} == {
        ("127.0.0.1", 8443, 80, "ca.pem", "203.0.113.9"),
        ("127.0.0.1", 8443, 443, "ca.pem", "203.0.113.9"),
    }
    internal = replace(IN_STACK, balancers=(replace(BALANCER, internal=True),))
    assert (
        not deployed(internal, way=Way("internet")).doors() and deployed(internal, way=Way("inside")).doors()
    )


# --- Breaking, and putting right ---


def test_a_task_is_stopped_through_ecs(aws):
    """StopTask, with a reason that whoever looks at it later understands."""
    deployed().stop("a")
    assert aws.asked("ecs:StopTask") == [{"cluster": "there", "task": "a", "reason": "drill"}]


def test_what_aws_has_no_call_for_isn_t_done(aws):
    """Every method that can't do its work is named with why, and refuses."""
    target = deployed()
    assert set(target.unable) == {"kill", "freeze", "lose", "cut"} == set(UNABLE)
    for refusing in (target.kill, target.freeze, target.thaw, target.lose, target.heal):
        with pytest.raises(RehearsalError):
            refusing("a")
    with pytest.raises(RehearsalError, match="held back"):
        target.cut("a", "both")


def test_the_writer_of_a_cluster_is_rebooted(aws):
    """A database of the stack's own, by its own call; somebody else's is left alone."""
    aws.answers["rds:RebootDBInstance"] = {"DBInstance": {}}
    aws.answers["rds:DescribeDBClusters"] = {
        "DBClusters": [
            {
                "DBClusterMembers": [
                    {"DBInstanceIdentifier": "reader", "IsClusterWriter": False},
                    {"DBInstanceIdentifier": "writer", "IsClusterWriter": True},
                ]
            }
        ]
    }
    deployed().restart_database()
    aurora = replace(STACK, resources=(STACK.resources[0], ("Database", "AWS::RDS::DBCluster", "aurora")))
    deployed(stack=aurora).restart_database()
    assert [one["DBInstanceIdentifier"] for one in aws.asked("rds:RebootDBInstance")] == [
        "keycloak-db",
        "writer",
    ]
    foreign = deployed(stack=replace(STACK, resources=STACK.resources[:1]))
    assert foreign.unable["restart_database"] == "the database isn't the stack's own"
    with pytest.raises(RehearsalError, match="isn't the stack's own"):
        foreign.restart_database()


def test_a_deployment_is_done_when_it_is_the_only_one_and_complete(aws):
    """The one that was begun; nothing is changed by it."""
    target, service = deployed(), aws.answers["ecs:DescribeServices"]["services"][0]
    with pytest.raises(RehearsalError, match="as it is"):
        target.deploy({"KC_LOG_LEVEL": "debug"})
    target.deploy({})
    assert aws.asked("ecs:UpdateService") == [
        {"cluster": "there", "service": "keycloak", "forceNewDeployment": True}
    ]
    for deployments, done in (
        ([{"id": "new", "rolloutState": "COMPLETED"}], True),
        ([{"id": "new", "rolloutState": "IN_PROGRESS"}], False),
        ([{"id": "new", "rolloutState": "COMPLETED"}, {"id": "old", "rolloutState": "COMPLETED"}], False),
        ([{"id": "rollback", "rolloutState": "COMPLETED"}], False),
    ):
        service["deployments"] = deployments
        assert target.deployment_done() is done


def test_as_many_tasks_are_wanted_afterwards_as_before(aws):
    """A number that a drill changed is set back if it isn't; one that it never changed isn't touched."""
    target, service = deployed(), aws.answers["ecs:DescribeServices"]["services"][0]
    service["desiredCount"] = 7
    assert target.restore() == "" and not aws.asked("ecs:UpdateService")
    target.scale(3)
    assert target.restore() == "the service wants 2 tasks, as before"
    assert [one["desiredCount"] for one in aws.asked("ecs:UpdateService")] == [3, 2]
    service["desiredCount"] = 2
    target.restore()
    assert len(aws.asked("ecs:UpdateService")) == 2


# --- A drill ---


@pytest.fixture
def keycloak(tmp_path):
    """A little Keycloak, in front of which the administrators' network has a way in."""
    little = Little()
    with serving(little, tmp_path) as server:
        yield little, {"admin": server}


def test_what_can_t_be_done_isn_t_tried(keycloak):
    """Even if it is allowed: the reason stands in the report, and nothing was begun for it."""
    _, servers = keycloak
    target = Stand(servers=servers, local=False)
    target.unable = dict(UNABLE)
    names = [step.name for step in STEPS if step.needs in UNABLE]
    assert names == ["failover", "freeze", "lose", "cut-in", "cut-out", "cut"]
    found = drill(target, steps=names, knobs=QUICK, sleep=briefly, allow=("all",))
    told = {one.name.split(".")[0]: one.reason for one in found.promises if one.verdict == NOT_RUN}
    assert told == {step.name: UNABLE[step.needs] for step in STEPS if step.name in names} and not target.done


def test_whoever_isn_t_an_administrator_here_gets_no_broken_promise(tmp_path):
    """From the internet the admin API is rightly out of reach; in the administrators' network it may not
    be."""
    with serving(Little(admin_closed=True), tmp_path) as server:
        for vantage, verdict in (("internet", NOT_RUN), ("admin", BROKEN)):
            found = drill(
                Stand(servers={vantage: server}, local=False), steps=["discovery"], knobs=QUICK, sleep=briefly
            )
            assert verdicts(found)["provision.realm"] == verdict


def test_nothing_is_proved_by_asking_nothing(keycloak):
    """From an administrators' network alone, tricks to reach the admin console prove nothing."""
    _, servers = keycloak
    found = drill(Stand(servers=servers, local=False), steps=["paths"], knobs=QUICK, sleep=briefly)
    assert verdicts(found)["paths.tricks"] == NOT_RUN and verdicts(found)["paths.closed"] == KEPT


def test_what_was_changed_is_put_right_whatever_happens(keycloak):
    """After Ctrl-C, too; where it can't be, the report says what is left to do."""
    little, servers = keycloak

    class Changed(Stand):
        def restore(self) -> str:
            self.done.append("restored")
            if self.unable:
                raise RehearsalError("ecs:UpdateService: Throttled")
            return "the service wants 2 tasks, as before"

    def stop(progress) -> None:
        if progress.step == "login":
            raise KeyboardInterrupt

    target = Changed(servers=servers, local=False)
    found = drill(target, steps=["login"], knobs=QUICK, sleep=briefly, progress=stop)
    assert found.interrupted and target.done == ["restored"] and not little.realms
    assert verdicts(found)["cleanup.service"] == KEPT and verdicts(found)["cleanup.realm"] == KEPT
    target.unable = {"kill": "no"}
    found = drill(target, steps=["discovery"], knobs=QUICK, sleep=briefly)
    assert verdicts(found)["cleanup.service"] == BROKEN and not little.realms
    assert "Throttled" in next(one.reason for one in found.promises if one.name == "cleanup.service")


# --- The command line ---


def test_credentials_in_a_file_are_for_their_owner_alone(tmp_path):
    """A file that others may read is refused, and so is one that holds something else; no value is shown."""
    file = tmp_path / "admin.json"
    file.write_text(json.dumps({"username": "root", "password": PASSWORD}), "utf-8")
    file.chmod(0o640)
    with pytest.raises(RehearsalError, match=r"may be read by others \(mode 0640\): chmod 600"):
        from_file(file)
    file.chmod(0o600)
    assert from_file(file) == ("root", PASSWORD)
    for text in (
        "",
        "[]",
        "{}",
        '{"username": "root"}',
        f'{{"username": "root", "password": ["{PASSWORD}"]}}',
    ):
        file.write_text(text, "utf-8")
        with pytest.raises(RehearsalError, match="isn't a JSON object") as error:
            from_file(file)
        assert PASSWORD not in str(error.value)
    with pytest.raises(RehearsalError, match="can't be read"):
        from_file(tmp_path / "none.json")


@pytest.mark.parametrize(
    "arguments,code,said",
    [
        (["drill", "two", "--from", "admin"], 2, "--from is for --deployed"),
        (["drill", "two", "--allow", "stop"], 2, "--allow is for --deployed"),
        (["drill", "--deployed"], 2, "say which environment"),
        (["drill", "twoo", "--deployed"], 2, "neither a rendered environment"),
        (["drill", "rendered/two/template.yaml", "--deployed"], 2, "isn't a rendered environment"),
        (["drill", "two", "--deployed", "--connect", "host:port"], 2, "--connect takes HOST[:PORT]"),
        (["drill", "two", "--deployed", "--source", "me"], 2, "--source takes an IPv4 address"),
        (
            ["drill", "two", "--deployed", "--endpoint-url", "http://127.0.0.1:9"],
            4,
            "sts:GetCallerIdentity: Could not connect",
        ),
    ],
)
def test_usage_is_told_in_a_line(cloakform, monkeypatch, arguments, code, said):
    """What is missing or wrong, without a traceback."""
    monkeypatch.setenv("AWS_MAX_ATTEMPTS", "1")
    ran = cloakform(*arguments)
    assert ran.code == code and said in ran.err and "Traceback" not in ran.err and not ran.out


def test_credentials_of_another_account_end_it_with_3(cloakform, aws):
    """Nothing is drilled."""
    aws.answers["sts:GetCallerIdentity"] = {"Account": "999999999999"}
    ran = cloakform("drill", "two", "--deployed")
    assert ran.code == 3 and "belong to account 999999999999, the environment to 111122223333" in ran.err
    assert not ran.out


def test_no_credentials_end_it_with_2(cloakform, monkeypatch):
    """In one line."""
    monkeypatch.delenv("AWS_ACCESS_KEY_ID")
    ran = cloakform("drill", "two", "--deployed")
    assert (
        ran.code == 2 and ran.err.startswith("cloakform: no credentials for AWS") and ran.err.count("\n") == 1
    )
