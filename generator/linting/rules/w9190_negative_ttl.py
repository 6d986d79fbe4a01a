"""W9190: "no such name" that is kept for a long time."""

from __future__ import annotations

from collections.abc import Iterator

from generator.linting.rule import Hit, KeycloakRule
from generator.linting.rules import _cluster as cluster
from generator.linting.view import Keycloak
from generator.linting.view.discovery import NAMESPACES
from generator.resolving import Place, Unknown

_MOST = 30
# What a VPC's resolver keeps at most, and kept of namespaces that say nothing (aws-app-mesh-roadmap 221).
_LONGEST = 300


class NegativeTtl(KeycloakRule):
    """Resolvers remember for a long time that there is no such name.

    While no task is healthy, the discovery name doesn't exist: when the stack is new, and after every task was
    stopped (`DeploymentConfiguration` with MaximumPercent 100, a scale to 0 and back). The first node asks for
    it just then, and the VPC's resolver keeps the answer for as long as the SOA record of the namespace says,
    300 seconds where it says nothing. Until then nobody finds anybody, however many tasks are registered: every
    one may make a cluster of its own, and they merge minutes later.

    A node that is healthy before it looks for the others isn't hit, as 26.7.4 at its first start; 26.4.7 looks
    first (rehearsed).

    Bad:

        DiscoveryNamespace:
          Properties:
            Properties: ~

    Good:

        DiscoveryNamespace:
          Properties:
            Properties: {DnsProperties: {SOA: {TTL: 10}}}
    """

    id = "W9190"
    shortdesc = "DNS forgets within 30 seconds that no task was there"
    source_url = "https://github.com/aws/aws-app-mesh-roadmap/issues/221"

    def judge(self, keycloak: Keycloak) -> Iterator[Hit]:
        if not cluster.forms_cluster(keycloak) or not cluster.asks_dns(keycloak):
            return
        spaces = {one.namespace.logical_id: one.namespace for one in cluster.entries(keycloak) if one.namespace}
        for namespace in spaces.values():
            if namespace.type not in NAMESPACES:
                continue
            place, seconds = _kept(keycloak.view.resolver.properties(namespace))
            if seconds is None or seconds <= _MOST:
                continue
            yield Hit.at(
                place,
                f"{namespace.logical_id} lets resolvers remember for {min(seconds, _LONGEST)} s that no task was "
                "there: tasks that start together, or after all were stopped, may make clusters of their own until then",
                "write Properties: {DnsProperties: {SOA: {TTL: 10}}}",
            )


def _kept(properties: Place) -> tuple[Place, int | None]:
    """(what says it, seconds); None for seconds that aren't known."""
    place = properties
    for key in ("Properties", "DnsProperties", "SOA", "TTL"):
        if not place[key]:
            return place, None if isinstance(place.value, Unknown) else _LONGEST
        place = place[key]
    return place, place.integer
