"""What a server is told: every name and value is one its version knows, and each is said once."""

from __future__ import annotations

import functools
import ipaddress
import itertools
import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from generator.keycloak import catalog, environment, facts
from generator.keycloak.environment import Secret, Variable
from generator.params.model import Settings
from generator.rendering import context
from tests.trials import ACCOUNT, FOUND_DATABASE, FOUND_NETWORK, GONE, changed, try_out

VERSIONS = catalog.versions()
NEWEST = VERSIONS[-1]
PROXIES = ("10.40.0.0/20", "10.40.16.0/20")
STOCK = {"keycloak.image": {"kind": "stock"}}
NAME = "prod"

CHOICES = {
    "image": [{}, STOCK],
    "discovery": [{}, {"keycloak.discovery": "database"}],
    "path": [{}, {"keycloak.http_relative_path": "/auth"}],
    "admin": [{}, {"keycloak.admin": {}}],
    "database": [{}, {"database": FOUND_DATABASE}],
    "log": [{}, {"keycloak.log": {"format": "plain", "level": "warn,org.keycloak.events:debug"}}],
    "features": [{}, {"keycloak.features": {"enabled": ["token-exchange", "preview"], "disabled": ["impersonation"]}}],
    "heap": [{}, {"keycloak.heap_percent": 40}],
}
COMBINATIONS = [
    {key: value for changes in combination for key, value in changes.items()}
    for combination in itertools.product(*CHOICES.values())]


def told(changes: dict, version: str = NEWEST, name: str = NAME) -> environment.ServerEnvironment:
    """What a server of this version is told in the good environment with some changes."""
    params = changed({**changes, "keycloak.version": version})
    return environment.server_environment(Settings.model_validate(params), catalog.load(version), name, PROXIES)


@functools.cache
def told_in_all_combinations(version: str) -> tuple[tuple[dict, environment.ServerEnvironment], ...]:
    """(changes, what the server is told) of every combination of choices that the version has."""
    return tuple((changes, told(changes, version)) for changes in COMBINATIONS
                 if "keycloak.discovery" not in changes or facts.jdbc_ping_available(version))


def every(server: environment.ServerEnvironment) -> dict[str, str]:
    """Name -> value of every variable, at build time and at run time; values of resources are `Id.Attribute`."""
    return {variable.name: variable.value or variable.get_att
            for variable in (*server.build_variables, *server.variables)}


def names(server: environment.ServerEnvironment) -> list[str]:
    """Every name that a server is given, as often as it is given."""
    return [one.name for one in (*server.build_variables, *server.variables, *server.secrets)]


@pytest.mark.parametrize("version", VERSIONS)
def test_a_version_knows_every_name_and_takes_every_value(version):
    """In all combinations of choices, no name is unknown or deprecated, no value refused, and none said twice."""
    known = catalog.load(version)
    for _, server in told_in_all_combinations(version):
        said = names(server)
        assert len(set(said)) == len(said)
        for name, value in {**every(server), **dict.fromkeys((one.name for one in server.secrets), "")}.items():
            if name.startswith(("JAVA_OPTS_", "KEYCLOAK_ADMIN")) or catalog.Catalog.is_spi(name):
                continue
            option = known.option(name)
            assert option is not None and not option.deprecated and not option.category.startswith(("Export", "Import"))
            if value and not re.fullmatch(r"[A-Z]\w+(\.\w+)+", value):
                assert known.check_value(option, value) is None


@pytest.mark.parametrize("version", VERSIONS)
def test_an_optimized_image_has_its_build_time_options_inside(version):
    """An optimized server refuses or ignores build-time options at run time: they are all in the image, alone."""
    known = catalog.load(version)
    for changes, server in told_in_all_combinations(version):
        built = [variable.name for variable in server.build_variables]
        at_run_time = [one.name for one in (*server.variables, *server.secrets)]
        if "keycloak.image" in changes:
            assert built == [] and server.command == ("start",)
            continue
        assert server.command == ("start", "--optimized")
        assert {"KC_DB", "KC_HEALTH_ENABLED", "KC_METRICS_ENABLED"} <= set(built)
        assert ("KC_HTTP_RELATIVE_PATH" in built) == ("keycloak.http_relative_path" in changes)
        assert all(known.option(name).build for name in built)
        assert not any(known.option(name).build for name in at_run_time if known.option(name))


def test_24_takes_its_cache_at_build_time():
    """Up to 24 the cache is chosen when the image is built, from 25 on when it starts."""
    for version, built in (("24.0.5", True), ("25.0.6", False)):
        server = told({}, version)
        assert ("KC_CACHE_CONFIG_FILE" in [variable.name for variable in server.build_variables]) == built
        assert every(server)["KC_CACHE_CONFIG_FILE"] == "cache-cloudmap.xml"


# --- host names -----------------------------------------------------------------------------------------------------

def hostname(server: environment.ServerEnvironment) -> dict[str, str]:
    """The variables about host names."""
    return {name: value for name, value in every(server).items() if name.startswith("KC_HOSTNAME")}


@pytest.mark.parametrize("version", VERSIONS)
@pytest.mark.parametrize(("path", "base"), [("/", ""), ("/auth", "/auth")])
def test_addresses_are_spelt_as_the_version_wants_them(version, path, base):
    """24 has options for URLs and a backchannel to fix; from 25 on a host name is a URL with its path."""
    public, admin = f"https://sso.example.com{base}", f"https://admin.example.com{base}"
    wanted = {"KC_HOSTNAME": public, "KC_HOSTNAME_ADMIN": admin}
    if version.startswith("24."):
        wanted = {"KC_HOSTNAME_URL": public, "KC_HOSTNAME_ADMIN_URL": admin, "KC_HOSTNAME_STRICT_BACKCHANNEL": "true"}
    changes = {"keycloak.http_relative_path": path}
    assert hostname(told(changes, version)) == wanted
    without = {name: value for name, value in wanted.items() if "ADMIN" not in name}
    assert hostname(told({**changes, "keycloak.admin": GONE}, version)) == without


@pytest.mark.parametrize("version", VERSIONS)
@pytest.mark.parametrize(("path", "base"), [("/", ""), ("/auth", "/auth"), ("/a/b", "/a/b")])
def test_health_is_asked_where_it_answers(version, path, base):
    """On 24 on the main port, later on the management port; below the relative path in any case."""
    server = told({"keycloak.http_relative_path": path}, version)
    assert server.health_port == (8080 if version.startswith("24.") else 9000)
    assert (server.health_path, server.live_path) == (f"{base}/health/ready", f"{base}/health/live")
    assert every(server).get("KC_HTTP_RELATIVE_PATH", "/") == path
    assert every(server)["KC_HEALTH_ENABLED"] == every(server)["KC_METRICS_ENABLED"] == "true"


@pytest.mark.parametrize("version", VERSIONS)
def test_requests_come_from_the_balancer(version):
    """Plain HTTP behind it, its headers trusted, and from 26 on only when they come from its own networks."""
    said = every(told({}, version))
    assert (said["KC_HTTP_ENABLED"], said["KC_PROXY_HEADERS"]) == ("true", "xforwarded")
    assert "KC_PROXY" not in said
    addresses = said.get("KC_PROXY_TRUSTED_ADDRESSES")
    assert addresses == ("10.40.0.0/20,10.40.16.0/20" if version.startswith("26.") else None)


PUBLIC, PRIVATE = ["10.40.0.0/20", "10.40.16.0/20"], ["10.40.64.0/20", "10.40.80.0/20"]


@pytest.mark.parametrize(("changes", "networks"), [
    pytest.param({}, PUBLIC, id="a public balancer"),
    pytest.param({"load_balancer.scheme": "internal"}, PRIVATE, id="an internal balancer"),
    pytest.param({"keycloak.admin.balancer": "internal", "keycloak.admin.login_from": ["203.0.113.0/24"]},
                 PUBLIC + PRIVATE, id="one of each"),
    pytest.param({"network": FOUND_NETWORK, "network.existing.cidrs": ["10.60.0.0/16", "100.64.0.0/16"]},
                 ["10.60.0.0/16", "100.64.0.0/16"], id="a network that was found"),
])
def test_only_the_balancers_networks_are_trusted(changes, networks):
    """Where the stack creates the subnets, the ones its balancers lie in; else the networks of the VPC."""
    tried = try_out(changes).environment
    server = context.build(tried.settings, tried.catalog, "dev")["server"]
    assert every(server)["KC_PROXY_TRUSTED_ADDRESSES"].split(",") == networks


@pytest.mark.parametrize("version", VERSIONS)
def test_the_first_administrator_has_the_name_that_the_version_reads(version):
    """24 and 25 ignore the new names silently, and nobody could log in."""
    server = told({"keycloak.admin.username": "first"}, version)
    user, password = ("KC_BOOTSTRAP_ADMIN_USERNAME", "KC_BOOTSTRAP_ADMIN_PASSWORD") if version >= "26" else (
        "KEYCLOAK_ADMIN", "KEYCLOAK_ADMIN_PASSWORD")
    assert (server.admin_username_variable, server.admin_password_variable) == (user, password)
    assert Variable(user, "first") in server.variables
    assert Secret(password, sub="${BootstrapAdminSecret}:password::") in server.secrets
    others = {"KC_BOOTSTRAP_ADMIN_USERNAME", "KEYCLOAK_ADMIN", "KC_BOOTSTRAP_ADMIN_PASSWORD",
              "KEYCLOAK_ADMIN_PASSWORD"} - {user, password}
    assert not others & set(names(server))


@pytest.mark.parametrize("version", VERSIONS)
def test_the_cookie_names_no_node(version):
    """The option is spelt with two underscores from 26.3 on, and with one before, where two are ignored."""
    spelt = "__" if tuple(map(int, version.split(".")[:2])) >= (26, 3) else "_"
    name = f"KC_SPI_STICKY_SESSION_ENCODER{spelt}INFINISPAN{spelt}SHOULD_ATTACH_ROUTE"
    said = every(told({}, version))
    assert {one: value for one, value in said.items() if "STICKY" in one} == {name: "false"}


# --- the cluster ----------------------------------------------------------------------------------------------------

def cluster(changes: dict, version: str = NEWEST) -> dict[str, str]:
    """The variables about the cache."""
    return {name.removeprefix("KC_CACHE").strip("_"): value for name, value in every(told(changes, version)).items()
            if name.startswith("KC_CACHE")}


@pytest.mark.parametrize("version", VERSIONS)
def test_nodes_find_each_other_and_say_how(version):
    """Our own stack in our own image, the DNS stack in the stock one, JDBC_PING where params say database."""
    encrypted = "true" if tuple(map(int, version.split(".")[:2])) >= (26, 2) else "false"
    both = {"": "ispn", "EMBEDDED_MTLS_ENABLED": encrypted}
    assert cluster({}, version) == {**both, "CONFIG_FILE": "cache-cloudmap.xml"}
    assert cluster(STOCK, version) == {**both, "STACK": "kubernetes"}
    if facts.jdbc_ping_available(version):
        for image in ({}, STOCK):
            assert cluster({**image, "keycloak.discovery": "database"}, version) == {**both, "STACK": "jdbc-ping"}
            assert told({**image, "keycloak.discovery": "database"}, version).discovery_name == ""


@pytest.mark.parametrize(("wanted", "said"), [(True, "true"), (False, "false")])
def test_encryption_is_what_params_say_if_they_do(wanted, said):
    """A word in params outdoes the version's own way, in both directions."""
    for version in ("26.1.4", NEWEST):
        assert cluster({"keycloak.cluster_encryption": wanted}, version)["EMBEDDED_MTLS_ENABLED"] == said


@pytest.mark.parametrize(("changes", "name", "namespace"), [
    ({}, "prod", "keycloak-prod.internal"),
    ({"stack.name": "Identity-Platform"}, "prod", "identity-platform.internal"),
])
def test_dns_is_asked_for_the_service_in_its_namespace(changes, name, namespace):
    """The name that nodes ask for is <service>.<namespace>, as Cloud Map will have it."""
    server = told(changes, name=name)
    params = Settings.model_validate(changed(changes))
    assert environment.namespace_name(params, name) == namespace
    assert server.discovery_name == f"{environment.discovery_service(params)}.{namespace}" == f"keycloak.{namespace}"
    assert f"-Djgroups.dns.query=keycloak.{namespace}" in every(server)["JAVA_OPTS_APPEND"].split()


def test_the_rendered_name_is_the_one_that_cloud_map_has(wholes):
    """In each environment of the project, the query is the name of the service in the rendered namespace."""
    for name in ("dev", "prod", "staging"):
        document = wholes[name].document
        namespace, = document.of_type("AWS::ServiceDiscovery::PrivateDnsNamespace")
        service, = document.of_type("AWS::ServiceDiscovery::Service")
        container, = document.of_type("AWS::ECS::TaskDefinition")[0].properties["ContainerDefinitions"]
        options = {one["Name"]: one["Value"] for one in container["Environment"]}["JAVA_OPTS_APPEND"]
        wanted = f"-Djgroups.dns.query={service.properties['Name']}.{namespace.properties['Name']}"
        assert wanted in options.split()


def test_the_jvm_is_told_what_params_add():
    """Options of the user's come last, and a heap of another size replaces Keycloak's default only then."""
    said = every(told({"keycloak.jvm_options": ["-XX:+UseZGC", "-Duser.timezone=UTC"]}))
    assert said["JAVA_OPTS_APPEND"].split() == [
        "-Djgroups.dns.query=keycloak.keycloak-prod.internal", "-Djgroups.bind_addr=SITE_LOCAL",
        "-Dsun.net.inetaddr.ttl=5", "-XX:+UseZGC", "-Duser.timezone=UTC"]
    assert "JAVA_OPTS_KC_HEAP" not in said
    for percent, initial in ((40, 40), (80, 50), (50, 50)):
        said = every(told({"keycloak.heap_percent": percent}))
        assert said["JAVA_OPTS_KC_HEAP"] == f"-XX:MaxRAMPercentage={percent} -XX:InitialRAMPercentage={initial}"
    assert "dns.query" not in every(told({"keycloak.discovery": "database"}))["JAVA_OPTS_APPEND"]


@pytest.mark.parametrize("prefix", environment.OWNED_JVM_OPTIONS)
def test_every_jvm_option_that_params_refuse_is_decided_here(prefix):
    """What the rules call set by the generator is set, or would change what is."""
    said = " ".join(every(told({"keycloak.heap_percent": 40})).values())
    assert prefix in said or prefix == "-Djgroups.bind.address="  # the other spelling of bind_addr


@pytest.mark.parametrize("cidrs", [
    ("10.40.0.0/16",), ("172.16.0.0/12",), ("172.31.255.0/24",), ("192.168.0.0/16",), ("10.0.0.0/8", "192.168.7.0/24")])
def test_private_ranges_need_no_pattern(cidrs):
    """RFC 1918 is what SITE_LOCAL means, so a network of it is found whatever its size."""
    assert environment.bind_address(cidrs) == "SITE_LOCAL"


def matches(setting: str, address: str) -> bool:
    """Whether JGroups binds to `address`: one of the patterns is the whole address."""
    patterns = [part.removeprefix("match-address:") for part in setting.split(",")]
    assert all(part.startswith("match-address:") for part in setting.split(","))
    return any(re.fullmatch(pattern, address) for pattern in patterns)


@pytest.mark.parametrize(("cidrs", "setting"), [
    (("100.64.0.0/10",), "match-address:100[.].*"),
    (("100.64.0.0/16",), "match-address:100[.]64[.].*"),
    (("100.64.16.0/20",), "match-address:100[.]64[.].*"),
    (("100.64.7.0/24",), "match-address:100[.]64[.]7[.].*"),
    (("198.18.0.0/15",), "match-address:198[.].*"),
    (("11.0.0.0/8",), "match-address:11[.].*"),
    (("203.0.113.9/32",), "match-address:203[.]0[.]113[.]9"),
    (("10.60.0.0/16", "100.64.0.0/16"), "match-address:10[.]60[.].*,match-address:100[.]64[.].*"),
])
def test_other_ranges_are_matched_by_their_octets(cidrs, setting):
    """Everything in the VPC's networks matches; beside them nothing does, where they end at an octet."""
    assert environment.bind_address(cidrs) == setting
    for network in map(ipaddress.IPv4Network, cidrs):
        for address in (network[0], network[-1], network[network.num_addresses // 2]):
            assert matches(setting, str(address))
        if network.prefixlen % 8 == 0:
            assert not matches(setting, str(network[0] - 1))
            assert not matches(setting, str(network[-1] + 1))
    assert not matches(setting, "169.254.172.2")  # where the agent of a task lives
    assert not matches(setting, "127.0.0.1")
    assert not re.search(r"[\s\\$`\"'()&;|<>]", setting)  # a shell reads it


@given(octets=st.tuples(*[st.integers(0, 255)] * 4), length=st.sampled_from([8, 16, 24]), data=st.data())
def test_any_range_is_matched_exactly_where_it_ends_at_an_octet(octets, length, data):
    """An address matches if and only if it lies in the network."""
    network = ipaddress.IPv4Network((".".join(map(str, octets)), length), strict=False)
    setting = environment.bind_address((str(network),))
    address = data.draw(st.one_of(st.ip_addresses(v=4), st.ip_addresses(v=4, network=str(network))))
    if setting == "SITE_LOCAL":
        assert network.is_private
    else:
        assert matches(setting, str(address)) == (address in network)


def test_the_networks_of_a_found_vpc_are_bound_to():
    """Params that bring a VPC along name its networks."""
    changes = {"network": {"existing": {**FOUND_NETWORK["existing"], "cidrs": ["100.64.0.0/16"]}}}
    assert "-Djgroups.bind_addr=match-address:100[.]64[.].*" in every(told(changes))["JAVA_OPTS_APPEND"].split()


# --- the database ---------------------------------------------------------------------------------------------------

def database(changes: dict, version: str = NEWEST) -> dict[str, str]:
    """The variables about the database."""
    return {name.removeprefix("KC_DB").strip("_"): value for name, value in every(told(changes, version)).items()
            if name.startswith("KC_DB")}


def test_a_created_database_is_named_by_its_resource():
    """Host and port come from the instance, user and password from the secret beside it."""
    server = told({"database.name": "sso", "database.pool_size": 7})
    assert database({"database.name": "sso", "database.pool_size": 7}) == {
        "": "postgres", "URL_HOST": "Database.Endpoint.Address", "URL_PORT": "Database.Endpoint.Port",
        "URL_DATABASE": "sso",
        "URL_PROPERTIES": "?sslmode=verify-full&sslrootcert=/opt/keycloak/conf/rds-bundle.pem",
        "POOL_INITIAL_SIZE": "7", "POOL_MIN_SIZE": "7", "POOL_MAX_SIZE": "7"}
    assert server.secrets[:2] == (Secret("KC_DB_USERNAME", sub="${DatabaseSecret}:username::"),
                                  Secret("KC_DB_PASSWORD", sub="${DatabaseSecret}:password::"))


def test_a_found_database_is_named_by_params():
    """Its address, and the ARN of its secret with the keys to read."""
    changes = {"database": FOUND_DATABASE, "database.existing.port": 6432}
    arn = FOUND_DATABASE["existing"]["secret"]
    said = database(changes)
    assert (said["URL_HOST"], said["URL_PORT"]) == (FOUND_DATABASE["existing"]["host"], "6432")
    assert told(changes).secrets[:2] == (Secret("KC_DB_USERNAME", arn=f"{arn}:username::"),
                                         Secret("KC_DB_PASSWORD", arn=f"{arn}:password::"))


@pytest.mark.parametrize(("changes", "verified"), [
    pytest.param({}, True, id="a created one"),
    pytest.param({"database": FOUND_DATABASE}, True, id="one found in RDS"),
    pytest.param({"database": FOUND_DATABASE, "database.existing.host": "db.example.com"}, False, id="one elsewhere"),
    pytest.param({"database": FOUND_DATABASE, "database.existing.host": "rds.amazonaws.com.example.com"}, False,
                 id="one whose host only looks like RDS"),
    pytest.param(STOCK, False, id="an image without the authorities"),
    pytest.param({"region": "cn-north-1"}, False, id="a region whose authorities aren't here"),
])
def test_the_certificate_of_a_database_is_checked_where_it_can_be(changes, verified):
    """verify-full wants the region's authorities in the image; everywhere else the connection is encrypted."""
    server = told(changes)
    assert server.verifies_database is verified
    assert database(changes)["URL_PROPERTIES"] == (
        "?sslmode=verify-full&sslrootcert=/opt/keycloak/conf/rds-bundle.pem" if verified else "?sslmode=require")


def test_transactions_over_several_databases_are_off():
    """24 has them on by default, with a log on a disk that a task loses; whoever wants them says so."""
    assert every(told({}, "24.0.5"))["KC_TRANSACTION_XA_ENABLED"] == "false"
    assert "KC_TRANSACTION_XA_ENABLED" not in every(told({}, "25.0.6"))
    own = told({"keycloak.options": {"KC_TRANSACTION_XA_ENABLED": "true"}}, "24.0.5")
    assert names(own).count("KC_TRANSACTION_XA_ENABLED") == 1
    assert every(own)["KC_TRANSACTION_XA_ENABLED"] == "true"


# --- what params add ------------------------------------------------------------------------------------------------

def test_options_of_the_user_are_said_once_and_in_order():
    """Options come after ours, sorted; secret ones after our secrets; a build-time one goes into the image."""
    secret = f"arn:aws:ssm:eu-central-1:{ACCOUNT}:parameter/mail"
    changes = {"keycloak.options": {"KC_SPI_Z__Z__Z": "1", "KC_DB_SCHEMA": "sso", "KC_HTTPS_CLIENT_AUTH": "request"},
               "keycloak.secret_options": {"KC_SPI_B__B__TOKEN": secret, "KC_SPI_A__A__TOKEN": secret}}
    server = told(changes)
    at_run_time = [variable.name for variable in server.variables]
    assert at_run_time[-3:] == ["KC_DB_SCHEMA", "KC_SPI_Z__Z__Z", "JAVA_OPTS_APPEND"]
    assert Variable("KC_HTTPS_CLIENT_AUTH", "request") in server.build_variables
    assert "KC_HTTPS_CLIENT_AUTH" not in at_run_time
    assert server.secrets[3:] == (Secret("KC_SPI_A__A__TOKEN", arn=secret), Secret("KC_SPI_B__B__TOKEN", arn=secret))
    assert len(set(names(server))) == len(names(server))
    stock = told({**changes, **STOCK})
    assert Variable("KC_HTTPS_CLIENT_AUTH", "request") in stock.variables


def test_features_are_told_only_where_there_are_some():
    """No empty lists, which Keycloak would take for a change of what was built."""
    assert not any(name.startswith("KC_FEATURES") for name in every(told({})))
    said = every(told({"keycloak.features": {"enabled": ["docker", "scripts"], "disabled": ["impersonation"]}}))
    assert (said["KC_FEATURES"], said["KC_FEATURES_DISABLED"]) == ("docker,scripts", "impersonation")


@pytest.mark.parametrize(("form", "output"), [("json", "json"), ("plain", "default")])
def test_the_log_is_as_params_say(form, output):
    """Its format has another name in Keycloak; its level is passed on."""
    said = every(told({"keycloak.log": {"format": form, "level": "info,org.keycloak.events:debug"}}))
    assert (said["KC_LOG_CONSOLE_OUTPUT"], said["KC_LOG_LEVEL"]) == (output, "info,org.keycloak.events:debug")


@pytest.mark.parametrize("version", VERSIONS)
def test_whatever_is_set_is_refused_as_an_option(version):
    """No variable of ours could be set a second time by params: the rules know them all as owned."""
    own = {name for _, server in told_in_all_combinations(version) for name in names(server) if name.startswith("KC_")}
    free = {name for name in own - set(environment.OWNED) - {"KC_DB_PASSWORD"}
            if "STICKY" not in name and "BOOTSTRAP" not in name}
    assert free <= {"KC_TRANSACTION_XA_ENABLED"}


def test_the_same_settings_always_say_the_same():
    """Nothing here depends on anything else: two askings are equal, and another environment differs in its name."""
    assert told({}) == told({})
    assert told({}) != told({}, name="dev")
