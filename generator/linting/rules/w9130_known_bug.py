"""W9130: patch levels in which clusters by the database split."""

from __future__ import annotations

import re
from collections.abc import Iterator

from generator.keycloak import advice
from generator.keycloak.version import Version, parse
from generator.linting.rule import Hit, KeycloakRule
from generator.linting.rules import _cluster as cluster
from generator.linting.view import Keycloak


class KnownBug(KeycloakRule):
    """This patch level has a bug in database discovery by which a cluster splits or a node is lost for good.

    Up to 26.3.2, nodes that start at the same moment may end up in two clusters; up to 26.4.9 and 26.5.3, a
    node that was cut off for a while may never come back; from 26.4.0 up to 26.7.0, after a split the node
    that is left may stay not ready for ever. Each is mended in a later patch or line.

    Bad:

        TaskDefinition:
          Properties:
            ContainerDefinitions:
              - Name: keycloak
                Image: 123456789012.dkr.ecr.eu-central-1.amazonaws.com/keycloak:26.4.7
                Environment:
                  - {Name: KC_CACHE_CONFIG_FILE, Value: ~}
                  - {Name: KC_CACHE_STACK, Value: jdbc-ping}
                  - {Name: JAVA_OPTS_APPEND, Value: "-Djgroups.bind_addr=SITE_LOCAL"}

    Good:

        TaskDefinition:
          Properties:
            ContainerDefinitions:
              - Name: keycloak
                Image: 123456789012.dkr.ecr.eu-central-1.amazonaws.com/keycloak:26.7.4
                Environment:
                  - {Name: KC_CACHE_CONFIG_FILE, Value: ~}
                  - {Name: KC_CACHE_STACK, Value: jdbc-ping}
                  - {Name: JAVA_OPTS_APPEND, Value: "-Djgroups.bind_addr=SITE_LOCAL"}
    """

    id = "W9130"
    shortdesc = "The patch level has no known bug in database discovery"
    source_url = "https://github.com/keycloak/keycloak/issues/41290"
    since = (26, 1)

    def judge(self, keycloak: Keycloak) -> Iterator[Hit]:
        if keycloak.version is None or not cluster.forms_cluster(keycloak):
            return
        if cluster.stack(keycloak) not in cluster.DATABASE_STACKS:
            return
        found = _bugs(keycloak.version)
        if found:
            right = keycloak.version
            while bugs := _bugs(right):
                right = max(parse(bug.fixed[-1]) for bug in bugs)
            first, more = found[0], len(found) - 1
            yield Hit.at(
                keycloak.container["Image"],
                f"{first.say[0].lower()}{first.say[1:]} (Keycloak {keycloak.version}, "
                f"{_issue(first)}{f', and {more} more' if more else ''})",
                f"go to {right} or newer",
            )


def _bugs(version: Version) -> list[advice.KnownBug]:
    return [bug for bug in advice.known_bugs(version) if bug.needs.discovery == "database"]


def _issue(bug: advice.KnownBug) -> str:
    match = re.match(r"issue \d+", bug.source)
    return f"keycloak {match[0]}" if match else bug.source
