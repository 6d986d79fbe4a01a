"""Templates become topologies: this project's own, and those of other people in the shapes they have."""

from __future__ import annotations

import copy
import ipaddress
import json
from collections import Counter

import pytest

from generator.document import parse
from generator.rehearsing.reading import read
from generator.rehearsing.show import as_text, describe
from generator.rehearsing.topology import EVERY_PORT, SecretField
from tests.rehearsing.foreign import (
    FOREIGN,
    OWN,
    changed,
    document,
    line,
    load,
    mentions,
    problems,
    ways,
)

# --- every template ---


@pytest.mark.parametrize("name", [*FOREIGN, *OWN])
def test_hosts_are_where_they_can_be(name: str):
    """Every host has an address of its own inside a subnet of the VPC, none of those AWS keeps, and a
    group."""
    topology = load(name)
    assert all(one.network.subnet_of(topology.vpc) for one in topology.subnets)
    for one in topology.subnets:
        assert not [
            other for other in topology.subnets if other is not one and other.network.overlaps(one.network)
        ]
    addresses = [host.address for host in topology.hosts]
    assert len(set(addresses)) == len(addresses)
    for host in topology.hosts:
        subnet = next(one.network for one in topology.subnets if host.address in one.network)
        offset = int(host.address) - int(subnet.network_address)
        assert 4 <= offset < subnet.num_addresses - 1
        assert host.groups
    names = [host.name for host in topology.hosts]
    assert len(set(names)) == len(names)
    assert len(topology.slots) >= topology.service.at_most + topology.service.desired


@pytest.mark.parametrize("name", [*FOREIGN, *OWN])
def test_groups_are_told_about(name: str):
    """Every group that a host is in has a permission, or it is one of the template's that has none."""
    topology = load(name)
    known = {one.group for one in topology.permissions} | set(document(name).resources)
    assert {group for host in topology.hosts for group in host.groups} <= known


@pytest.mark.parametrize("name", [*FOREIGN, *OWN])
def test_reading_again_gives_the_same(name: str):
    """The same template is the same topology, and it can be printed and written as JSON."""
    topology = load(name)
    assert topology == load(name)
    assert json.loads(json.dumps(describe(topology)))["name"] == topology.name
    assert as_text(topology).endswith("\n")


def test_whatever_this_project_renders_can_be_read(wholes):
    """Every choice that params offer gives a template of which a topology can be made, with its discovery and
    ports."""
    for name in wholes.names:
        whole = wholes[name]
        stack = json.loads(whole.hand_over.files["stack.json"])
        topology = read(whole.document, name, stack=stack, file=name)
        assert topology.version == stack["keycloak_version"], name
        assert topology.region == stack["region"], name
        assert bool(topology.discovery) == ("DiscoveryService" in whole.document.resources), name
        assert not topology.discovery or topology.discovery.name in str(topology.keycloak.environment), name
        assert not mentions(topology, "looks for its peers at"), name
        assert topology.database and topology.balancers, name
        closed = {one.ports for one in topology.permissions if one.group == "TaskSecurityGroup"}
        assert (7800, 7800) in closed, name


# --- this project's environments ---


def test_dev_network():
    """Hosts of dev: tasks in the private subnets in turn, balancer and database in the first of theirs."""
    topology = load("dev")
    assert topology.vpc == ipaddress.IPv4Network("10.40.0.0/20")
    assert topology.resolver == ipaddress.IPv4Address("10.40.0.2")
    assert [str(one.address) for one in topology.slots[:4]] == [
        "10.40.4.10",
        "10.40.5.10",
        "10.40.4.11",
        "10.40.5.11",
    ]
    assert topology.slots[0].hostname == "ip-10-40-4-10.eu-central-1.compute.internal"
    assert [one.name for one in topology.slots] == [f"keycloak-{number}" for number in range(1, 9)]
    assert str(topology.database_host.address) == "10.40.8.10"
    assert [str(one.host.address) for one in topology.balancers] == ["10.40.0.10"]
    assert [one.name for one in topology.subnets] == [
        f"{tier}Subnet{zone}" for tier in ("Public", "Private", "Database") for zone in "AB"
    ]
    assert topology.notes == ()


def test_dev_permissions():
    """Each permission of dev is there once, with the resource and the line that grants it."""
    topology = load("dev")
    assert Counter((one.group, one.direction) for one in topology.permissions) == {
        ("LoadBalancerSecurityGroup", "ingress"): 2,
        ("LoadBalancerSecurityGroup", "egress"): 3,
        ("TaskSecurityGroup", "ingress"): 4,
        ("TaskSecurityGroup", "egress"): 5,
        ("DatabaseSecurityGroup", "ingress"): 1,
        ("DatabaseSecurityGroup", "egress"): 1,
    }
    assert ways(topology, "TaskSecurityGroup") == {
        ("ingress", "tcp", (8080, 8080), "LoadBalancerSecurityGroup"),
        ("ingress", "tcp", (9000, 9000), "LoadBalancerSecurityGroup"),
        ("ingress", "tcp", (7800, 7800), "TaskSecurityGroup"),
        ("ingress", "tcp", (57800, 57800), "TaskSecurityGroup"),
        ("egress", "tcp", (7800, 7800), "TaskSecurityGroup"),
        ("egress", "tcp", (57800, 57800), "TaskSecurityGroup"),
        ("egress", "tcp", (5432, 5432), "DatabaseSecurityGroup"),
        ("egress", "tcp", (443, 443), "0.0.0.0/0"),
        ("egress", "-1", EVERY_PORT, "127.0.0.1/32"),
    }
    cluster = next(one for one in topology.permissions if one.logical_id == "TaskInCluster")
    assert cluster.line == line("dev", "  TaskInCluster:")


def test_dev_balancer():
    """Rules of dev by priority, the default action last, each with its line; health as the target group has
    it."""
    topology = load("dev")
    (balancer,) = topology.balancers
    http, https = balancer.listeners
    assert (http.protocol, http.port, https.protocol, https.port) == ("HTTP", 80, "HTTPS", 443)
    assert [rule.priority for rule in https.rules] == [10, 11, 12, 13, 101, 190, 201, 299, 301, None]
    assert [rule.action.kind for rule in https.rules[4:]] == [
        "forward", "redirect", "forward", "fixed-response", "forward", "fixed-response",
    ]  # fmt: skip
    admin = https.rules[4]
    assert [(one.field, one.values) for one in admin.conditions] == [
        ("host-header", ("sso-admin.dev.example.com",)),
        ("path-pattern", ("/admin/*", "/resources/*")),
        ("source-ip", ("203.0.113.0/24",)),
    ]
    assert admin.line == line("dev", "  AdminRule1:")
    assert admin.action.target_groups == (("TargetGroup", 1),)
    redirect = http.rules[-1].action
    assert (redirect.status, redirect.protocol, redirect.host, redirect.port) == (
        301,
        "HTTPS",
        "#{host}",
        "443",
    )
    (group,) = topology.target_groups
    assert (group.port, group.health_port, group.health_path, group.health_codes) == (
        8080,
        9000,
        "/health/ready",
        "200",
    )
    assert (group.stickiness, group.deregistration_delay, group.interval, group.healthy) == (1800, 20, 5, 2)
    assert balancer.drop_invalid_headers and balancer.forwarded_for == "append" and not balancer.internal


def test_dev_task():
    """The container of dev has the template's image, command, variables and check, and a database it can
    reach."""
    topology = load("dev")
    keycloak = topology.keycloak
    assert keycloak.command == ("start",)
    assert keycloak.image.endswith(f":{topology.version}")
    assert (keycloak.stop_timeout, keycloak.init, keycloak.ulimits) == (60, True, (("nofile", 65535, 65535),))
    assert (keycloak.health_check.interval, keycloak.health_check.start_period) == (15, 300)
    assert keycloak.health_check.command[0] == "CMD-SHELL"
    assert keycloak.ports == (8080, 9000, 7800, 57800)
    assert keycloak.variable("KC_DB_URL_HOST") == topology.database.host
    assert keycloak.variable("KC_DB_URL_PORT") == "5432"
    assert dict(keycloak.secrets)["KC_DB_PASSWORD"] == SecretField("DatabaseSecret", "password")
    assert dict(keycloak.lines)["KC_DB_PASSWORD"] == line("dev", "KC_DB_PASSWORD")
    assert (topology.task.memory, topology.task.cpu) == (1024, 512)
    assert topology.service.at_most == 3


def test_dev_database_and_discovery():
    """The database of dev is the one its instance and parameter group describe; the name is the registered
    one."""
    topology = load("dev")
    database = topology.database
    assert (database.major, database.name, database.port, database.force_tls) == (17, "keycloak", 5432, True)
    # By the class db.t4g.micro, as no parameter says otherwise.
    assert database.max_connections == 112
    assert database.username == SecretField("DatabaseSecret", "username", "keycloak")
    assert database.password == SecretField("DatabaseSecret", "password")
    assert topology.discovery.name == "keycloak.keycloak-dev.internal"
    assert (topology.discovery.ttl, topology.discovery.routing, topology.discovery.by_health) == (
        10,
        "MULTIVALUE",
        True,
    )
    assert (topology.discovery.negative_ttl, topology.discovery.kept) == (10, 10)
    assert 0 < topology.discovery.namespace_line < topology.discovery.line


def test_prod_is_started_as_autoscaling_keeps_it():
    """Without a DesiredCount there are as many tasks as autoscaling keeps at least, over all zones."""
    topology = load("prod")
    assert (topology.service.desired, topology.service.at_most, topology.service.at_least) == (3, 4, 3)
    assert {str(one.address)[:8] for one in topology.slots[:3]} == {"10.50.64", "10.50.80", "10.50.96"}
    assert mentions(topology, "Autoscaling keeps at least 3 tasks")


def test_staging_network_is_made_up():
    """For a VPC that exists a range is taken from what Keycloak trusts, and everything made up is in the
    notes."""
    topology = load("staging")
    assert topology.vpc == ipaddress.IPv4Network("10.60.0.0/16")
    assert mentions(topology, "10.60.0.0/16 is taken for it: Keycloak trusts the proxies in it")
    assert mentions(topology, "subnet-0bbbbbbbbbbbbbbb1 10.60.2.0/24")
    assert topology.database_host.groups == ("sg-0a1b2c3d4e5f67890",)
    assert ways(topology, "sg-0a1b2c3d4e5f67890") >= {
        ("ingress", "-1", EVERY_PORT, "0.0.0.0/0"),
        ("egress", "-1", EVERY_PORT, "0.0.0.0/0"),
    }
    assert mentions(topology, "doesn't hold the security group sg-0a1b2c3d4e5f67890")
    assert [one.logical_id for one in topology.balancers] == ["LoadBalancer", "AdminLoadBalancer"]
    assert [one.host.name for one in topology.balancers] == ["balancer", "balancer-2"]
    assert [one.logical_id for one in topology.target_groups] == ["TargetGroup", "AdminTargetGroup"]
    assert topology.database.force_tls and topology.database.logical_id == ""


# --- other people's templates ---


def test_classic():
    """JSON, joined texts, mappings, inline groups, old-style conditions, a password parameter that nobody
    sees."""
    topology = load("classic.json")
    assert topology.version == "25.0.6"
    assert topology.region == "eu-west-1"
    assert (topology.task.cpu, topology.task.memory, topology.service.desired) == (512, 1024, 2)
    (listener,) = topology.balancers[0].listeners
    assert [(rule.priority, rule.action.kind) for rule in listener.rules] == [
        (10, "forward"), (20, "fixed-response"), (None, "forward"),
    ]  # fmt: skip
    assert listener.rules[0].conditions[0].values == ("/admin*",)
    assert listener.rules[0].conditions[1].values == ("192.0.2.0/24", "198.51.100.7/32")
    assert listener.rules[1].action.body == "Forbidden"
    keycloak = topology.keycloak
    assert keycloak.variable("KC_DB_URL") == f"jdbc:postgresql://{topology.database.host}:5432/keycloak"
    assert keycloak.command == ("start", "--hostname=login.example.org")
    assert dict(keycloak.secrets) == {"KC_DB_PASSWORD": SecretField("DbPassword")}
    assert topology.database.password == SecretField("DbPassword")
    assert topology.database.username.literal == "keycloak"
    assert (topology.database.major, topology.database.force_tls) == (14, False)
    assert topology.discovery.name == "kc.qa.local"
    assert not topology.discovery.by_health
    assert topology.target_groups[0].health_codes == "200-299,302"
    assert topology.target_groups[0].stickiness == 86400
    assert ("ingress", "tcp", (443, 443), "0.0.0.0/0") in ways(topology, "BalancerGroup")
    assert ("egress", "-1", EVERY_PORT, "0.0.0.0/0") in ways(topology, "BalancerGroup")
    assert ("ingress", "tcp", (5432, 5432), "172.20.0.0/16") in ways(topology, "DbGroup")
    assert ("ingress", "tcp", EVERY_PORT, "TaskGroup") in ways(topology, "TaskGroup")


def test_classic_with_parameters():
    """Given parameters win over defaults, all the way into the discovery name."""
    topology = load("classic.json", Environment="live", KeycloakVersion="26.0.8", DbPassword="chosen-by-hand")
    assert topology.service.desired == 4
    assert topology.discovery.name == "kc.live.local"
    assert topology.version == "26.0.8"
    assert topology.keycloak.variable("KC_DB_PASSWORD") == "chosen-by-hand"
    assert "chosen-by-hand" not in as_text(topology) + json.dumps(describe(topology))


def test_shared_balancer():
    """VPC, subnets, listener and database of other stacks: made up, each with a note; no Cloud Map is no
    discovery."""
    topology = load("shared-balancer.yaml")
    assert topology.discovery is None
    assert topology.service.subnets == ("SubnetIds-1", "SubnetIds-2")
    (balancer,) = topology.balancers
    assert balancer.host.groups == ("BalancerSecurityGroup",)
    assert [(one.protocol, one.port) for one in balancer.listeners] == [("HTTPS", 443)]
    (listener,) = balancer.listeners
    assert [(rule.priority, rule.action.kind, rule.action.status) for rule in listener.rules] == [
        (500, "forward", 0), (None, "fixed-response", 404),
    ]  # fmt: skip
    database = topology.database
    assert (database.host, database.port, database.name) == ("pg.shared.internal", 6432, "identity")
    assert database.force_tls
    assert database.username == SecretField("/identity/db/username")
    assert database.password.secret == "arn:aws:ssm:eu-west-2:123456789012:parameter/identity/db/password"
    assert topology.vpc == ipaddress.IPv4Network("10.8.0.0/16")
    assert balancer.host.address in ipaddress.IPv4Network("10.8.0.0/22")
    assert (topology.task.cpu, topology.task.memory) == (1024, 2048)
    assert topology.version == "26.1.4"
    for text in (
        "listener ListenerArn",
        "list of 2 subnets",
        "exists already",
        "security groups of the database",
    ):
        assert mentions(topology, text), text


def test_shared_balancer_with_ids():
    """Ids that are given are the names of what exists."""
    topology = load(
        "shared-balancer.yaml", SubnetIds="subnet-1,subnet-2,subnet-3", BalancerSecurityGroup="sg-7"
    )
    assert topology.service.subnets == ("subnet-1", "subnet-2", "subnet-3")
    assert topology.balancers[0].host.groups == ("sg-7",)
    assert not mentions(topology, "list of 2 subnets")


def test_aurora():
    """Aurora is a PostgreSQL of its major; RDS' own secret is user and password; JDBC_PING needs no
    discovery."""
    topology = load("aurora.yaml")
    database = topology.database
    assert (database.logical_id, database.major, database.port, database.name) == ("Aurora", 16, 5433, "kc")
    assert database.force_tls and database.max_connections == 300
    assert database.username == SecretField("Aurora.MasterUserSecret", "username", "root1")
    assert database.password == SecretField("Aurora.MasterUserSecret", "password")
    assert topology.keycloak.variable("KC_DB_URL_PORT") == "5433"
    assert topology.keycloak.variable("KC_HOSTNAME") == f"http://{topology.balancers[0].dns_name}"
    assert topology.discovery is None
    assert mentions(topology, "Aurora is rehearsed as PostgreSQL")
    assert [str(one.network) for one in topology.subnets] == ["10.9.0.0/24", "10.9.1.0/24"]
    assert ways(topology, "Open") == {
        ("ingress", "-1", EVERY_PORT, "Open"),
        ("ingress", "tcp", (80, 80), "0.0.0.0/0"),
        ("egress", "-1", EVERY_PORT, "0.0.0.0/0"),
    }


def test_two_services():
    """Of several services the one that runs Keycloak is taken, though another has it in its image's name."""
    topology = load("two-services.yaml")
    assert topology.service.logical_id == "AuthService"
    assert topology.task.keycloak == "auth"
    assert topology.database is None and topology.database_host is None
    assert mentions(topology, "every task has one of its own")
    assert [one.logical_id for one in topology.target_groups] == ["BlueTargets"]
    assert topology.balancers[0].listeners[0].rules[0].action.target_groups == (
        ("BlueTargets", 90),
        ("AppTargets", 10),
    )
    assert ways(topology, "Everything") == {
        ("ingress", "udp", EVERY_PORT, "10.70.0.0/24"),
        ("egress", "-1", EVERY_PORT, "0.0.0.0/0"),
    }
    assert topology.keycloak.variable("KC_HOSTNAME_STRICT") == "false"
    assert topology.service.at_most == 1 and topology.service.at_least == 0
    assert topology.slots[0].hostname == "ip-10-70-0-10.ec2.internal"


def test_sidecar():
    """Every container of the task is there, in order, with its dependencies; volumes and privileges aren't
    the machine's."""
    topology = load("sidecar.yaml")
    assert [one.name for one in topology.task.containers] == ["providers", "nginx", "keycloak"]
    providers, nginx, keycloak = topology.task.containers
    assert topology.keycloak is keycloak
    assert not providers.essential and nginx.essential
    assert providers.command == ("sh", "-c", "cp /jars/*.jar /providers/\nexit 0\n")
    assert nginx.depends_on == (("keycloak", "HEALTHY"),)
    assert keycloak.depends_on == (("providers", "SUCCESS"),)
    assert keycloak.volumes == (
        ("providers", "/opt/keycloak/providers", True),
        ("data", "/opt/keycloak/data", False),
    )
    assert keycloak.read_only and keycloak.user == "1000:0" and keycloak.working_directory == "/opt/keycloak"
    assert keycloak.memory == 900 and keycloak.stop_timeout == 120
    assert keycloak.variable("KC_DB") == "postgres"
    assert (topology.task.cpu, topology.task.memory) == (512, 1024)
    secrets = dict(keycloak.secrets)
    assert secrets["KEYCLOAK_ADMIN_PASSWORD"] == SecretField("AdminPassword")
    assert secrets["KC_DB_USERNAME"] == SecretField("DbUser", literal="keycloak_app")
    assert secrets["KC_DB_PASSWORD"] == SecretField(
        "arn:aws:secretsmanager:us-west-2:123456789012:secret:prod/kc-AbCdEf", "pw"
    )
    assert str(topology.database_host.address) == topology.database.host == "192.168.10.14"
    assert topology.target_groups[0].port == 8443
    assert mentions(topology, "no privileges") and mentions(topology, "made-up values for Config, Config.Arn")


def test_conditions():
    """What conditions take away isn't there: rules, subnets, a database, list items; what they choose is."""
    topology = load("conditions.yaml")
    assert topology.service.desired == 2
    assert topology.service.subnets == ("Left",)
    assert topology.database.host == "pg.corp.example" and topology.database.logical_id == ""
    assert topology.keycloak.variable("KC_HOSTNAME_ADMIN") is None
    assert (
        topology.keycloak.variable("JAVA_OPTS_APPEND")
        == "-Djgroups.dns.query=entry.test.corp -Dfoo=$${literal}"
    )
    assert ways(topology, "Tasks") == {
        ("ingress", "tcp", (7800, 7800), "10.33.0.0/16"),
        ("ingress", "tcp", (8787, 8787), "10.33.200.0/24"),
        ("egress", "-1", EVERY_PORT, "0.0.0.0/0"),
    }
    assert (topology.discovery.name, topology.discovery.ttl) == ("entry.test.corp", 15)
    assert topology.discovery.routing == "WEIGHTED"
    assert topology.version == ""


def test_conditions_the_other_way():
    """The same template with other parameters is another design."""
    topology = load("conditions.yaml", Stage="prod", ExtraHost="https://admin.example.com")
    assert topology.service.desired == 3
    assert topology.service.subnets == ("Left", "Right")
    assert (topology.task.cpu, topology.task.memory) == (4096, 8192)
    assert topology.database.logical_id == "Database"
    assert topology.keycloak.variable("KC_HOSTNAME_ADMIN") == "https://admin.example.com"
    assert ways(topology, "Tasks") == {
        ("ingress", "tcp", (7800, 7800), "10.44.0.0/16"),
        ("ingress", "tcp", (57800, 57800), "Tasks"),
        ("egress", "-1", EVERY_PORT, "127.0.0.1/32"),
    }
    assert dict(topology.keycloak.secrets)["KC_DB_PASSWORD"] == SecretField(
        "Database.MasterUserSecret", "password"
    )
    assert topology.discovery.routing == "MULTIVALUE"


def test_imports():
    """What other stacks export keeps the export's name; the namespace is what Keycloak asks for."""
    topology = load("imports.yaml")
    assert topology.discovery.name == "sso.corp.internal"
    assert topology.discovery.ttl == 300
    # What the namespace says isn't known.
    assert (topology.discovery.negative_ttl, topology.discovery.namespace_line) == (300, 0)
    assert topology.service.subnets == ("private-subnets-1", "private-subnets-2")
    assert topology.balancers[0].host.groups == ("alb-sg",)
    assert topology.balancers[0].listeners[0].rules[-1].action.target_groups == (("target-group", 1),)
    assert topology.database_host.groups == ("db-sg",)
    assert topology.database.host == "pg.example.net"
    assert dict(topology.keycloak.secrets)["KC_DB_PASSWORD"] == SecretField(
        "Secret", "pass", "not-so-secret-9"
    )
    assert "not-so-secret-9" not in as_text(topology) + json.dumps(describe(topology))
    assert topology.vpc == ipaddress.IPv4Network("10.100.16.0/20")
    assert ("egress", "tcp", (443, 443), "pl-63a5400a") in ways(topology, "Group")
    assert mentions(topology, "prefix list pl-63a5400a") and mentions(topology, "protocol 50")


def test_proxy_and_a_forgotten_registry():
    """A proxy is the database's door; a name that the service doesn't register with never answers."""
    topology = load("proxy.yaml")
    assert topology.discovery is None
    assert mentions(topology, "Service doesn't register its tasks with Forgotten")
    assert mentions(topology, "Keycloak looks for its peers at keycloak.kc.local, but no name answers")
    database = topology.database
    assert (database.major, database.name, database.force_tls) == (15, "keycloak", True)
    assert database.host == "kc-proxy.proxy-rehearsal.us-east-1.rds.amazonaws.com"
    assert database.groups == ("ProxyGroup",)
    assert database.username == SecretField("Secret", "username", "kcadmin")
    assert database.password == SecretField("Secret", "password")
    assert topology.keycloak.variable("KC_DB_URL_DATABASE") == "keycloak"
    assert topology.keycloak.variable("KC_DB_URL_PORT") == "5432"
    assert set(dict(topology.keycloak.secrets)) == {"KC_DB_USERNAME", "KC_DB_PASSWORD"}


def test_rules():
    """Every kind of condition, action and attribute comes through; what can't be rehearsed is named."""
    topology = load("rules.yaml")
    (balancer,) = topology.balancers
    assert balancer.internal and balancer.preserve_host
    assert (balancer.forwarded_for, balancer.idle_timeout) == ("remove", 120)
    (listener,) = balancer.listeners
    assert listener.mutual_tls.mode == "verify" and listener.mutual_tls.trust_store == "Trust"
    assert [rule.logical_id for rule in listener.rules] == ["Paths", "Plain", "Methods", "Https"]
    paths, plain, methods, default = listener.rules
    assert paths.action.kind == "authenticate-oidc"
    assert paths.conditions[0].regexes == ("^/realms/[a-z]+/.*$",)
    assert (paths.conditions[1].header, paths.conditions[1].values) == ("User-Agent", ("*Mozilla*", "*curl*"))
    assert paths.conditions[2].values == ("10.0.0.0/8", "2001:db8::/32")
    assert plain.action.target_groups == (("Targets", 1),)
    assert methods.conditions[0].values == ("TRACE", "TRACK")
    assert methods.conditions[1].values == ("debug=*", "=*evil*")
    redirect = default.action
    assert (redirect.status, redirect.host, redirect.path, redirect.query) == (
        302,
        "www.#{host}",
        "/moved/#{path}",
        "",
    )
    (group,) = topology.target_groups
    assert (group.protocol, group.port, group.health_port, group.health_protocol) == (
        "HTTPS",
        8443,
        8443,
        "HTTPS",
    )
    assert (group.stickiness, group.application_cookie) == (600, "AUTH_SESSION_ID")
    assert group.algorithm == "least_outstanding_requests" and group.deregistration_delay == 15
    assert topology.service.groups == ("vpc-default",)
    assert ways(topology, "vpc-default") == {
        ("ingress", "-1", EVERY_PORT, "vpc-default"),
        ("egress", "-1", EVERY_PORT, "0.0.0.0/0"),
    }
    assert topology.discovery is None
    for text in ("does authenticate-oidc", "Launch type EC2", "Service Connect", "No DesiredCount"):
        assert mentions(topology, text), text


def test_synthesized():
    """What the CDK writes: hashed names, permissions with the database's port, a secret with its
    attachment."""
    topology = load("synthesized.json")
    assert topology.keycloak.image == "123456789012.dkr.ecr.us-east-1.amazonaws.com/idp/keycloak:26.5.5"
    assert ways(topology, "DbSecurityGroup77") == {
        ("egress", "icmp", EVERY_PORT, "255.255.255.255/32"),
        ("ingress", "tcp", (5432, 5432), "ServiceSecurityGroup99"),
    }
    # The group has no egress of its own; the separate permission doesn't take the default away.
    assert ("egress", "-1", EVERY_PORT, "0.0.0.0/0") in ways(topology, "LbSecurityGroupAA")
    assert topology.database.username.literal == "postgres"
    assert topology.database.password == SecretField("DbSecretB1", "password")
    assert topology.discovery.name == "idp.svc.test"
    assert topology.target_groups[0].stickiness is None
    assert topology.version == "26.5.5"


# --- smaller shapes ---


def test_network_that_overlaps_nothing_it_names():
    """A made-up VPC lies outside of the networks that the template talks to."""
    found = changed("shared-balancer.yaml", '"10.8.0.0/22"', '"203.0.113.7"')
    ldap = "{GroupId: !Ref TaskGroup, IpProtocol: tcp, FromPort: 636, ToPort: 636, CidrIp: 10.0.5.0/24}"
    resource = f"  Ldap:\n    Type: AWS::EC2::SecurityGroupEgress\n    Properties: {ldap}\n"
    text = found.text.replace("  Jgroups:\n", f"{resource}  Jgroups:\n")
    topology = read(parse(text, "x"), "x", file="x")
    assert topology.vpc == ipaddress.IPv4Network("10.1.0.0/16")
    assert mentions(topology, "nothing tells its range")


def test_password_that_differs_from_the_database():
    """Where Keycloak logs in as the database's user with another secret, the database keeps its own
    password."""
    found = changed(
        "synthesized.json",
        '{"Ref": "DbSecretAttachmentC1"}, ":password::"',
        '{"Ref": "OtherSecret"}, ":password::"',
    )
    data = json.loads(found.text)
    data["Resources"]["OtherSecret"] = copy.deepcopy(data["Resources"]["DbSecretB1"])
    topology = read(parse(json.dumps(data), "x"), "x", file="x")
    assert topology.database.password == SecretField("DbSecretB1", "password")
    assert dict(topology.keycloak.secrets)["KC_DB_PASSWORD"] == SecretField("OtherSecret", "password")
    assert mentions(topology, "Keycloak logs in with OtherSecret:password")


def test_user_that_somebody_makes():
    """A user of Keycloak's own, which no template can make, is the database's user in a rehearsal."""
    theirs = '!Sub "${Aurora.MasterUserSecret.SecretArn}:username::"'
    topology = read(changed("aurora.yaml", theirs, "/kc/user"), "x", file="x")
    assert topology.database.username == SecretField("/kc/user")
    assert topology.database.password == SecretField("Aurora.MasterUserSecret", "password")


def test_url_in_a_secret():
    """A JDBC URL that comes from a secret is the one of the rehearsal's database, not a random text."""
    found = changed(
        "synthesized.json",
        '{"Name": "KC_DB_USERNAME"',
        '{"Name": "KC_DB_URL", "ValueFrom": "/kc/url"}, {"Name": "KC_DB_USERNAME"',
    )
    topology = read(found, "x", file="x")
    assert (
        topology.keycloak.variable("KC_DB_URL") == f"jdbc:postgresql://{topology.database.host}:5432/keycloak"
    )
    assert "KC_DB_URL" not in dict(topology.keycloak.secrets)


def test_host_by_a_dns_record():
    """A host name that a record of the template points at its database is that database."""
    found = changed("aurora.yaml", "Value: !GetAtt Aurora.Endpoint.Address}", "Value: db.corp.example}")
    alias = (
        "{Name: db.corp.example., Type: CNAME, TTL: 60, ResourceRecords: [!GetAtt Aurora.Endpoint.Address]}"
    )
    resource = f"  Alias:\n    Type: AWS::Route53::RecordSet\n    Properties: {alias}\n"
    text = found.text.replace("  Writer:\n", f"{resource}  Writer:\n")
    topology = read(parse(text.replace("!GetAtt Aurora.Endpoint.Port}", '"5433"}'), "x"), "x", file="x")
    assert (topology.database.logical_id, topology.database.host) == ("Aurora", "db.corp.example")


def test_options_on_the_command_line():
    """Options of the command win over variables, in both ways to write them."""
    options = "--db-url=jdbc:postgresql://cmd.example:7777/cli, --db-username, cli_user"
    found = changed("shared-balancer.yaml", "[start, --optimized]", f"[start, {options}]")
    database = read(found, "x", file="x").database
    assert (database.host, database.port, database.name) == ("cmd.example", 7777, "cli")
    assert database.username.literal == "cli_user"


def test_database_that_keycloak_does_not_ask_for():
    """The database has the name RDS gives it, though Keycloak asks for another."""
    topology = read(
        changed("aurora.yaml", "KC_DB_URL_DATABASE, Value: kc", "KC_DB_URL_DATABASE, Value: other"),
        "x",
        file="x",
    )
    assert topology.database.name == "kc"
    assert mentions(topology, "asks for the database other, but Aurora is made with kc")


def test_lines_are_those_of_the_branch():
    """A value behind Fn::If has the line in which it is written."""
    topology = load("conditions.yaml")
    assert dict(topology.keycloak.lines)["JAVA_OPTS_APPEND"] == line(
        "conditions.yaml", "Name: JAVA_OPTS_APPEND"
    )
    permission = next(one for one in topology.permissions if one.ports == (8787, 8787))
    assert permission.line == line("conditions.yaml", "FromPort: 8787")


def test_several_services_and_the_one_that_is_named():
    """Where two services run Keycloak alike, the one to rehearse has to be named; it is then."""
    text = document("aurora.yaml").text
    at = text.index("  Service:\n")
    twice = parse(text + text[at:].replace("  Service:\n", "  Second:\n", 1), "x")
    (said,) = problems(twice)
    assert "several services run Keycloak" in said and "--service" in said
    assert read(twice, "x", file="x", service="Second").service.logical_id == "Second"
