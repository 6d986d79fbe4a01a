"""Attributes of balancers, listeners and target groups."""

from __future__ import annotations

import difflib
from collections.abc import Iterable, Iterator

from generator.document import Document, Path, Resource
from generator.linting.checks.balancing import BALANCER, LISTENER, TARGET_GROUP
from generator.linting.checks.base import integer, items, text
from generator.linting.rule import Hit, Rule
from generator.linting.view import View

_API = "https://docs.aws.amazon.com/elasticloadbalancing/latest/APIReference/"

_SWITCH = ("true", "false")
_ANY = None
_WEEK = range(1, 604_800 + 1)
_COUNT = range(1, 1_000_000)
_PERCENT = range(1, 100 + 1)

# Attribute to the words and ranges it takes. From API_TargetGroupAttribute,
# API_LoadBalancerAttribute and API_ListenerAttribute.
_GROUP = {
    "deregistration_delay.connection_termination.enabled": _SWITCH,
    "deregistration_delay.timeout_seconds": (range(3600 + 1),),
    "lambda.multi_value_headers.enabled": _SWITCH,
    "load_balancing.algorithm.anomaly_mitigation": ("on", "off"),
    "load_balancing.algorithm.type": ("round_robin", "least_outstanding_requests", "weighted_random"),
    "load_balancing.cross_zone.enabled": (*_SWITCH, "use_load_balancer_configuration"),
    "preserve_client_ip.enabled": _SWITCH,
    "proxy_protocol_v2.enabled": _SWITCH,
    "send_tcp_reset.on_deregistration.enabled": _SWITCH,
    "send_tcp_reset.on_unhealthy.enabled": _SWITCH,
    "slow_start.duration_seconds": ("0", range(30, 900 + 1)),
    "stickiness.app_cookie.cookie_name": _ANY,
    "stickiness.app_cookie.duration_seconds": (_WEEK,),
    "stickiness.enabled": _SWITCH,
    "stickiness.lb_cookie.duration_seconds": (_WEEK,),
    "stickiness.type": (
        "lb_cookie",
        "app_cookie",
        "source_ip",
        "source_ip_dest_ip",
        "source_ip_dest_ip_proto",
    ),
    "target_failover.on_deregistration": ("rebalance", "no_rebalance"),
    "target_failover.on_unhealthy": ("rebalance", "no_rebalance"),
    "target_group_health.dns_failover.minimum_healthy_targets.count": ("off", _COUNT),
    "target_group_health.dns_failover.minimum_healthy_targets.percentage": ("off", _PERCENT),
    "target_group_health.unhealthy_state_routing.minimum_healthy_targets.count": (_COUNT,),
    "target_group_health.unhealthy_state_routing.minimum_healthy_targets.percentage": ("off", _PERCENT),
    "target_health_state.unhealthy.connection_termination.enabled": _SWITCH,
    "target_health_state.unhealthy.draining_interval_seconds": (range(360_000 + 1),),
}
_BALANCER = {
    "access_logs.s3.bucket": _ANY,
    "access_logs.s3.enabled": _SWITCH,
    "access_logs.s3.prefix": _ANY,
    "client_keep_alive.seconds": (range(60, 604_800 + 1),),
    "connection_logs.s3.bucket": _ANY,
    "connection_logs.s3.enabled": _SWITCH,
    "connection_logs.s3.prefix": _ANY,
    "deletion_protection.enabled": _SWITCH,
    "dns_record.client_routing_policy": (
        "availability_zone_affinity",
        "partial_availability_zone_affinity",
        "any_availability_zone",
    ),
    "health_check_logs.s3.bucket": _ANY,
    "health_check_logs.s3.enabled": _SWITCH,
    "health_check_logs.s3.prefix": _ANY,
    "idle_timeout.timeout_seconds": (range(1, 4000 + 1),),
    "ipv6.deny_all_igw_traffic": _SWITCH,
    "load_balancing.cross_zone.enabled": _SWITCH,
    "routing.http.desync_mitigation_mode": ("monitor", "defensive", "strictest"),
    "routing.http.drop_invalid_header_fields.enabled": _SWITCH,
    "routing.http.preserve_host_header.enabled": _SWITCH,
    "routing.http.x_amzn_tls_version_and_cipher_suite.enabled": _SWITCH,
    "routing.http.xff_client_port.enabled": _SWITCH,
    "routing.http.xff_header_processing.mode": ("append", "preserve", "remove"),
    "routing.http2.enabled": _SWITCH,
    "secondary_ips.auto_assigned.per_subnet": (range(7 + 1),),
    "waf.fail_open.enabled": _SWITCH,
    "zonal_shift.config.enabled": _SWITCH,
}
_HEADER = "routing.http.request.x_amzn_"
_RESPONSE = "routing.http.response."
_LISTENER = {
    "send_tcp_reset.on_idle_timeout.enabled": _SWITCH,
    "tcp.idle_timeout.seconds": (range(60, 6000 + 1),),
    _HEADER + "mtls_clientcert.header_name": _ANY,
    _HEADER + "mtls_clientcert_issuer.header_name": _ANY,
    _HEADER + "mtls_clientcert_leaf.header_name": _ANY,
    _HEADER + "mtls_clientcert_serial_number.header_name": _ANY,
    _HEADER + "mtls_clientcert_subject.header_name": _ANY,
    _HEADER + "mtls_clientcert_validity.header_name": _ANY,
    _HEADER + "tls_cipher_suite.header_name": _ANY,
    _HEADER + "tls_version.header_name": _ANY,
    _RESPONSE + "access_control_allow_credentials.header_value": _ANY,
    _RESPONSE + "access_control_allow_headers.header_value": _ANY,
    _RESPONSE + "access_control_allow_methods.header_value": _ANY,
    _RESPONSE + "access_control_allow_origin.header_value": _ANY,
    _RESPONSE + "access_control_expose_headers.header_value": _ANY,
    _RESPONSE + "access_control_max_age.header_value": _ANY,
    _RESPONSE + "content_security_policy.header_value": _ANY,
    _RESPONSE + "server.enabled": _SWITCH,
    _RESPONSE + "strict_transport_security.header_value": _ANY,
    _RESPONSE + "x_content_type_options.header_value": _ANY,
    _RESPONSE + "x_frame_options.header_value": _ANY,
}
KNOWN = {
    TARGET_GROUP: ("TargetGroupAttributes", _GROUP),
    BALANCER: ("LoadBalancerAttributes", _BALANCER),
    LISTENER: ("ListenerAttributes", _LISTENER),
}
"""Type -> (property, attribute -> what it takes)."""


def _attributes(document: Document) -> Iterator[tuple[Resource, list[tuple[Path, str, object]], dict]]:
    """(resource, its attributes as (path, key, value), the attributes there are) of everything
    that can have some.
    """
    for kind, (name, known) in KNOWN.items():
        for resource in document.of_type(kind):
            path = (*resource.path, "Properties", name)
            found = [
                ((*path, index), key, attribute.get("Value"))
                for index, attribute in items(resource.properties, name)
                if (key := text(attribute.get("Key"))) is not None
            ]
            yield resource, found, known


def _meant(key: str, known: Iterable[str]) -> str:
    """The known attribute that a slip of the keyboard made an unknown one of; empty where there was none."""
    near = [] if key in known else difflib.get_close_matches(key, known, 1, 0.8)
    return near[0] if near else ""


class AttributeKeys(Rule):
    """An attribute is a key and a value, so a slip of the keyboard is valid CloudFormation
    until AWS reads it.

    It answers "Target group attribute key 'stickyness.enabled' is not recognized". A key with no known key
    near it is left to W9546, as AWS adds new ones.
    """

    id = "E9544"
    shortdesc = "Attribute keys of balancers, listeners and target groups are spelt right, and once"
    source_url = _API + "API_TargetGroupAttribute.html"

    def hits(self, view: View) -> Iterator[Hit]:
        for _, attributes, known in _attributes(view.document):
            seen: set[str] = set()
            for path, key, _ in attributes:
                if meant := _meant(key, known):
                    yield Hit((*path, "Key"), f"there is no attribute {key!r}", f"write {meant}")
                if key in seen:
                    yield Hit((*path, "Key"), f"{key} is there twice")
                seen.add(key)


class AttributeValues(Rule):
    """The values are text for CloudFormation and switches, ranges and names for AWS."""

    id = "E9545"
    shortdesc = "Attribute values of balancers, listeners and target groups are ones AWS takes"
    source_url = _API + "API_TargetGroupAttribute.html"

    def hits(self, view: View) -> Iterator[Hit]:
        for _, attributes, known in _attributes(view.document):
            for path, key, value in attributes:
                said = str(value).lower() if isinstance(value, bool) else text(value)
                takes = known.get(key)
                if said is None or takes is None or any(self._takes(one, said) for one in takes):
                    continue
                words = ", ".join(
                    f"{one[0]} to {one[-1]}" if isinstance(one, range) else one for one in takes
                )
                yield Hit((*path, "Value"), f"{key} takes {words}; not {said!r}")

    def _takes(self, one: str | range, said: str) -> bool:
        return integer(said) in one if isinstance(one, range) else said == one


class UnknownAttribute(Rule):
    """A key that AWS didn't have when this list was made: new, or wrong."""

    id = "W9546"
    shortdesc = "Attribute keys are known ones"
    source_url = _API + "API_TargetGroupAttribute.html"

    def hits(self, view: View) -> Iterator[Hit]:
        for resource, attributes, known in _attributes(view.document):
            for path, key, _ in attributes:
                if key not in known and not _meant(key, known):
                    yield Hit((*path, "Key"), f"{key!r} is no known attribute of {resource.type}")


class LogBucket(Rule):
    """Logs that are on need a bucket to go to; AWS refuses the attribute without."""

    id = "E9547"
    shortdesc = "A load balancer's logs have a bucket"
    source_url = _API + "API_LoadBalancerAttribute.html"

    def hits(self, view: View) -> Iterator[Hit]:
        for resource, attributes, _ in _attributes(view.document):
            keys = {key for _, key, _ in attributes}
            said = resource.properties.get(KNOWN[resource.type][0])
            if not isinstance(said, list) or len(attributes) != len(said):
                continue  # the bucket may be among those that only AWS knows
            for path, key, value in attributes:
                kind = key.partition(".s3.enabled")[0]
                on = value is True or value == "true"
                if key.endswith("_logs.s3.enabled") and on and f"{kind}.s3.bucket" not in keys:
                    yield Hit(path, f"{key} without {kind}.s3.bucket", f"add {kind}.s3.bucket")
