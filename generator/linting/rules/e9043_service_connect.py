"""E9043: DNS discovery by means of Service Connect."""

from __future__ import annotations

from collections.abc import Iterator

from generator.linting.rule import Hit, KeycloakRule
from generator.linting.rules import _cluster as cluster
from generator.linting.view import Keycloak


class ServiceConnectDiscovery(KeycloakRule):
    """Nodes look for each other in DNS, and the service has Service Connect, which isn't DNS.

    Service Connect makes no DNS records: it gives containers names for a proxy beside them, which picks one
    task for each connection. A node that asks for the others gets no address or the proxy's, so every task
    forms a cluster of its own, and nothing but the log says so (`(1) [node]`). What puts tasks into DNS is
    service discovery, `ServiceRegistries`; a service may have both.

    Bad:

        Service:
          Properties:
            ServiceRegistries: ~
            ServiceConnectConfiguration:
              Enabled: true
              Namespace: sso.internal
              Services: [{PortName: cluster, DiscoveryName: keycloak}]

    Good:

        Service:
          Properties:
            ServiceRegistries: [{RegistryArn: !GetAtt DiscoveryService.Arn}]
            ServiceConnectConfiguration:
              Enabled: true
              Namespace: sso.internal
              Services: [{PortName: http, DiscoveryName: sso}]
    """

    id = "E9043"
    shortdesc = "Nodes that ask DNS are in DNS, not in Service Connect alone"
    source_url = "https://docs.aws.amazon.com/AmazonECS/latest/developerguide/service-connect.html"

    def judge(self, keycloak: Keycloak) -> Iterator[Hit]:
        for service in cluster.unregistered(keycloak):
            place = cluster.service_connect(service)
            if place is not None:
                asked = cluster.asked_names(keycloak)[0]
                yield Hit.at(
                    place,
                    f"the second task never joins: nodes ask DNS for {asked}, and Service Connect makes no "
                    "DNS records",
                    "add ServiceRegistries with an AWS::ServiceDiscovery::Service of that name to "
                    f"{service.name}",
                )
