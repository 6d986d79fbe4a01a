"""W9033: the cluster's ports, said to speak HTTP."""

from __future__ import annotations

from collections.abc import Iterator

from generator.linting.rule import Hit, KeycloakRule
from generator.linting.view import Keycloak


class ClusterPortProtocol(KeycloakRule):
    """A port mapping says that nodes speak HTTP to each other.

    `AppProtocol` tells Service Connect what a port speaks. At ports 7800 and 57800 it is JGroups' own
    protocol on TCP, which is what ECS assumes where nothing is written. As long as no service uses Service
    Connect it has no effect; with it, the proxy takes the nodes' talk for broken HTTP. ECS doesn't let it be
    changed afterwards in a service that uses it.

    Bad:

        TaskDefinition:
          Properties:
            ContainerDefinitions:
              - Name: keycloak
                PortMappings:
                  - {Name: cluster, ContainerPort: 7800, AppProtocol: http}

    Good:

        TaskDefinition:
          Properties:
            ContainerDefinitions:
              - Name: keycloak
                PortMappings:
                  - {Name: http, ContainerPort: 8080, AppProtocol: http}
                  - {Name: cluster, ContainerPort: 7800}
    """

    id = "W9033"
    shortdesc = "The cluster's ports aren't said to speak HTTP"
    source_url = "https://docs.aws.amazon.com/AmazonECS/latest/APIReference/API_PortMapping.html"

    def judge(self, keycloak: Keycloak) -> Iterator[Hit]:
        if keycloak.clustered is not True:
            return
        for port in (keycloak.bind_port, keycloak.failure_port):
            mapping = keycloak.ports.get(str(port))
            protocol = mapping["AppProtocol"].text if mapping is not None else None
            if mapping is not None and protocol:
                yield Hit.at(
                    mapping["AppProtocol"],
                    f"a Service Connect proxy would break the nodes' talk: port {port} doesn't speak "
                    f"{protocol}",
                    "take AppProtocol away from this port mapping",
                )
