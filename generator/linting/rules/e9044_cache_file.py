"""E9044: a cache configuration that the image doesn't have."""

from __future__ import annotations

from collections.abc import Iterator

from generator.linting.rule import Hit, KeycloakRule
from generator.linting.rules import _cluster as cluster
from generator.linting.view import Keycloak


class NoCacheFile(KeycloakRule):
    """A cache configuration file is named that Keycloak's own image doesn't have.

    `cache-config-file` names a file in the image's `conf/`. Keycloak's own image has `cache-ispn.xml` there
    and no other, and nothing is mounted into this container, so the server ends with `Cache config file '...'
    does not exist in the conf directory`. A file of one's own needs an image of one's own.

    Bad:

        TaskDefinition:
          Properties:
            ContainerDefinitions:
              - Name: keycloak
                Image: quay.io/keycloak/keycloak:26.7.4
                Command: [start]
                Environment:
                  - {Name: KC_CACHE_CONFIG_FILE, Value: cache-cloudmap.xml}

    Good:

        TaskDefinition:
          Properties:
            ContainerDefinitions:
              - Name: keycloak
                Image: 123456789012.dkr.ecr.eu-central-1.amazonaws.com/keycloak:26.7.4
                Environment:
                  - {Name: KC_CACHE_CONFIG_FILE, Value: cache-cloudmap.xml}
    """

    id = "E9044"
    shortdesc = "The image has the cache configuration that is named"
    source_url = "https://www.keycloak.org/server/caching"
    # The message is in the classes from 26.2 on; what older versions do wasn't tried.
    since = (26, 2)

    def judge(self, keycloak: Keycloak) -> Iterator[Hit]:
        setting = keycloak.options.get("cache-config-file")
        if setting is None or not setting.value or not keycloak.image.stock or not keycloak.command.complete:
            return
        if setting.value.rpartition("/")[2] == "cache-ispn.xml" or keycloak.clustered is not True:
            return
        if not cluster.has_files(keycloak):
            yield Hit.at(
                setting.place,
                f"no task ever starts: {keycloak.image.repository} has no conf/{setting.value}, and nothing "
                "is mounted",
                f"make an image of your own with COPY {setting.value} /opt/keycloak/conf/, or take "
                f"{setting.name} away",
            )
