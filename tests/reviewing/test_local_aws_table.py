"""Which changes make a resource anew: the review beside what the local AWS' change sets answer."""

from __future__ import annotations

import json
import subprocess

import pytest

from generator.reviewing import effects
from generator.sandbox import environment
from tests.cases import PROJECT

TABLES = """
import json
from ministack.services.cloudformation import provisioners
print(json.dumps([provisioners._REPLACING_PROPERTIES, provisioners._CONDITIONALLY_REPLACING_PROPERTIES]))
"""

# Where the local AWS says "perhaps", as the resource schema does, and a source says what it depends on: the review
# knows what is changed into what.
SURE = {
    "AWS::RDS::DBInstance": {
        "AutoMinorVersionUpgrade": "in place",
        "BackupRetentionPeriod": "in place",
        "DBParameterGroupName": "interruption",
        "DBSnapshotIdentifier": "replacement",
        "MultiAZ": "in place",
        "PreferredMaintenanceWindow": "in place",
    },
    # No stack of this project has these; the schema that cfn-lint brings doesn't list them.
    "AWS::ElastiCache::CacheCluster": {"NumCacheNodes": "in place"},
    "AWS::ElastiCache::ReplicationGroup": {"NumNodeGroups": "in place"},
}


@pytest.fixture(scope="module")
def tables() -> list[dict[str, list[str]]]:
    """(what always makes anew, what perhaps does): property names by type, as ministack has them."""
    ran = subprocess.run(
        [environment.python(PROJECT), "-c", TABLES], check=True, capture_output=True, text=True
    )
    return json.loads(ran.stdout.splitlines()[-1])


def effect(type_: str, name: str) -> str:
    """What the review says of a changed property."""
    return effects.effect_of(type_, (name,), "one", "other", "eu-central-1")[0]


def test_what_the_local_aws_makes_anew_the_review_does_too(tables) -> None:
    """Every property that always replaces there is a replacement here."""
    always, _ = tables
    assert sum(map(len, always.values())) > 200
    unlike = {
        f"{type_}.{name}": effect(type_, name)
        for type_, names in always.items()
        for name in names
        if effect(type_, name) != effects.REPLACEMENT
    }
    assert unlike == {}


def test_where_the_local_aws_is_unsure_the_review_is_too_or_knows_better(tables) -> None:
    """A property that may replace there may replace here, unless a source says more: those are named."""
    _, perhaps = tables
    unlike: dict[str, dict[str, str]] = {}
    for type_, names in perhaps.items():
        for name in names:
            if effect(type_, name) != effects.CONDITIONAL:
                unlike.setdefault(type_, {})[name] = effect(type_, name)
    assert unlike == SURE


def test_what_the_local_aws_keeps_the_review_keeps(tables) -> None:
    """Of the types that it knows, the other properties of the project's own templates don't replace here either."""
    from generator.document import parse

    always, perhaps = tables
    text = (PROJECT / "rendered" / "prod" / "template.yaml").read_text("utf-8")
    seen = 0
    for resource in parse(text, "template.yaml").resources.values():
        if resource.type not in always:
            continue
        for name in resource.properties:
            if name not in always[resource.type] and name not in perhaps.get(resource.type, ()):
                seen += 1
                found = effect(resource.type, name)
                assert found not in (effects.REPLACEMENT, effects.CONDITIONAL), (resource.type, name, found)
    assert seen > 50
