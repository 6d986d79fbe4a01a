"""The rules for cfn-lint itself: `cfn-lint template.yaml --append-rules generator.linting.cfnlint_rules`.

cfn-lint makes a rule of every CloudFormationLintRule in the module that it is given; here is one for each of
ours. A template is read once for all of them. `ignore_checks`, `--ignore-checks`, `--include-checks I` and
the template's own Metadata work as for any rule. `--configure-rule E9001:keycloak_version=26.7.4` says the
version where no tag does; said for one rule it counts for all.
"""

from __future__ import annotations

import weakref
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from cfnlint.rules import CloudFormationLintRule, RuleMatch
from cfnlint.template import Template

from generator.document import Document, MalformedDocument, parse
from generator.linting.findings import Finding
from generator.linting.pack import all_rules
from generator.linting.rule import Rule
from generator.linting.view import View

_VERSION = "keycloak_version"

# The view of the template that is being linted, with the version it was made for: cfn-lint goes through all
# rules before it takes the next template.
_views: weakref.WeakKeyDictionary[Template, dict[str, View | None]] = weakref.WeakKeyDictionary()

# Rule id -> the Keycloak version that it was configured with.
_given: dict[str, str] = {}


class _Adapter(CloudFormationLintRule):
    """One of our rules as cfn-lint takes them."""

    rule: Rule

    def __init__(self) -> None:
        super().__init__()
        self.config_definition = {_VERSION: {"default": "", "type": "string"}}
        self.configure()

    def configure(self, configs: Any = None, experimental: bool = False) -> None:
        # cfn-lint configures every rule before it asks the first one, for each template anew.
        super().configure(configs, experimental)
        _given[self.id] = self.config[_VERSION]

    def match(self, cfn: Template) -> list[RuleMatch]:
        view = _view(cfn, next(filter(None, _given.values()), ""))
        return [_match(one, view.document) for one in self.rule.findings(view)] if view is not None else []

    def matchall_resource_properties(self, *_: Any) -> Iterator[Any]:
        # cfn-lint asks for every rule and every resource; ours see the template as a whole.
        return iter(())


def _view(cfn: Template, version: str) -> View | None:
    """What our rules see of cfn-lint's template; None for one that they can't read."""
    known = _views.setdefault(cfn, {})
    if version not in known:
        document = _document(cfn)
        region = cfn.regions[0] if len(cfn.regions) == 1 else ""
        known[version] = (
            View(document, region=region, keycloak_version=version) if document is not None else None
        )
    return known[version]


def _document(cfn: Template) -> Document | None:
    """The template, read again from its file, which is quicker than going through cfn-lint's nodes and knows
    every line; from those nodes where there is no file (standard input)."""
    try:
        return parse(Path(cfn.filename).read_text("utf-8"), cfn.filename)
    except (OSError, UnicodeDecodeError, TypeError):
        return Document("", "", cfn.template, {})
    except MalformedDocument:
        return None


def _match(finding: Finding, document: Document) -> RuleMatch:
    message = f"{finding.message} (fix: {finding.fix})" if finding.fix else finding.message
    if not document.spans:
        return RuleMatch(list(finding.path), message)
    # cfn-lint counts from 0, and would look a path up by itself less exactly.
    place = (finding.line - 1, finding.column - 1, finding.end_line - 1, finding.end_column - 1)
    return RuleMatch(list(finding.path), message, location=place)


def _adapters() -> Iterator[tuple[str, type]]:
    for rule in all_rules():
        said = {
            "id": rule.id,
            "shortdesc": rule.shortdesc,
            "description": rule.text().split("\n\n", 1)[0],
            "source_url": rule.source_url,
            "tags": ["keycloak"] if rule.id[1:3] != "95" else ["aws"],
            "rule": rule,
        }
        yield f"Rule{rule.id}", type(f"Rule{rule.id}", (_Adapter,), said)


# cfn-lint takes every subclass that the module has, and leaves out the one that has no id.
globals().update(_adapters())
