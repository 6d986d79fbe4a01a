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
    client_revocations: str = "/etc/rehearsal/client-revocations.pem",
    script: str = "/etc/rehearsal/certificates.lua",
    started: Collection[str] | None = None,
) -> str:
    """The configuration of HAProxy, 2.6 or newer, that does what the balancer would.

    `certificate`, `client_authorities`, `client_revocations` and `script` are paths in its container:
    certificate and key in one PEM, the trust store of listeners with mutual TLS and its revocation lists, and
    `certificates.lua`, which those that pass certificates through need. `started` are the names of the slots
    that are registered from the start, the first `service.desired` if None. Every vantage of the balancer's
    has a port; what its security groups don't let in is reset there, since all of them come in from one
    address that the firewall can't tell apart.

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
            "script": quoting.haproxy(script, where, "the script's path")
            if any(_passes_through(one) for one in balancer.listeners) else "",
            "listeners": [
                _listener(
                    topology,
                    balancer,
                    one,
                    [here for here in mine if here.listener == one.logical_id],
                    quoting.haproxy(certificate, where, "the certificate's path"),
                    quoting.haproxy(client_authorities, where, "the trust store's path"),
                    quoting.haproxy(client_revocations, where, "the path of the revocation lists"),
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
    revocations: str,
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
        options += _client_certificates(listener.mutual_tls, authorities, revocations, where)
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


def _client_certificates(mutual: MutualTls, authorities: str, revocations: str, where: str) -> str:
    # Sessions aren't resumed where certificates are asked for ("Mutual authentication with TLS").
    if mutual.mode == "passthrough":
        return f" ca-file {authorities} verify optional ca-ignore-err all crt-ignore-err all no-tls-tickets"
    if mutual.mode != "verify":
        raise quoting.refused(
            where, f"mutual TLS of mode {quoting.comment(mutual.mode)} is none of a balancer's"
        )
    # What is only verified against isn't told to clients.
    options = f" {'ca-file' if mutual.advertises else 'ca-verify-file'} {authorities} verify required"
    options += f" crl-file {revocations}" if mutual.revocation else ""
    # X509_V_ERR_CERT_HAS_EXPIRED of OpenSSL's.
    options += " crt-ignore-err 10" if mutual.ignores_expiry else ""
    return f"{options} no-tls-tickets"


def _passes_through(listener: Listener) -> bool:
    return listener.mutual_tls is not None and listener.mutual_tls.mode == "passthrough"
