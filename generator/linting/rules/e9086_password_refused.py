"""E9086: passwords that RDS doesn't take."""

from __future__ import annotations

from collections.abc import Iterator

from generator.linting.rule import Hit, KeycloakRule
from generator.linting.rules._ecs import written
from generator.linting.rules._generated import characters, length, wanted
from generator.linting.rules._secrets import dynamic
from generator.linting.view import Keycloak

_REFUSED = '/"@ '


class PasswordRefused(KeycloakRule):
    """The password that is made up for the database may be one that RDS refuses.

    RDS takes no `/`, `"`, `@` or space in a master password, and for PostgreSQL 8 to 128 characters. Secrets
    Manager uses all of them unless they are excluded: of passwords with 32 characters two in three hold one.
    The deployment then stops with "The parameter MasterUserPassword is not a valid password", and works at
    the next try, perhaps.

    Bad:

        DatabaseSecret:
          Properties:
            GenerateSecretString: {ExcludeCharacters: "$"}

    Bad (too long):

        DatabaseSecret:
          Properties:
            GenerateSecretString: {PasswordLength: 200}

    Good:

        DatabaseSecret:
          Properties:
            GenerateSecretString: {PasswordLength: 32, ExcludeCharacters: "$\\\\/\\"@ '`"}
    """

    id = "E9086"
    shortdesc = "RDS takes every password that may be made up"
    source_url = "https://docs.aws.amazon.com/AmazonRDS/latest/APIReference/API_CreateDBInstance.html"

    def judge(self, keycloak: Keycloak) -> Iterator[Hit]:
        database = keycloak.database
        secret = dynamic(database.properties["MasterUserPassword"]) if database else None
        if database is None or secret is None:
            return
        wish = wanted(keycloak.view, secret)
        found, long = characters(wish), length(wish)
        if not wish or found is None or long is None:
            return
        bad = [one for one in _REFUSED if one in found]
        if bad:
            chance = 100 - round(100 * (1 - len(bad) / len(found)) ** max(long, 1))
            yield Hit.at(
                written(wish["ExcludeCharacters"], wish),
                f"{chance} of 100 deployments fail (MasterUserPassword is not a valid password): it may hold "
                f"{' '.join('a blank' if one == ' ' else one for one in bad)}",
                "write ExcludeCharacters: \"$\\\\/\\\"@ '`\"",
            )
        elif database.postgresql and not 8 <= long <= 128:
            yield Hit.at(
                written(wish["PasswordLength"], wish),
                f"the deployment fails: a password of {long} characters, and RDS takes 8 to 128",
                "write PasswordLength: 32",
            )
