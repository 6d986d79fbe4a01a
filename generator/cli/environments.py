"""What the commands that talk to AWS share: which environment is meant, which endpoint, what goes on without us."""

from __future__ import annotations

import difflib
from collections.abc import Iterable

import click

from generator.errors import ProjectError

ENVIRONMENT = click.argument("environment", metavar="ENV")
ENDPOINT = click.option(
    "--endpoint-url",
    metavar="URL",
    help="Send every call there instead of to AWS, say to `cloakform sandbox`.",
)
ALLOW = click.option(
    "--allow",
    "allowed",
    metavar="LOGICAL_ID",
    multiple=True,
    help="Let that resource (or a path such as Database.DeletionProtection) lose data or protection.",
)


def rendered(session, name: str):
    """The artefact of an environment as it is in the folder. Raises ProjectError where there is none."""
    from generator.reviewing import sources

    found = sources.committed(session.root, name)
    if found is None:
        raise ProjectError(unknown(name, sources.environments(session.root)))
    return found


def unknown(name: str, known: Iterable[str]) -> str:
    """That there is no such environment, and which may be meant."""
    known = tuple(known)
    near = difflib.get_close_matches(name, known, 1)
    there = (
        f"did you mean {near[0]}?"
        if near
        else f"there are {', '.join(known)}"
        if known
        else "render one first: cloakform render"
    )
    return f"rendered/ has no environment {name} ({there})"


def goes_on(target) -> str:
    """What AWS does without us, and how to see it."""
    return (
        f"AWS goes on with {target.stack_name}: `cloakform events {target.name} --follow` watches it, "
        f"`cloakform status {target.name}` says how it ended."
    )
