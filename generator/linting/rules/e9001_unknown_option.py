"""E9001: options that the version doesn't have."""

from __future__ import annotations

import re
from collections.abc import Iterator

from generator.keycloak import catalog
from generator.keycloak.catalog import Catalog
from generator.linting.rule import Hit, KeycloakRule
from generator.linting.view import Keycloak, Setting

# What kc.sh and the containers read themselves, and options that no class lists.
_NOT_IN_CATALOGS = (
    "config-file",
    "config-keystore",
    "config-keystore-password",
    "config-keystore-type",
    "home-dir",
    "conf-dir",
    "run-in-container",
    "profile",
    "verbose",
    "optimized",
    "import-realm",
)
# Options of other versions about which another rule says more.
_OTHER_RULES = re.compile(r"proxy|hostname-.*|bootstrap-admin-.*|cache-embedded-network-.*|.*-<datasource>")


class UnknownOption(KeycloakRule):
    """A KC_ variable or an option of the command that this Keycloak version doesn't have.

    Keycloak ignores a variable that it doesn't know, without a word in the log, so what it was meant to set
    keeps its default. An unknown option of the command stops the start: `Unknown option: '--...'`.

    The names come from the distribution of the very version. Where the image's tag doesn't tell the version
    (and `--keycloak-version` doesn't either), only names are objected to that no version has. What a script in
    front of Keycloak may read for itself is left alone.

    Bad:

        TaskDefinition:
          Properties:
            ContainerDefinitions:
              - Name: keycloak
                Environment:
                  - {Name: KC_ADMIN_HOSTNAME, Value: "https://sso-admin.example.com"}

    Good:

        TaskDefinition:
          Properties:
            ContainerDefinitions:
              - Name: keycloak
                Environment:
                  - {Name: KC_HOSTNAME_ADMIN, Value: "https://sso-admin.example.com"}
    """

    id = "E9001"
    shortdesc = "Every KC_ variable is an option of the version"
    source_url = "https://www.keycloak.org/server/all-config"

    def judge(self, keycloak: Keycloak) -> Iterator[Hit]:
        for one in keycloak.options:
            name = one.name.removeprefix("--") if one.argument else one.name
            if Catalog.is_spi(name) or one.key in _NOT_IN_CATALOGS or one.argument and not one.key:
                continue
            if keycloak.catalog is not None and keycloak.catalog.option(name) is not None:
                continue
            known = catalog.known_in(name, catalog.known_versions())
            if known and (keycloak.catalog is None or _OTHER_RULES.fullmatch(one.key)):
                continue
            near = _nearest(name, keycloak.catalog)
            if not one.argument and keycloak.command.reads(one.name):
                continue
            # Beside its options, an image of one's own may have variables for a script of its own.
            if known or one.argument or not keycloak.command.foreign and (near or keycloak.image.stock):
                yield self._hit(one, known, near, keycloak)

    def _hit(self, one: Setting, known: tuple[str, ...], near: str | None, keycloak: Keycloak) -> Hit:
        version = f"Keycloak {keycloak.version}" if keycloak.catalog else "Keycloak"
        effect = "the server doesn't start" if one.argument else "it is ignored without a word"
        where = f" (known in {known[0]}{f' to {known[-1]}' if len(known) > 1 else ''})" if known else ""
        right = f"--{near}" if one.argument else near
        return Hit.at(
            one.name_place,
            f"{effect}: {version} has no option {one.name}{where}",
            f"write {right}" if near else f"take {one.name} away",
        )


def _nearest(name: str, known: Catalog | None) -> str | None:
    """What was probably meant, spelled as it was asked."""
    if known is None:
        known = catalog.load(catalog.versions()[-1])
    if name.startswith("KC"):
        return known.nearest(name)
    found = known.nearest("KC_" + name.upper().replace("-", "_").replace(".", "_"))
    option = known.option(found) if found else None
    return option.key if option else None
