"""E9039: a VPC in which private names have no answer."""

from __future__ import annotations

from collections.abc import Iterator

from generator.linting.rule import Hit, KeycloakRule
from generator.linting.rules import _cluster as cluster
from generator.linting.view import Keycloak
from generator.linting.view.discovery import NAMESPACES


class VpcDns(KeycloakRule):
    """The VPC doesn't answer to names of private namespaces, in which nodes look for each other.

    A private Cloud Map namespace is a private hosted zone of Route 53, and these need both `EnableDnsSupport`
    and `EnableDnsHostnames` of the VPC. The second one is off unless a template turns it on. Without them the
    tasks' name has no addresses, so every task forms a cluster of its own, and nothing but the log says so
    (`(1) [node]`).

    Bad:

        Vpc:
          Properties: {EnableDnsHostnames: false}

    Bad (not written means off):

        Vpc:
          Properties: {EnableDnsHostnames: ~}

    Good:

        Vpc:
          Properties: {EnableDnsSupport: true, EnableDnsHostnames: true}
    """

    id = "E9039"
    shortdesc = "The VPC answers to names of private namespaces"
    source_url = (
        "https://docs.aws.amazon.com/Route53/latest/DeveloperGuide/hosted-zone-private-considerations.html"
    )

    def judge(self, keycloak: Keycloak) -> Iterator[Hit]:
        if not cluster.forms_cluster(keycloak) or not cluster.asks_dns(keycloak):
            return
        resolver = keycloak.view.resolver
        if not any(entry.private for entry in cluster.entries(keycloak)):
            return
        found = cluster.vpcs(keycloak)
        for entry in cluster.entries(keycloak):
            if entry.namespace is not None and entry.namespace.type == NAMESPACES[0]:
                vpc = resolver.properties(entry.namespace)["Vpc"].resource(cluster.VPC)
                if vpc is not None:
                    found[vpc.logical_id] = vpc
        for vpc in found.values():
            for key, place in cluster.dns_faults(resolver.properties(vpc)):
                yield Hit.at(
                    place,
                    f"the second task never joins: without {key}, {vpc.logical_id} has no answer to names "
                    "of a private namespace",
                    f"write {key}: true",
                )
