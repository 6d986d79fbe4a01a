"""W9091: a database that a whole network may connect to."""

from __future__ import annotations

import ipaddress
from collections.abc import Iterator

from generator.linting.rule import Hit, KeycloakRule
from generator.linting.view import Keycloak


class WideDatabase(KeycloakRule):
    """The database's security group lets a whole VPC in, or the load balancer.

    Then every other thing in that network may try passwords too, and so may whoever gets into one of them.
    With `SourceSecurityGroupId` the rule lets Keycloak's tasks in and nobody else. The load balancer never
    speaks to the database.

    Bad (the VPC):

        DatabaseIn:
          Properties:
            SourceSecurityGroupId: ~
            CidrIp: 10.0.0.0/16

    Bad (the load balancer):

        DatabaseFromBalancer:
          Type: AWS::EC2::SecurityGroupIngress
          Properties:
            GroupId: !GetAtt DatabaseSecurityGroup.GroupId
            SourceSecurityGroupId: !GetAtt LoadBalancerSecurityGroup.GroupId
            IpProtocol: tcp
            FromPort: 5432
            ToPort: 5432

    Good:

        DatabaseIn:
          Properties:
            SourceSecurityGroupId: !GetAtt TaskSecurityGroup.GroupId
    """

    id = "W9091"
    shortdesc = "The database lets in security groups, not networks"
    source_url = "https://docs.aws.amazon.com/AmazonRDS/latest/UserGuide/Overview.RDSSecurityGroups.html"

    def judge(self, keycloak: Keycloak) -> Iterator[Hit]:
        database, view = keycloak.database, keycloak.view
        port = database.port if database else None
        if database is None or port is None:
            return
        tasks = {name for service in keycloak.services for name in service.party.groups or ()}
        balancers = {name for one in keycloak.load_balancers for name in one.party.groups or ()} - tasks
        resolver = view.resolver
        networks = [resolver.properties(one)["CidrBlock"].text for one in resolver.resources("AWS::EC2::VPC")]
        for one in view.firewall.lets_in_from(database.party, port):
            if one.peer_group in balancers:
                who = f"the load balancer ({one.peer_group})"
            elif one.network is None or one.from_anywhere or not any(_holds(one.network, vpc) for vpc in networks):
                continue
            else:
                who = f"the whole network {one.network}"
            yield Hit(
                one.path,
                f"whoever gets into anything there may try the database's passwords: {one.group} lets in "
                f"{who}",
                "write SourceSecurityGroupId with the tasks' security group",
            )


def _holds(network: ipaddress.IPv4Network, vpc: str | None) -> bool:
    """Whether a network has all of a VPC in it."""
    try:
        return ipaddress.IPv4Network(vpc or "", strict=False).subnet_of(network)
    except ValueError:
        return False
