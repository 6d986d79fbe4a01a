"""Scripts that a shell is given, taken apart as the shell does."""

from __future__ import annotations

import random

import pytest

from generator.linting.view import shell


def calls(script: str) -> list[tuple[str, ...]]:
    return [one.words for one in shell.calls(script)]


@pytest.mark.parametrize(
    ("script", "expected"),
    [
        ("a b;c&&d||e|f&g\nh", [("a", "b"), ("c",), ("d",), ("e",), ("f",), ("g",), ("h",)]),
        ("a 'b; c' \"d && $e\" f\\ g", [("a", "b; c", "d && ${e}", "f g")]),
        ("a \\\n b # c; d\ne", [("a", "b"), ("e",)]),
        ("X=1 exec env Y=2 tini -- a b", [("a", "b")]),
        ("a >f 2>&1 <g; b &>h", [("a",), ("b",)]),
        ("cat <<E >f\na b\nE\nc", [("cat",), ("c",)]),
        ("a $(b; c) `d` ${e:-f g} > >(h)", [("a", "${…}", "${…}", "${e:-f g}")]),
        ("if a; then b; else c; fi; for i in 1 2; do d; done", [("a",), ("b",), ("c",), ("d",)]),
        ("case $1 in x) a;; esac", [("a",)]),
        ("sh -c 'a; b' && bash -euxo pipefail -c c", [("a",), ("b",), ("c",)]),
        ("a '$X' \\$Y $1 $", [("a", "$X", "$Y", "${1}", "$")]),
        ("", []),
    ],
)
def test_a_script_is_taken_apart(script, expected):
    """Commands, words, quotes, redirections and what the shell puts in are told apart."""
    assert calls(script) == expected


@pytest.mark.parametrize(
    ("script", "executed", "last"),
    [
        ("x; exec a", True, True),
        ("x && a", False, True),
        ("a;", False, True),
        ("if x; then exec a; fi", True, False),
        ("(a)", False, False),
        ("a | x", False, False),
        ("a &", False, False),
        ("exec sh -c 'exec a'", True, True),
    ],
)
def test_who_stays_is_known(script, executed, last):
    """Whether a command takes the shell's place, and whether it is the last thing the shell waits for."""
    (one,) = (one for one in shell.calls(script) if one.program == "a")
    assert (one.executed, one.last) == (executed, last)


def test_any_text_is_a_script():
    """Nothing raises or hangs, whatever is written."""
    dice = random.Random(4)
    for _ in range(2000):
        text = "".join(dice.choice(" \t\n'\"`$(){}<>&|;#\\\\ab-=1") for _ in range(dice.randrange(40)))
        assert isinstance(shell.calls(text), tuple)
