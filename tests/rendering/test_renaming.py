"""`stack.logical_ids`: resources go on under the ids that a stack has for them."""

from __future__ import annotations

import dataclasses

import pytest

from generator.document import parse
from generator.errors import ParamsError
from generator.params.model import PhysicalNames
from generator.rendering.engine import Engine
from generator.rendering.handover import hand_over
from generator.reviewing.changes import Side, compare
from tests.cases import ENVIRONMENTS, NAMES, PROJECT


def renamed(whole, ids: dict[str, str], templates=PROJECT / "templates"):
    """The hand-over set of an environment with those ids."""
    settings = whole.settings
    stack = settings.stack.model_copy(update={"logical_ids": ids})
    environment = dataclasses.replace(
        whole.environment, settings=settings.model_copy(update={"stack": stack})
    )
    return hand_over(environment, PROJECT, Engine(templates))


@pytest.mark.parametrize("name", ENVIRONMENTS)
def test_every_place_follows(name, wholes):
    """With every id changed nothing in the template names an old one, and all else is as it was."""
    whole = wholes[name]
    ids = {old: f"Their{old}Of7" for old in whole.document.resources}
    made = renamed(whole, ids)
    document = parse(made.template)
    assert list(document.resources) == list(ids.values())
    assert document.references(document.data) <= document.resources.keys()
    assert {ids[old]: one.type for old, one in whole.document.resources.items()} == {
        new: one.type for new, one in document.resources.items()
    }
    assert {
        ids[old]: {ids[one] for one in needs} for old, needs in whole.document.dependencies.items()
    } == document.dependencies
    assert made.template.count("\n") == whole.text.count("\n")
    assert document.data["Outputs"].keys() == whole.document.data["Outputs"].keys()


def test_hand_over_files_follow(wholes):
    """The stack policy, the list of what holds data and the runbook name the new ids."""
    made = renamed(wholes["prod"], {"Database": "SsoDb", "LogGroup": "SsoLogs", "TaskInCluster": "NodesIn"})
    stack, runbook = (made.files[name].decode() for name in ("stack.json", "RUNBOOK.md"))
    assert '"LogicalResourceId/SsoDb"' in stack and '"LogicalResourceId/Database"' not in stack
    assert "`NodesIn`" in runbook and "`TaskInCluster`" not in runbook and "`SsoDb`" in runbook


def test_nothing_changes_without_them(wholes):
    """An empty map leaves every byte of every file as it is; so does an id that stays."""
    whole = wholes["dev"]
    assert renamed(whole, {}).files == whole.hand_over.files
    assert renamed(whole, {"Database": "Database"}).files == whole.hand_over.files


def test_two_may_change_places(wholes):
    """Ids are changed at once, not one after the other."""
    document = parse(
        renamed(wholes["dev"], {"ExecutionRole": "TaskRole", "TaskRole": "ExecutionRole"}).template
    )
    task = document.resources["TaskDefinition"].properties
    assert task["ExecutionRoleArn"] == {"Fn::GetAtt": ["TaskRole", "Arn"]}
    assert task["TaskRoleArn"] == {"Fn::GetAtt": ["ExecutionRole", "Arn"]}


@pytest.mark.parametrize(
    "ids, said",
    [
        ({"Databse": "SsoDb"}, "did you mean Database?"),
        ({"Database": "Service"}, "Service is called Service as well"),
        ({"Database": "Same", "Service": "Same"}, "called Same as well"),
    ],
)
def test_what_cannot_be_is_refused(ids, said, wholes):
    """An id that isn't rendered, and one that two resources would share, are errors at their line."""
    with pytest.raises(ParamsError) as refused:
        renamed(wholes["dev"], ids)
    (problem,) = refused.value.problems
    assert said in str(problem) and problem.key.startswith("stack.logical_ids.")


def test_a_form_that_it_does_not_know_is_refused(wholes, tmp_path):
    """A user's own template may write an id so that it can't be changed: an error, never a broken template.
    """
    import shutil

    shutil.copytree(PROJECT / "templates", tmp_path / "templates")
    logs = tmp_path / "templates/resources/logs.yaml.j2"
    logs.write_text(
        logs.read_text("utf-8")
        + "\n  Own:\n    Type: AWS::SNS::Topic\n    Properties:\n"
        "      DisplayName:\n        Fn::GetAtt:\n          - LogGroup\n          - Arn\n",
        "utf-8",
    )
    with pytest.raises(ParamsError) as refused:
        renamed(wholes["dev"], {"LogGroup": "SsoLogs"}, tmp_path / "templates")
    assert "can't be renamed" in str(refused.value.problems[0])


def test_names_that_a_stack_gave(wholes):
    """`stack.physical_names` puts each name into the property that CloudFormation has for it, makes nodes ask for the
    namespace of that name, and leaves the rest alone."""
    whole = wholes["dev"]
    stack = whole.settings.stack.model_copy(update={"physical_names": PhysicalNames(**NAMES)})
    settings = whole.settings.model_copy(update={"stack": stack})
    made = hand_over(
        dataclasses.replace(whole.environment, settings=settings), PROJECT, Engine(PROJECT / "templates")
    )
    changes = compare(Side.of(parse(whole.text)), Side.of(parse(made.template)))
    found = {one.logical_id: one.changes for one in changes.resources}
    (started,) = found.pop("TaskDefinition")
    assert "jgroups.dns.query=sso.services.corp " in started.after
    assert {name: one.after for name, (one,) in found.items()} == NAMES
    assert {one.name for (one,) in found.values()} == {
        "ClusterName",
        "ServiceName",
        "LogGroupName",
        "DBInstanceIdentifier",
        "DBSubnetGroupName",
        "Name",
    }
