"""Probes, the outage they tell of, and the pace that sends them."""

from __future__ import annotations

import threading

import pytest

from generator.drilling.http import NoAnswer
from generator.drilling.pace import Pace
from generator.drilling.probes import Failed, Prober, measured, outage
from generator.drilling.promises import Sample


def series(*outcomes: str | float, interval: float = 0.2) -> list[Sample]:
    """Samples one after the other: a text is an error, a number the seconds of a good answer."""
    return [Sample(100 + number * interval, 0.01 if isinstance(one, str) else one, "introspection",
                   one if isinstance(one, str) else "") for number, one in enumerate(outcomes)]


def test_good_probes_are_no_outage():
    """Nothing failed, nothing was slow: nobody was without service."""
    found = outage(series(*[0.05] * 50))
    assert (found.longest, found.failed, found.slow, found.errors, found.probes) == (0, 0, 0, (), 50)


def test_an_outage_lasts_from_the_first_failure_to_the_next_good_probe():
    """Five failed probes in a row, five a second, are a second."""
    found = outage(series(*[0.05] * 10, *["HTTP 502"] * 5, *[0.05] * 10))
    assert found.longest == pytest.approx(1.0) and found.began == pytest.approx(102.0)
    assert found.errors == (("HTTP 502", 5),) and found.failed == 5


def test_a_node_that_answers_every_second_request_doesn_t_end_it():
    """With two nodes and one lost, half of the clients are served while the other half isn't."""
    found = outage(series(*[0.05] * 5, *["HTTP 502", 0.05] * 10, *[0.05] * 40))
    assert found.longest == pytest.approx(3.8) and found.failed == 10


def test_disturbances_far_apart_are_two():
    """A second of failures at the beginning and one much later are not an outage of the time between."""
    found = outage(series(*["a"] * 5, *[0.05] * 50, *["b"] * 10, *[0.05] * 5))
    assert found.longest == pytest.approx(2.0) and found.failed == 15
    assert found.errors == (("b", 10), ("a", 5))


def test_a_late_answer_counts_as_waiting():
    """Whoever waits eleven seconds is without service for eleven seconds, although nothing failed."""
    found = outage(series(0.05, 11.0, 10.8, 10.6, 0.05))
    assert found.longest == pytest.approx(11.0) and (found.failed, found.slow, found.slowest) == (0, 3, 11.0)


def test_an_answer_of_a_node_that_was_given_back_is_none():
    """A request that hangs at a frozen node is answered when the node goes on; the others were served long
    before. One that a living node answered in time counts for as long as it took."""
    hanging = series(0.05, "timed out", 9.0, *[0.05] * 60)
    found = outage(hanging, until=109.4)
    assert found.longest == pytest.approx(0.4) and (found.failed, found.slow) == (2, 0)
    assert outage(hanging, until=109.5).longest == pytest.approx(9.2)
    assert outage(hanging, until=100.3).probes == 2


def test_what_was_sent_before_the_loss_is_left_out():
    """Only probes from the moment on count."""
    assert outage(series(*["x"] * 5, *[0.05] * 5), since=101.0).failed == 0


def test_a_probe_s_error_is_why_it_failed():
    """No answer and a wrong answer both have words for it."""
    def gone():
        raise NoAnswer("timed out", 0.0, 10.0)

    def wrong():
        raise Failed("active: false")

    assert [measured("x", one).error for one in (gone, wrong, lambda: None)] == [
        "timed out",
        "active: false",
        "",
    ]


def test_a_prober_asks_every_question():
    """Every kind is probed; good answers in a row are counted by the worst of them."""
    answered = threading.Event()
    wrong = threading.Event()

    def one():
        if wrong.is_set():
            raise Failed("no")
        answered.set()

    with Prober({"one": one, "two": lambda: None}, rate=200) as prober:
        assert answered.wait(5)
        while prober.good_in_a_row() < 3:
            threading.Event().wait(0.01)
        wrong.set()
        while prober.samples[-1].error == "" and not any(sample.error for sample in prober.samples):
            threading.Event().wait(0.01)
    kinds = {sample.kind for sample in prober.samples}
    assert kinds == {"one", "two"} and any(sample.error == "no" for sample in prober.samples)
    assert not any(sample.error for sample in prober.samples if sample.kind == "two")
    assert prober.good_in_a_row() == 0


def test_a_pace_makes_as_many_calls_as_it_may():
    """A limit is kept to, and each call has its number."""
    numbers: list[int] = []
    pace = Pace(5000, numbers.append, limit=40)
    with pace:
        while not pace.done:
            threading.Event().wait(0.005)
    assert sorted(numbers) == list(range(40)) and pace.started == 40


def test_a_slow_call_holds_up_no_other():
    """While one waits, the next ones start."""
    free, later = threading.Event(), threading.Event()

    def work(number: int) -> None:
        if number == 0:
            assert free.wait(10)
        elif number == 3:
            later.set()

    with Pace(1000, work):
        assert later.wait(10)
        free.set()


def test_leaving_a_pace_waits_for_what_is_under_way():
    """Nothing goes on behind the back of whoever left."""
    began, free = threading.Event(), threading.Event()
    finished: list[int] = []

    def work(number: int) -> None:
        began.set()
        free.wait(10)
        finished.append(number)

    pace = Pace(1000, work, limit=3)
    with pace:
        assert began.wait(10)
        while not pace.done:
            threading.Event().wait(0.005)
        threading.Timer(0.05, free.set).start()
    assert sorted(finished) == [0, 1, 2]


def test_an_error_of_a_call_is_raised_on_leaving():
    """A thread has nobody above it, so the one who leaves hears of it."""
    def work(_: int) -> None:
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError), Pace(1000, work) as pace:
        while not pace.done:
            threading.Event().wait(0.005)
