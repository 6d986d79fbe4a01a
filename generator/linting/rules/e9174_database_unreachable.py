"""E9174: the way from the tasks to the database."""

from __future__ import annotations

from collections.abc import Iterator

from generator.linting.rule import Hit, KeycloakRule
from generator.linting.view import Keycloak


class DatabaseUnreachable(KeycloakRule):
    """The security groups don't let Keycloak's tasks talk to the database.

    The database's group has to let them in at its port, and the tasks' group, if it has egress rules at all,
    has to let them out; the same holds for an RDS Proxy that stands before it. Otherwise no task starts: Keycloak waits for "Connect timed out", and the deployment
    fails minutes later.

    Bad:

        DatabaseIn: ~

    Bad (another port):

        DatabaseIn:
          Properties: {FromPort: 3306, ToPort: 3306}

    Good:

        DatabaseIn:
          Properties:
            SourceSecurityGroupId: !GetAtt TaskSecurityGroup.GroupId
            FromPort: 5432
            ToPort: 5432
    """

    id = "E9174"
    shortdesc = "Tasks reach the database"
    source_url = "https://docs.aws.amazon.com/AmazonRDS/latest/UserGuide/Overview.RDSSecurityGroups.html"

    def judge(self, keycloak: Keycloak) -> Iterator[Hit]:
        database, firewall = keycloak.database, keycloak.view.firewall
        port = database.port if database else None
        if database is None or port is None:
            return
        for service in keycloak.services:
            if firewall.lets_in(service.party, database.party, port) is False:
                groups = " and ".join(database.party.groups or ())
                yield Hit.at(
                    database.groups_place,
                    f"no task starts (Connect timed out): {groups} doesn't let the tasks in to "
                    f"{database.name} at port {port}",
                    f"add an AWS::EC2::SecurityGroupIngress: GroupId {groups}, SourceSecurityGroupId "
                    f"{(service.party.groups or ('the tasks',))[0]}, FromPort and ToPort {port}",
                )
            if firewall.lets_out(service.party, database.party, port) is False:
                groups = " and ".join(service.party.groups or ())
                yield Hit.at(
                    service.groups_place,
                    f"no task starts (Connect timed out): {groups} doesn't let the tasks out to "
                    f"{database.name} at port {port}",
                    f"add an AWS::EC2::SecurityGroupEgress: GroupId {groups}, DestinationSecurityGroupId "
                    f"{(database.party.groups or ('the database',))[0]}, FromPort and ToPort {port}",
                )
