"""Questions that several rules about balancers ask; no rules in here."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import NamedTuple
from urllib.parse import urlsplit

from generator.keycloak import facts
from generator.linting.view import Keycloak, Setting, View
from generator.linting.view.balancers import BALANCER, Decision, Listener, LoadBalancer, TargetGroup
from generator.linting.view.services import Target
from generator.resolving import Place

WEB_ACL = "AWS::WAFv2::WebACL"
_ASSOCIATION = "AWS::WAFv2::WebACLAssociation"
_DISTRIBUTION = "AWS::CloudFront::Distribution"


def written(*places: Place) -> Place:
    """The first of these places where something is written, else the last one."""
    return next((one for one in places if one), places[-1])


# --- who gets what ---


def forwards(keycloak: Keycloak) -> list[Decision]:
    """The rules and defaults of its listeners that send requests to it."""
    groups = {one.name for one in keycloak.target_groups}
    return [
        one
        for listener in keycloak.listeners
        for one in listener.decisions
        if one.action.kind == "forward" and groups & set(one.action.groups)
    ]


def all_known(keycloak: Keycloak) -> bool:
    """Whether the template shows every way by which a balancer sends requests to it."""
    view = keycloak.view
    groups = {one.name for one in keycloak.target_groups}
    elsewhere = any(one.listener is None and groups & set(one.action.groups) for one in view.balancers.rules)
    defaults = (listener.default for listener in view.balancers.listeners.values())
    unclear = not all(one.action.known for one in (*view.balancers.rules, *defaults))
    outside = any(one.group is None for service in keycloak.services for one in service.targets)
    return view.whole and bool(keycloak.listeners) and not (elsewhere or unclear or outside)


def may_take(decision: Decision, path: str | None, host: str | None) -> bool:
    """Whether a request for that path and host may meet its conditions, whoever sends it; None for any path or
    host. A rule that rewrites what it passes on may take anything."""
    if decision.properties["Transforms"]:
        return True
    asked = {"path-pattern": path, "host-header": host}
    return all(
        one.matches(path or "", host or "") is not False
        for one in decision.conditions
        if asked.get(one.field or "") is not None
    )


def paths(decision: Decision) -> list[Place] | None:
    """The paths that it compares with; None where they aren't all known or it compares with none."""
    found = decision.of("path-pattern")
    if not found or decision.properties["Transforms"] or not decision.conditions_known:
        return None
    return [value for one in found for value in one.values] if all(one.complete for one in found) else None


def sure_relative_path(keycloak: Keycloak) -> str | None:
    """http-relative-path without a slash at its end; None where an image may have another one built in."""
    if keycloak.options.get("http-relative-path") or keycloak.options.missing("http-relative-path"):
        return keycloak.relative_path
    return None


def host_of(setting: Setting | None) -> str:
    """The host in the value of hostname or hostname-admin; empty where it isn't known, and for an address or a name
    without a dot, which no public record leads to."""
    value = (setting.value or "").strip() if setting else ""
    try:
        host = urlsplit(value if "//" in value else f"//{value}").hostname or ""
    except ValueError:
        return ""
    return "" if "." not in host or re.fullmatch(r"[\d.]+", host) else host


def hostnames(keycloak: Keycloak) -> Iterator[tuple[Setting, str, str]]:
    """(setting, host, what is there) of the hosts that Keycloak's links lead to."""
    options = keycloak.options
    for setting, what in (
        (options.first("hostname", "hostname-url"), "Keycloak"),
        (options.first("hostname-admin", "hostname-admin-url"), "the admin console"),
    ):
        host = host_of(setting)
        if setting is not None and host:
            yield setting, host, what


def other_fronts(view: View) -> bool:
    """Whether the template has a CDN, which has hosts and certificates of its own."""
    return bool(view.resolver.resources(_DISTRIBUTION))


def http_listeners(keycloak: Keycloak) -> list[Listener]:
    """Its listeners of Application Load Balancers."""
    return [one for one in keycloak.listeners if one.protocol in ("HTTP", "HTTPS")]


def alias_of(view: View, host: str) -> LoadBalancer | None:
    """The template's balancer that a DNS record of the template for that host leads to."""
    for one in view.resolver.resources("AWS::Route53::RecordSet"):
        properties = view.resolver.properties(one)
        name = (properties["Name"].text or "").rstrip(".").lower()
        balancer = properties["AliasTarget"]["DNSName"].resource(BALANCER)
        if name == host and balancer is not None:
            return view.balancers.load_balancers.get(balancer.logical_id)
    return None


class Origin(NamedTuple):
    """An origin of a CloudFront distribution that is one of the template's balancers."""

    distribution: Place
    """The DistributionConfig."""
    ports: tuple[int, ...]
    """The ports that CloudFront asks at; none where they aren't known."""


def origins(view: View, balancer: LoadBalancer) -> list[Origin] | None:
    """The origins of the template's distributions that surely are that balancer; None where one may be."""
    found = []
    for one in view.resolver.resources(_DISTRIBUTION):
        config = view.resolver.properties(one)["DistributionConfig"]
        if config["Origins"].unknown is not None:
            return None
        for origin in config["Origins"]:
            named = origin["DomainName"]
            text, target = named.text, named.reference
            led = alias_of(view, text.lower()) if text else None
            if target is not None:
                led = view.balancers.load_balancers.get(target.logical_id)
            if led is balancer:
                found.append(Origin(config, _origin_ports(origin["CustomOriginConfig"])))
            elif led is None and target is None and not (text or "").endswith(".amazonaws.com"):
                return None
    return found


def _origin_ports(config: Place) -> tuple[int, ...]:
    """Where CloudFront asks an origin; with match-viewer, at the port of what the browser speaks."""
    wanted = {"http-only": ("HTTPPort",), "https-only": ("HTTPSPort",), "match-viewer": ("HTTPPort", "HTTPSPort")}
    default = {"HTTPPort": 80, "HTTPSPort": 443}
    keys = wanted.get(config["OriginProtocolPolicy"].text or "", ())
    ports = [config[key].integer if config[key] else default[key] for key in keys]
    return tuple(one for one in ports if one is not None)


# --- health ---


def health_checks(keycloak: Keycloak) -> Iterator[tuple[Target, TargetGroup, str]]:
    """(target, its group, the path that is asked) where the balancer asks at the port that answers /health."""
    on_main = keycloak.health_on_main_port
    for target in keycloak.targets:
        group = target.group
        if group is None or group.health_path is None or on_main is None:
            continue
        # A check by TCP asks for no path.
        if group.health_protocol not in ("HTTP", "HTTPS"):
            continue
        asked = group.health_port(target.container_port)
        right = target.container_port if on_main else keycloak.management_port
        if asked is not None and asked == right:
            yield target, group, group.health_path.partition("?")[0]


def accepts(group: TargetGroup, code: int) -> bool | None:
    """Whether a health check takes a status for a good one; None where that isn't known."""
    place = group.properties["Matcher"]["HttpCode"]
    text = place.text if place else "200" if group.properties["Matcher"].unknown is None else None
    if text is None or not re.fullmatch(r"\s*\d{3}(-\d{3})?(\s*,\s*\d{3}(-\d{3})?)*\s*", text):
        return None
    for part in text.replace(" ", "").split(","):
        low, _, high = part.partition("-")
        if int(low) <= code <= int(high or low):
            return True
    return False


# --- WAF ---


def web_acls(view: View, balancer: LoadBalancer | None) -> list[Place] | None:
    """The properties of the web ACLs in front of a balancer; None where there may be one that the template doesn't
    hold."""
    found = []
    for one in view.resolver.resources(_ASSOCIATION):
        properties = view.resolver.properties(one)
        front = properties["ResourceArn"].resource(BALANCER)
        if front is None or balancer is None:
            return None
        if front.logical_id != balancer.name:
            continue
        acl = properties["WebACLArn"].resource(WEB_ACL)
        if acl is None:
            return None
        found.append(view.resolver.properties(acl))
    return found


def may_refuse(view: View, balancer: LoadBalancer | None, *words: str) -> bool:
    """Whether a web ACL in front of a balancer may look at a part of the request: at least one of `words` (lower
    case) stands in one of its rules, or the rule's contents aren't known."""
    acls = web_acls(view, balancer)
    return acls is None or any(_looks_at(acl, words) for acl in acls)


def distribution_may_refuse(distribution: Place, *words: str) -> bool:
    """The same for the web ACL of a CloudFront distribution."""
    named = distribution["WebACLId"]
    acl = named.resource(WEB_ACL)
    return bool(named) and (acl is None or _looks_at(named.resolver.properties(acl), words))


def _looks_at(acl: Place, words: tuple[str, ...]) -> bool:
    for rule in acl["Rules"]:
        text = repr(rule.value).lower()
        if "rulegroupreferencestatement" in text or any(word in text for word in words):
            return True
    return acl["Rules"].unknown is not None


# AWS's own rule groups look for attacks, and let a browser through; this one looks for paths of administrators.
_ADMIN_PATHS = "AWSManagedRulesAdminProtectionRuleSet"
# These change nothing about a path that is written plainly.
_PLAIN = ("NONE", "LOWERCASE", "URL_DECODE", "URL_DECODE_UNI", "NORMALIZE_PATH", "NORMALIZE_PATH_WIN")
# Parts of a request that somebody who asks for a page leaves out.
_LEFT_OUT = ("QueryString", "SingleQueryArgument", "AllQueryArguments", "Body", "JsonBody", "Cookies")


def may_bar(view: View, balancer: LoadBalancer | None, path: str) -> bool:
    """Whether a web ACL in front of a balancer may keep strangers from a path, by whatever it looks at."""
    acls = web_acls(view, balancer)
    return acls is None or any(_may_bar(acl, path) for acl in acls)


def _may_bar(acl: Place, path: str) -> bool:
    if acl["Rules"].unknown is not None or not acl["DefaultAction"]["Allow"]:
        return True
    passing = ("Allow", "Count")
    return any(
        not any(rule["Action"][one] for one in passing) and _concerns(rule["Statement"], path) is not False
        for rule in acl["Rules"]
    )


def _concerns(statement: Place, path: str) -> bool | None:
    """Whether a rule's statement is met by somebody of anywhere who asks for a page: False where that can surely be
    avoided, True where it can't."""
    kind = next(iter(statement.keys()), "")
    inner = statement[kind]
    if kind in ("AndStatement", "OrStatement"):
        answers = [_concerns(one, path) for one in inner["Statements"]]
        settling = kind == "OrStatement"
        return settling if settling in answers else None if None in answers or not answers else not settling
    if kind == "NotStatement":
        met = _concerns(inner["Statement"], path)
        return not met if met is not None and _looks_at_path(inner["Statement"]) else None
    if kind == "ManagedRuleGroupStatement":
        own = inner["VendorName"].text == "AWS" and inner["Name"].text not in (None, _ADMIN_PATHS)
        return False if own else None
    if kind in ("RateBasedStatement", "GeoMatchStatement", "IPSetReferenceStatement", "AsnMatchStatement"):
        return False
    if _looks_at_path(statement):
        return _path_matches(inner, path)
    field = inner["FieldToMatch"]
    return False if any(field[one] for one in _LEFT_OUT) else None


def _looks_at_path(statement: Place) -> bool:
    return bool(statement["ByteMatchStatement"]["FieldToMatch"]["UriPath"])


def _path_matches(match: Place, path: str) -> bool | None:
    searched = match["SearchString"].text
    kinds = [one["Type"].text for one in match["TextTransformations"]]
    if not searched or any(kind not in _PLAIN for kind in kinds):
        return None
    asked = path.lower() if "LOWERCASE" in kinds else path
    return {
        "EXACTLY": asked == searched,
        "STARTS_WITH": asked.startswith(searched),
        "ENDS_WITH": asked.endswith(searched),
        "CONTAINS": searched in asked,
    }.get(match["PositionalConstraint"].text or "")


def blocked_by(acl: Place, group: str, names: tuple[str, ...]) -> tuple[Place, list[str]] | None:
    """(statement, those of `names` that block) of an AWS managed rule group of a web ACL; None where it isn't there,
    only counts, looks at a part of the requests only, or its overrides aren't known."""
    for rule in acl["Rules"]:
        statement = rule["Statement"]["ManagedRuleGroupStatement"]
        if statement["Name"].text != group or statement["VendorName"].text not in (None, "AWS"):
            continue
        override = rule["OverrideAction"]
        if not override or override["Count"] or override.unknown is not None or statement["ScopeDownStatement"]:
            return None
        overrides, excluded = statement["RuleActionOverrides"], statement["ExcludedRules"]
        if overrides.unknown is not None or excluded.unknown is not None:
            return None
        spared = {one["Name"].text for one in excluded}
        spared |= {one["Name"].text for one in overrides if "Block" not in one["ActionToUse"].keys()}
        if None in spared:
            return None
        return statement, [name for name in names if name not in spared]
    return None


# --- path tricks ---


def admin_path(keycloak: Keycloak) -> str | None:
    """The path of the admin console; None where it isn't known, or where there may be no console."""
    if keycloak.relative_path is None or "the admin console" not in admin_pages(keycloak):
        return None
    return f"{keycloak.relative_path}/admin/master/console/"


def admin_pages(keycloak: Keycloak) -> dict[str, str]:
    """What administrators need and nobody else -> its path below http-relative-path: the console, else the REST API
    where features are off; none where nobody can tell.

    Source: AdminRoot and Profile of keycloak/keycloak: without the feature `admin` (`admin2` up to 23) the console
    answers 404, without `admin-api` all of it.
    """
    console = {"the admin console": "/admin/master/console/"}
    off = keycloak.options.get("features-disabled")
    if off is None or off.value == "":
        return console
    if off.value is None or off.secret:
        return {}
    names = {one.strip().partition(":")[0] for one in off.value.split(",")}
    if "admin-api" in names:
        return {}
    return {"the admin REST API": "/admin/realms"} if names & {"admin", "admin2"} else console


def tricks(keycloak: Keycloak) -> dict[str, str]:
    """Path -> what this version answers it with, of paths that a balancer takes for others than Keycloak does.

    Not those that URI normalization may settle before a rule sees them (ELB guide, "Path conditions"): dots, empty
    segments, encoded letters.
    """
    prefix, version = keycloak.relative_path, keycloak.version
    if prefix is None or version is None or admin_path(keycloak) is None:
        return {}
    if not facts.path_parameters_show_console(version):
        return {}
    return {f"{prefix}/admin;x/master/console/": "the admin console"}


def tricked(keycloak: Keycloak, listener: Listener) -> list[tuple[Decision, str, str]]:
    """(rule or default, path, what is there) by which a trick surely walks around the listener's rules; none where a
    web ACL may refuse it."""
    if listener.protocol not in ("HTTP", "HTTPS") or may_refuse(
        keycloak.view, listener.balancer, "uripath", "awsmanagedrulescommonruleset"
    ):
        return []
    groups = tuple(one.name for one in keycloak.target_groups)
    plain = admin_path(keycloak)
    open_anyway = {one.name for one, _ in listener.reached_by(plain, groups)} if plain else set()
    found = {}
    for path, what in tricks(keycloak).items():
        for decision, _ in listener.reached_by(path, groups):
            if decision.name not in open_anyway and not decision.properties["Transforms"]:
                found.setdefault(decision.name, (decision, path, what))
    return list(found.values())


# --- client certificates ---

LOOKUPS = ("apache", "envoy", "haproxy", "nginx", "rfc9440", "traefik")
"""Keycloak's own providers that read a client certificate from a header; `default` reads it from the connection."""


def lookup_option(keycloak: Keycloak, *parts: str) -> Setting | None:
    """An option of the SPI x509cert-lookup. Two dashes between the parts count from 26.3 on only."""
    found = None
    if keycloak.at_least(26, 3) is not False:
        found = keycloak.options.get("--".join(("spi-x509cert-lookup", *parts)))
    return found or keycloak.options.get("-".join(("spi-x509cert-lookup", *parts)))


def lookup_provider(keycloak: Keycloak) -> tuple[str, Setting] | None:
    """(name, where it is told) of the provider that reads certificates from a header: the one that is chosen, else the
    only one that is told anything, as an image of one's own has the choice built in; None where there is none."""
    chosen = lookup_option(keycloak, "provider")
    if chosen is not None:
        return (chosen.value, chosen) if chosen.value in LOOKUPS else None
    if keycloak.image.stock:
        return None
    told = {}
    for name in LOOKUPS:
        for part in ("ssl-client-cert", "trust-proxy-verification", "certificate-chain-length"):
            if found := lookup_option(keycloak, name, part):
                told.setdefault(name, found)
    return next(iter(told.items())) if len(told) == 1 else None


def asking_listeners(keycloak: Keycloak, mode: str) -> list[Listener]:
    """The listeners, of any target group of its services, that ask for certificates in that mode."""
    groups = {one.group.name for service in keycloak.services for one in service.targets if one.group}
    return [one for one in keycloak.view.balancers.forwarding_to(tuple(groups)) if mutual_tls(one) == mode]


def mutual_tls(listener: Listener) -> str | None:
    """`verify`, `passthrough` or `off`; None where it isn't known."""
    place = listener.properties["MutualAuthentication"]
    mode = place["Mode"]
    return mode.text if mode else "off" if place.unknown is None else None


# --- who is asking ---


def reads_forwarded_for(keycloak: Keycloak) -> bool:
    """Whether Keycloak surely takes X-Forwarded-For for the client's address."""
    headers = keycloak.options.get("proxy-headers")
    if headers is not None:
        return headers.value == "xforwarded"
    mode = keycloak.options.get("proxy")
    # Gone in 26; before, these modes read the header (server guide of 23, reverseproxy.adoc).
    return mode is not None and mode.value in ("edge", "reencrypt") and keycloak.at_least(26, 0) is False
