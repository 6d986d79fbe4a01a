"""W9032: the cluster's ports, open to others than the tasks."""

from __future__ import annotations

import itertools
from collections.abc import Iterator

from generator.document import Path
from generator.linting.rule import Hit, KeycloakRule
from generator.linting.view import Keycloak
from generator.linting.view.firewall import Permission


class ClusterPortOpen(KeycloakRule):
    """Others than the tasks themselves are let in at the cluster's ports.

    At port 7800 nodes hand each other logins, sessions and orders to forget cached data. Whoever reaches it
    can join the cluster, unless nodes encrypt their talk (`cache-embedded-mtls-enabled`, on by default from
    26.2); with encryption, it is still a port that has no business with anybody else. Only the tasks' own
    security group belongs there.

    The usual cause is a permission for all ports: for the load balancer, for the whole VPC.

    Bad (the whole network):

        TaskInCluster:
          Properties:
            SourceSecurityGroupId: ~
            CidrIp: 10.0.0.0/16

    Bad (every port for the balancer):

        TaskInHttp:
          Properties:
            FromPort: 0
            ToPort: 65535

    Good:

        TaskInCluster:
          Properties:
            GroupId: !GetAtt TaskSecurityGroup.GroupId
            SourceSecurityGroupId: !GetAtt TaskSecurityGroup.GroupId
            FromPort: 7800
            ToPort: 7800
    """

    id = "W9032"
    shortdesc = "Only the tasks reach the cluster's ports"
    source_url = "https://www.keycloak.org/server/caching"

    def judge(self, keycloak: Keycloak) -> Iterator[Hit]:
        if keycloak.clustered is not True:
            return
        view = keycloak.view
        nodes = [service.party for one in view.keycloaks for service in one.services]
        mine = {group for party in nodes for group in party.groups or ()}
        fronts = [one.party for one in view.balancers.load_balancers.values()]
        balancers = {group for party in fronts for group in party.groups or ()}
        ports = [port for port in (keycloak.bind_port, keycloak.failure_port) if port is not None]
        found: dict[Path, tuple[Permission, list[int]]] = {}
        for service, port in itertools.product(keycloak.services, ports):
            for one in view.firewall.lets_in_from(service.party, port):
                if not one.default and _of_others(one, mine):
                    found.setdefault(one.path, (one, []))[1].append(port)
        for one, reached in found.values():
            listed = " and ".join(dict.fromkeys(map(str, reached)))
            if one.peer_group in balancers:
                who = "the load balancer reaches"
            else:
                who = f"{_name(one)} reaches" if one.peer_group else f"every host in {_name(one)} reaches"
            wide = one.protocol == "-1" or one.ports is not None and one.ports[1] - one.ports[0] >= 1000
            yield Hit.at(
                one.place,
                f"{who} the cluster's port {listed}, where nodes hand each other sessions and take each "
                "other's word",
                "name the ports that are needed, 8080 and 9000 for a balancer, instead of all"
                if wide
                else f"let in the tasks' own group alone: SourceSecurityGroupId {one.group}",
            )


def _of_others(one: Permission, mine: set[str]) -> bool:
    if one.peer_group is not None:
        # A group of another stack may be the tasks' own.
        return one.peer_group not in mine and not one.peer_group.startswith("=")
    if one.network is not None:
        return not one.network.is_loopback
    return one.from_anywhere


def _name(one: Permission) -> str:
    return one.peer_group or (str(one.network) if one.network is not None else "::/0")
