"""What a rule does with a request: answers, redirects, the choice of a target group."""

from __future__ import annotations

import re

from generator.rehearsing import quoting
from generator.rehearsing.balancer.targets import backend
from generator.rehearsing.topology import Action, Listener, Rule, Topology

_REDIRECTS = {301: "Moved Permanently", 302: "Found"}

# Placeholders grow when they are filled in: so many characters a redirect's parts may have then.
_FORMAT = 8 * quoting.LONGEST

_PLACEHOLDER = re.compile(r"#\{(protocol|host|port|path|query)\}")


def answered(topology: Topology, listener: Listener, rule: Rule, identity: object) -> list[str]:
    """The lines for what the balancer answers itself; none for a rule that forwards.

    Raises RehearsalError for an answer that no rule gives.
    """
    action, where = rule.action, quoting.place(topology.file, rule.action.line or rule.line)
    when = f"if {{ var(txn.rule) -m str {identity} }}"
    if action.kind == "forward":
        return []
    if action.kind == "fixed-response":
        if not 200 <= action.status <= 599:
            raise quoting.refused(where, f"a fixed response can't have the status {action.status}")
        kind = quoting.haproxy(action.content_type or "text/plain; charset=utf-8", where, "the content type")
        # HAProxy's answers have no content type without content.
        body = (
            f" content-type {kind} string {quoting.haproxy(action.body, where, 'the body', lines=True)}"
            if action.body
            else ""
        )
        return [f"http-request return status {action.status}{body} hdr server awselb/2.0 {when}"]
    if action.kind == "redirect":
        if action.status not in _REDIRECTS:
            raise quoting.refused(where, f"a redirect can't have the status {action.status}")
        return _redirect(listener, action, where, when)
    kind = quoting.comment(action.kind)
    said = quoting.haproxy(
        f"The action {kind} can't be rehearsed ({rule.logical_id}, template line {rule.line}).",
        where,
        "the action",
    )
    return [
        f"http-request return status 501 content-type text/plain string {said} hdr server awselb/2.0 {when}"
    ]


def _redirect(listener: Listener, action: Action, where: str, when: str) -> list[str]:
    """A redirect: `#{path}` is without its first slash, and `?` stands there only if something follows it."""
    values = {
        "protocol": listener.protocol.lower(),
        "host": "%[var(txn.name)]",
        "port": str(listener.port),
        "path": "%[path,regsub(^/,)]",
        "query": "%[query]",
    }

    def filled(template: str, what: str) -> str:
        parts = _PLACEHOLDER.split(quoting.text(template, where, what))
        return "".join(
            values[part] if number % 2 else quoting.literal(part) for number, part in enumerate(parts)
        )

    protocol = filled(action.protocol, "the protocol")
    if action.protocol in ("HTTP", "HTTPS"):
        protocol = action.protocol.lower()
    location = (
        f"{protocol}://{filled(action.host, 'the host')}"
        f":{filled(action.port, 'the port')}{filled(action.path, 'the path')}%[var(txn.query)]"
    )
    reason = _REDIRECTS[action.status]
    page = (
        f"<html>\r\n<head><title>{action.status} {reason}</title></head>\r\n<body>\r\n"
        f"<center><h1>{action.status} {reason}</h1></center>\r\n</body>\r\n</html>\r\n"
    )
    lines = []
    if query := filled(action.query, "the query"):
        some = "{ var(txn.query) -m len gt 0 }"
        query = quoting.haproxy(query, where, "the query", longest=_FORMAT)
        lines = [
            f"http-request set-var-fmt(txn.query) {query} {when}",
            f"http-request set-var-fmt(txn.query) '?%[var(txn.query)]' {when} {some}",
        ]
    lines.append(
        f"http-request return status {action.status} content-type text/html "
        f"string {quoting.haproxy(page, where, 'the page', lines=True)} "
        f"hdr location {quoting.haproxy(location, where, 'the location', longest=_FORMAT)} "
        f"hdr server awselb/2.0 {when}"
    )
    return lines


def chosen(topology: Topology, rule: Rule, identity: object) -> list[str]:
    """The lines that choose the target group of a forwarding rule, by lot where there are several."""
    where = quoting.place(topology.file, rule.action.line or rule.line)
    groups = [
        (quoting.name(name, where, "the target group"), weight)
        for name, weight in rule.action.target_groups
        if weight > 0
    ]
    when = f"{{ var(txn.rule) -m str {identity} }}"
    if not groups:
        return [f"http-request return status 503 default-errorfiles if {when}"]
    whole = below = sum(weight for _, weight in groups)
    lines = [f"http-request set-var(txn.ticket) rand({whole}) if {when}"] if len(groups) > 1 else []
    # The last one gets every ticket, then those before it take the lower ones away.
    for name, weight in reversed(groups):
        share = f" {{ var(txn.ticket) -m int lt {below} }}" if below < whole else ""
        lines.append(f"http-request set-var(txn.group) str({backend(name)}) if {when}{share}")
        below -= weight
    return lines


def sent(topology: Topology, name: str) -> list[str]:
    """The lines that send a request to the target group it was chosen for."""
    group = backend(name)
    when = f"{{ var(txn.group) -m str {group} }}"
    if topology.target_group(name) is None:
        # No service registers tasks with it, so it is empty.
        return [f"http-request return status 503 default-errorfiles if {when}"]
    return [
        f"http-request return status 503 default-errorfiles if {when} {{ nbsrv({group}-open) eq 0 }}",
        f"use_backend {group}-open if {when} {{ nbsrv({group}) eq 0 }}",
        f"use_backend {group} if {when}",
    ]
