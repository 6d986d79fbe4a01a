"""Who may talk to whom: every security group permission as a value, one resource each.

A logical id carries the network it names, not a number: with numbers, removing one network from the middle of a list
would make CloudFormation create a permission that is still there under another name, which EC2 refuses.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from generator.keycloak import certificates
from generator.keycloak.environment import CLUSTER_PORT, FAILURE_DETECTION_PORT, ServerEnvironment
from generator.params.model import Settings
from generator.rendering.expressions import group_id, quoted


@dataclass(frozen=True)
class Permission:
    """One ingress or egress resource of a security group."""

    logical_id: str
    direction: str
    """`Ingress` or `Egress`."""
    group: str
    """The group it belongs to, as a YAML expression."""
    port: int
    description: str
    cidr: str = ""
    peer: str = ""
    """The other group, as a YAML expression."""
    prefix_list: str = ""


def network_id(cidr: str) -> str:
    """A logical id's part for a network: `World`, or the network spelt with letters and digits."""
    return "World" if cidr == "0.0.0.0/0" else cidr.replace(".", "x").replace("/", "p")


def _both(from_id: str, to_id: str, from_group: str, to_group: str, port: int, name: str, description: str
          ) -> list[Permission]:
    """The two halves of a connection: out of one group and into the other."""
    return [
        Permission(f"{from_id}Out{name}", "Egress", from_group, port, description, peer=to_group),
        Permission(f"{to_id}In{name}", "Ingress", to_group, port, description, peer=from_group),
    ]


def _balancer(prefix: str, networks: Iterable[str], server: ServerEnvironment, mutual_tls: int = 0
              ) -> list[Permission]:
    """Into a balancer and from there to the tasks; `mutual_tls` is the port of a listener for client certificates."""
    group, tasks = group_id(f"{prefix}SecurityGroup"), group_id("TaskSecurityGroup")
    permissions = []
    listeners = [(443, "Https", "HTTPS"), (80, "Http", "Redirected to HTTPS")]
    if mutual_tls:
        listeners.append((mutual_tls, "MutualTls", "HTTPS with client certificates"))
    for network in networks:
        for port, name, description in listeners:
            permissions.append(Permission(f"{prefix}In{name}From{network_id(network)}", "Ingress", group, port,
                                          description, cidr=network))
    main, check = server.front.port, server.front.check_port
    ports = {main: ("Http", "Requests"), check: ("Health", "Health checks")}
    if check == main:
        ports = {main: ("Http", "Requests and health checks")}
    if mutual_tls:
        ports[certificates.MUTUAL_TLS_PORT] = ("MutualTls", "Requests with client certificates")
    for port, (name, description) in ports.items():
        permissions += [
            Permission(f"{prefix}Out{name}ToTasks", "Egress", group, port, description, peer=tasks),
            Permission(f"TaskIn{name}From{prefix}", "Ingress", tasks, port, description, peer=group),
        ]
    return permissions


def permissions(settings: Settings, server: ServerEnvironment) -> tuple[Permission, ...]:
    """Every permission of an environment, in reading order: from the client to the database."""
    tasks = group_id("TaskSecurityGroup")
    found = _balancer("LoadBalancer", settings.load_balancer.allow_from or ["0.0.0.0/0"], server,
                      settings.mutual_tls_port)
    if settings.admin_internal:
        found += _balancer("AdminLoadBalancer", settings.keycloak.admin.allow_from, server)
    found += _both("Task", "Task", tasks, tasks, CLUSTER_PORT, "Cluster", "Cluster traffic (JGroups)")
    found += _both("Task", "Task", tasks, tasks, FAILURE_DETECTION_PORT, "FailureDetection",
                   "A lost node is noticed here (JGroups FD_SOCK2)")

    existing = settings.database.existing
    if existing:
        found += _both("Task", "Database", tasks, quoted(existing.security_group), existing.port, "Database",
                       "PostgreSQL")
    else:
        found += _both("Task", "Database", tasks, group_id("DatabaseSecurityGroup"), 5432, "Database", "PostgreSQL")

    network = settings.network
    endpoints = []
    if network.create and not settings.internet:
        endpoints = [("Endpoint", group_id("EndpointSecurityGroup"))]
    elif network.existing:
        endpoints = [("Endpoint" + group.removeprefix("sg-"), quoted(group))
                     for group in network.existing.endpoint_security_groups]
    for name, group in endpoints:
        found += [Permission(f"TaskOutHttpsTo{name}", "Egress", tasks, 443, "AWS APIs", peer=group),
                  Permission(f"{name}InHttpsFromTasks", "Ingress", group, 443, "AWS APIs", peer=tasks)]
    if settings.internet:
        found.append(Permission("TaskOutHttpsToWorld", "Egress", tasks, 443,
                                "Image, secrets, logs, identity providers", cidr="0.0.0.0/0"))
    elif network.s3_prefix_list:
        found.append(Permission("TaskOutHttpsToS3", "Egress", tasks, 443, "Image layers lie in S3",
                                prefix_list=network.s3_prefix_list))
    else:
        found.append(Permission("TaskOutHttpsToWorld", "Egress", tasks, 443,
                                "Image layers in S3, no route leads further", cidr="0.0.0.0/0"))
    for target in network.egress:
        found.append(Permission(f"TaskOut{target.port}To{network_id(target.to)}", "Egress", tasks, target.port,
                                target.description, cidr=target.to))
    return tuple(found)
