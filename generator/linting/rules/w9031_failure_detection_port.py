"""W9031: the port at which nodes notice that one of them is gone."""

from __future__ import annotations

from collections.abc import Iterator

from generator.linting.rule import Hit, KeycloakRule
from generator.linting.rules import _cluster as cluster
from generator.linting.view import Keycloak

_SWITCH = "spi-cache-embedded-default-fd-sock-enabled"


class FailureDetectionPort(KeycloakRule):
    """The tasks' security group doesn't let them talk to each other at the failure detection's port.

    Beside port 7800 each node listens at one 50000 higher, 57800 (FD_SOCK2), and its neighbour keeps a
    connection to it open: when that breaks, the node is gone. Without it the cluster forms as if nothing were
    wrong, but a node that is lost is noticed after 45 seconds instead of one or two (measured on 26.7.4).
    Until then the others wait for it, and so does every login.

    Bad:

        TaskInFailureDetection: ~ # there is no such permission

    Good:

        TaskInFailureDetection:
          Type: AWS::EC2::SecurityGroupIngress
          Properties:
            GroupId: !GetAtt TaskSecurityGroup.GroupId
            SourceSecurityGroupId: !GetAtt TaskSecurityGroup.GroupId
            IpProtocol: tcp
            FromPort: 57800
            ToPort: 57800
    """

    id = "W9031"
    shortdesc = "Tasks reach each other at the failure detection's port"
    source_url = "https://www.keycloak.org/server/caching"

    def judge(self, keycloak: Keycloak) -> Iterator[Hit]:
        port, cluster_port = keycloak.failure_port, keycloak.bind_port
        if keycloak.clustered is not True or port is None or cluster_port is None or keycloak.stack == "udp":
            return
        if _may_be_off(keycloak):
            return
        firewall = keycloak.view.firewall
        for service in keycloak.services:
            tasks = service.party
            # Where not even the cluster's own port is open, E9031 speaks.
            if service.most_tasks in (0, 1) or firewall.may_reach(tasks, tasks, cluster_port) is False:
                continue
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
                    f"a lost node is noticed after 45 s instead of 2 s, and logins hang until then: "
                    f"{' and '.join(tasks.groups or ())} lets nothing {side} itself at port {port}",
                    f"add an AWS::EC2::SecurityGroup{way} with GroupId and {other} {group}, IpProtocol tcp, "
                    f"FromPort {port}, ToPort {port}",
                )


def _may_be_off(keycloak: Keycloak) -> bool:
    """Whether nobody may listen at the port: database discovery has a switch for it from 26.6 on (in the
    classes of 26.6.4 and 26.7.4, not in those of 26.5.5), of which W9126 speaks."""
    setting = cluster.spi_setting(keycloak, _SWITCH)
    if setting is None or setting.flag is True or keycloak.at_least(26, 6) is False:
        return False
    return cluster.stack(keycloak) in (None, *cluster.DATABASE_STACKS)
