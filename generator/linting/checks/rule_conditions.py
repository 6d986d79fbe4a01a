"""What listener rules compare with."""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Iterator

from generator.document import Resource
from generator.linting.checks.balancing import RULE, Condition, conditions
from generator.linting.checks.base import is_given, items, nearest, text
from generator.linting.rule import Hit, Rule
from generator.linting.view import View
from generator.rule_fields import RULE_FIELDS

_API = "https://docs.aws.amazon.com/elasticloadbalancing/latest/APIReference/"


class ConditionText(Rule):
    """What a pattern may hold: a path has no `%` and no blank, a host has a dot, a method has capitals.

    CreateRule answers with a ValidationError that names the value. Encoded characters
    need a RegexValues condition.
    """

    id = "E9534"
    shortdesc = "Values of rule conditions have allowed characters and lengths"
    source_url = _API + "API_RuleCondition.html"

    # (pattern, what is allowed in words), by field.
    patterns = {
        "path-pattern": (r"""[A-Za-z0-9_.$/~"'@:+&*?-]+""", """letters, digits and _-.$/~"'@:+&*?"""),
        "host-header": (r"[A-Za-z0-9_.*?-]+", "letters, digits and -_.*?"),
        "http-request-method": (r"[A-Z_-]+", "capitals, - and _"),
    }

    def hits(self, view: View) -> Iterator[Hit]:
        for rule in view.document.of_type(RULE):
            for condition in conditions(rule):
                for path, value in condition.values:
                    known = text(value)
                    wrong = "" if known is None else self._wrong(condition, known, path[-2] == "RegexValues")
                    if wrong:
                        yield Hit(path, wrong)

    def _wrong(self, condition: Condition, value: str, regex: bool) -> str:
        longest = 40 if condition.field == "http-request-method" else 128
        if not value:
            return "an empty condition value"
        if len(value) > longest:
            return f"{len(value)} characters, AWS takes {longest}"
        if regex:
            return ""
        if condition.field == "source-ip":
            return "" if _is_network(value) else f"{value!r} is no network in CIDR notation"
        pattern, words = self.patterns.get(condition.field, (".*", ""))
        if not re.fullmatch(pattern, value, re.DOTALL):
            return f"{value!r} has other characters than {words}"
        if condition.field == "host-header":
            last = value.rpartition(".")[2]
            if "." not in value:
                return f"the host {value!r} has no dot"
            if not re.fullmatch(r"[A-Za-z*?]+", last):
                return f"the host {value!r} has other characters than letters behind its last dot"
        return ""


def _is_network(value: str) -> bool:
    try:
        ipaddress.ip_network(value, strict=False)
    except ValueError:
        return False
    return "/" in value


class ConditionShape(Rule):
    """A rule has one host, path, method and source condition at most, each with its own kind of values.

    CreateRule answers "A rule can only have one 'path-pattern' condition" and the like.
    """

    id = "E9535"
    shortdesc = "A rule's conditions are complete and of kinds that go together"
    source_url = _API + "API_RuleCondition.html"

    once = ("host-header", "http-request-method", "path-pattern", "source-ip")

    def hits(self, view: View) -> Iterator[Hit]:
        for rule in view.document.of_type(RULE):
            path = (*rule.path, "Properties", "Conditions")
            if rule.properties.get("Conditions") == []:
                yield Hit(path, "a rule has at least one condition")
            for index, condition in items(rule.properties, "Conditions"):
                field = text(condition.get("Field"))
                if field is not None and field not in RULE_FIELDS:
                    yield Hit((*path, index, "Field"), f"there is no field {field!r}", nearest(field, RULE_FIELDS))
            yield from self._shapes(rule, conditions(rule))

    def _shapes(self, rule: Resource, found: list[Condition]) -> Iterator[Hit]:
        seen: set[str] = set()
        for condition in found:
            if condition.field in seen and condition.field in self.once:
                yield Hit(
                    condition.path, f"a rule can have one {condition.field} condition", "join the values"
                )
            seen.add(condition.field)
            body = rule.properties["Conditions"][condition.path[-1]]
            key = RULE_FIELDS[condition.field]
            for other in set(RULE_FIELDS.values()) - {key}:
                if is_given(body.get(other)):
                    yield Hit(
                        (*condition.path, other),
                        f"{other} doesn't belong to {condition.field}",
                        f"write {key}",
                    )
            direct = body.get("Values")
            if isinstance(direct, list) and len(direct) > 1:
                yield Hit(
                    (*condition.path, "Values"), "Values takes one value here", f"write them below {key}"
                )
            if direct is None and "RegexValues" not in body and key not in body:
                yield Hit(condition.path, f"the {condition.field} condition has no values", f"write {key}")
            header = body.get(key)
            name = text(header.get("HttpHeaderName")) if isinstance(header, dict) else None
            if name is not None and not re.fullmatch(r"[!#$%&'*+.^_`|~0-9A-Za-z-]{1,40}", name):
                message = f"{name!r} is no header name of at most 40 characters"
                yield Hit((*condition.path, key, "HttpHeaderName"), message)
            elif name is not None and name.lower() == "host":
                message = "a header condition can't be about Host"
                yield Hit((*condition.path, key, "HttpHeaderName"), message, "use a host-header condition")
