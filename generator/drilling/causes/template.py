"""What the template says about cluster, ports and Java options."""

from __future__ import annotations

import re

from generator.drilling import answering
from generator.drilling.answering import Way
from generator.drilling.places import option
from generator.drilling.promises import Cause
from generator.errors import CatalogError
from generator.keycloak import facts
from generator.rehearsing.topology import Host, Topology

TRANSPORT_PORT = 7800
"""JGroups' port in the shipped stacks (default-jgroups-kubernetes.xml)."""
JAVA_OPTIONS = ("JAVA_OPTS_APPEND", "JAVA_OPTS", "JAVA_OPTS_KC_HEAP")


def java_property(topology: Topology, name: str) -> str:
    """A Java system property of the Keycloak container; empty where it isn't set."""
    task = topology.keycloak
    words = " ".join([*(task.variable(variable) or "" for variable in JAVA_OPTIONS), *(task.command or ())])
    found = re.findall(rf"-D{re.escape(name)}=(\S+)", words)
    return found[-1].strip("\"'") if found else ""


def transport_port(topology: Topology) -> int:
    """The port on which the nodes talk to each other."""
    text = option(topology.keycloak, "cache-embedded-network-bind-port") or \
        java_property(topology, "jgroups.bind.port") or java_property(topology, "jgroups.tcp.port")
    return int(text) if text.isdigit() else TRANSPORT_PORT


def cache_stack(topology: Topology) -> str:
    """The cache stack that finds the other nodes; empty where a cache file of the template's own decides."""
    task = topology.keycloak
    stack = option(task, "cache-stack")
    if stack:
        return stack
    if option(task, "cache-config-file"):
        return ""
    try:
        # The default of nodes that are told nothing; `udp` is multicast (upgrading guide 26.1.0).
        return "jdbc-ping" if facts.jdbc_ping_available(topology.version) else "udp"
    except CatalogError:
        return ""


def shipped_stack(topology: Topology) -> bool:
    """Whether failure detection is as Keycloak ships it."""
    return not option(topology.keycloak, "cache-config-file")


def closed(
    topology: Topology, source: Host, destination: Host, port: int, text: str, fix: str
) -> list[Cause]:
    """The cause `text`, with the group that misses a permission, where a port is closed between two hosts."""
    found: Way = answering.way(topology, source, destination, port)
    if found.open:
        return []
    which = " and ".join(found.groups)
    line = found.line or topology.service.line
    return [Cause(f"{text} ({which} has no {found.missing} permission for it)", line, fix)]
