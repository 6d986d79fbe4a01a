"""E9067: the database's subnets."""

from __future__ import annotations

from collections.abc import Iterator

from generator.linting.rule import Hit, KeycloakRule
from generator.linting.rules._zones import in_one_zone
from generator.linting.view import Keycloak


class DatabaseZones(KeycloakRule):
    """The subnets of the database's subnet group are in one zone.

    RDS takes a subnet group with subnets in at least two availability zones only, whatever MultiAZ says. The
    deployment stops with "The DB subnet group doesn't meet Availability Zone (AZ) coverage requirement" and
    rolls back.

    Bad:

        DatabaseSubnetGroup:
          Properties:
            SubnetIds: [!Ref PrivateSubnetA]

    Bad (two subnets in one zone):

        PrivateSubnetB:
          Properties: {AvailabilityZone: !Select [0, !GetAZs ""]}

    Good:

        DatabaseSubnetGroup:
          Properties:
            SubnetIds: [!Ref PrivateSubnetA, !Ref PrivateSubnetB]
        PrivateSubnetB:
          Properties: {AvailabilityZone: !Select [1, !GetAZs ""]}
    """

    id = "E9067"
    shortdesc = "The database's subnets are in at least two zones"
    source_url = (
        "https://docs.aws.amazon.com/AmazonRDS/latest/UserGuide/USER_VPC.WorkingWithRDSInstanceinaVPC.html"
    )

    def judge(self, keycloak: Keycloak) -> Iterator[Hit]:
        database = keycloak.database
        group = database.subnet_group if database else None
        if group is None:
            return
        place = keycloak.view.resolver.properties(group)["SubnetIds"]
        if in_one_zone(place):
            yield Hit.at(
                place,
                f"the deployment rolls back: RDS refuses {group.logical_id}, as all its subnets are in one "
                "zone",
                "add a subnet in another zone",
            )
