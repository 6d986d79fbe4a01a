"""What stands in for ECS keeps the service's promises while tasks come and go."""

from __future__ import annotations

import pytest

from generator.rehearsing.scheduler import Start, Stop, Task, Wanted, decide, settled
from generator.rehearsing.topology import Service

SLOTS = [f"keycloak-{number}" for number in range(1, 9)]


def service(desired=2, minimum=100, maximum=150):
    return Service("Service", desired, minimum, maximum)


def task(number, revision=1, phase="running", healthy=True, failing=False):
    return Task(f"keycloak-{number}", revision, phase, float(number), healthy, failing)


def free(*tasks):
    return [slot for slot in SLOTS if slot not in {one.slot for one in tasks}]


def test_an_empty_service_starts_what_is_wanted():
    """All tasks of a new service start at once."""
    assert decide(service(), Wanted(2), [], SLOTS) == [Start("keycloak-1", 1), Start("keycloak-2", 1)]


def test_a_full_service_is_left_alone():
    """Nothing happens to tasks that are as they should be."""
    tasks = [task(1), task(2)]
    assert decide(service(), Wanted(2), tasks, free(*tasks)) == []
    assert settled(Wanted(2), tasks)


def test_a_dead_task_is_replaced_in_another_slot():
    """A task that is gone gets a replacement, in the slot that is offered first."""
    tasks = [task(2)]
    assert decide(service(), Wanted(2), tasks, ["keycloak-3"]) == [Start("keycloak-3", 1)]


def test_a_stopping_task_leaves_room_for_its_replacement():
    """The upper limit counts tasks that start or run, not those that are stopping."""
    tasks = [task(1, phase="stopping"), task(2)]
    assert decide(service(maximum=100), Wanted(2), tasks, free(*tasks)) == [Start("keycloak-3", 1)]
    assert not settled(Wanted(2), tasks)


def test_a_rolling_deployment_starts_one_node_before_it_stops_one():
    """At 100 and 150 percent of two, the third task comes first."""
    tasks = [task(1), task(2)]
    assert decide(service(), Wanted(2, revision=2), tasks, free(*tasks)) == [Start("keycloak-3", 2)]
    tasks.append(task(3, revision=2, phase="starting", healthy=False))
    assert decide(service(), Wanted(2, revision=2), tasks, free(*tasks)) == []
    tasks[-1] = task(3, revision=2)
    assert decide(service(), Wanted(2, revision=2), tasks, free(*tasks)) == [
        Stop("keycloak-1", "a newer deployment replaces it")]


def test_a_deployment_leaves_an_old_task_that_missed_a_check():
    """A node that is slow to answer the balancer isn't stopped before there is another one."""
    tasks = [task(1, healthy=False), task(2), task(3, revision=2, phase="starting", healthy=False)]
    assert decide(service(), Wanted(2, revision=2), tasks, free(*tasks)) == []
    failing = [task(1, healthy=False, failing=True), *tasks[1:]]
    assert Stop("keycloak-1", "a newer deployment replaces it") in decide(
        service(), Wanted(2, revision=2), failing, free(*failing))


def test_a_recreating_deployment_stops_everything_first():
    """At 0 and 100 percent no old task meets a new one."""
    tasks = [task(1), task(2)]
    wanted = Wanted(2, revision=2)
    decided = decide(service(minimum=0, maximum=100), wanted, tasks, free(*tasks))
    assert [type(one) for one in decided] == [Stop, Stop]
    stopped = [task(1, phase="stopping"), task(2, phase="stopping")]
    assert [type(one) for one in decide(service(minimum=0, maximum=100), wanted, stopped, free(*stopped))] == [
        Start, Start]


def test_an_unhealthy_task_goes_after_its_replacement_has_started():
    """With room for one more, the replacement is started first; the unhealthy task is stopped then."""
    tasks = [task(1, healthy=False, failing=True), task(2)]
    assert decide(service(), Wanted(2), tasks, free(*tasks)) == [Start("keycloak-3", 1)]
    tasks.append(task(3, phase="starting", healthy=False))
    assert decide(service(), Wanted(2), tasks, free(*tasks)) == [Stop("keycloak-1", "it is unhealthy")]


def test_without_room_an_unhealthy_task_goes_first():
    """At 100 percent an unhealthy task has to go before its replacement can start."""
    tasks = [task(1, healthy=False, failing=True), task(2)]
    assert decide(service(maximum=100), Wanted(2), tasks, free(*tasks)) == [Stop("keycloak-1", "it is unhealthy")]


def test_fewer_wanted_tasks_stop_the_youngest():
    """Scaling in stops as many as are too many."""
    tasks = [task(1), task(2), task(3)]
    assert decide(service(), Wanted(2), tasks, free(*tasks)) == [Stop("keycloak-3", "fewer tasks are wanted")]


def test_a_full_stop_and_start_is_two_wishes():
    """No task is wanted: all are stopped. Two are wanted: two are started."""
    tasks = [task(1), task(2)]
    assert {one.slot for one in decide(service(), Wanted(0), tasks, free(*tasks))} == {"keycloak-1", "keycloak-2"}
    assert len(decide(service(), Wanted(2), [], SLOTS)) == 2


@pytest.mark.parametrize("desired", [1, 2, 3, 5])
@pytest.mark.parametrize(("minimum", "maximum"), [(100, 150), (100, 200), (50, 100), (0, 100), (66, 134)])
def test_a_deployment_ends_and_keeps_its_limits(desired, minimum, maximum):
    """Every deployment that has any room comes to its end, never above the upper and never below the lower limit."""
    limits = service(desired, minimum, maximum)
    tasks = {number: task(number) for number in range(1, desired + 1)}
    wanted = Wanted(desired, revision=2)
    slots = [f"keycloak-{number}" for number in range(1, 40)]
    if limits.at_most == desired and limits.at_least == desired:
        return  # no room at all: ECS doesn't get on either
    for _ in range(60):
        for number, one in list(tasks.items()):
            if one.phase == "stopping":
                del tasks[number]
            elif one.phase == "starting":
                tasks[number] = task(number, one.revision)
        for one in decide(limits, wanted, list(tasks.values()), [slot for slot in slots if slot not in {
                other.slot for other in tasks.values()}]):
            number = int(one.slot.split("-")[1])
            tasks[number] = (task(number, one.revision, "starting", False) if isinstance(one, Start)
                             else task(number, tasks[number].revision, "stopping"))
        living = [one for one in tasks.values() if one.phase != "stopping"]
        assert len(living) <= limits.at_most
        assert sum(one.healthy for one in living) >= limits.at_least
        if settled(wanted, list(tasks.values())):
            return
    raise AssertionError("the deployment doesn't end")
