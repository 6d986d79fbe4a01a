"""Why nobody, or the wrong ones, get to Keycloak, and why it doesn't know who they are."""

from __future__ import annotations

import ipaddress
from collections.abc import Callable, Iterable, Sequence

from generator.drilling import answering
from generator.drilling.admin import Try
from generator.drilling.answering import Asked
from generator.drilling.causes.template import closed
from generator.drilling.places import Places, option, option_line
from generator.drilling.promises import Cause
from generator.errors import CatalogError
from generator.keycloak import facts
from generator.rehearsing.topology import Host, Rule, TargetGroup, Topology


def unserved(topology: Topology) -> tuple[Cause, ...]:
    """Why the balancer finds no healthy task."""
    found: list[Cause] = []
    task = topology.keycloak
    for balancer in topology.balancers:
        for group in topology.target_groups:
            ports = {group.port: "requests"}
            ports.setdefault(group.health_port or group.port, "health checks")
            for port, what in ports.items():
                found += closed(topology, balancer.host, _slot(topology), port,
                                 f"port {port} is closed from the balancer to the tasks: {what} don't arrive",
                                 f"permit TCP {port} from the balancer's security group to the tasks'")
    for group in topology.target_groups:
        found += _health(topology, group)
    if topology.database is not None and topology.database_host is not None:
        port = topology.database.port
        found += closed(topology, _slot(topology), topology.database_host, port,
                         f"port {port} is closed from the tasks to the database",
                         f"permit TCP {port} from the tasks' security group to the database's")
    if option(task, "http-enabled") != "true" and any(
        group.protocol == "HTTP" for group in topology.target_groups
    ):
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
    # Health follows http-relative-path, and from 25 on a path of its own (server guide, "Configuring the
    # management interface"; measured on 26.7.4).
    base = (option(task, "http-management-relative-path") if default else None) or \
        option(task, "http-relative-path") or ""
    expected = "/".join(["", *filter(None, base.split("/")), "health", "ready"])
    found = []
    asked = group.health_port or group.port
    if any(asked in one.ports for one in topology.task.containers if one.name != topology.task.keycloak):
        # Another container of the task answers there; what it does with paths stands nowhere.
        return []
    if asked != port and "/health" in group.health_path:
        found.append(
            Cause(
                f"the balancer checks health on port {asked}, and Keycloak answers on port {port}",
                line,
                f'write HealthCheckPort: "{port}"',
            )
        )
    if "/health" in group.health_path and group.health_path.split("?")[0] != expected:
        found.append(
            Cause(
                f"the balancer asks for {group.health_path}, and Keycloak answers on {expected}",
                line,
                f"write HealthCheckPath: {expected}",
            )
        )
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
        found.append(
            Cause(
                f"no rule lets the {what} through: {one.method} {one.url} {_from(one.vantage)} is answered "
                f"by {answering.named(rule)} with {_action(rule)}",
                _line(rule),
                f"add a listener rule that forwards {_paths(one.url, places)} of {_host(one.url) or host} from "
                "the administrators' networks",
            )
        )
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
        found.append(
            Cause(
                f"{answering.named(rule)} matches the path as it is written, and Keycloak {version} resolves it "
                f"to {what}: a path guard is missing",
                _line(rule),
                f"add a rule before it that refuses `//`, `/./`, `/../`, `;` and their encoded forms, or use "
                f"Keycloak {normal} or newer",
            )
        )
    elif not rule.conditions:
        found.append(
            Cause(
                f"{answering.named(rule)} forwards everything that no rule names, {asked.path} among it",
                _line(rule),
                "make the default action a fixed response 404, and forward only what the "
                "reverse proxy guide exposes",
            )
        )
    else:
        found.append(
            Cause(
                f"{answering.named(rule)} forwards {asked.path} of {asked.host} {_from(asked.door.vantage)}",
                _line(rule),
                "narrow its paths to what the reverse proxy guide exposes, or its source "
                "addresses to the administrators' networks",
            )
        )
    return tuple(found)


def hidden(topology: Topology, asked: Asked) -> tuple[Cause, ...]:
    """Why a request that should reach Keycloak doesn't."""
    rule = answering.rule_of(topology, asked)
    if rule is None:
        return ()
    if rule.action.kind == "forward":
        return unserved(topology)
    return (
        Cause(
            f"{answering.named(rule)} answers {asked.path} of {asked.host} {_from(asked.door.vantage)} with "
            f"{_action(rule)}",
            _line(rule),
            f"add a listener rule that forwards {asked.path}",
        ),
    )


def proxy_headers(topology: Topology) -> tuple[Cause, ...]:
    """Why Keycloak doesn't know that a request came with HTTPS, or from whom."""
    task = topology.keycloak
    value = option(task, "proxy-headers")
    found = []
    if value is None and option(task, "proxy") is None:
        found.append(
            Cause(
                "KC_PROXY_HEADERS isn't set: Keycloak doesn't believe the balancer that requests came with "
                "HTTPS",
                option_line(task, "proxy-headers"),
                "set KC_PROXY_HEADERS to xforwarded",
            )
        )
    elif value == "forwarded":
        found.append(
            Cause(
                "KC_PROXY_HEADERS is forwarded: a client's own Forwarded header passes the balancer and is "
                "believed",
                option_line(task, "proxy-headers"),
                "set KC_PROXY_HEADERS to xforwarded",
            )
        )
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
        found.append(
            Cause(
                f"no rule refuses requests that bring {header} of their own, and the balancer passes it on",
                _line(rule),
                f"add a rule before it: http-header {header} `*`, fixed response 400",
            )
        )
    return tuple(found)


def unsteady(topology: Topology) -> tuple[Cause, ...]:
    """Why a login doesn't stay with its node."""
    return tuple(
        Cause(
            "sticky sessions are off in the target group",
            group.line,
            "write stickiness.enabled: true and stickiness.type: lb_cookie",
        )
        for group in topology.target_groups
        if group.stickiness is None and not group.application_cookie
    )


def hostname(topology: Topology) -> tuple[Cause, ...]:
    """Why URLs in Keycloak's answers are not the template's."""
    task = topology.keycloak
    names = ("hostname", "hostname-url")
    if not any(option(task, name) for name in names):
        return (
            Cause(
                "no host name is set: Keycloak takes whatever a request says",
                option_line(task, *names),
                "set KC_HOSTNAME to the full public URL",
            ),
        )
    return proxy_headers(topology)


def _slot(topology: Topology) -> Host:
    return topology.slots[0]


def _within(host: Host, network: str) -> bool:
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
    return (
        f"{places.public.base}/realms/master/*"
        if "/realms/master/" in url
        else f"{places.console.base}/admin/*"
    )


def _unique(tries: Iterable[Try], key: Callable[[Try], str]) -> list[Try]:
    found: dict[str, Try] = {}
    for one in tries:
        found.setdefault(key(one), one)
    return list(found.values())
