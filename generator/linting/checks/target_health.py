"""Health checks of target groups."""

from __future__ import annotations

import re
from collections.abc import Iterator

from generator.linting.checks.balancing import TARGET_GROUP
from generator.linting.checks.base import integer, mapping, text
from generator.linting.rule import Hit, Rule
from generator.linting.view import View

_CREATE = "https://docs.aws.amazon.com/elasticloadbalancing/latest/APIReference/API_CreateTargetGroup.html"


class HealthCheckTimeout(Rule):
    """A check has to end before the next begins, also where one of the two is left to its default.

    CreateTargetGroup answers "Health check interval must be greater than the timeout".
    """

    id = "E9541"
    shortdesc = "A target group's health check times out before the next check"
    source_url = _CREATE

    def hits(self, view: View) -> Iterator[Hit]:
        for group in view.document.of_type(TARGET_GROUP):
            properties = group.properties
            # Defaults for a protocol that isn't known here are not guessed. AWS documents two timeouts for
            # HTTP on an ALB (5, 6); the smaller objects to nothing that works.
            http = properties.get("Protocol") in ("HTTP", "HTTPS")
            timeout = properties.get("HealthCheckTimeoutSeconds", 5 if http else None)
            interval = properties.get("HealthCheckIntervalSeconds", 30 if http else None)
            timeout, interval = integer(timeout), integer(interval)
            if timeout is not None and interval is not None and timeout >= interval:
                keys = ("HealthCheckTimeoutSeconds", "HealthCheckIntervalSeconds")
                path = (*group.path, "Properties", keys[0] if keys[0] in properties else keys[1])
                message = f"the timeout of {timeout} s is not below the interval of {interval} s"
                yield Hit(path, message, f"set {keys[0]} below the interval")


class HealthCheckTarget(Rule):
    """A health check asks a path on a port and compares with status codes; each has its form."""

    id = "E9542"
    shortdesc = "A target group's health check has a path, a port and codes AWS takes"
    source_url = _CREATE

    def hits(self, view: View) -> Iterator[Hit]:
        for group in view.document.of_type(TARGET_GROUP):
            path = (*group.path, "Properties")
            asked = text(group.properties.get("HealthCheckPath"))
            if asked is not None and not asked.startswith("/"):
                yield Hit((*path, "HealthCheckPath"), f"{asked!r} doesn't start with /", f"write /{asked}")
            port = text(group.properties.get("HealthCheckPort"))
            if port is not None and port != "traffic-port" and not 1 <= (integer(port) or 0) <= 65535:
                message = f"{port!r} is no port from 1 to 65535 and not traffic-port"
                yield Hit((*path, "HealthCheckPort"), message)
            codes = text(mapping(group.properties, "Matcher").get("HttpCode"))
            # Behind a network balancer up to 599 is possible.
            highest = 499 if group.properties.get("Protocol") in ("HTTP", "HTTPS") else 599
            if codes is not None and not _are_codes(codes, highest):
                yield Hit(
                    (*path, "Matcher", "HttpCode"), f"{codes!r} is no list of codes from 200 to {highest}"
                )


def _are_codes(codes: str, highest: int) -> bool:
    if not re.fullmatch(r"\d{3}(-\d{3})?(,\d{3}(-\d{3})?)*", codes):
        return False
    return all(200 <= int(code) <= highest for code in re.findall(r"\d{3}", codes))
