"""Application Load Balancers: listeners, their rules in the order they are tried, target groups."""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

from generator.document import Path, Resource
from generator.linting.view.firewall import Party, networks
from generator.resolving import Place, whole_number
from generator.rule_fields import RULE_FIELDS

if TYPE_CHECKING:
    from generator.linting.view.template import View

BALANCER = "AWS::ElasticLoadBalancingV2::LoadBalancer"
LISTENER = "AWS::ElasticLoadBalancingV2::Listener"
RULE = "AWS::ElasticLoadBalancingV2::ListenerRule"
TARGET_GROUP = "AWS::ElasticLoadBalancingV2::TargetGroup"
SUBNET = "AWS::EC2::Subnet"

_EVERYBODY = ("0.0.0.0/0", "::/0", "0.0.0.0/1", "128.0.0.0/1")
_LOGINS = ("authenticate-oidc", "authenticate-cognito", "jwt-validation")

# Headers whose values the world knows: browsers and clients send them by themselves, or name a host or an address.
_PUBLIC_HEADERS = frozenset(
    "accept accept-encoding accept-language authorization cache-control connection content-length content-type cookie "
    "forwarded host origin pragma referer te upgrade user-agent via x-forwarded-for x-forwarded-host x-forwarded-port "
    "x-forwarded-proto x-real-ip x-requested-with".split()
)

_UNGUESSED = 8
"""From so many characters on, a value of a header of one's own isn't guessed."""

UNNAMED_HOST = "host.invalid"
"""A host that no template names."""


@dataclass(frozen=True)
class Attributes:
    """TargetGroupAttributes or LoadBalancerAttributes."""

    place: Place
    """The list."""
    complete: bool
    """Whether every key is known."""
    by_key: dict[str, Place]
    """Key -> place of its Value."""

    def get(self, key: str) -> Place | None:
        """The place of an attribute's value; None where it isn't written."""
        return self.by_key.get(key)

    def text(self, key: str, default: str) -> str | None:
        """The value of an attribute, AWS's default where it is surely not written; None where it isn't
        known."""
        place = self.by_key.get(key)
        return place.text if place else default if self.complete else None

    def flag(self, key: str, default: bool) -> bool | None:
        """The same for true and false."""
        text = self.text(key, str(default).lower())
        return {"true": True, "false": False}.get(text.lower()) if text is not None else None

    def number(self, key: str, default: int) -> int | None:
        """The same for a whole number."""
        text = self.text(key, str(default))
        return whole_number(text)


@dataclass(frozen=True)
class TargetGroup:
    """A target group of the template."""

    resource: Resource
    properties: Place
    attributes: Attributes

    @property
    def name(self) -> str:
        """Its logical id."""
        return self.resource.logical_id

    @property
    def protocol(self) -> str | None:
        """HTTP, HTTPS, TCP...; None where it isn't known."""
        return self.properties["Protocol"].text

    @property
    def port(self) -> int | None:
        """Its own port, which ECS overrides with the container's; None where it isn't known."""
        return self.properties["Port"].integer

    @property
    def health_path(self) -> str | None:
        """The path that is asked, `/` where none is written; None where it isn't known."""
        place = self.properties["HealthCheckPath"]
        return place.text if place else "/"

    @property
    def health_protocol(self) -> str | None:
        """The protocol that is asked with; None where it isn't known.

        Where none is written it is HTTP for an Application Load Balancer's target groups and TCP for all others
        (API_CreateTargetGroup, HealthCheckProtocol).
        """
        place = self.properties["HealthCheckProtocol"]
        if place:
            return place.text
        if not self.properties["Protocol"] or self.protocol in ("HTTP", "HTTPS"):
            return "HTTP"
        return "TCP" if self.protocol is not None else None

    def health_port(self, traffic_port: int | None) -> int | None:
        """The port that is asked, `traffic_port` where the traffic's is; None where it isn't known."""
        place = self.properties["HealthCheckPort"]
        if not place or place.text == "traffic-port":
            return traffic_port
        return place.integer

    @property
    def health_place(self) -> Place:
        """Where the port of the health check is or should be written."""
        for key in ("HealthCheckPort", "HealthCheckPath"):
            if self.properties[key]:
                return self.properties[key]
        return self.properties


@dataclass(frozen=True)
class Condition:
    """One condition of a listener rule."""

    place: Place
    field: str | None
    """`path-pattern`, `host-header`, `source-ip`...; None where it isn't known."""
    values: tuple[Place, ...]
    complete: bool
    """Whether every value is known text and no regular expression is among them."""

    @property
    def texts(self) -> tuple[str, ...]:
        """The values that are known."""
        return tuple(text for one in self.values if (text := one.text) is not None)

    def matches(self, path: str, host: str) -> bool | None:
        """Whether a request from anywhere in the internet for this path and host can meet it, and will:
        True always, False never, None it depends or isn't known."""
        if (
            self.field not in ("path-pattern", "host-header", "source-ip")
            or not self.complete
            and not self.values
        ):
            return None
        if self.field == "source-ip":
            if any(text in _EVERYBODY for text in self.texts):
                return True
            return False if self.complete else None
        asked = path if self.field == "path-pattern" else host.lower()
        for text in self.texts:
            if matches(text if self.field == "path-pattern" else text.lower(), asked):
                return True
        return False if self.complete else None


@dataclass(frozen=True)
class Action:
    """What a rule or a listener does in the end."""

    place: Place
    """The action; the list of actions where none is known."""
    kind: str | None
    """forward, redirect, fixed-response; None where it isn't known."""
    groups: tuple[str, ...]
    """Logical ids of the template's target groups that it forwards to."""
    known: bool
    """Whether its kind and every group that it forwards to are known."""
    login: bool
    """Whether the balancer asks for a login first."""


@dataclass(frozen=True)
class Decision:
    """A listener rule, or a listener's default, which has no conditions."""

    resource: Resource
    properties: Place
    listener: Listener | None
    """None for a rule whose listener is elsewhere."""
    priority: int | None
    """None for a default, or where it isn't known."""
    conditions: tuple[Condition, ...]
    conditions_known: bool
    """Whether the list of conditions is known."""
    action: Action
    default: bool = False

    @property
    def name(self) -> str:
        """`PublicRule`, or `the default action of HttpsListener`."""
        return (
            f"the default action of {self.resource.logical_id}" if self.default else self.resource.logical_id
        )

    @property
    def path(self) -> Path:
        """Where it is written: the default's actions, or the rule."""
        return self.properties["DefaultActions"].path if self.default else self.resource.path

    def of(self, field: str) -> list[Condition]:
        """The conditions about a field, `path-pattern`."""
        return [one for one in self.conditions if one.field == field]

    def matches(self, path: str, host: str) -> bool | None:
        """Whether it takes a request from anywhere for this path and host; see `Condition.matches`."""
        answers = [one.matches(path, host) for one in self.conditions]
        if False in answers:
            return False
        return None if None in answers or not self.conditions_known else True


@dataclass(frozen=True, eq=False)
class Listener:
    """A listener of the template with everything that it decides."""

    resource: Resource
    properties: Place
    balancer: LoadBalancer | None
    """None where it is elsewhere or isn't known."""
    _view: View

    @property
    def name(self) -> str:
        """Its logical id."""
        return self.resource.logical_id

    @property
    def protocol(self) -> str | None:
        """HTTP, HTTPS, TCP...; None where it isn't known."""
        return self.properties["Protocol"].text

    @property
    def port(self) -> int | None:
        """None where it isn't known."""
        return self.properties["Port"].integer

    @cached_property
    def default(self) -> Decision:
        """Its default action."""
        action = _action(self.properties["DefaultActions"])
        return Decision(self.resource, self.properties, self, None, (), True, action, True)

    @cached_property
    def rules(self) -> tuple[Decision, ...]:
        """Its rules in the order they are tried; those whose priority isn't known last."""
        found = [one for one in self._view.balancers.rules if one.listener is self]
        return tuple(sorted(found, key=lambda one: (one.priority is None, one.priority or 0)))

    @property
    def decisions(self) -> tuple[Decision, ...]:
        """Its rules in their order and then its default."""
        return (*self.rules, self.default)

    @property
    def ordered(self) -> bool:
        """Whether the order of all rules is known."""
        return self._view.balancers.complete and all(one.priority is not None for one in self.rules)

    @property
    def public(self) -> bool | None:
        """Whether the whole internet reaches it: the balancer faces it and its security groups let everybody
        in; None where that isn't known."""
        if self.balancer is None or self.port is None:
            return None
        answers = (
            self.balancer.public,
            self._view.firewall.open_to_internet(self.balancer.party, self.port),
        )
        return False if False in answers else None if None in answers else True

    def hosts(self) -> tuple[str, ...]:
        """Every host that its rules name, without wildcards, and one that none names."""
        named = [
            text.replace("*", "a").replace("?", "a")
            for rule in self.rules
            for condition in rule.of("host-header")
            for text in condition.texts
        ]
        return (*dict.fromkeys(named), UNNAMED_HOST)

    def reached_by(self, path: str, groups: tuple[str, ...]) -> list[tuple[Decision, str]]:
        """(decision, host) by which somebody in the internet surely reaches one of the target groups at
        `path`.

        The requester chooses host, headers and method, so conditions on those are met where that helps; one
        on the source is met only if it lets everybody in. A rule that may take the request elsewhere before
        ends the search for that host: no answer is better than a wrong one. Each decision is named once.
        """
        found: dict[str, tuple[Decision, str]] = {}
        if not self.ordered:
            return []
        for host in self.hosts():
            for one in self.decisions:
                answer = one.matches(path, host)
                if answer is False:
                    continue
                forwards = one.action.kind == "forward" and not one.action.login
                if forwards and any(group in groups for group in one.action.groups):
                    if (
                        answer
                        or one.conditions_known
                        and all(_can_be_met(c, path, host) for c in one.conditions)
                    ):
                        found.setdefault(one.name, (one, host))
                        break
                if answer or one.action.kind is None or not _dodged(one, path, host):
                    break
        return list(found.values())


@dataclass(frozen=True, eq=False)
class LoadBalancer:
    """A load balancer of the template."""

    resource: Resource
    properties: Place
    attributes: Attributes
    party: Party
    _view: View

    @property
    def name(self) -> str:
        """Its logical id."""
        return self.resource.logical_id

    @property
    def application(self) -> bool | None:
        """Whether it is an Application Load Balancer; None where the type isn't known."""
        place = self.properties["Type"]
        return place.text == "application" if place.text is not None else None if place else True

    @property
    def public(self) -> bool | None:
        """Whether it faces the internet; None where that isn't known."""
        place = self.properties["Scheme"]
        return place.text == "internet-facing" if place.text is not None else None if place else True

    @property
    def subnets(self) -> tuple[Place, ...]:
        """The subnets that it is in."""
        return _subnets(self.properties)

    @cached_property
    def listeners(self) -> tuple[Listener, ...]:
        """Its listeners."""
        return tuple(one for one in self._view.balancers.listeners.values() if one.balancer is self)


class Balancers:
    """Everything about load balancing in a template."""

    def __init__(self, view: View):
        self._view = view

    @cached_property
    def target_groups(self) -> dict[str, TargetGroup]:
        """Logical id -> target group."""
        found = {}
        for one in self._view.resolver.resources(TARGET_GROUP):
            properties = self._view.resolver.properties(one)
            found[one.logical_id] = TargetGroup(
                one, properties, _attributes(properties["TargetGroupAttributes"])
            )
        return found

    @cached_property
    def load_balancers(self) -> dict[str, LoadBalancer]:
        """Logical id -> load balancer."""
        view, found = self._view, {}
        for one in view.resolver.resources(BALANCER):
            properties = view.resolver.properties(one)
            subnets = [place.resource(SUBNET) for place in _subnets(properties)]
            party = Party(
                view.firewall.groups(properties["SecurityGroups"]), networks(subnets, view.resolver)
            )
            attributes = _attributes(properties["LoadBalancerAttributes"])
            found[one.logical_id] = LoadBalancer(one, properties, attributes, party, view)
        return found

    @cached_property
    def listeners(self) -> dict[str, Listener]:
        """Logical id -> listener."""
        found = {}
        for one in self._view.resolver.resources(LISTENER):
            properties = self._view.resolver.properties(one)
            balancer = properties["LoadBalancerArn"].resource(BALANCER)
            holder = self.load_balancers.get(balancer.logical_id) if balancer else None
            found[one.logical_id] = Listener(one, properties, holder, self._view)
        return found

    @cached_property
    def rules(self) -> tuple[Decision, ...]:
        """Every listener rule, in the order of the text."""
        found = []
        for one in self._view.resolver.resources(RULE):
            properties = self._view.resolver.properties(one)
            holder = properties["ListenerArn"].resource(LISTENER)
            listed = properties["Conditions"]
            # A rule that may not be there takes nothing for sure.
            known = listed.unknown is None and self._view.resolver.exists(one.logical_id) is True
            found.append(
                Decision(
                    one,
                    properties,
                    self.listeners.get(holder.logical_id) if holder else None,
                    properties["Priority"].integer,
                    tuple(_condition(place) for place in listed),
                    known,
                    _action(properties["Actions"]),
                )
            )
        return tuple(found)

    @cached_property
    def complete(self) -> bool:
        """Whether the template shows each listener's rules: no macro brings one, and none may belong to any of
        them."""
        known = (one.listener or not one.properties["ListenerArn"].unknown for one in self.rules)
        return self._view.whole and all(known)

    def forwarding_to(self, groups: tuple[str, ...]) -> tuple[Listener, ...]:
        """The listeners that send requests to one of these target groups, by a rule or by default."""
        return tuple(
            one
            for one in self.listeners.values()
            if any(group in groups for decision in one.decisions for group in decision.action.groups)
        )


def matches(pattern: str, text: str) -> bool:
    """Whether a pattern of a listener rule takes a text: `*` is anything, `?` one character, all else
    itself."""
    parts = (".*" if sign == "*" else "." if sign == "?" else re.escape(sign) for sign in pattern)
    return re.fullmatch("".join(parts), text, re.DOTALL) is not None


def _subnets(properties: Place) -> tuple[Place, ...]:
    listed = properties["Subnets"]
    return tuple(listed) if listed else tuple(one["SubnetId"] for one in properties["SubnetMappings"])


def _attributes(place: Place) -> Attributes:
    complete = place.unknown is None
    found = {}
    for one in place:
        key = one["Key"].text
        if key is None:
            complete = False
        else:
            found[key] = one["Value"]
    return Attributes(place, complete, found)


def _condition(place: Place) -> Condition:
    name = place["Field"].text
    config = place[RULE_FIELDS[name]] if name in RULE_FIELDS else place
    listed = config["Values"] if config["Values"] else place["Values"]
    values = tuple(listed)
    known = listed.unknown is None and all(one.text is not None for one in values)
    patterns = bool(config["RegexValues"]) or bool(place["RegexValues"])
    return Condition(place, name, values, known and not patterns and bool(values))


def _action(place: Place) -> Action:
    actions = list(place)
    kinds = [one["Type"].text for one in actions]
    login = any(kind in _LOGINS for kind in kinds)
    last = next(
        (one for one, kind in zip(actions, kinds) if kind in ("forward", "redirect", "fixed-response")), None
    )
    if last is None:
        return Action(place, None, (), False, login)
    groups = []
    shared = last["ForwardConfig"]["TargetGroups"]
    listed = [last["TargetGroupArn"], *(one["TargetGroupArn"] for one in shared)]
    for one in listed:
        group = one.resource(TARGET_GROUP)
        if group is not None and group.logical_id not in groups:
            groups.append(group.logical_id)
    known = last["Type"].text != "forward" or all(one.unknown is None for one in (shared, *listed))
    return Action(last, last["Type"].text, tuple(groups), known, login)


def _can_be_met(condition: Condition, path: str, host: str) -> bool:
    """Whether whoever sends the request can see to it that a condition is met."""
    if condition.field == "http-request-method":
        return bool(condition.values)
    if condition.field == "http-header":
        name = condition.place["HttpHeaderConfig"]["HttpHeaderName"].text
        public = name is not None and name.lower() in _PUBLIC_HEADERS
        return any(one.text is not None and (public or not _secret(one)) for one in condition.values)
    if condition.field == "query-string":
        return any(not _secret(one["Value"] if one["Value"] else one) for one in condition.values)
    return condition.matches(path, host) is True


def _secret(place: Place) -> bool:
    """Whether strangers may not know what a header or a query has to hold: a value that isn't known, that comes from
    a parameter or a secret, or that nobody guesses."""
    text = place.text
    if text is None or place.names:
        return True
    return "*" not in text and "?" not in text and len(text) >= _UNGUESSED


def _dodged(decision: Decision, path: str, host: str) -> bool:
    """Whether whoever sends the request can see to it that a rule doesn't take it: by headers, method or
    query."""
    dodgeable = ("http-header", "query-string", "http-request-method")
    return any(one.field in dodgeable for one in decision.conditions)
