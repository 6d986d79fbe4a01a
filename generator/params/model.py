"""Every key that a params file may hold: its type, default, unit and meaning, and nowhere else.

The schema editors use, `cloakform explain` and the reference page are all made from these classes; the rules that
concern several keys at once stand in `rules/`.
"""

from __future__ import annotations

from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field

from generator.params import types as t

DEFAULT_TLS_POLICY = "ELBSecurityPolicy-TLS13-1-2-Res-2021-06"


def key(description: str, default: Any = ..., *, unit: str = "", **constraints: Any) -> Any:
    """A documented key; `unit` is what a number counts, constraints are pydantic's (`ge`, `le`, `max_length`)."""
    extra = {"unit": unit} if unit else None
    if isinstance(default, (list, dict)):
        empty = type(default)
        return Field(default_factory=empty, description=description, json_schema_extra=extra, **constraints)
    return Field(default, description=description, json_schema_extra=extra, **constraints)


LogicalId = t.text_like(r"[A-Za-z][A-Za-z0-9]{0,254}", "a logical id", "KeycloakDatabase")


class Section(BaseModel):
    """A mapping of keys; frozen, and an unknown key is an error."""

    model_config = ConfigDict(extra="forbid", frozen=True, validate_default=True, defer_build=True)


class PhysicalNames(Section):
    """Logical id -> the name that a resource has which its template named; without it, AWS names each."""

    Cluster: t.EcsName | None = key("ClusterName.", None)
    Service: t.EcsName | None = key("ServiceName.", None)
    LoadBalancer: t.BalancerName | None = key("Name of the balancer.", None)
    TargetGroup: t.BalancerName | None = key("Name of the target group.", None)
    LogGroup: t.LogGroupName | None = key("LogGroupName.", None)
    DiscoveryNamespace: t.NamespaceName | None = key(
        "Name of the private DNS namespace. Default: STACK.internal.", None)
    DiscoveryService: t.DnsLabel | None = key("Name of the Cloud Map service. Default: keycloak.", None)
    Database: t.DbInstanceName | None = key("DBInstanceIdentifier.", None)
    DatabaseSubnetGroup: t.SubnetGroupName | None = key("DBSubnetGroupName.", None)
    DatabaseSecret: t.SecretName | None = key("Name of the secret with the database's user.", None)
    BootstrapAdminSecret: t.SecretName | None = key("Name of the secret with the first administrator.", None)
    ScaleOutPolicy: t.PolicyName | None = key(
        "PolicyName of the policy that adds tasks; a service has one only for its CPU. Default: cpu-out.", None)


class Stack(Section):
    name: t.StackName | None = key("Name of the CloudFormation stack. Default: keycloak-ENV.", None)
    protected: t.Bool = key("Termination protection, and a stack policy that refuses to replace or delete what holds "
                            "data.", False)
    service_role: t.RoleArn | None = key("Role that CloudFormation assumes. Default: the rights of whoever deploys.",
                                         None)
    template_bucket: t.BucketName | None = key("Bucket for a template of more than 51,200 bytes.", None)
    notifications: list[t.TopicArn] = key("SNS topics that receive the stack's events.", [], max_length=5)
    logical_ids: dict[LogicalId, LogicalId] = key(
        "What a stack that is there already calls its resources: logical id of this project -> that stack's, "
        "`Database: KeycloakDb`. An update then changes the resource instead of making a second one and deleting the "
        "first.", {}, max_length=500)
    physical_names: PhysicalNames = key(
        "Names that a stack that is there gave to its resources: without the same one CloudFormation makes a second "
        "and deletes the first.", {})


class Admin(Section):
    hostname: t.HttpsUrl | None = key("Address of the admin console, a host of its own. Without it the console can't "
                                      "be reached through a balancer.", None)
    allow_from: list[t.Cidr] = key("Networks that may reach the admin host. On an internet-facing balancer these are "
                                   "the public addresses clients come from.", [], max_length=60)
    login_from: list[t.Cidr] = key("Networks that may reach /realms/master on the public host, where the console "
                                   "logs in. Default: allow_from.", [], max_length=60)
    balancer: Literal["shared", "internal"] = key(
        "shared: rules on the public balancer. internal: an internal balancer of its own in the private subnets, "
        "reached through VPN or peering, for private networks in allow_from.", "shared")
    certificate: t.CertificateChoice | None = key(
        "Certificate of the admin host. Default: as load_balancer.certificate, which then covers both names.", None)
    hosted_zone: t.HostedZoneId | None = key("Route 53 zone of the admin host. Default: load_balancer.hosted_zone.",
                                             None)
    username: t.Text = key("User name of the first, temporary administrator; acts only while the master realm is "
                           "created.", "temp-admin", min_length=1, max_length=64)


class Image(Section):
    kind: Literal["stock", "optimized"] = key(
        "stock: the official image, which builds itself at every start. optimized: built from rendered/ENV/image, "
        "starts in a third of the time and holds the JGroups stack that notices a frozen node in 10 s.", "stock")
    repository: t.ImageRepository = key("Repository the tasks pull from. An optimized image is pushed there.",
                                        "quay.io/keycloak/keycloak")
    base: t.ImageRepository = key("Repository of the official image, the base of an optimized one.",
                                  "quay.io/keycloak/keycloak")
    tag: t.ImageTag | None = key("Tag. Default: keycloak.version.", None)
    digest: t.ImageDigest | None = key("Digest, which pins the image whatever the tag says later.", None)
    providers: list[t.ProjectPath] = key("Provider JARs to build in: paths inside the project folder.", [],
                                         max_length=50)
    themes: list[t.ProjectPath] = key("Theme folders to copy in: paths inside the project folder.", [],
                                      max_length=20)


class Features(Section):
    enabled: list[t.Text] = key("Features to enable, `name` or `name:vN`.", [])
    disabled: list[t.Text] = key("Features to disable, by name.", [])


class Log(Section):
    level: t.text_like(r"[A-Za-z0-9_.:,-]{1,500}", "a log level", "info,org.keycloak.events:debug") = key(
        "Log level, as Keycloak's log-level option takes it.", "info")
    format: Literal["json", "plain"] = key("Format of the lines in CloudWatch Logs.", "json")
    retention_days: t.RetentionDays = key("How long CloudWatch keeps the lines.", 30, unit="days")


class Keycloak(Section):
    version: t.KeycloakVersion = key("Keycloak version; decides options, ports, paths and defaults.")
    hostname: t.HttpsUrl = key("Public address; tokens carry it as their issuer.")
    http_relative_path: t.UrlPath = key("Path that everything lies under.", "/")
    master_realm: Literal["admin_networks", "everyone"] = key(
        "Who reaches /realms/master on the public host: the admin console logs in there (measured on 24 to 26.7), so "
        "admin.login_from must, and nobody else needs to.", "admin_networks")
    admin: Admin = key("Admin console.", {})
    image: Image = key("Container image.", {})
    discovery: Literal["dns", "database"] = key(
        "How nodes find each other. dns: DNS_PING over Cloud Map's A records. database: JDBC_PING, from 26.1.", "dns")
    cluster_encryption: t.Bool | None = key(
        "Mutual TLS between the nodes, at port 7800: failure detection at 57800 has none in any version. Default: true "
        "from 26.2 on, where Keycloak makes the certificates itself; before, it wants key stores in the image.", None)
    features: Features = key("Keycloak features.", {})
    options: dict[t.OptionName, t.Text] = key("More options, as environment variables.", {})
    secret_options: dict[t.OptionName, t.SecretReference] = key(
        "Options whose value is secret: the ARN of a secret (`…:key::` picks a JSON key) or of an SSM parameter.", {})
    jvm_options: list[t.JvmOption] = key("More JVM options, one per item.", [])
    heap_percent: t.Int = key("Share of the task's memory that the Java heap may take.", 70, unit="percent", ge=20,
                              le=90)
    log: Log = key("Logging.", {})


class ExistingNetwork(Section):
    vpc: t.VpcId = key("VPC. DNS support and DNS host names must be on.")
    cidrs: list[t.Cidr] = key("The VPC's networks: trusted as proxies and used to bind the cluster's address.",
                              min_length=1, max_length=5)
    public_subnets: list[t.SubnetId] = key("Subnets of an internet-facing balancer, one per zone.", [], max_length=6)
    private_subnets: list[t.SubnetId] = key("Subnets of the tasks and of internal balancers, one per zone.",
                                            max_length=6)
    database_subnets: list[t.SubnetId] = key("Subnets of a created database, one per zone.", [], max_length=6)
    internet: t.Bool = key("Whether the private subnets reach the internet, through NAT or otherwise.", True)
    endpoint_security_groups: list[t.SecurityGroupId] = key(
        "Security groups of VPC endpoints that must take the tasks' 443.", [], max_length=10)


class FlowLogs(Section):
    retention_days: t.RetentionDays = key("How long flow logs are kept.", 30, unit="days")


class CreatedNetwork(Section):
    cidr: t.VpcCidr = key("Network of the VPC; /16 to /24.")
    zones: t.Int = key("Availability zones.", 2, ge=2, le=3)
    nat: Literal["per-zone", "single", "none"] = key(
        "Way out of the private subnets. per-zone: survives the loss of a zone. single: cheaper, one zone carries "
        "all. none: only VPC endpoints to AWS, no internet.", "per-zone")
    flow_logs: FlowLogs | None = key("Flow logs of the VPC into CloudWatch Logs.", None)


class EgressTarget(Section):
    to: t.Cidr = key("Network that the tasks may reach.")
    port: t.Int = key("TCP port.", ge=1, le=65535)
    description: t.text_like(r"[A-Za-z0-9. _:/()#,@+=&;{}!$*-]{1,200}", "a description EC2 accepts",
                             "LDAP of the head office") = key("What it is, shown in the console.")


class Network(Section):
    existing: ExistingNetwork | None = key("Use a VPC that is there.", None)
    create: CreatedNetwork | None = key("Create a VPC in the stack.", None)
    egress: list[EgressTarget] = key("Where else the tasks may connect: LDAP, SMTP, …", [], max_length=40)
    s3_prefix_list: t.PrefixListId | None = key(
        "Prefix list of S3 in this region: narrows the tasks' way out where there is no internet.", None)


class AccessLogs(Section):
    bucket: t.BucketName = key("Bucket that lets the balancer write.")
    prefix: t.text_like(r"[A-Za-z0-9_./-]{1,200}", "an S3 prefix", "alb/prod") | None = key("Prefix.", None)


class HealthCheck(Section):
    interval_seconds: t.Int = key("Between two checks of one task.", 5, unit="seconds", ge=5, le=300)
    timeout_seconds: t.Int = key("Until a check counts as failed.", 3, unit="seconds", ge=2, le=120)
    healthy_count: t.Int = key("Checks in a row until a task gets requests.", 2, ge=2, le=10)
    unhealthy_count: t.Int = key("Failed checks in a row until it gets none.", 2, ge=2, le=10)


class Waf(Section):
    requests_per_5_minutes: t.Int | None = key("Block an address beyond this many requests in five minutes.", None,
                                               ge=100, le=2000000000)


class S3Object(Section):
    bucket: t.BucketName = key("Bucket, in the same region.")
    version: t.ObjectVersion = key("Version of the object, so that nothing changes without a deployment.")
    key: t.ObjectKey = key("Key of the object.")  # last: below it the name means this key


class FrontProxy(Section):
    kind: Literal["nginx", "apache", "haproxy", "envoy", "traefik", "rfc9440"] = key(
        "What it is: decides how Keycloak reads its header. rfc9440: any proxy that sends Client-Cert (from 26.5); "
        "envoy and traefik from 26.6.")
    header: t.HeaderName | None = key(
        "Header that it overwrites in every request with the certificate. Default: ssl-client-cert, Client-Cert for "
        "rfc9440; envoy and traefik have one of their own.", None)
    verifies: t.Bool = key("Whether the proxy itself checks chain and revocation and hands on no certificate that "
                           "fails.", True)


class ClientCertificates(Section):
    mode: Literal["off", "required", "optional", "proxy"] = key(
        "off: nobody is asked for one. required: a listener with a port of its own refuses clients without one that "
        "the trust store vouches for (the balancer's mutual TLS, verify). optional: that listener asks and lets "
        "everybody in, Keycloak checks what it gets (passthrough). proxy: TLS ends at a proxy of your own in front of "
        "the balancer.", "off")
    url: t.HttpsUrlWithPort | None = key(
        "Address of the listener that asks for certificates, with its port: keycloak.hostname or a host of its own. "
        "Everything else is never asked for one.", None)
    image: t.PinnedImage | None = key(
        "HAProxy's image, pinned by its digest: the container in front of Keycloak that translates the balancer's "
        "header.", None)
    trust_store: S3Object | None = key("Authorities whose certificates `required` accepts: a PEM file in S3.", None)
    revocation: list[S3Object] = key("Revocation lists of those authorities in S3, PEM or DER.", [], max_length=30)
    advertise_authorities: t.Bool = key("Tell clients of `required` which authorities are accepted, so that browsers "
                                        "offer the right certificates.", True)
    authorities: t.ProjectPath | None = key(
        "Authorities, intermediate ones too, that Keycloak checks certificates against where nobody before it does: a "
        "PEM file inside the project folder, built into the optimized image. Keycloak trusts them for its own "
        "connections, too.", None)
    chain_length: t.Int = key("Most authorities between a client's certificate and a root, where Keycloak reads or "
                              "builds the chain.", 2, ge=1, le=10)
    certificate: t.CertificateChoice | None = key(
        "Certificate of the listener. Default: as load_balancer.certificate, which then covers the url's host.", None)
    hosted_zone: t.HostedZoneId | None = key("Route 53 zone of the url's host. Default: load_balancer.hosted_zone.",
                                             None)
    proxy: FrontProxy | None = key("The proxy of your own, for `proxy`.", None)


class LoadBalancer(Section):
    scheme: Literal["internet-facing", "internal"] = key("Whether the balancer has public addresses.",
                                                         "internet-facing")
    allow_from: list[t.Cidr] = key("Networks that may connect at all. Default: everyone.", [], max_length=60)
    certificate: t.CertificateChoice = key(
        "ACM certificate for keycloak.hostname, or `create` with DNS validation in hosted_zone.")
    hosted_zone: t.HostedZoneId | None = key("Route 53 zone of keycloak.hostname.", None)
    dns_records: t.Bool = key("Create alias records in the hosted zone.", False)
    tls_policy: t.TlsPolicy = key("Security policy of the HTTPS listeners.", DEFAULT_TLS_POLICY)
    idle_timeout_seconds: t.Int = key("Until an idle connection is closed.", 60, unit="seconds", ge=1, le=4000)
    stickiness_seconds: t.Int = key("How long a browser stays with its task: a login's length.", 1800,
                                    unit="seconds", ge=1, le=604800)
    deregistration_delay_seconds: t.Int = key(
        "How long a leaving task may finish its requests. Shorter than a task takes to start: until it has left, one "
        "that starts may miss the cluster's leader in DNS.", 20, unit="seconds", ge=0, le=3600)
    health_check: HealthCheck = key("Health check of the target group.", {})
    forwarded_for: Literal["refuse", "trust"] = key(
        "X-Forwarded-For sent by a client. refuse: answered with 400, so that the address in Keycloak's events can't "
        "be forged. trust: another proxy or CDN in front sets it.", "refuse")
    path_guard: Literal["auto", "on", "off"] = key(
        "Rule against /../, //, ; and encoded letters in paths, whatever the balancer's own normalization leaves of "
        "them. auto: up to 26.5, where Keycloak takes them for the admin console (up to 26.4.2) or a closed master "
        "realm.",
        "auto")
    client_certificates: ClientCertificates = key("Login with client certificates.", {})
    waf: Waf | None = key("AWS WAF with managed rules, those that break OAuth set to count.", None)
    access_logs: AccessLogs | None = key("Access logs into S3.", None)
    deletion_protection: t.Bool = key("Refuse to delete the balancer.", False)


class Autoscaling(Section):
    max_tasks: t.Int = key("Most tasks; service.tasks is the least.", ge=2, le=64)
    cpu_percent: t.Int = key("Average CPU that scaling aims for.", 60, unit="percent", ge=10, le=90)


class Service(Section):
    tasks: t.Int = key("Keycloak nodes.", 2, ge=1, le=64)
    cpu: t.Int = key("CPU of a task: 1024 units are one vCPU.", 1024, unit="CPU units")
    memory: t.Int = key("Memory of a task.", 2048, unit="MiB")
    architecture: Literal["arm64", "x86_64"] = key("Processor; an optimized image is built for it.", "arm64")
    deployment: Literal["rolling", "recreate"] = key(
        "rolling: one node at a time. recreate: stop all, then start all, for steps that nodes of two kinds can't "
        "share a cluster in (25 to 26, 26.x to 26.4, cluster encryption, discovery).", "rolling")
    rollback: t.Bool = key("Roll a failed deployment back. Not after a minor step of Keycloak: the database schema "
                           "has moved on.", True)
    exec: t.Bool = key("ECS Exec into the tasks.", False)
    cluster: t.ClusterArn | None = key("An ECS cluster that is there. Default: one of its own.", None)
    container_insights: Literal["disabled", "enabled", "enhanced"] = key("Of a created cluster.", "disabled")
    autoscaling: Autoscaling | None = key("Scale by CPU. Then service.tasks is the least.", None)
    zone_rebalancing: t.Bool = key("Let ECS move tasks between zones on its own.", False)
    stop_timeout_seconds: t.Int = key("From SIGTERM to SIGKILL.", 60, unit="seconds", ge=2, le=120)
    grace_period_seconds: t.Int = key("After a start, during which a failed health check stops no task: as long as "
                                      "a database migration.", 600, unit="seconds", ge=0, le=2147483647)


class CreatedDatabase(Section):
    engine_version: t.PostgresVersion = key("PostgreSQL version, with its minor.", "17.10")
    instance_class: t.InstanceClass = key("RDS instance class.", "db.t4g.medium")
    storage_gb: t.Int = key("Storage.", 20, unit="GiB", ge=20, le=65536)
    max_storage_gb: t.Int | None = key("Storage grows up to this by itself.", None, unit="GiB", ge=22, le=65536)
    multi_az: t.Bool = key("A standby in another zone.", False)
    backup_days: t.Int = key("Days that automatic backups are kept.", 7, unit="days", ge=0, le=35)
    backup_window: t.Window | None = key("Daily, UTC. Default: RDS chooses.", None)
    maintenance_window: t.WeekWindow | None = key("Weekly, UTC. Default: RDS chooses.", None)
    minor_upgrades: t.Bool = key("Let RDS install minor versions in the maintenance window.", True)
    major_upgrade: t.Bool = key("Let another major version in `engine_version` upgrade the instance, which AWS refuses "
                                "otherwise. It is away for minutes, and only a snapshot leads back.", False)
    deletion_protection: t.Bool = key("Refuse to delete the instance.", True)
    performance_insights: t.Bool = key("Performance Insights, seven days.", False)
    log_exports: t.Bool = key("PostgreSQL's log into CloudWatch Logs.", False)
    kms_key: t.KeyArn | None = key("Key of the storage. Default: the account's RDS key.", None)
    snapshot: t.SnapshotId | None = key("Restore from this snapshot when the instance is created; keep it "
                                        "afterwards: another value, or none, replaces the instance.", None)


class ExistingDatabase(Section):
    host: t.text_like(r"[A-Za-z0-9.-]{3,253}", "a host name", "keycloak.abc.eu-central-1.rds.amazonaws.com") = key(
        "Endpoint.")
    port: t.Int = key("Port.", 5432, ge=1, le=65535)
    secret: t.SecretArn = key("Secret with the keys `username` and `password`.")
    secret_kms_key: t.KeyArn | None = key("Key that encrypts the secret, unless it is the account's.", None)
    security_group: t.SecurityGroupId = key("Security group of the database; it gets a permission for the tasks.")
    engine_version: t.PostgresVersion = key("PostgreSQL version it runs.")
    max_connections: t.Int = key("The server's max_connections.", ge=10, le=100000)


class Database(Section):
    create: CreatedDatabase | None = key("Create an RDS instance in the stack.", None)
    existing: ExistingDatabase | None = key("Use a PostgreSQL that is there.", None)
    name: t.DbIdentifier = key("Database.", "keycloak")
    username: t.DbIdentifier = key("User of a created database.", "keycloak")
    pool_size: t.Int = key("Connections of each task, opened at start and kept.", 20, ge=2, le=1000)


class Alarms(Section):
    topic: t.TopicChoice = key("SNS topic that alarms go to, or `create`.", "create")
    emails: list[t.Email] = key("Subscribers of a created topic; each confirms by mail.", [], max_length=20)
    errors_5xx_per_minute: t.Int = key("Keycloak's own 5xx answers.", 10, ge=1)
    latency_p99_milliseconds: t.Int = key("Time to answer, 99th percentile.", 2000, unit="milliseconds", ge=1)
    cpu_percent: t.Int = key("Average of the tasks.", 85, unit="percent", ge=1, le=100)
    memory_percent: t.Int = key("Average of the tasks.", 90, unit="percent", ge=1, le=100)
    database_cpu_percent: t.Int = key("Of the database.", 80, unit="percent", ge=1, le=100)
    database_free_storage_gb: t.Int = key("Of the database.", 5, unit="GiB", ge=1)


class Settings(Section):
    """A whole environment."""

    account: t.AccountId = key("AWS account; a deploy into any other is refused.")
    region: t.Region = key("AWS region.")
    high_availability: t.Bool = key("Claim that losing a task or a zone loses no session: at least two tasks, zones "
                                    "and subnets are then demanded.", True)
    stack: Stack = key("The CloudFormation stack.", {})
    tags: dict[t.text_like(r"(?!aws:)[A-Za-z0-9 +\-=._:/@]{1,128}", "a tag key", "Team"),
               t.text_like(r"[A-Za-z0-9 +\-=._:/@]{0,256}", "a tag value", "identity")] = key(
        "Tags on everything that takes tags.", {}, max_length=40)
    keycloak: Keycloak = key("Keycloak itself.")
    network: Network = key("Where it runs.")
    load_balancer: LoadBalancer = key("The balancer in front.")
    service: Service = key("The ECS service.", {})
    database: Database = key("PostgreSQL.")
    alarms: Alarms | None = key("CloudWatch alarms; `{}` takes all defaults.", None)
    dashboard: t.Bool = key("A CloudWatch dashboard.", False)

    @property
    def zones(self) -> int:
        """Zones that tasks are spread over."""
        network = self.network
        return network.create.zones if network.create else len(network.existing.private_subnets)

    @property
    def max_tasks(self) -> int:
        """Most tasks that run outside of a deployment."""
        return self.service.autoscaling.max_tasks if self.service.autoscaling else self.service.tasks

    @property
    def internet(self) -> bool:
        """Whether tasks reach the internet."""
        network = self.network
        return network.create.nat != "none" if network.create else network.existing.internet

    @property
    def base_path(self) -> str:
        """Path that everything lies under, without its last slash: empty at the root."""
        return self.keycloak.http_relative_path.rstrip("/")

    @property
    def vpc_cidrs(self) -> tuple[str, ...]:
        """Networks of the VPC."""
        network = self.network
        return (network.create.cidr,) if network.create else tuple(network.existing.cidrs)

    @property
    def image_tag(self) -> str:
        """Tag of the image that tasks run."""
        return self.keycloak.image.tag or self.keycloak.version

    @property
    def image_uri(self) -> str:
        """Image reference of the task definition: pinned by digest where params give one."""
        image = self.keycloak.image
        return f"{image.repository}@{image.digest}" if image.digest else f"{image.repository}:{self.image_tag}"

    @property
    def admin_internal(self) -> bool:
        """Whether the admin host has an internal balancer of its own."""
        return self.keycloak.admin.hostname is not None and self.keycloak.admin.balancer == "internal"

    @property
    def mutual_tls_host(self) -> str:
        """Host of the listener that asks for client certificates; empty without one."""
        chosen = self.load_balancer.client_certificates
        listens = chosen.mode in ("required", "optional") and chosen.url
        return chosen.url.removeprefix("https://").rpartition(":")[0] if listens else ""

    @property
    def mutual_tls_port(self) -> int:
        """Port of the listener that asks for client certificates; 0 without one."""
        return int(self.load_balancer.client_certificates.url.rpartition(":")[2]) if self.mutual_tls_host else 0

    @property
    def built_in_authorities(self) -> str | None:
        """File of the authorities that Keycloak itself checks client certificates against; None where it doesn't."""
        chosen = self.load_balancer.client_certificates
        checks = chosen.mode == "optional" or (chosen.mode == "proxy" and chosen.proxy and not chosen.proxy.verifies)
        return chosen.authorities if checks else None
