"""The parts of one template that a request meets on its way, and what leads from one to the next."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass

from generator.document import Resource
from generator.keycloak import sizing
from generator.resolving import Place, Text
from generator.reviewing.diagram import naming
from generator.reviewing.facts import DATABASES
from generator.reviewing.meaning.base import BALANCER, LISTENER, SERVICE, TASK, Reading, plural
from generator.reviewing.meaning.keycloak import servers
from generator.reviewing.meaning.reaching import WORLD, Way, holders, public, ways

RULE, TARGETS = "AWS::ElasticLoadBalancingV2::ListenerRule", "AWS::ElasticLoadBalancingV2::TargetGroup"
SECRETS = ("AWS::SecretsManager::Secret", "AWS::SSM::Parameter")
RECORDS = ("AWS::Route53::RecordSet", "AWS::Route53::RecordSetGroup")
_ACL, _GUARD = "AWS::WAFv2::WebACL", "AWS::WAFv2::WebACLAssociation"
_NAMES = "AWS::ServiceDiscovery::Service"
_NAMESPACES = tuple(f"AWS::ServiceDiscovery::{kind}Namespace" for kind in ("PrivateDns", "PublicDns", "Http"))
_PROXY, _PROXY_TARGETS = "AWS::RDS::DBProxy", "AWS::RDS::DBProxyTargetGroup"
_FILES = "AWS::EFS::FileSystem"

TYPES = frozenset(
    {BALANCER, LISTENER, RULE, TARGETS, SERVICE, TASK, _ACL, _NAMES, _PROXY, _FILES}
    | {*SECRETS, *RECORDS, *_NAMESPACES, *DATABASES}
)
"""What stands on the way of a request; everything else is told beside it."""

INTERNET, NETWORK, NAMED, OTHERS, ELSEWHERE = "(internet)", "(network)", "(named)", "(others)", "(elsewhere)"
"""Who is none of the template's resources; no logical id has parentheses."""
_OUTSIDE = {
    INTERNET: "the internet",
    NETWORK: "everybody in the network",
    NAMED: "named networks",
    OTHERS: "other security groups",
    ELSEWHERE: "a database elsewhere",
}
_HOST = re.compile(r"//([A-Za-z0-9.-]+)(?=[:/?;,]|$)")
_ENGINES = {"postgres": "PostgreSQL", "aurora-postgresql": "Aurora PostgreSQL", "mysql": "MySQL"}
_MOST = 3
"""Names of networks or groups that are told."""


@dataclass(frozen=True)
class Part:
    """One thing that can be drawn."""

    key: str
    """Logical id, or one of the five above."""
    type: str
    """Empty for what is none of the template's."""
    title: str
    detail: str
    """What it is, in a few words."""
    among: tuple[str, ...] = ()
    """Ports that its own tasks or members use among each other."""


@dataclass(frozen=True)
class Graph:
    """The parts of a template."""

    parts: dict[str, Part]
    """Of all resources, in the order of the text, and of who is outside."""
    links: dict[tuple[str, str], tuple[str, ...]]
    """(from, to) -> what goes there, ports for instance; empty where nothing is to be said."""


class _Known:
    """A template with what is asked of it again and again."""

    def __init__(self, reading: Reading):
        self.reading = reading
        self.servers = servers(reading)
        self._named: dict[str, list[Resource]] = {}

    def referred(self, one: Resource, *types: str) -> list[str]:
        """The resources of some types that another one names, in the order of the text."""
        if one.logical_id not in self._named:
            every, exists = self.reading.document.resources, self.reading.resolver.exists
            names = self.reading.document.references(one.properties) & every.keys() - {one.logical_id}
            found = [every[name] for name in names if exists(name) is not False]
            self._named[one.logical_id] = sorted(found, key=lambda each: (each.line, each.logical_id))
        return [each.logical_id for each in self._named[one.logical_id] if each.type in types]


def graph(reading: Reading) -> Graph:
    """What a template is made of. Nothing here raises on odd templates."""
    known = _Known(reading)
    links: dict[tuple[str, str], dict[str, None]] = {}
    for source, target, *labels in _structure(known):
        links.setdefault((source, target), {}).update(dict.fromkeys(labels))
    outside = _reach(known, links)
    rules = Counter(name for one in reading.resources(RULE) for name in known.referred(one, LISTENER))
    among = {source: tuple(labels) for (source, target), labels in links.items() if source == target}
    parts = {
        key: Part(key, "", _OUTSIDE[key], ", ".join([*names][:_MOST]) + " …" * (len(names) > _MOST))
        for key, names in outside.items()
    }
    for name, one in reading.document.resources.items():
        if reading.resolver.exists(name) is not False:
            parts[name] = Part(name, one.type, name, _detail(known, one, rules), among.get(name, ()))
    kept = {ends: tuple(said) for ends, said in links.items() if ends[0] != ends[1]}
    return Graph(parts, {ends: said for ends, said in kept.items() if set(ends) <= parts.keys()})


# --- what leads where ---


def _structure(known: _Known) -> Iterator[tuple[str, ...]]:
    reading = known.reading
    for one in reading.resources(*RECORDS):
        yield from _to(one, known.referred(one, BALANCER))
    for one in reading.resources(_GUARD):
        for acl in known.referred(one, _ACL):
            yield from ((acl, balancer, "guards") for balancer in known.referred(one, BALANCER))
    for one in reading.resources(LISTENER):
        yield from ((name, one.logical_id) for name in known.referred(one, BALANCER))
        yield from _to(one, known.referred(one, TARGETS))
    for one in reading.resources(RULE):
        for listener in known.referred(one, LISTENER):
            yield listener, one.logical_id
            yield from ((listener, name) for name in known.referred(one, TARGETS))
        yield from _to(one, known.referred(one, TARGETS))
    for one in reading.resources(SERVICE):
        yield from ((name, one.logical_id) for name in known.referred(one, TARGETS))
        yield from _to(one, known.referred(one, TASK), "runs")
        yield from _to(one, known.referred(one, _NAMES), "registers at")
    for one in reading.resources(_NAMES):
        yield from _to(one, known.referred(one, *_NAMESPACES), "in")
    users: dict[str, list[str]] = {}
    for one in reading.resources(SERVICE):
        for name in known.referred(one, TASK):
            users.setdefault(name, []).append(one.logical_id)
    for one in reading.resources(TASK):
        yield from _to(one, known.referred(one, *SECRETS), "reads")
        yield from _to(one, known.referred(one, _FILES), "mounts")
        for name in known.referred(one, *DATABASES, _PROXY):
            yield from ((user, name) for user in users.get(one.logical_id, [one.logical_id]))
    for one in reading.resources(_PROXY_TARGETS):
        for proxy in known.referred(one, _PROXY):
            yield from ((proxy, name) for name in known.referred(one, *DATABASES))
    for one in reading.resources("AWS::RDS::DBInstance"):
        yield from ((name, one.logical_id, "member") for name in known.referred(one, "AWS::RDS::DBCluster"))


def _to(one: Resource, names: list[str], *labels: str) -> Iterator[tuple[str, ...]]:
    yield from ((one.logical_id, name, *labels) for name in names)


def _reach(known: _Known, links: dict[tuple[str, str], dict[str, None]]) -> dict[str, dict[str, None]]:
    """Adds who may reach whom; returns who of them is outside, with what they are called."""
    reading = known.reading
    users = holders(reading)
    outside: dict[str, dict[str, None]] = {}
    for way in ways(reading):
        if way.direction == "in":
            for target in users.get(way.group, ()):
                for source, called in _sources(way, target, users, reading):
                    if source in _OUTSIDE:
                        outside.setdefault(source, {}).update(dict.fromkeys(called))
                    for ends in _along(source, target, links):
                        links.setdefault(ends, {})[_ports(way)] = None
    databases = {one.logical_id for one in reading.resources(*DATABASES, _PROXY)}
    for server in known.servers.values():
        urls = [value for name, value in server.told.items() if name.startswith("KC_DB_URL")]
        if server.service is None or not urls:
            continue
        if not any(start == server.service.logical_id and end in databases for start, end in links):
            hosts = [host[1] for url in urls for host in (_HOST.search(url),) if host]
            hosts += [server.told["KC_DB_URL_HOST"]] if server.told.get("KC_DB_URL_HOST") else []
            outside.setdefault(ELSEWHERE, {}).update(dict.fromkeys(hosts[:1]))
            links.setdefault((server.service.logical_id, ELSEWHERE), {})
    return outside


def _sources(
    way: Way, target: str, users: dict[str, list[str]], reading: Reading
) -> Iterator[tuple[str, tuple[str, ...]]]:
    if way.peer == WORLD:
        yield INTERNET if public(reading, target) else NETWORK, ()
    elif way.peer in users:
        yield from ((name, ()) for name in users[way.peer])
    else:
        yield NAMED if re.fullmatch(r"[0-9a-fA-F.:]+/[0-9]+", way.peer) else OTHERS, (way.peer,)


def _along(source: str, target: str, links: dict[tuple[str, str], dict[str, None]]) -> list[tuple[str, str]]:
    """The links that a way goes along: from a balancer the last ones of those through target groups, else the
    straight one."""
    if source == target or (source, target) in links or source in _OUTSIDE:
        return [(source, target)]
    seen, waiting = {source}, [source]
    while waiting:
        fresh = {end for name in [waiting.pop()] for start, end in links if start == name} - seen
        fresh.discard(target)
        seen |= fresh
        waiting += fresh
    return [ends for ends in links if ends[1] == target and ends[0] in seen] or [(source, target)]


def _ports(way: Way) -> str:
    if way.ports == "any port":
        return "everything" if way.protocol == "-1" else f"all of {way.protocol}"
    return way.ports if way.protocol == "tcp" else f"{way.ports} ({way.protocol})"


# --- what they are ---


def _detail(known: _Known, one: Resource, rules: Counter[str]) -> str:
    place = known.reading.properties(one)
    if one.type in DATABASES:
        found = _database(place)
    elif one.type == SERVICE:
        found = ["service", _tasks(known, one)]
    elif one.type == TASK:
        found = ["task definition", *_size(place), *_images(place)]
    elif one.type == BALANCER:
        kind = {"network": "network ", "gateway": "gateway "}.get(place["Type"].text or "", "")
        found = [f"{kind}load balancer", "internal" if place["Scheme"].text == "internal" else "public"]
    elif one.type == LISTENER:
        count = rules[one.logical_id]
        found = ["listener", _pair(place["Protocol"], place["Port"]), plural(count, "rule") if count else ""]
    elif one.type == RULE:
        forwards = any(action["Type"].text == "forward" for action in place["Actions"])
        number = place["Priority"].text
        found = [
            f"listener rule {number}" if number else "listener rule",
            "" if forwards else "lets nobody through",
        ]
    elif one.type == TARGETS:
        found = ["target group", _pair(place["Protocol"], place["Port"])]
    elif one.type in (_NAMES, *_NAMESPACES):
        found = ["names of the tasks" if one.type == _NAMES else "namespace", place["Name"].text]
    elif one.type in RECORDS:
        found = ["DNS record", place["Name"].text]
    else:
        found = [naming.words(one.type) if one.type else "no type"]
    return ", ".join(filter(None, found))


def _pair(first: Place, second: Place) -> str:
    return " ".join(filter(None, (first.text, second.text)))


def _database(place: Place) -> list[str | None]:
    engine = place["Engine"].text or "database"
    name = _ENGINES.get(engine, engine)
    version = place["EngineVersion"].text
    zones = "two zones" if place["MultiAZ"].flag else ""
    return [f"{name} {version}" if version else name, place["DBInstanceClass"].text, zones]


def _size(place: Place) -> list[str]:
    cpu, memory = sizing.task_cpu(place["Cpu"].text or ""), sizing.task_memory(place["Memory"].text or "")
    return [
        *([f"{cpu / 1024:g} vCPU"] if cpu else []),
        *([f"{memory / 1024:g} GiB"] if memory else []),
    ]


def _images(place: Place) -> Iterator[str]:
    for one in place["ContainerDefinitions"]:
        image = one["Image"].value
        text = str(image) if isinstance(image, (str, Text)) else ""
        if text:
            yield text.split("@")[0].rpartition("/")[2]


def _tasks(known: _Known, service: Resource) -> str:
    for server in known.servers.values():
        if server.service is not None and server.service.logical_id == service.logical_id:
            few, most = server.tasks
            if few is not None and most is not None:
                return plural(few, "task") if few == most else f"{few} to {most} tasks"
    count = known.reading.properties(service)["DesiredCount"].integer
    return plural(count, "task") if count is not None else ""
