"""W9025: paths that walk around the balancer's rules."""

from __future__ import annotations

from collections.abc import Iterator

from generator.linting.rule import Hit, KeycloakRule
from generator.linting.view import Keycloak


class PathTricks(KeycloakRule):
    """Keycloak takes paths that say something else to it than to the balancer.

    From 26.4.3 on, Keycloak answers 400 to paths with `..`, `//` and encoded letters.
    `http-accept-non-normalized-paths=true` brings the old behaviour back: `/realms/../admin/` shows the admin
    console, also to whoever may reach `/realms/` only, unless the proxy before it normalizes paths. An
    Application Load Balancer does before it compares them (ELB guide, "Path conditions"), but the guide doesn't
    say what that covers. The option is deprecated and will be removed.

    Bad:

        TaskDefinition:
          Properties:
            ContainerDefinitions:
              - Name: keycloak
                Environment:
                  - {Name: KC_HTTP_ACCEPT_NON_NORMALIZED_PATHS, Value: "true"}

    Good:

        TaskDefinition:
          Properties:
            ContainerDefinitions:
              - Name: keycloak
                Environment:
                  - {Name: KC_HTTP_ACCEPT_NON_NORMALIZED_PATHS, Value: ~}
    """

    id = "W9025"
    shortdesc = "Keycloak refuses paths that walk around the balancer's rules"
    source_url = "https://www.keycloak.org/docs/latest/upgrading/"
    since = (26, 4)

    def judge(self, keycloak: Keycloak) -> Iterator[Hit]:
        one = keycloak.options.get("http-accept-non-normalized-paths")
        if one is not None and one.flag is True:
            yield Hit.at(
                one.place,
                "Keycloak takes /realms/../admin/ for the admin console again: only how the balancer normalizes "
                "paths keeps strangers out",
                f"take {one.name} away",
            )
