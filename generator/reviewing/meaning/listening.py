"""Which requests get to Keycloak, before and after: the rules of the listeners, tried with example
requests.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache

from generator.resolving import Place
from generator.reviewing.meaning.base import (
    BALANCER,
    DANGER,
    LISTENER,
    NOTE,
    WARNING,
    Consequence,
    Reading,
    listed,
)
from generator.reviewing.meaning.reaching import WORLD

_RULE = "AWS::ElasticLoadBalancingV2::ListenerRule"
_GUARD = "AWS::WAFv2::WebACLAssociation"
_CONFIGS = {
    "host-header": "HostHeaderConfig",
    "path-pattern": "PathPatternConfig",
    "source-ip": "SourceIpConfig",
}
_MOST = 4000
"""Example requests that are tried; a template with more of them isn't judged here."""


@dataclass(frozen=True)
class Rule:
    """One rule of a listener."""

    name: str
    """Logical id."""
    priority: float
    hosts: tuple[str, ...]
    """Empty where every host will do; so for the others."""
    paths: tuple[str, ...]
    sources: tuple[str, ...]
    special: bool
    """Whether it asks for more (headers, methods, queries), so that an ordinary request doesn't meet it."""
    forwards: bool


@dataclass(frozen=True)
class Request:
    """Who asks for what."""

    source: str
    """WORLD, or a network that some rule names."""
    host: str
    path: str


def rules(reading: Reading) -> dict[tuple[str, bool], list[Rule]]:
    """(listener, whether its balancer is in the internet) -> its rules, the first one tried first; the
    default action comes last."""
    found: dict[tuple[str, bool], list[Rule]] = {}
    owners: dict[str, tuple[str, bool]] = {}
    for one in reading.resources(LISTENER):
        place = reading.properties(one)
        balancer = place["LoadBalancerArn"].resource(BALANCER)
        internal = balancer is not None and reading.properties(balancer)["Scheme"].text == "internal"
        owners[one.logical_id] = (one.logical_id, not internal)
        actions = place["DefaultActions"]
        found[owners[one.logical_id]] = [
            Rule(one.logical_id, float("inf"), (), (), (), False, _forwards(actions))
        ]
    for one in reading.resources(_RULE):
        place = reading.properties(one)
        listener = place["ListenerArn"].resource(LISTENER)
        if listener is not None and listener.logical_id in owners:
            found[owners[listener.logical_id]].append(_rule(one.logical_id, place))
    return {owner: sorted(several, key=lambda rule: rule.priority) for owner, several in found.items()}


def _rule(name: str, place: Place) -> Rule:
    told: dict[str, tuple[str, ...]] = {}
    special = False
    for condition in place["Conditions"]:
        field = condition["Field"].text
        config = _CONFIGS.get(field or "")
        if config is None:
            special = True
            continue
        values = condition[config]["Values"] if condition[config] else condition["Values"]
        texts = [one.text for one in values]
        if None in texts or field in told:
            special = True
        told[field] = tuple(text for text in texts if text is not None)
    priority = place["Priority"].integer
    return Rule(
        name,
        0 if priority is None else priority,
        told.get("host-header", ()),
        told.get("path-pattern", ()),
        told.get("source-ip", ()),
        special,
        _forwards(place["Actions"]),
    )


def _forwards(actions: Place) -> bool:
    return any(one["Type"].text == "forward" for one in actions)


@lru_cache(maxsize=None)
def _pattern(text: str) -> re.Pattern[str]:
    return re.compile(re.escape(text).replace(r"\*", ".*").replace(r"\?", "."), re.IGNORECASE | re.DOTALL)


def _meets(rule: Rule, request: Request) -> bool:
    if rule.special:
        return False
    if rule.sources and request.source not in rule.sources and not {"0.0.0.0/0", "::/0"} & set(rule.sources):
        return False
    return all(
        not patterns or any(_pattern(one).fullmatch(asked) for one in patterns)
        for patterns, asked in ((rule.hosts, request.host), (rule.paths, request.path))
    )


def _reaches(several: list[Rule], request: Request) -> Rule | None:
    """The rule that sends a request on; None where it is answered otherwise."""
    first = next((rule for rule in several if _meets(rule, request)), None)
    return first if first is not None and first.forwards else None


def listening(before: Reading, after: Reading) -> Iterator[Consequence]:
    """Requests that get through now and didn't, and the other way round, by who asks; what filters them no
    longer."""
    yield from _unguarded(before, after)
    old, new = rules(before), rules(after)
    if not old or not new or old == new:
        return
    every = [rule for side in (old, new) for several in side.values() for rule in several]
    hosts = {one.replace("*", "any").replace("?", "x") for rule in every for one in rule.hosts} or {
        "any.example"
    }
    paths = {one for rule in every for one in rule.paths} | {"/*"}
    sources = {one for rule in every for one in rule.sources} - {"0.0.0.0/0", "::/0"} | {WORLD}
    if len(hosts) * len(paths) * len(sources) > _MOST:
        yield Consequence(
            "Network", WARNING, "the listeners have too many rules to say what they open or close"
        )
        return
    known: set[str] = set()  # paths that everybody reached before, on whichever host
    opened: dict[tuple[str, str, str], list[str]] = {}
    closed: dict[tuple[str, str, str], list[str]] = {}
    for host in sorted(hosts):
        for source in sorted(sources):
            for path in sorted(paths):
                # One example of what a pattern stands for, and no other pattern's own word.
                request = Request(source, host, path.replace("*", "~").replace("?", "~"))
                was, now = _through(old, request), _through(new, request)
                if was and source == WORLD:
                    known.add(path)
                if now and not was:
                    opened.setdefault((source, host, now), []).append(path)
                elif was and not now:
                    closed.setdefault((source, host, was), []).append(path)
    for (source, host, name), which in opened.items():
        if source != WORLD and which == opened.get((WORLD, host, name)):
            continue  # said of everybody
        # The same server under another name is no new way in.
        world = source == WORLD and not set(which) <= known
        yield Consequence(
            "Network",
            DANGER if world else NOTE,
            f"{source} can now reach {listed(which)} of {host}",
            name,
            opens=name if world else "",
        )
    for (source, host, name), which in closed.items():
        if source != WORLD and which == closed.get((WORLD, host, name)):
            continue
        yield Consequence("Network", WARNING, f"{source} can no longer reach {listed(which)} of {host}", name)


def _guards(reading: Reading) -> dict[str, str]:
    """Balancer -> what says that a web ACL filters its requests."""
    return {
        balancer.logical_id: one.logical_id
        for one in reading.resources(_GUARD)
        for balancer in (reading.properties(one)["ResourceArn"].resource(BALANCER),)
        if balancer is not None
    }


def _unguarded(before: Reading, after: Reading) -> Iterator[Consequence]:
    now = _guards(after)
    for balancer, said_by in _guards(before).items():
        if balancer not in now and after.resolver.exists(balancer) is not False:
            public = after.properties(after.document.resources[balancer])["Scheme"].text != "internal"
            yield Consequence(
                "Network",
                DANGER if public else WARNING,
                f"no web ACL filters the requests to {balancer} any more",
                said_by,
                opens=said_by if public else "",
            )


def _through(sides: dict[tuple[str, bool], list[Rule]], request: Request) -> str:
    """The rule by which a request gets through, by whichever listener; empty if by none. The internet doesn't
    get to internal balancers."""
    for (_, exposed), several in sides.items():
        if exposed or request.source != WORLD:
            rule = _reaches(several, request)
            if rule is not None:
                return rule.name
    return ""
