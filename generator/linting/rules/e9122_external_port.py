"""E9122: a port that nodes name and nobody listens at."""

from __future__ import annotations

from collections.abc import Iterator

from generator.linting.rule import Hit, KeycloakRule
from generator.linting.rules import _cluster as cluster
from generator.linting.view import Keycloak


class ExternalPort(KeycloakRule):
    """Nodes tell the others a port at which nobody listens.

    The external port goes with the external address: "reach me there". It is for networks that translate
    ports. A task with a network card of its own (awsvpc, which Fargate always has) isn't in one, so at
    another port than the one that it listens at nobody answers, and every task forms a cluster of its own.
    The failure detection (FD_SOCK2) listens 50000 above the external port then, where no security group lets
    it through.

    Bad:

        TaskDefinition:
          Properties:
            ContainerDefinitions:
              - Name: keycloak
                Environment:
                  - {Name: KC_CACHE_EMBEDDED_NETWORK_EXTERNAL_ADDRESS, Value: SITE_LOCAL}
                  - {Name: KC_CACHE_EMBEDDED_NETWORK_EXTERNAL_PORT, Value: "7900"}

    Good:

        TaskDefinition:
          Properties:
            ContainerDefinitions:
              - Name: keycloak
                Environment:
                  - {Name: KC_CACHE_EMBEDDED_NETWORK_BIND_ADDRESS, Value: SITE_LOCAL}
    """

    id = "E9122"
    shortdesc = "Nodes tell the others the port at which they listen"
    source_url = "https://www.keycloak.org/server/caching"

    def judge(self, keycloak: Keycloak) -> Iterator[Hit]:
        port = cluster.external(keycloak, cluster.EXTERNAL_PORT)
        # Without an external address JGroups doesn't look at the port (BaseServer.localAddress).
        if port is None or cluster.external(keycloak, cluster.EXTERNAL_ADDRESS) is None:
            return
        value, bound = (port.value or "").strip(), keycloak.bind_port
        if not value.isdigit() or bound is None or int(value) in (0, bound):
            return
        if cluster.forms_cluster(keycloak) and cluster.on_awsvpc(keycloak):
            yield Hit.at(
                port.place,
                f"the second task never joins: every task tells the others to come to port {value}, and "
                f"listens at {bound}",
                f"take {port.name} away, or write {bound}",
            )
