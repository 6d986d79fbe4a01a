"""E9031: the cluster's port between the tasks."""

from __future__ import annotations

from collections.abc import Iterator

from generator.linting.rule import Hit, KeycloakRule
from generator.linting.view import Keycloak


class PortsBetweenTasks(KeycloakRule):
    """The tasks' security group doesn't let them talk to each other at the cluster's port.

    Keycloak's nodes hold one cache between them, over TCP at port 7800 of each node. Where the group lets
    that port neither in from itself nor out to itself, every task forms a cluster of its own: the log says
    `(1) [node]` for each. Nothing stops and no health check fails. Users see it: a login that the balancer
    takes to another node starts again, a logged-out session lives on, brute force detection counts for each
    node alone.

    Security groups let out everything unless they have an egress rule, so usually it is the ingress that is
    missing.

    Bad:

        TaskInCluster: ~ # there is no such permission

    Bad (another port):

        TaskInCluster:
          Type: AWS::EC2::SecurityGroupIngress
          Properties:
            GroupId: !GetAtt TaskSecurityGroup.GroupId
            SourceSecurityGroupId: !GetAtt TaskSecurityGroup.GroupId
            IpProtocol: tcp
            FromPort: 7600
            ToPort: 7600

    Good:

        TaskInCluster:
          Type: AWS::EC2::SecurityGroupIngress
          Properties:
            GroupId: !GetAtt TaskSecurityGroup.GroupId
            SourceSecurityGroupId: !GetAtt TaskSecurityGroup.GroupId
            IpProtocol: tcp
            FromPort: 7800
            ToPort: 7800
    """

    id = "E9031"
    shortdesc = "Tasks reach each other at the cluster's port"
    source_url = "https://www.keycloak.org/server/caching"

    def judge(self, keycloak: Keycloak) -> Iterator[Hit]:
        port = keycloak.bind_port
        if keycloak.clustered is not True or port is None or keycloak.stack == "udp":
            return
        firewall = keycloak.view.firewall
        for service in keycloak.services:
            if service.most_tasks in (0, 1):
                continue
            tasks = service.party
            for answer, side, way in (
                (firewall.lets_in(tasks, tasks, port), "in from", "Ingress"),
                (firewall.lets_out(tasks, tasks, port), "out to", "Egress"),
            ):
                if answer is not False:
                    continue
                group = (tasks.groups or ("",))[0]
                other = "SourceSecurityGroupId" if way == "Ingress" else "DestinationSecurityGroupId"
                yield Hit.at(
                    service.groups_place,
                    f"the second task never joins: {' and '.join(tasks.groups or ())} lets nothing {side} "
                    f"itself at port {port}, so every task of {service.name} is a cluster of its own",
                    f"add an AWS::EC2::SecurityGroup{way} with GroupId and {other} {group}, IpProtocol tcp, "
                    f"FromPort {port}, ToPort {port}",
                )
