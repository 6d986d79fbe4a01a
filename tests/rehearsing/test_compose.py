"""The Compose project says what the template says, gives nothing away, and takes no right from a template."""

from __future__ import annotations

import json
import stat
from dataclasses import replace

import pytest
import yaml

from generator.errors import RehearsalError
from generator.rehearsing import certificates, names
from generator.rehearsing.certificates import REVOCATIONS_FILE, Clients
from generator.rehearsing.compose import Choices, compose_file, files, task_services
from generator.rehearsing.credentials import Credentials
from generator.rehearsing.rehearsal import export, source
from generator.rehearsing.topology import Container, HealthCheck, MutualTls
from tests.cases import PROJECT
from tests.rehearsing.foreign import FOREIGN, OWN, load


@pytest.fixture(scope="module")
def authority():
    return certificates.authority("test")


@pytest.fixture(scope="module")
def clients():
    return certificates.clients("test")


def services(topology, **choices):
    return yaml.safe_load(compose_file(topology, PROJECT, Choices(**choices)))["services"]


def with_environment(topology, *entries):
    container = replace(topology.keycloak, environment=(*topology.keycloak.environment, *entries))
    task = replace(topology.task, containers=tuple(
        container if one.name == topology.task.keycloak else one for one in topology.task.containers))
    return replace(topology, task=task)


@pytest.mark.parametrize("name", [*OWN, *FOREIGN])
def test_every_template_becomes_a_project(name, authority, clients):
    """Each template gives files that hold every host, and the same files each time."""
    topology = load(name)
    made = files(topology, PROJECT, authority, clients=clients)
    described = yaml.safe_load(made["compose.yaml"])
    assert {f"{host.name}-net" for host in topology.hosts} <= set(described["services"])
    assert "name" not in described and "version" not in described, "Compose 1.29 and 2 both read it"
    assert made["compose.yaml"] == files(topology, PROJECT, authority, clients=clients)["compose.yaml"]


@pytest.mark.parametrize("name", [*OWN, *FOREIGN])
def test_no_template_gets_rights_on_this_machine(name, authority, clients):
    """Nothing is privileged, no device, no folder of the machine's, no right but those of the rehearsal's own parts."""
    described = yaml.safe_load(files(load(name), PROJECT, authority, clients=clients)["compose.yaml"])
    for service, one in described["services"].items():
        assert not {"privileged", "devices", "pid", "ipc", "userns_mode", "cgroup_parent", "sysctls"} & set(one), service
        own = {"dns": ["NET_BIND_SERVICE"]}.get(service, ["NET_ADMIN"] if service.endswith("-firewall") else None)
        assert one.get("cap_add") == own, service
        assert one.get("network_mode", "service:").startswith("service:"), service
        for volume in one.get("volumes", []):
            place = volume.split(":")[0]
            assert place.startswith("./") or place in described["volumes"], volume
        for port in one.get("ports", []):
            assert port.startswith("127.0.0.1::"), port


def test_the_tasks_have_their_own_environment_and_command():
    """What Keycloak is told in the rehearsal is what the template tells it, no more and no less."""
    topology = load("dev")
    one = services(topology)["keycloak-1"]
    assert one["environment"] == {key: value.replace("$", "$$") for key, value in topology.keycloak.environment}
    assert one["command"] == list(topology.keycloak.command)
    assert one["mem_limit"] == one["memswap_limit"] == "1024m"
    assert one["stop_grace_period"] == "60s"
    assert one["healthcheck"]["test"] == [part.replace("$", "$$") for part in topology.keycloak.health_check.command]
    assert "cpus" not in one


def test_hosts_have_the_addresses_and_names_that_the_topology_gives_them():
    """A task's address and host name belong to the container that owns its network."""
    topology = load("prod")
    described = services(topology)
    for slot in topology.slots:
        one = described[f"{slot.name}-net"]
        assert one["networks"]["vpc"]["ipv4_address"] == str(slot.address)
        assert one["hostname"] == slot.hostname
        assert one["dns"] == [str(topology.resolver)]
        assert described[slot.name]["network_mode"] == f"service:{slot.name}-net"


def test_only_the_wanted_tasks_start_by_themselves():
    """Places for replacements have a profile, which a plain `up` leaves out."""
    topology = load("dev")
    described = services(topology)
    for number, slot in enumerate(topology.slots):
        for service in task_services(topology, slot.name):
            assert described[service].get("profiles") == (None if number < 2 else ["spare"]), service


def test_a_task_waits_for_its_firewall():
    """There is no moment in which a task runs without its security groups."""
    topology = load("dev")
    described = services(topology)
    assert described["keycloak-1"]["depends_on"]["keycloak-1-firewall"] == {
        "condition": "service_completed_successfully"}
    without = services(topology, firewall=False)
    assert not [service for service in without if service.endswith("-firewall")]
    assert "keycloak-1-firewall" not in without["keycloak-1"]["depends_on"]


def test_secrets_are_in_no_file_of_the_project(tmp_path, authority):
    """Generated values stand beside the project, for the user's eyes only; the project names the folder by a variable."""
    topology = load("dev")
    credentials = Credentials.generate(topology)
    credentials.store(tmp_path / "secrets", topology)
    made = files(topology, PROJECT, authority)
    values = [credentials.value(field) for _, field in topology.keycloak.secrets if field.literal is None]
    assert values
    for name, content in made.items():
        for value in values:
            assert value.encode() not in content, name
    for path in (tmp_path / "secrets").iterdir():
        assert stat.S_IMODE(path.stat().st_mode) == 0o600
    one = services(topology)["keycloak-1"]
    assert one["env_file"] == ["${REHEARSAL_SECRETS:?see README.md}/keycloak.env"]
    written = dict(line.split("=", 1) for line in
                   (tmp_path / "secrets" / "keycloak.env").read_text(encoding="utf-8").splitlines())
    assert set(written) == {name for name, _ in topology.keycloak.secrets}
    assert Credentials.load(tmp_path / "secrets").value(topology.keycloak.secrets[0][1]) == written[
        topology.keycloak.secrets[0][0]]


def test_the_database_has_the_password_that_keycloak_logs_in_with(tmp_path):
    """One generated value for both ends."""
    topology = load("dev")
    Credentials.generate(topology).store(tmp_path, topology)
    database = dict(line.split("=", 1) for line in (tmp_path / "database.env").read_text("utf-8").splitlines())
    keycloak = dict(line.split("=", 1) for line in (tmp_path / "keycloak.env").read_text("utf-8").splitlines())
    assert database["POSTGRES_PASSWORD"] == keycloak["KC_DB_PASSWORD"]
    assert database["POSTGRES_USER"] == keycloak["KC_DB_USERNAME"] == "keycloak"


def test_dollars_and_quotes_mean_themselves():
    """Compose puts nothing of this machine's environment into a value, and YAML breaks on none."""
    odd = 'a$HOME ${PATH} "quoted" \'single\' back\\slash # no comment: {x} [y] é'
    one = services(with_environment(load("dev"), ("ODD", odd), ("LINES", "one\ntwo")))["keycloak-1"]["environment"]
    assert one["ODD"] == odd.replace("$", "$$")
    assert one["LINES"] == "one\ntwo"


@pytest.mark.parametrize("character", ["\x00", "\x1b", "\x7f", "\x85"])
def test_control_characters_are_refused(character):
    """What would move a terminal's cursor or end a file has no place in a value."""
    with pytest.raises(RehearsalError, match="control character"):
        compose_file(with_environment(load("dev"), ("ODD", f"a{character}b")), PROJECT)


def test_the_database_checks_out_against_the_rehearsals_authority():
    """Where Keycloak verifies the database's certificate, it does so in the rehearsal, too: against a file of its own."""
    assert services(load("prod"))["keycloak-1"]["volumes"] == [
        "./authority.pem:/opt/keycloak/conf/rds-bundle.pem:ro"]
    assert "volumes" not in services(load("dev"))["keycloak-1"]


def test_a_path_that_is_no_plain_path_is_refused():
    """A file of authorities named by a template of somebody else's can't mount anything else."""
    with pytest.raises(RehearsalError, match="plain path"):
        compose_file(with_environment(load("dev"), ("KC_DB_TLS_TRUST_STORE_FILE", "/etc/../x:rw")), PROJECT)


def test_a_deployment_changes_only_its_own_slots():
    """A changed setting reaches the tasks of the new revision and no other."""
    described = services(load("dev"), changes={"keycloak-3": {"KC_LOG_LEVEL": "debug"}})
    assert described["keycloak-3"]["environment"]["KC_LOG_LEVEL"] == "debug"
    assert described["keycloak-1"]["environment"]["KC_LOG_LEVEL"] == "info"


def test_limits_that_the_engine_cannot_grant_are_lowered():
    """Open files: as many as the template asks for, or as the engine grants."""
    assert services(load("dev"))["keycloak-1"]["ulimits"]["nofile"] == {"soft": 65535, "hard": 65535}
    assert services(load("dev"), nofile=20000)["keycloak-1"]["ulimits"]["nofile"] == {"soft": 20000, "hard": 20000}


def test_the_optimized_image_is_built_from_the_hand_over_set(authority):
    """An environment with an image folder builds what its Dockerfile says; another one pulls."""
    folder = PROJECT / "rendered" / "prod" / "image"
    made = files(load("prod"), PROJECT, authority, Choices(image_folder=folder))
    assert made["image/Dockerfile"] == (folder / "Dockerfile").read_bytes()
    described = yaml.safe_load(made["compose.yaml"])["services"]["keycloak-1"]
    assert described["build"] == {"context": "./image"}
    assert "build" not in services(load("dev"))["keycloak-1"]


def test_connections_without_tls_are_refused_where_the_parameter_group_says_so():
    """rds.force_ssl is rehearsed."""
    assert services(load("dev"))["database"]["environment"]["REHEARSAL_CONNECTIONS"] == "hostssl"
    topology = load("dev")
    open_ended = replace(topology, database=replace(topology.database, force_tls=False))
    assert services(open_ended)["database"]["environment"]["REHEARSAL_CONNECTIONS"] == "host"


def test_the_certificate_names_every_public_host(authority):
    """Browsers get a certificate for both of Keycloak's hosts."""
    assert set(names.certified(load("dev"))) == {"sso.dev.example.com", "sso-admin.dev.example.com"}
    pem = files(load("dev"), PROJECT, authority)["balancer/balancer.pem"]
    from cryptography import x509

    named = x509.load_pem_x509_certificate(pem).extensions.get_extension_for_class(
        x509.SubjectAlternativeName).value.get_values_for_type(x509.DNSName)
    assert set(named) == {"sso.dev.example.com", "sso-admin.dev.example.com"}


def test_an_export_is_whole_and_keeps_its_secrets_beside_it(tmp_path):
    """Everything that Compose needs is in one folder, the secrets in another."""
    project, secrets = export(PROJECT, source(PROJECT, "dev"), tmp_path / "out", {})
    assert (project / "compose.yaml").is_file() and (project / "README.md").is_file()
    assert (project / ".env").read_text("utf-8") == "REHEARSAL_SECRETS=../out-secrets\n"
    assert stat.S_IMODE(secrets.stat().st_mode) == 0o700
    ports = json.loads((project / "ports.json").read_text("utf-8"))
    assert {one["vantage"] for one in ports} == {"internet", "admin", "inside"}
    with pytest.raises(RehearsalError, match="isn't empty"):
        export(PROJECT, source(PROJECT, "dev"), tmp_path / "out", {})


def test_an_unknown_subject_names_what_there_is():
    """A mistyped environment is answered with those that exist."""
    with pytest.raises(RehearsalError, match="dev, prod, staging"):
        source(PROJECT, "pord")


def two_containers(topology=None, mode="verify"):
    """The topology with a listener for certificates and a proxy beside Keycloak."""
    topology = topology or load("dev")
    proxy = Container("proxy", "haproxy:2.8@sha256:" + "1" * 64, entrypoint=("sh", "-c"), user="99:99", read_only=True,
                      command=("exec haproxy -db -f /dev/stdin <<'END'\nfrontend a\n  bind :8081 # $HOME\nEND\n",),
                      depends_on=((topology.task.keycloak, "START"),), stop_timeout=35,
                      health_check=HealthCheck(("CMD-SHELL", "true")))
    balancer = topology.balancers[0]
    listeners = tuple(replace(one, mutual_tls=MutualTls(mode, "TrustStore", revocation=True))
                      if one.protocol == "HTTPS" else one for one in balancer.listeners)
    return replace(topology, task=replace(topology.task, containers=(*topology.task.containers, proxy)),
                   balancers=(replace(balancer, listeners=listeners), *topology.balancers[1:]))


def test_a_proxy_beside_keycloak_shares_its_network_and_starts_after_it():
    """The second container of a task: same address, its own command to the letter, its own health check and time."""
    found = services(two_containers())["keycloak-1-proxy"]
    assert found["network_mode"] == "service:keycloak-1-net" and "networks" not in found
    assert found["depends_on"]["keycloak-1"] == {"condition": "service_started"}
    assert found["command"][0].endswith("bind :8081 # $$HOME\nEND\n")
    assert (found["user"], found["read_only"], found["stop_grace_period"]) == ("99:99", True, "35s")
    assert found["healthcheck"]["test"] == ["CMD-SHELL", "true"]
    assert "keycloak-1-proxy" in task_services(two_containers(), "keycloak-1")


@pytest.mark.parametrize("mode", ["verify", "passthrough"])
def test_authorities_of_clients_are_the_rehearsal_s_own(authority, clients, mode):
    """The balancer gets them in the place of the bundle, with a list of what they revoked; Keycloak only where it has
    to look itself. Their keys are nowhere in the project."""
    topology = two_containers(mode=mode)
    made = files(topology, PROJECT, authority, clients=clients)
    assert made["balancer/client-authorities.pem"] == clients.authority.certificate
    assert b"X509 CRL" in made["balancer/client-revocations.pem"]
    there = yaml.safe_load(made["compose.yaml"])["services"]
    mounted = [one for one in there["balancer"]["volumes"] if "client-" in one or ".lua" in one]
    assert len(mounted) == 3 and all(one.split(":")[0].removeprefix("./") in made for one in mounted)
    trusted = [one for one in there["keycloak-1"].get("volumes", []) if "client-authorities" in one]
    assert bool(trusted) == (mode == "passthrough")
    listed = [one for one in there["keycloak-1"].get("volumes", []) if one.endswith(f"/{REVOCATIONS_FILE}:ro")]
    assert bool(listed) == (mode == "passthrough")
    assert not [one for one in there["keycloak-1-proxy"].get("volumes", []) if "client-authorities" in one]
    for key in (clients.authority.key, clients.door.key, clients.revoked.key):
        assert not any(key in content for content in made.values())


def test_a_template_without_such_a_listener_gets_none_of_it(authority, clients):
    """No authority, no list, no script."""
    made = files(load("dev"), PROJECT, authority, clients=clients)
    assert not [name for name in made if "client" in name or name.endswith(".lua")]
    assert "client-authorities" not in made["compose.yaml"].decode()


def test_certificates_of_clients_are_kept_for_nobody_else_to_read(tmp_path, clients):
    """What is written is read back, and only its owner can."""
    assert Clients.load(tmp_path) is None
    clients.store(tmp_path)
    assert Clients.load(tmp_path) == clients
    assert {stat.S_IMODE(path.stat().st_mode) for path in tmp_path.iterdir()} == {0o600}
    (tmp_path / "clients.json").write_text("{}", encoding="utf-8")
    with pytest.raises(RehearsalError, match="client certificates"):
        Clients.load(tmp_path)
