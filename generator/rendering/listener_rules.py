"""The balancer's rules: which host, path and source reach Keycloak; everything else meets the fixed 404.

The quotas they are cut to (Elastic Load Balancing, "Listener rules" and "Quotas for your Application Load
Balancers"): five condition values in a rule, three in one condition, five wildcards in a rule, 100 rules on a
balancer; and a path pattern has no `%`, so what concerns encoded characters is a regular expression of at most
128 characters.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

MAX_VALUES_PER_RULE = 5
MAX_VALUES_PER_CONDITION = 3
MAX_RULES = 100

PATH_GUARD = (
    r"^.*(//|/\.\.?(/|$)|[;\\]|%2[eEfF5]|%5[cC]|%3[bB]).*$",
    r"^.*%([46][1-9a-fA-F]|[57][0-9aA]|3[0-9]).*$",
)
"""Dot segments, empty segments, `;`, backslashes and their encoded forms; then encoded letters and digits, which no
client writes. Anchored both ways, so that it means the same whether the balancer searches or matches whole."""

CLIENT_HEADERS = ("Forwarded", "X-Forwarded-Host", "X-Forwarded-Prefix")
"""Headers that an ALB lets through from a client and that a proxy would set."""


@dataclass(frozen=True)
class ListenerRule:
    """One `AWS::ElasticLoadBalancingV2::ListenerRule`; empty conditions are left out."""

    logical_id: str
    listener: str
    priority: int
    comment: str
    hosts: tuple[str, ...] = ()
    paths: tuple[str, ...] = ()
    path_regexes: tuple[str, ...] = ()
    sources: tuple[str, ...] = ()
    header: str = ""
    target_group: str = ""
    """Logical id of the target group it forwards to; empty for a fixed answer or a redirect."""
    status: int = 0
    """Status of the fixed answer; 0 for none."""
    redirect_path: str = ""

    @property
    def values(self) -> int:
        """Condition values, which AWS counts over all conditions of a rule."""
        return (len(self.hosts) + len(self.paths) + len(self.path_regexes) + len(self.sources)
                + (1 if self.header else 0))


def _chunks(values: Sequence[str], size: int) -> list[tuple[str, ...]]:
    return [tuple(values[start:start + size]) for start in range(0, len(values), size)]


def split(hosts: Sequence[str], paths: Sequence[str], sources: Sequence[str]
          ) -> list[tuple[tuple[str, ...], tuple[str, ...]]]:
    """(paths, sources) of each rule needed so that every path is reached from every source within the quotas.

    Few rules first: of the ways to share the values left beside the hosts, the one with the fewest rules is taken.
    """
    room = MAX_VALUES_PER_RULE - len(hosts)
    if not sources:
        return [(chunk, ()) for chunk in _chunks(paths, min(room, MAX_VALUES_PER_CONDITION))]
    best: list[tuple[tuple[str, ...], tuple[str, ...]]] = []
    for per_rule in range(1, min(room - 1, MAX_VALUES_PER_CONDITION) + 1):
        path_chunks = _chunks(paths, per_rule)
        source_chunks = _chunks(sources, min(room - per_rule, MAX_VALUES_PER_CONDITION))
        rules = [(path_chunk, source_chunk) for source_chunk in source_chunks for path_chunk in path_chunks]
        if not best or len(rules) < len(best):
            best = rules
    return best


def guard_rules(listener: str, prefix: str) -> list[ListenerRule]:
    """Rules that answer 400 to path tricks, before any rule that lets something through."""
    return [ListenerRule(f"{prefix}PathGuardRule{number}", listener, number,
                         "Up to 26.5 Keycloak takes such a path for another one: the master realm, up to 26.4.2 also "
                         "the admin console. What of it the balancer normalizes isn't documented."
                         if number == 1 else "The same, spelt with encoded letters.",
                         path_regexes=(regex,), status=400)
            for number, regex in enumerate(PATH_GUARD, 1)]


def header_rules(listener: str, prefix: str, refuse_forwarded_for: bool, others: Sequence[str] = ()
                 ) -> list[ListenerRule]:
    """Rules that answer 400 to proxy headers which a client made up, `others` among them."""
    headers = CLIENT_HEADERS + (("X-Forwarded-For",) if refuse_forwarded_for else ()) + tuple(others)
    comments = {**dict.fromkeys(others, "Only the proxy in front speaks for certificates."),
                "X-Amzn-Mtls-Clientcert": "Only the balancer speaks for a client's certificate.",
                "Forwarded": "Only the balancer speaks for where a request came from.",
                "X-Forwarded-For": "Keycloak takes the first address as the client's; the balancer appends to it."}
    return [ListenerRule(f"{prefix}Client{header.replace('-', '')}Rule", listener, 10 + number,
                         comments.get(header, ""), header=header, status=400)
            for number, header in enumerate(headers)]


def public_rules(listener: str, target_group: str, hosts: Sequence[str], base: str, paths: Sequence[str],
                 master_from: Sequence[str] | None, prefix: str = "") -> list[ListenerRule]:
    """Rules of the public host: `paths` for everyone, /realms/master for `master_from` only (None: for everyone).

    `hosts` names that host, or nobody where the listener serves no other.
    """
    hosts = tuple(hosts)
    rules: list[ListenerRule] = []
    master = (f"{base}/realms/master", f"{base}/realms/master/*")
    if master_from is not None:
        for number, (some_paths, sources) in enumerate(split(hosts, master, master_from) if master_from else [], 1):
            rules.append(ListenerRule(
                f"{prefix}MasterRealmRule{number}", listener, 200 + number,
                "The admin console logs in at the master realm of the public host.",
                hosts, some_paths, sources=sources, target_group=target_group))
        rules.append(ListenerRule(f"{prefix}MasterRealmClosedRule", listener, 299, "Nobody else logs in to the master realm.",
                                  hosts, master, status=404))
    patterns = [f"{path}*" if path.endswith("/") else path for path in paths]
    for number, (some_paths, _) in enumerate(split(hosts, patterns, ()), 1):
        rules.append(ListenerRule(f"{prefix}PublicPathsRule{number}", listener, 300 + number,
                                  "What Keycloak's reverse proxy guide exposes, and nothing else.",
                                  hosts, some_paths, target_group=target_group))
    return rules


def admin_rules(listener: str, target_group: str, host: str, base: str, sources: Sequence[str]) -> list[ListenerRule]:
    """Rules of the admin host: console and its REST API for `sources`; the bare host leads to the console."""
    paths = (f"{base}/admin/*", f"{base}/resources/*")
    rules = [ListenerRule(f"AdminRule{number}", listener, 100 + number, "The admin console, from named networks only.",
                          (host,), some_paths, sources=some_sources, target_group=target_group)
             for number, (some_paths, some_sources) in enumerate(split((host,), paths, sources), 1)]
    starts = ("/", f"{base}/admin") if not base else ("/", base, f"{base}/admin")
    rules.append(ListenerRule("AdminStartRule", listener, 190, "Typing the host is enough; says nothing secret.",
                              (host,), starts, redirect_path=f"{base}/admin/master/console/"))
    return rules
