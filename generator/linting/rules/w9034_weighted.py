"""W9034: Cloud Map services that answer with one task of many."""

from __future__ import annotations

from collections.abc import Iterator

from generator.linting.rule import Hit, KeycloakRule
from generator.linting.rules import _cluster as cluster
from generator.linting.view import Keycloak


class Weighted(KeycloakRule):
    """The Cloud Map service answers with one task at random.

    With the routing policy WEIGHTED, Route 53 answers with a single address out of all. A node that starts
    asks for the others and may get the address of one that is just gone, or its own: then it makes a cluster
    of its own and takes logins with it until the two merge. MULTIVALUE answers with up to eight healthy tasks
    at once.

    Bad:

        DiscoveryService:
          Properties:
            DnsConfig: {RoutingPolicy: WEIGHTED}

    Good:

        DiscoveryService:
          Properties:
            DnsConfig: {RoutingPolicy: MULTIVALUE}
    """

    id = "W9034"
    shortdesc = "The Cloud Map service answers with every task"
    source_url = "https://docs.aws.amazon.com/cloud-map/latest/api/API_DnsConfig.html"

    def judge(self, keycloak: Keycloak) -> Iterator[Hit]:
        if not cluster.forms_cluster(keycloak) or not cluster.asks_dns(keycloak):
            return
        for entry in cluster.entries(keycloak):
            if entry.routing_policy == "WEIGHTED":
                yield Hit.at(
                    entry.properties["DnsConfig"]["RoutingPolicy"],
                    "now and then a task that starts doesn't find the cluster and makes its own: WEIGHTED "
                    "answers with one task at random",
                    "write RoutingPolicy: MULTIVALUE",
                )
