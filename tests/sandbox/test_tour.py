"""The tour: a newcomer's first deployment, with the real commands, on a copy of the project."""

from __future__ import annotations

import pytest
import yaml

from generator.cli import deploying
from generator.sandbox import environment, tour
from generator.sandbox.environment import SandboxError
from tests.cases import PROJECT


@pytest.mark.parametrize(
    "text",
    [
        "a: 1\nkeycloak:\n  log:\n    level: info    # loud\n    retention_days: 7\nz: 2\n",
        "keycloak:\n  log: {retention_days: 7}\n",
        "keycloak: {log: {level: info}}\n",
        "keycloak:\n    log:\n        retention_days: 7   # as the others\n",
        "# nothing about it\naccount: '1'\n",
        "keycloak: {}\n",
    ],
)
def test_one_value_is_changed_and_nothing_else(text):
    """Wherever it is, or isn't; comments stay."""
    changed = tour.changed(text, "keycloak.log.level", "info,org.keycloak.events:debug")
    before, after = yaml.safe_load(text), yaml.safe_load(changed)
    assert after["keycloak"]["log"].pop("level") == "info,org.keycloak.events:debug"
    before.get("keycloak", {}).get("log", {}).pop("level", None)
    before.setdefault("keycloak", {}).setdefault("log", {})
    assert after == before
    assert [line for line in text.splitlines() if "#" in line] == [
        line.replace('"info,org.keycloak.events:debug"', "info")
        for line in changed.splitlines()
        if "#" in line
    ]


def test_what_holds_more_than_a_value_isn_t_changed():
    """Keys below it would be lost."""
    with pytest.raises(SandboxError, match="isn't a single value"):
        tour.changed("keycloak: {log: {level: info}}\n", "keycloak.log", "x")
    with pytest.raises(SandboxError, match="no mapping"):
        tour.changed("[]\n", "keycloak.log", "x")


def test_the_tour_stops_where_it_says(project, capfd):
    """The first deployment, on a copy: the project stays as it was, and nothing of the tour is left."""
    name, cache = "two", PROJECT / ".cache" / "sandbox"
    assert environment.python(PROJECT).is_relative_to(cache)
    (project.root / ".cache" / "sandbox").symlink_to(cache)
    before = {
        path: path.read_bytes()
        for path in project.root.rglob("*")
        if path.is_file() and ".cache" not in path.parts
    }
    with tour.Tour(project.root, name, fast=True) as made:
        there = made.folder
        stages = made.stages()
        first = next(stages)
        (command,) = first.commands
        assert deploying.deploy.name == command[1] and command[:3] == ("cloakform", "deploy", name)
        assert made.run(command) == first.ends == 0
        stack = made.stack
        assert made.aws.settled(stack) == "CREATE_COMPLETE"
        # What comes next is prepared: an edit that is there to be rendered and committed.
        second = next(stages)
        assert second.edit.startswith(f"params/{name}.yaml: keycloak.log.level: ")
        assert "org.keycloak.events:debug" in (there / "params" / f"{name}.yaml").read_text("utf-8")
        assert [one[0] for one in second.commands] == ["cloakform", "git", "cloakform"]
        assert f"export AWS_ENDPOINT_URL={made.aws.url}" in made.exports()
    assert not there.exists() and not made.aws.alive
    assert {path: path.read_bytes() for path in before} == before
    capfd.readouterr()


def test_an_environment_that_isn_t_rendered_is_told(project):
    """With the command to write; nothing is started."""
    with (
        pytest.raises(SandboxError, match="rendered/ has no environment qa .*cloakform render qa"),
        tour.Tour(project.root, "qa"),
    ):
        pass
