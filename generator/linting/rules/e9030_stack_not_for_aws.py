"""E9030: stacks that can't find anybody in a VPC."""

from __future__ import annotations

from collections.abc import Iterator

from generator.linting.rule import Hit, KeycloakRule
from generator.linting.rules import _cluster as cluster
from generator.linting.view import Keycloak, Setting
from generator.resolving import Place

_MULTICAST_DOMAIN = "AWS::EC2::TransitGatewayMulticastDomain"


class StackNotForAws(KeycloakRule):
    """The cache stack is one that doesn't work here: multicast, or a library that the image doesn't have.

    `udp`, the default before 26.1, and `tcp` look for other nodes by multicast, and `jdbc-ping-udp` talks to
    them that way. A VPC doesn't carry multicast (only a transit gateway with a multicast domain does), so
    each task forms a cluster of its own and nothing but the log says so (`(1) [node]`): logins that move to
    another task start again, and what an administrator changes reaches one task.

    `ec2`, `azure` and `google` ask a store of that cloud, by a library that isn't in Keycloak's image: no
    task starts (for `ec2`: `org.jgroups.aws.s3.NATIVE_S3_PING` can't be loaded). An image of one's own may
    have it, so there the rule is silent about these.

    Bad:

        TaskDefinition:
          Properties:
            ContainerDefinitions:
              - Name: keycloak
                Environment:
                  - {Name: KC_CACHE_CONFIG_FILE, Value: ~}
                  - {Name: KC_CACHE_STACK, Value: tcp}

    Bad (nothing chosen before 26.1 means udp):

        TaskDefinition:
          Properties:
            ContainerDefinitions:
              - Name: keycloak
                Image: quay.io/keycloak/keycloak:26.0.8
                Command: [start]
                Environment:
                  - {Name: KC_CACHE_CONFIG_FILE, Value: ~}
                  - {Name: JAVA_OPTS_APPEND, Value: ~}

    Bad (a library that isn't there):

        TaskDefinition:
          Properties:
            ContainerDefinitions:
              - Name: keycloak
                Image: quay.io/keycloak/keycloak:26.7.4
                Command: [start, --cache-stack=ec2]
                Environment:
                  - {Name: KC_CACHE_CONFIG_FILE, Value: ~}

    Good:

        TaskDefinition:
          Properties:
            ContainerDefinitions:
              - Name: keycloak
                Environment:
                  - {Name: KC_CACHE_CONFIG_FILE, Value: ~}
                  - {Name: KC_CACHE_STACK, Value: jdbc-ping}
    """

    id = "E9030"
    shortdesc = "The cache stack is one that works in a VPC"
    source_url = "https://www.keycloak.org/server/caching"

    def judge(self, keycloak: Keycloak) -> Iterator[Hit]:
        if not cluster.forms_cluster(keycloak) or keycloak.options.get("cache-config-file") is not None:
            return
        setting = cluster.stack_setting(keycloak)
        used = cluster.stack(keycloak)
        if used in cluster.DATABASE_STACKS and keycloak.at_least(26, 1) is False:  # E9029
            return
        if used in cluster.MULTICAST_STACKS and not keycloak.view.document.of_type(_MULTICAST_DOMAIN):
            # Where nothing is chosen, a lone task definition doesn't tell that there is to be a cluster.
            if setting is not None or keycloak.most_tasks is not None:
                yield Hit.at(
                    _place(keycloak, setting),
                    f"the second task never joins: the stack {used}{'' if setting else ', the default,'} "
                    "needs multicast, which a VPC doesn't carry",
                    _fix(keycloak, setting),
                )
        elif used in cluster.CLOUD_STACKS and keycloak.image.stock and setting is not None:
            if cluster.has_files(keycloak):
                return
            yield Hit.at(
                setting.place,
                f"no task ever starts: the stack {used} needs a library that Keycloak's image doesn't have",
                _fix(keycloak, setting),
            )


def _place(keycloak: Keycloak, setting: Setting | None) -> Place:
    if setting is not None:
        return setting.place
    query = keycloak.dns_query
    return query.place if query is not None else keycloak.environment_place


def _fix(keycloak: Keycloak, setting: Setting | None) -> str:
    asks = keycloak.dns_query is not None
    if setting is None:
        return "add {Name: KC_CACHE_STACK, Value: kubernetes}" + (
            "" if asks else " and -Djgroups.dns.query=<Cloud Map service>.<namespace> to JAVA_OPTS_APPEND"
        )
    if keycloak.at_least(26, 1) and not asks:
        return f"take {setting.name} away: the default, jdbc-ping, finds nodes through the database"
    return "write kubernetes" + (
        "" if asks else ", with -Djgroups.dns.query=<Cloud Map service>.<namespace> in JAVA_OPTS_APPEND"
    )
