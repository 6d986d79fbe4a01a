"""E9023: system properties of times gone by that stop the server."""

from __future__ import annotations

from collections.abc import Iterator

from generator.linting.rule import Hit, KeycloakRule
from generator.linting.view import Keycloak


class JbossNames(KeycloakRule):
    """A system property names the node or the site as WildFly did, and Keycloak refuses to start with it.

    From 26.3 on a clustered server ends with `System property jboss.node.name is in use` where
    `jboss.node.name` or `jboss.site.name` is set. Options of the cache provider have taken their place.

    Bad:

        TaskDefinition:
          Properties:
            ContainerDefinitions:
              - Name: keycloak
                Environment:
                  - Name: JAVA_OPTS_APPEND
                    Value: -Djgroups.dns.query=keycloak.sso.internal -Djboss.site.name=eu

    Good:

        TaskDefinition:
          Properties:
            ContainerDefinitions:
              - Name: keycloak
                Environment:
                  - {Name: JAVA_OPTS_APPEND, Value: -Djgroups.dns.query=keycloak.sso.internal}
                  - {Name: KC_SPI_CACHE_EMBEDDED__DEFAULT__SITE_NAME, Value: eu}
    """

    id = "E9023"
    shortdesc = "Node and site are named by options, not by JBoss's system properties"
    source_url = (
        "https://www.keycloak.org/docs/latest/upgrading/#removal-of-jboss-site-name-and-jboss-node-name"
    )
    since = (26, 3)

    def judge(self, keycloak: Keycloak) -> Iterator[Hit]:
        if keycloak.clustered is False:
            return
        for what in ("node", "site"):
            one = keycloak.options.system_property(f"jboss.{what}.name")
            if one is not None:
                name = f"KC_SPI_CACHE_EMBEDDED__DEFAULT__{what.upper()}_NAME"
                yield Hit.at(
                    one.place,
                    f"no task ever starts: Keycloak {keycloak.version} refuses the system property"
                    f" {one.name}",
                    f"take -D{one.name} away and write {{Name: {name}, Value: "
                    f"{one.value if one.value is not None else '...'}}}",
                )
