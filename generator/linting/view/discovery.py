"""Cloud Map: the names under which tasks can be looked up."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

from generator.document import Resource
from generator.resolving import Place

if TYPE_CHECKING:
    from generator.linting.view.template import View

NAMESPACES = ("AWS::ServiceDiscovery::PrivateDnsNamespace", "AWS::ServiceDiscovery::PublicDnsNamespace")
HTTP_NAMESPACE = "AWS::ServiceDiscovery::HttpNamespace"
ENTRY = "AWS::ServiceDiscovery::Service"


@dataclass(frozen=True)
class Record:
    """One DNS record of a Cloud Map service."""

    place: Place
    type: str | None
    ttl: int | None


@dataclass(frozen=True, eq=False)
class Entry:
    """A Cloud Map service (AWS::ServiceDiscovery::Service) of the template."""

    resource: Resource
    properties: Place

    @property
    def name(self) -> str | None:
        """Its Name, `nodes`; None where none is known (without one Cloud Map makes one up)."""
        return self.properties["Name"].text

    @property
    def namespace(self) -> Resource | None:
        """Its namespace, if the template holds it."""
        place = self.properties["DnsConfig"]["NamespaceId"]
        place = place if place else self.properties["NamespaceId"]
        return place.resource(*NAMESPACES, HTTP_NAMESPACE)

    @cached_property
    def namespace_name(self) -> str | None:
        """`sso.internal`; None where it isn't known or the namespace has no DNS."""
        found = self.namespace
        if found is None or found.type not in NAMESPACES:
            return None
        return self.properties.resolver.properties(found)["Name"].text

    @property
    def full_name(self) -> str | None:
        """The name that answers with the tasks, `nodes.sso.internal`; None where it isn't known."""
        if not self.name or not self.namespace_name:
            return None
        return f"{self.name}.{self.namespace_name.rstrip('.')}".lower()

    @property
    def private(self) -> bool | None:
        """Whether its namespace is a private one; None where that isn't known."""
        return None if self.namespace is None else self.namespace.type == NAMESPACES[0]

    @property
    def routing_policy(self) -> str | None:
        """MULTIVALUE where none is written and there is a health check, as Cloud Map does; None where it
        isn't known."""
        place = self.properties["DnsConfig"]["RoutingPolicy"]
        return place.text if place else "MULTIVALUE"

    @cached_property
    def records(self) -> tuple[Record, ...]:
        """Its DNS records."""
        listed = self.properties["DnsConfig"]["DnsRecords"]
        return tuple(Record(one, one["Type"].text, one["TTL"].integer) for one in listed)


@dataclass(frozen=True)
class Registration:
    """One entry of a service's ServiceRegistries."""

    place: Place
    entry: Entry | None
    """None where the Cloud Map service isn't in the template."""


class Discovery:
    """The Cloud Map services of a template."""

    def __init__(self, view: View):
        self._view = view

    @cached_property
    def entries(self) -> dict[str, Entry]:
        """Logical id -> Cloud Map service."""
        resolver = self._view.resolver
        return {one.logical_id: Entry(one, resolver.properties(one)) for one in resolver.resources(ENTRY)}

    def registration(self, place: Place) -> Registration:
        """What an item of ServiceRegistries registers with."""
        found = place["RegistryArn"].resource(ENTRY)
        return Registration(place, self.entries.get(found.logical_id) if found else None)
