"""Change sets are described completely, whatever AWS leaves out."""

from __future__ import annotations

from typing import Any

from generator.deploying import changesets
from generator.errors import AwsError
from tests.deploying.recorded import Recorded

ARN = "arn:aws:cloudformation:eu-central-1:111111111111:changeSet/one/1"
WARNING = (
    "[WARN] --include-property-values option can return incomplete ChangeSet data because: ChangeSet creation "
    "failed for resource [Service]"
)


def change(name: str, action: str = "Modify", value: str | None = None, **more: Any) -> dict[str, Any]:
    """A change as the API has it."""
    detail = {"Target": {"Attribute": "Properties", "Name": "Image", "RequiresRecreation": "Never"}}
    if value is not None:
        detail["Target"] |= {"BeforeValue": "old", "AfterValue": value}
    told = {"Action": action, "LogicalResourceId": name, "ResourceType": "AWS::ECS::Service", "Details": [detail]}
    return {"Type": "Resource", "ResourceChange": {**told, **more}}


def page(changes: list[dict[str, Any]], reason: str = "", **more: Any) -> dict[str, Any]:
    """A page of the answer."""
    return {
        "ChangeSetName": "one",
        "StackId": "stack",
        "Status": "CREATE_COMPLETE",
        "ExecutionStatus": "AVAILABLE",
        "StatusReason": reason,
        "Changes": changes,
        **more,
    }


def test_changes_of_all_pages_are_there() -> None:
    """A change on the second page counts as much as one on the first."""
    connection = Recorded(
        describe_change_set=[page([change("A", value="new")], NextToken="t"), page([change("B", value="new")])]
    )
    found = changesets.describe(connection, ARN)
    assert [one.logical_id for one in found.changes] == ["A", "B"]
    assert [arguments.get("NextToken") for _, arguments in connection.asked] == [None, "t"]
    assert found.values


def test_what_an_answer_with_values_drops_is_asked_for_again() -> None:
    """An answer that lost changes is completed; the values that it had are kept, and the lack is told."""
    connection = Recorded(
        describe_change_set=[
            page([change("A", value="new")], WARNING),
            page([change("A"), change("Database", "Remove")]),
        ]
    )
    found = changesets.describe(connection, ARN)
    assert [(one.logical_id, one.details[0].after) for one in found.changes] == [("A", "new"), ("Database", None)]
    assert not found.values
    assert "IncludePropertyValues" not in connection.asked[-1][1]


def test_a_warning_on_a_later_page_counts() -> None:
    """The answer is completed whichever of its pages says that it lacks something."""
    connection = Recorded(
        describe_change_set=[
            page([change("A", value="new")], NextToken="t"),
            page([], WARNING),
            page([change("A"), change("B")]),
        ]
    )
    assert [one.logical_id for one in changesets.describe(connection, ARN).changes] == ["A", "B"]


def test_a_complete_answer_is_asked_for_once() -> None:
    """An answer that lacks nothing costs one call."""
    connection = Recorded(describe_change_set=[page([change("A", value="new")])])
    assert changesets.describe(connection, ARN).values
    assert len(connection.asked) == 1


def test_nothing_to_do_is_no_failure() -> None:
    """Both ways in which AWS says that nothing changes are known; another failure isn't taken for one."""
    for reason, empty in (
        ("The submitted information didn't contain changes. Submit different information to create a change set.", True),
        ("No updates are to be performed.", True),
        ("Template error: instance of Fn::GetAtt references undefined resource Database", False),
    ):
        connection = Recorded(describe_change_set=[page([], reason, Status="FAILED")])
        assert changesets.describe(connection, ARN).empty is empty


def test_a_change_set_whose_answer_was_lost_is_found_again() -> None:
    """Where the first answer was lost, the retry that finds it there takes it; it makes no second one."""
    from pathlib import Path

    from generator.deploying.target import of
    from generator.reviewing.sources import committed
    from tests.cases import PROJECT

    target = of(committed(Path(PROJECT), "dev"))
    connection = Recorded(
        create_change_set=[AwsError("exists", "AlreadyExistsException", "ChangeSet one already exists")],
        describe_change_set=[{"ChangeSetId": ARN}],
    )
    assert changesets.create(connection, target, None, "one") == ARN
    (_, arguments), _ = connection.asked
    assert arguments["ChangeSetType"] == "CREATE" and arguments["ClientToken"] == "one"


def test_a_change_set_is_waited_for() -> None:
    """As long as AWS works on it, it is asked again; the pauses grow to five seconds."""
    pauses: list[float] = []
    working = page([], Status="CREATE_IN_PROGRESS")
    connection = Recorded(describe_change_set=[working] * 9 + [page([]), page([])])
    assert changesets.wait(connection, ARN, 900, sleep=pauses.append).status == "CREATE_COMPLETE"
    assert pauses[0] == 0.5 and pauses[-1] == 5.0 and pauses == sorted(pauses)


def test_early_validation_says_what_is_wrong() -> None:
    """What AWS' checks found is told with its place, a warning as a warning; without the right to ask, nothing."""
    told = {
        "EventType": "VALIDATION_ERROR",
        "LogicalResourceId": "Database",
        "ValidationPath": "/Resources/Database/Properties/Engine",
        "ValidationName": "PROPERTY_VALIDATION",
        "ValidationStatusReason": "'postgress' is not a valid enum value",
        "ValidationFailureMode": "FAIL",
    }
    connection = Recorded(
        describe_events=[{"OperationEvents": [told, {**told, "ValidationFailureMode": "WARN"}]}, AwsError("no")]
    )
    one, other = changesets.validations(connection, ARN)
    assert (one.logical_id, one.path, one.fails, other.fails) == ("Database", told["ValidationPath"], True, False)
    assert changesets.validations(connection, ARN) == ()
