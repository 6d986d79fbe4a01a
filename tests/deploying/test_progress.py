"""How far an operation on a stack is."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from generator.deploying import progress as progresses
from generator.deploying.events import STACK, Event
from generator.deploying.progress import Planned, Progress
from tests.deploying.recording import STREAMS
from tests.deploying.recording import Stream as Recorded

START = 1_700_000_000.0
DATABASE, SERVICE, ROLE = "AWS::RDS::DBInstance", "AWS::ECS::Service", "AWS::IAM::Role"
REPLACES = "Requested update requires the creation of a new physical resource; hence creating one."
PLAN = (
    Planned("Role", ROLE, "Add"),
    Planned("Database", DATABASE, "Add"),
    Planned("Service", SERVICE, "Add"),
)


class Stream:
    """Events as CloudFormation tells them."""

    def __init__(self):
        self.number = 0

    def of(self, after: float, logical_id: str, type: str, status: str, reason: str = "", physical: str = ""):
        self.number += 1
        stack = logical_id == "stack"
        return Event(
            f"event-{self.number}",
            START + after,
            logical_id,
            physical,
            STACK if stack else type,
            status,
            reason,
            about_stack=stack,
        )

    def stack(self, after: float, status: str, reason: str = ""):
        return self.of(after, "stack", STACK, status, reason)


@pytest.fixture
def stream():
    return Stream()


def begun(plan=PLAN, past=()) -> Progress:
    return Progress.begin(plan, past, START)


def test_a_creation_is_counted_from_nothing_to_all(stream):
    """Every resource that AWS has made is counted, of all that are planned."""
    progress = begun()
    assert (progress.done, progress.total, progress.phase) == (0, 3, progresses.WAITING)
    progress.feed([stream.stack(0, "CREATE_IN_PROGRESS"), stream.of(1, "Role", ROLE, "CREATE_IN_PROGRESS")])
    assert (progress.done, progress.phase) == (0, progresses.FORWARD)
    (ended,) = progress.feed([stream.of(13, "Role", ROLE, "CREATE_COMPLETE", physical="role-1")])
    assert (ended.outcome, ended.took, ended.physical_id) == ("created", 12.0, "role-1")
    assert (progress.done, progress.total) == (1, 3)


def test_what_aws_works_on_is_told_with_its_time_and_its_last_word(stream):
    """A resource that AWS works on is named with how long it takes already and what AWS said of it last."""
    progress = begun()
    progress.feed(
        [
            stream.stack(0, "CREATE_IN_PROGRESS"),
            stream.of(5, "Database", DATABASE, "CREATE_IN_PROGRESS"),
            stream.of(9, "Role", ROLE, "CREATE_IN_PROGRESS"),
            stream.of(10, "Database", DATABASE, "CREATE_IN_PROGRESS", "Resource creation Initiated", "db-1"),
        ]
    )
    first, second = progress.working(START + 65)
    assert (first.logical_id, first.doing, first.seconds) == ("Database", "creating", 60.0)
    assert first.reason == "Resource creation Initiated"
    assert (second.logical_id, second.reason) == ("Role", "")


def test_one_event_twice_counts_once(stream):
    """Two looks at the same events are as good as one."""
    progress = begun()
    events = [
        stream.stack(0, "CREATE_IN_PROGRESS"),
        stream.of(1, "Role", ROLE, "CREATE_IN_PROGRESS"),
        stream.of(2, "Role", ROLE, "CREATE_COMPLETE"),
    ]
    assert len(progress.feed(events)) == 1
    assert progress.feed(events) == []
    assert progress.done == 1


def test_a_replacement_is_two_steps(stream):
    """Of a replaced resource the new one and the removal of the old one are counted apart, the latter as part
    of the clean-up."""
    progress = begun([Planned("Database", DATABASE, "Replace"), Planned("Old", ROLE, "Remove")])
    assert progress.total == 3
    ended = progress.feed(
        [
            stream.stack(0, "UPDATE_IN_PROGRESS"),
            stream.of(1, "Database", DATABASE, "UPDATE_IN_PROGRESS", REPLACES, "db-1"),
            stream.of(600, "Database", DATABASE, "UPDATE_COMPLETE", physical="db-2"),
        ]
    )
    assert [(one.outcome, one.physical_id) for one in ended] == [("replaced", "db-2")]
    assert (progress.done, progress.total) == (1, 3)
    progress.feed([stream.stack(601, "UPDATE_COMPLETE_CLEANUP_IN_PROGRESS")])
    assert progress.phase == progresses.CLEAN_UP
    ended = progress.feed(
        [
            stream.of(602, "Database", DATABASE, "DELETE_IN_PROGRESS", physical="db-1"),
            stream.of(602, "Old", ROLE, "DELETE_IN_PROGRESS", physical="old"),
            stream.of(604, "Old", ROLE, "DELETE_SKIPPED", physical="old"),
            stream.of(900, "Database", DATABASE, "DELETE_COMPLETE", physical="db-1"),
        ]
    )
    assert [one.outcome for one in ended] == ["kept", "deleted"]
    assert (progress.done, progress.total, progress.ended) == (3, 3, False)
    assert progress.fraction(START + 901) < 1
    progress.feed([stream.stack(902, "UPDATE_COMPLETE")])
    assert (progress.ended, progress.fraction(START + 903)) == (True, 1.0)


def test_a_replacement_that_shows_only_while_it_happens_is_counted(stream):
    """Where AWS finds out only while it updates that it needs a new resource, the old one's removal is
    counted from then on."""
    progress = begun([Planned("Database", DATABASE, "Modify")])
    progress.feed(
        [
            stream.stack(0, "UPDATE_IN_PROGRESS"),
            stream.of(1, "Database", DATABASE, "UPDATE_IN_PROGRESS", REPLACES),
            stream.of(2, "Database", DATABASE, "UPDATE_IN_PROGRESS", REPLACES),
        ]
    )
    assert progress.total == 2
    assert progress.working(START + 3)[0].doing == "replacing"


def test_a_rollback_counts_what_has_to_be_undone(stream):
    """When an operation rolls back, what had not begun falls away and what had begun is undone."""
    plan = [
        Planned("Role", ROLE, "Modify"),
        Planned("Extra", ROLE, "Add"),
        Planned("Service", SERVICE, "Modify"),
        Planned("Never", ROLE, "Add"),
        Planned("Old", ROLE, "Remove"),
    ]
    progress = begun(plan)
    progress.feed(
        [
            stream.stack(0, "UPDATE_IN_PROGRESS"),
            stream.of(1, "Role", ROLE, "UPDATE_IN_PROGRESS"),
            stream.of(2, "Role", ROLE, "UPDATE_COMPLETE"),
            stream.of(2, "Extra", ROLE, "CREATE_IN_PROGRESS"),
            stream.of(3, "Extra", ROLE, "CREATE_COMPLETE", physical="extra"),
            stream.of(3, "Service", SERVICE, "UPDATE_IN_PROGRESS"),
            stream.of(90, "Service", SERVICE, "UPDATE_FAILED", "Error occurred during operation"),
            stream.stack(91, "UPDATE_ROLLBACK_IN_PROGRESS", "The following resource(s) failed: [Service]."),
        ]
    )
    assert progress.phase == progresses.BACK
    # Two are done; three to be undone: the role's change, the new one, the service's change.
    assert (progress.done, progress.total) == (2, 5)
    assert [one.logical_id for one in progress.failed] == ["Service"]
    ended = progress.feed(
        [
            stream.of(92, "Service", SERVICE, "UPDATE_IN_PROGRESS"),
            stream.of(93, "Role", ROLE, "UPDATE_IN_PROGRESS"),
            stream.of(94, "Role", ROLE, "UPDATE_COMPLETE"),
            stream.of(150, "Service", SERVICE, "UPDATE_COMPLETE"),
            stream.stack(151, "UPDATE_ROLLBACK_COMPLETE_CLEANUP_IN_PROGRESS"),
            stream.of(152, "Extra", ROLE, "DELETE_IN_PROGRESS", physical="extra"),
            stream.of(153, "Extra", ROLE, "DELETE_COMPLETE", physical="extra"),
        ]
    )
    assert [(one.logical_id, one.outcome) for one in ended] == [
        ("Role", "restored"),
        ("Service", "restored"),
        ("Extra", "deleted"),
    ]
    assert (progress.phase, progress.done, progress.total) == (progresses.BACK, 5, 5)
    progress.feed([stream.stack(154, "UPDATE_ROLLBACK_COMPLETE")])
    assert progress.ended and progress.total == 5


def test_what_was_cancelled_is_no_failure(stream):
    """Resources that CloudFormation gives up because another failed are not among the failed ones."""
    progress = begun()
    ended = progress.feed(
        [
            stream.stack(0, "CREATE_IN_PROGRESS"),
            stream.of(1, "Database", DATABASE, "CREATE_IN_PROGRESS"),
            stream.of(1, "Role", ROLE, "CREATE_IN_PROGRESS"),
            stream.of(2, "Role", ROLE, "CREATE_FAILED", "AccessDenied"),
            stream.of(3, "Database", DATABASE, "CREATE_FAILED", "Resource creation cancelled"),
        ]
    )
    assert [one.outcome for one in ended] == ["failed", "cancelled"]
    assert [one.logical_id for one in progress.failed] == ["Role"]


def test_a_deletion_that_is_tried_again_is_at_work_again(stream):
    """CloudFormation tries a failed deletion again: it counts as being worked on, and as done when it
    succeeds."""
    progress = begun([Planned("Namespace", "AWS::ServiceDiscovery::PrivateDnsNamespace", "Remove")])
    name, kind = "Namespace", "AWS::ServiceDiscovery::PrivateDnsNamespace"
    progress.feed(
        [
            stream.stack(0, "DELETE_IN_PROGRESS"),
            stream.of(1, name, kind, "DELETE_IN_PROGRESS", physical="ns"),
            stream.of(9, name, kind, "DELETE_FAILED", "still in use", physical="ns"),
        ]
    )
    assert (progress.phase, progress.done, progress.working(START + 9)) == (progresses.DELETING, 0, ())
    progress.feed([stream.of(20, name, kind, "DELETE_IN_PROGRESS", physical="ns")])
    assert [one.logical_id for one in progress.working(START + 21)] == [name]
    (ended,) = progress.feed([stream.of(40, name, kind, "DELETE_COMPLETE", physical="ns")])
    assert (ended.outcome, ended.took, progress.done, progress.total) == ("deleted", 20.0, 1, 1)


def test_a_stack_that_can_not_be_deleted_never_seems_deleted(stream):
    """An operation that ends in failure doesn't fill the bar."""
    progress = begun([Planned("Database", DATABASE, "Remove"), Planned("Role", ROLE, "Remove")])
    progress.feed(
        [
            stream.stack(0, "DELETE_IN_PROGRESS"),
            stream.of(1, "Role", ROLE, "DELETE_IN_PROGRESS"),
            stream.of(2, "Role", ROLE, "DELETE_COMPLETE"),
            stream.of(1, "Database", DATABASE, "DELETE_IN_PROGRESS"),
            stream.of(2, "Database", DATABASE, "DELETE_FAILED", "Cannot delete protected DB Instance"),
            stream.stack(3, "DELETE_FAILED", "The following resource(s) failed to delete: [Database]."),
        ]
    )
    assert progress.ended and progress.fraction(START + 4) < 1
    assert (progress.done, progress.total) == (1, 2)


def test_the_table_gives_an_estimate_before_anything_is_known():
    """A new stack has an estimate at once: its database and after it its service take longest."""
    left = begun().left(START)
    assert left == 12 + 595 + 119


def test_what_goes_on_side_by_side_isnt_added_up():
    """Ten roles take as long as one."""
    one = begun([Planned("Role", ROLE, "Add")]).left(START)
    assert begun([Planned(f"Role{number}", ROLE, "Add") for number in range(10)]).left(START) == one


def test_this_stacks_own_past_is_a_better_estimate(stream):
    """What the same resource took the last time is what it is expected to take; another of its type as long
    as those did."""
    past = [
        stream.stack(0, "CREATE_IN_PROGRESS"),
        stream.of(0, "Database", DATABASE, "CREATE_IN_PROGRESS"),
        stream.of(900, "Database", DATABASE, "CREATE_COMPLETE"),
        stream.stack(1000, "CREATE_COMPLETE"),
    ]
    assert begun([Planned("Database", DATABASE, "Replace")], past).left(START) == 900 + 480
    assert begun([Planned("Second", DATABASE, "Add")], past).left(START) == 900
    # A change isn't a creation.
    assert begun([Planned("Database", DATABASE, "Modify")], past).left(START) == 171


@pytest.mark.parametrize("status", ["CREATE_FAILED", "DELETE_COMPLETE"])
def test_only_what_succeeded_teaches(stream, status):
    """How long something failed for isn't how long it takes."""
    past = [
        stream.of(0, "Database", DATABASE, "CREATE_IN_PROGRESS"),
        stream.of(3000, "Database", DATABASE, status),
    ]
    assert begun([Planned("Database", DATABASE, "Add")], past).left(START) == 595


def test_a_replacement_in_the_past_teaches_how_long_a_new_one_takes(stream):
    """The time of a replacement counts as that of a creation, not of a change."""
    past = [
        stream.of(0, "Database", DATABASE, "UPDATE_IN_PROGRESS"),
        stream.of(1, "Database", DATABASE, "UPDATE_IN_PROGRESS", REPLACES),
        stream.of(700, "Database", DATABASE, "UPDATE_COMPLETE"),
    ]
    assert begun([Planned("Database", DATABASE, "Modify")], past).left(START) == 171
    assert begun([Planned("Database", DATABASE, "Add")], past).left(START) == 700


@pytest.mark.parametrize("type", ["Custom::Setup", "AWS::CloudFormation::WaitCondition", ""])
def test_nobodys_program_is_estimated(stream, type):
    """Where a step waits for somebody's own program there is no estimate until it is over."""
    progress = begun([Planned("Setup", type, "Add"), Planned("Role", ROLE, "Add")])
    assert progress.left(START) is None
    progress.feed(
        [
            stream.stack(0, "CREATE_IN_PROGRESS"),
            stream.of(1, "Setup", type, "CREATE_IN_PROGRESS"),
            stream.of(2, "Setup", type, "CREATE_COMPLETE"),
        ]
    )
    assert progress.left(START + 2) == 12


def test_a_step_that_takes_far_too_long_ends_the_estimate(stream):
    """When something takes more than twice as long as it should, no estimate is better than a wrong one, and
    what takes so long says so."""
    progress = begun([Planned("Service", SERVICE, "Add")])
    progress.feed(
        [stream.stack(0, "CREATE_IN_PROGRESS"), stream.of(0, "Service", SERVICE, "CREATE_IN_PROGRESS")]
    )
    assert progress.left(START + 200) == pytest.approx(11.9)
    assert not progress.working(START + 200)[0].longer
    assert progress.left(START + 400) is None
    assert progress.working(START + 400)[0].longer


def test_without_a_plan_there_is_a_count_and_no_estimate(stream):
    """An operation that somebody else began is counted as it goes; nobody knows of how many."""
    progress = begun([])
    progress.feed(
        [
            stream.stack(0, "UPDATE_ROLLBACK_IN_PROGRESS"),
            stream.of(1, "Role", ROLE, "UPDATE_IN_PROGRESS"),
            stream.of(2, "Role", ROLE, "UPDATE_COMPLETE"),
        ]
    )
    assert (progress.counted, progress.done, progress.left(START + 3)) == (False, 1, None)
    assert progress.fraction(START + 3) == 0


def test_what_turns_out_unchanged_is_done_at_the_end(stream):
    """What AWS passes over without an event doesn't hold the count back."""
    progress = begun([Planned("Role", ROLE, "Modify"), Planned("Service", SERVICE, "Modify")])
    progress.feed(
        [
            stream.stack(0, "UPDATE_IN_PROGRESS"),
            stream.of(1, "Role", ROLE, "UPDATE_IN_PROGRESS"),
            stream.of(2, "Role", ROLE, "UPDATE_COMPLETE"),
            stream.stack(3, "UPDATE_COMPLETE_CLEANUP_IN_PROGRESS"),
            stream.stack(4, "UPDATE_COMPLETE"),
        ]
    )
    assert (progress.done, progress.total, progress.fraction(START + 4)) == (2, 2, 1.0)


def test_a_clock_that_is_slow_doesnt_make_times_negative(stream):
    """Where this machine's clock is behind AWS', nothing has a negative age."""
    progress = begun()
    progress.feed(
        [stream.stack(100, "CREATE_IN_PROGRESS"), stream.of(120, "Role", ROLE, "CREATE_IN_PROGRESS")]
    )
    assert progress.working(START)[0].seconds == 0
    assert progress.elapsed(START) >= 0


ACTIONS = st.sampled_from(["Add", "Modify", "Remove", "Replace"])
TYPES = st.sampled_from([ROLE, DATABASE, SERVICE, "AWS::SNS::Topic", "Custom::Setup"])
PLANS = st.lists(st.tuples(TYPES, ACTIONS), min_size=1, max_size=6)


@st.composite
def operations(draw):
    """(plan, events) of an operation: it may fail anywhere, then it rolls back; events of resources that
    aren't planned are among them."""
    stream, clock, events = Stream(), 0.0, []
    plan = [Planned(f"R{n}", type, action) for n, (type, action) in enumerate(draw(PLANS))]
    extra = [Planned("Unplanned", ROLE, "Modify")] if draw(st.booleans()) else []
    failing = draw(st.one_of(st.none(), st.integers(0, len(plan) - 1)))

    def tell(planned, verb, ending="COMPLETE", reason="", physical=""):
        nonlocal clock
        for status in ("IN_PROGRESS", ending):
            clock += draw(st.floats(0, 500))
            events.append(
                stream.of(clock, planned.logical_id, planned.type, f"{verb}_{status}", reason, physical)
            )

    events.append(stream.stack(0, "UPDATE_IN_PROGRESS"))
    began = []
    for number, one in enumerate([*plan, *extra]):
        if one.action == "Remove":
            continue
        began.append(one)
        failed = number == failing
        tell(
            one,
            "CREATE" if one.action == "Add" else "UPDATE",
            "FAILED" if failed else "COMPLETE",
            REPLACES if one.action == "Replace" else "",
        )
        if failed:
            break
    if began and began[-1] in plan and failing is not None and plan.index(began[-1]) == failing:
        events.append(stream.stack(clock, "UPDATE_ROLLBACK_IN_PROGRESS"))
        for one in began:
            if one.action != "Add":
                tell(one, "UPDATE")
        events.append(stream.stack(clock, "UPDATE_ROLLBACK_COMPLETE_CLEANUP_IN_PROGRESS"))
        for one in began:
            if one.action in ("Add", "Replace"):
                tell(one, "DELETE", physical="new")
        events.append(stream.stack(clock, "UPDATE_ROLLBACK_COMPLETE"))
    else:
        events.append(stream.stack(clock, "UPDATE_COMPLETE_CLEANUP_IN_PROGRESS"))
        for one in plan:
            if one.action in ("Remove", "Replace"):
                tell(one, "DELETE", draw(st.sampled_from(["COMPLETE", "SKIPPED"])), physical="old")
        events.append(stream.stack(clock, "UPDATE_COMPLETE"))
    return plan, events


@given(operations(), st.lists(st.integers(1, 5), min_size=1))
def test_it_never_runs_backwards(operation, looks):
    """Whatever happens: the count and the bar never fall, the count never passes its total, the bar is full
    at the end and not before, and as long as nothing happens the estimate doesn't grow."""
    plan, events = operation
    progress = Progress.begin(plan, (), START)
    now, done, over, sizes = START, 0, 0.0, iter(looks * len(events))
    while events:
        size = next(sizes)
        part, events = events[:size], events[size:]
        ended = progress.feed(part)
        assert all(one.took is None or one.took >= 0 for one in ended)
        now = max(now, part[-1].time)
        left = progress.left(now)
        for later in (0.0, 30.0, 3000.0):
            still = progress.left(now + later)
            assert still is None or (left is not None and 0 <= still <= left)
            assert done <= progress.done <= progress.total
            assert over <= progress.fraction(now + later) <= 1
            done, over = progress.done, progress.fraction(now + later)
            assert (over == 1) == progress.ended
    assert progress.ended
    assert progress.done == progress.total
    assert progress.working(now) == ()


@pytest.mark.parametrize("name", sorted(one.stem for one in STREAMS.glob("*.json")))
def test_what_aws_really_tells_is_understood(name):
    """Of operations as AWS tells of them, failed ones above all: the count and the bar never fall, the
    operation has ended when the stack has, and what only shared another's fate isn't among the failed."""
    events = Recorded(name).events
    plan = [
        Planned(one.logical_id, one.type, {"CREATE": "Add", "DELETE": "Remove"}.get(one.status[:6], "Modify"))
        for one in {one.logical_id: one for one in reversed(events) if not one.about_stack}.values()
    ]
    for planned in (plan, []):
        progress = Progress.begin(planned, (), events[0].time if events else START)
        done, over = 0, 0.0
        for event in events:
            progress.feed([event])
            assert done <= progress.done <= progress.total
            assert over <= progress.fraction(event.time) <= 1
            done, over = progress.done, progress.fraction(event.time)
        if events and events[-1].about_stack:
            assert progress.ended != events[-1].status.endswith("_IN_PROGRESS")
            assert (over == 1) == events[-1].status.endswith("_COMPLETE")
        assert not any("cancelled" in one.reason.lower() for one in progress.failed)
