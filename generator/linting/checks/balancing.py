"""How listeners, rules and their values are read in a template; no checks in here."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, NamedTuple

from generator.document import Document, Path, Resource
from generator.linting.checks.base import is_given, items, mapping, target
from generator.rule_fields import RULE_FIELDS

BALANCER = "AWS::ElasticLoadBalancingV2::LoadBalancer"
LISTENER = "AWS::ElasticLoadBalancingV2::Listener"
RULE = "AWS::ElasticLoadBalancingV2::ListenerRule"
TARGET_GROUP = "AWS::ElasticLoadBalancingV2::TargetGroup"


class Condition(NamedTuple):
    """One condition of a rule, with the lists that hold its values."""

    path: Path
    field: str
    lists: list[tuple[Path, list[Any]]]

    @property
    def values(self) -> list[tuple[Path, Any]]:
        """(path, value) of what the condition compares with, known or not; what may come to nothing isn't."""
        found = [((*path, index), value) for path, listed in self.lists for index, value in enumerate(listed)]
        return [(path, value) for path, value in found if is_given(value) or value is None]


def conditions(rule: Resource) -> list[Condition]:
    """The conditions of a rule whose field is one there is."""
    found = []
    path = (*rule.path, "Properties", "Conditions")
    for index, condition in items(rule.properties, "Conditions"):
        field = condition.get("Field")
        if not isinstance(field, str) or field not in RULE_FIELDS:
            continue
        here = (*path, index)
        places = [(here, condition), ((*here, RULE_FIELDS[field]), mapping(condition, RULE_FIELDS[field]))]
        lists = [
            ((*place, key), holder[key])
            for place, holder in places
            for key in ("Values", "RegexValues")
            if isinstance(holder.get(key), list)
        ]
        found.append(Condition(here, field, lists))
    return found


def actions(resource: Resource) -> list[tuple[Path, dict[str, Any]]]:
    """(path, action) of a rule, or of a listener's default."""
    key = "DefaultActions" if resource.type == LISTENER else "Actions"
    path = (*resource.path, "Properties", key)
    return [((*path, index), action) for index, action in items(resource.properties, key)]


def forwards(document: Document) -> Iterator[tuple[Path, str, Resource, frozenset[str]]]:
    """(path of the action, its balancer, target group, conditions of all that it takes), for the target groups of the
    template."""
    for router in document.of_type(LISTENER, RULE):
        balancer = balancer_of(document, router)
        listener = listener_of(document, router)
        involved = (router, listener, document.resources.get(balancer))
        needed = frozenset(str(one.attributes["Condition"]) for one in involved if one and "Condition" in one.attributes)
        for path, action in actions(router):
            named = [action.get("TargetGroupArn")]
            named += [
                one.get("TargetGroupArn")
                for _, one in items(mapping(action, "ForwardConfig"), "TargetGroups")
            ]
            for arn in named:
                group = target(document, arn, TARGET_GROUP)
                if group:
                    yield path, balancer, group, needed


def listener_of(document: Document, router: Resource) -> Resource | None:
    """A listener itself, a rule's listener; None where that one is elsewhere."""
    if router.type == RULE:
        return target(document, router.properties.get("ListenerArn"), LISTENER)
    return router


def balancer_of(document: Document, router: Resource) -> str:
    """A name for the balancer a listener or a rule belongs to, the same for all of one
    balancer; empty if unknown.
    """
    listener = listener_of(document, router)
    if listener is None:
        return ""
    arn = listener.properties.get("LoadBalancerArn")
    balancer = target(document, arn, BALANCER)
    return balancer.logical_id if balancer else arn if isinstance(arn, str) else ""
