"""E9027: DNS discovery that is told no name."""

from __future__ import annotations

from collections.abc import Iterator

from generator.linting.rule import Hit, KeycloakRule
from generator.linting.rules import _cluster as cluster
from generator.linting.view import Keycloak


class NoDiscoveryName(KeycloakRule):
    """The stack `kubernetes` looks for the other nodes in DNS, and nobody says under which name.

    The name is the system property `jgroups.dns.query`; Keycloak has no option for it and no default. Without
    it the server ends with `dns_query can not be null or empty` (measured on 24.0.5, 25.0.6, 26.0.8 and
    26.7.4; 26.7 logs "started" before it does), so ECS starts one task after the other and none stays.

    Bad:

        TaskDefinition:
          Properties:
            ContainerDefinitions:
              - Name: keycloak
                Environment:
                  - {Name: KC_CACHE_CONFIG_FILE, Value: ~}
                  - {Name: KC_CACHE_STACK, Value: kubernetes}
                  - {Name: JAVA_OPTS_APPEND, Value: "-Djgroups.bind_addr=SITE_LOCAL"}

    Bad (as an option of the command):

        TaskDefinition:
          Properties:
            ContainerDefinitions:
              - Name: keycloak
                Image: quay.io/keycloak/keycloak:26.7.4
                Command: [start, --cache-stack=kubernetes]
                Environment:
                  - {Name: KC_CACHE_CONFIG_FILE, Value: ~}
                  - {Name: JAVA_OPTS_APPEND, Value: ~}

    Good:

        TaskDefinition:
          Properties:
            ContainerDefinitions:
              - Name: keycloak
                Environment:
                  - {Name: KC_CACHE_CONFIG_FILE, Value: ~}
                  - {Name: KC_CACHE_STACK, Value: kubernetes}
                  - {Name: JAVA_OPTS_APPEND, Value: -Djgroups.dns.query=keycloak.sso.internal}
    """

    id = "E9027"
    shortdesc = "Nodes that look for each other in DNS are told the name"
    source_url = "https://www.keycloak.org/server/caching"

    def judge(self, keycloak: Keycloak) -> Iterator[Hit]:
        stack = cluster.stack_setting(keycloak)
        if keycloak.clustered is not True or stack is None or stack.value != "kubernetes":
            return
        query, options = keycloak.dns_query, keycloak.options
        if query is not None and query.value != "" or options.system_property("jgroups.dns.dns_query"):
            return
        if query is None and not cluster.java_known(keycloak):
            return
        names = [one.full_name for one in cluster.entries(keycloak) if one.full_name]
        name = names[0] if names else "<Cloud Map service>.<namespace>"
        yield Hit.at(
            query.place if query else stack.place,
            "no task ever starts: the stack kubernetes looks for nodes in DNS, and no name is given "
            "(dns_query can not be null or empty)",
            f"add -Djgroups.dns.query={name} to JAVA_OPTS_APPEND",
        )
