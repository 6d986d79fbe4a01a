"""Where a claim is tried: a network of its own with a task's address, a resolver that answers as Cloud Map
does, and a real PostgreSQL.

Everything runs in namespaces (unshare(1)), so no port, name or mount of the machine is in the way or in use,
and nothing is left when the process that holds them ends. Needs root.
"""

from __future__ import annotations

import contextlib
import os
import shutil
import signal
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path

from tests.cluster import packages
from tests.cluster.engine import PROJECT
from tests.cluster.steps import ClusterError, is_root, output

TASK = "10.40.0.10"
"""Address of the task, in the subnets of params/dev.yaml."""
DATABASE = "10.40.0.20"
DATABASE_NAME = "keycloak.abcdefghijkl.eu-central-1.rds.amazonaws.com"
STRANGER = "10.99.0.5"
"""A host that no list of trusted addresses holds."""
HOST_NAME = "ip-10-40-0-10.eu-central-1.compute.internal"
USER, PASSWORD = "keycloak", "the database's"
"""PostgreSQL's account; made up here, as RDS makes one up."""
PLAIN = "plain"
"""A database of the server to which nobody may connect with TLS."""

_POSTGRES = Path("/usr/lib/postgresql/15/bin")
_PROGRAMS = (
    (str(_POSTGRES / "initdb"), "postgresql-15"),
    ("dnsmasq", "dnsmasq-base"),
    ("curl", "curl"),
    ("openssl", "openssl"),
    ("nsenter", "util-linux"),
    ("ip", "iproute2"),
    ("java", "default-jre-headless"),
    ("mvn", "maven"),
)

# The namespace's first process: it waits for those that lose their parent, which a mere sleep doesn't.
_SETUP = """
set -e
ip link set lo up
ip link add task0 type veth peer name peer0
ip link set peer0 up
ip address add {task}/24 dev task0
ip address add {database}/24 dev task0
ip link set task0 up
ip address add {stranger}/24 dev task0
ip route add default dev task0
hostname {host}
mount --bind {folder}/hosts /etc/hosts
mount --bind {folder}/resolv.conf /etc/resolv.conf
mount -t tmpfs tmpfs /opt
mkdir /opt/keycloak
touch {folder}/up
while :; do sleep 3600 & wait; done
"""


def folder() -> Path:
    """Where distributions, built images, the database and results are kept."""
    return PROJECT / ".cache/claims"


class Place:
    """The namespaces, the resolver and the database; started by `opened`."""

    def __init__(self, pid: int, authority: Path) -> None:
        self._pid = pid
        self.authority = authority
        """The certificate that the database's is checked with, as PEM."""

    @property
    def enter(self) -> list[str]:
        """What stands before a command that shall run in the task's network."""
        return ["nsenter", "--target", str(self._pid), "--net", "--uts", "--mount", "--pid", "--"]

    @property
    def network(self) -> list[str]:
        """The same among the machine's own processes: who starts something so can see it and end it."""
        return [one for one in self.enter if one != "--pid"]

    def sql(self, text: str, database: str = "postgres") -> str:
        """What the database's administrator is answered. Raises ClusterError."""
        return output(
            [
                *self.enter,
                *_as_postgres(),
                str(_POSTGRES / "psql"),
                "-h",
                str(_data() / "run"),
                "-U",
                "postgres",
                "-d",
                database,
                "-v",
                "ON_ERROR_STOP=1",
                "-qAtc",
                text,
            ],
            purpose=f"psql: {text}",
            cwd=Path("/"),
        )

    def databases(self) -> set[str]:
        """The names of all databases."""
        return set(self.sql("SELECT datname FROM pg_database").splitlines())

    def database(self, name: str, template: str = "template0") -> None:
        """A new database of Keycloak's; one of that name that is there goes away."""
        self.drop(name)
        self.sql(f'CREATE DATABASE "{name}" OWNER {USER} TEMPLATE "{template}"')

    def drop(self, name: str) -> None:
        """Takes a database away, whoever is connected to it."""
        self.sql(f'DROP DATABASE IF EXISTS "{name}" WITH (FORCE)')

    def address(self, address: str) -> None:
        """One more address of the network, as a balancer's."""
        subprocess.run(
            [*self.enter, "ip", "address", "add", f"{address}/24", "dev", "task0"],
            check=False,
            capture_output=True,
        )


@contextlib.contextmanager
def opened() -> Iterator[Place]:
    """A place, for as long as the block runs. Raises ClusterError where it can't be had."""
    if not is_root():
        raise ClusterError("a network of its own takes root: run this as root")
    packages.install(_PROGRAMS)
    run = folder() / "place"
    shutil.rmtree(run, ignore_errors=True)
    run.mkdir(parents=True)
    (run / "hosts").write_text(
        f"127.0.0.1 localhost\n{TASK} {HOST_NAME}\n{DATABASE} {DATABASE_NAME}\n", "utf-8"
    )
    # Else the domain of the host's own name is tried behind each name, and .internal holds every one.
    (run / "resolv.conf").write_text("nameserver 127.0.0.1\nsearch .\n", "utf-8")
    authority = _certificates()
    setup = _SETUP.format(task=TASK, database=DATABASE, stranger=STRANGER, host=HOST_NAME, folder=run)
    holder = subprocess.Popen(
        [
            "unshare",
            "--net",
            "--mount",
            "--uts",
            "--pid",
            "--fork",
            "--mount-proc",
            "--kill-child=KILL",
            "sh",
            "-c",
            setup,
        ],
        stdin=subprocess.DEVNULL,
        cwd="/",
    )
    try:
        _wait(lambda: (run / "up").exists(), holder, "the network")
        children = Path(f"/proc/{holder.pid}/task/{holder.pid}/children").read_text("ascii").split()
        place = Place(int(children[0]), authority)
        output(
            [
                *place.enter,
                "dnsmasq",
                "--conf-file=/dev/null",
                "--no-resolv",
                "--no-hosts",
                "--address=/#/",
                f"--address=/internal/{TASK}",
                f"--pid-file={run / 'dnsmasq.pid'}",
                "--user=root",
            ],
            purpose="dnsmasq",
        )
        _start_database(place, holder)
        yield place
    finally:
        with contextlib.suppress(ClusterError, UnboundLocalError):
            output(
                [
                    *place.enter,
                    *_as_postgres(),
                    str(_POSTGRES / "pg_ctl"),
                    "-D",
                    str(_data() / "data"),
                    "-m",
                    "fast",
                    "-w",
                    "stop",
                ],
                cwd=Path("/"),
            )
        with contextlib.suppress(ProcessLookupError):
            os.kill(holder.pid, signal.SIGKILL)
        holder.wait()


def _wait(done, holder: subprocess.Popen, what: str) -> None:
    until = time.monotonic() + 30
    while not done():
        if holder.poll() is not None or time.monotonic() > until:
            raise ClusterError(f"{what} doesn't start")
        time.sleep(0.1)


def _data() -> Path:
    # Not in the project's folder: PostgreSQL's user may not look into everybody's.
    return Path("/var/tmp/cloakform-claims")


def _as_postgres() -> list[str]:
    return ["setpriv", "--reuid=postgres", "--regid=postgres", "--clear-groups"]


def _certificates() -> Path:
    """The database's certificate and key, Keycloak's own for claims about TLS, and the authority that signed
    both. Made once; returns the authority's."""
    where = folder() / "certificates"
    authority = where / "authority.pem"
    if authority.exists():
        return authority
    where.mkdir(parents=True, exist_ok=True)
    output(
        [
            "openssl",
            "req",
            "-x509",
            "-newkey",
            "rsa:2048",
            "-nodes",
            "-days",
            "3650",
            "-subj",
            "/CN=claims",
            "-keyout",
            str(where / "authority-key.pem"),
            "-out",
            str(where / "authority.part"),
        ],
        purpose="openssl",
    )
    for name, host in (("database", DATABASE_NAME), ("server", "sso.dev.example.com")):
        output(
            [
                "openssl",
                "req",
                "-newkey",
                "rsa:2048",
                "-nodes",
                "-subj",
                f"/CN={host}",
                "-keyout",
                str(where / f"{name}-key.pem"),
                "-out",
                str(where / f"{name}.csr"),
            ],
            purpose="openssl",
        )
        (where / "extension").write_text(f"subjectAltName=DNS:{host}\n", "utf-8")
        output(
            [
                "openssl",
                "x509",
                "-req",
                "-in",
                str(where / f"{name}.csr"),
                "-CA",
                str(where / "authority.part"),
                "-CAkey",
                str(where / "authority-key.pem"),
                "-CAcreateserial",
                "-days",
                "3650",
                "-extfile",
                str(where / "extension"),
                "-out",
                str(where / f"{name}.pem"),
            ],
            purpose="openssl",
        )
    (where / "authority.part").rename(authority)
    return authority


def _start_database(place: Place, holder: subprocess.Popen) -> None:
    data = _data()
    (data / "run").mkdir(parents=True, exist_ok=True)
    certificates = folder() / "certificates"
    for name in ("database.pem", "database-key.pem"):
        shutil.copy(certificates / name, data / name)
        (data / name).chmod(0o600)
    for path in (data, data / "run", data / "database.pem", data / "database-key.pem"):
        shutil.chown(path, "postgres", "postgres")
    new = not (data / "data/PG_VERSION").exists()
    if new:
        shutil.rmtree(data / "data", ignore_errors=True)
        output(
            [
                *place.enter,
                *_as_postgres(),
                str(_POSTGRES / "initdb"),
                "-D",
                str(data / "data"),
                "-U",
                "postgres",
                "-A",
                "trust",
                "-E",
                "UTF8",
                "--locale=C.UTF-8",
            ],
            purpose="initdb",
            cwd=Path("/"),
        )
    # RDS asks for TLS (rds.force_ssl); one database is there for what happens to plain connections.
    (data / "data/pg_hba.conf").write_text(
        "local all postgres trust\n"
        f"hostnossl {PLAIN} all all scram-sha-256\n"
        f"hostssl {PLAIN} all all reject\n"
        "hostssl all all all scram-sha-256\n",
        "utf-8",
    )
    (data / "data/pg_hba.conf").chmod(0o644)
    (data / "data/postmaster.pid").unlink(missing_ok=True)
    options = (
        f"-c listen_addresses={DATABASE} -c unix_socket_directories={data / 'run'} -c ssl=on -c fsync=off "
        f"-c ssl_cert_file={data / 'database.pem'} -c ssl_key_file={data / 'database-key.pem'} "
        "-c max_connections=300"
    )
    output(
        [
            *place.enter,
            *_as_postgres(),
            str(_POSTGRES / "pg_ctl"),
            "-D",
            str(data / "data"),
            "-l",
            str(data / "run/log"),
            "-o",
            options,
            "-w",
            "start",
        ],
        purpose="pg_ctl",
        cwd=Path("/"),
    )
    if new:
        # Not by a parameter of the command, which everybody on the machine may read.
        place.sql(f"CREATE ROLE {USER} LOGIN PASSWORD '{PASSWORD.replace(chr(39), chr(39) * 2)}'")
