"""Topologies written by hand, for the tests of what is made from them."""

from __future__ import annotations

from dataclasses import replace
from ipaddress import IPv4Address, IPv4Network

from generator.rehearsing.topology import (
    EVERY_PORT,
    Action,
    Balancer,
    Condition,
    Container,
    Database,
    Discovery,
    Host,
    Listener,
    Permission,
    Rule,
    SecretField,
    Service,
    Subnet,
    TargetGroup,
    Task,
    Topology,
)

PUBLIC, ADMIN = "sso.example.com", "sso-admin.example.com"

FORWARD = Action("forward", (("TargetGroup", 1),))
NOT_FOUND = Action("fixed-response", status=404)


def path(*values: str, **more) -> Condition:
    """A path condition."""
    return Condition("path-pattern", values, **more)


def host(*values: str, **more) -> Condition:
    """A host condition."""
    return Condition("host-header", values, **more)


def source(*values: str) -> Condition:
    """A source address condition."""
    return Condition("source-ip", values)


def rule(logical_id: str, priority: int | None, action: Action, *conditions: Condition) -> Rule:
    """A rule; its line is its priority."""
    return Rule(logical_id, action, conditions, priority, line=priority or 1)


RULES = (
    rule(
        "ForwardedRule",
        10,
        Action("fixed-response", status=400),
        Condition("http-header", ("*",), header="Forwarded"),
    ),
    rule("AdminRule", 101, FORWARD, host(ADMIN), path("/admin/*", "/resources/*"), source("203.0.113.0/24")),
    rule(
        "AdminStartRule",
        190,
        Action("redirect", status=302, path="/admin/master/console/"),
        host(ADMIN),
        path("/", "/admin"),
    ),
    rule(
        "MasterRule",
        201,
        FORWARD,
        host(PUBLIC),
        path("/realms/master", "/realms/master/*"),
        source("203.0.113.0/24"),
    ),
    rule("MasterClosedRule", 299, NOT_FOUND, host(PUBLIC), path("/realms/master", "/realms/master/*")),
    rule("PublicRule", 301, FORWARD, host(PUBLIC), path("/realms/*", "/resources/*", "/.well-known/*")),
    rule("HttpsListener", None, NOT_FOUND),
)

HTTPS = Listener("HttpsListener", "HTTPS", 443, RULES, line=336)
HTTP = Listener(
    "HttpListener",
    "HTTP",
    80,
    (rule("HttpListener", None, Action("redirect", status=301, protocol="HTTPS", port="443")),),
    line=327,
)

BALANCER = Balancer(
    "LoadBalancer",
    Host("balancer", IPv4Address("10.40.0.10"), ("BalancerGroup",)),
    False,
    (HTTP, HTTPS),
    drop_invalid_headers=True,
    line=312,
)

TARGET_GROUP = TargetGroup(
    "TargetGroup",
    8080,
    health_port=9000,
    health_path="/health/ready",
    interval=10,
    healthy=2,
    stickiness=1800,
    deregistration_delay=60,
    line=347,
    health_line=356,
)

SLOTS = tuple(
    Host(
        f"keycloak-{number}",
        IPv4Address(f"10.40.4.{9 + number}"),
        ("TaskGroup",),
        f"ip-10-40-4-{9 + number}.eu-central-1.compute.internal",
    )
    for number in range(1, 5)
)


def permission(group: str, direction: str, peer: str, port: int | None, logical_id: str = "") -> Permission:
    """A TCP permission to a port, or one for everything; `peer` is a group, or a network where it has a
    dot."""
    network = peer if "." in peer or peer.startswith("pl-") else ""
    return Permission(
        group,
        direction,
        "tcp" if port else "-1",
        (port, port) if port else EVERY_PORT,
        "" if network else peer,
        network,
        logical_id or f"{group}{direction.title()}{port or 'All'}",
        77,
    )


def between(one: str, other: str, port: int) -> tuple[Permission, Permission]:
    """Both ends of a connection from `one` to `other`."""
    return permission(one, "egress", other, port), permission(other, "ingress", one, port)


PERMISSIONS = (
    permission("BalancerGroup", "ingress", "0.0.0.0/0", 443),
    permission("BalancerGroup", "ingress", "0.0.0.0/0", 80),
    *between("BalancerGroup", "TaskGroup", 8080),
    *between("BalancerGroup", "TaskGroup", 9000),
    *between("TaskGroup", "TaskGroup", 7800),
    *between("TaskGroup", "TaskGroup", 57800),
    *between("TaskGroup", "DatabaseGroup", 5432),
    permission("TaskGroup", "egress", "0.0.0.0/0", 443),
)

TOPOLOGY = Topology(
    name="dev",
    file="template.yaml",
    region="eu-central-1",
    vpc=IPv4Network("10.40.0.0/16"),
    subnets=(
        Subnet("PublicSubnetA", IPv4Network("10.40.0.0/24")),
        Subnet("PrivateSubnetA", IPv4Network("10.40.4.0/22")),
    ),
    task=Task(
        "TaskDefinition",
        "keycloak",
        2048,
        1024,
        (
            Container(
                "keycloak",
                "quay.io/keycloak/keycloak:26.4",
                environment=(("KC_HOSTNAME", f"https://{PUBLIC}"),),
            ),
        ),
        "keycloak",
    ),
    service=Service("Service", 2, groups=("TaskGroup",), subnets=("PrivateSubnetA",)),
    slots=SLOTS,
    discovery=Discovery(
        "keycloak.keycloak-dev.internal",
        10,
        logical_id="DiscoveryService",
        line=500,
        negative_ttl=10,
        namespace_line=490,
    ),
    database=Database(
        "keycloak.abc.eu-central-1.rds.amazonaws.com",
        5432,
        17,
        "keycloak",
        SecretField("Secret"),
        SecretField("Secret"),
        True,
    ),
    database_host=Host("database", IPv4Address("10.40.8.10"), ("DatabaseGroup",)),
    balancers=(BALANCER,),
    target_groups=(TARGET_GROUP,),
    permissions=PERMISSIONS,
)


def with_rules(*rules: Rule, topology: Topology = TOPOLOGY, **balancer) -> Topology:
    """The topology with these rules on its HTTPS listener, the default action last; `balancer` are other
    attributes."""
    changed = replace(topology.balancers[0], **balancer)
    listeners = tuple(
        replace(one, rules=rules) if one.protocol == "HTTPS" and rules else one for one in changed.listeners
    )
    return replace(topology, balancers=(replace(changed, listeners=listeners),))


def with_group(topology: Topology = TOPOLOGY, **attributes) -> Topology:
    """The topology with another target group."""
    return replace(topology, target_groups=(replace(topology.target_groups[0], **attributes),))


def with_permissions(*permissions: Permission) -> Topology:
    """The topology with these permissions and no others."""
    return replace(TOPOLOGY, permissions=permissions)
