"""Service discovery."""

from __future__ import annotations

from collections.abc import Iterator

from generator.document import Document, Resource
from generator.linting.checks.base import is_given, items, mapping, target, text
from generator.linting.rule import Hit, Rule
from generator.linting.view import View

_SERVICE = "AWS::ServiceDiscovery::Service"
_PRIVATE = "AWS::ServiceDiscovery::PrivateDnsNamespace"
_API = "https://docs.aws.amazon.com/cloud-map/latest/api/"


def _is_private(document: Document, service: Resource) -> bool:
    holders = (service.properties, mapping(service.properties, "DnsConfig"))
    return any(target(document, holder.get("NamespaceId"), _PRIVATE) for holder in holders)


class PrivateHealthCheck(Rule):
    """Route 53 checks from the internet, where nothing of a private namespace can be reached."""

    id = "E9561"
    shortdesc = "A service of a private namespace has no Route 53 health check"
    source_url = _API + "API_HealthCheckConfig.html"

    def hits(self, view: View) -> Iterator[Hit]:
        for service in view.document.of_type(_SERVICE):
            if is_given(service.properties.get("HealthCheckConfig")) and _is_private(view.document, service):
                path = (*service.path, "Properties", "HealthCheckConfig")
                message = "HealthCheckConfig is for public DNS and HTTP namespaces only"
                yield Hit(path, message, "write HealthCheckCustomConfig: {}, which ECS reports to")


class RecordTypes(Rule):
    """A CNAME is the only record of its name, and can't be one of several answers."""

    id = "E9562"
    shortdesc = "A service's record types go together"
    source_url = _API + "API_DnsRecord.html"

    def hits(self, view: View) -> Iterator[Hit]:
        for service in view.document.of_type(_SERVICE):
            dns = mapping(service.properties, "DnsConfig")
            kinds = [text(record.get("Type")) for _, record in items(dns, "DnsRecords")]
            path = (*service.path, "Properties", "DnsConfig")
            if None in kinds:
                continue
            if len(kinds) > 1 and "CNAME" in kinds:
                yield Hit(
                    (*path, "DnsRecords"),
                    f"{', '.join(map(str, kinds))} don't go together",
                    "keep one of them",
                )
            if "CNAME" in kinds and dns.get("RoutingPolicy", "MULTIVALUE") == "MULTIVALUE":
                yield Hit((*path, "RoutingPolicy"), "a CNAME record needs the routing policy WEIGHTED")
