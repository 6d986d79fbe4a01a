"""W9086: passwords that Keycloak reads differently."""

from __future__ import annotations

from collections.abc import Iterator

from generator.linting.rule import Hit, KeycloakRule
from generator.linting.rules._ecs import written
from generator.linting.rules._generated import characters, wanted
from generator.linting.rules._secrets import SECRET, address
from generator.linting.view import Keycloak


class Dollar(KeycloakRule):
    """The password that is made up may hold a `$`, in which Keycloak sees an expression.

    Keycloak works `${name}` out in its options and takes `$$` for `$` and `\\$` for `$`. A password that
    holds one of these by chance, about one in a hundred with 32 characters, is another one for Keycloak than
    for the database: "password authentication failed" (measured on 24 to 26.7). A single `$` is none. Nobody
    finds that out by looking.

    From 26.6 on `KCRAW_DB_PASSWORD` instead of `KC_DB_PASSWORD` takes the value as it is.

    Bad:

        DatabaseSecret:
          Properties:
            GenerateSecretString: {ExcludeCharacters: "/\\"@ "}

    Good:

        DatabaseSecret:
          Properties:
            GenerateSecretString: {ExcludeCharacters: "$\\\\/\\"@ '`"}
    """

    id = "W9086"
    shortdesc = "Passwords that are made up hold no dollar sign"
    source_url = "https://www.keycloak.org/server/configuration"

    def judge(self, keycloak: Keycloak) -> Iterator[Hit]:
        said = set()
        for setting in keycloak.options.settings:
            if not setting.secret or not setting.key or not setting.name.startswith("KC_"):
                continue
            named = address(setting.place)
            if named is None or named.resource is None or named.resource.type != SECRET:
                continue
            wish = wanted(keycloak.view, named.resource)
            made = wish["GenerateStringKey"].text or ""
            found = characters(wish) if wish else None
            if found is None or "$" not in found or named.key != made or named.resource.logical_id in said:
                continue
            said.add(named.resource.logical_id)
            yield Hit.at(
                written(wish["ExcludeCharacters"], wish),
                f"now and then a stack is made in which {setting.name} is wrong: Keycloak reads $$, "
                f"${{ and \\$ of a "
                "password as something else",
                "add $ to ExcludeCharacters",
            )
