"""Commands that tell what a change does: diff and review."""

from __future__ import annotations

import json
import os
import sys
from pathlib import Path

import click

from generator.cli.environments import ALLOW, unknown
from generator.cli.session import ENVIRONMENTS, print_lines
from generator.errors import ProjectError

_FORMAT = click.option(
    "--format",
    "form",
    type=click.Choice(["text", "json", "markdown", "html"]),
    default="text",
    show_default=True,
    help="markdown for a pull request, html for a page that stands by itself; both with a diagram.",
)
_OUTPUT = click.option(
    "--output",
    "-o",
    type=click.Path(path_type=Path, dir_okay=False),
    metavar="FILE",
    help="Write the report there, not under rendered/, instead of printing it.",
)


@click.command()
@click.argument("before", metavar="A")
@click.argument("after", metavar="B")
@click.option("--exit-code", "answer", is_flag=True, help="Exit with 1 where they differ.")
@_FORMAT
@_OUTPUT
@click.pass_obj
def diff(session, before, after, answer, form, output):
    """Say how B differs from A, as CloudFormation sees it: order, comments and form are no difference.

    A and B are templates (what has a slash or a dot in its name), environments, or REVISION:ENV for an
    environment as git has it. Of two templates, or of one environment at two times, the effects are told as
    well; of two environments the differences that don't come from their own names.

    \b
    cloakform diff dev prod
    cloakform diff HEAD~3:prod prod
    cloakform diff old.yaml new.json
    """
    from generator import reviewing

    one, other = _artefact(session, before), _artefact(session, after)
    compare = reviewing.review if one.lone or other.lone or one.name == other.name else reviewing.differences
    found = compare(one, other)
    _print(session, [found], form, output)
    if answer and found.changed:
        sys.exit(1)


@click.command()
@ENVIRONMENTS
@click.option(
    "--base",
    metavar="REV",
    help="Compare with that revision of git. Default: where this branch left "
    "origin/main or main; on main itself its newest commit.",
)
@ALLOW
@_FORMAT
@_OUTPUT
@click.pass_obj
def review(session, environments, base, allowed, form, output):
    """Say what the change under rendered/ does to what is deployed: every environment that differs, or those
    named.

    What is in the folder now is compared with --base. Exit code 3 where data would be lost, protection taken
    away or something opened to the world, and nobody allowed it: with --allow, or in allowances.yaml:

    \b
    allowances:
      - id: Database
        environment: dev
        reason: moves to a larger volume, nothing in it
        expires: 2027-01-31
    """
    import datetime

    from generator import reviewing
    from generator.reviewing import allowances, sources

    root = session.root
    leave = allowances.given(allowed)
    repository = sources.Repository(root)
    # An empty one is what a command in its place that failed leaves: no reason to compare with anything else.
    revision, what = repository.base() if base is None else (repository.commit(base), base)
    session.note(f"compared with {what} ({revision[:10]})", "dim")
    names = _names(root, repository, revision, environments)
    leave += written(root, names)
    today = datetime.date.today()
    found = []
    for name in names:
        was, now = repository.artefact(revision, name), sources.committed(root, name)
        if environments or was is None or now is None or was.files != now.files:
            found.append(reviewing.review(was, now, leave, today))
    found.sort(key=lambda one: not one.refused)
    _print(session, found, form, output)
    if any(one.refused for one in found):
        sys.exit(3)


def _names(root: Path, repository, revision: str, asked: tuple[str, ...]) -> tuple[str, ...]:
    """The environments to review. Raises ProjectError for one that is in neither place."""
    from generator.reviewing import sources

    known = sorted({*sources.environments(root), *repository.environments(revision)})
    for name in asked:
        if name not in known:
            raise ProjectError(unknown(name, known))
    return tuple(dict.fromkeys(asked)) if asked else tuple(known)


def written(root: Path, names: tuple[str, ...]):
    """What allowances.yaml allows; nothing where there is no such file."""
    from generator.reviewing import allowances, sources

    try:
        text = (root / allowances.FILE).read_text("utf-8")
    except FileNotFoundError:
        return ()
    except (OSError, UnicodeDecodeError) as error:
        raise ProjectError(f"{allowances.FILE} can't be read: {error}") from error
    return allowances.read(text, {*names, *sources.environments(root)})


def _artefact(session, name: str):
    """What an argument of `diff` names. Raises ReviewError or ProjectError where that isn't there."""
    from generator.reviewing import sources

    revision, colon, inside = name.rpartition(":")
    if Path(name).is_file() or not colon and ("/" in name or os.sep in name or "." in name):
        return sources.file(name)
    root = session.root
    if colon and revision:
        found = sources.Repository(root).artefact(revision, inside)
        if found is None:
            raise ProjectError(
                f"{revision} " + unknown(inside, sources.Repository(root).environments(revision))
            )
        return found
    found = sources.committed(root, name)
    if found is None:
        raise ProjectError(unknown(name, sources.environments(root)))
    return found


def _print(session, found, form: str, output: Path | None) -> None:
    """The report on standard output, or in a file. Raises ProjectError where the file can't be written."""
    from generator.reviewing import report

    if form == "text" and output is None:
        for number, one in enumerate(found):
            if number:
                session.out()
            print_lines(session, report.text_lines(one), out=True)
        if not found:
            session.out("nothing under rendered/ changed")
        return
    if form == "json":
        text = json.dumps({"reviews": [report.as_data(one) for one in found]}, indent=2)
    elif form == "markdown":
        text = report.markdown(found, report.figures(found)).rstrip("\n")
    elif form == "html":
        text = report.html(found)
    else:
        text = "\n\n".join("\n".join(line for _, line in report.text_lines(one)) for one in found)
        text = text or "nothing under rendered/ changed"
    if output is None:
        session.out(text)
        return
    target = Path(os.path.realpath(output))
    if any(
        (place / "rendered") in (target, *target.parents) and (place / "params").is_dir()
        for place in target.parents
    ):
        raise ProjectError(
            f"{output} is under rendered/, which holds what is deployed and nothing else (name another place)"
        )
    try:
        target.write_text(text + "\n", "utf-8", errors="backslashreplace")
    except OSError as error:
        raise ProjectError(f"{output} can't be written: {error.strerror}") from error
    session.note(f"{output} written")


COMMANDS = (diff, review)
