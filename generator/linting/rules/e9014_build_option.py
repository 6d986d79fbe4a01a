"""E9014: `--optimized` without the build that it needs."""

from __future__ import annotations

from collections.abc import Iterator

from generator.linting.rule import Hit, KeycloakRule
from generator.linting.rules import _options as ask
from generator.linting.view import Keycloak


class NotBuilt(KeycloakRule):
    """`--optimized` starts an image that isn't built, or is given an option that only a build takes.

    `--optimized` says that `kc.sh build` ran while the image was made. Keycloak's own image isn't built: from 26
    on the server ends with `The '--optimized' flag was used for first ever server start`; before, it starts with
    the H2 driver that it comes with and ends at the PostgreSQL URL. And up to 26.4 a build option on the command
    line is refused together with it, whatever its value:
    `Build time option: '--db' not usable with pre-built image and --optimized`. Newer ones compare the value
    with the built one (W9014).

    Bad:

        TaskDefinition:
          Properties:
            ContainerDefinitions:
              - Name: keycloak
                Image: quay.io/keycloak/keycloak:26.7.4
                Command: [start, --optimized]

    Bad (an option of the build):

        TaskDefinition:
          Properties:
            ContainerDefinitions:
              - Name: keycloak
                Image: 123456789012.dkr.ecr.eu-central-1.amazonaws.com/keycloak:26.4.7
                Command: [start, --optimized, --db=postgres]

    Good (an image of one's own, built with `kc.sh build`):

        TaskDefinition:
          Properties:
            ContainerDefinitions:
              - Name: keycloak
                Image: 123456789012.dkr.ecr.eu-central-1.amazonaws.com/keycloak:26.7.4
                Command: [start, --optimized]
    """

    id = "E9014"
    shortdesc = "What starts with --optimized is built, with all of its build options"
    source_url = "https://www.keycloak.org/server/containers"

    def judge(self, keycloak: Keycloak) -> Iterator[Hit]:
        if not keycloak.command.optimized or keycloak.command.verb != "start":
            return
        flag = next(place for word, place in keycloak.command.words if word == "--optimized")
        # A script may build what it starts.
        built = keycloak.command.builds or keycloak.command.foreign
        if keycloak.image.stock and not built and _ends(keycloak):
            yield Hit.at(
                flag,
                f"no task ever starts: {keycloak.image.repository} isn't built, and --optimized skips the"
                " build",
                "take --optimized away, or make an image of your own with kc.sh build",
            )
            return
        if keycloak.at_least(26, 5) is not False:
            return
        for one in keycloak.options:
            if one.argument and ask.is_build_option(keycloak, one):
                yield Hit.at(
                    one.name_place,
                    f"no task ever starts: {one.name} is decided when the image is built, and the server"
                    " refuses it together with --optimized",
                    f"take {one.name} away and set {ask.variable(one.key)} in the Dockerfile, before kc.sh"
                    " build",
                )


def _ends(keycloak: Keycloak) -> bool:
    """Whether an image that isn't built surely doesn't start: from 26 on, and on 24 and 25 with another database
    than H2 (measured on 24.0.5, 25.0.6, 26.0.8 and 26.7.4). What is the newest today is none older than these."""
    if keycloak.at_least(26):
        return True
    url, database = keycloak.options.value("db-url") or "", keycloak.options.value("db") or "dev"
    newer = keycloak.at_least(24)
    return (keycloak.image.newest if newer is None else newer) and (
        not database.startswith("dev") or url.startswith("jdbc:postgresql:")
    )
