"""Why a promise is broken: what the template itself proves about it, each with the line that makes it so.

Every function takes what was seen for granted and hands back the causes that fit, the likeliest first. What can't be
proved from the template or from a log line isn't named.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Sequence

from generator.drilling import answering
from generator.drilling.admin import Try
from generator.drilling.answering import Asked, Way
from generator.drilling.places import Places, option, option_line
from generator.drilling.promises import Cause
from generator.errors import CatalogError
from generator.keycloak import facts
from generator.rehearsing.topology import Host, Rule, TargetGroup, Topology

TRANSPORT_PORT, DETECTION_OFFSET = 7800, 50000
"""JGroups' port in the shipped stacks, and how far above it FD_SOCK2 listens (default-jgroups-kubernetes.xml)."""
HEARTBEATS = 40
"""Seconds without a heartbeat after which the shipped stacks suspect a node (FD_ALL3, measured: 41 to 42 s)."""

_JAVA_OPTIONS = ("JAVA_OPTS_APPEND", "JAVA_OPTS", "JAVA_OPTS_KC_HEAP")
_MULTICAST = ("udp", "tcp", "jdbc-ping-udp")


# --- Tasks that don't find each other --------------------------------------------------------------------------------


def apart(topology: Topology, complaints: Sequence[str] = ()) -> tuple[Cause, ...]:
    """Why tasks are not in one view."""
    task = topology.keycloak
    found: list[Cause] = []
    port = transport_port(topology)
    if option(task, "cache") == "local":
        found.append(Cause("KC_CACHE is local: the nodes form no cluster", option_line(task, "cache"),
                           "write ispn, or leave KC_CACHE out"))
    if "start-dev" in (task.command or ()):
        found.append(Cause("start-dev keeps its caches to itself: the nodes form no cluster", task.line, "write start"))
    query = java_property(topology, "jgroups.dns.query")
    stack = cache_stack(topology)
    if stack in _MULTICAST:
        found.append(Cause(f"the nodes look for each other with the cache stack {stack}, which needs multicast, and a "
                           "VPC carries none", option_line(task, "cache-stack"),
                           "set KC_CACHE_STACK to kubernetes (DNS), or from 26.1 on to jdbc-ping (database)"))
    if stack == "kubernetes" or query:
        found += _by_dns(topology, query)
    found += _between_tasks(topology, port, f"port {port} is closed between tasks: the nodes can't reach each other")
    for text in complaints:
        if "dns_query can not be null" in text and not query:
            found.append(Cause(f"a node says: {text[:160]}", option_line(task, *_JAVA_OPTIONS),
                               "set -Djgroups.dns.query in JAVA_OPTS_APPEND to the discovery name"))
            break
    found += _encryption(topology, complaints)
    return tuple(found)


def _by_dns(topology: Topology, query: str) -> list[Cause]:
    task, discovery = topology.keycloak, topology.discovery
    line = option_line(task, *_JAVA_OPTIONS)
    if not query:
        return [Cause("the nodes are to find each other through DNS, and no name to ask for is set "
                      "(-Djgroups.dns.query)", line, "set it in JAVA_OPTS_APPEND to the discovery name")]
    if discovery is None:
        return [Cause(f"the nodes ask DNS for {query}, and the ECS service registers its tasks nowhere",
                      topology.service.line, "give the service ServiceRegistries with the Cloud Map service")]
    found = []
    if query.rstrip(".").lower() != discovery.name.rstrip(".").lower():
        found.append(Cause(f"the nodes ask DNS for {query}, and Cloud Map knows the tasks as {discovery.name}", line,
                           f"write -Djgroups.dns.query={discovery.name}"))
    if discovery.routing == "WEIGHTED":
        found.append(Cause("Cloud Map answers with one task only (RoutingPolicy WEIGHTED)", discovery.line,
                           "write RoutingPolicy: MULTIVALUE"))
    if discovery.record_type != "A":
        found.append(Cause(f"Cloud Map registers {discovery.record_type} records, and the nodes ask for A records",
                           discovery.line, "write DnsRecords: [{Type: A, TTL: 10}]"))
    if discovery.ttl > 60:
        found.append(Cause(f"an answer without the other nodes lives for {discovery.ttl} s in DNS caches (TTL)",
                           discovery.line, "write a TTL of 10"))
    return found


def _encryption(topology: Topology, complaints: Sequence[str]) -> list[Cause]:
    telling = next((text for text in complaints if "JGRP" in text or "jgroups" in text.lower()
                    if re.search(r"SSL|TLS|handshake|certificate", text)), "")
    if not telling:
        return []
    return [Cause(f"the nodes' connections break off while they agree on encryption: {telling[:160]}",
                  option_line(topology.keycloak, "cache-embedded-mtls-enabled"),
                  "set KC_CACHE_EMBEDDED_MTLS_ENABLED to the same for every node")]


# --- A lost node that is noticed late --------------------------------------------------------------------------------


def late(topology: Topology, how: str, seconds: float | None) -> tuple[Cause, ...]:
    """Why the others kept a lost node in their view: `how` is `killed`, `stopped`, `frozen`, `lost` or `cut off`,
    `seconds` how long it took, None where they never let it go."""
    found: list[Cause] = []
    if how in ("killed", "stopped"):
        port = transport_port(topology) + DETECTION_OFFSET
        found += _between_tasks(
            topology, port, f"port {port} is closed between tasks: nobody notices that a node's connection broke (JGroups "
            f"FD_SOCK2), so that the heartbeats decide after {HEARTBEATS} s")
    elif shipped_stack(topology):
        found.append(Cause(
            f"the shipped cache stack suspects a node that is silent after {HEARTBEATS} s (JGroups FD_ALL3)",
            option_line(topology.keycloak, "cache-stack", "cache"),
            "use a cache file with a stack of your own whose FD_ALL3 has a shorter time-out (optimized image)"))
    return tuple(found)


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
            found.append(Cause("the balancer cuts off requests under way at once (deregistration delay 0)", group.line,
                               "write deregistration_delay.timeout_seconds: 30 or more"))
    if task.stop_timeout < 10:
        found.append(Cause(f"ECS kills a container {task.stop_timeout} s after asking it to stop", task.line,
                           "write StopTimeout: 30 or more"))
    return tuple(found)


# --- Nobody, or the wrong ones, get to Keycloak ----------------------------------------------------------------------


def unserved(topology: Topology) -> tuple[Cause, ...]:
    """Why the balancer finds no healthy task."""
    found: list[Cause] = []
    task = topology.keycloak
    for balancer in topology.balancers:
        for group in topology.target_groups:
            ports = {group.port: "requests"}
            ports.setdefault(group.health_port or group.port, "health checks")
            for port, what in ports.items():
                found += _closed(topology, balancer.host, _slot(topology), port,
                                 f"port {port} is closed from the balancer to the tasks: {what} don't arrive",
                                 f"permit TCP {port} from the balancer's security group to the tasks'")
    for group in topology.target_groups:
        found += _health(topology, group)
    if topology.database is not None and topology.database_host is not None:
        port = topology.database.port
        found += _closed(topology, _slot(topology), topology.database_host, port,
                         f"port {port} is closed from the tasks to the database",
                         f"permit TCP {port} from the tasks' security group to the database's")
    if option(task, "http-enabled") != "true" and any(group.protocol == "HTTP" for group in topology.target_groups):
        found.append(Cause("the balancer speaks HTTP to the tasks, and Keycloak listens for HTTPS only",
                           option_line(task, "http-enabled"), "set KC_HTTP_ENABLED to true"))
    return tuple(found)


def _health(topology: Topology, group: TargetGroup) -> list[Cause]:
    task = topology.keycloak
    line = group.health_line or group.line
    if option(task, "health-enabled") != "true" and "/health" in group.health_path:
        return [Cause(f"the balancer asks for {group.health_path}, and health checks are off in Keycloak",
                      option_line(task, "health-enabled"), "set KC_HEALTH_ENABLED to true")]
    try:
        default = facts.management_port(topology.version)
    except CatalogError:
        return []
    apart_ = option(task, "legacy-observability-interface") == "true" or \
        option(task, "http-management-health-enabled") == "false"
    main = int(option(task, "http-port") or 8080)
    port = main if default is None or apart_ else int(option(task, "http-management-port") or default)
    # Health follows http-relative-path, and from 25 on a path of its own (server guide, "Configuring the management
    # interface"; measured on 26.7.4).
    base = (option(task, "http-management-relative-path") if default else None) or \
        option(task, "http-relative-path") or ""
    expected = "/".join(["", *filter(None, base.split("/")), "health", "ready"])
    found = []
    asked = group.health_port or group.port
    if asked != port and "/health" in group.health_path:
        found.append(Cause(f"the balancer checks health on port {asked}, and Keycloak answers on port {port}", line,
                           f"write HealthCheckPort: \"{port}\""))
    if "/health" in group.health_path and group.health_path.split("?")[0] != expected:
        found.append(Cause(f"the balancer asks for {group.health_path}, and Keycloak answers on {expected}", line,
                           f"write HealthCheckPath: {expected}"))
    return found


def locked_out(topology: Topology, tries: Sequence[Try], places: Places) -> tuple[Cause, ...]:
    """Why the administrator got nowhere: who answered in Keycloak's place."""
    found: list[Cause] = []
    host = places.console.host
    passed = {one.url for one in tries if one.rule is not None and one.rule.action.kind == "forward"}
    blocked = [one for one in tries if one.rule is not None and one.url not in passed]
    # What an administrator would meet says more than what the internet does.
    blocked.sort(key=lambda one: one.vantage == "internet")
    for one in _unique(blocked, key=lambda one: one.url.split("?")[0]):
        rule = one.rule
        what = "login at the master realm" if "/realms/master/" in one.url else "admin REST API"
        found.append(Cause(
            f"no rule lets the {what} through: {one.method} {one.url} {_from(one.vantage)} is answered by "
            f"{answering.named(rule)} with {_action(rule)}", _line(rule),
            f"add a listener rule that forwards {_paths(one.url, places)} of {_host(one.url) or host} from the "
            "administrators' networks"))
    if not found and any(one.url in passed and one.status in (0, 502, 503, 504) for one in tries):
        found += unserved(topology)
    return tuple(found)


def exposed(topology: Topology, asked: Asked, what: str, places: Places) -> tuple[Cause, ...]:
    """Why a request that shouldn't reach Keycloak's `what` does."""
    rule = answering.rule_of(topology, asked)
    if rule is None or rule.action.kind != "forward":
        return ()
    found = []
    version = places.version
    plain = answering.rule_of(topology, Asked(asked.host, f"{places.public.base}/admin/", asked.door))
    if version is not None and facts.path_parameters_reach_admin(version) and plain is not None \
            and plain.action.kind != "forward":
        normal = "26.4.3" if facts.path_tricks_reach_admin(version) else "26.6.0"
        found.append(Cause(
            f"{answering.named(rule)} matches the path as it is written, and Keycloak {version} resolves it to "
            f"{what}: a path guard is missing", _line(rule),
            f"add a rule before it that refuses `//`, `/./`, `/../`, `;` and their encoded forms, or use Keycloak "
            f"{normal} or newer"))
    elif not rule.conditions:
        found.append(Cause(f"{answering.named(rule)} forwards everything that no rule names, {asked.path} among it",
                           _line(rule), "make the default action a fixed response 404, and forward only what the "
                           "reverse proxy guide exposes"))
    else:
        found.append(Cause(f"{answering.named(rule)} forwards {asked.path} of {asked.host} {_from(asked.door.vantage)}",
                           _line(rule), "narrow its paths to what the reverse proxy guide exposes, or its source "
                           "addresses to the administrators' networks"))
    return tuple(found)


def hidden(topology: Topology, asked: Asked) -> tuple[Cause, ...]:
    """Why a request that should reach Keycloak doesn't."""
    rule = answering.rule_of(topology, asked)
    if rule is None:
        return ()
    if rule.action.kind == "forward":
        return unserved(topology)
    return (Cause(f"{answering.named(rule)} answers {asked.path} of {asked.host} {_from(asked.door.vantage)} with "
                  f"{_action(rule)}", _line(rule), f"add a listener rule that forwards {asked.path}"),)


def proxy_headers(topology: Topology) -> tuple[Cause, ...]:
    """Why Keycloak doesn't know that a request came with HTTPS, or from whom."""
    task = topology.keycloak
    value = option(task, "proxy-headers")
    found = []
    if value is None and option(task, "proxy") is None:
        found.append(Cause("KC_PROXY_HEADERS isn't set: Keycloak doesn't believe the balancer that requests came with "
                           "HTTPS", option_line(task, "proxy-headers"), "set KC_PROXY_HEADERS to xforwarded"))
    elif value == "forwarded":
        found.append(Cause("KC_PROXY_HEADERS is forwarded: a client's own Forwarded header passes the balancer and is "
                           "believed", option_line(task, "proxy-headers"), "set KC_PROXY_HEADERS to xforwarded"))
    trusted = option(task, "proxy-trusted-addresses")
    if trusted:
        outside = [balancer for balancer in topology.balancers
                   if not any(_within(balancer.host, network) for network in trusted.split(","))]
        if outside:
            found.append(Cause(f"KC_PROXY_TRUSTED_ADDRESSES ({trusted}) doesn't hold the balancer's address "
                               f"{outside[0].host.address}", option_line(task, "proxy-trusted-addresses"),
                               "name the balancer's subnets"))
    return tuple(found)


def forged(topology: Topology, header: str, asked: Asked) -> tuple[Cause, ...]:
    """Why a header that a client made up is believed."""
    rule = answering.rule_of(topology, asked)
    found = list(proxy_headers(topology))
    if rule is not None and rule.action.kind == "forward":
        found.append(Cause(f"no rule refuses requests that bring {header} of their own, and the balancer passes it on",
                           _line(rule), f"add a rule before it: http-header {header} `*`, fixed response 400"))
    return tuple(found)


def unsteady(topology: Topology) -> tuple[Cause, ...]:
    """Why a login doesn't stay with its node."""
    return tuple(Cause("sticky sessions are off in the target group", group.line,
                       "write stickiness.enabled: true and stickiness.type: lb_cookie")
                 for group in topology.target_groups if group.stickiness is None and not group.application_cookie)


def hostname(topology: Topology) -> tuple[Cause, ...]:
    """Why URLs in Keycloak's answers are not the template's."""
    task = topology.keycloak
    names = ("hostname", "hostname-url")
    if not any(option(task, name) for name in names):
        return (Cause("no host name is set: Keycloak takes whatever a request says", option_line(task, *names),
                      "set KC_HOSTNAME to the full public URL"),)
    return proxy_headers(topology)


def deployment(topology: Topology) -> tuple[Cause, ...]:
    """Why a rolling deployment takes away more tasks than it may."""
    service = topology.service
    if service.minimum_percent < 100:
        return (Cause(f"MinimumHealthyPercent {service.minimum_percent} lets a deployment stop tasks before their "
                      f"successors are there", service.line, "write MinimumHealthyPercent: 100"),)
    return ()


def forgotten(topology: Topology, places: Places) -> tuple[Cause, ...]:
    """Why sessions are gone when all nodes were."""
    task = topology.keycloak
    off = option(task, "features-disabled") or ""
    if "persistent-user-sessions" in off:
        return (Cause("the feature persistent-user-sessions is off: sessions live in memory",
                      option_line(task, "features-disabled"), "take it out of KC_FEATURES_DISABLED"),)
    return ()


# --- What the template says ------------------------------------------------------------------------------------------


def java_property(topology: Topology, name: str) -> str:
    """A Java system property of the Keycloak container; empty where it isn't set."""
    task = topology.keycloak
    words = " ".join([*(task.variable(variable) or "" for variable in _JAVA_OPTIONS), *(task.command or ())])
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


def _between_tasks(topology: Topology, port: int, text: str) -> list[Cause]:
    if len(topology.slots) < 2:
        return []
    return _closed(topology, topology.slots[0], topology.slots[1], port, text,
                   f"permit TCP {port} from the tasks' security group to itself, in and out")


def _closed(topology: Topology, source: Host, destination: Host, port: int, text: str, fix: str) -> list[Cause]:
    found: Way = answering.way(topology, source, destination, port)
    if found.open:
        return []
    which = " and ".join(found.groups)
    line = found.line or topology.service.line
    return [Cause(f"{text} ({which} has no {found.missing} permission for it)", line, fix)]


def _slot(topology: Topology) -> Host:
    return topology.slots[0]


def _within(host: Host, network: str) -> bool:
    import ipaddress

    try:
        return host.address in ipaddress.ip_network(network.strip(), strict=False)
    except (ValueError, TypeError):
        return False


def _action(rule: Rule | None) -> str:
    if rule is None:
        return "nothing"
    if rule.action.kind == "fixed-response":
        return f"a fixed {rule.action.status}"
    return f"a {rule.action.kind}"


def _line(rule: Rule | None) -> int:
    return 0 if rule is None else rule.line or rule.action.line


def _from(vantage: str) -> str:
    return {"internet": "from the internet", "admin": "from the admin network",
            "inside": "from inside the VPC"}.get(vantage, f"from {vantage}")


def _host(url: str) -> str:
    return url.split("://", 1)[-1].split("/", 1)[0]


def _paths(url: str, places: Places) -> str:
    return f"{places.public.base}/realms/master/*" if "/realms/master/" in url else f"{places.console.base}/admin/*"


def _unique(tries: Iterable[Try], key: Callable[[Try], str]) -> list[Try]:
    found: dict[str, Try] = {}
    for one in tries:
        found.setdefault(key(one), one)
    return list(found.values())
