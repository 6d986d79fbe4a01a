"""W9123: a failure detection that depends on the host name, in a VPC without host names."""

from __future__ import annotations

from collections.abc import Iterator

from generator.linting.rule import Hit, KeycloakRule
from generator.linting.rules import _cluster as cluster
from generator.linting.view import Keycloak


class FailureDetectionAddress(KeycloakRule):
    """Nodes don't notice at once that another one is gone, since they can't tell their own address from their
    host name.

    Unless it is told an address, the failure detection (FD_SOCK2) listens at all of them and tells its
    neighbour the one that the task's host name stands for. `-Djgroups.bind.address` sets the cluster's
    address, but not this one. Where the host name has no address, the detection never gets going, the log is
    silent about it, and a node that is lost is noticed after 43 seconds instead of two (measured on 26.7.4).
    Until then the others wait for it, and so does every login.

    Tasks have host names with addresses where the VPC has both `EnableDnsSupport` and `EnableDnsHostnames`.
    With `-Djgroups.bind_addr=SITE_LOCAL` it doesn't matter.

    Bad:

        Vpc:
          Properties: {EnableDnsHostnames: ~}
        TaskDefinition:
          Properties:
            ContainerDefinitions:
              - Name: keycloak
                Environment:
                  - {Name: KC_CACHE_CONFIG_FILE, Value: ~}
                  - {Name: KC_CACHE_STACK, Value: jdbc-ping}
                  - {Name: JAVA_OPTS_APPEND, Value: -Dsun.net.inetaddr.ttl=5}

    Bad (the cluster's address alone):

        Vpc:
          Properties: {EnableDnsHostnames: false}
        TaskDefinition:
          Properties:
            ContainerDefinitions:
              - Name: keycloak
                Environment:
                  - {Name: KC_CACHE_CONFIG_FILE, Value: ~}
                  - {Name: KC_CACHE_STACK, Value: jdbc-ping}
                  - {Name: JAVA_OPTS_APPEND, Value: "-Djgroups.bind.address=SITE_LOCAL"}

    Good:

        Vpc:
          Properties: {EnableDnsHostnames: false}
        TaskDefinition:
          Properties:
            ContainerDefinitions:
              - Name: keycloak
                Environment:
                  - {Name: KC_CACHE_CONFIG_FILE, Value: ~}
                  - {Name: KC_CACHE_STACK, Value: jdbc-ping}
                  - {Name: JAVA_OPTS_APPEND, Value: "-Djgroups.bind_addr=SITE_LOCAL"}
    """

    id = "W9123"
    shortdesc = "The failure detection knows the task's address"
    source_url = "https://github.com/infinispan/infinispan/issues/17757"

    def judge(self, keycloak: Keycloak) -> Iterator[Hit]:
        if not cluster.forms_cluster(keycloak) or not cluster.java_known(keycloak):
            return
        # There the nodes don't even find each other, as E9039 says.
        if cluster.asks_dns(keycloak) and any(entry.private for entry in cluster.entries(keycloak)):
            return
        options = keycloak.options
        if options.system_property("jgroups.bind_addr"):
            return
        if cluster.external(keycloak, cluster.EXTERNAL_ADDRESS) is not None:
            return
        if options.get(cluster.BIND_ADDRESS) and keycloak.at_least(26, 4) is not False:
            return
        resolver = keycloak.view.resolver
        found = cluster.vpcs(keycloak).values()
        faults = [(vpc, key) for vpc in found for key, _ in cluster.dns_faults(resolver.properties(vpc))]
        if faults:
            vpc, key = faults[0]
            yield Hit.at(
                cluster.java_place(keycloak),
                "a lost node is noticed after 43 s instead of 2 s, and logins hang until then: without "
                f"{key} of {vpc.logical_id}, a task's host name has no address, which the failure detection "
                "looks up",
                "add -Djgroups.bind_addr=SITE_LOCAL to JAVA_OPTS_APPEND",
            )
