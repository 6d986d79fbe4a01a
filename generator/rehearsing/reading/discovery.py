"""Cloud Map: the name under which the service's tasks find each other."""

from __future__ import annotations

import re

from generator.document import Resource
from generator.rehearsing.reading.scene import Scene, label
from generator.rehearsing.topology import LONGEST_KEPT, Container, Discovery
from generator.resolving import Place, Reference

NAMESPACES = (
    "AWS::ServiceDiscovery::PrivateDnsNamespace",
    "AWS::ServiceDiscovery::PublicDnsNamespace",
)
HTTP_NAMESPACE = "AWS::ServiceDiscovery::HttpNamespace"
ENTRY = "AWS::ServiceDiscovery::Service"

_QUERY = re.compile(r"-Djgroups\.dns\.query=(\S+)")
_NAME = re.compile(
    r"[A-Za-z0-9_]([A-Za-z0-9_-]{0,61}[A-Za-z0-9_])?(\.[A-Za-z0-9_]([A-Za-z0-9_-]{0,61}[A-Za-z0-9_])?)*"
)
_TYPES = ("A", "AAAA", "SRV", "CNAME")

# What Cloud Map's console proposes; taken where the records of a name aren't in the template.
_TTL = 60


def query(container: Container) -> tuple[str, int]:
    """(name, line) that Keycloak asks for (`jgroups.dns.query`); an empty name where it is not told one."""
    for name, value in container.environment:
        match = _QUERY.search(value)
        if match:
            return match[1].strip("\"'"), dict(container.lines).get(name, 0)
    for word in container.command or ():
        match = _QUERY.search(word)
        if match:
            return match[1].strip("\"'"), container.line
    return "", 0


def read(scene: Scene, service: Resource, keycloak: Container) -> Discovery | None:
    """The name that answers with the service's tasks; None where none does, whatever Keycloak asks for.

    A Cloud Map service that the ECS service doesn't register with is no such name: it never has an instance.
    """
    properties = scene.resolver.properties(service)
    registries = scene.known_list(properties["ServiceRegistries"], f"the registries of {service.logical_id}")
    found: Discovery | None = None
    registered: set[str] = set()
    for place in registries:
        arn = place["RegistryArn"]
        entry = arn.resource(ENTRY)
        if entry is not None:
            registered.add(entry.logical_id)
            one = _entry(scene, entry, keycloak)
        else:
            one = _existing(scene, arn, keycloak)
        if one is not None and found is not None:
            scene.note(
                f"Tasks register with several names; {found.name} is rehearsed, {one.name} isn't", place
            )
        found = found or one
    for entry in scene.resolver.resources(ENTRY):
        if entry.logical_id not in registered:
            scene.note(
                f"{service.logical_id} doesn't register its tasks with {entry.logical_id}, "
                "so that name never answers with them",
                entry.line,
            )
    if found is None and properties["ServiceConnectConfiguration"]["Enabled"].flag:
        scene.note(
            "Service Connect gives tasks a proxy, no name that answers with their addresses",
            properties["ServiceConnectConfiguration"],
        )
    asked, line = query(keycloak)
    if asked and (found is None or asked.rstrip(".").lower() != found.name.lower()):
        answers = f"tasks register as {found.name}" if found else "no name answers with the tasks"
        scene.note(f"Keycloak looks for its peers at {asked}, but {answers}", line)
    return found


def _entry(scene: Scene, entry: Resource, keycloak: Container) -> Discovery | None:
    properties = scene.resolver.properties(entry)
    what = f"the {{}} of {entry.logical_id}"
    dns = properties["DnsConfig"]
    if not dns:
        scene.note(f"{entry.logical_id} has no DNS records: nobody can look its tasks up by name", entry.line)
        return None
    name = scene.text(properties["Name"], what.format("name"), label(entry.logical_id))
    namespace = properties["NamespaceId"] or dns["NamespaceId"]
    suffix = _namespace(scene, namespace, name, keycloak)
    if suffix is None:
        return None
    records = {
        scene.choice(one["Type"], what.format("record"), _TYPES, "A"): one
        for one in scene.known_list(dns["DnsRecords"], what.format("records"))
    }
    kind = next((one for one in _TYPES if one in records), "A")
    full = f"{name}.{suffix}".rstrip(".")
    if not _NAME.fullmatch(full):
        scene.problem(properties["Name"], f"{full!r} is no DNS name")
    negative, line = _negative(scene, namespace)
    return Discovery(
        full,
        scene.integer(records[kind]["TTL"], what.format("TTL"), _TTL) if records else _TTL,
        scene.choice(
            dns["RoutingPolicy"], what.format("routing policy"), ("MULTIVALUE", "WEIGHTED"), "MULTIVALUE"
        ),
        kind,
        entry.logical_id,
        (records[kind] if records else dns).line,
        bool(properties["HealthCheckCustomConfig"]),
        negative,
        line,
    )


def _negative(scene: Scene, place: Place) -> tuple[int, int]:
    """(seconds that it is kept that a name of the namespace isn't there, line that says so)."""
    resource = place.resource(*NAMESPACES)
    if resource is None:
        return LONGEST_KEPT, 0
    ttl = scene.resolver.properties(resource)["Properties"]["DnsProperties"]["SOA"]["TTL"]
    return (
        scene.integer(ttl, f"the SOA's TTL of {resource.logical_id}", LONGEST_KEPT),
        ttl.line if ttl else resource.line,
    )


def _namespace(scene: Scene, place: Place, service: str, keycloak: Container) -> str | None:
    """The name of a namespace, which is the end of the names in it; None for one without DNS."""
    resource = place.resource(*NAMESPACES, HTTP_NAMESPACE)
    if resource is not None:
        if resource.type == HTTP_NAMESPACE:
            scene.note(
                f"{resource.logical_id} is a namespace without DNS: nobody can look tasks up by name",
                resource.line,
            )
            return None
        return scene.text(scene.resolver.properties(resource)["Name"], f"the name of {resource.logical_id}")
    if not place:
        scene.problem(place, "the Cloud Map service is in no namespace", "write NamespaceId")
        return ""
    known = scene.identity(place, "the namespace")
    asked, _ = query(keycloak)
    if asked.lower().startswith(f"{service.lower()}."):
        suffix = asked[len(service) + 1 :]
        scene.note(
            f"The namespace {known} exists already; it is taken for {suffix}, which Keycloak asks for", place
        )
        return suffix
    suffix = f"{label(known)}.internal"
    scene.note(f"The namespace {known} exists already and its name isn't known; {suffix} is taken", place)
    return suffix


def _existing(scene: Scene, place: Place, keycloak: Container) -> Discovery | None:
    """A Cloud Map service of another stack."""
    value = place.value
    if isinstance(value, Reference):
        scene.problem(place, f"{value} is no Cloud Map service", f"name an {ENTRY}")
        return None
    known = scene.identity(place, "the Cloud Map service")
    asked, _ = query(keycloak)
    if not asked:
        return None
    if not _NAME.fullmatch(asked):
        scene.problem(keycloak.line, f"{asked!r} is no DNS name")
    scene.note(
        f"The Cloud Map service {known} exists already; it is taken to answer as {asked}, "
        f"with a TTL of {_TTL} s",
        place,
    )
    return Discovery(asked, _TTL, line=place.line)
