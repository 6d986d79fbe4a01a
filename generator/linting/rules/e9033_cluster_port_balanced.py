"""E9033: the cluster's ports behind a balancer."""

from __future__ import annotations

from collections.abc import Iterator

from generator.linting.rule import Hit, KeycloakRule
from generator.linting.view import Keycloak


class ClusterPortBalanced(KeycloakRule):
    """A target group sends requests to the port at which nodes talk to each other.

    Ports 7800 and 57800 speak JGroups' own protocol between one node and one other. A balancer's requests
    there get no answer (502), its health checks fail, and ECS replaces one task after the other; and where
    the balancer passes TCP through, others than the tasks reach the cluster. Nodes connect to each other
    directly; a balancer has nothing to do.

    Bad:

        Service:
          Properties:
            LoadBalancers:
              - {ContainerName: keycloak, ContainerPort: 7800, TargetGroupArn: !Ref TargetGroup}

    Good:

        Service:
          Properties:
            LoadBalancers:
              - {ContainerName: keycloak, ContainerPort: 8080, TargetGroupArn: !Ref TargetGroup}
    """

    id = "E9033"
    shortdesc = "No balancer sends anything to the cluster's ports"
    source_url = "https://www.keycloak.org/server/caching"

    def judge(self, keycloak: Keycloak) -> Iterator[Hit]:
        if keycloak.clustered is not True:
            return
        ports = {keycloak.bind_port, keycloak.failure_port} - {None, keycloak.http_port, keycloak.https_port}
        for target in keycloak.targets:
            if target.container_name == keycloak.name and target.container_port in ports:
                yield Hit.at(
                    target.place["ContainerPort"],
                    f"requests get no answer and health checks fail: at port {target.container_port} nodes "
                    "talk to each other",
                    f"write ContainerPort: {keycloak.http_port or 8080}",
                )
