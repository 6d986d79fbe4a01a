"""What `rehearse show` says about a topology."""

from __future__ import annotations

import json
from dataclasses import replace
from ipaddress import IPv4Address, IPv4Network

import pytest

from generator.rehearsing.show import as_text, describe
from generator.rehearsing.topology import (
    EVERY_PORT,
    Action,
    Balancer,
    Condition,
    Container,
    Database,
    Discovery,
    HealthCheck,
    Host,
    Listener,
    MutualTls,
    Permission,
    Rule,
    SecretField,
    Service,
    Subnet,
    TargetGroup,
    Task,
    Topology,
)

KEYCLOAK = Container(
    "keycloak",
    "quay.io/keycloak/keycloak:26.7.4",
    command=(
        "start",
        "--spi-x-password=open-sesame",
        "--db-url=jdbc:postgresql://db/x?user=u&password=hunter2&a=b",
    ),
    environment=(("KC_DB", "postgres"), ("KC_DB_PASSWORD", "written-down"), ("LINES", "a\nb")),
    secrets=(
        ("KC_TOKEN", SecretField("Secret", "token")),
        ("KC_USER", SecretField("Secret", "user", "hidden-name")),
    ),
    ports=(8080, 9000),
    health_check=HealthCheck(("CMD-SHELL", "true"), start_period=120),
    depends_on=(("init", "SUCCESS"),),
    volumes=(("data", "/data", True),),
)
FORWARD = Action("forward", (("Targets", 1),))
TOPOLOGY = Topology(
    name="small",
    file="small.yaml",
    region="eu-central-1",
    vpc=IPv4Network("10.1.0.0/24"),
    subnets=(Subnet("A", IPv4Network("10.1.0.0/25")),),
    task=Task("Task", "kc", 1024, 512, (Container("init", "busybox", essential=False), KEYCLOAK), "keycloak"),
    service=Service("Service", 1, 100, 200, groups=("Tasks",), subnets=("A",)),
    slots=(
        Host(
            "keycloak-1", IPv4Address("10.1.0.10"), ("Tasks",), "ip-10-1-0-10.eu-central-1.compute.internal"
        ),
        Host(
            "keycloak-2", IPv4Address("10.1.0.11"), ("Tasks",), "ip-10-1-0-11.eu-central-1.compute.internal"
        ),
    ),
    discovery=Discovery("kc.local", 15, "WEIGHTED", by_health=False, line=7),
    database=Database(
        "db", 5432, 16, "kc", SecretField("Db", "user"), SecretField("Db", "pw", "pw-literal"), True, 50, "Db"
    ),
    database_host=Host("database", IPv4Address("10.1.0.13"), ("Data",)),
    balancers=(
        Balancer(
            "Alb",
            Host("balancer", IPv4Address("10.1.0.12"), ("Front",)),
            False,
            (
                Listener(
                    "Https",
                    "HTTPS",
                    443,
                    (
                        Rule(
                            "Odd",
                            Action("authenticate-oidc"),
                            (Condition("path-pattern", regexes=("^/x$",)),),
                            5,
                        ),
                        Rule(
                            "Two",
                            Action("forward", (("Targets", 3), ("Other", 1))),
                            (
                                Condition("http-header", ("a", "b"), header="X-Is"),
                                Condition("source-ip", ("10.0.0.0/8",)),
                            ),
                            10,
                        ),
                        Rule(
                            "Gone",
                            Action("fixed-response", status=410),
                            (Condition("query-string", ("a=b",)),),
                            20,
                        ),
                        Rule("Https", Action("redirect", status=302, host="x.example", query="")),
                    ),
                    MutualTls("verify", "Trust"),
                ),
            ),
        ),
    ),
    target_groups=(
        TargetGroup("Targets", 8080, health_port=9000, stickiness=60),
        TargetGroup("Unused", 1, health_port=1),
    ),
    permissions=(
        Permission("Front", "ingress", "tcp", (443, 443), "", "0.0.0.0/0", "FrontIn", 1),
        Permission("Front", "egress", "-1", EVERY_PORT, "", "10.1.0.0/24", "FrontOut", 2),
        Permission("Tasks", "ingress", "tcp", (8080, 8080), "Front", "", "TasksIn", 3),
        Permission("Tasks", "egress", "tcp", (5432, 5432), "Data", "", "TasksOut", 4),
        Permission("Tasks", "ingress", "tcp", (7800, 7800), "Tasks", "", "ClusterIn", 5),
        Permission("Tasks", "egress", "tcp", (7800, 7810), "Tasks", "", "ClusterOut", 6),
        Permission("Tasks", "egress", "-1", EVERY_PORT, "", "127.0.0.1/32", "None", 7),
        Permission("Data", "ingress", "udp", EVERY_PORT, "Bastion", "", "Bastion", 8),
    ),
    version="26.7.4",
    notes=("Something was guessed (line 3).",),
)


@pytest.fixture(scope="module")
def text() -> str:
    """The whole text."""
    return as_text(TOPOLOGY)


@pytest.mark.parametrize(
    "line",
    [
        "small: Keycloak 26.7.4, 1 task in eu-central-1",
        "from small.yaml; VPC 10.1.0.0/24, DNS at 10.1.0.2",
        "a deployment keeps 1 and runs at most 2 at once",
        "  keycloak-1          10.1.0.10        Tasks",
        "  keycloak-2 (spare)  10.1.0.11        Tasks",
        "  database            10.1.0.13        Data",
        "  anywhere -> balancer: tcp 443",
        "  balancer -> 10.1.0.0/24: everything",
        "  balancer -> tasks: tcp 8080",
        "  tasks -> database: tcp 5432, which nothing lets in (line 4)",
        "  tasks -> tasks: tcp 7800-7810, which nothing lets in (line 6)",
        "  Bastion -> database: all udp, which nothing lets out (line 8)",
        "Balancer Alb (10.1.0.12)",
        "  HTTPS 443, client certificates: verify",
        "            5  path /^/x$/ => authenticate-oidc",
        "           10  header X-Is a or b and from 10.0.0.0/8 => Targets (3), Other (1)",
        "           20  query a=b => 410",
        "    otherwise  => 302 to #{protocol}://x.example:#{port}/#{path}",
        "  Targets: HTTP 8080; healthy by HTTP 9000 / = 200, 5 times every 30 s, sticky for 60 s; "
        "drains for 300 s",
        "  kc.local (A, TTL 15 s) answers with running tasks, healthy or not, one at random (line 7); that there is "
        "no such name is kept for 300 s",
        "  PostgreSQL 16 at db:5432, database kc, user with a generated name; refuses connections "
        "without TLS; at most 50 connections",
        "Container init",
        "  image busybox (not essential)",
        "  memory 1024 MiB; 30 s to stop; ports 8080, 9000",
        "  healthy by true",
        "    every 30 s, 5 s to answer, 3 failures after 120 s",
        "  after init: SUCCESS",
        "  volume data at /data (read-only)",
        "  KC_DB           postgres",
        "  LINES           a\\nb",
        "  KC_TOKEN        generated (Secret, token)",
        "  KC_USER         from Secret, user",
        "  - Something was guessed (line 3).",
    ],
)
def test_lines(text: str, line: str):
    """Hosts, ways, rules in order, discovery, database and containers are there in words."""
    assert line in text.splitlines(), text


def test_ways_that_work_come_first(text: str):
    """What both ends allow stands before what only one end does."""
    lines = text.splitlines()
    assert lines.index("  balancer -> tasks: tcp 8080") < lines.index(
        "  tasks -> database: tcp 5432, which nothing lets in (line 4)"
    )


def test_what_is_not_said(text: str):
    """The way to itself that takes the default away is none; a target group that no rule uses isn't
    listed."""
    assert "127.0.0.1" not in text
    assert "Unused" not in text


@pytest.mark.parametrize("secret", ["open-sesame", "hunter2", "written-down", "hidden-name", "pw-literal"])
def test_no_secret_is_shown(text: str, secret: str):
    """No value of a secret is said, whether the template has it in a secret, a variable, a URL or an
    option."""
    assert secret not in text
    assert secret not in json.dumps(describe(TOPOLOGY))


def test_what_is_beside_a_secret_stays():
    """Only the secret itself is hidden in a text that holds one."""
    command = describe(TOPOLOGY)["task"]["containers"][1]["command"]
    assert command == [
        "start",
        "--spi-x-password=(hidden)",
        "--db-url=jdbc:postgresql://db/x?user=u&password=(hidden)&a=b",
    ]


def test_data():
    """The same as data: addresses as text, permissions and rules with their lines."""
    found = json.loads(json.dumps(describe(TOPOLOGY)))
    assert found["vpc"] == "10.1.0.0/24" and found["resolver"] == "10.1.0.2"
    assert found["hosts"][0] == {
        "name": "keycloak-1",
        "address": "10.1.0.10",
        "groups": ["Tasks"],
        "hostname": "ip-10-1-0-10.eu-central-1.compute.internal",
        "started": True,
    }
    assert [one["started"] for one in found["hosts"][:2]] == [True, False]
    assert found["permissions"][2] == {
        "group": "Tasks", "direction": "ingress", "protocol": "tcp", "ports": [8080, 8080], "peer": "Front",
        "logical_id": "TasksIn", "line": 3,
    }  # fmt: skip
    rules = found["balancers"][0]["listeners"][0]["rules"]
    assert [one["priority"] for one in rules] == [5, 10, 20, None]
    assert rules[1]["action"] == {"kind": "forward", "target_groups": {"Targets": 3, "Other": 1}}
    assert rules[3]["action"]["location"] == "#{protocol}://x.example:#{port}/#{path}"
    assert found["database"]["username"] == {"secret": "Db", "field": "user", "value": "generated"}
    assert found["database"]["password"]["value"] == "from the template"
    assert (found["discovery"]["ttl"], found["discovery"]["negative_ttl"]) == (15, 300)


def test_without_discovery_database_and_balancer():
    """A topology without them says that no name answers, and has no part for what isn't there."""
    bare = replace(TOPOLOGY, discovery=None, database=None, database_host=None, balancers=(), notes=())
    text = as_text(bare)
    assert "  no name answers with the tasks' addresses" in text.splitlines()
    assert "Database" not in text and "Balancer" not in text and "guessing" not in text
    found = describe(bare)
    assert found["discovery"] is None and found["database"] is None and found["balancers"] == []
