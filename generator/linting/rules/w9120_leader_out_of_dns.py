"""W9120: the node that leads the cluster, out of DNS while its requests drain."""

from __future__ import annotations

from collections.abc import Iterator

from generator.linting.rule import Hit, KeycloakRule
from generator.linting.rules import _cluster as cluster
from generator.linting.view import Keycloak

_DELAY = "deregistration_delay.timeout_seconds"
_BY_ITSELF, _MOST = 300, 30


class LeaderOutOfDns(KeycloakRule):
    """In a deployment a new task may make a cluster of its own: the node that leads the old one is out of DNS
    too early.

    When ECS stops a task, it takes it out of Cloud Map first and then waits for the target group's
    deregistration delay, 300 seconds unless it is written, before it sends SIGTERM. For all that time the
    task is still a node of the cluster, often the oldest one, which leads it. A task that starts meanwhile
    asks DNS, finds nodes that don't lead, and where its own random address sorts first it leads a new
    cluster. The shipped stack `kubernetes` doesn't let the others answer for the leader. Measured on 26.7.4:
    the two merged 50 seconds later, and logins were lost meanwhile.

    A delay of 20 seconds makes that time short. A stack of one's own in which each node answers for all that
    it knows (`return_entire_cache`) does away with it, and so does database discovery.

    Bad (not written means 300):

        TaskDefinition:
          Properties:
            ContainerDefinitions:
              - Name: keycloak
                Environment:
                  - {Name: KC_CACHE_CONFIG_FILE, Value: ~}
                  - {Name: KC_CACHE_STACK, Value: kubernetes}
        TargetGroup:
          Properties:
            TargetGroupAttributes:
              - {Key: deregistration_delay.timeout_seconds, Value: ~}

    Bad:

        TaskDefinition:
          Properties:
            ContainerDefinitions:
              - Name: keycloak
                Environment:
                  - {Name: KC_CACHE_CONFIG_FILE, Value: ~}
                  - {Name: KC_CACHE_STACK, Value: kubernetes}
        TargetGroup:
          Properties:
            TargetGroupAttributes:
              - {Key: deregistration_delay.timeout_seconds, Value: "120"}

    Good:

        TaskDefinition:
          Properties:
            ContainerDefinitions:
              - Name: keycloak
                Environment:
                  - {Name: KC_CACHE_CONFIG_FILE, Value: ~}
                  - {Name: KC_CACHE_STACK, Value: kubernetes}
        TargetGroup:
          Properties:
            TargetGroupAttributes:
              - {Key: deregistration_delay.timeout_seconds, Value: "20"}

    Good (a stack of one's own with `<dns.DNS_PING return_entire_cache="true" stack.combine="COMBINE"/>`):

        TaskDefinition:
          Properties:
            ContainerDefinitions:
              - Name: keycloak
                Environment:
                  - {Name: KC_CACHE_CONFIG_FILE, Value: cache-cloudmap.xml}
        TargetGroup:
          Properties:
            TargetGroupAttributes:
              - {Key: deregistration_delay.timeout_seconds, Value: "120"}
    """

    id = "W9120"
    shortdesc = "A task that stops isn't out of DNS for long before it leaves the cluster"
    source_url = "https://docs.aws.amazon.com/AmazonECS/latest/developerguide/task-lifecycle-explanation.html"

    def judge(self, keycloak: Keycloak) -> Iterator[Hit]:
        setting = cluster.stack_setting(keycloak)
        if setting is None or setting.value != "kubernetes" or not cluster.forms_cluster(keycloak):
            return
        if keycloak.options.get("cache-config-file") is not None:
            return
        for group in keycloak.target_groups:
            seconds = group.attributes.number(_DELAY, _BY_ITSELF)
            if seconds is None or seconds <= _MOST:
                continue
            written = group.attributes.get(_DELAY)
            default = "" if written else ", the default,"
            yield Hit.at(
                written if written is not None else group.attributes.place or group.properties,
                f"in a deployment, logins may be lost: for {seconds} s{default} a task that stops is out of "
                "DNS and still leads the cluster, and a new task that doesn't find it makes one of its own",
                f'{"write" if written else "add"} {{Key: {_DELAY}, Value: "20"}}; or a stack of your own '
                'with <dns.DNS_PING return_entire_cache="true" stack.combine="COMBINE"/>, or database '
                'discovery',
            )
