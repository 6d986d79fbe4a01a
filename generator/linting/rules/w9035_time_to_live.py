"""W9035: DNS answers that are kept for too long."""

from __future__ import annotations

from collections.abc import Iterator

from generator.linting.rule import Hit, KeycloakRule
from generator.linting.rules import _cluster as cluster
from generator.linting.view import Keycloak

_MOST = 30


class TimeToLive(KeycloakRule):
    """Resolvers keep the tasks' addresses for a long time after they have changed.

    The TTL says for how many seconds an answer may be used again. Until then, a task that starts is sent to
    tasks that are gone and doesn't hear of those that came meanwhile. Where every address that it gets is a
    dead one, as after a deployment or a loss of several tasks, it makes a cluster of its own.

    Bad:

        DiscoveryService:
          Properties:
            DnsConfig:
              DnsRecords: [{Type: A, TTL: 300}]

    Good:

        DiscoveryService:
          Properties:
            DnsConfig:
              DnsRecords: [{Type: A, TTL: 10}]
    """

    id = "W9035"
    shortdesc = "DNS forgets a task that is gone within 30 seconds"
    source_url = "https://docs.aws.amazon.com/cloud-map/latest/api/API_DnsRecord.html"

    def judge(self, keycloak: Keycloak) -> Iterator[Hit]:
        if not cluster.forms_cluster(keycloak) or not cluster.asks_dns(keycloak):
            return
        for entry in cluster.entries(keycloak):
            for record in entry.records:
                if record.ttl is not None and record.ttl > _MOST:
                    yield Hit.at(
                        record.place["TTL"],
                        f"for up to {record.ttl} s, a task that starts looks for tasks that are gone and "
                        "may make a cluster of its own",
                        "write TTL: 10",
                    )
