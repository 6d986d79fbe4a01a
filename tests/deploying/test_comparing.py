"""What AWS says of a change, beside what the review says."""

from __future__ import annotations

from typing import Any

import pytest

from generator.deploying import comparing
from generator.deploying.changesets import AwsChange, Detail
from generator.reviewing import Artefact, Review, review

TEMPLATE = """
Resources:
  Database:
    Type: AWS::RDS::DBInstance
    DeletionPolicy: Retain
    UpdateReplacePolicy: Retain
    Properties: {DBInstanceClass: db.t4g.small, Engine: postgres, AllocatedStorage: '20'}
  Group:
    Type: AWS::EC2::SecurityGroup
    Properties: {GroupDescription: one, VpcId: vpc-1}
  Parameters:
    Type: AWS::SSM::Parameter
    Properties: {Type: String, Value: !GetAtt Database.Endpoint.Address}
"""


def reviewed(*changes: tuple[str, str]) -> Review:
    """The review of a change to the template."""
    text = TEMPLATE
    for old, new in changes:
        assert old in text
        text = text.replace(old, new)
    one, other = (
        Artefact("dev", "dev", {"template.yaml": each.encode()}, lone=True) for each in (TEMPLATE, text)
    )
    return review(one, other)


def modified(name: str, type_: str, replacement: str = "False", **more: Any) -> AwsChange:
    """A change as AWS tells it."""
    recreation = {"True": "Always", "Conditional": "Conditionally"}.get(replacement, "Never")
    detail = Detail("Properties", "/Properties/X", recreation, None, None, "DirectModification", "", True)
    details = more.pop("details", (detail,))
    return AwsChange("Modify", name, f"{name}-1", type_, replacement, more.pop("policy", ""), details)


CLASS = ("db.t4g.small", "db.t4g.medium")
DATABASE = "AWS::RDS::DBInstance"


def test_as_the_review_says_is_no_surprise() -> None:
    """Where AWS names the effect that the review names, nothing is told."""
    assert comparing.surprises(reviewed(CLASS), [modified("Database", DATABASE)]) == ()


def test_what_aws_makes_anew_is_worse() -> None:
    """A database that the review changes in place and AWS replaces is a surprise, and needs leave."""
    found = modified("Database", DATABASE, "True", policy="ReplaceAndRetain")
    (one,) = comparing.surprises(reviewed(CLASS), [found])
    assert (one.kind, one.logical_id, one.aws) == (comparing.WORSE, "Database", "replacement")
    assert "/Properties/X" in one.text
    (hazard,) = comparing.hazards(reviewed(CLASS), [found])
    assert (hazard.path, hazard.kind) == ("Database", "replaced")
    assert "ReplaceAndRetain" in hazard.text


def test_what_only_may_be_made_anew_needs_leave_too() -> None:
    """AWS doesn't rule out that the database is made anew: somebody has to say yes to that."""
    (hazard,) = comparing.hazards(reviewed(CLASS), [modified("Database", DATABASE, "Conditional")])
    assert "may be made anew" in hazard.text


def test_what_the_review_asked_for_leave_for_is_not_asked_twice() -> None:
    """A replacement that both see is one thing to allow."""
    found = reviewed(("postgres", "mysql"))
    assert [one.kind for one in found.hazards] == ["replaced"]
    assert comparing.hazards(found, [modified("Database", DATABASE, "True")]) == ()


@pytest.mark.parametrize("action", ["Remove", "Modify"])
def test_what_the_review_does_not_know_is_more(action: str) -> None:
    """A resource that the review leaves alone and AWS doesn't is told."""
    change = AwsChange(action, "Group", "sg-1", "AWS::EC2::SecurityGroup", "False", "", ())
    (one,) = comparing.surprises(reviewed(), [change])
    assert one.kind == comparing.MORE and one.review == ""


def test_a_neighbour_that_only_may_change_is_not_told() -> None:
    """AWS lists what refers to a changed resource, although the attribute stays as it is: no surprise."""
    maybe = Detail("Properties", "Value", "Never", None, None, "ResourceAttribute", "Database.Endpoint.Address", False)
    change = modified("Parameters", "AWS::SSM::Parameter", details=(maybe,))
    assert comparing.surprises(reviewed(CLASS), [modified("Database", DATABASE), change]) == ()


def test_what_aws_leaves_alone_is_less() -> None:
    """What the review expects and AWS doesn't do is told, and is no danger."""
    (one,) = comparing.surprises(reviewed(CLASS), [])
    assert one.kind == comparing.LESS and not comparing.hazards(reviewed(CLASS), [])


def test_the_gravest_comes_first() -> None:
    """Worse before more before less."""
    found = comparing.surprises(
        reviewed(CLASS, ("GroupDescription: one", "GroupDescription: two")),
        [modified("Parameters", "AWS::SSM::Parameter"), modified("Database", DATABASE, "True")],
    )
    assert [one.kind for one in found] == [comparing.WORSE, comparing.MORE, comparing.LESS]
