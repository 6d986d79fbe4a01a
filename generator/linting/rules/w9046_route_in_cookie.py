"""W9046: the node's name in the cookie, behind a balancer that doesn't read it."""

from __future__ import annotations

from collections.abc import Iterator

from generator.keycloak import facts
from generator.linting.rule import Hit, KeycloakRule
from generator.linting.rules import _cluster as cluster
from generator.linting.view import Keycloak

_KEY = "spi-sticky-session-encoder-infinispan-should-attach-route"


class RouteInCookie(KeycloakRule):
    """Keycloak puts the node's name into its login cookie, for a balancer that reads it, and an ALB doesn't.

    An Application Load Balancer has a cookie of its own for sticky sessions. Keycloak's `AUTH_SESSION_ID`
    with the node's name behind the dot (`....ip-10-0-2-17-21342`) helps nobody there and tells every visitor
    how the hosts inside are called. In many versions of 26 the name isn't even the right one (keycloak issue
    43933).

    The rule speaks where the option is true, or where nothing sets it: in the template, with Keycloak's own
    image.

    Bad:

        TaskDefinition:
          Properties:
            ContainerDefinitions:
              - Name: keycloak
                Environment:
                  - {Name: KC_SPI_STICKY_SESSION_ENCODER__INFINISPAN__SHOULD_ATTACH_ROUTE, Value: "true"}

    Bad (not set, Keycloak's own image):

        TaskDefinition:
          Properties:
            ContainerDefinitions:
              - Name: keycloak
                Image: quay.io/keycloak/keycloak:26.7.4
                Command: [start]
                Environment:
                  - {Name: KC_SPI_STICKY_SESSION_ENCODER__INFINISPAN__SHOULD_ATTACH_ROUTE, Value: ~}

    Good:

        TaskDefinition:
          Properties:
            ContainerDefinitions:
              - Name: keycloak
                Environment:
                  - {Name: KC_SPI_STICKY_SESSION_ENCODER__INFINISPAN__SHOULD_ATTACH_ROUTE, Value: "false"}
    """

    id = "W9046"
    shortdesc = "Behind an ALB, the login cookie doesn't name the node"
    source_url = "https://www.keycloak.org/server/reverseproxy"
    before = (26, 8)

    def judge(self, keycloak: Keycloak) -> Iterator[Hit]:
        if not cluster.forms_cluster(keycloak) or not any(one.application for one in keycloak.load_balancers):
            return
        setting = cluster.spi_setting(keycloak, _KEY)
        message = (
            "every visitor sees the node's name in the cookie AUTH_SESSION_ID, and the load balancer has "
            "no use for it"
        )
        if setting is not None:
            if setting.flag is True:
                yield Hit.at(setting.place, message, f"write false as the value of {setting.name}")
        elif keycloak.image.stock and keycloak.options.complete and not _misspelled(keycloak):
            name = facts.spi_variable(
                keycloak.version or "24.0.0", "sticky-session-encoder", "infinispan", "should-attach-route"
            )
            yield Hit.at(keycloak.environment_place, message, f'add {{Name: {name}, Value: "false"}}')


def _misspelled(keycloak: Keycloak) -> bool:
    """Whether it is set in a way that the version ignores, of which another rule speaks."""
    return any("SHOULD_ATTACH_ROUTE" in one.name.upper().replace("-", "_") for one in keycloak.options)
