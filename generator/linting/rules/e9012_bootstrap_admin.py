"""E9012: variables for the first administrator that the version doesn't know yet."""

from __future__ import annotations

from collections.abc import Iterator

from generator.keycloak import facts
from generator.linting.rule import Hit, KeycloakRule
from generator.linting.view import Keycloak


class BootstrapAdminTooNew(KeycloakRule):
    """The first administrator is named by variables that the version doesn't know yet.

    `KC_BOOTSTRAP_ADMIN_USERNAME` and `_PASSWORD` came with Keycloak 26. Before, they are ignored without a
    word: the server starts on its empty database without any administrator, and nobody can log in to the
    admin console. Up to 25 the names are `KEYCLOAK_ADMIN` and `KEYCLOAK_ADMIN_PASSWORD`.

    Bad:

        TaskDefinition:
          Properties:
            ContainerDefinitions:
              - Name: keycloak
                Image: 123456789012.dkr.ecr.eu-central-1.amazonaws.com/keycloak:25.0.6
                Environment:
                  - {Name: KC_BOOTSTRAP_ADMIN_USERNAME, Value: temp-admin}

    Good:

        TaskDefinition:
          Properties:
            ContainerDefinitions:
              - Name: keycloak
                Image: 123456789012.dkr.ecr.eu-central-1.amazonaws.com/keycloak:25.0.6
                Environment:
                  - {Name: KC_BOOTSTRAP_ADMIN_USERNAME, Value: ~}
                  - {Name: KEYCLOAK_ADMIN, Value: temp-admin}
                Secrets:
                  - {Name: KC_BOOTSTRAP_ADMIN_PASSWORD, ValueFrom: ~}
                  - {Name: KEYCLOAK_ADMIN_PASSWORD, ValueFrom: !Sub "${AdminSecret}:password::"}
    """

    id = "E9012"
    shortdesc = "The first administrator is named by variables that the version knows"
    source_url = "https://www.keycloak.org/docs/latest/upgrading/#admin-bootstrapping-and-recovery"
    before = (26, 0)

    def judge(self, keycloak: Keycloak) -> Iterator[Hit]:
        variables = keycloak.settled(facts.bootstrap_admin_variables)
        if variables is None:
            return
        username, password = variables
        names = {"username": username, "password": password, "client-id": "", "client-secret": ""}
        for key, name in names.items():
            one = keycloak.options.get(f"bootstrap-admin-{key}")
            if one is None or keycloak.options.variable(name or username) is not None:
                continue
            effect = (
                f"the server doesn't start: Keycloak {keycloak.release} has no option {one.name}"
                if one.argument
                else (
                    f"nobody can log in to a new installation: Keycloak {keycloak.release} ignores {one.name}"
                    " and makes no administrator"
                )
            )
            yield Hit.at(
                one.name_place,
                effect,
                f"call the variable {name}" if name else f"set {username} and {password}",
            )
