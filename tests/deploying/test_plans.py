"""A plan is executed only where everything is still as it was."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import pytest

from generator.deploying import plans, protection
from generator.deploying.changesets import AwsChange, ChangeSet
from generator.deploying.target import DeployError, Target, of
from generator.reviewing.sources import committed
from tests.cases import PROJECT

CHANGES = (
    AwsChange("Modify", "Service", "s-1", "AWS::ECS::Service", "False", "", ()),
    AwsChange("Add", "Queue", "", "AWS::SQS::Queue", "", "", ()),
)
FOUND = ChangeSet("arn:one", "one", "stack-1", "CREATE_COMPLETE", "", "AVAILABLE", CHANGES, True)


@pytest.fixture(scope="module")
def target() -> Target:
    """What dev is."""
    found = committed(PROJECT, "dev")
    assert found is not None
    return of(found)


@pytest.fixture
def plan(target: Target) -> plans.Plan:
    """A plan of it."""
    return plans.of(target, FOUND, "abc", ("Database",), "2026-01-02T03:04:05+00:00")


def test_a_plan_comes_back_from_its_file(plan: plans.Plan, target: Target, tmp_path: Path) -> None:
    """What was saved is what is loaded, it matches, and nothing else is left in the folder."""
    file = tmp_path / "dev.plan"
    plans.save(file, plan)
    assert plans.load(file) == plan
    assert plans.mismatches(plan, target) == [] and plans.unlike(plan, FOUND) == []
    assert [one.name for one in tmp_path.iterdir()] == ["dev.plan"]


def test_a_plan_holds_no_value_of_the_template(plan: plans.Plan, target: Target, tmp_path: Path) -> None:
    """A plan may be passed around: it has hashes, ids and no property."""
    file = tmp_path / "dev.plan"
    plans.save(file, plan)
    assert "sso.dev.example.com" in target.template
    assert "sso.dev.example.com" not in file.read_text("utf-8")


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"account": "999999999999"}, "account"),
        ({"region": "us-east-1"}, "region"),
        ({"stack_name": "other"}, "stack name"),
        ({"name": "prod"}, "dev's, not prod's"),
        ({"digests": {"template.yaml": "0" * 64}}, "template.yaml is not what it was"),
    ],
)
def test_what_changed_since_is_named(plan: plans.Plan, target: Target, change: dict, said: str) -> None:
    """Another account, region, stack, environment or file is a mismatch that is told."""
    assert any(said in one for one in plans.mismatches(plan, replace(target, **change)))


@pytest.mark.parametrize(
    ("found", "said"),
    [
        (None, "is gone"),
        (replace(FOUND, execution="OBSOLETE"), "is gone"),
        (replace(FOUND, execution="EXECUTE_COMPLETE"), "executed already"),
        (replace(FOUND, execution="EXECUTE_IN_PROGRESS"), "executed already"),
        (replace(FOUND, status="FAILED", execution="UNAVAILABLE"), "can't be executed"),
        (replace(FOUND, stack_id="stack-2"), "another stack"),
        (replace(FOUND, changes=CHANGES[:1]), "other changes"),
        (replace(FOUND, changes=(replace(CHANGES[0], replacement="True"), CHANGES[1])), "other changes"),
    ],
)
def test_another_change_set_is_not_executed(plan: plans.Plan, found: ChangeSet | None, said: str) -> None:
    """What AWS has of the plan has to be what was looked at."""
    assert any(said in one for one in plans.unlike(plan, found))


def test_the_order_of_changes_is_no_difference(plan: plans.Plan) -> None:
    """AWS may list changes in another order."""
    assert plans.unlike(plan, replace(FOUND, changes=CHANGES[::-1])) == []


@pytest.mark.parametrize("text", ["", "{", "[]", "{}", '{"form": "cloakform-plan-1"}', '{"form": "other"}', "[" * 9999])
def test_no_plan_is_one_line(tmp_path: Path, text: str) -> None:
    """A file that is no plan is refused with its name, and no traceback."""
    file = tmp_path / "no.plan"
    file.write_text(text, "utf-8")
    with pytest.raises(DeployError, match="no.plan"):
        plans.load(file)


def test_a_policy_gives_way_only_for_what_was_allowed() -> None:
    """The policy for the time of a deployment lets go of the named resources and keeps the others."""
    policy = json.loads((PROJECT / "rendered" / "prod" / "stack.json").read_text("utf-8"))["stack_policy"]
    opened = protection.opened(policy, ["Database"])
    assert opened is not None
    deny = opened["Statement"][1]
    assert "LogicalResourceId/Database" not in deny["Resource"] and "LogicalResourceId/LogGroup" in deny["Resource"]
    assert protection.opened(policy, []) == policy
    assert protection.opened(None, ["Database"]) is None
    every = [one.removeprefix("LogicalResourceId/") for one in policy["Statement"][1]["Resource"]]
    assert protection.same(protection.opened(policy, every), None)
