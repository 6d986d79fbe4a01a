"""E9121: one address for all nodes."""

from __future__ import annotations

import re
from collections.abc import Iterator

from generator.linting.rule import Hit, KeycloakRule
from generator.linting.rules import _cluster as cluster
from generator.linting.view import Keycloak

# What each node works out for itself (JGroups, Util.getAddress).
_CHOSEN = re.compile(
    r"(?i)GLOBAL|SITE_LOCAL|LINK_LOCAL|LOOPBACK|NON_LOOPBACK|USE[-_]LOCALHOST.*|match.*|custom:.*|.*,.*"
)


class ExternalAddress(KeycloakRule):
    """All nodes tell the others one and the same address.

    The external address is what a node says of itself: "reach me there". A fixed one in a task definition is
    the same for all its tasks, so whoever wants to talk to another node talks to itself. The cluster doesn't
    form; and where nodes are in one view nevertheless, the failure detection (FD_SOCK2), which takes the same
    setting, watches itself and never sees that another one is gone. In a network of type awsvpc, nodes reach
    each other at the addresses they listen at, and nothing has to be said.

    Bad:

        TaskDefinition:
          Properties:
            ContainerDefinitions:
              - Name: keycloak
                Environment:
                  - {Name: KC_CACHE_EMBEDDED_NETWORK_EXTERNAL_ADDRESS, Value: sso.example.com}

    Bad (the system property):

        TaskDefinition:
          Properties:
            ContainerDefinitions:
              - Name: keycloak
                Environment:
                  - Name: JAVA_OPTS_APPEND
                    Value: "-Djgroups.dns.query=keycloak.sso.internal -Djgroups.external_addr=10.0.2.15"

    Good:

        TaskDefinition:
          Properties:
            ContainerDefinitions:
              - Name: keycloak
                Environment:
                  - {Name: JAVA_OPTS_APPEND, Value: "-Djgroups.dns.query=keycloak.sso.internal"}
    """

    id = "E9121"
    shortdesc = "Each node tells the others an address of its own"
    source_url = "https://www.keycloak.org/server/caching"

    def judge(self, keycloak: Keycloak) -> Iterator[Hit]:
        setting = cluster.external(keycloak, cluster.EXTERNAL_ADDRESS)
        if setting is None or not cluster.forms_cluster(keycloak) or not cluster.on_awsvpc(keycloak):
            return
        value = (setting.value or "").strip()
        if value and not _CHOSEN.fullmatch(value):
            yield Hit.at(
                setting.place,
                f"the second task never joins: every task tells the others that it is at {value}",
                f"take {setting.name} away",
            )
