"""Keycloak containers: which containers of a template run Keycloak, and everything around each of them."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, TypeVar

from generator.document import Path, Resource
from generator.errors import CatalogError
from generator.keycloak import catalog as catalogs
from generator.keycloak import advice, facts, sizing
from generator.keycloak.catalog import Catalog
from generator.keycloak.version import Version, parse
from generator.linting.view import command, databases, image, roles, settings
from generator.linting.view.balancers import Listener, LoadBalancer, TargetGroup
from generator.linting.view.command import Command
from generator.linting.view.databases import Database, Jdbc
from generator.linting.view.discovery import Registration
from generator.linting.view.image import Image
from generator.linting.view.roles import Role
from generator.linting.view.services import TASK, Service, Target
from generator.linting.view.settings import Options, Setting
from generator.resolving import Place, whole_number

if TYPE_CHECKING:
    from generator.linting.view.template import View

Fact = TypeVar("Fact")

# Variables that servers have and that clients of Keycloak hardly call theirs.
_SERVER_VARIABLE = re.compile(
    r"KC(RAW)?_(DB(_.*)?|CACHE(_.*)?|HTTP_(ENABLED|PORT|RELATIVE_PATH)|HTTPS_.*|PROXY(_.*)?|HEALTH_ENABLED|METRICS_ENABLED"
    r"|HOSTNAME_.*|FEATURES(_.*)?|LOG_.*|BOOTSTRAP_.*|SPI_.*|TRANSACTION_.*|HTTP_MANAGEMENT_.*)"
)

# Variables of the WildFly image (README of keycloak/keycloak-containers, server).
_WILDFLY_VARIABLES = frozenset(
    "DB_ADDR DB_VENDOR KEYCLOAK_FRONTEND_URL KEYCLOAK_USER KEYCLOAK_PASSWORD PROXY_ADDRESS_FORWARDING"
    " JGROUPS_DISCOVERY_PROTOCOL JGROUPS_DISCOVERY_PROPERTIES".split()
)

BIND_PORT_KEY = "cache-embedded-network-bind-port"
BIND_PORT = 7800
FAILURE_PORT_OFFSET = 50000
"""JGroups in Keycloak: port of the cluster's traffic, and how far above it FD_SOCK2 listens (server guide,
"Configuring distributed caches"; infinispan default-jgroups-*.xml)."""


@dataclass(frozen=True, eq=False)
class Keycloak:
    """A container that runs Keycloak, with the services that start it and what stands around them."""

    task: Resource
    """The task definition."""
    container: Place
    """Its item of ContainerDefinitions."""
    image: Image
    command: Command
    _view: View

    @property
    def view(self) -> View:
        """The template that it is in."""
        return self._view

    @property
    def name(self) -> str:
        """The container's name; empty where it isn't known."""
        return self.container["Name"].text or ""

    @property
    def path(self) -> Path:
        """Where the container is."""
        return self.container.path

    # --- version ---

    @cached_property
    def version(self) -> Version | None:
        """The Keycloak version: the one given from outside, else the tag's; None where neither tells."""
        given = self._view.keycloak_version
        return parse(given) if given else self.image.version

    @cached_property
    def catalog(self) -> Catalog | None:
        """What the version understands; None where the version isn't known or too old for any catalog."""
        if self.version is None:
            return None
        try:
            return catalogs.load_known(str(self.version))
        except CatalogError:
            return None

    @property
    def major(self) -> int | None:
        """The major version where the tag tells no more than that (`26`); None where the version is known, too."""
        return self.image.major if self.version is None else None

    @property
    def release(self) -> str:
        """What the version is called in messages: `26.7.4`, or `26` where no more is known; empty where nothing is."""
        return str(self.version or self.major or "")

    def at_least(self, *numbers: int) -> bool | None:
        """Whether the version is that one or newer; None where it isn't known, or not for all that `26` may mean."""
        if self.version is not None:
            return tuple(self.version) >= numbers
        if self.major is None:
            return None
        return True if (self.major, 0, 0) >= numbers else False if (self.major + 1,) <= numbers else None

    def settled(self, fact: Callable[[Version], Fact]) -> Fact | None:
        """What a fact about a version comes to; None where the version isn't known, or it isn't the same for all that
        `26` may mean."""
        if self.version is not None:
            return fact(self.version)
        known = [one for one in map(parse, catalogs.known_versions()) if one.major == self.major]
        found = {fact(one) for one in (Version(self.major, 0, 0), *known)} if self.major is not None else ()
        return found.pop() if len(found) == 1 else None

    # --- what it is told ---

    @cached_property
    def options(self) -> Options:
        """Its options and variables."""
        return settings.read(self.container, self.command, self.image.stock, self.catalog)

    @property
    def environment_place(self) -> Place:
        """Where a variable would be added: Environment, else the container."""
        return self.container["Environment"] if self.container["Environment"] else self.container

    @property
    def dev(self) -> bool:
        """Whether it runs start-dev."""
        return self.command.verb == "start-dev"

    @property
    def optimized(self) -> bool:
        """Whether `--optimized` is given and build options are the image's: nothing builds it just before."""
        return self.command.optimized and not self.command.builds

    @property
    def relative_path(self) -> str | None:
        """http-relative-path without a slash at its end, so empty for `/`; None where it isn't known."""
        value = self._or_default("http-relative-path", "/")
        return value.rstrip("/") if value is not None else None

    @property
    def http_port(self) -> int | None:
        """The port of plain HTTP; None where it isn't known."""
        return self.options.number("http-port", 8080)

    @property
    def https_port(self) -> int | None:
        """The port of HTTPS; None where it isn't known."""
        return self.options.number("https-port", 8443)

    @cached_property
    def management_port(self) -> int | None:
        """The port of health and metrics, from 25 on; None where there is none or it isn't known. See
        `health_on_main_port`."""
        port = self.settled(facts.management_port)
        return None if port is None else self.options.number("http-management-port", port)

    @cached_property
    def health_on_main_port(self) -> bool | None:
        """Whether /health answers on the main port: before 25, and where an option brings it back; None where
        that can't be told."""
        separate = self.settled(lambda version: facts.management_port(version) is not None)
        if not separate:
            return None if separate is None else True
        answers = [
            self._turned("legacy-observability-interface", True),
            self._turned("http-management-health-enabled", False),
        ]
        return True if True in answers else None if None in answers else False

    @cached_property
    def management_relative_path(self) -> str | None:
        """http-management-relative-path, which is http-relative-path where it isn't set, without a slash at
        its end; None where it isn't known."""
        if self.options.get("http-management-relative-path"):
            value = self.options.value("http-management-relative-path")
            return value.rstrip("/") if value is not None else None
        return self.relative_path if self.options.complete else None

    def _turned(self, key: str, to: bool) -> bool | None:
        """Whether a build option about the management port is set to `to`, which isn't its default; None
        where that can't be told. An optimized image may have it built in, unless something in the container
        speaks of the management port."""
        found = self.options.get(key)
        if found is not None:
            return found.flag is to if found.flag is not None else None
        if not self.options.complete:
            return None
        return False if self.image.stock or not self.optimized or self._speaks_of_management else None

    @cached_property
    def _speaks_of_management(self) -> bool:
        port = str(self.management_port)
        return port in self.ports or any(
            port in (one.text or "") for one in self.container["HealthCheck"]["Command"]
        )

    @cached_property
    def ports(self) -> dict[str, Place]:
        """The container ports of its port mappings, as text -> the mapping."""
        return {
            text: one
            for one in self.container["PortMappings"]
            if (text := one["ContainerPort"].text) is not None
        }

    def _or_default(self, key: str, default: str) -> str | None:
        """The value of an option, or `default` where the template says nothing."""
        found = self.options.get(key)
        return found.value if found else default if self.options.complete else None

    # --- cluster ---

    @cached_property
    def clustered(self) -> bool | None:
        """Whether its nodes form a cluster: `start` with a cache that isn't local; None where that can't be
        told."""
        cache = self.options.get("cache")
        if cache is not None:
            return cache.value != "local" if cache.value is not None else None
        if self.dev:
            return False
        if not self.options.complete:
            return None
        if self.options.get("cache-stack") or self.options.get("cache-config-file") or self.dns_query:
            return True
        # From the catalogs: the default of `start` is ispn in every version. An image may say otherwise.
        return True if self.image.stock else None

    @cached_property
    def stack(self) -> str | None:
        """The JGroups stack that its nodes use: cache-stack, else the version's default, which is udp before
        26.1 and jdbc-ping from there on (upgrading guide 26.1.0); None where it isn't known or in a file of
        the user's."""
        found = self.options.get("cache-stack")
        if found is not None:
            return found.value
        if not self.options.missing("cache-stack") or self.options.get("cache-config-file"):
            return None
        return self.settled(facts.default_stack)

    @cached_property
    def dns_query(self) -> Setting | None:
        """The name under which nodes look for each other (`jgroups.dns.query`); its value is None where it
        isn't known."""
        return self.options.system_property("jgroups.dns.query")

    @cached_property
    def bind_port(self) -> int | None:
        """The port of the cluster's traffic; None where it isn't known.

        The option for it is new in 26.4 and has no effect in some patch levels (keycloak issue 46663).
        """
        option = self.options.get(BIND_PORT_KEY)
        if option is not None:
            counts = self._bind_port_counts
            if counts is not False:
                return whole_number(option.value) if counts else None
        return self._port_property("jgroups.bind.port", BIND_PORT)

    @property
    def _bind_port_counts(self) -> bool | None:
        """Whether the version goes by the option for the cluster's port; None where it isn't known."""
        if self.version is None:
            return None
        bugs = advice.known_bugs(self.version)
        ignored = any(bug.needs.option == advice.variable(BIND_PORT_KEY) for bug in bugs)
        return self.version >= (26, 4, 0) and not ignored

    @cached_property
    def failure_port(self) -> int | None:
        """The port at which a node notices that another is gone (FD_SOCK2); None where it isn't known."""
        offset = self._port_property("jgroups.fd.port-offset", FAILURE_PORT_OFFSET)
        return None if self.bind_port is None or offset is None else self.bind_port + offset

    def _port_property(self, name: str, default: int) -> int | None:
        found = self.options.system_property(name)
        if found is not None:
            return whole_number(found.value)
        return default if self.options.java_complete else None

    # --- around it ---

    @cached_property
    def services(self) -> tuple[Service, ...]:
        """The services that run its task definition."""
        return tuple(one for one in self._view.services.values() if one.task is self.task)

    @property
    def most_tasks(self) -> int | None:
        """The most tasks that one of its services settles at; None where that isn't known, or without a
        service."""
        known = [one.most_tasks for one in self.services]
        return None if not known or None in known else max(one for one in known if one is not None)

    @cached_property
    def targets(self) -> tuple[Target, ...]:
        """Where its services register this very container with target groups."""
        mine = (self.name, None, "")
        return tuple(
            one for service in self.services for one in service.targets if one.container_name in mine
        )

    @cached_property
    def loopback(self) -> bool:
        """Whether nobody outside its task surely reaches its main port: http-host is an address of the loopback
        interface."""
        host = (self.options.value("http-host") or "").strip().lower()
        return host == "localhost" or host.startswith("127.") or host in ("::1", "[::1]")

    @cached_property
    def fronts(self) -> tuple[Place, ...]:
        """Containers of its task that requests pass before they reach it: they are registered with target groups
        and it isn't, and it listens on the loopback interface or they run a proxy that is known by name."""
        if self.targets or not self.name:
            return ()
        names = {one.container_name for service in self.services for one in service.targets}
        return tuple(
            one
            for one in self.task_properties["ContainerDefinitions"]
            if one["Name"].text in names and (self.loopback or image.read(one["Image"]).looks_like_proxy)
        )

    @cached_property
    def front_targets(self) -> tuple[Target, ...]:
        """Where its services register the containers in front of it."""
        names = {one["Name"].text for one in self.fronts}
        return tuple(one for service in self.services for one in service.targets if one.container_name in names)

    @cached_property
    def target_groups(self) -> tuple[TargetGroup, ...]:
        """The template's target groups that it, or what stands in front of it in its task, is registered with."""
        targets = (*self.targets, *self.front_targets)
        found = {one.group.name: one.group for one in targets if one.group is not None}
        return tuple(found.values())

    @cached_property
    def listeners(self) -> tuple[Listener, ...]:
        """The template's listeners that send requests to it, directly or through a proxy in its task."""
        return self._view.balancers.forwarding_to(tuple(one.name for one in self.target_groups))

    @cached_property
    def direct_listeners(self) -> tuple[Listener, ...]:
        """Those of its listeners whose requests reach it as the balancer sends them."""
        return () if self.fronts else self.listeners

    @cached_property
    def load_balancers(self) -> tuple[LoadBalancer, ...]:
        """The template's load balancers that send requests to it."""
        found = {one.balancer.name: one.balancer for one in self.listeners if one.balancer is not None}
        return tuple(found.values())

    @cached_property
    def registrations(self) -> tuple[Registration, ...]:
        """Where its services are registered in Cloud Map."""
        return tuple(one for service in self.services for one in service.registrations)

    @cached_property
    def jdbc(self) -> Jdbc:
        """Where it looks for its database."""
        return databases.jdbc(self.options)

    @cached_property
    def database(self) -> Database | None:
        """The template's database that its JDBC URL points to; None where it points elsewhere or nobody can
        tell."""
        return databases.of(self._view, self.options, self.jdbc)

    @property
    def task_properties(self) -> Place:
        """The properties of its task definition."""
        return self._view.resolver.properties(self.task)

    @cached_property
    def execution_role(self) -> Role | None:
        """The role that starts it, if the template holds it."""
        return roles.role(self._view, self.task_properties["ExecutionRoleArn"])

    @cached_property
    def task_role(self) -> Role | None:
        """The role that it has, if the template holds it."""
        return roles.role(self._view, self.task_properties["TaskRoleArn"])

    @property
    def memory(self) -> int | None:
        """MiB that it may use: the container's limit, else the task's; None where neither is known."""
        for place in (self.container["Memory"], self.task_properties["Memory"]):
            if place:
                return sizing.task_memory(place.text or "")
        return None


def find(view: View) -> Iterator[Keycloak]:
    """The containers of a template that run Keycloak."""
    for task in view.resolver.resources(TASK):
        for container in view.resolver.properties(task)["ContainerDefinitions"]:
            if not container.keys():
                continue
            found = image.read(container["Image"])
            ran = command.read(container, found.stock)
            if _is_server(container, found, ran):
                yield Keycloak(task, container, found, ran, view)


def _is_server(container: Place, found: Image, ran: Command) -> bool:
    """Whether a container is a Keycloak server: by its image's name, its command or variables that only
    servers have."""
    if found.wildfly or ran.elsewhere or ran.verb in ("build", "export", "import", "show-config", "bootstrap-admin"):
        return False
    names = {one["Name"].text or "" for key in ("Environment", "Secrets") for one in container[key]}
    if found.version is None and not ran.verb and _of_wildfly(names):
        return False
    if found.looks_like_server or ran.names_kc:
        return True
    mine = [name for name in names if _SERVER_VARIABLE.fullmatch(name)]
    return len(mine) >= 2 or bool(mine) and ran.verb in ("start", "start-dev")


def _of_wildfly(names: set[str]) -> bool:
    """Whether variables are those of Keycloak's WildFly image, and none is today's."""
    return len(names & _WILDFLY_VARIABLES) > 1 and not any(one.startswith(("KC_", "KCRAW_")) for one in names)
