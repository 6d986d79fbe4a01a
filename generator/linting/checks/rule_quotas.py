"""How many values, wildcards and rules a listener can have."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator

from generator.linting.checks.balancing import RULE, balancer_of, conditions
from generator.linting.checks.base import integer, same, text
from generator.linting.rule import Hit, Rule
from generator.linting.view import View

_QUOTAS = "https://docs.aws.amazon.com/elasticloadbalancing/latest/application/load-balancer-limits.html"
_CONDITIONS = "https://docs.aws.amazon.com/elasticloadbalancing/latest/application/rule-condition-types.html"


class RuleValues(Rule):
    """A rule compares with five values, counted over all its conditions; the quota can't be raised.

    CreateRule answers "A rule can only have '5' condition values". cfn-lint counts the paths
    of one condition only.
    """

    id = "E9531"
    shortdesc = "A listener rule has at most five condition values"
    source_url = _QUOTAS

    def hits(self, view: View) -> Iterator[Hit]:
        for rule in view.document.of_type(RULE):
            count = sum(len(condition.values) for condition in conditions(rule))
            if count > 5:
                path = (*rule.path, "Properties", "Conditions")
                yield Hit(path, f"{count} condition values, a rule can have 5", "split the rule in two")


class ConditionValues(Rule):
    """AWS documents three comparison strings for each condition; four and five have been seen to work."""

    id = "W9532"
    shortdesc = "A rule condition has at most three values"
    source_url = _CONDITIONS

    def hits(self, view: View) -> Iterator[Hit]:
        for rule in view.document.of_type(RULE):
            for condition in conditions(rule):
                count = len(condition.values)
                if count > 3:
                    message = f"{count} values in one condition, AWS documents at most 3"
                    yield Hit(condition.path, message, "split the rule in two")


class RuleWildcards(Rule):
    """`*` and `?` of all patterns of a rule count, and five is the quota, which can't be raised."""

    id = "E9533"
    shortdesc = "A listener rule has at most five wildcards"
    source_url = _QUOTAS

    def hits(self, view: View) -> Iterator[Hit]:
        for rule in view.document.of_type(RULE):
            count = 0
            for condition in conditions(rule):
                if condition.field in ("source-ip", "http-request-method"):  # have none
                    continue
                known = [text(value) for path, value in condition.values if path[-2] == "Values"]
                count += sum(value.count("*") + value.count("?") for value in known if value)
            if count > 5:
                path = (*rule.path, "Properties", "Conditions")
                yield Hit(path, f"{count} wildcards, a rule can have 5", "split the rule in two")


class RulePriorities(Rule):
    """The rules of a listener are tried in the order of their priorities, which therefore differ.

    CreateRule answers "Priority '10' is currently in use".
    """

    id = "E9536"
    shortdesc = "Rules of one listener have different priorities"
    source_url = "https://docs.aws.amazon.com/elasticloadbalancing/latest/APIReference/API_CreateRule.html"

    def hits(self, view: View) -> Iterator[Hit]:
        taken: dict[tuple[str, int], str] = {}
        for rule in view.document.of_type(RULE):
            priority, listener = integer(rule.properties.get("Priority")), rule.properties.get("ListenerArn")
            # Rules of which only one is ever made, by a condition, can share a priority.
            if priority is None or listener is None or "Condition" in rule.attributes:
                continue
            first = taken.setdefault((same(listener), priority), rule.logical_id)
            if first != rule.logical_id:
                yield Hit((*rule.path, "Properties", "Priority"), f"{first} has priority {priority} already")


class RuleCount(Rule):
    """A balancer has room for 100 rules unless AWS raised the quota; the default rules don't count."""

    id = "W9537"
    shortdesc = "A load balancer has at most 100 rules"
    source_url = _QUOTAS

    def hits(self, view: View) -> Iterator[Hit]:
        rules = [(balancer_of(view.document, rule), rule) for rule in view.document.of_type(RULE)]
        for balancer, count in Counter(balancer for balancer, _ in rules if balancer).items():
            if count > 100:
                beyond = [rule for name, rule in rules if name == balancer][100]
                yield Hit(beyond.path, f"{balancer} has {count} rules, the quota is 100")
