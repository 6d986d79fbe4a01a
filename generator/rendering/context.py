"""Everything a template prints that isn't a plain setting: decided here once, named so that templates stay layout."""

from __future__ import annotations

import ipaddress
import json
import re
from dataclasses import dataclass
from types import SimpleNamespace

from generator.keycloak import certificates, facts, sizing
from generator.keycloak.catalog import Catalog
from generator.keycloak.environment import (CLUSTER_PORT, FAILURE_DETECTION_PORT, HTTP_PORT, ServerEnvironment,
                                            discovery_service, is_optimized, namespace_name, own_jgroups_stack,
                                            path_parameters_reach_master, path_tricks_reach_admin,
                                            server_environment, stack_name)
from generator.params.model import Settings
from generator.rendering import dashboard, listener_rules, outputs
from generator.rendering.cluster_filters import cluster_filters
from generator.rendering.expressions import cluster_name, quoted, ref
from generator.rendering.permissions import permissions

SECRET_EXCLUDED = "$\\/\"@ '`"
"""Characters a generated password never has. Keycloak expands `$$`, `${` and `\\$` in values; RDS refuses / " @ and
blanks in a password (CreateDBInstance); quotes of the shell are left out for whoever pastes one."""


WAF_COUNTED = ("SizeRestrictions_BODY", "SizeRestrictions_QUERYSTRING", "EC2MetaDataSSRF_BODY",
               "EC2MetaDataSSRF_QUERYARGUMENTS", "GenericRFI_BODY", "GenericRFI_QUERYARGUMENTS")
"""Rules of AWSManagedRulesCommonRuleSet that ordinary OAuth and SAML requests set off: redirect_uri with `://` or
localhost (IdentityServer4 #5231, nx-plugin-for-aws #1016), long SAML responses and authorization requests."""


@dataclass(frozen=True)
class Subnet:
    """A subnet the stack creates."""

    logical_id: str
    tier: str
    zone: int
    """Index of the availability zone, from 0."""
    letter: str
    cidr: str


def _subnets(cidr: str, zones: int) -> list[Subnet]:
    """Sixteen equal blocks: public ones from the 1st, private ones from the 5th, the database's from the 9th."""
    blocks = list(ipaddress.IPv4Network(cidr).subnets(prefixlen_diff=4))
    return [Subnet(f"{tier}Subnet{letter}", tier, zone, letter, str(blocks[first + zone]))
            for tier, first in (("Public", 0), ("Private", 4), ("Database", 8))
            for zone, letter in enumerate("ABC"[:zones])]


def word(text: str) -> str:
    """`text` as YAML: bare where nobody can read it as anything else, which keeps a line of tags short."""
    safe = re.fullmatch(r"[A-Za-z][A-Za-z0-9_-]*", text) and text.lower() not in (
        "y", "n", "yes", "no", "on", "off", "true", "false", "null")
    return text if safe else json.dumps(text, ensure_ascii=False)


def _quoted(values) -> tuple[str, ...]:
    return tuple(quoted(value) for value in values)


def _network(settings: Settings) -> SimpleNamespace:
    created = settings.network.create
    if not created:
        existing = settings.network.existing
        return SimpleNamespace(
            created=False, vpc=quoted(existing.vpc), subnets=(), nat_gateways=(), route_tables=(), endpoints=(),
            public=_quoted(existing.public_subnets), private=_quoted(existing.private_subnets),
            database=_quoted(existing.database_subnets), flow_logs=None, cidr="")
    subnets = _subnets(created.cidr, created.zones)
    letters = "ABC"[: created.zones]
    nat_letters = {"per-zone": letters, "single": letters[0], "none": ""}[created.nat]
    by_tier = {tier: tuple(ref(subnet.logical_id) for subnet in subnets if subnet.tier == tier)
               for tier in ("Public", "Private", "Database")}
    endpoints = ()
    if created.nat == "none":
        endpoints = tuple((f"{name}Endpoint", service) for name, service, wanted in (
            ("EcrApi", "ecr.api", True), ("EcrDocker", "ecr.dkr", True), ("Logs", "logs", True),
            ("SecretsManager", "secretsmanager", True),
            ("Ssm", "ssm", any(":ssm:" in arn for arn in settings.keycloak.secret_options.values())),
            ("ExecMessages", "ssmmessages", settings.service.exec)) if wanted)
    return SimpleNamespace(
        created=True, vpc=ref("Vpc"), cidr=created.cidr, subnets=tuple(subnets),
        nat_gateways=tuple(nat_letters),
        # One table per zone, even with a single gateway: switching to one gateway per zone moves routes, not subnets.
        route_tables=tuple((letter, letter if letter in nat_letters else nat_letters[:1]) for letter in letters),
        endpoints=endpoints, public=by_tier["Public"], private=by_tier["Private"], database=by_tier["Database"],
        flow_logs=created.flow_logs)


def proxy_cidrs(settings: Settings) -> tuple[str, ...]:
    """Networks that the balancers' own addresses lie in: known to the subnet where the stack creates them."""
    created = settings.network.create
    if not created:
        return settings.vpc_cidrs
    public = settings.load_balancer.scheme == "internet-facing"
    tiers = {"Public" if public else "Private"} | ({"Private"} if settings.admin_internal else set())
    return tuple(subnet.cidr for subnet in _subnets(created.cidr, created.zones) if subnet.tier in tiers)


def _host(url: str) -> str:
    return url.removeprefix("https://")


def needs_path_guard(settings: Settings) -> bool:
    """Whether rules against path tricks are rendered."""
    choice = settings.load_balancer.path_guard
    return choice == "on" or (choice == "auto" and (
        path_tricks_reach_admin(settings) or path_parameters_reach_master(settings)))


def _balancers_headers(settings: Settings) -> tuple[str, ...]:
    """Headers that the balancer sets and that no client may send to the listener for certificates.

    With `required` there is always one of the balancer's, so that the proxy in the task sees a second one; with
    `optional` a client may show no certificate, and then the header of its own would be the only one.
    """
    return ("X-Amzn-Mtls-Clientcert",) if settings.load_balancer.client_certificates.mode == "optional" else ()


def _rules(settings: Settings, catalog: Catalog) -> tuple[listener_rules.ListenerRule, ...]:
    balancer, admin = settings.load_balancer, settings.keycloak.admin
    base = settings.base_path
    guard = needs_path_guard(settings)
    refuse = balancer.forwarded_for == "refuse"
    found = listener_rules.guard_rules("HttpsListener", "") if guard else []
    found += listener_rules.header_rules("HttpsListener", "", refuse)
    if admin.hostname and not settings.admin_internal:
        found += listener_rules.admin_rules("HttpsListener", "TargetGroup", _host(admin.hostname), base,
                                            admin.allow_from)
    master_from = None
    if settings.keycloak.master_realm == "admin_networks":
        master_from = admin.login_from or (() if settings.admin_internal else admin.allow_from)
    paths = [base + path for path in facts.public_paths(catalog.version)]
    found += listener_rules.public_rules("HttpsListener", "TargetGroup", (_host(settings.keycloak.hostname),), base,
                                         paths, master_from)
    if settings.mutual_tls_port:
        # The console's login has no business here, whatever realm it is in.
        listener, prefix = "MutualTlsListener", "MutualTls"
        found += listener_rules.guard_rules(listener, prefix) if guard else []
        found += listener_rules.header_rules(listener, prefix, refuse, _balancers_headers(settings))
        # No host: clients write it with the port, and what a condition makes of that isn't documented.
        found += listener_rules.public_rules(listener, "MutualTlsTargetGroup", (), base, paths,
                                             None if settings.keycloak.master_realm == "everyone" else (), prefix)
    if settings.admin_internal:
        listener = "AdminHttpsListener"
        found += listener_rules.guard_rules(listener, "Admin") if guard else []
        # Who reaches the console's own balancer doesn't come through the proxy that speaks for certificates.
        chosen = balancer.client_certificates
        others = certificates.lookup_headers(chosen) if chosen.mode == "proxy" else ()
        found += listener_rules.header_rules(listener, "Admin", refuse, others)
        found += listener_rules.admin_rules(listener, "AdminTargetGroup", _host(admin.hostname), base, ())
    return tuple(found)


def _own_mutual_tls_host(settings: Settings) -> str:
    """Host of the listener for client certificates where it isn't the public one; empty otherwise."""
    host = settings.mutual_tls_host
    return "" if host == _host(settings.keycloak.hostname) else host


def _certificates(settings: Settings) -> SimpleNamespace:
    """Certificate expressions of the listeners, and the certificates the stack creates with their names."""
    balancer, admin = settings.load_balancer, settings.keycloak.admin
    zone, admin_zone = balancer.hosted_zone, admin.hosted_zone or balancer.hosted_zone
    shared_admin = bool(admin.hostname) and not settings.admin_internal
    chosen, own_host = balancer.client_certificates, _own_mutual_tls_host(settings)
    created = []
    if balancer.certificate == "create":
        names = [(_host(settings.keycloak.hostname), zone)]
        if shared_admin and not admin.certificate:
            names.append((_host(admin.hostname), admin_zone))
        if own_host and not chosen.certificate:
            names.append((own_host, chosen.hosted_zone or zone))
        created.append(SimpleNamespace(logical_id="Certificate", names=names))
    own_admin = admin.certificate or (balancer.certificate if settings.admin_internal else None)
    if admin.hostname and own_admin == "create":
        created.append(SimpleNamespace(logical_id="AdminCertificate", names=[(_host(admin.hostname), admin_zone)]))
    if own_host and chosen.certificate == "create":
        created.append(SimpleNamespace(logical_id="MutualTlsCertificate",
                                       names=[(own_host, chosen.hosted_zone or zone)]))
    public = ref("Certificate") if balancer.certificate == "create" else quoted(balancer.certificate)
    mutual_tls = public
    if chosen.certificate and own_host:
        mutual_tls = ref("MutualTlsCertificate") if chosen.certificate == "create" else quoted(chosen.certificate)
    admin_expression = ""
    if admin.hostname and own_admin:
        admin_expression = ref("AdminCertificate") if own_admin == "create" else quoted(own_admin)
    return SimpleNamespace(created=tuple(created), public=public, admin=admin_expression,
                           extra=admin_expression if shared_admin else "", mutual_tls=mutual_tls)


def _records(settings: Settings) -> tuple[SimpleNamespace, ...]:
    balancer, admin = settings.load_balancer, settings.keycloak.admin
    if not balancer.dns_records:
        return ()
    records = [SimpleNamespace(logical_id="DnsRecord", name=_host(settings.keycloak.hostname),
                               zone=balancer.hosted_zone, balancer="LoadBalancer")]
    if admin.hostname:
        records.append(SimpleNamespace(
            logical_id="AdminDnsRecord", name=_host(admin.hostname), zone=admin.hosted_zone or balancer.hosted_zone,
            balancer="AdminLoadBalancer" if settings.admin_internal else "LoadBalancer"))
    if host := _own_mutual_tls_host(settings):
        records.append(SimpleNamespace(
            logical_id="MutualTlsDnsRecord", name=host, balancer="LoadBalancer",
            zone=balancer.client_certificates.hosted_zone or balancer.hosted_zone))
    return tuple(records)


def _ecr_repository(repository: str) -> str:
    """ARN of an ECR repository; empty for one of any other registry."""
    host, _, name = repository.partition("/")
    parts = host.split(".")
    if len(parts) < 6 or parts[1:3] != ["dkr", "ecr"]:
        return ""
    partition = "aws-cn" if host.endswith(".cn") else "aws"
    return f"arn:{partition}:ecr:{parts[3]}:{parts[0]}:repository/{name}"


def _ecr_repositories(settings: Settings) -> tuple[str, ...]:
    """ARNs of every ECR repository that tasks pull from."""
    repositories = [settings.keycloak.image.repository]
    image = settings.load_balancer.client_certificates.image
    if image and settings.mutual_tls_port:
        repositories.append(re.sub(r"(:[A-Za-z0-9_][A-Za-z0-9_.-]*)?@.*", "", image))
    return tuple(dict.fromkeys(arn for one in repositories if (arn := _ecr_repository(one))))


def _secret_access(settings: Settings) -> SimpleNamespace:
    """What the execution role reads: Fn::Sub or literal ARNs of secrets, SSM parameters and keys."""
    existing = settings.database.existing
    secrets = [ref("BootstrapAdminSecret")]
    keys = []
    if existing:
        secrets.append(quoted(existing.secret))
        if existing.secret_kms_key:
            keys.append(existing.secret_kms_key)
    else:
        secrets.append(ref("DatabaseSecret"))
    parameters = []
    for arn in settings.keycloak.secret_options.values():
        if ":ssm:" in arn:
            parameters.append(str(arn))
        else:
            # Without the JSON key: IAM knows a secret, not its parts.
            secrets.append(quoted(":".join(arn.split(":")[:7])))
    return SimpleNamespace(secrets=tuple(dict.fromkeys(secrets)), parameters=tuple(dict.fromkeys(parameters)),
                           keys=tuple(keys))


def _service(settings: Settings, permission_ids: list[str]) -> SimpleNamespace:
    service = settings.service
    minimum, maximum = sizing.deployment_percents(service.tasks, service.deployment == "recreate")
    needs = ["PublicPathsRule1"] + (["AdminRule1"] if settings.admin_internal else [])
    needs += ["MutualTlsPublicPathsRule1"] if settings.mutual_tls_port else []
    created = settings.network.create
    if created:
        needs += [f"PrivateRoute{letter}" for letter in "ABC"[: created.zones]] if created.nat != "none" else []
    needs += [name for name in permission_ids if name.startswith(("TaskOut", "TaskIn", "DatabaseIn", "EndpointIn"))
              and not name.startswith(("TaskInHttp", "TaskInHealth", "TaskInMutualTls"))]
    return SimpleNamespace(minimum_percent=minimum, maximum_percent=maximum, depends_on=tuple(needs),
                           cluster=quoted(service.cluster) if service.cluster else ref("Cluster"),
                           cluster_name=cluster_name(settings),
                           architecture={"arm64": "ARM64", "x86_64": "X86_64"}[service.architecture])


def _database(settings: Settings) -> SimpleNamespace:
    created = settings.database.create
    if not created:
        return SimpleNamespace(created=False)
    limit = sizing.max_connections(created.instance_class)
    return SimpleNamespace(
        created=True, family=f"postgres{created.engine_version.split('.')[0]}",
        # The pool of every task during a deployment is the most that Keycloak itself opens.
        connections_alarm=int(limit * 0.8) if limit else settings.max_tasks * settings.database.pool_size + 20,
        free_storage_bytes=(settings.alarms.database_free_storage_gb if settings.alarms else 0) * 2**30)


def _security_groups(settings: Settings) -> tuple[tuple[str, str], ...]:
    """(logical id without its ending, description) of the groups the stack creates."""
    groups = [("LoadBalancer", "Balancer")]
    if settings.admin_internal:
        groups.append(("AdminLoadBalancer", "Balancer of the admin console"))
    groups.append(("Task", "Keycloak tasks"))
    if settings.database.create:
        groups.append(("Database", "PostgreSQL"))
    if settings.network.create and not settings.internet:
        groups.append(("Endpoint", "VPC endpoints"))
    return tuple(groups)


def health_command(server: ServerEnvironment) -> str:
    """The container's health check: the image has no curl, but bash opens sockets (Keycloak guide "Health checks")."""
    request = f"HEAD {server.live_path} HTTP/1.0\\r\\n\\r\\n"
    return (f"bash -c \"{{ printf '{request}' >&0; grep -q 'HTTP/1.0 200'; }} "
            f"0<>/dev/tcp/localhost/{server.health_port}\"")


PROXY_CHECK = (f"wget -q -O /dev/null http://127.0.0.1:{certificates.CHECK_PORT}/alive || "
               f"bash -c '< /dev/tcp/127.0.0.1/{certificates.CHECK_PORT}'")
"""The proxy's health check: one of HAProxy's images has wget, the other one bash."""


def _client_certificates(settings: Settings) -> SimpleNamespace | None:
    """What templates print about the listener for client certificates; None without one."""
    chosen = settings.load_balancer.client_certificates
    if not settings.mutual_tls_port:
        return None
    return SimpleNamespace(
        port=settings.mutual_tls_port, verifies=chosen.mode == "required", image=chosen.image,
        trust_store=chosen.trust_store, revocation=tuple(chosen.revocation) if chosen.mode == "required" else (),
        advertise="on" if chosen.advertise_authorities else "off", check=PROXY_CHECK,
        memory=certificates.MEMORY_MIB, keycloak_memory=settings.service.memory - certificates.MEMORY_MIB,
        container=certificates.CONTAINER, pages=facts.frontend_url_has_port(settings.keycloak.version),
        lists=facts.checks_lists_of_roots(settings.keycloak.version))


def build(settings: Settings, catalog: Catalog, environment: str) -> dict[str, object]:
    """Names for the templates: the settings themselves and what follows from them."""
    server = server_environment(settings, catalog, environment, proxy_cidrs(settings))
    rules = _rules(settings, catalog)
    allowed = permissions(settings, server)
    admin = settings.keycloak.admin
    base = settings.base_path
    tags = {"Environment": environment, **settings.tags}.items()
    return {
        "environment": environment,
        "settings": settings,
        "stack": stack_name(settings, environment),
        "tags": tags,
        "tag_words": tuple((word(key), word(value)) for key, value in tags),
        "server": server,
        "ports": SimpleNamespace(http=HTTP_PORT, cluster=CLUSTER_PORT, failure_detection=FAILURE_DETECTION_PORT,
                                 health=server.health_port, has_management=server.health_port != HTTP_PORT,
                                 mutual_tls=certificates.MUTUAL_TLS_PORT),
        "network": _network(settings),
        "permissions": allowed,
        "rules": rules,
        "certificates": _certificates(settings),
        "records": _records(settings),
        "admin_internal": settings.admin_internal,
        "client_certificates": _client_certificates(settings),
        "lookup_headers": certificates.lookup_headers(settings.load_balancer.client_certificates),
        "public_url": settings.keycloak.hostname + base,
        "admin_url": admin.hostname + base if admin.hostname else "",
        "public_host": _host(settings.keycloak.hostname),
        "admin_host": _host(admin.hostname) if admin.hostname else "",
        "path_guard": needs_path_guard(settings),
        "path_guard_regexes": listener_rules.PATH_GUARD,
        "namespace": namespace_name(settings, environment),
        "discovery_service": discovery_service(settings),
        "dns_discovery": settings.keycloak.discovery == "dns",
        "optimized": is_optimized(settings),
        "own_stack": own_jgroups_stack(settings),
        "image": settings.image_uri,
        "ecr_repository": _ecr_repository(settings.keycloak.image.repository),
        "ecr_repositories": _ecr_repositories(settings),
        "secret_access": _secret_access(settings),
        "secret_excluded": SECRET_EXCLUDED,
        "service": _service(settings, [permission.logical_id for permission in allowed]),
        "database": _database(settings),
        "security_groups": _security_groups(settings),
        "cluster_filters": cluster_filters(
            stack_name(settings, environment), settings.service.tasks, settings.keycloak.log.format == "json"),
        "waf_counted": WAF_COUNTED,
        "health_command": health_command(server),
        "admin_secret_template": json.dumps({"username": admin.username}),
        "scale_in_percent": (settings.service.autoscaling.cpu_percent * 3 // 4
                             if settings.service.autoscaling else 0),
        "dashboard_widgets": dashboard.widgets(settings),
        "outputs": outputs.outputs(settings, server, environment),
        "latency_seconds": f"{(settings.alarms.latency_p99_milliseconds if settings.alarms else 0) / 1000:g}",
    }
