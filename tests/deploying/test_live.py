"""What goes on in a deployment, while it goes on: on a terminal, and elsewhere."""

from __future__ import annotations

import io
import re

import pytest
from rich.console import Console

from generator.cli import live
from generator.cli.session import Session
from generator.deploying.events import STACK, Event
from generator.deploying.progress import Planned, Progress

START = 1_700_000_000.0
DATABASE, SERVICE, ROLE = "AWS::RDS::DBInstance", "AWS::ECS::Service", "AWS::IAM::Role"
PLAN = (
    Planned("Role", ROLE, "Add"),
    Planned("Database", DATABASE, "Add"),
    Planned("Service", SERVICE, "Add"),
)
SHOW_CURSOR, HIDE_CURSOR = "\x1b[?25h", "\x1b[?25l"


def event(after, logical_id, type, status, reason="", physical=""):
    return Event(
        f"{logical_id}-{status}-{after}",
        START + after,
        logical_id,
        physical,
        type,
        status,
        reason,
        about_stack=type == STACK,
    )


BEGINNING = (
    event(0, "stack", STACK, "CREATE_IN_PROGRESS"),
    event(1, "Role", ROLE, "CREATE_IN_PROGRESS"),
    event(1, "Database", DATABASE, "CREATE_IN_PROGRESS"),
    event(13, "Role", ROLE, "CREATE_COMPLETE"),
)
FAILURE = (
    event(20, "Database", DATABASE, "CREATE_FAILED", "The \x1b[31mclass isn't there"),
    event(21, "Service", SERVICE, "CREATE_FAILED", "Resource creation cancelled"),
    event(
        22, "stack", STACK, "ROLLBACK_IN_PROGRESS", "The following resource(s) failed to create: [Database]."
    ),
)


def progress() -> Progress:
    return Progress.begin(PLAN, (), START)


@pytest.fixture(autouse=True)
def able(monkeypatch):
    """A terminal as most are."""
    monkeypatch.setenv("TERM", "xterm")
    monkeypatch.delenv("NO_COLOR", raising=False)


def terminal(width: int = 100, **more) -> Console:
    return Console(
        file=io.StringIO(), force_terminal=True, width=width, height=20, legacy_windows=False, **more
    )


def written(console: Console) -> str:
    return console.file.getvalue()


def words(text: str) -> str:
    """A terminal's text without what steers it."""
    return re.sub(r"\x1b\[[0-9;?]*[A-Za-z]", "", text)


@pytest.fixture
def quiet():
    return Session(None, False, True)


@pytest.fixture
def session():
    return Session(None, False, False)


# --- Without a terminal ---


def test_plain_lines_without_a_terminal(session, capsys):
    """In a log there is one line for each resource that is finished, with how long it took, and nothing that
    steers a terminal."""
    with live.view(session, progress()) as view:
        view.update(BEGINNING, START + 13)
    said = capsys.readouterr()
    assert said.err == "created   Role  AWS::IAM::Role  12 s\n"
    assert said.out == ""


def test_a_failure_has_its_reason_on_its_line(session, capsys):
    """A resource that failed says why; what was given up because of it says only that; what the stack does
    next is said, too."""
    with live.view(session, progress()) as view:
        view.update(BEGINNING + FAILURE, START + 22)
    lines = capsys.readouterr().err.splitlines()
    assert lines[1:] == [
        "failed    Database  AWS::RDS::DBInstance  19 s  creating: The \\x1b[31mclass isn't there",
        "cancelled Service  AWS::ECS::Service  because something else failed",
        "rolling back: The following resource(s) failed to create: [Database].",
    ]


@pytest.mark.parametrize("hide", [None, lambda text: text.replace("hunter2", "[hidden]")])
def test_a_secret_in_a_reason_is_hidden(session, capsys, hide):
    """What looks like a secret in AWS' reason isn't shown, nor what is known to be one."""
    said = "Invalid value: password=hunter2" if hide is None else "hunter2 is too short"
    with live.view(session, progress(), hide=hide) as view:
        view.update((event(1, "Database", DATABASE, "CREATE_FAILED", said),), START + 2)
    told = capsys.readouterr().err
    assert "hunter2" not in told and "[hidden]" in told


def test_a_sign_of_life_each_minute(session, capsys):
    """When nothing finishes for a minute, a line says what AWS is at, how far it is and about how long it
    takes."""
    with live.view(session, progress()) as view:
        view.update(BEGINNING, START + 13)
        capsys.readouterr()
        view.update((), START + 72)
        assert capsys.readouterr().err == ""
        view.update((), START + 74)
        told = capsys.readouterr().err
        assert told == (
            "1 min 14 s: 1 of 3, about 11 min left; now creating Database (AWS::RDS::DBInstance) 1 min 13 s\n"
        )
        view.update((), START + 100)
        assert capsys.readouterr().err == ""


def test_quiet_tells_only_what_failed(quiet, capsys):
    """With -q there is nothing but failures."""
    with live.view(quiet, progress()) as view:
        view.update(BEGINNING, START + 13)
        view.say("task 1 stopped", "warning")
        view.update((), START + 400)
        assert capsys.readouterr().err == ""
        view.update(FAILURE, START + 400)
        view.say("three tasks stopped for one reason", "error")
    lines = capsys.readouterr().err.splitlines()
    assert [line.split()[0] for line in lines] == ["failed", "rolling", "three"]


def test_lines_of_others_stand_among_them(session, capsys):
    """What is learned beside CloudFormation's events has its place among its lines."""
    with live.view(session, progress()) as view:
        view.update(BEGINNING, START + 13)
        view.say("task 0a1b stopped: exit code 1", "warning")
    assert capsys.readouterr().err.splitlines()[-1] == "task 0a1b stopped: exit code 1"


# --- On a terminal ---


def test_a_bar_with_count_time_and_estimate(session):
    """On a terminal the last lines show how many are done of all, the time, about how long it takes, and what
    AWS works on."""
    console = terminal()
    with live.view(session, progress(), console=console) as view:
        view.update(BEGINNING, START + 14)
    said = words(written(console))
    assert "1 of 3  14 s, about 12 min left" in said
    assert "creating Database (AWS::RDS::DBInstance) 13 s" in said
    assert "created   Role  AWS::IAM::Role  12 s" in said
    assert "━" in said


def test_a_terminal_is_left_as_it_was(session):
    """After Ctrl-C the cursor is there again, and the moving lines are gone."""
    console = terminal()
    with pytest.raises(KeyboardInterrupt), live.view(session, progress(), console=console) as view:
        view.update(BEGINNING, START + 14)
        assert HIDE_CURSOR in written(console)
        raise KeyboardInterrupt
    said = written(console)
    assert said.rindex(SHOW_CURSOR) > said.rindex(HIDE_CURSOR)
    assert "\x1b[2K" in said[said.rindex("Database") :]


def test_a_reason_can_not_steer_the_terminal(session):
    """Control characters in what AWS says are shown, not obeyed; nor is it markup."""
    console = terminal(200)
    failing = (*FAILURE[:1], event(30, "Role", ROLE, "DELETE_FAILED", "[bold]no\x07"))
    with live.view(session, progress(), console=console) as view:
        view.update(BEGINNING + failing, START + 31)
    said = words(written(console))
    assert "The \\x1b[31mclass isn't there" in said
    assert "[bold]no\\x07" in said and "\x07" not in written(console)


def test_a_narrow_terminal_gets_lines_that_fit(session):
    """In a narrow window the moving lines are cut, never wrapped: wrapped lines would not be taken away
    again."""
    console = terminal(30)
    shown = live._Terminal(progress(), console, live._Words(str))
    shown._lines.progress.feed(BEGINNING)
    console.print(shown.render())
    assert all(len(line) <= 30 for line in words(written(console)).splitlines())
    assert len(written(console).splitlines()) == 2


def test_at_most_three_resources_are_named(session):
    """A stack that works on many resources at once still takes few lines."""
    console = terminal()
    plan = [Planned(f"Role{number}", ROLE, "Add") for number in range(9)]
    shown = live._Terminal(Progress.begin(plan, (), START), console, live._Words(str))
    shown._lines.progress.feed(event(1, one.logical_id, ROLE, "CREATE_IN_PROGRESS") for one in plan)
    console.print(shown.render())
    lines = words(written(console)).splitlines()
    assert len(lines) == 5 and lines[-1].strip() == "and 6 more"


def test_no_colour_where_none_is_wanted(session, monkeypatch):
    """With NO_COLOR nothing is coloured."""
    monkeypatch.setenv("NO_COLOR", "1")
    console = terminal()
    with live.view(session, progress(), console=console) as view:
        view.update(BEGINNING + FAILURE, START + 22)
    assert not re.search(r"\x1b\[[0-9;]*3[0-9]m", written(console))


def test_a_terminal_that_can_not_move_gets_plain_lines(session, monkeypatch, capsys):
    """Where the terminal can't take a line back (TERM=dumb, as in editors), lines are written one below the
    other."""
    monkeypatch.setenv("TERM", "dumb")
    console = terminal()
    with live.view(session, progress(), console=console) as view:
        view.update(BEGINNING, START + 13)
    assert written(console) == ""
    assert capsys.readouterr().err == "created   Role  AWS::IAM::Role  12 s\n"


def test_a_quiet_run_draws_nothing(quiet, capsys):
    """With -q a terminal stays still as well."""
    console = terminal()
    with live.view(quiet, progress(), console=console) as view:
        view.update(BEGINNING, START + 13)
    assert written(console) == "" and capsys.readouterr().err == ""


# --- Words ---


@pytest.mark.parametrize(
    ("seconds", "text"),
    [
        (0, "0 s"),
        (59.6, "1 min"),
        (45, "45 s"),
        (60, "1 min"),
        (725, "12 min 5 s"),
        (3780, "1 h 3 min"),
        (-3, "0 s"),
    ],
)
def test_lengths_of_time_in_words(seconds, text):
    """Lengths of time are written as people say them."""
    assert live.words(seconds) == text


@pytest.mark.parametrize(
    ("seconds", "text"),
    [
        (None, "no estimate"),
        (3, "about 10 s left"),
        (44, "about 50 s left"),
        (55, "about 1 min left"),
        (61, "about 2 min left"),
        (3660, "about 1 h 1 min left"),
    ],
)
def test_an_estimate_is_coarse(seconds, text):
    """An estimate doesn't pretend to know seconds."""
    assert live.about(seconds) == text
