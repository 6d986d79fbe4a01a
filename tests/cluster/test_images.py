"""What rehearsals rely on in images, be they stand-ins or real ones."""

from __future__ import annotations

import contextlib
import subprocess
import time
import uuid
from collections.abc import Callable, Iterator

import pytest

from tests.cluster import images
from tests.cluster.engine import PROJECT, Engine
from tests.cluster.steps import ClusterError, output, works

KEYCLOAK = "quay.io/keycloak/keycloak:26.7.4"
DEBIAN = "debian:12-slim"
HAPROXY = "haproxy:2.8"
READY = (r"{ printf 'HEAD /health/ready HTTP/1.0\r\n\r\n' >&0; grep -q 'HTTP/1.0 200'; } "
         "0<>/dev/tcp/localhost/9000")
"""Needs bash, which is the official image's sh, and grep; there is neither curl nor wget."""
CERTIFICATE = """
openssl req -x509 -newkey rsa:2048 -nodes -subj /CN=db -days 2 \\
  -keyout /shared/key -out /shared/crt 2>/dev/null
chown 999 /shared/key
chmod 600 /shared/key
"""


class Containers:
    """Containers of one test, on a network of their own."""

    def __init__(self, engine: Engine):
        self.engine = engine
        self.network = f"test-{uuid.uuid4().hex[:8]}"
        self._names: list[str] = []
        engine.docker("network", "create", self.network)

    def start(self, name: str, image: str, *command: str, options: tuple[str, ...] = ()) -> str:
        """Start a container that the others know by `name`; what the engine calls it."""
        images.provide(self.engine, [image])
        self._names.append(f"{self.network}-{name}")
        self.engine.docker("run", "--detach", "--name", self._names[-1], "--network", self.network,
                           "--network-alias", name, *options, image, *command)
        return self._names[-1]

    def run(self, image: str, script: str, *options: str) -> str:
        """What bash prints in a container of an image. Raises ClusterError if it fails."""
        images.provide(self.engine, [image])
        return self.engine.docker("run", "--rm", "--network", self.network, "--entrypoint", "bash", *options,
                                  image, "-ec", script)

    def wait(self, name: str, condition: Callable[[], bool]) -> None:
        """Wait for a condition; the test fails with the container's log if that ends before, or after a long
        time (a server takes minutes on a busy machine)."""
        until = time.monotonic() + 900
        while not condition():
            running = self.engine.docker("ps", "--quiet", "--filter", f"name={name}")
            if not running or time.monotonic() > until:
                log = subprocess.run(["docker", "logs", name], env=self.engine.environment, text=True,
                                     stdout=subprocess.PIPE, stderr=subprocess.STDOUT).stdout
                pytest.fail(f"{name} {'does not get ready' if running else 'has ended'}: {log[-3000:]}")
            time.sleep(0.5)

    def healthy(self, name: str) -> bool:
        """Whether the container's own health check says so."""
        return self.engine.docker("inspect", "--format", "{{.State.Health.Status}}", name) == "healthy\n"

    def database(self, image: str, *command: str, options: tuple[str, ...] = ()) -> str:
        """Start a PostgreSQL, and wait for its health check."""
        name = self.start("db", image, *command, options=(
            "--health-cmd", "pg_isready --quiet --host 127.0.0.1", "--health-interval", "1s", *options))
        self.wait(name, lambda: self.healthy(name))
        return name

    def query(self, url: str, query: str, image: str) -> str:
        """What psql answers from another container."""
        return self.run(image, f'psql --no-psqlrc --tuples-only --no-align "{url}" -c "{query}"').strip()

    def remove(self) -> None:
        for name in self._names:
            with contextlib.suppress(ClusterError):
                self.engine.docker("rm", "--force", "--volumes", name)
        self.engine.docker("network", "rm", self.network)


@pytest.fixture
def containers(engine) -> Iterator[Containers]:
    made = Containers(engine)
    try:
        yield made
    finally:
        made.remove()


def test_keycloak_starts_and_answers_health(containers):
    """The Keycloak image starts a server, and a health check with what is in the image finds it well."""
    name = containers.start("keycloak", KEYCLOAK, "start-dev", options=(
        "--env", "KC_HEALTH_ENABLED=true", "--env", "KC_CACHE=local", "--memory", "1g",
        "--health-cmd", READY, "--health-interval", "2s", "--health-start-period", "900s"))
    containers.wait(name, lambda: containers.healthy(name))


def test_keycloak_image_is_laid_out_as_the_official_one(containers):
    """Keycloak belongs to user 1000 of group 0 and that group may change it; there is no curl to rely on."""
    told = containers.run(KEYCLOAK, "id -u; id -g; stat -c %u:%g:%A /opt/keycloak/lib; "
                                    "echo $KC_RUN_IN_CONTAINER; type -P bash grep sed >/dev/null; "
                                    "type -P curl || echo without curl")
    assert told.split("\n")[:-1] == ["1000", "0", "1000:0:drwxrwxr-x", "true", "without curl"]


def test_optimized_image_builds(engine):
    """The rendered Dockerfile of an optimized image builds, `kc.sh build` with it, and the image knows what
    it was built for."""
    images.provide(engine, [KEYCLOAK])
    tag = "cluster/optimized:test"
    engine.docker("build", "--quiet", "--tag", tag, str(PROJECT / "rendered/prod/image"))
    told = engine.docker("run", "--rm", "--network", "none", tag, "show-config")
    assert "kc.db =  postgres (Persisted)" in told
    if not engine.own:  # in ours it stays, for the next run to build from
        engine.docker("rmi", tag)


@pytest.mark.parametrize("image", ["postgres:17", "postgres:14"])
def test_postgres_makes_the_database_that_is_asked_for(containers, tmp_path, image):
    """PostgreSQL has the major version of its tag, the user, password and database of its environment (the
    password from a file), and what the scripts made; a wrong password doesn't open it."""
    tmp_path.chmod(0o755)
    (tmp_path / "password").write_text("it's $ecret\n", "utf-8")
    (tmp_path / "1.sql").write_text("create table one (n int); insert into one values (41);", "utf-8")
    (tmp_path / "2.sh").write_text('psql -U $POSTGRES_USER $POSTGRES_DB -c "update one set n = 42"', "utf-8")
    place = "/docker-entrypoint-initdb.d"
    containers.database(image, options=(
        "--env", "POSTGRES_USER=keeper", "--env", "POSTGRES_DB=logins",
        "--env", f"POSTGRES_PASSWORD_FILE={place}/password", "--volume", f"{tmp_path}:{place}:ro"))
    ask = "select n, current_user, current_setting('server_version_num')::int / 10000 from one"
    told = containers.query("postgresql://keeper:it's%20%24ecret@db/logins", ask, image)
    assert told == f"42|keeper|{image.rpartition(':')[2]}"
    with pytest.raises(ClusterError, match="password authentication failed"):
        containers.query("postgresql://keeper:wrong@db/logins", ask, image)


def test_postgres_takes_settings_from_its_command(containers, tmp_path):
    """`postgres -c` sets what a server does: it speaks TLS, and has a limit of connections."""
    tmp_path.chmod(0o755)
    containers.run(DEBIAN, CERTIFICATE, "--volume", f"{tmp_path}:/shared")
    containers.database("postgres:17", "postgres", "-c", "ssl=on", "-c", "ssl_cert_file=/shared/crt", "-c",
                        "ssl_key_file=/shared/key", "-c", "max_connections=23", options=(
                            "--env", "POSTGRES_PASSWORD=secret", "--volume", f"{tmp_path}:/shared:ro"))
    told = containers.query("postgresql://postgres:secret@db/postgres?sslmode=require",
                            "select ssl, version, current_setting('max_connections') from pg_stat_ssl "
                            "where pid = pg_backend_pid()", "postgres:17")
    assert told == "t|TLSv1.3|23"


def test_postgres_without_a_password_does_not_start(containers):
    """A database that nobody gave a password to ends, and says why."""
    with pytest.raises(ClusterError, match="superuser password is not specified"):
        containers.engine.docker("run", "--rm", "--network", "none", "postgres:17")


def test_postgres_keeps_its_data(containers):
    """A database that was restarted has what it had, and isn't made again."""
    name = containers.database("postgres:17", options=("--env", "POSTGRES_PASSWORD=secret"))
    url = "postgresql://postgres:secret@db/postgres"
    containers.query(url, "create table kept (n int)", "postgres:17")
    containers.engine.docker("kill", name)
    containers.engine.docker("start", name)
    containers.wait(name, lambda: containers.healthy(name))
    assert containers.query(url, "select count(*) from kept", "postgres:17") == "0"


def test_haproxy_reads_its_configuration_and_answers_on_a_published_port(containers, tmp_path):
    """HAProxy runs as its own user with the configuration at the official place, on port 80; the port that
    the engine publishes answers where Engine.command runs."""
    (tmp_path / "haproxy.cfg").write_text("""\
defaults
  mode http
  timeout client 5s
frontend all
  bind :80
  http-request return status 200 content-type text/plain string "here"
""", "utf-8")
    tmp_path.chmod(0o755)
    name = containers.start("balancer", HAPROXY, options=(
        "--volume", f"{tmp_path}:/usr/local/etc/haproxy:ro", "--publish", "127.0.0.1:0:80"))
    place = containers.engine.docker("port", name, "80").strip()
    call = containers.engine.command("curl", "--silent", "--max-time", "5", f"http://{place}/")
    containers.wait(name, lambda: works(call))
    assert output(call) == "here"
    assert containers.engine.docker("exec", name, "id", "-un").strip() == "haproxy"


def test_firewall_needs_a_capability(containers):
    """nft changes a container's firewall if that has NET_ADMIN, and not otherwise."""
    rules = "nft add table inet guard && nft list tables"
    assert "table inet guard" in containers.run(DEBIAN, rules, "--cap-drop", "ALL", "--cap-add", "NET_ADMIN")
    with pytest.raises(ClusterError, match="Operation not permitted"):
        containers.run(DEBIAN, rules, "--cap-drop", "ALL")


def test_debian_has_the_tools_of_a_rehearsal(containers):
    """What firewalls, resolvers and probes run is there, so that an image which installs what is missing
    needs no network."""
    tools = ("bash", "curl", "dnsmasq", "getent", "ip", "nft", "openssl", "ps", "sleep", "ss")
    assert containers.run(DEBIAN, f"type -P {' '.join(tools)} | wc -l").strip() == str(len(tools))


def test_open_files_are_limited_to_what_the_engine_can_give(engine, containers):
    """The limit that largest_nofile tells can be set, whatever was wished for; a small wish stays as it is."""
    images.provide(engine, [DEBIAN])
    most = engine.largest_nofile(DEBIAN, 1_000_000)
    told = containers.run(DEBIAN, "ulimit -Hn", "--ulimit", f"nofile={most}:{most}")
    assert int(told) == most
    assert engine.largest_nofile(DEBIAN, 512) == 512


def test_compose_starts_services_in_order(engine, tmp_path):
    """Compose starts one service when the health check of another is passed, joins the network of a third,
    and takes everything down again."""
    file = tmp_path / "docker-compose.yml"
    file.write_text(f"""\
version: "2.4"
services:
  pause:
    image: {DEBIAN}
    command: [sleep, infinity]
    init: true
  guard:
    image: {DEBIAN}
    network_mode: "service:pause"
    command: [bash, -c, "touch /tmp/ready && sleep infinity"]
    init: true
    healthcheck: {{test: [CMD, test, -e, /tmp/ready], interval: 1s}}
  app:
    image: {DEBIAN}
    network_mode: "service:pause"
    command: [sleep, infinity]
    init: true
    depends_on: {{guard: {{condition: service_healthy}}}}
""", "utf-8")
    images.provide(engine, [DEBIAN])
    project = ["--project-name", f"test{uuid.uuid4().hex[:8]}", "--file", str(file)]

    def compose(*arguments: str) -> str:
        return output([*engine.compose(), *project, *arguments], environment=engine.environment)

    try:
        compose("up", "--detach")
        addresses = [compose("exec", "-T", service, "hostname", "--ip-address")
                     for service in ("pause", "guard", "app")]
    finally:
        compose("down", "--volumes", "--timeout", "1")
    assert len(set(addresses)) == 1 and addresses[0].strip()
    assert compose("ps", "--quiet") == ""


def test_images_are_made_once(engine, capfd):
    """What is there isn't made again, nor pulled."""
    images.provide(engine, [DEBIAN, HAPROXY])
    before = engine.docker("image", "inspect", "--format", "{{.Id}}", DEBIAN, HAPROXY)
    capfd.readouterr()
    images.provide(engine, [DEBIAN, f"docker.io/library/{HAPROXY}"])
    assert capfd.readouterr().err == ""
    assert engine.docker("image", "inspect", "--format", "{{.Id}}", DEBIAN, HAPROXY) == before
