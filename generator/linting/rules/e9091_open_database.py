"""E9091: a database that everybody may connect to."""

from __future__ import annotations

from collections.abc import Iterator

from generator.linting.rule import Hit, KeycloakRule
from generator.linting.view import Keycloak


class OpenDatabase(KeycloakRule):
    """The database's security group lets the whole world in.

    Whoever can send a packet to the database may try passwords: everything in the VPC and in networks that
    are connected to it, and the internet as soon as the database gets a public address. Only Keycloak's tasks
    need to get in, and with `SourceSecurityGroupId` the rule says just that.

    Bad:

        DatabaseIn:
          Properties:
            SourceSecurityGroupId: ~
            CidrIp: 0.0.0.0/0

    Bad (in the group itself, for every port):

        DatabaseSecurityGroup:
          Properties:
            SecurityGroupIngress:
              - {IpProtocol: "-1", CidrIp: 0.0.0.0/0}

    Good:

        DatabaseIn:
          Properties:
            SourceSecurityGroupId: !GetAtt TaskSecurityGroup.GroupId
    """

    id = "E9091"
    shortdesc = "Only Keycloak's tasks get to the database"
    source_url = "https://docs.aws.amazon.com/AmazonRDS/latest/UserGuide/Overview.RDSSecurityGroups.html"

    def judge(self, keycloak: Keycloak) -> Iterator[Hit]:
        database = keycloak.database
        port = database.port if database else None
        if database is None or port is None:
            return
        for one in keycloak.view.firewall.lets_in_from(database.party, port):
            if one.from_anywhere:
                yield Hit(
                    one.path,
                    f"everybody who reaches the network may try passwords: {one.group} lets anybody in to "
                    f"{database.name}",
                    "write SourceSecurityGroupId with the tasks' security group instead of the CIDR",
                )
