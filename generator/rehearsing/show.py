"""A topology for people, and as plain data for programs. Values of secrets are never in it."""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Any

from generator.rehearsing.addresses import network
from generator.rehearsing.topology import (
    EVERY_PORT,
    Action,
    Balancer,
    Condition,
    Container,
    Host,
    Permission,
    Rule,
    SecretField,
    TargetGroup,
    Topology,
)

_WORLD = "0.0.0.0/0"

# What a template shows in plain text although it shouldn't is a secret all the same.
_HIDDEN_NAME = re.compile(r"PASSWORD|PASSWD|SECRET|TOKEN|CREDENTIAL|PRIVATE|(^|_)KEY$", re.IGNORECASE)
_HIDDEN_PART = re.compile(r"((?:password|passwd|secret|token)[a-z-]*=)[^\s&;,\"']+", re.IGNORECASE)
_HIDDEN = "(hidden)"


def describe(topology: Topology) -> dict[str, Any]:
    """The topology as JSON-able data; addresses and networks as text, a secret as where it comes from."""
    database = topology.database
    return {
        "name": topology.name,
        "file": topology.file,
        "region": topology.region,
        "keycloak_version": topology.version,
        "vpc": str(topology.vpc),
        "resolver": str(topology.resolver),
        "subnets": {one.name: str(one.network) for one in topology.subnets},
        "hosts": [_host(topology, host) for host in topology.hosts],
        "service": {
            "logical_id": topology.service.logical_id,
            "desired": topology.service.desired,
            "at_least": topology.service.at_least,
            "at_most": topology.service.at_most,
            "grace_period": topology.service.grace_period,
            "line": topology.service.line,
        },
        "task": {
            "logical_id": topology.task.logical_id,
            "family": topology.task.family,
            "cpu": topology.task.cpu,
            "memory": topology.task.memory,
            "keycloak": topology.task.keycloak,
            "containers": [_container(one) for one in topology.task.containers],
            "line": topology.task.line,
        },
        "discovery": topology.discovery
        and {
            "name": topology.discovery.name,
            "ttl": topology.discovery.ttl,
            "negative_ttl": topology.discovery.negative_ttl,
            "routing": topology.discovery.routing,
            "record_type": topology.discovery.record_type,
            "by_health": topology.discovery.by_health,
            "line": topology.discovery.line,
        },
        "database": database
        and {
            "host": database.host,
            "port": database.port,
            "major": database.major,
            "name": database.name,
            "username": _secret(database.username, shown=True),
            "password": _secret(database.password),
            "force_tls": database.force_tls,
            "max_connections": database.max_connections,
            "exists_already": not database.logical_id,
            "line": database.line,
        },
        "balancers": [_balancer(one) for one in topology.balancers],
        "target_groups": [_target_group(one) for one in topology.target_groups],
        "permissions": [_permission(one) for one in topology.permissions],
        "notes": list(topology.notes),
    }


def as_text(topology: Topology) -> str:
    """The topology to be read; ends with a line break."""
    return (
        "\n".join(
            line
            for title, lines in (
                ("", _heading(topology)),
                ("Hosts", _hosts(topology)),
                ("Who may talk to whom", _ways(topology)),
                *(
                    (f"Balancer {one.logical_id} ({one.host.address})", _doors(topology, one))
                    for one in topology.balancers
                ),
                ("Discovery", _discovery(topology)),
                ("Database", _database(topology)),
                *((f"Container {one.name}", _inside(topology, one)) for one in topology.task.containers),
                ("Settled by guessing", [f"- {note}" for note in topology.notes]),
            )
            if lines
            for line in (["", title] if title else []) + [f"  {line}" if title else line for line in lines]
        )
        + "\n"
    )


# --- data ---


def _host(topology: Topology, host: Host) -> dict[str, Any]:
    found = {"name": host.name, "address": str(host.address), "groups": list(host.groups)}
    if host.hostname:
        found["hostname"] = host.hostname
    if host in topology.slots:
        found["started"] = topology.slots.index(host) < topology.service.desired
    return found


def _container(container: Container) -> dict[str, Any]:
    check = container.health_check
    return {
        "name": container.name,
        "image": container.image,
        "essential": container.essential,
        "entrypoint": container.entrypoint and [_shown("", one) for one in container.entrypoint],
        "command": container.command and [_shown("", one) for one in container.command],
        "environment": {name: _shown(name, value) for name, value in container.environment},
        "secrets": {name: _secret(field) for name, field in container.secrets},
        "ports": list(container.ports),
        "health_check": check
        and {
            "command": list(check.command),
            "interval": check.interval,
            "timeout": check.timeout,
            "retries": check.retries,
            "start_period": check.start_period,
            "line": check.line,
        },
        "memory": container.memory,
        "stop_timeout": container.stop_timeout,
        "ulimits": {name: [soft, hard] for name, soft, hard in container.ulimits},
        "user": container.user,
        "working_directory": container.working_directory,
        "read_only": container.read_only,
        "init": container.init,
        "depends_on": dict(container.depends_on),
        "volumes": [
            {"volume": one, "path": path, "read_only": read_only}
            for one, path, read_only in container.volumes
        ],
        "line": container.line,
    }


def _secret(field: SecretField, shown: bool = False) -> dict[str, Any]:
    """Where a secret comes from; its value only for a user name."""
    found: dict[str, Any] = {
        "secret": field.secret,
        "value": "generated" if field.literal is None else "from the template",
    }
    if field.field:
        found["field"] = field.field
    if shown and field.literal is not None:
        found["value"] = field.literal
    return found


def _balancer(balancer: Balancer) -> dict[str, Any]:
    return {
        "logical_id": balancer.logical_id,
        "host": balancer.host.name,
        "internal": balancer.internal,
        "dns_name": balancer.dns_name,
        "forwarded_for": balancer.forwarded_for,
        "idle_timeout": balancer.idle_timeout,
        "preserve_host": balancer.preserve_host,
        "drop_invalid_headers": balancer.drop_invalid_headers,
        "line": balancer.line,
        "listeners": [
            {
                "logical_id": listener.logical_id,
                "protocol": listener.protocol,
                "port": listener.port,
                "client_certificates": listener.mutual_tls.mode if listener.mutual_tls else "off",
                "line": listener.line,
                "rules": [_rule(rule) for rule in listener.rules],
            }
            for listener in balancer.listeners
        ],
    }


def _rule(rule: Rule) -> dict[str, Any]:
    action = rule.action
    made: dict[str, Any] = {"kind": action.kind}
    if action.target_groups:
        made["target_groups"] = dict(action.target_groups)
    if action.kind in ("fixed-response", "redirect"):
        made["status"] = action.status
    if action.kind == "redirect":
        made["location"] = _location(action)
    if action.kind == "fixed-response":
        made |= {"content_type": action.content_type, "body": action.body}
    return {
        "logical_id": rule.logical_id,
        "priority": rule.priority,
        "conditions": [
            {
                "field": one.field,
                **({"header": one.header} if one.header else {}),
                "values": list(one.values),
                **({"regexes": list(one.regexes)} if one.regexes else {}),
                "line": one.line,
            }
            for one in rule.conditions
        ],
        "action": made,
        "line": rule.line,
    }


def _target_group(group: TargetGroup) -> dict[str, Any]:
    return {
        "logical_id": group.logical_id,
        "port": group.port,
        "protocol": group.protocol,
        "health": {
            "protocol": group.health_protocol,
            "port": group.health_port,
            "path": group.health_path,
            "codes": group.health_codes,
            "interval": group.interval,
            "timeout": group.timeout,
            "healthy": group.healthy,
            "unhealthy": group.unhealthy,
            "line": group.health_line,
        },
        "stickiness": group.stickiness,
        "application_cookie": group.application_cookie,
        "deregistration_delay": group.deregistration_delay,
        "algorithm": group.algorithm,
        "line": group.line,
    }


def _permission(one: Permission) -> dict[str, Any]:
    return {
        "group": one.group,
        "direction": one.direction,
        "protocol": one.protocol,
        "ports": list(one.ports),
        "peer": one.peer_group or one.peer_network,
        "logical_id": one.logical_id,
        "line": one.line,
    }


# --- text ---


def _heading(topology: Topology) -> list[str]:
    service = topology.service
    version = f"Keycloak {topology.version}" if topology.version else "Keycloak"
    return [
        f"{topology.name}: {version}, {_count(service.desired, 'task')} in {topology.region}",
        f"from {topology.file}; VPC {topology.vpc}, DNS at {topology.resolver}",
        f"a deployment keeps {service.at_least} and runs at most {service.at_most} at once",
    ]


def _hosts(topology: Topology) -> list[str]:
    names = {host: _called(topology, host) for host in topology.hosts}
    width = max(map(len, names.values()), default=0)
    return [
        f"{names[host]:<{width}}  {host.address!s:<15}  {', '.join(host.groups)}" for host in topology.hosts
    ]


def _called(topology: Topology, host: Host) -> str:
    spare = host in topology.slots and topology.slots.index(host) >= topology.service.desired
    return f"{host.name} (spare)" if spare else host.name


def _ways(topology: Topology) -> list[str]:
    """Connections between hosts that both ends allow, then those that only one end does, then the outside."""
    kinds = _kinds(topology)
    lines: list[str] = []
    half: list[str] = []
    for one in topology.permissions:
        if one.peer_group:
            other = next((o for o in topology.permissions if _answers(one, o)), None)
            here, there = kinds.get(one.group, one.group), kinds.get(one.peer_group, one.peer_group)
            if one.direction == "egress":
                line = f"{here} -> {there}: {_ports(one)}"
                if other is None and not _anywhere(topology, one):
                    line = f"{here} -> {there}: {_ports(one)}, which nothing lets in"
                    half.append(f"{line} (line {one.line})")
                else:
                    lines.append(line)
            elif other is None:
                if _anywhere(topology, one):
                    lines.append(f"{there} -> {here}: {_ports(one)}")
                else:
                    half.append(f"{there} -> {here}: {_ports(one)}, which nothing lets out (line {one.line})")
        elif one.peer_network and not one.peer_network.startswith("127."):
            where = "anywhere" if one.peer_network == _WORLD else one.peer_network
            here = kinds.get(one.group, one.group)
            lines.append(
                f"{here} -> {where}: {_ports(one)}"
                if one.direction == "egress"
                else f"{where} -> {here}: {_ports(one)}"
            )
    return list(dict.fromkeys([*lines, *half]))


def _kinds(topology: Topology) -> dict[str, str]:
    """Group to the hosts that are in it, in a word."""
    found: dict[str, list[str]] = {}
    for kind, hosts in (
        ("tasks", topology.slots),
        ("database", (topology.database_host,) if topology.database_host else ()),
        *((one.host.name, (one.host,)) for one in topology.balancers),
    ):
        for group in hosts[0].groups if hosts else ():
            found.setdefault(group, []).append(kind)
    return {group: " and ".join(dict.fromkeys(kinds)) for group, kinds in found.items()}


def _answers(one: Permission, other: Permission) -> bool:
    """Whether `other` is the far end of `one`: the same way, seen from the peer, with at least its ports."""
    return (
        other.direction != one.direction
        and other.group == one.peer_group
        and other.peer_group == one.group
        and _covers(other, one)
    )


def _anywhere(topology: Topology, one: Permission) -> bool:
    """Whether the peer allows the far end of `one` for networks that hold every host of the group."""
    hosts = topology.members(one.group)
    return any(
        other.group == one.peer_group
        and other.direction != one.direction
        and other.peer_network
        and _covers(other, one)
        and all(_in(host, other.peer_network) for host in hosts)
        for other in topology.permissions
    )


def _in(host: Host, block: str) -> bool:
    found = network(block)
    return found is not None and host.address in found


def _covers(other: Permission, one: Permission) -> bool:
    same = other.protocol in ("-1", one.protocol)
    return same and other.ports[0] <= one.ports[0] and one.ports[1] <= other.ports[1]


def _ports(one: Permission) -> str:
    if one.protocol == "-1":
        return "everything"
    if one.ports == EVERY_PORT:
        return f"all {one.protocol}"
    first, last = one.ports
    return f"{one.protocol} {first}" if first == last else f"{one.protocol} {first}-{last}"


def _doors(topology: Topology, balancer: Balancer) -> list[str]:
    lines = []
    for listener in balancer.listeners:
        certificates = f", client certificates: {listener.mutual_tls.mode}" if listener.mutual_tls else ""
        lines.append(f"{listener.protocol} {listener.port}{certificates}")
        for rule in listener.rules:
            number = "otherwise" if rule.priority is None else f"{rule.priority}"
            when = " and ".join(_when(one) for one in rule.conditions)
            lines.append(f"  {number:>9}  {f'{when} ' if when else ''}=> {_does(rule.action)}")
    used = {
        name
        for listener in balancer.listeners
        for rule in listener.rules
        for name, _ in rule.action.target_groups
    }
    for group in (one for one in topology.target_groups if one.logical_id in used):
        codes = f"{group.health_protocol} {group.health_port} {group.health_path} = {group.health_codes}"
        sticky = f", sticky for {group.stickiness} s" if group.stickiness else ""
        lines.append(
            f"{group.logical_id}: {group.protocol} {group.port}; healthy by {codes}, "
            f"{group.healthy} times every {group.interval} s{sticky}; "
            f"drains for {group.deregistration_delay} s"
        )
    return lines


def _when(condition: Condition) -> str:
    values = " or ".join([*condition.values, *(f"/{one}/" for one in condition.regexes)])
    names = {
        "host-header": "host",
        "path-pattern": "path",
        "source-ip": "from",
        "http-request-method": "method",
        "query-string": "query",
    }
    name = f"header {condition.header}" if condition.header else names.get(condition.field, condition.field)
    return f"{name} {values}"


def _does(action: Action) -> str:
    if action.kind == "forward":
        many = len(action.target_groups) > 1
        return ", ".join(f"{name} ({weight})" if many else name for name, weight in action.target_groups)
    if action.kind == "redirect":
        return f"{action.status} to {_location(action)}"
    return f"{action.status}" if action.kind == "fixed-response" else action.kind


def _location(action: Action) -> str:
    query = f"?{action.query}" if action.query else ""
    return f"{action.protocol}://{action.host}:{action.port}{action.path}{query}"


def _discovery(topology: Topology) -> list[str]:
    found = topology.discovery
    if found is None:
        return ["no name answers with the tasks' addresses"]
    how = "one at random" if found.routing == "WEIGHTED" else "at most eight"
    which = "healthy tasks" if found.by_health else "running tasks, healthy or not"
    return [
        f"{found.name} ({found.record_type}, TTL {found.ttl} s) answers with {which}, {how} "
        f"(line {found.line}); that there is no such name is kept for {found.negative_ttl} s"
        + (f" (line {found.namespace_line})" if found.namespace_line else "")
    ]


def _database(topology: Topology) -> list[str]:
    found = topology.database
    if found is None:
        return []
    tls = "refuses connections without TLS" if found.force_tls else "takes connections without TLS"
    limit = f"; at most {found.max_connections} connections" if found.max_connections else ""
    user = found.username.literal or "with a generated name"
    return [
        f"PostgreSQL {found.major} at {found.host}:{found.port}, database {found.name}, "
        f"user {user}; {tls}{limit}",
    ]


def _inside(topology: Topology, container: Container) -> list[str]:
    lines = [f"image {container.image}" + ("" if container.essential else " (not essential)")]
    for title, words in (("entry point", container.entrypoint), ("command", container.command)):
        if words is not None:
            lines.append(f"{title} {' '.join(_one_line(_shown('', word)) for word in words)}")
    memory = container.memory or topology.task.memory
    lines.append(f"memory {memory} MiB; {container.stop_timeout} s to stop; ports {_listed(container.ports)}")
    check = container.health_check
    if check:
        lines.append(f"healthy by {_one_line(' '.join(check.command[1:]))}")
        lines.append(
            f"  every {check.interval} s, {check.timeout} s to answer, "
            f"{check.retries} failures after {check.start_period} s"
        )
    for name, condition in container.depends_on:
        lines.append(f"after {name}: {condition}")
    for volume, path, read_only in container.volumes:
        lines.append(f"volume {volume} at {path}{' (read-only)' if read_only else ''}")
    width = max((len(name) for name, _ in (*container.environment, *container.secrets)), default=0)
    lines += [f"{name:<{width}}  {_one_line(_shown(name, value))}" for name, value in container.environment]
    lines += [
        f"{name:<{width}}  generated ({_from(field)})"
        if field.literal is None
        else f"{name:<{width}}  from {_from(field)}"
        for name, field in container.secrets
    ]
    return lines


def _from(field: SecretField) -> str:
    return f"{field.secret}, {field.field}" if field.field else field.secret


def _listed(values: Iterable[object]) -> str:
    return ", ".join(map(str, values)) or "none"


def _shown(name: str, value: str) -> str:
    """A value without what looks like a secret by its name or by a name in it."""
    return _HIDDEN if value and _HIDDEN_NAME.search(name) else _HIDDEN_PART.sub(rf"\1{_HIDDEN}", value)


def _one_line(value: str) -> str:
    return value.replace("\n", "\\n").replace("\t", "\\t")


def _count(number: int, what: str) -> str:
    return f"{number} {what}" if number == 1 else f"{number} {what}s"
