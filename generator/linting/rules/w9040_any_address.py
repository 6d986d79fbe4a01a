"""W9040: nodes that listen at whatever address comes first."""

from __future__ import annotations

from collections.abc import Iterator

from generator.keycloak.environment import bind_address
from generator.linting.rule import Hit, KeycloakRule
from generator.linting.rules import _cluster as cluster
from generator.linting.view import Keycloak


class AnyAddress(KeycloakRule):
    """Nodes listen at the first address that isn't loopback, which may be the wrong one.

    A Fargate task has two: its own in the subnet, and a link-local one (169.254/16) by which it asks ECS for
    its metadata. `NON_LOOPBACK` takes whichever comes first. Where that is the link-local one, no other task
    reaches the node, and it forms a cluster of its own.

    Bad:

        TaskDefinition:
          Properties:
            ContainerDefinitions:
              - Name: keycloak
                Environment:
                  - Name: JAVA_OPTS_APPEND
                    Value: "-Djgroups.dns.query=keycloak.sso.internal -Djgroups.bind_addr=NON_LOOPBACK"

    Good:

        TaskDefinition:
          Properties:
            ContainerDefinitions:
              - Name: keycloak
                Environment:
                  - Name: JAVA_OPTS_APPEND
                    Value: "-Djgroups.dns.query=keycloak.sso.internal -Djgroups.bind_addr=SITE_LOCAL"
    """

    id = "W9040"
    shortdesc = "Nodes listen at an address of the subnet"
    source_url = "https://www.keycloak.org/server/caching"

    def judge(self, keycloak: Keycloak) -> Iterator[Hit]:
        setting = cluster.bind_setting(keycloak)
        if setting is None or (setting.value or "").upper() != "NON_LOOPBACK":
            return
        if not cluster.forms_cluster(keycloak):
            return
        outside = cluster.outside_site_local(keycloak)
        right = bind_address(tuple(map(str, outside))) if outside else "SITE_LOCAL"
        yield Hit.at(
            setting.place,
            "a task may never join: NON_LOOPBACK takes the first address that there is, which may be the "
            "task's link-local one",
            f"write {right}" if setting.key else f"write -D{setting.name}={right}",
        )
