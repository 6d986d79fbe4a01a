"""What the balancer tells targets of a request in headers."""

from __future__ import annotations

from generator.rehearsing import quoting
from generator.rehearsing.balancer.targets import STICKY_COOKIE
from generator.rehearsing.topology import Balancer, Listener, MutualTls


def told(balancer: Balancer, listener: Listener) -> list[str]:
    """Headers of a request on their way to a target (HTTP headers and Application Load Balancers)."""
    lines = []
    if balancer.forwarded_for == "append":
        # Several lines of the header stay what they are and get one more.
        one = "{ req.fhdr_cnt(x-forwarded-for) eq 1 }"
        lines += [
            f"http-request set-header X-Forwarded-For '%[req.fhdr(x-forwarded-for)], %[src]' if {one}",
            f"http-request add-header X-Forwarded-For %[src] unless {one}",
        ]
    elif balancer.forwarded_for == "remove":
        lines.append("http-request del-header X-Forwarded-For")
    lines += [
        f"http-request set-header X-Forwarded-Proto {listener.protocol.lower()}",
        f"http-request set-header X-Forwarded-Port {listener.port}",
    ]
    if not balancer.preserve_host:
        # "Host header preservation": a default port is taken away, another one is added where it is missing.
        if listener.port in (80, 443):
            lines.append("http-request set-header Host %[var(txn.name)] if { req.hdr(host) -m reg :[0-9]*$ }")
        else:
            lines.append(
                f"http-request set-header Host %[var(txn.name)]:{listener.port} "
                "if { req.hdr(host) -m found } !{ req.hdr(host) -m reg :[0-9]+$ }"
            )
    trace = "1-%[date,hex,bytes(8,8),lower]-%[uuid,regsub(-,,g),bytes(0,24)]"
    rooted = "{ req.fhdr(x-amzn-trace-id) -m sub Root= }"
    lines += [
        # Who sends a root keeps it.
        f"http-request set-header X-Amzn-Trace-Id 'Self={trace};%[req.fhdr(x-amzn-trace-id)]' if {rooted}",
        f"http-request set-header X-Amzn-Trace-Id 'Root={trace}' unless {rooted}",
    ]
    if listener.protocol == "HTTPS" and listener.mutual_tls:
        lines += _certificate_headers(listener.mutual_tls)
    # Browsers send it instead of the other cookie with requests of other sites.
    lines.append(
        f"http-request add-header Cookie '{STICKY_COOKIE}=%[req.cook({STICKY_COOKIE}CORS)]' "
        f"if {{ req.cook({STICKY_COOKIE}CORS) -m found }} !{{ req.cook({STICKY_COOKIE}) -m found }}"
    )
    return lines


def _certificate_headers(mutual: MutualTls) -> list[str]:
    """What a target learns of the client's certificate ("HTTP headers and mutual TLS"): in mode `verify` the
    certificate as PEM with percent signs, in which `+`, `=` and `/` stay as they are, and its parts; in mode
    `passthrough` the whole chain as it was sent, the client's own first.

    AWS doesn't say what becomes of such headers that a client sends: here the listener that makes them takes
    them out first, and every other one lets them through, as it does with any header.
    """
    present = "if { ssl_c_used }"
    if mutual.mode == "passthrough":
        name = mutual.header()
        return [
            f"http-request del-header {name}",
            f"http-request set-header {name} %[lua.client_chain] {present}",
        ]
    pem = (
        f'{quoting.literal("-----BEGIN%20CERTIFICATE-----%0A")}'
        # Lines of 64, and no second line end behind a last one that is full.
        f'%[ssl_c_der,base64,regsub("(.{{64}})","\\1%0A",g),regsub("%0A$","")]'
        f"{quoting.literal('%0A-----END%20CERTIFICATE-----%0A')}"
    )
    moment = '%[ssl_c_{},regsub("^(..)(..)(..)(..)(..)(..)Z$","20\\1-\\2-\\3T\\4:\\5:\\6Z")]'
    parts = {
        "Serial-Number": "%[ssl_c_serial,hex]",
        "Issuer": "%[ssl_c_i_dn(,0,rfc2253)]",
        "Subject": "%[ssl_c_s_dn(,0,rfc2253)]",
        "Leaf": pem,
        "Validity": f"NotBefore={moment.format('notbefore')};NotAfter={moment.format('notafter')}",
    }
    return [
        line
        for key, value in parts.items()
        for line in (
            f"http-request del-header {mutual.header(key)}",
            f"http-request set-header {mutual.header(key)} '{value}' {present}",
        )
    ]
