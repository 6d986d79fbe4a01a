"""E9090: a database in the internet."""

from __future__ import annotations

from collections.abc import Iterator

from generator.linting.rule import Hit, KeycloakRule
from generator.linting.view import Keycloak
from generator.linting.view.databases import CLUSTER


class PublicDatabase(KeycloakRule):
    """The database has an address in the internet.

    PubliclyAccessible gives it one. What stands between everybody's password guesses and all users, their
    password hashes and the realms' keys is then a security group that one careless rule opens. Tasks in the
    VPC never need it; people come through a bastion, a VPN or Systems Manager.

    Bad:

        Database:
          Properties: {PubliclyAccessible: true}

    Good:

        Database:
          Properties: {PubliclyAccessible: false}
    """

    id = "E9090"
    shortdesc = "The database has no address in the internet"
    source_url = (
        "https://docs.aws.amazon.com/AmazonRDS/latest/UserGuide/USER_VPC.WorkingWithRDSInstanceinaVPC.html"
    )

    def judge(self, keycloak: Keycloak) -> Iterator[Hit]:
        database = keycloak.database
        if database is None:
            return
        resolver = keycloak.view.resolver
        found = [database.properties["PubliclyAccessible"]] if database.resource.type == CLUSTER else []
        found += [resolver.properties(one)["PubliclyAccessible"] for one in database.members]
        for place in found:
            if place.flag is True:
                yield Hit.at(
                    place,
                    f"all users and keys are one security group rule away from the internet: {place.path[1]} "
                    "has a public "
                    "address",
                    "write PubliclyAccessible: false",
                )
