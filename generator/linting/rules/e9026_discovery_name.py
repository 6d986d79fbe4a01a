"""E9026: the name that nodes ask for, and the one that Cloud Map answers to."""

from __future__ import annotations

from collections.abc import Iterator

from generator.linting.rule import Hit, KeycloakRule
from generator.linting.view import Keycloak


class DiscoveryName(KeycloakRule):
    """Nodes look for each other under another name than the one that Cloud Map gives the tasks.

    With DNS discovery each node asks for the name in `jgroups.dns.query` and joins whoever answers. Cloud Map
    answers to the name of the service, a dot, and the name of the namespace that the ECS service registers
    with. Any other name has no addresses: every task forms a cluster of its own, and nothing but the log says
    so (`(1) [node]`).

    Bad:

        DiscoveryNamespace:
          Properties: {Name: sso.local}

    Bad (the namespace is missing):

        TaskDefinition:
          Properties:
            ContainerDefinitions:
              - Name: keycloak
                Environment:
                  - {Name: JAVA_OPTS_APPEND, Value: -Djgroups.dns.query=keycloak}

    Good:

        DiscoveryNamespace:
          Properties: {Name: sso.internal}
        DiscoveryService:
          Properties: {Name: keycloak}
        TaskDefinition:
          Properties:
            ContainerDefinitions:
              - Name: keycloak
                Environment:
                  - {Name: JAVA_OPTS_APPEND, Value: -Djgroups.dns.query=keycloak.sso.internal}
    """

    id = "E9026"
    shortdesc = "Nodes look each other up under the name that Cloud Map gives them"
    source_url = "https://docs.aws.amazon.com/AmazonECS/latest/developerguide/service-discovery.html"

    def judge(self, keycloak: Keycloak) -> Iterator[Hit]:
        query = keycloak.dns_query
        if query is None or not query.value or not keycloak.registrations:
            return
        names = [one.entry.full_name if one.entry else None for one in keycloak.registrations]
        if None in names or not all(service.registrations_known for service in keycloak.services):
            return
        known = dict.fromkeys(name for name in names if name)
        # JGroups takes a list of names, each with or without the root's dot.
        asked = [one.strip().rstrip(".").lower() for one in query.value.split(",")]
        if not any(name in known for name in asked):
            right = next(iter(known))
            yield Hit.at(
                query.place,
                f"the second task never joins: nodes look for each other at {query.value}, but Cloud Map "
                f"answers with them at {right} only",
                f"write -Djgroups.dns.query={right}",
            )
