"""E9034: Cloud Map services without the records that nodes ask for."""

from __future__ import annotations

from collections.abc import Iterator

from generator.linting.rule import Hit, KeycloakRule
from generator.linting.rules import _cluster as cluster
from generator.linting.view import Keycloak
from generator.linting.view.discovery import HTTP_NAMESPACE, Entry

# Java looks up A and AAAA records together, so either will do.
_ADDRESSES = {"A": {"A", "AAAA"}, "AAAA": {"AAAA"}, "SRV": {"SRV"}}


class RecordType(KeycloakRule):
    """The Cloud Map service has no address records, and these are what nodes ask DNS for.

    DNS discovery asks for the addresses behind a name: A records. A service with SRV records only, or one in
    an HTTP namespace, which has no DNS at all, answers with none: every task forms a cluster of its own, and
    nothing but the log says so (`(1) [node]`). From 25 on, `-Djgroups.dns.record=SRV` makes nodes ask for SRV
    records instead.

    The type of a record can't be changed: a new Cloud Map service takes the place of the old one.

    Bad:

        DiscoveryService:
          Properties:
            DnsConfig:
              DnsRecords: [{Type: SRV, TTL: 10}]

    Bad (a namespace without DNS):

        DiscoveryNamespace:
          Type: AWS::ServiceDiscovery::HttpNamespace
          Properties: {Name: sso.internal, Vpc: ~}
        DiscoveryService:
          Properties:
            DnsConfig: ~
            NamespaceId: !Ref DiscoveryNamespace

    Good:

        DiscoveryService:
          Properties:
            DnsConfig:
              DnsRecords: [{Type: A, TTL: 10}]
    """

    id = "E9034"
    shortdesc = "The Cloud Map service has the records that nodes ask for"
    source_url = "https://docs.aws.amazon.com/cloud-map/latest/api/API_DnsRecord.html"

    def judge(self, keycloak: Keycloak) -> Iterator[Hit]:
        if not cluster.forms_cluster(keycloak) or not cluster.asks_dns(keycloak):
            return
        asked = keycloak.options.system_property("jgroups.dns.record")
        wanted = "A" if asked is None else asked.value
        if wanted not in _ADDRESSES:
            return
        for entry in cluster.entries(keycloak):
            lack = _lack(entry, _ADDRESSES[wanted])
            if lack:
                records = entry.properties["DnsConfig"]["DnsRecords"]
                yield Hit.at(
                    records if records else entry.properties,
                    f"the second task never joins: nodes ask for {wanted} records, and "
                    f"{entry.resource.logical_id} {lack}",
                    "write DnsConfig with DnsRecords: [{Type: A, TTL: 10}] and the NamespaceId of an "
                    "AWS::ServiceDiscovery::PrivateDnsNamespace",
                )


def _lack(entry: Entry, wanted: set[str]) -> str:
    if entry.namespace is not None and entry.namespace.type == HTTP_NAMESPACE:
        return "is in an HTTP namespace, which has no DNS"
    config = entry.properties["DnsConfig"]
    listed = config["DnsRecords"]
    types = [one.type for one in entry.records]
    if config.unknown is not None or listed.unknown is not None or None in types:
        return ""
    if not types:
        return "has no records"
    return "" if wanted & set(types) else f"has {' and '.join(str(one) for one in types)} only"
