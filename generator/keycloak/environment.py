"""The environment that makes a Keycloak of one version what the settings say: variables, secrets, ports, health.

Pure: settings and a catalog in, values out. Everything that differs between versions is decided here, by the catalog
where it can tell and by `facts` where it can't.
"""

from __future__ import annotations

import ipaddress
from dataclasses import dataclass
from typing import TYPE_CHECKING

from generator.keycloak import certificates, facts
from generator.keycloak.catalog import Catalog
from generator.keycloak.image import certificate_authorities

if TYPE_CHECKING:
    from generator.params.model import Settings

HTTP_PORT = 8080
CLUSTER_PORT = 7800
FAILURE_DETECTION_PORT = 57800
"""FD_SOCK2 listens at the cluster port plus 50000; closed, a killed node costs 45 s instead of 1 s (measured on
26.7.4)."""

CA_BUNDLE = "rds-bundle.pem"
CACHE_FILE = "cache-cloudmap.xml"

OWNED = {
    "KC_BOOTSTRAP_ADMIN_USERNAME": "keycloak.admin.username",
    "KC_CACHE": "service.tasks",
    "KC_CACHE_CONFIG_FILE": "keycloak.discovery",
    "KC_CACHE_STACK": "keycloak.discovery",
    "KC_CACHE_EMBEDDED_MTLS_ENABLED": "keycloak.cluster_encryption",
    "KC_CACHE_EMBEDDED_NETWORK_BIND_ADDRESS": "network",
    "KC_CACHE_EMBEDDED_NETWORK_BIND_PORT": "network",
    "KC_DB": "database",
    "KC_DB_URL": "database",
    "KC_DB_URL_HOST": "database",
    "KC_DB_URL_PORT": "database",
    "KC_DB_URL_DATABASE": "database.name",
    "KC_DB_URL_PROPERTIES": "database",
    "KC_DB_USERNAME": "database.username",
    "KC_DB_POOL_INITIAL_SIZE": "database.pool_size",
    "KC_DB_POOL_MIN_SIZE": "database.pool_size",
    "KC_DB_POOL_MAX_SIZE": "database.pool_size",
    "KC_FEATURES": "keycloak.features.enabled",
    "KC_FEATURES_DISABLED": "keycloak.features.disabled",
    "KC_HEALTH_ENABLED": "load_balancer.health_check",
    "KC_HOSTNAME": "keycloak.hostname",
    "KC_HOSTNAME_URL": "keycloak.hostname",
    "KC_HOSTNAME_ADMIN": "keycloak.admin.hostname",
    "KC_HOSTNAME_ADMIN_URL": "keycloak.admin.hostname",
    "KC_HOSTNAME_BACKCHANNEL_DYNAMIC": "keycloak.hostname",
    "KC_HOSTNAME_PATH": "keycloak.http_relative_path",
    "KC_HOSTNAME_PORT": "keycloak.hostname",
    "KC_HOSTNAME_STRICT": "keycloak.hostname",
    "KC_HOSTNAME_STRICT_BACKCHANNEL": "keycloak.hostname",
    "KC_HOSTNAME_STRICT_HTTPS": "keycloak.hostname",
    "KC_HTTP_ENABLED": "load_balancer",
    "KC_HTTP_PORT": "load_balancer",
    "KC_HTTP_MANAGEMENT_PORT": "load_balancer.health_check",
    "KC_HTTP_MANAGEMENT_RELATIVE_PATH": "keycloak.http_relative_path",
    "KC_HTTP_MANAGEMENT_HEALTH_ENABLED": "load_balancer.health_check",
    "KC_HTTP_MANAGEMENT_SCHEME": "load_balancer.health_check",
    "KC_HTTP_RELATIVE_PATH": "keycloak.http_relative_path",
    "KC_LEGACY_OBSERVABILITY_INTERFACE": "load_balancer.health_check",
    "KC_LOG_CONSOLE_OUTPUT": "keycloak.log.format",
    "KC_LOG_LEVEL": "keycloak.log.level",
    "KC_METRICS_ENABLED": "load_balancer.health_check",
    "KC_PROXY": "load_balancer",
    "KC_PROXY_HEADERS": "load_balancer",
    "KC_PROXY_PROTOCOL_ENABLED": "load_balancer",
    "KC_PROXY_TRUSTED_ADDRESSES": "network",
}
"""Options that other keys decide -> the key to change instead; two places for one value would contradict each other."""

OWNED_JVM_OPTIONS = {
    "-Djgroups.dns.query=": "keycloak.discovery",
    "-Djgroups.bind_addr=": "network",
    "-Djgroups.bind.address=": "network",
    "-Dsun.net.inetaddr.ttl=": "keycloak.discovery",
    "-XX:MaxRAMPercentage=": "keycloak.heap_percent",
    "-XX:InitialRAMPercentage=": "keycloak.heap_percent",
}


@dataclass(frozen=True)
class Variable:
    """One environment variable: a literal `value`, or the attribute of a resource in `get_att` (`Id.Attribute`)."""

    name: str
    value: str = ""
    get_att: str = ""


@dataclass(frozen=True)
class Secret:
    """One secret variable: `arn` of a secret that is there, or `sub`, a `Fn::Sub` text naming one of the stack."""

    name: str
    arn: str = ""
    sub: str = ""


@dataclass(frozen=True)
class ServerEnvironment:
    """What a task definition and an image need to know to run Keycloak."""

    variables: tuple[Variable, ...]
    """Run-time variables in reading order: the build-time ones are among them unless the image is optimized."""
    build_variables: tuple[Variable, ...]
    """Build-time options of the optimized image; empty for the stock image."""
    secrets: tuple[Secret, ...]
    command: tuple[str, ...]
    health_port: int
    health_path: str
    """Follows http-relative-path (server guide, management-interface.adoc; measured on 26.7.4: with /auth,
    /auth/health/ready answers on the management port and /health/ready nowhere)."""
    live_path: str
    admin_username_variable: str
    admin_password_variable: str
    discovery_name: str
    """Name that DNS_PING asks for; empty with JDBC_PING."""
    verifies_database: bool
    """Whether the database's certificate is checked, not only encryption demanded."""
    front: Front
    """What the balancers connect to."""


@dataclass(frozen=True)
class Front:
    """The container of a task that balancers send requests to, and its ports."""

    container: str
    port: int
    check_port: int
    configuration: str = ""
    """Configuration of the proxy, where that container isn't Keycloak's own."""


def stack_name(settings: Settings, environment: str) -> str:
    """Name of the environment's CloudFormation stack."""
    return settings.stack.name or f"keycloak-{environment}"


def namespace_name(settings: Settings, environment: str) -> str:
    """Name of the private DNS namespace; a stack's name is unique in its account and region, so this one is too."""
    return settings.stack.physical_names.DiscoveryNamespace or f"{stack_name(settings, environment).lower()}.internal"


def discovery_service(settings: Settings) -> str:
    """Name of the Cloud Map service in that namespace."""
    return settings.stack.physical_names.DiscoveryService or "keycloak"


def bind_address(cidrs: tuple[str, ...]) -> str:
    """JGroups' bind_addr for a VPC of these networks.

    SITE_LOCAL means 10/8, 172.16/12 and 192.168/16 only (JGroups Util.getAddress). Outside of them it finds nothing
    and JGroups silently takes the task's link-local address, which no other task reaches, so every network is then
    matched by its leading octets; the first match wins (measured on 24.0.5 and 26.7.4 with 100.64.0.0/16). `[.]`
    instead of a backslash, since a shell reads the options.
    """
    private = [ipaddress.IPv4Network(text) for text in ("10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16")]
    networks = [ipaddress.IPv4Network(cidr) for cidr in cidrs]
    if all(any(network.subnet_of(block) for block in private) for network in networks):
        return "SITE_LOCAL"
    return ",".join(f"match-address:{_leading_octets(network)}" for network in networks)


def _leading_octets(network: ipaddress.IPv4Network) -> str:
    octets = str(network.network_address).split(".")[: max(1, network.prefixlen // 8)]
    return "[.]".join(octets) + ("" if len(octets) == 4 else "[.].*")


def is_optimized(settings: Settings) -> bool:
    """Whether tasks start an image that was built beforehand."""
    return settings.keycloak.image.kind == "optimized"


def own_jgroups_stack(settings: Settings) -> bool:
    """Whether nodes run the JGroups stack of our own, which needs a file in the image and DNS_PING."""
    return is_optimized(settings) and settings.keycloak.discovery == "dns"


def encrypts_cluster(settings: Settings) -> bool:
    """Whether nodes talk to each other over mutual TLS.

    Before 26.2 the server ends with "Property cache-embedded-mtls-key-store-file required but not specified" (measured
    on 24.0.5, 26.0.8 and 26.1.4), so it is off there.
    """
    wanted = settings.keycloak.cluster_encryption
    return facts.cluster_encrypted_by_default(settings.keycloak.version) if wanted is None else wanted


def path_tricks_reach_admin(settings: Settings) -> bool:
    """Whether a path such as /realms/../admin/ reaches the admin console of this version with these options."""
    old_answer = settings.keycloak.options.get("KC_HTTP_ACCEPT_NON_NORMALIZED_PATHS") == "true"
    return old_answer or facts.path_tricks_reach_admin(settings.keycloak.version)


def path_parameters_reach_master(settings: Settings) -> bool:
    """Whether `/realms/master;x/` walks around the rule that keeps /realms/master to some networks."""
    return (settings.keycloak.master_realm == "admin_networks"
            and facts.path_parameters_reach_admin(settings.keycloak.version))


def verifies_database(settings: Settings) -> bool:
    """Whether the image holds the authority of the database's certificate, so that it can be checked."""
    existing = settings.database.existing
    is_rds = existing is None or existing.host.endswith((".rds.amazonaws.com", ".rds.amazonaws.com.cn"))
    return is_optimized(settings) and is_rds and certificate_authorities(settings.region) is not None


def server_environment(settings: Settings, catalog: Catalog, environment: str,
                       proxies: tuple[str, ...]) -> ServerEnvironment:
    """Everything Keycloak is told in `environment`; `proxies` are the networks its balancers connect from."""
    keycloak = settings.keycloak
    base = settings.base_path
    optimized = is_optimized(settings)
    discovery_name = ""
    if keycloak.discovery == "dns":
        discovery_name = f"{discovery_service(settings)}.{namespace_name(settings, environment)}"

    variables = [
        *_hostname(settings, catalog, base),
        Variable("KC_HTTP_ENABLED", "true"),
        Variable("KC_PROXY_HEADERS", "xforwarded"),
    ]
    management_port = facts.management_port(catalog.version)
    if certificates.asked_at_balancer(settings):
        # Nobody but the proxy in the task reaches it, and nobody else's headers are believed.
        proxies = (certificates.LOOPBACK,)
        variables.append(Variable("KC_HTTP_HOST", certificates.LOOPBACK))
        if management_port:
            variables.append(Variable("KC_HTTP_MANAGEMENT_HOST", certificates.LOOPBACK))
    if catalog.option("KC_PROXY_TRUSTED_ADDRESSES"):
        variables.append(Variable("KC_PROXY_TRUSTED_ADDRESSES", ",".join(proxies)))
    if base:
        variables.append(Variable("KC_HTTP_RELATIVE_PATH", keycloak.http_relative_path))
    variables += [Variable("KC_HEALTH_ENABLED", "true"), Variable("KC_METRICS_ENABLED", "true")]
    variables += _database(settings, catalog)
    variables += _cluster(settings)
    variables += _features(settings)
    lookup = certificates.options(settings, catalog.version)
    variables += [Variable(name, value) for name, value, _ in lookup]
    variables += [Variable("KC_LOG_LEVEL", keycloak.log.level),
                  Variable("KC_LOG_CONSOLE_OUTPUT", "json" if keycloak.log.format == "json" else "default")]
    username, password = facts.bootstrap_admin_variables(catalog.version)
    variables.append(Variable(username, keycloak.admin.username))
    variables += [Variable(name, value) for name, value in sorted(keycloak.options.items())]

    decided = {name for name, _, built in lookup if built}
    build = tuple(variable for variable in variables
                  if variable.name in decided or _is_build_time(catalog, variable.name)) if optimized else ()
    run = [variable for variable in variables if variable not in build]
    run += _jvm(settings, discovery_name)

    health_port = management_port or HTTP_PORT
    front = Front("keycloak", HTTP_PORT, health_port)
    if certificates.asked_at_balancer(settings):
        front = Front(certificates.CONTAINER, certificates.REQUESTS_PORT, certificates.CHECK_PORT,
                      certificates.proxy_configuration(settings, HTTP_PORT, health_port, f"{base}/health/ready"))
    return ServerEnvironment(
        variables=tuple(run),
        build_variables=build,
        secrets=_secrets(settings, password),
        command=("start", "--optimized") if optimized else ("start",),
        health_port=health_port,
        health_path=f"{base}/health/ready",
        live_path=f"{base}/health/live",
        admin_username_variable=username,
        admin_password_variable=password,
        discovery_name=discovery_name,
        verifies_database=verifies_database(settings),
        front=front,
    )


def _is_build_time(catalog: Catalog, name: str) -> bool:
    option = catalog.option(name)
    return bool(option and option.build)


def _hostname(settings: Settings, catalog: Catalog, base: str) -> list[Variable]:
    """Hostname v2 from 25 on; v1 before, with the backchannel as fixed as v2 has it by default."""
    keycloak = settings.keycloak
    public, admin = keycloak.hostname, keycloak.admin.hostname
    if base:
        public, admin = public + base, admin and admin + base
    if catalog.at_least(25, 0):
        return [Variable("KC_HOSTNAME", public)] + ([Variable("KC_HOSTNAME_ADMIN", admin)] if admin else [])
    return ([Variable("KC_HOSTNAME_URL", public)]
            + ([Variable("KC_HOSTNAME_ADMIN_URL", admin)] if admin else [])
            + [Variable("KC_HOSTNAME_STRICT_BACKCHANNEL", "true")])


def _database(settings: Settings, catalog: Catalog) -> list[Variable]:
    database = settings.database
    if database.existing:
        host = Variable("KC_DB_URL_HOST", database.existing.host)
        port = Variable("KC_DB_URL_PORT", str(database.existing.port))
    else:
        host = Variable("KC_DB_URL_HOST", get_att="Database.Endpoint.Address")
        port = Variable("KC_DB_URL_PORT", get_att="Database.Endpoint.Port")
    tls = "?sslmode=require"
    if verifies_database(settings):
        tls = f"?sslmode=verify-full&sslrootcert=/opt/keycloak/conf/{CA_BUNDLE}"
    pool = str(database.pool_size)
    variables = [
        Variable("KC_DB", "postgres"), host, port,
        Variable("KC_DB_URL_DATABASE", database.name),
        Variable("KC_DB_URL_PROPERTIES", tls),
        # Initial, least and most the same: no connection storms (Keycloak guide on connection pools).
        *(Variable(f"KC_DB_POOL_{which}_SIZE", pool) for which in ("INITIAL", "MIN", "MAX")),
    ]
    if not catalog.at_least(25, 0):
        # Before 25 the default is true, which wants a transaction log on a disk that outlives the task.
        variables.append(Variable("KC_TRANSACTION_XA_ENABLED", "false"))
    return [variable for variable in variables if variable.name not in settings.keycloak.options]


def _cluster(settings: Settings) -> list[Variable]:
    keycloak = settings.keycloak
    variables = [Variable("KC_CACHE", "ispn")]
    if own_jgroups_stack(settings):
        variables.append(Variable("KC_CACHE_CONFIG_FILE", CACHE_FILE))
    else:
        variables.append(Variable("KC_CACHE_STACK", "kubernetes" if keycloak.discovery == "dns" else "jdbc-ping"))
    variables.append(Variable("KC_CACHE_EMBEDDED_MTLS_ENABLED", "true" if encrypts_cluster(settings) else "false"))
    # The balancer has a cookie of its own; the node's name in Keycloak's cookie would only tell outsiders about nodes.
    variables.append(Variable(
        facts.spi_variable(keycloak.version, "sticky-session-encoder", "infinispan", "should-attach-route"), "false"))
    return variables


def _features(settings: Settings) -> list[Variable]:
    features = settings.keycloak.features
    return ([Variable("KC_FEATURES", ",".join(features.enabled))] if features.enabled else []) + (
        [Variable("KC_FEATURES_DISABLED", ",".join(features.disabled))] if features.disabled else [])


def _jvm(settings: Settings, discovery_name: str) -> list[Variable]:
    keycloak = settings.keycloak
    options = []
    if discovery_name:
        options.append(f"-Djgroups.dns.query={discovery_name}")
    options.append(f"-Djgroups.bind_addr={bind_address(settings.vpc_cidrs)}")
    # The JVM would keep an answer of the DNS for 30 s; tasks and a failed-over database change sooner.
    options.append("-Dsun.net.inetaddr.ttl=5")
    options += keycloak.jvm_options
    variables = [Variable("JAVA_OPTS_APPEND", " ".join(options))]
    if keycloak.heap_percent != 70:  # Keycloak's own default
        initial = min(50, keycloak.heap_percent)
        variables.append(Variable("JAVA_OPTS_KC_HEAP",
                                  f"-XX:MaxRAMPercentage={keycloak.heap_percent} -XX:InitialRAMPercentage={initial}"))
    return variables


def _secrets(settings: Settings, password_variable: str) -> tuple[Secret, ...]:
    existing = settings.database.existing
    secrets = []
    for variable, key in (("KC_DB_USERNAME", "username"), ("KC_DB_PASSWORD", "password")):
        if existing:
            secrets.append(Secret(variable, arn=f"{existing.secret}:{key}::"))
        else:
            secrets.append(Secret(variable, sub=f"${{DatabaseSecret}}:{key}::"))
    secrets.append(Secret(password_variable, sub="${BootstrapAdminSecret}:password::"))
    secrets += [Secret(name, arn=arn) for name, arn in sorted(settings.keycloak.secret_options.items())]
    return tuple(secrets)
