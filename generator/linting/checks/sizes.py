"""Limits of size and number."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

from generator.limits import TEMPLATE_BODY
from generator.linting.checks.base import items, mapping
from generator.linting.rule import Hit, Rule
from generator.linting.view import View


class TemplateBody(Rule):
    """Beyond 51,200 bytes of UTF-8 a template has to be put into S3 first, by whoever deploys it."""

    id = "W9595"
    shortdesc = "A template is small enough to be deployed without a bucket"
    source_url = "https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/cloudformation-limits.html"

    def hits(self, view: View) -> Iterator[Hit]:
        size = len(view.document.text.encode("utf-8", "replace"))
        if size > TEMPLATE_BODY:
            message = f"{size:,} bytes: above {TEMPLATE_BODY:,} CloudFormation reads a template from S3 only"
            yield Hit((), message, "deploy it through a bucket")


class TagCount(Rule):
    """A resource has 50 tags at most; the stack's own tags come on top of those in the template."""

    id = "E9596"
    shortdesc = "A resource has at most 50 tags"
    source_url = "https://docs.aws.amazon.com/tag-editor/latest/userguide/best-practices-and-strats.html"

    # Services whose limit is 50: not all have the same.
    services = ("CloudWatch", "EC2", "ECS", "ElasticLoadBalancingV2", "IAM", "Logs", "RDS", "SecretsManager")

    def hits(self, view: View) -> Iterator[Hit]:
        for resource in view.document.resources.values():
            tags = items(resource.properties, "Tags")
            if (
                len(tags) > 50
                and resource.type.split("::")[1:2]
                and resource.type.split("::")[1] in self.services
            ):
                yield Hit((*resource.path, "Properties", "Tags"), f"{len(tags)} tags, a resource can have 50")


class InlinePolicies(Rule):
    """A role has room for 10,240 characters of inline policies in all, blanks not counted;
    the quota is fixed.
    """

    id = "E9597"
    shortdesc = "A role's inline policies are not longer than IAM takes"
    source_url = "https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_iam-quotas.html"

    def hits(self, view: View) -> Iterator[Hit]:
        for role in view.document.of_type("AWS::IAM::Role"):
            sizes = [
                _least_size(mapping(policy, "PolicyDocument"))
                for _, policy in items(role.properties, "Policies")
            ]
            if sum(sizes) > 10_240:
                path = (*role.path, "Properties", "Policies")
                message = f"at least {sum(sizes):,} characters of inline policies, IAM takes 10,240"
                yield Hit(path, message, "move some into an AWS::IAM::ManagedPolicy")


def _least_size(policy: dict[str, Any]) -> int:
    """Characters of a policy as JSON if every intrinsic function gave an empty text."""

    def known(value: Any) -> Any:
        if isinstance(value, list):
            return [known(item) for item in value]
        if isinstance(value, dict):
            if len(value) == 1 and (next(iter(value)) == "Ref" or next(iter(value)).startswith("Fn::")):
                return ""
            return {key: known(inner) for key, inner in value.items()}
        return value

    text = json.dumps(known(policy), separators=(",", ":"), ensure_ascii=False)
    return sum(not character.isspace() for character in text)
