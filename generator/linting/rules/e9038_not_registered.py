"""E9038: tasks that aren't put into the DNS that nodes ask."""

from __future__ import annotations

from collections.abc import Iterator

from generator.linting.rule import Hit, KeycloakRule
from generator.linting.rules import _cluster as cluster
from generator.linting.view import Keycloak
from generator.linting.view.discovery import NAMESPACES


class NotRegistered(KeycloakRule):
    """Nodes look for each other in a Cloud Map namespace, and the service doesn't register its tasks there.

    A Cloud Map service is an empty list until somebody fills it. ECS does that for the services that name it
    in `ServiceRegistries`; for others the name has no addresses, so every task forms a cluster of its own,
    and nothing but the log says so (`(1) [node]`).

    Bad:

        Service:
          Properties:
            ServiceRegistries: ~

    Good:

        Service:
          Properties:
            ServiceRegistries: [{RegistryArn: !GetAtt DiscoveryService.Arn}]
    """

    id = "E9038"
    shortdesc = "The service registers its tasks where nodes look for each other"
    source_url = "https://docs.aws.amazon.com/AmazonECS/latest/developerguide/service-discovery.html"

    def judge(self, keycloak: Keycloak) -> Iterator[Hit]:
        for service in cluster.unregistered(keycloak):
            name, asked = _entry_asked(keycloak), cluster.asked_names(keycloak)[0]
            if name and cluster.service_connect(service) is None:
                yield Hit.at(
                    service.properties,
                    f"the second task never joins: nodes ask for {asked}, and {service.name} doesn't "
                    "register its tasks in Cloud Map",
                    f"add ServiceRegistries: [{{RegistryArn: !GetAtt {name}.Arn}}]",
                )


def _entry_asked(keycloak: Keycloak) -> str:
    """The template's Cloud Map service that nodes ask for, else one to be made in the namespace that they
    ask; empty where they ask elsewhere."""
    view = keycloak.view
    names = cluster.asked_names(keycloak)
    for entry in view.discovery.entries.values():
        if entry.full_name in names:
            return entry.resource.logical_id
    for namespace in view.resolver.resources(*NAMESPACES):
        domain = view.resolver.properties(namespace)["Name"].text
        if domain and any(name.endswith(f".{domain.rstrip('.').lower()}") for name in names):
            return "<Cloud Map service>"
    return ""
