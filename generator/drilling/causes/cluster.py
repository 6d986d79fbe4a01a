"""Why nodes don't find each other, let a lost one go late, or lose what they should keep."""

from __future__ import annotations

import re
from collections.abc import Sequence

from generator.drilling.causes.template import (
    JAVA_OPTIONS,
    cache_stack,
    closed,
    java_property,
    shipped_stack,
    transport_port,
)
from generator.drilling.places import Places, option, option_line
from generator.drilling.promises import Cause
from generator.drilling.views import Seen
from generator.rehearsing.topology import LONGEST_KEPT, Topology

DETECTION_OFFSET = 50_000
"""How far above JGroups' port FD_SOCK2 listens (default-jgroups-kubernetes.xml)."""
HEARTBEATS = 40
"""Seconds without a heartbeat after which the shipped stacks suspect a node (FD_ALL3; measured: 41 to 42)."""

SILENCE = 15.0
"""Seconds that a node which falls silent may cost."""
SHIPPED_SILENCE = 60.0
"""The same where the shipped stacks decide: their heartbeats, and the time it takes to agree on a new view
(measured on 26.7.4: 41 to 48 s)."""

_STARTS_IN = 30
"""Seconds that a task takes at least until its node looks for the others (Fargate places it, pulls the image and
starts Java)."""
_KEPT = 60
"""Seconds that an answer may be used again before it explains why nodes don't find each other."""
_MULTICAST = ("udp", "tcp", "jdbc-ping-udp")


def apart(topology: Topology, complaints: Sequence[str] = ()) -> tuple[Cause, ...]:
    """Why tasks are not in one view."""
    task = topology.keycloak
    found: list[Cause] = []
    port = transport_port(topology)
    if option(task, "cache") == "local":
        found.append(Cause("KC_CACHE is local: the nodes form no cluster", option_line(task, "cache"),
                           "write ispn, or leave KC_CACHE out"))
    if "start-dev" in (task.command or ()):
        found.append(
            Cause("start-dev keeps its caches to itself: the nodes form no cluster", task.line, "write start")
        )
    query = java_property(topology, "jgroups.dns.query")
    stack = cache_stack(topology)
    if stack in _MULTICAST:
        found.append(
            Cause(
                f"the nodes look for each other with the cache stack {stack}, which needs multicast, and a "
                "VPC carries none",
                option_line(task, "cache-stack"),
                "set KC_CACHE_STACK to kubernetes (DNS), or from 26.1 on to jdbc-ping (database)",
            )
        )
    if stack == "kubernetes" or query:
        found += _by_dns(topology, query)
    found += _between_tasks(
        topology, port, f"port {port} is closed between tasks: the nodes can't reach each other"
    )
    for text in complaints:
        if "dns_query can not be null" in text and not query:
            found.append(Cause(f"a node says: {text[:160]}", option_line(task, *JAVA_OPTIONS),
                               "set -Djgroups.dns.query in JAVA_OPTS_APPEND to the discovery name"))
            break
    found += _encryption(topology, complaints)
    return tuple(found)


def _by_dns(topology: Topology, query: str) -> list[Cause]:
    task, discovery = topology.keycloak, topology.discovery
    line = option_line(task, *JAVA_OPTIONS)
    if not query:
        return [Cause("the nodes are to find each other through DNS, and no name to ask for is set "
                      "(-Djgroups.dns.query)", line, "set it in JAVA_OPTS_APPEND to the discovery name")]
    if discovery is None:
        return [Cause(f"the nodes ask DNS for {query}, and the ECS service registers its tasks nowhere",
                      topology.service.line, "give the service ServiceRegistries with the Cloud Map service")]
    found = []
    if query.rstrip(".").lower() != discovery.name.rstrip(".").lower():
        found.append(
            Cause(
                f"the nodes ask DNS for {query}, and Cloud Map knows the tasks as {discovery.name}",
                line,
                f"write -Djgroups.dns.query={discovery.name}",
            )
        )
    if discovery.routing == "WEIGHTED":
        found.append(Cause("Cloud Map answers with one task only (RoutingPolicy WEIGHTED)", discovery.line,
                           "write RoutingPolicy: MULTIVALUE"))
    if discovery.record_type != "A":
        found.append(
            Cause(
                f"Cloud Map registers {discovery.record_type} records, and the nodes ask for A records",
                discovery.line,
                "write DnsRecords: [{Type: A, TTL: 10}]",
            )
        )
    if discovery.ttl > _KEPT:
        found.append(
            Cause(
                f"an answer without the other nodes lives for {discovery.ttl} s in DNS caches (TTL)",
                discovery.line,
                "write a TTL of 10",
            )
        )
    if discovery.negative_ttl > _KEPT:
        found.append(
            Cause(
                "that there is no such name, which the first node hears before a task is healthy, lives for "
                f"{min(discovery.negative_ttl, LONGEST_KEPT)} s in DNS caches and hides every node until then",
                discovery.namespace_line or discovery.line,
                "write Properties: {DnsProperties: {SOA: {TTL: 10}}} in the namespace",
            )
        )
    return found


def _encryption(topology: Topology, complaints: Sequence[str]) -> list[Cause]:
    telling = next((text for text in complaints if "JGRP" in text or "jgroups" in text.lower()
                    if re.search(r"SSL|TLS|handshake|certificate", text)), "")
    if not telling:
        return []
    return [Cause(f"the nodes' connections break off while they agree on encryption: {telling[:160]}",
                  option_line(topology.keycloak, "cache-embedded-mtls-enabled"),
                  "set KC_CACHE_EMBEDDED_MTLS_ENABLED to the same for every node")]


def late(topology: Topology, how: str, seconds: float | None) -> tuple[Cause, ...]:
    """Why the others kept a lost node in their view: `how` is `killed`, `stopped`, `frozen`, `lost` or `cut
    off`, `seconds` how long it took, None where they never let it go."""
    found: list[Cause] = []
    if how in ("killed", "stopped"):
        port = transport_port(topology) + DETECTION_OFFSET
        found += _between_tasks(
            topology,
            port,
            f"port {port} is closed between tasks: nobody notices that a node's connection broke (JGroups "
            f"FD_SOCK2), so that the heartbeats decide after {HEARTBEATS} s",
        )
    elif shipped_stack(topology):
        found.append(
            Cause(
                f"the shipped cache stack suspects a silent node after {HEARTBEATS} s (JGroups FD_ALL3)",
                option_line(topology.keycloak, "cache-stack", "cache"),
                "use a cache file with a stack of your own whose FD_ALL3 is quicker (optimized image)",
            )
        )
    return tuple(found)


def unwatched(topology: Topology, lost: str, before: Sequence[Seen]) -> tuple[Cause, ...]:
    """Why nobody noticed that the connection of the node `lost` broke although its port is open; `before` are the
    views of the others from before.

    Nodes that merge connect to each other's FD_SOCK2 at once; where both do in the same milliseconds, the one with
    the lesser address is refused, waits a second for each of four ports, closes the connection that the other one
    had made, and is taken for dead. Whether it is put out and merged again or not, neither need connect any more
    (traced on Keycloak 26.4.7 with JGroups 5.3.16; there, on 24.0.5, 26.0.8 and 26.5.5 heartbeats noticed six of
    seven kills; `FD_SOCK2.unsuspect` asks for a node to watch, and `connectToNextPingDest` sees that it is the same
    one as before; why one is refused: JGRP-2987).
    """
    for view in reversed(before):
        if view.merged and lost in view.members:
            return (
                Cause(
                    f"{view.task} and the lost node had started apart and merged. Nodes that merge connect to each "
                    "other's failure detection at once; one of them is refused and doesn't try again (JGroups "
                    "FD_SOCK2), so that only the heartbeats notice a loss",
                    option_line(topology.keycloak, "cache-stack", "cache"),
                    "replace the tasks once after they have merged (a new deployment): a node that joins is watched",
                ),
            )
    return ()


def silence(topology: Topology) -> tuple[float, str]:
    """How long a node that falls silent may cost in seconds, and what would make it less; empty where nothing
    would."""
    if not shipped_stack(topology):
        return SILENCE, ""
    return SHIPPED_SILENCE, (f"the shipped cache stack suspects a silent node after {HEARTBEATS} s; a stack of your own "
                             f"(optimized image) makes it {SILENCE:.0f} s at most")


def alone(topology: Topology) -> tuple[Cause, ...]:
    """Why a task that starts while another one is being stopped makes a cluster of its own.

    A node asks those that DNS names for their leader, and hears of none if the leader isn't named (JGroups,
    ClientGmsImpl); the shipped stacks answer for themselves only (Discovery.return_entire_cache).
    """
    if not shipped_stack(topology) or cache_stack(topology) != "kubernetes":
        return apart(topology)
    found = [
        Cause(
            "Cloud Map forgets a task when ECS begins to stop it, and one that leads the cluster stays in it for "
            f"{group.deregistration_delay} s more: a task that starts meanwhile finds nobody who leads",
            group.line,
            "write deregistration_delay.timeout_seconds: 20, or use a stack of your own with "
            '<dns.DNS_PING return_entire_cache="true"> (optimized image)',
        )
        for group in topology.target_groups
        if group.deregistration_delay > _STARTS_IN
    ]
    return (*found[:1], *apart(topology))


def served_late(topology: Topology, limit: float) -> tuple[Cause, ...]:
    """Why the balancer goes on sending requests to a node that is lost."""
    found = []
    for group in topology.target_groups:
        seconds = group.interval * group.unhealthy + group.timeout
        if seconds > limit:
            found.append(Cause(
                f"the balancer takes up to {seconds} s to notice a node that doesn't answer "
                f"({group.unhealthy} checks, {group.interval} s apart, {group.timeout} s each)",
                group.health_line or group.line,
                "lower HealthCheckIntervalSeconds, HealthCheckTimeoutSeconds or UnhealthyThresholdCount"))
    return tuple(found)


def abrupt(topology: Topology) -> tuple[Cause, ...]:
    """Why a node that is stopped in order fails requests."""
    found = []
    task = topology.keycloak
    for group in topology.target_groups:
        if group.deregistration_delay == 0:
            found.append(
                Cause(
                    "the balancer cuts off requests under way at once (deregistration delay 0)",
                    group.line,
                    "write deregistration_delay.timeout_seconds: 30 or more",
                )
            )
    if task.stop_timeout < 10:
        found.append(Cause(f"ECS kills a container {task.stop_timeout} s after asking it to stop", task.line,
                           "write StopTimeout: 30 or more"))
    return tuple(found)


def deployment(topology: Topology) -> tuple[Cause, ...]:
    """Why a rolling deployment takes away more tasks than it may."""
    service = topology.service
    if service.minimum_percent < 100:
        return (
            Cause(
                f"MinimumHealthyPercent {service.minimum_percent} lets a deployment stop tasks before their "
                f"successors are there",
                service.line,
                "write MinimumHealthyPercent: 100",
            ),
        )
    return ()


def forgotten(topology: Topology, places: Places) -> tuple[Cause, ...]:
    """Why sessions are gone when all nodes were."""
    task = topology.keycloak
    off = option(task, "features-disabled") or ""
    if "persistent-user-sessions" in off:
        return (Cause("the feature persistent-user-sessions is off: sessions live in memory",
                      option_line(task, "features-disabled"), "take it out of KC_FEATURES_DISABLED"),)
    return ()


def _between_tasks(topology: Topology, port: int, text: str) -> list[Cause]:
    if len(topology.slots) < 2:
        return []
    return closed(topology, topology.slots[0], topology.slots[1], port, text,
                   f"permit TCP {port} from the tasks' security group to itself, in and out")
