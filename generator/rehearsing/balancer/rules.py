"""Which rule a request meets: conditions as access lists of HAProxy's."""

from __future__ import annotations

import re
from collections.abc import Sequence

from generator.rehearsing import quoting
from generator.rehearsing.topology import Condition, Rule, Topology


def section(topology: Topology, rule: Rule) -> dict[str, object]:
    """What the configuration's template says of a rule: `acls` are lines that give its `conditions` their
    meaning.

    Raises RehearsalError for conditions that no rule has.
    """
    where = quoting.place(topology.file, rule.line)
    identity = quoting.name(rule.logical_id or "default", where, "the rule")
    word = quoting.word(identity, where, "the rule")
    acls, conditions = [], []
    for number, condition in enumerate(rule.conditions, 1):
        # Several lines of one name: any of them.
        name = f"{word}.{number}"
        acls += [f"{name} {test}" for test in _tests(topology, condition)]
        conditions.append(name)
    priority = "default action" if rule.priority is None else f"priority {rule.priority}"
    return {
        "id": identity,
        "acls": acls,
        "conditions": conditions,
        "title": f"{identity}: {priority}, {rule.action.kind}, template line {rule.line}",
    }


def _tests(topology: Topology, condition: Condition) -> list[str]:
    where = quoting.place(topology.file, condition.line)

    def tests(fetch: str, flags: str, patterns: Sequence[str]) -> list[str]:
        return [f"{fetch} -m reg{flags} -- {quoting.haproxy(one, where, 'the pattern')}" for one in patterns]

    # A search, not a match of the whole: AWS doesn't say which, its examples are anchored, and what lets more
    # in is what a rehearsal should try.
    found = [*map(_pattern, condition.values), *(_regex(one, where) for one in condition.regexes)]
    if condition.field == "path-pattern":
        lines = tests("var(txn.path)", "", found)
    elif condition.field == "host-header":
        lines = tests("var(txn.name)", " -i", found)
    elif condition.field == "http-header":
        lines = tests(f"req.fhdr({quoting.header_name(condition.header, where)})", " -i", found)
    elif condition.field == "query-string":
        lines = tests("query", " -i", [_query(one) for one in condition.values])
    elif condition.field == "http-request-method":
        lines = [
            f"capture.req.method -m str -- {quoting.haproxy(one, where, 'the method')}"
            for one in condition.values
        ]
    elif condition.field == "source-ip":
        lines = [f"src {quoting.network(one, where)}" for one in condition.values]
    else:
        raise quoting.refused(where, f"a rule has no condition {quoting.comment(condition.field)!r}")
    # Without a value it holds for nobody.
    return lines or ["always_false"]


def _pattern(value: str, any_character: str = ".") -> str:
    """A pattern of the balancer's as a regular expression: `*` is any text, `?` any character."""
    return f"^{_wild(value, any_character)}$"


def _wild(value: str, any_character: str) -> str:
    return "".join({"*": f"{any_character}*", "?": any_character}.get(one, re.escape(one)) for one in value)


def _query(value: str) -> str:
    """`key=value` as a regular expression that is searched in a query string; without a key, a value of any
    key or a value that stands alone."""
    key, separator, text = value.partition("=")
    if not separator:
        key, text = "", value
    if key:
        return f"(^|&){_wild(key, '[^&=]')}={_wild(text, '[^&]')}(&|$)"
    return f"(^|&)([^&=]*={_wild(text, '[^&]')}|{_wild(text, '[^&=]')})(&|$)"


def _regex(value: str, where: str) -> str:
    try:
        re.compile(quoting.text(value, where, "the regular expression"))
    except re.error as error:
        raise quoting.refused(where, f"{value!r} is no regular expression ({error})") from None
    return value
