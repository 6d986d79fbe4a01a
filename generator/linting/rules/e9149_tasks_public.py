"""E9149: a way around the balancer."""

from __future__ import annotations

from collections.abc import Iterator

from generator.linting.rule import Hit, KeycloakRule
from generator.linting.rules._around import open_ports
from generator.linting.view import Keycloak


class TasksPublic(KeycloakRule):
    """The internet reaches Keycloak's tasks past the balancer.

    The tasks have public addresses, and their security group lets everybody in. Whoever finds the address
    needs none of the listener's rules: the admin console is open, at the management port the metrics are, and
    `X-Forwarded-For` and a client certificate's header are whatever the caller writes, without TLS.

    Bad:

        TaskInHttp:
          Properties:
            SourceSecurityGroupId: ~
            CidrIp: 0.0.0.0/0
        Service:
          Properties:
            NetworkConfiguration:
              AwsvpcConfiguration:
                AssignPublicIp: ENABLED
                Subnets: [!Ref PublicSubnetA, !Ref PublicSubnetB]

    Good:

        TaskInHttp:
          Properties:
            SourceSecurityGroupId: !GetAtt LoadBalancerSecurityGroup.GroupId
        Service:
          Properties:
            NetworkConfiguration:
              AwsvpcConfiguration:
                AssignPublicIp: ENABLED
                Subnets: [!Ref PublicSubnetA, !Ref PublicSubnetB]
    """

    id = "E9149"
    shortdesc = "Only the balancer reaches the tasks' ports"
    source_url = "https://www.keycloak.org/server/reverseproxy"

    def judge(self, keycloak: Keycloak) -> Iterator[Hit]:
        for service, permission, ports in open_ports(keycloak):
            if service.properties["NetworkConfiguration"]["AwsvpcConfiguration"]["AssignPublicIp"].text != "ENABLED":
                continue
            yield Hit(
                permission.path,
                f"everybody in the internet reaches the admin console past the balancer: tasks of {service.name} "
                f"have public addresses, and {permission.group} lets everybody in at {ports}",
                "write SourceSecurityGroupId with the balancer's group instead of the network",
            )
