"""E9127: cache stacks that nobody has."""

from __future__ import annotations

import difflib
from collections.abc import Iterator

from generator.linting.rule import Hit, KeycloakRule
from generator.linting.rules import _cluster as cluster
from generator.linting.view import Keycloak

_STACKS = ("jdbc-ping", "kubernetes", "jdbc-ping-udp", "tcp", "udp", "ec2", "azure", "google")


class UnknownStack(KeycloakRule):
    """A cache stack is chosen that Keycloak's own image doesn't have.

    From 25 on Keycloak takes any name for the stack, as an image of one's own may bring a stack of its own in
    its cache configuration. For a name that nobody brings, the server ends with `ISPN000540: No such JGroups
    stack`; from 26.6 on only after it has logged "started".

    Bad:

        TaskDefinition:
          Properties:
            ContainerDefinitions:
              - Name: keycloak
                Image: quay.io/keycloak/keycloak:26.7.4
                Command: [start]
                Environment:
                  - {Name: KC_CACHE_CONFIG_FILE, Value: ~}
                  - {Name: KC_CACHE_STACK, Value: kubernets}

    Good:

        TaskDefinition:
          Properties:
            ContainerDefinitions:
              - Name: keycloak
                Image: quay.io/keycloak/keycloak:26.7.4
                Command: [start]
                Environment:
                  - {Name: KC_CACHE_CONFIG_FILE, Value: ~}
                  - {Name: KC_CACHE_STACK, Value: kubernetes}
    """

    id = "E9127"
    shortdesc = "The cache stack is one that the image has"
    source_url = "https://www.keycloak.org/server/caching"
    since = (25, 0)

    def judge(self, keycloak: Keycloak) -> Iterator[Hit]:
        setting = cluster.stack_setting(keycloak)
        if setting is None or not setting.value or not keycloak.image.stock or keycloak.clustered is not True:
            return
        own = keycloak.options.get("cache-config-file") is not None or cluster.has_files(keycloak)
        if own or not keycloak.command.complete or setting.value in _STACKS:
            return
        known = _STACKS if keycloak.at_least(26, 1) else _STACKS[1:2]
        near = difflib.get_close_matches(setting.value, known, 1, 0.6)
        yield Hit.at(
            setting.place,
            f"no task ever starts: {keycloak.image.repository} has no stack {setting.value}",
            f"write {near[0] if near else known[0]}",
        )
