"""What a template describes, as plain values: hosts with addresses, who may talk to whom, which request goes where.

Pure data without Docker and without AWS. `reading` makes it from a template, `compose`, `balancer` and `firewall` turn
it into the files of a rehearsal, `drill` compares what happens with it. Every part knows the template's line.
"""

from __future__ import annotations

import ipaddress
from dataclasses import dataclass, field

Network = ipaddress.IPv4Network
Address = ipaddress.IPv4Address

EVERY_PORT = (0, 65535)


@dataclass(frozen=True)
class Permission:
    """One way into or out of a security group."""

    group: str
    """The group it belongs to: a logical id, or the literal id of a group that exists already."""
    direction: str
    """`ingress` or `egress`."""
    protocol: str
    """`tcp`, `udp`, `icmp` or `-1` for all."""
    ports: tuple[int, int]
    """First and last; EVERY_PORT where the protocol has none or all are meant."""
    peer_group: str = ""
    """The group at the other end, named like `group`; empty where a network is."""
    peer_network: str = ""
    """The IPv4 network at the other end, or the id of a prefix list; empty where a group is."""
    logical_id: str = ""
    """The resource that grants it."""
    line: int = 0


@dataclass(frozen=True)
class Host:
    """Something with an address in the VPC."""

    name: str
    """`keycloak-1`, `database`, `balancer`: the Compose service is called so."""
    address: Address
    groups: tuple[str, ...]
    """Its security groups."""
    hostname: str = ""
    """What the host calls itself, as ECS names a task: `ip-10-40-4-10.eu-central-1.compute.internal`."""


@dataclass(frozen=True)
class SecretField:
    """Where a container's secret comes from."""

    secret: str
    """Logical id of the secret, or the ARN or parameter name the template gives."""
    field: str = ""
    """Key in the secret's JSON; empty for the whole text."""
    literal: str | None = None
    """The value, where the template shows it (a user name in SecretStringTemplate, MasterUsername); None where one
    has to be generated."""


@dataclass(frozen=True)
class HealthCheck:
    """A container's own health check; seconds and counts as ECS has them (its defaults filled in)."""

    command: tuple[str, ...]
    """With `CMD` or `CMD-SHELL` in front."""
    interval: int = 30
    timeout: int = 5
    retries: int = 3
    start_period: int = 0
    line: int = 0


@dataclass(frozen=True)
class Container:
    """One container of the task definition."""

    name: str
    image: str
    essential: bool = True
    entrypoint: tuple[str, ...] | None = None
    command: tuple[str, ...] | None = None
    """None for the image's own."""
    environment: tuple[tuple[str, str], ...] = ()
    secrets: tuple[tuple[str, SecretField], ...] = ()
    ports: tuple[int, ...] = ()
    health_check: HealthCheck | None = None
    memory: int | None = None
    """Hard limit of this container, MiB; None where only the task has one."""
    stop_timeout: int = 30
    """Seconds between SIGTERM and SIGKILL (ECS: 30 by default, at most 120 on Fargate)."""
    ulimits: tuple[tuple[str, int, int], ...] = ()
    """(name, soft, hard)."""
    user: str = ""
    working_directory: str = ""
    read_only: bool = False
    init: bool = False
    """LinuxParameters.InitProcessEnabled."""
    depends_on: tuple[tuple[str, str], ...] = ()
    """(container, condition) with ECS' conditions START, COMPLETE, SUCCESS, HEALTHY."""
    volumes: tuple[tuple[str, str, bool], ...] = ()
    """(volume, path in the container, read-only): folders that are empty at the start and that the containers of one
    task share, whatever the template keeps them on."""
    line: int = 0
    lines: tuple[tuple[str, int], ...] = ()
    """Name of an environment variable or secret to its line."""

    def variable(self, name: str) -> str | None:
        """The value of an environment variable; None where it isn't set or is a secret."""
        return dict(self.environment).get(name)


@dataclass(frozen=True)
class Task:
    """The task definition that the service runs."""

    logical_id: str
    family: str
    memory: int
    """MiB for all containers together."""
    cpu: int
    """1024 is one vCPU."""
    containers: tuple[Container, ...]
    keycloak: str
    """Name of the container that runs Keycloak."""
    line: int = 0

    def container(self, name: str) -> Container:
        """The container of that name. Raises KeyError where there is none."""
        return {one.name: one for one in self.containers}[name]

    @property
    def stopping(self) -> tuple[tuple[Container, ...], ...]:
        """The containers in the order in which ECS stops them, those of one group at the same time: who waited for
        another one at the start is stopped before it (ECS developer guide, "Container dependency")."""
        left, groups = list(self.containers), []
        while left:
            waited_for = {other for one in left for other, _ in one.depends_on if other != one.name}
            # A circle, which ECS refuses, ends all at once.
            group = [one for one in left if one.name not in waited_for] or left
            groups.append(tuple(group))
            left = [one for one in left if one not in group]
        return tuple(groups)


@dataclass(frozen=True)
class Service:
    """How ECS keeps the tasks running."""

    logical_id: str
    desired: int
    minimum_percent: int = 100
    maximum_percent: int = 200
    grace_period: int = 0
    """Seconds in which the balancer's health checks don't count against a new task."""
    groups: tuple[str, ...] = ()
    subnets: tuple[str, ...] = ()
    """Names of `Subnet`s."""
    line: int = 0

    @property
    def at_most(self) -> int:
        """Tasks that a deployment may run at once (ECS rounds down)."""
        return max(self.desired * self.maximum_percent // 100, self.desired)

    @property
    def at_least(self) -> int:
        """Tasks that a deployment leaves running (ECS rounds up)."""
        return -(-self.desired * self.minimum_percent // 100)


LONGEST_KEPT = 300
"""Seconds that a VPC's resolver keeps an answer at most, whatever its TTL (re:Post, "how to change ttl of aws local
dns resolver")."""


@dataclass(frozen=True)
class Discovery:
    """The Cloud Map service that the tasks register with."""

    name: str
    """What to ask for: service and namespace, `keycloak.keycloak-dev.internal`."""
    ttl: int
    """Seconds."""
    routing: str = "MULTIVALUE"
    """MULTIVALUE answers with at most eight records, WEIGHTED with one."""
    record_type: str = "A"
    logical_id: str = ""
    line: int = 0
    by_health: bool = True
    """Whether a task has to be healthy to be listed: with HealthCheckCustomConfig ECS tells Cloud Map about health;
    without it every running task is listed."""
    negative_ttl: int = LONGEST_KEPT
    """Seconds that a resolver keeps the answer that there is no such name, which is given while no task is listed: the
    namespace's SOA TTL. Without one a VPC's resolver took the longest time it keeps anything
    (aws-app-mesh-roadmap 221)."""
    namespace_line: int = 0

    @property
    def kept(self) -> int:
        """Seconds that an answer may be used again, however wrong it has become."""
        return min(max(self.ttl, self.negative_ttl), LONGEST_KEPT)


@dataclass(frozen=True)
class Database:
    """The PostgreSQL that the tasks use."""

    host: str
    """The name in the tasks' configuration."""
    port: int
    major: int
    """PostgreSQL's major version."""
    name: str
    username: SecretField
    password: SecretField
    force_tls: bool
    """Whether the parameter group refuses connections without TLS (rds.force_ssl; on by default from 15)."""
    max_connections: int | None = None
    """What the parameter group sets, else RDS's default of the instance class; None where nobody says."""
    logical_id: str = ""
    """Empty for a database that exists already."""
    groups: tuple[str, ...] = ()
    line: int = 0


@dataclass(frozen=True)
class Condition:
    """One condition of a listener rule; it holds if any of its values matches."""

    field: str
    """`host-header`, `path-pattern`, `source-ip`, `http-header`, `http-request-method` or `query-string`."""
    values: tuple[str, ...] = ()
    """Patterns with `*` and `?`; of `query-string` `key=value` or `=value` for any key."""
    regexes: tuple[str, ...] = ()
    """Regular expressions (RegexValues), which host, path and header conditions may have instead."""
    header: str = ""
    """Name of the header of `http-header`."""
    line: int = 0


@dataclass(frozen=True)
class Action:
    """What a rule does with a request."""

    kind: str
    """`forward`, `fixed-response`, `redirect`, or another type that can't be rehearsed."""
    target_groups: tuple[tuple[str, int], ...] = ()
    """(logical id, weight)."""
    status: int = 0
    """Of a fixed response or a redirect."""
    content_type: str = ""
    body: str = ""
    protocol: str = "#{protocol}"
    host: str = "#{host}"
    port: str = "#{port}"
    path: str = "/#{path}"
    query: str = "#{query}"
    line: int = 0


@dataclass(frozen=True)
class Rule:
    """A listener rule; the default action is a rule without a priority and without conditions."""

    logical_id: str
    action: Action
    conditions: tuple[Condition, ...] = ()
    priority: int | None = None
    line: int = 0


@dataclass(frozen=True)
class MutualTls:
    """Client certificates on a listener."""

    mode: str
    """`verify` or `passthrough`."""
    trust_store: str = ""
    line: int = 0
    revocation: bool = False
    """Whether the trust store has revocation lists."""
    ignores_expiry: bool = False
    """IgnoreClientCertificateExpiry: a certificate may be out of date."""
    advertises: bool = False
    """AdvertiseTrustStoreCaNames: clients are told which authorities are trusted."""
    headers: tuple[tuple[str, str], ...] = ()
    """The end of a header's own name (`Leaf`, empty for `X-Amzn-Mtls-Clientcert` itself) to the name that the
    listener's attributes give it."""
    host: str = ""
    """The host that clients ask for there, as rules or an output of the template name it; empty where none does."""

    def header(self, part: str = "") -> str:
        """What a header is called in which targets are told of a certificate: `X-Amzn-Mtls-Clientcert`, or one that
        goes on with `part`, unless the listener renames it."""
        return dict(self.headers).get(part, f"X-Amzn-Mtls-Clientcert{f'-{part}' if part else ''}")


@dataclass(frozen=True)
class Listener:
    """One port of a balancer."""

    logical_id: str
    protocol: str
    """`HTTP` or `HTTPS`."""
    port: int
    rules: tuple[Rule, ...]
    """By priority, the default action last."""
    mutual_tls: MutualTls | None = None
    line: int = 0


@dataclass(frozen=True)
class TargetGroup:
    """Where a balancer sends requests, and how it finds out who is well."""

    logical_id: str
    port: int
    """Port that the tasks of the service are registered with: its container's."""
    protocol: str = "HTTP"
    health_port: int = 0
    health_path: str = "/"
    health_protocol: str = "HTTP"
    health_codes: str = "200"
    """Codes and ranges, `200-299,301`."""
    interval: int = 30
    timeout: int = 5
    healthy: int = 5
    unhealthy: int = 2
    stickiness: int | None = None
    """Seconds of the balancer's own cookie; None for none."""
    application_cookie: str = ""
    """Name of the cookie of application-based stickiness."""
    deregistration_delay: int = 300
    algorithm: str = "round_robin"
    line: int = 0
    health_line: int = 0


@dataclass(frozen=True)
class Balancer:
    """An Application Load Balancer in front of the tasks."""

    logical_id: str
    host: Host
    internal: bool
    listeners: tuple[Listener, ...]
    forwarded_for: str = "append"
    """routing.http.xff_header_processing.mode: `append`, `preserve` or `remove`."""
    idle_timeout: int = 60
    preserve_host: bool = False
    drop_invalid_headers: bool = False
    dns_name: str = ""
    """What AWS would call it, `keycloak-dev-loadbalancer-1234567890.eu-central-1.elb.amazonaws.com`; empty for one that
    the template doesn't hold."""
    line: int = 0


@dataclass(frozen=True)
class Vantage:
    """A place that requests come from: connections to `port` of the balancer's container count as coming from
    `source`, whoever opened them."""

    name: str
    """`internet`, `admin` (a network that a rule or a security group lets in) or `inside` (the VPC)."""
    source: Address
    balancer: str
    """Logical id of the balancer."""
    listener: str
    """Logical id of the listener it stands for."""
    port: int
    """In the balancer's container; published on a free port of 127.0.0.1."""


@dataclass(frozen=True)
class Subnet:
    """A part of the VPC; of a subnet that exists already the network is made up."""

    name: str
    """Logical id, or the literal id."""
    network: Network


@dataclass(frozen=True)
class Topology:
    """Everything that a rehearsal starts."""

    name: str
    """Environment, or the stem of the file's name: `[a-z][a-z0-9-]*`."""
    file: str
    """The template, as messages call it."""
    region: str
    vpc: Network
    subnets: tuple[Subnet, ...]
    task: Task
    service: Service
    slots: tuple[Host, ...]
    """Places for tasks. The first `service.desired` are used at the start; the others by a deployment's surplus and by
    replacements, so that a new task has a new address, as on ECS."""
    discovery: Discovery | None
    database: Database | None
    database_host: Host | None
    balancers: tuple[Balancer, ...]
    target_groups: tuple[TargetGroup, ...]
    """Those that the service registers its tasks with."""
    permissions: tuple[Permission, ...]
    version: str = ""
    """Keycloak's version, from the image's tag or stack.json; empty where neither tells."""
    notes: tuple[str, ...] = field(default=())
    """What the template leaves open and how it was settled, one sentence each."""

    @property
    def resolver(self) -> Address:
        """Where a VPC answers DNS: its network's address plus two (Amazon VPC user guide, "DNS attributes")."""
        return self.vpc.network_address + 2

    @property
    def hosts(self) -> tuple[Host, ...]:
        """Every host with security groups."""
        database = (self.database_host,) if self.database_host else ()
        return (*self.slots, *database, *(one.host for one in self.balancers))

    def members(self, group: str) -> tuple[Host, ...]:
        """The hosts in a security group."""
        return tuple(host for host in self.hosts if group in host.groups)

    def target_group(self, logical_id: str) -> TargetGroup | None:
        """The target group of that name; None for one that the service doesn't use."""
        return {one.logical_id: one for one in self.target_groups}.get(logical_id)

    @property
    def mutual_listeners(self) -> tuple[tuple[Balancer, Listener], ...]:
        """The listeners that ask clients for certificates."""
        return tuple((balancer, listener) for balancer in self.balancers for listener in balancer.listeners
                     if listener.mutual_tls is not None)

    @property
    def keycloak(self) -> Container:
        """The container that runs Keycloak."""
        return self.task.container(self.task.keycloak)
