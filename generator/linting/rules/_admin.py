"""What the rules about paths that have no business on a public listener ask."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from generator.linting.rules._balancer import admin_pages, host_of, may_bar
from generator.linting.view import Keycloak
from generator.linting.view.balancers import UNNAMED_HOST, Decision


@dataclass(frozen=True)
class Opening:
    """A rule or a default that lets the whole internet through to such paths."""

    decision: Decision
    what: tuple[str, ...]
    """`the admin console`, `the admin REST API`, `the metrics`, `the health page`."""
    path: str
    """The first of the paths that it forwards."""
    host: str
    """A host at which it does; empty where any host does."""
    meant: bool
    """Whether somebody said so: only the admin console, on a host of its own, by a source-ip condition that
    names everybody."""


def openings(keycloak: Keycloak) -> Iterator[Opening]:
    """What the whole internet reaches beside the public paths, by the rules of all listeners."""
    prefix = keycloak.relative_path
    if prefix is None:
        return
    groups = tuple(one.name for one in keycloak.target_groups)
    paths = {what: f"{prefix}{path}" for what, path in admin_pages(keycloak).items()}
    # Which health path answers where is told by the version; before 25 the paths are on the main port.
    if keycloak.health_on_main_port:
        paths |= {"the metrics": f"{prefix}/metrics", "the health page": f"{prefix}/health"}
    for listener in keycloak.listeners:
        if not listener.public or listener.protocol not in ("HTTP", "HTTPS"):
            continue
        found: dict[str, list[tuple[Decision, str, str]]] = {}
        for what, path in paths.items():
            if may_bar(keycloak.view, listener.balancer, path):
                continue
            for decision, host in listener.reached_by(path, groups):
                found.setdefault(decision.name, []).append((decision, host, what))
        for several in found.values():
            decision, host, first = several[0]
            named = tuple(what for _, _, what in several)
            meant = len(named) == 1 and first.startswith("the admin") and _meant(keycloak, decision, paths[first])
            yield Opening(decision, named, paths[first], "" if host == UNNAMED_HOST else host, meant)


def closing(keycloak: Keycloak, decision: Decision, host: str) -> str:
    """What closes an opening and leaves logins open."""
    prefix = keycloak.relative_path
    public = f"{prefix}/realms/* and {prefix}/resources/*"
    if decision.listener is not None and decision.listener.protocol not in ("HTTP", "HTTPS"):
        # A Network Load Balancer's listener knows no paths.
        return f"let an Application Load Balancer forward {public} alone, or let in the networks of administrators only"
    if decision.default:
        return f"let the default action answer 404 (Type: fixed-response) and forward {public} by a rule"
    # A condition on sources would lock out whoever logs in by the same rule.
    if decision.matches(f"{prefix}/realms/x/", host or UNNAMED_HOST) is not False:
        return (
            f"let it forward {public} only (path-pattern), and {prefix}/admin/* by a rule of its own with a source-ip "
            "condition"
        )
    return "add a source-ip condition with the networks of your administrators"


def _meant(keycloak: Keycloak, decision: Decision, path: str) -> bool:
    """Whether a rule is for hosts other than the public one, and for sources that it names."""
    public = host_of(keycloak.options.first("hostname", "hostname-url"))
    named = decision.of("host-header") and decision.of("source-ip")
    return bool(named) and bool(public) and decision.matches(path, public) is False
