"""The golden files are what the templates give today."""

from __future__ import annotations

from tests.golden import update


def test_the_small_environment_renders_byte_for_byte():
    """Params and templates give exactly the files that were reviewed; no other file lies beside them."""
    folder = update.SMALL / "rendered" / "small"
    there = {path.relative_to(folder).as_posix(): path.read_bytes() for path in folder.rglob("*") if path.is_file()}
    made = update.small()
    assert sorted(made) == sorted(there), update.HOW
    for name, content in made.items():
        assert content.decode() == there[name].decode(), f"{name}: {update.HOW}"


def test_the_small_environment_is_worth_reading():
    """It holds a template, an image and what a deploy needs, and stays small enough to be read."""
    made = update.small()
    assert {"template.yaml", "stack.json", "tags.json", "deployment.yaml", "image/Dockerfile"} <= set(made)
    assert len(made["template.yaml"]) < 25_000


def test_permissions_are_those_that_were_reviewed():
    """The list of all IAM statements is current; a permission that is added or widened shows up there."""
    assert update.iam() == update.IAM.read_text("utf-8"), update.HOW
