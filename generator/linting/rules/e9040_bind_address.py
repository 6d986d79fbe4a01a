"""E9040: addresses at which no other node reaches this one."""

from __future__ import annotations

from collections.abc import Iterator

from generator.keycloak.environment import bind_address
from generator.linting.rule import Hit, KeycloakRule
from generator.linting.rules import _cluster as cluster
from generator.linting.view import Keycloak, Setting

_OWN = ("LOOPBACK", "LOCALHOST", "USE-LOCALHOST", "USE_LOCALHOST")


class BindAddress(KeycloakRule):
    """Nodes listen at an address at which the others don't reach them, or at none.

    Where nothing is said, a node takes its first SITE_LOCAL address, which means 10/8, 172.16/12 and
    192.168/16 only. In a VPC outside of these (100.64/10, a public range) it finds none and silently takes
    the task's link-local address instead, at which no other task reaches it (measured on 24.0.5 and 26.7.4):
    every task forms a cluster of its own. So do loopback and link-local addresses.

    `0.0.0.0` is refused (`not a valid address on any local network interface`), and so is a fixed address:
    each Fargate task gets another one.

    Bad (no address of the VPC is site-local):

        Vpc:
          Properties: {CidrBlock: 100.64.0.0/16}
        PrivateSubnetA:
          Properties: {CidrBlock: 100.64.2.0/24}
        PrivateSubnetB:
          Properties: {CidrBlock: 100.64.3.0/24}

    Bad (all addresses):

        TaskDefinition:
          Properties:
            ContainerDefinitions:
              - Name: keycloak
                Environment:
                  - Name: JAVA_OPTS_APPEND
                    Value: "-Djgroups.dns.query=keycloak.sso.internal -Djgroups.bind.address=0.0.0.0"

    Bad (by option):

        TaskDefinition:
          Properties:
            ContainerDefinitions:
              - Name: keycloak
                Environment:
                  - {Name: KC_CACHE_EMBEDDED_NETWORK_BIND_ADDRESS, Value: LOOPBACK}

    Good:

        TaskDefinition:
          Properties:
            ContainerDefinitions:
              - Name: keycloak
                Environment:
                  - Name: JAVA_OPTS_APPEND
                    Value: "-Djgroups.dns.query=keycloak.sso.internal -Djgroups.bind_addr=SITE_LOCAL"

    Good (in a VPC of 100.64.0.0/16):

        PrivateSubnetA:
          Properties: {CidrBlock: 100.64.2.0/24}
        PrivateSubnetB:
          Properties: {CidrBlock: 100.64.3.0/24}
        TaskDefinition:
          Properties:
            ContainerDefinitions:
              - Name: keycloak
                Environment:
                  - Name: JAVA_OPTS_APPEND
                    Value: >-
                      -Djgroups.dns.query=keycloak.sso.internal
                      -Djgroups.bind_addr=match-address:100[.]64[.].*
    """

    id = "E9040"
    shortdesc = "Nodes listen at an address at which the others reach them"
    source_url = "https://www.keycloak.org/server/caching"

    def judge(self, keycloak: Keycloak) -> Iterator[Hit]:
        if keycloak.clustered is not True or cluster.stack(keycloak) == "udp":
            return
        setting = cluster.bind_setting(keycloak)
        if setting is not None:
            yield from _said(keycloak, setting)
        elif keycloak.options.java_complete and keycloak.options.missing(cluster.BIND_ADDRESS):
            yield from _site_local(keycloak, None)


def _said(keycloak: Keycloak, setting: Setting) -> Iterator[Hit]:
    text = (setting.value or "").strip()
    fixed = cluster.address(text)
    if text.upper() == "SITE_LOCAL":
        yield from _site_local(keycloak, setting)
        return
    never = "no task ever starts: nodes can't listen at"
    said = ""
    if text.upper() in _OWN or fixed is not None and fixed.is_loopback:
        said = f"the second task never joins: at {text}, each node listens to itself alone"
    elif text.upper() == "LINK_LOCAL" or fixed is not None and fixed.is_link_local:
        said = f"the second task never joins: at {text}, nobody reaches a node: nothing routes 169.254/16"
    elif fixed is not None and fixed.is_unspecified:
        said = f"{never} {text}, as it is no address of a network card"
    elif fixed is not None and cluster.on_awsvpc(keycloak):
        said = f"{never} {text}, as each task gets an address of its own"
    if said and (said.startswith(never) or cluster.forms_cluster(keycloak)):
        right = "SITE_LOCAL" if setting.key else f"-D{setting.name}=SITE_LOCAL"
        yield Hit.at(setting.place, said, f"write {right}")


def _site_local(keycloak: Keycloak, setting: Setting | None) -> Iterator[Hit]:
    """What SITE_LOCAL, said or by default, comes to in the services' subnets."""
    if not cluster.forms_cluster(keycloak):
        return
    outside = cluster.outside_site_local(keycloak)
    if outside:
        networks = ", ".join(map(str, outside))
        pattern = bind_address(tuple(map(str, outside)))
        default = "" if setting else " by default"
        option = setting is not None and setting.key
        yield Hit.at(
            setting.place if setting else cluster.java_place(keycloak),
            f"the second task never joins: nodes listen at a site-local address{default}, and tasks in {networks} "
            "have none",
            f"write {pattern}"
            if option
            else f"{'write' if setting else 'add'} -Djgroups.bind_addr={pattern} in JAVA_OPTS_APPEND",
        )
