"""W9149: tasks that let everybody in."""

from __future__ import annotations

from collections.abc import Iterator

from generator.linting.rule import Hit, KeycloakRule
from generator.linting.rules._around import open_ports
from generator.linting.view import Keycloak


class TasksOpen(KeycloakRule):
    """The tasks' security group lets everybody in at Keycloak's ports, not only the balancer.

    The tasks have no public addresses, so this concerns whoever is in the network already: any host of the
    VPC, of one that is peered or connected by VPN, any other container. They reach the admin console past the
    listener's rules, and Keycloak believes the `X-Forwarded-For` that they write.

    Bad:

        TaskInHttp:
          Properties:
            SourceSecurityGroupId: ~
            CidrIp: 0.0.0.0/0

    Good:

        TaskInHttp:
          Properties:
            SourceSecurityGroupId: !GetAtt LoadBalancerSecurityGroup.GroupId
    """

    id = "W9149"
    shortdesc = "The tasks let nobody in but the balancer"
    source_url = "https://www.keycloak.org/server/reverseproxy"

    def judge(self, keycloak: Keycloak) -> Iterator[Hit]:
        for service, permission, ports in open_ports(keycloak):
            if service.properties["NetworkConfiguration"]["AwsvpcConfiguration"]["AssignPublicIp"].text == "ENABLED":
                continue
            yield Hit(
                permission.path,
                "any host of the network reaches the admin console past the balancer, with whatever address it writes "
                f"into X-Forwarded-For: {permission.group} lets everybody in at {ports}",
                "write SourceSecurityGroupId with the balancer's group instead of the network",
            )
