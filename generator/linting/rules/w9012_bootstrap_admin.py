"""W9012: the old variables for the first administrator."""

from __future__ import annotations

from collections.abc import Iterator

from generator.linting.rule import Hit, KeycloakRule
from generator.linting.view import Keycloak

_HEIRS = {
    "KEYCLOAK_ADMIN": "KC_BOOTSTRAP_ADMIN_USERNAME",
    "KEYCLOAK_ADMIN_PASSWORD": "KC_BOOTSTRAP_ADMIN_PASSWORD",
}


class BootstrapAdminOld(KeycloakRule):
    """The first administrator is named by variables that are deprecated.

    From 26 on the names are `KC_BOOTSTRAP_ADMIN_USERNAME` and `KC_BOOTSTRAP_ADMIN_PASSWORD`. The old ones
    still make the administrator, with a warning at that one start (`Environment variable 'KEYCLOAK_ADMIN' is
    deprecated`), later ones say nothing; and they will be gone one day: then a new installation has no
    administrator, without a word.

    Bad:

        TaskDefinition:
          Properties:
            ContainerDefinitions:
              - Name: keycloak
                Environment:
                  - {Name: KEYCLOAK_ADMIN, Value: temp-admin}

    Good:

        TaskDefinition:
          Properties:
            ContainerDefinitions:
              - Name: keycloak
                Environment:
                  - {Name: KC_BOOTSTRAP_ADMIN_USERNAME, Value: temp-admin}
    """

    id = "W9012"
    shortdesc = "The first administrator is named by KC_BOOTSTRAP_ADMIN_USERNAME and _PASSWORD"
    source_url = "https://www.keycloak.org/docs/latest/upgrading/#admin-bootstrapping-and-recovery"
    since = (26, 0)

    def judge(self, keycloak: Keycloak) -> Iterator[Hit]:
        # Bitnami's image takes these names for its own and hands them on by the right ones.
        if "bitnami" in keycloak.image.repository:
            return
        for name, heir in _HEIRS.items():
            one = keycloak.options.variable(name)
            if one is not None:
                yield Hit.at(
                    one.name_place,
                    f"{name} is deprecated: the version that no longer knows it makes no administrator",
                    f"call the variable {heir}",
                )
