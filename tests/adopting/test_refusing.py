"""What can't be adopted is refused in one sentence, and no secret is ever shown."""

from __future__ import annotations

import json

import pytest
from adoptions import ARN, adopt, loaded, task

from generator import adopting
from generator.adopting import AdoptionError

TEMPLATE = """\
Resources:
  Bucket: {Type: "AWS::S3::Bucket"}
"""

REFUSED = {
    "an empty file": ((" \n",), "is empty"),
    "an error message": (
        (
            (
                "\nAn error occurred (AccessDeniedException) when calling the DescribeTaskDefinition "
                "operation: no\n"
            ),
        ),
        "a call that failed: AccessDeniedException",
    ),
    "no JSON": (("{ not json",), "no JSON or YAML"),
    "a list": (("[1, 2]",), "no JSON or YAML"),
    "something else": (({"Vpcs": []},), "nothing that can be adopted"),
    "a call that found nothing": (
        (task(), {"services": [], "failures": [{"arn": "a", "reason": "MISSING"}]}),
        "MISSING",
    ),
    "no task definition": (({"TargetGroups": [{"TargetGroupArn": "a"}]},), "no task definition"),
    "two task definitions": ((task(), task()), "two task definitions"),
    "a template and a description": ((TEMPLATE, task()), "give one or the other"),
    "two templates": ((TEMPLATE, TEMPLATE), "two templates"),
    "a template without Keycloak": ((TEMPLATE,), "there is no Keycloak"),
    "no Keycloak": ((task(container={"image": "nginx:1", "command": [], "environment": []}),), "run nginx:1"),
    "EC2": ((task(requiresCompatibilities=["EC2"], compatibilities=["EC2"]),), "runs on EC2"),
    "EC2 by its service": (
        (task(), {"services": [{"serviceName": "sso", "taskDefinition": "sso:7", "launchType": "EC2"}]}),
        "runs on EC2",
    ),
    "bridge mode": ((task(requiresCompatibilities=[], networkMode="bridge"),), "runs on EC2"),
    "Windows": ((task(runtimePlatform={"operatingSystemFamily": "WINDOWS_SERVER_2022_CORE"}),), "Linux only"),
    "another service": (
        (task(), {"services": [{"serviceName": "x", "taskDefinition": "shop:1"}]}),
        "no service in it runs sso",
    ),
}


@pytest.mark.parametrize("case", REFUSED)
def test_nonsense_is_refused(case):
    """One clear error, which names the file and what to do."""
    files, said = REFUSED[case]
    with pytest.raises(AdoptionError) as refused:
        adopt(*files)
    assert said in str(refused.value) and "\n" not in str(refused.value) and "(" in str(refused.value)


@pytest.mark.parametrize(
    "odd",
    [
        {"taskDefinition": {"containerDefinitions": [None, 3, {"image": "keycloak", "environment": "x"}]}},
        {
            "containerDefinitions": [
                {"image": {"a": 1}, "command": {"b": 2}, "environment": [[], {"name": 4}]}
            ]
        },
        {
            "Resources": {
                "A": None,
                "B": {"Type": 3},
                "C": {"Type": "AWS::ECS::TaskDefinition", "Properties": []},
            }
        },
        {
            "containerDefinitions": [
                {"image": "keycloak:26.7.4", "environment": [{"name": "KC_DB"}], "portMappings": 3}
            ],
            "tags": "x",
            "volumes": {"a": 1},
            "cpu": [],
            "memory": {},
        },
    ],
)
def test_odd_shapes_never_break_it(odd):
    """Whatever stands in a file, it is adopted or refused, and nothing else happens."""
    try:
        assert adopt(odd).params
    except AdoptionError as refused:
        assert str(refused)


SECRETS = {
    "a variable": task({"KC_DB_PASSWORD": "hunter2hunter2"}),
    "a number": task({"KC_DB_PASSWORD": "hunter2hunter2", "SMTP_PASSWORD": "hunter2hunter2"}),
    "in a URL": task({"KC_DB_URL": "jdbc:postgresql://db.example.com/kc?user=a&password=hunter2hunter2"}),
    "credentials of a URL": task({"HTTPS_PROXY": "http://me:hunter2hunter2@proxy.example.com:3128"}),
    "in a JVM option": task({"JAVA_OPTS_APPEND": "-Dmy.password=hunter2hunter2 -Xmx1g"}),
    "on the command line": task(container={"command": ["start", "--db-password=hunter2hunter2"]}),
    "behind an option": task(container={"command": ["start", "--db-password", "hunter2hunter2"]}),
    "in a script": task(
        container={"command": ["sh", "-c", "KC_DB_PASSWORD=hunter2hunter2 exec kc.sh start"]}
    ),
    "of a provider": task({"KC_SPI_MAIL_SECRET": "hunter2hunter2"}),
    "of nobody": task({"MY_API_TOKEN": "hunter2hunter2"}),
    "in a log option": task(
        container={"logConfiguration": {"logDriver": "splunk", "options": {"splunk-token": "hunter2hunter2"}}}
    ),
    "a default of a parameter": (
        """
Parameters:
  Word: {Type: String, Default: hunter2hunter2}
  Other: {Type: String, NoEcho: true, Default: hunter2hunter2}
Mappings:
  Words: {prod: {word: hunter2hunter2}}
Resources:
  Store: {Type: "AWS::SecretsManager::Secret", Properties: {SecretString: hunter2hunter2}}
  Database: {Type: "AWS::RDS::DBInstance", Properties: {MasterUserPassword: hunter2hunter2, Engine: postgres}}
  Task:
    Type: AWS::ECS::TaskDefinition
    Properties:
      ContainerDefinitions:
        - Name: sso
          Image: quay.io/keycloak/keycloak:26.7.4
          Command: [start]
          Environment:
            - {Name: KC_DB_PASSWORD, Value: !Ref Word}
            - {Name: KC_DB_USERNAME, Value: admin}
            - {Name: KEYCLOAK_ADMIN_PASSWORD, Value: !FindInMap [Words, prod, word]}
            - {Name: KC_SPI_X_SECRET, Value: !If [Prod, hunter2hunter2, !Sub "hunter2hunter2"]}
"""
    ),
}


@pytest.mark.parametrize("where", SECRETS)
def test_a_secret_is_named_by_place_only(where):
    """Its place is told; its value stands nowhere in findings, report or params."""
    found = adopt(SECRETS[where])
    said = "\n".join([found.params, repr(found)])
    assert "hunter2" not in said and found.secrets
    assert all(pointer.startswith("/") and line > 0 for _, line, pointer, _ in found.secrets)


def test_addresses_of_secrets_are_no_secrets():
    """ARNs, dynamic references, user names, lengths and switches are left as they are."""
    found = adopt(
        task(
            {"KC_DB_USERNAME": "keycloak", "KC_SPI_X_PASSWORD_HASHING": "argon2"},
            container={"healthCheck": {"command": ["CMD", "true"]}},
        )
    )
    assert not found.secrets
    assert loaded(found)["database"]["existing"]["secret"].endswith(":secret:db-AbCdEf")


class TestCommand:
    """`cloakform adopt` as people run it."""

    def test_params_to_stdout_and_findings_to_stderr(self, project, cloakform):
        """Without a name the params can be piped; what is to be read goes to standard error."""
        project.write("task.json", json.dumps(task({"KC_ADMIN_HOSTNAME": "admin.example.com"})))
        ran = cloakform("adopt", "task.json")
        assert ran.code == 0 and ran.out.startswith("# yaml-language-server") and "E9001" in ran.err
        assert "[/taskDefinition/containerDefinitions/0/environment/6/name]" in ran.err

    def test_a_file_is_written_once(self, project, cloakform):
        """--env writes the environment; a file that is there stays unless --force is given."""
        project.write("task.json", json.dumps(task()))
        assert cloakform("adopt", "task.json", "--env", "old").code == 0
        project.write("params/old.yaml", "mine\n")
        ran = cloakform("adopt", "task.json", "--env", "old")
        assert ran.code == 2 and "is there already" in ran.err and project.read("params/old.yaml") == "mine\n"
        assert cloakform("adopt", "task.json", "--output", "params/old.yaml", "--force").code == 0
        assert project.read("params/old.yaml").startswith("# yaml-language-server")
        assert not [one for one in project.file("params").iterdir() if one.name.startswith(".")]

    def test_an_error_leaves_no_file(self, project, cloakform):
        """What can't be adopted writes nothing, and says so in one line without a traceback."""
        project.write("task.json", "{}")
        ran = cloakform("adopt", "task.json", "--env", "old")
        assert ran.code == 2 and ran.err.count("\n") == 1 and not project.file("params/old.yaml").exists()

    def test_json_has_everything_and_no_secret(self, project, cloakform):
        """Machines read findings with pointers, and places of secrets."""
        project.write("task.json", json.dumps(task({"KC_DB_PASSWORD": "hunter2hunter2"})))
        ran = cloakform("adopt", "task.json", "--format", "json")
        found = json.loads(ran.out)
        assert "hunter2" not in ran.out + ran.err and found["secrets"][0]["pointer"]
        assert {"findings", "corrected", "set_this", "not_carried", "stack", "params"} <= found.keys()


def test_one_target_groups_attributes_are_judged():
    """Attributes without an owner belong to the only target group; a file that belongs to nothing is named.
    """
    service = {
        "services": [
            {
                "serviceName": "sso",
                "taskDefinition": "sso",
                "desiredCount": 2,
                "loadBalancers": [
                    {
                        "targetGroupArn": ARN + "targetgroup/kc/1",
                        "containerName": "sso",
                        "containerPort": 8080,
                    }
                ],
            }
        ]
    }
    group = {
        "TargetGroups": [
            {
                "TargetGroupArn": ARN + "targetgroup/kc/1",
                "Protocol": "HTTP",
                "Port": 8080,
                "HealthCheckPort": "9000",
                "HealthCheckPath": "/health/ready",
            }
        ]
    }
    attributes = {
        "Attributes": [
            {"Key": "stickiness.enabled", "Value": "false"},
            {"Key": "deregistration_delay.timeout_seconds", "Value": "15"},
        ]
    }
    found = adopt(task(), attributes, group, service)
    assert loaded(found)["load_balancer"]["deregistration_delay_seconds"] == 15
    assert loaded(found)["load_balancer"]["stickiness_seconds"] == 1800
    assert any("attributes of a target group" in one for one in adopt(task(), attributes).notes)
    assert adopting.adopt([("a.json", json.dumps(task()))]).notes == ()
