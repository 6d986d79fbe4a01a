"""Where a running Keycloak is reached: its public and its admin address, and the door to take for each."""

from __future__ import annotations

import urllib.parse
from collections.abc import Sequence
from dataclasses import dataclass

from generator.drilling.answering import listener_of
from generator.errors import CatalogError
from generator.keycloak.version import Version, parse
from generator.rehearsing.target import Door
from generator.rehearsing.topology import Container, Topology

STANDARD_PORTS = {"http": 80, "https": 443}


@dataclass(frozen=True)
class Site:
    """One address of Keycloak's, as clients write it."""

    scheme: str
    host: str
    port: int
    base: str = ""
    """Path in front of everything, `/auth`; empty for none."""

    @property
    def authority(self) -> str:
        """What a Host header says: the port only where it isn't the scheme's own."""
        return self.host if self.port == STANDARD_PORTS.get(self.scheme) else f"{self.host}:{self.port}"

    @property
    def origin(self) -> str:
        """`https://sso.example.com`."""
        return f"{self.scheme}://{self.authority}"

    @property
    def url(self) -> str:
        """The origin and the base path, without a slash at the end."""
        return self.origin + self.base


@dataclass(frozen=True)
class Places:
    """What a drill has to know of a template before it asks anything."""

    public: Site
    admin: Site | None
    """None where the admin console has no host of its own."""
    version: Version | None
    """None where nothing tells."""
    doors: tuple[Door, ...]
    fronted: tuple[tuple[str, str], ...] = ()
    """(logical id of a balancer, host name pattern) of its rules, to find the right balancer for a host."""
    certified: tuple[Site, ...] = ()
    """Where certificates are asked for, if that is another address than the others and somebody may come in."""

    @property
    def sites(self) -> tuple[Site, ...]:
        """The public one, the admin one where there is one, and those where certificates are asked for."""
        return (self.public, *((self.admin,) if self.admin else ()), *self.certified)

    @property
    def console(self) -> Site:
        """Where the admin console and its REST API are."""
        return self.admin or self.public

    def vantages(self) -> list[str]:
        """Those that have a door, the internet first."""
        found = {door.vantage for door in self.doors}
        return [name for name in ("internet", "admin", "inside") if name in found]

    def door(self, vantage: str, site: Site) -> Door | None:
        """The way from a vantage to a site; None where there is none. Of several, the one whose listener and
        balancer fit best."""
        found = [door for door in self.doors if door.vantage == vantage]
        names = {balancer for balancer, host in self.fronted if host.lower() == site.host.lower()}

        def distance(door: Door) -> tuple[bool, bool, bool]:
            return door.scheme != site.scheme, bool(names) and door.balancer not in names, \
                door.listener_port != site.port

        return min(found, key=distance, default=None)


def places(topology: Topology, doors: Sequence[Door]) -> Places:
    """Reads the addresses from the tasks' configuration, and what it leaves open from the listeners."""
    version = _version(topology.version)
    task = topology.keycloak
    base = "/" + (option(task, "http-relative-path") or "").strip("/")
    base = "" if base == "/" else base
    # Up to 24 the URL has an option of its own; hostname v1 also knows port and path (Keycloak server guide
    # 24, "Configuring the hostname").
    public = option(task, "hostname-url") if version is None or version < (26, 0, 0) else None
    admin = option(task, "hostname-admin-url") if version is None or version < (26, 0, 0) else None
    fronted = tuple(
        (balancer.logical_id, value)
        for balancer in topology.balancers
        for listener in balancer.listeners
        for rule in listener.rules
        for condition in rule.conditions
        if condition.field == "host-header"
        for value in condition.values
    )
    names = [host for _, host in fronted if "*" not in host and "?" not in host]
    fallback = names[0] if names else topology.balancers[0].host.hostname if topology.balancers else ""
    text = public or option(task, "hostname") or fallback or "localhost"
    site = _site(text, base, doors)
    admin = admin or option(task, "hostname-admin")
    admin_site = _site(admin, base, doors) if admin else None
    if admin_site is not None and admin_site.authority.lower() == site.authority.lower():
        admin_site = None
    taken = {one.authority.lower() for one in (site, admin_site) if one is not None}
    certified = tuple(one for one in _certified(topology, doors, site) if one.authority.lower() not in taken)
    return Places(site, admin_site, version, tuple(doors), fronted, certified)


def _certified(topology: Topology, doors: Sequence[Door], public: Site) -> list[Site]:
    """An address for each listener that asks for certificates, where there is one to show or none has to be."""
    found: dict[Site, None] = {}
    for door in doors:
        there = listener_of(topology, door)
        mutual = there[1].mutual_tls if there is not None else None
        if mutual is not None and (door.certificate is not None or mutual.mode == "passthrough"):
            found[Site(door.scheme, mutual.host or public.host, door.listener_port, public.base)] = None
    return list(found)


def option(task: Container, name: str) -> str | None:
    """A Keycloak option as the container sets it, by its environment or on its command line; None where it
    doesn't.

    The command line wins (Keycloak server guide, "Configuring Keycloak": configuration sources).
    """
    words = [*(task.entrypoint or ()), *(task.command or ())]
    for position, word in enumerate(words):
        if word.startswith(f"--{name}="):
            return word.split("=", 1)[1]
        if word == f"--{name}" and position + 1 < len(words):
            return words[position + 1]
    variable = "KC_" + name.upper().replace("-", "_")
    value = task.variable(variable)
    return task.variable("KCRAW_" + variable[3:]) if value is None else value


def option_line(task: Container, *names: str) -> int:
    """The template's line of the first of these options or variables that is set; the container's where none
    is."""
    lines = dict(task.lines)
    for name in names:
        for variable in (name, "KC_" + name.upper().replace("-", "_")):
            if variable in lines:
                return lines[variable]
    return task.line


def _site(text: str, base: str, doors: Sequence[Door]) -> Site:
    if "://" in text:
        split = urllib.parse.urlsplit(text)
        scheme = split.scheme.lower()
        return Site(scheme, split.hostname or "", split.port or STANDARD_PORTS.get(scheme, 443),
                    split.path.rstrip("/") or base)
    secure = next((door for door in doors if door.scheme == "https"), None)
    door = secure or next(iter(doors), None)
    host, _, port = text.partition(":")
    scheme = door.scheme if door else "https"
    number = int(port) if port.isdigit() else door.listener_port if door else STANDARD_PORTS[scheme]
    return Site(scheme, host, number, base)


def _version(text: str) -> Version | None:
    try:
        return parse(text)
    except CatalogError:
        return None
