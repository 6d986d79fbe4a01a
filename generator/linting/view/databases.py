"""The database that Keycloak's JDBC URL points to."""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

from generator.document import Resource
from generator.keycloak import sizing
from generator.linting.view.balancers import SUBNET
from generator.linting.view.firewall import Party, networks
from generator.linting.view.settings import Options, Setting
from generator.resolving import Place, Reference, Text

if TYPE_CHECKING:
    from generator.linting.view.template import View

INSTANCE = "AWS::RDS::DBInstance"
CLUSTER = "AWS::RDS::DBCluster"
PROXY = "AWS::RDS::DBProxy"
SUBNET_GROUP = "AWS::RDS::DBSubnetGroup"
PROXY_PORTS = {"MYSQL": 3306, "POSTGRESQL": 5432, "SQLSERVER": 1433}
"""EngineFamily -> the port that a proxy listens on, which can't be chosen (Amazon RDS User Guide, "RDS Proxy",
limitations)."""
PARAMETER_GROUPS = {INSTANCE: "AWS::RDS::DBParameterGroup", CLUSTER: "AWS::RDS::DBClusterParameterGroup"}

_URL = re.compile(
    r"jdbc:(?P<wrapper>aws-wrapper:)?(?P<vendor>[a-z0-9]+)://(?P<host>[^/?:,;]*(?:\$\{[^}]*\})?[^/?:,;]*)"
    r"(?::(?P<port>\d+|\$\{[^}]*\}))?(?:,[^/?;]*)?(?:/(?P<name>[^?]*))?(?:[?;](?P<more>.*))?",
    re.DOTALL,
)


@dataclass(frozen=True)
class Jdbc:
    """Where Keycloak looks for its database, put together from its options."""

    vendor: str | None
    """`postgres` (also for PostgreSQL URLs), `mysql`, `dev-file`...; None where it isn't known."""
    url: Setting | None
    """db-url, which makes Keycloak ignore the parts."""
    host: str | Reference | None
    """Known text, a reference to a resource's attribute, None where it is neither."""
    host_setting: Setting | None
    """What says the host: db-url or db-url-host."""
    port: str | Reference | None
    """None where none is written or it isn't known."""
    port_setting: Setting | None
    database: str | Reference | None
    """The name of the database; None where none is written or it isn't known."""
    database_setting: Setting | None
    parameters: dict[str, str]
    """What stands behind `?`, or `;` for SQL Server: sslmode and the like."""
    parameters_setting: Setting | None
    """What says them: db-url or db-url-properties."""
    parameters_known: bool
    """Whether all of them are known."""
    wrapper: bool = False
    """Whether it is a URL of the AWS JDBC wrapper."""


@dataclass(frozen=True, eq=False)
class Database:
    """An RDS instance, an Aurora cluster or a proxy of the template."""

    resource: Resource
    properties: Place
    _view: View

    @property
    def name(self) -> str:
        """Its logical id."""
        return self.resource.logical_id

    @cached_property
    def members(self) -> tuple[Resource, ...]:
        """The instances of a cluster; the instance itself."""
        if self.resource.type != CLUSTER:
            return (self.resource,)
        resolver = self._view.resolver
        return tuple(
            one
            for one in resolver.resources(INSTANCE)
            if resolver.properties(one)["DBClusterIdentifier"].resource(CLUSTER) is self.resource
        )

    @property
    def engine(self) -> str | None:
        """`postgres`, `aurora-postgresql`...; None where it isn't known."""
        return self.properties["Engine"].text

    @property
    def postgresql(self) -> bool:
        """Whether it surely is PostgreSQL."""
        return "postgres" in (self.engine or "")

    @property
    def aurora(self) -> bool:
        """Whether it surely is an Aurora cluster."""
        return (self.engine or "").startswith("aurora")

    @property
    def engine_version(self) -> str | None:
        """`17.10`; None where none is written or it isn't known."""
        return self.properties["EngineVersion"].text

    @property
    def major(self) -> int | None:
        """The major version; None where it isn't known."""
        match = re.match(r"[0-9]{1,4}", self.engine_version or "")
        return int(match[0]) if match else None

    @property
    def instance_classes(self) -> tuple[str | None, ...]:
        """The classes of its instances; None for one that isn't known."""
        resolver = self._view.resolver
        return tuple(resolver.properties(one)["DBInstanceClass"].text for one in self.members)

    @cached_property
    def parameter_group(self) -> Resource | None:
        """Its parameter group, if the template holds it: a cluster's is the cluster's."""
        kind = PARAMETER_GROUPS.get(self.resource.type, "")
        key = "DBClusterParameterGroupName" if self.resource.type == CLUSTER else "DBParameterGroupName"
        return self.properties[key].resource(kind)

    def parameter(self, name: str) -> Place | None:
        """The place of a parameter in its parameter group (`rds.force_ssl`); None where it isn't written."""
        if self.parameter_group is None:
            return None
        place = self._view.resolver.properties(self.parameter_group)["Parameters"][name]
        return place if place else None

    @property
    def parameters_elsewhere(self) -> bool:
        """Whether it has a parameter group that the template doesn't hold, so that parameters aren't
        known."""
        key = "DBClusterParameterGroupName" if self.resource.type == CLUSTER else "DBParameterGroupName"
        place = self.properties[key]
        return bool(place) and self.parameter_group is None and not (place.text or "").startswith("default.")

    @cached_property
    def max_connections(self) -> int | None:
        """How many connections it takes at most: its parameter, else what RDS works out of the smallest
        instance's memory; None where that isn't known."""
        written = self.parameter("max_connections")
        if written is not None:
            return written.integer
        if self.parameters_elsewhere or self.resource.type == PROXY or not self.postgresql or self.aurora:
            return None
        found = [sizing.max_connections(one) if one else None for one in self.instance_classes]
        known = [one for one in found if one is not None]
        return min(known) if known and len(known) == len(found) else None

    @cached_property
    def port(self) -> int | None:
        """The port it listens on; None where it isn't known."""
        if self.resource.type == PROXY:
            return PROXY_PORTS.get(self.properties["EngineFamily"].text or "")
        place = self.properties["Port"]
        return place.integer if place else 5432 if self.postgresql else None

    @cached_property
    def subnet_group(self) -> Resource | None:
        """Its subnet group, if the template holds it."""
        return self.properties["DBSubnetGroupName"].resource(SUBNET_GROUP)

    @cached_property
    def party(self) -> Party:
        """It, for the firewall."""
        resolver = self._view.resolver
        key = "VpcSecurityGroupIds" if self.resource.type != INSTANCE else "VPCSecurityGroups"
        found = None
        listed = self.properties["VpcSubnetIds"]
        if self.subnet_group is not None:
            listed = resolver.properties(self.subnet_group)["SubnetIds"]
        if listed:
            found = networks([one.resource(SUBNET) for one in listed], resolver)
        return Party(self._view.firewall.groups(self.properties[key]), found)

    @property
    def groups_place(self) -> Place:
        """Where its security groups are or should be written."""
        for key in ("VpcSecurityGroupIds", "VPCSecurityGroups"):
            if self.properties[key]:
                return self.properties[key]
        return self.properties


def databases(view: View) -> dict[str, Database]:
    """Logical id -> instance, cluster or proxy of the template."""
    found = view.resolver.resources(INSTANCE, CLUSTER, PROXY)
    return {one.logical_id: Database(one, view.resolver.properties(one), view) for one in found}


def of(view: View, options: Options, jdbc: Jdbc) -> Database | None:
    """The template's database that the options refer to: by db-url where it is set, else by db-url-host. A
    member of a cluster stands for the cluster."""
    for setting in (jdbc.host_setting, jdbc.url):
        for reference in setting.place.references if setting else ():
            found = view.databases.get(reference.logical_id)
            if found is None:
                continue
            cluster = found.properties["DBClusterIdentifier"].resource(CLUSTER)
            return view.databases.get(cluster.logical_id, found) if cluster is not None else found
    return None


def jdbc(options: Options) -> Jdbc:
    """Where Keycloak looks for its database."""
    vendor = options.value("db")
    url = options.get("db-url")
    if url is not None:
        return _of_url(url, vendor)
    host, port, name = (options.get(f"db-url-{part}") for part in ("host", "port", "database"))
    more = options.get("db-url-properties")
    parameters = _parameters((more.value or "").lstrip("?")) if more else {}
    known = options.complete if more is None else more.value is not None
    return Jdbc(
        vendor, None, _known(host), host, _known(port), port, _known(name), name, parameters, more, known
    )


def _of_url(url: Setting, vendor: str | None) -> Jdbc:
    value = url.place.value
    text = url.value if url.value is not None else str(value) if isinstance(value, Text) else ""
    # The word of a command holds the option's name too.
    match = _URL.search(text)
    if match is None:
        return Jdbc(vendor, url, None, url, None, url, None, url, {}, url, False)
    found = {"postgresql": "postgres"}.get(match["vendor"], match["vendor"])
    more = match["more"] or ""
    return Jdbc(
        found,
        url,
        _piece(match["host"], value),
        url,
        _piece(match["port"], value),
        url,
        _piece(match["name"], value),
        url,
        _parameters(more),
        url,
        "${" not in more,
        bool(match["wrapper"]),
    )


def _piece(text: str | None, value: object) -> str | Reference | None:
    """A part of a URL: known text, or the reference that it is."""
    if not text:
        return None
    if "${" not in text:
        return text
    found = value.references if isinstance(value, Text) else ()
    return next((one for one in found if text == f"${{{one}}}"), None)


def _known(setting: Setting | None) -> str | Reference | None:
    if setting is None:
        return None
    value = setting.place.value
    return value if isinstance(value, Reference) and not setting.secret else setting.value


def _parameters(text: str) -> dict[str, str]:
    pairs = (one.partition("=") for one in re.split("[&;]", text) if one)
    return {name: value for name, _, value in pairs}
