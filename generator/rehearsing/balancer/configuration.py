"""The configuration of HAProxy that does what an Application Load Balancer would."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from pathlib import Path

from generator.rehearsing import quoting
from generator.rehearsing.balancer import actions, headers, log, rules, targets
from generator.rehearsing.balancer.running import paths_command
from generator.rehearsing.topology import Balancer, Listener, MutualTls, Topology, Vantage
from generator.rehearsing.vantage import admitted, vantages

CONNECT = 10
"""Seconds that the balancer tries to connect to a target (troubleshooting, "HTTP 504: Gateway timeout")."""

# What the balancer answers itself, with the reasons it gives; HAProxy has no others.
_ERRORS = (
    (400, "Bad Request"),
    (403, "Forbidden"),
    (405, "Method Not Allowed"),
    (408, "Request Time-out"),
    (413, "Request Entity Too Large"),
    (500, "Internal Server Error"),
    (502, "Bad Gateway"),
    (503, "Service Temporarily Unavailable"),
    (504, "Gateway Time-out"),
)


def configuration(
    topology: Topology,
    balancer: Balancer,
    root: Path,
    *,
    certificate: str = "/etc/rehearsal/balancer.pem",
    client_authorities: str = "/etc/rehearsal/client-authorities.pem",
    started: Collection[str] | None = None,
) -> str:
    """The configuration of HAProxy, 2.6 or newer, that does what the balancer would.

    `certificate` and `client_authorities` are paths in its container: certificate and key in one PEM, and the
    trust store of listeners with mutual TLS. `started` are the names of the slots that are registered from
    the start, the first `service.desired` if None. Every vantage of the balancer's has a port; what its
    security groups don't let in is reset there, since all of them come in from one address that the firewall
    can't tell apart.

    Raises RehearsalError for values of the template's that have no place in such a file, and for conditions
    that no balancer has.
    """
    if started is None:
        started = {slot.name for slot in topology.slots[: topology.service.desired]}
    where = quoting.place(topology.file, balancer.line)
    used = {
        name
        for listener in balancer.listeners
        for rule in listener.rules
        for name, _ in rule.action.target_groups
    }
    mine = [one for one in vantages(topology) if one.balancer == balancer.logical_id]
    return quoting.fill(
        root,
        "haproxy.cfg.j2",
        {
            "balancer": balancer.logical_id,
            "file": topology.file,
            "connect": CONNECT,
            "idle": balancer.idle_timeout,
            "drop_invalid_headers": balancer.drop_invalid_headers,
            "errors": _ERRORS,
            "log_format": log.FORMAT,
            "normalize": paths_command(normalized=True),
            "listeners": [
                _listener(
                    topology,
                    balancer,
                    one,
                    [here for here in mine if here.listener == one.logical_id],
                    quoting.haproxy(certificate, where, "the certificate's path"),
                    quoting.haproxy(client_authorities, where, "the trust store's path"),
                )
                for one in balancer.listeners
            ],
            "groups": [
                targets.section(topology, group, started)
                for group in topology.target_groups
                if group.logical_id in used
            ],
        },
    )


def _listener(
    topology: Topology,
    balancer: Balancer,
    listener: Listener,
    here: Sequence[Vantage],
    certificate: str,
    authorities: str,
) -> dict[str, object]:
    where = quoting.place(topology.file, listener.line)
    if listener.protocol not in ("HTTP", "HTTPS"):
        raise quoting.refused(
            where, f"the listener's protocol {quoting.comment(listener.protocol)} is none of a balancer's"
        )
    quoting.ports(listener.port, listener.port, where)
    secure = listener.protocol == "HTTPS"
    # A listener without TLS speaks HTTP/1.1 only; HAProxy would also take HTTP/2 from who begins with it.
    options = f" ssl crt {certificate} alpn h2,http/1.1" if secure else " proto h1"
    if secure and listener.mutual_tls:
        options += _client_certificates(listener.mutual_tls, authorities, where)
    met = [rules.section(topology, one) for one in listener.rules]
    names = [one["id"] for one in met]
    if len(set(names)) < len(names):
        raise quoting.refused(where, "two rules of the listener have the same logical id")
    answers = [
        line
        for rule, known in zip(listener.rules, met)
        for line in actions.answered(topology, listener, rule, known["id"])
    ]
    forwards = [
        line
        for rule, known in zip(listener.rules, met)
        if rule.action.kind == "forward"
        for line in actions.chosen(topology, rule, known["id"])
    ]
    groups = dict.fromkeys(name for rule in listener.rules for name, _ in rule.action.target_groups)
    forwards += [line for name in groups for line in actions.sent(topology, name)]
    return {
        "logical_id": listener.logical_id,
        "name": f"listener-{listener.port}",
        "protocol": listener.protocol,
        "port": listener.port,
        "line": listener.line,
        "options": options,
        "rules": met,
        "answers": answers,
        "headers": headers.told(balancer, listener),
        "forwards": forwards,
        "vantages": [
            {
                "name": one.name,
                "source": one.source,
                "port": one.port,
                "admitted": admitted(topology, balancer, one.source, listener.port),
            }
            for one in here
        ],
    }


def _client_certificates(mutual: MutualTls, authorities: str, where: str) -> str:
    if mutual.mode == "verify":
        return f" ca-file {authorities} verify required"
    if mutual.mode == "passthrough":
        return f" ca-file {authorities} verify optional ca-ignore-err all crt-ignore-err all"
    raise quoting.refused(where, f"mutual TLS of mode {quoting.comment(mutual.mode)} is none of a balancer's")
