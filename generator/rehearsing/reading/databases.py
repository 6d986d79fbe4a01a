"""The database behind Keycloak: one of the template's, or one that exists already."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass, replace

from generator.document import Resource
from generator.keycloak import sizing
from generator.rehearsing.reading.groups import Groups
from generator.rehearsing.reading.madeup import CLUSTER, INSTANCE, POSTGRES_PORT, PROXY, MadeUp
from generator.rehearsing.reading.networks import Networks
from generator.rehearsing.reading.scene import Scene
from generator.rehearsing.reading.secrets import Secrets
from generator.rehearsing.topology import Container, Database, SecretField
from generator.resolving import NO_VALUE, Place, Reference

SUBNET_GROUP = "AWS::RDS::DBSubnetGroup"
PROXY_TARGETS = "AWS::RDS::DBProxyTargetGroup"
_PARAMETER_GROUPS = ("AWS::RDS::DBParameterGroup", "AWS::RDS::DBClusterParameterGroup")

DEFAULT_MAJOR = 17
"""PostgreSQL for a database whose version nothing tells: the newest that every Keycloak 26 supports."""

# From these majors on, connections without TLS are refused unless the parameter group says otherwise (RDS and
# Aurora user guides on rds.force_ssl).
_TLS_FROM = {INSTANCE: 15, CLUSTER: 17}

_URL = re.compile(
    r"jdbc:(?:aws-wrapper:)?postgresql://(?P<host>[^:/?,\s]+)(?::(?P<port>[0-9]+))?"
    r"(?:,[^/]*)?/(?P<name>[^?\s]*)(?P<more>\?\S*)?"
)
_HOST = re.compile(r"[A-Za-z0-9_]([A-Za-z0-9_.-]{0,252}[A-Za-z0-9])?")
_DATABASE_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_-]{0,62}")
_PATTERNS = {
    "KC_DB_URL": "jdbc:postgresql://{host}:{port}/{name}",
    "KC_DB_URL_HOST": "{host}",
    "KC_DB_URL_PORT": "{port}",
    "KC_DB_URL_DATABASE": "{name}",
}


@dataclass(frozen=True)
class Settings:
    """What Keycloak is told about its database, by option name without `db-`: `url-host`, `username`."""

    values: dict[str, str]
    secrets: dict[str, SecretField]
    container: Container

    def get(self, name: str, default: str = "") -> str:
        """A value that is known; `default` for any other."""
        return self.values.get(name) or default

    def field(self, name: str) -> SecretField | None:
        """User or password: the secret it comes from, or the known value."""
        if name in self.values:
            return SecretField(_variable(name), literal=self.values[name])
        return self.secrets.get(name)

    def line(self, *names: str) -> int:
        """Line of the first of these options that is set; the container's where none is."""
        lines = dict(self.container.lines)
        return next(
            (lines[_variable(name)] for name in names if _variable(name) in lines), self.container.line
        )


def settings(container: Container) -> Settings:
    """Options from the command line, which win, and from the environment."""
    values = {
        _option(name): value
        for name, value in container.environment
        if name == "KC_DB" or name.startswith("KC_DB_")
    }
    secrets = {_option(name): field for name, field in container.secrets if name.startswith("KC_DB_")}
    words = list(container.command or ())
    for number, word in enumerate(words):
        match = re.fullmatch(r"--db(?:-([a-z-]+))?(?:=(.*))?", word, re.DOTALL)
        if match:
            following = words[number + 1] if number + 1 < len(words) else ""
            values[match[1] or ""] = following if match[2] is None else match[2]
    return Settings(values, {name: field for name, field in secrets.items() if name not in values}, container)


def _option(variable: str) -> str:
    return variable.removeprefix("KC_DB").removeprefix("_").lower().replace("_", "-")


def _variable(option: str) -> str:
    return f"KC_DB_{option.upper().replace('-', '_')}" if option else "KC_DB"


@dataclass(frozen=True)
class Found:
    """The database, where its host is, and the container as it is told about it."""

    database: Database | None
    subnets: tuple[str, ...]
    container: Container


class Databases:
    """Finds the database that a container uses."""

    def __init__(self, scene: Scene, made_up: MadeUp, secrets: Secrets, groups: Groups, networks: Networks):
        self._scene = scene
        self._made_up = made_up
        self._secrets = secrets
        self._groups = groups
        self._networks = networks

    def find(self, place: Place, container: Container, task_groups: tuple[str, ...]) -> Found:
        """The database of the Keycloak container at `place`, read as `container`."""
        scene = self._scene
        told = settings(container)
        vendor = told.get("")
        if any(name in ("DB_VENDOR", "DB_ADDR") for name, _ in container.environment):
            scene.problem(
                container.line,
                "this is a Keycloak on WildFly (DB_VENDOR, DB_ADDR)",
                "only Keycloak 17 and newer, with KC_ variables, is rehearsed",
            )
            return Found(None, (), container)
        if vendor not in ("", "postgres") and not vendor.startswith("dev-"):
            scene.problem(told.line(""), f"the database is {vendor}", "only PostgreSQL is rehearsed")
            return Found(None, (), container)
        owned = self._owned(place, told)
        nothing = not owned and not any(
            name.startswith(("url", "username")) for name in (*told.values, *told.secrets)
        )
        if vendor.startswith("dev-") or nothing:
            scene.note(
                "Keycloak is told no database: every task has one of its own, in files", container.line
            )
            return Found(None, (), container)
        url = self._url(told)
        host, port = self._endpoint(owned) if owned else ("", 0)
        host = url.get("host") or told.get("url-host") or host
        port = self._port(url.get("port") or told.get("url-port") or str(port or POSTGRES_PORT), told)
        if not host:
            name = next(
                (_variable(one) for one in ("url", "url-host") if one in told.secrets), "KC_DB_URL_HOST"
            )
            scene.note(
                f"{name} isn't known; a database that exists already is taken for it",
                told.line("url", "url-host"),
            )
            host = f"database.{scene.region}.rds.amazonaws.com"
        if not _HOST.fullmatch(host):
            scene.problem(told.line("url", "url-host"), f"{host!r} is no host name")
        asked = url.get("name") or told.get("url-database") or "keycloak"
        if not _DATABASE_NAME.fullmatch(asked):
            scene.problem(told.line("url", "url-database"), f"{asked!r} is no name for a database")
        if owned:
            made, subnets = self._of(owned, told, host, port, asked)
        else:
            made, subnets = self._existing(told, url, host, port, asked, task_groups)
        return Found(made, subnets, self._told(container, made))

    def _port(self, text: str, told: Settings) -> int:
        if not re.fullmatch(r"[0-9]{1,5}", text) or not 1 <= int(text) <= 65535:
            self._scene.problem(told.line("url", "url-port"), f"{text!r} is no port of a database")
            return POSTGRES_PORT
        return int(text)

    def _told(self, container: Container, database: Database) -> Container:
        """The container with what its secrets say about the database put in, for a URL or host isn't to be
        made up."""
        known = {"host": database.host, "port": database.port, "name": database.name}
        given = {name: pattern.format(**known) for name, pattern in _PATTERNS.items()}
        moved = {name: field.literal or given[name] for name, field in container.secrets if name in given}
        if not moved:
            return container
        names = ", ".join(moved)
        self._scene.note(
            f"Told by a secret, in a rehearsal the database's own: {names}",
            dict(container.lines)[next(iter(moved))],
        )
        return replace(
            container,
            environment=(*container.environment, *moved.items()),
            secrets=tuple((name, field) for name, field in container.secrets if name not in moved),
        )

    def _url(self, told: Settings) -> dict[str, str]:
        """The parts of KC_DB_URL, and the properties behind it or beside it; empty where none is given."""
        written = told.get("url") or getattr(told.secrets.get("url"), "literal", None) or ""
        if not written:
            return {"more": told.get("url-properties")}
        match = _URL.fullmatch(written)
        if match is None:
            self._scene.problem(
                told.line("url"),
                "KC_DB_URL is no JDBC URL of a PostgreSQL database",
                "write jdbc:postgresql://host:port/name",
            )
            return {}
        return {key: value for key, value in match.groupdict().items() if value}

    # --- which ---

    def _owned(self, place: Place, told: Settings) -> Resource | None:
        """The database, cluster or proxy of the template that the container is pointed at."""
        scene, resolver = self._scene, self._scene.resolver
        mine = {one.logical_id: one for one in resolver.resources(INSTANCE, CLUSTER, PROXY)}
        names = [name for one in self._references(place) if (name := one.logical_id) in mine]
        # A URL or host is meant for the database; a secret of it may stand beside.
        if names:
            return mine[names[0]]
        host = told.get("url-host") or self._url(told).get("host", "")
        if host:
            return self._by_record(host, mine)
        members = [
            one
            for one in mine.values()
            if not (one.type == INSTANCE and resolver.properties(one)["DBClusterIdentifier"])
        ]
        proxies = [one for one in members if one.type == PROXY]
        candidates = proxies or members
        if len(candidates) == 1:
            if not any(name.startswith("url") for name in (*told.values, *told.secrets)):
                scene.note(
                    f"No variable names the database; {candidates[0].logical_id} is taken for it",
                    candidates[0].line,
                )
            return candidates[0]
        return None

    def _references(self, place: Place) -> Iterable[Reference]:
        """References in the container's command and variables, those of KC_DB_URL* first."""
        place = place.seen_by(self._scene.resolver)
        entries = [
            (entry["Name"].text or "", entry[key])
            for part, key in (("Environment", "Value"), ("Secrets", "ValueFrom"))
            for entry in place[part]
        ]
        entries += [("", word) for word in place["Command"]]
        entries.sort(key=lambda entry: not entry[0].startswith("KC_DB_URL"))
        for _, one in entries:
            yield from one.references

    def _by_record(self, host: str, mine: dict[str, Resource]) -> Resource | None:
        """The database that a DNS record of the template gives the name `host`, or that has that
        identifier."""
        resolver = self._scene.resolver
        for record in resolver.resources("AWS::Route53::RecordSet"):
            properties = resolver.properties(record)
            if (properties["Name"].text or "").rstrip(".").lower() != host.lower():
                continue
            for one in [*properties["ResourceRecords"], properties["AliasTarget"]["DNSName"]]:
                if one.reference is not None and one.reference.logical_id in mine:
                    return mine[one.reference.logical_id]
        for one in mine.values():
            properties = resolver.properties(one)
            name = properties["DBInstanceIdentifier"].text or properties["DBClusterIdentifier"].text
            if name and host.lower().startswith(f"{name.lower()}."):
                return one
        return None

    def _endpoint(self, owned: Resource) -> tuple[str, int]:
        attribute = "Endpoint" if owned.type == PROXY else "Endpoint.Address"
        host = self._made_up(Reference(owned.logical_id, attribute))
        if owned.type == PROXY:
            return host, POSTGRES_PORT
        return host, int(self._made_up(Reference(owned.logical_id, "Endpoint.Port")))

    # --- one of the template's ---

    def _of(
        self, owned: Resource, told: Settings, host: str, port: int, asked: str
    ) -> tuple[Database, tuple[str, ...]]:
        scene, resolver = self._scene, self._scene.resolver
        engine, door = owned, resolver.properties(owned)
        if owned.type == PROXY:
            behind = self._behind(owned)
            scene.note(
                f"The proxy {owned.logical_id} is left out: tasks talk to the database itself", owned.line
            )
            engine = behind or owned
        properties = resolver.properties(engine)
        what = f"the {{}} of {engine.logical_id}"
        cluster = engine.type == CLUSTER
        kind = scene.text(properties["Engine"], what.format("engine"), "postgres")
        if kind not in ("postgres", "aurora-postgresql"):
            scene.problem(
                properties["Engine"],
                f"the database {engine.logical_id} is {kind}",
                "only PostgreSQL is rehearsed",
            )
        if kind.startswith("aurora"):
            scene.note(
                f"Aurora is rehearsed as PostgreSQL of the same version ({engine.logical_id})", engine.line
            )
        place = properties["DBClusterParameterGroupName" if cluster else "DBParameterGroupName"]
        group = place.resource(*_PARAMETER_GROUPS)
        major = self._major(engine, properties, group, place)
        parameters = (
            resolver.properties(group)["Parameters"] if group else Place(resolver, place.path, NO_VALUE)
        )
        forced = parameters["rds.force_ssl"]
        fields = door["VpcSecurityGroupIds"] or door["VPCSecurityGroups"]
        username, password = self._credentials(engine, properties, told)
        database = Database(
            host,
            port,
            major,
            self._name(properties["DatabaseName" if cluster else "DBName"], engine, properties, asked),
            username,
            password,
            # Of a group that exists already nobody knows what it holds, so the version's default it is.
            bool(scene.integer(forced, "rds.force_ssl", 0, most=1))
            if forced
            else major >= _TLS_FROM.get(engine.type, 15),
            parameters["max_connections"].integer
            or sizing.max_connections(properties["DBInstanceClass"].text or ""),
            owned.logical_id,
            self._groups.of(fields, owned.logical_id),
            owned.line,
        )
        return database, self._subnets(owned, door)

    def _behind(self, proxy: Resource) -> Resource | None:
        resolver = self._scene.resolver
        for group in resolver.resources(PROXY_TARGETS):
            properties = resolver.properties(group)
            if properties["DBProxyName"].resource(PROXY) is not proxy:
                continue
            for key in ("DBClusterIdentifiers", "DBInstanceIdentifiers"):
                for one in properties[key]:
                    if (found := one.resource(CLUSTER, INSTANCE)) is not None:
                        return found
        return None

    def _major(self, engine: Resource, properties: Place, group: Resource | None, place: Place) -> int:
        scene = self._scene
        if properties["EngineVersion"]:
            text = scene.text(properties["EngineVersion"], f"the version of {engine.logical_id}")
            if match := re.match(r"([0-9]{1,2})(\.|$)", text):
                return int(match[1])
            if text:
                scene.problem(properties["EngineVersion"], f"{text!r} is no version of PostgreSQL")
        family = scene.resolver.properties(group)["Family"].text if group else place.text
        if match := re.search(r"postgres(?:ql)?([0-9]{2})", family or ""):
            return int(match[1])
        scene.note(
            f"The version of {engine.logical_id} isn't known; PostgreSQL {DEFAULT_MAJOR} is taken",
            engine.line,
        )
        return DEFAULT_MAJOR

    def _name(self, place: Place, engine: Resource, properties: Place, asked: str) -> str:
        """The database that RDS makes; the one Keycloak asks for where it comes with a snapshot."""
        if properties["DBSnapshotIdentifier"] or properties["SnapshotIdentifier"]:
            self._scene.note(
                f"{engine.logical_id} comes from a snapshot; an empty database {asked} is rehearsed",
                engine.line,
            )
            return asked
        name = self._scene.text(place, f"the name of the database in {engine.logical_id}", "postgres")
        if not _DATABASE_NAME.fullmatch(name):
            self._scene.problem(place, f"{name!r} is no name for a database")
        if name != asked:
            self._scene.note(
                f"Keycloak asks for the database {asked}, but {engine.logical_id} is made with {name}",
                engine.line,
            )
        return name

    def _credentials(
        self, engine: Resource, properties: Place, told: Settings
    ) -> tuple[SecretField, SecretField]:
        """User and password of the database: the master's, unless Keycloak has a user of its own."""
        scene = self._scene
        user = self._secrets.literal(properties["MasterUsername"], f"{engine.logical_id}.MasterUsername")
        if properties["ManageMasterUserPassword"].flag:
            password = self._secrets.managed(engine, "password")
        else:
            name = f"{engine.logical_id}.MasterUserPassword"
            password = self._secrets.literal(properties["MasterUserPassword"], name)
        own_user, own_password = told.field("username"), told.field("password")
        if own_user is None or own_password is None:
            missing = "KC_DB_USERNAME" if own_user is None else "KC_DB_PASSWORD"
            scene.note(f"Keycloak is told no {missing}", told.container.line)
        user = user or own_user or SecretField(f"{engine.logical_id}.MasterUsername")
        password = password or own_password or SecretField(f"{engine.logical_id}.MasterUserPassword")
        if own_user is None or own_password is None:
            return user, password
        if not self._same(user, own_user):
            if user.literal is not None and own_user.literal is not None:
                scene.note(
                    f"Keycloak logs in as {own_user.literal}, which isn't the database's first user "
                    f"{user.literal}: it is taken for a user that somebody makes",
                    told.line("username"),
                )
            return own_user, own_password
        if self._same(password, own_password):
            return own_user, own_password
        if self._is_owned(password) and self._is_owned(own_password):
            scene.note(
                f"The password of the database is {_named(password)}, Keycloak logs in with "
                f"{_named(own_password)}",
                told.line("password"),
            )
            return own_user, password
        scene.note(
            f"{_named(password)} and {_named(own_password)} are taken for the same password",
            told.line("password"),
        )
        return own_user, own_password

    def _same(self, one: SecretField, other: SecretField) -> bool:
        if one.literal is not None and other.literal is not None:
            return one.literal == other.literal
        return (_bare(one.secret), one.field) == (_bare(other.secret), other.field)

    def _is_owned(self, field: SecretField) -> bool:
        """Whether the template itself says where the value comes from, so that two of them differ for
        sure."""
        return field.literal is not None or field.secret.split(".")[0] in self._scene.document.resources

    def _subnets(self, owned: Resource, properties: Place) -> tuple[str, ...]:
        place = properties["VpcSubnetIds"] or properties["DBSubnetGroupName"]
        if owned.type == PROXY and place:
            names = self._networks.use(place, f"the subnets of {owned.logical_id}")
            return names or self._networks.make_up("database-subnet", owned.line)
        group = place.resource(SUBNET_GROUP)
        if group is not None:
            settings = self._scene.resolver.properties(group)
            names = self._networks.use(settings["SubnetIds"], f"the subnets of {group.logical_id}")
            if names:
                return names
        return self._networks.make_up("database-subnet", owned.line)

    # --- one that exists ---

    def _existing(
        self,
        told: Settings,
        url: dict[str, str],
        host: str,
        port: int,
        asked: str,
        task_groups: tuple[str, ...],
    ) -> tuple[Database, tuple[str, ...]]:
        scene = self._scene
        line = told.line("url", "url-host")
        modes = re.findall(r"(?:^|[?&;])sslmode=([a-z-]+)", url.get("more", ""))
        forced = (
            told.get("tls-mode") == "verify-server"
            or bool(modes)
            and modes[-1] in ("require", "verify-ca", "verify-full")
        )
        how = (
            "refuses connections without TLS, as Keycloak uses it"
            if forced
            else "takes connections without TLS"
        )
        scene.note(
            f"The database {host} exists already: PostgreSQL {DEFAULT_MAJOR} is taken for it, which {how}",
            line,
        )
        groups = self._groups.outside(task_groups, port) or self._groups.open("database", line)
        database = Database(
            host,
            port,
            DEFAULT_MAJOR,
            asked,
            told.field("username") or SecretField("KC_DB_USERNAME", literal="keycloak"),
            told.field("password") or SecretField("KC_DB_PASSWORD"),
            forced,
            groups=groups,
            line=line,
        )
        return database, self._networks.make_up("database-subnet", line)


def _bare(secret: str) -> str:
    """A secret's name, which its ARN holds with six characters behind it."""
    match = re.fullmatch(r"arn:[a-z-]+:secretsmanager:[^:]*:[^:]*:secret:(.+?)(?:-[A-Za-z0-9]{6})?", secret)
    return match[1] if match else secret


def _named(field: SecretField) -> str:
    return f"{field.secret}:{field.field}" if field.field else field.secret
