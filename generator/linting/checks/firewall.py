"""Web ACLs."""

from __future__ import annotations

from collections.abc import Iterator

from generator.linting.checks.base import integer, is_given, items, mapping, target
from generator.linting.rule import Hit, Rule
from generator.linting.view import View


class FirewallRules(Rule):
    """Rules of a web ACL are tried by priority, and a rule group brings its actions along, to
    be overridden or not.
    """

    id = "E9591"
    shortdesc = "A web ACL's rules have different priorities and the right kind of action"
    source_url = "https://docs.aws.amazon.com/waf/latest/APIReference/API_Rule.html"

    groups = ("ManagedRuleGroupStatement", "RuleGroupReferenceStatement")

    def hits(self, view: View) -> Iterator[Hit]:
        for acl in view.document.of_type("AWS::WAFv2::WebACL", "AWS::WAFv2::RuleGroup"):
            seen: set[int] = set()
            for index, rule in items(acl.properties, "Rules"):
                path = (*acl.path, "Properties", "Rules", index)
                priority = integer(rule.get("Priority"))
                if priority in seen:
                    yield Hit((*path, "Priority"), f"a second rule has priority {priority}")
                if priority is not None:
                    seen.add(priority)
                right, wrong = "Action", "OverrideAction"
                if any(kind in mapping(rule, "Statement") for kind in self.groups):
                    right, wrong = wrong, right
                if mapping(rule, "Statement") and is_given(rule.get(wrong)):
                    yield Hit((*path, wrong), f"{wrong} doesn't belong to this statement", f"write {right}")
                elif mapping(rule, "Statement") and right not in rule:
                    yield Hit(path, f"a rule without {right}", f"write {right}")


class FirewallScope(Rule):
    """A web ACL for CloudFront can't be put on a load balancer."""

    id = "E9592"
    shortdesc = "A load balancer's web ACL is REGIONAL"
    source_url = "https://docs.aws.amazon.com/waf/latest/APIReference/API_AssociateWebACL.html"

    def hits(self, view: View) -> Iterator[Hit]:
        for association in view.document.of_type("AWS::WAFv2::WebACLAssociation"):
            acl = target(view.document, association.properties.get("WebACLArn"), "AWS::WAFv2::WebACL")
            if acl and acl.properties.get("Scope") == "CLOUDFRONT":
                message = f"{association.logical_id} puts a CLOUDFRONT web ACL on a regional resource"
                yield Hit((*acl.path, "Properties", "Scope"), message, "write Scope: REGIONAL")
