"""W9038: a discovery name that nothing in the template fills."""

from __future__ import annotations

from collections.abc import Iterator

from generator.linting.rule import Hit, KeycloakRule
from generator.linting.rules import _cluster as cluster
from generator.linting.view import Keycloak
from generator.linting.view.discovery import NAMESPACES


class NobodyRegisters(KeycloakRule):
    """Nodes look for each other under a name that nothing here puts addresses under.

    ECS puts the addresses of tasks into DNS for services with `ServiceRegistries`, and the template has
    neither that nor a Cloud Map namespace for the name. Unless something outside of the template keeps the
    records, every task forms a cluster of its own, and nothing but the log says so (`(1) [node]`).

    Bad:

        DiscoveryNamespace: ~
        DiscoveryService: ~
        Service:
          Properties:
            ServiceRegistries: ~

    Good:

        Service:
          Properties:
            ServiceRegistries:
              - RegistryArn: arn:aws:servicediscovery:eu-central-1:123456789012:service/srv-0123456789abcdef
    """

    id = "W9038"
    shortdesc = "Something registers the tasks where nodes look for each other"
    source_url = "https://docs.aws.amazon.com/AmazonECS/latest/developerguide/service-discovery.html"

    def judge(self, keycloak: Keycloak) -> Iterator[Hit]:
        query = keycloak.dns_query
        if query is None or keycloak.view.document.of_type(*NAMESPACES, "AWS::ServiceDiscovery::Service"):
            return
        for service in cluster.unregistered(keycloak):
            if cluster.service_connect(service) is None:
                asked = cluster.asked_names(keycloak)[0]
                yield Hit.at(
                    query.place,
                    f"the second task never joins: nodes ask for {asked}, and {service.name} doesn't "
                    "register its tasks anywhere",
                    "add an AWS::ServiceDiscovery::PrivateDnsNamespace, an AWS::ServiceDiscovery::Service "
                    f"in it, and ServiceRegistries to {service.name}",
                )
