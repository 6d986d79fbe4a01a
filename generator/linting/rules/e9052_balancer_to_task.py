"""E9052: what the balancer needs to reach of a task."""

from __future__ import annotations

from collections.abc import Iterator

from generator.linting.rule import Hit, KeycloakRule
from generator.linting.view import Keycloak


class BalancerToTask(KeycloakRule):
    """The security groups don't let the balancer reach a task at the port of the requests or of the health check.

    The balancer talks to two ports: Keycloak's main port, 8080, and, from 25 on, the management port, 9000,
    for the health check. The tasks' group has to let both in from the balancer's group, and the balancer's
    group has to let both out if it has egress rules at all. Where the first is closed every request ends in
    504; where the second is closed no target ever gets healthy, and ECS replaces tasks for ever.

    Bad (the health check's port is closed):

        TaskInHealth: ~

    Bad (the requests' port is closed):

        TaskInHttp:
          Properties:
            FromPort: 80
            ToPort: 80

    Bad (the balancer may talk to the main port only):

        LoadBalancerSecurityGroup:
          Properties:
            SecurityGroupEgress:
              - {IpProtocol: tcp, FromPort: 8080, ToPort: 8080, CidrIp: 0.0.0.0/0}

    Good:

        TaskInHealth:
          Type: AWS::EC2::SecurityGroupIngress
          Properties:
            GroupId: !GetAtt TaskSecurityGroup.GroupId
            SourceSecurityGroupId: !GetAtt LoadBalancerSecurityGroup.GroupId
            IpProtocol: tcp
            FromPort: 9000
            ToPort: 9000
    """

    id = "E9052"
    shortdesc = "The balancer reaches a task at the ports of requests and health checks"
    source_url = "https://docs.aws.amazon.com/elasticloadbalancing/latest/application/target-group-health-checks.html"

    def judge(self, keycloak: Keycloak) -> Iterator[Hit]:
        firewall = keycloak.view.firewall
        said = set()
        mine_are = (keycloak.name, None, "", *(one["Name"].text for one in keycloak.fronts))
        for service in keycloak.services:
            for target in service.targets:
                group = target.group
                if group is None or target.container_name not in mine_are:
                    continue
                ports = {"every request ends in 504": target.container_port}
                if group.health_port(target.container_port) != target.container_port:
                    ports["no target ever gets healthy and tasks are replaced for ever"] = group.health_port(None)
                fronts = {
                    one.balancer.name: one.balancer
                    for one in keycloak.view.balancers.forwarding_to((group.name,))
                    if one.balancer is not None and one.balancer.application is True
                }
                for balancer in fronts.values():
                    for what, port in ports.items():
                        if port is None:
                            continue
                        here, there = balancer.party, service.party
                        ways = []
                        if firewall.lets_in(here, there, port) is False:
                            ways.append((service.groups_place, there, "in from", here, "Ingress", "Source"))
                        if firewall.lets_out(here, there, port) is False:
                            place = balancer.properties["SecurityGroups"]
                            ways.append((place, here, "out to", there, "Egress", "Destination"))
                        for place, party, side, peer, way, end in ways:
                            mine = (party.groups or ("",))[0]
                            other = (peer.groups or ("",))[0]
                            if (mine, other, port, way) in said:
                                continue
                            said.add((mine, other, port, way))
                            yield Hit.at(
                                place,
                                f"{what}: {' and '.join(party.groups or ())} lets nothing {side} "
                                f"{' and '.join(peer.groups or ())} at port {port}",
                                f"add an AWS::EC2::SecurityGroup{way} with GroupId {mine}, {end}SecurityGroupId "
                                f"{other}, IpProtocol tcp, FromPort {port}, ToPort {port}",
                            )
