"""Commands from params to `rendered/`: render, check, lint, explain, new, schema."""

from __future__ import annotations

import json
import os
import sys
from pathlib import Path

import click

from generator import stamp
from generator.cli.session import ENVIRONMENTS, FORMAT, NO_CACHE, print_lines
from generator.errors import ParamsError, ProjectError


@click.command()
@ENVIRONMENTS
@FORMAT
@NO_CACHE
@click.pass_obj
def render(session, environments, form, no_cache):
    """Render, lint and write environments: all of them, or those named.

    An environment with an error is not written at all; the others are. Warnings don't keep anything from being
    written.
    """
    root = session.root
    rows = None if no_cache else stamp.load(root)
    if rows is not None and set(environments) <= {one["environment"] for one in rows}:
        rows = [dict(one, files="unchanged") for one in rows if not environments or one["environment"] in environments]
        _print_rows(session, rows, form, note="nothing changed since the last render")
        return
    from generator import build, report
    from generator.rendering.write import orphans

    before = stamp.inputs(root)
    built = _build(session, root, environments, not no_cache)
    _print_problems(session, built)
    written = build.write_out(root, built)
    rows = [report.row(one, report.changed_cell(one, one.name in written)) for one in built]
    _print_rows(session, rows, form)
    for one in built:
        for difference in one.differences:
            if difference.kind == "extra" and one.name in written:
                session.note(f"removed {difference.path}: rendering makes no such file")
    if not environments:
        for folder in orphans(root, [one.name for one in built]):
            session.note(f"{folder}/ has no params file: delete it if the environment is gone", "warning")
        if not any(one.errors for one in built):
            stamp.store(root, sorted(_extra_inputs(built)), rows, before)
    _exit(built)


@click.command()
@ENVIRONMENTS
@FORMAT
@NO_CACHE
@click.pass_obj
def check(session, environments, form, no_cache):
    """Say whether rendered/ is what params and templates give; write nothing.

    Exit code 1 with a unified diff where a file is stale, missing or edited by hand; also where params/schema.json,
    docs/params.md or docs/rules/ is older than the program, unless environments are named.
    """
    from generator import pages, report
    from generator.rendering.write import orphans

    root = session.root
    built = _build(session, root, environments, not no_cache)
    _print_problems(session, built)
    stale = [difference for one in built if not one.errors for difference in one.differences]
    gone = [] if environments else orphans(root, [one.name for one in built])
    old = [] if environments else pages.stale(root)
    if form == "json":
        session.out(json.dumps({"environments": [report.row(one, report.changed_cell(one, False)) for one in built],
                                "stale": [vars(one) for one in stale], "orphans": gone, "old": old}, indent=2))
    else:
        for difference in stale:
            _print_difference(session, difference)
        _print_rows(session, [report.row(one, report.changed_cell(one, False)) for one in built], "text")
    if stale:
        names = " ".join(dict.fromkeys(one.path.split("/")[1] for one in stale))
        session.err(f"rendered/ is stale ({names}): params or templates changed without a render, or somebody edited it "
                    "by hand.\nPut changes into params/ or templates/, then run `make render` and commit rendered/.",
                    "error")
    for folder in gone:
        session.err(f"{folder}/ has no params file: delete it, or bring the params back", "error")
    for name in old:
        session.err(f"{name} is stale: run `cloakform schema`", "error")
    _exit(built, no=bool(stale or gone or old))


@click.command()
@click.argument("targets", metavar="[ENV|FILE]...", nargs=-1)
@click.option("--format", "form", type=click.Choice(["text", "json", "sarif", "junit", "github"]), default="text",
              show_default=True, help="sarif for code scanning, junit for CI systems, github for annotations.")
@click.option("--keycloak-version", metavar="VERSION", default="",
              help="Of Keycloak in the FILEs. Default: what the image's tag says.")
@click.option("--region", metavar="REGION", default="us-east-1", show_default=True, help="That the FILEs are for.")
@click.option("--info", is_flag=True, help="Say what is only good to know as well: rules whose id begins with I.")
@click.option("--explain", "rule", metavar="RULE", help="Print the page of one rule, such as E9031, and lint nothing.")
@click.option("--list-rules", "listing", is_flag=True, help="List all rules, and lint nothing.")
@NO_CACHE
@click.pass_obj
def lint(session, targets, form, keycloak_version, region, info, rule, listing, no_cache):
    """Lint what params and templates give, or any CloudFormation template; write nothing.

    Without arguments every environment is linted; each finding names the rendered line, the template line and the
    params key it came from. FILE is a template of anybody's, YAML or JSON: what has a slash or a dot in its name. Both
    get cfn-lint and the rules that know Keycloak; docs/rules/ has them, and how to run them inside cfn-lint.
    """
    from generator.linting import formats
    from generator.report import problem_lines

    if rule or listing:
        _print_rules(session, rule, form)
        return
    files = [one for one in targets if _is_file(one)]
    environments = [one for one in targets if one not in files]
    if keycloak_version and not files:
        raise click.UsageError("--keycloak-version is for files: params say it for environments")
    jobs = _jobs(session, files, region, keycloak_version, info)
    built = [] if files and not environments else _build(session, session.root, environments, not no_cache, info)
    findings = [finding for one in built for finding in one.findings] + _lint_files(session, jobs, not no_cache)
    for one in built:
        print_lines(session, problem_lines(one.problems))
    if form == "text":
        print_lines(session, formats.text_lines(findings), out=True)
        session.note(f"{_linted(len(built), len(files))} linted, "
                     f"{len(findings)} finding{'s' if len(findings) != 1 else ''}")
    else:
        session.out(formats.FORMATS[form](findings).rstrip("\n"))
    _exit(built, no=any(finding.severity == "error" for finding in findings))


@click.command()
@click.argument("key", required=False)
@click.argument("environment", required=False)
@FORMAT
@click.pass_obj
def explain(session, key, environment, form):
    """Say what a params KEY means and, in an ENVIRONMENT, what its value is and who set it.

    Without a KEY all keys are listed. Every file:line that set the value is shown, the last one holds.
    """
    from dataclasses import asdict

    from generator import report
    from generator.params import describe
    from generator.params.explain import explain as explained

    if not key:
        if form == "json":
            session.out(json.dumps([asdict(one) for one in describe.keys()], indent=2))
            return
        for one in describe.keys():
            session.out(f"{one.path:<48} {one.description}", "bold" if one.section else "")
        return
    found = explained(key, _environment(session, environment) if environment else None)
    if form == "json":
        session.out(json.dumps(asdict(found), indent=2))
    else:
        print_lines(session, report.explanation_lines(found), out=True)


@click.command()
@click.argument("environment")
@click.pass_obj
def new(session, environment):
    """Start an environment: params/ENVIRONMENT.yaml from a commented example."""
    from generator.params import project
    from generator.rendering.engine import Engine

    root = session.root
    if not project.NAME.fullmatch(environment):
        raise ProjectError(f"{environment!r} can't name an environment (write small letters, digits and dashes, "
                           "31 at most, the first a letter)")
    file = root / "params" / f"{environment}.yaml"
    base = "base.yaml" if (root / "params" / "base.yaml").exists() else ""
    text = Engine(root / "templates").render("params.yaml.j2", {"environment": environment, "base": base},
                                             name=environment).text
    try:
        with open(file, "x", encoding="utf-8") as stream:
            stream.write(text)
    except FileExistsError:
        raise ProjectError(f"params/{environment}.yaml is there already") from None
    except OSError as error:
        raise ProjectError(f"params/{environment}.yaml can't be written: {error.strerror}") from error
    session.out(f"params/{environment}.yaml: fill it in, then run `cloakform render {environment}`")


@click.command()
@click.option("--check", "only_check", is_flag=True, help="Write nothing; exit 1 where a file is stale.")
@click.pass_obj
def schema(session, only_check):
    """Write what the program says about itself: params/schema.json, which editors use, docs/params.md, docs/rules/."""
    from generator import pages

    root = session.root
    stale = pages.stale(root, missing=True)
    made = pages.made()
    for name in stale:
        if only_check:
            session.out(f"{name} is stale: run `cloakform schema`")
        elif name in made:
            (root / name).parent.mkdir(parents=True, exist_ok=True)
            (root / name).write_text(made[name], "utf-8")
            session.out(f"{name} written")
        else:
            (root / name).unlink()
            session.out(f"{name} removed: there is no such rule")
    if stale and only_check:
        sys.exit(1)


def _environment(session, name: str):
    """One environment by name. Raises ParamsError with its problems, ProjectError for an unknown name."""
    from generator import build

    outcome = build.outcomes(session.root, (name,))[0]
    if outcome.environment is None:
        raise ParamsError(list(outcome.problems))
    return outcome.environment


def _build(session, root: Path, environments, use_cache: bool, info: bool = False):
    from generator import build

    show, stop = session.progress()
    try:
        return build.build(root, tuple(environments), use_cache=use_cache, info=info, progress=show)
    finally:
        stop()


def _extra_inputs(built) -> set[str]:
    return {name for one in built if one.hand_over for name in one.hand_over.inputs}


def _is_file(target: str) -> bool:
    """Whether an argument of `lint` names a file: a path, or a name that no environment can have."""
    return Path(target).is_file() or "/" in target or os.sep in target or bool(Path(target).suffix)


def _jobs(session, files: list[str], region: str, version: str, info: bool) -> list:
    """What there is to lint in files. Raises ProjectError for one that can't be read, CatalogError for a version that
    is none."""
    from generator.keycloak import catalog
    from generator.linting import Job

    if version and (note := catalog.load(version).note):
        session.note(note, "warning")
    return [Job(_text(name), name, region, version, info) for name in dict.fromkeys(files)]


def _text(name: str) -> str:
    try:
        return Path(name).read_text("utf-8")
    except UnicodeDecodeError:
        raise ProjectError(f"{name} isn't text in UTF-8 (name a CloudFormation template, YAML or JSON)") from None
    except OSError as error:
        raise ProjectError(f"{name} can't be read: {error.strerror} (name a CloudFormation template)") from error


def _lint_files(session, jobs: list, use_cache: bool) -> list:
    """The findings about files, kept in the project's cache where there is a project."""
    from generator import linting

    if not jobs:
        return []
    cache = None
    if use_cache:
        try:
            cache = linting.Cache(session.root)
        except ProjectError:
            pass  # anybody's template can be linted anywhere
    show, stop = session.progress()
    try:
        show(f"linting {len(jobs)} template{'s' if len(jobs) > 1 else ''}")
        return [finding for found in linting.lint_many(jobs, cache=cache) for finding in found]
    finally:
        stop()


def _linted(environments: int, files: int) -> str:
    parts = [f"{count} {word}{'s' if count != 1 else ''}" for count, word in ((environments, "environment"),
                                                                             (files, "file")) if count]
    return " and ".join(parts) or "0 environments"


def _print_rules(session, name: str | None, form: str) -> None:
    """The page of one rule, or a line for each. Raises ProjectError for a rule that isn't there."""
    from generator.linting import pack, pages
    from generator.linting.findings import severity_of

    rules = pack.all_rules()
    if name and name.upper() in pages.UNRULED:
        raise ProjectError(f"{name.upper()} has no page: {pages.UNRULED[name.upper()]}")
    if name:
        found = pack.rule(name)
        if found is None:
            near = pack.nearest(name)
            hint = f"did you mean {near}?" if near else "see `cloakform lint --list-rules`"
            raise ProjectError(f"there is no rule {name!r} here ({hint} cfn-lint has its own: `cfn-lint --list-rules`)")
        rules = (found,)
    if form == "json":
        session.out(json.dumps([{"id": one.id, "severity": severity_of(one.id), "title": one.shortdesc,
                                 "versions": one.versions, "source_url": one.source_url, "text": one.text()}
                                for one in rules], indent=2))
    elif name:
        session.out(pages.terminal_text(rules[0]))
    else:
        for one in rules:
            session.out(f"{one.id}  {one.shortdesc}")


def _print_problems(session, built) -> None:
    """Problems of each file once, then findings; a quiet run shows errors only."""
    from generator.linting.formats import text_lines
    from generator.report import problem_lines

    seen = set()
    for one in built:
        problems = [problem for problem in one.problems if problem not in seen
                    and (not session.quiet or problem.severity == "error")]
        seen.update(problems)
        print_lines(session, problem_lines(problems))
        print_lines(session, text_lines(
            finding for finding in one.findings if not session.quiet or finding.severity == "error"))


def _print_rows(session, rows: list[dict], form: str, note: str = "") -> None:
    if form == "json":
        session.out(json.dumps({"environments": rows, "note": note}, indent=2))
    elif not session.quiet:
        session.table(rows)
        if note:
            session.out(note)


def _print_difference(session, difference) -> None:
    if difference.kind == "extra":
        session.out(f"{difference.path}: rendering makes no such file", "error")
        return
    if not difference.diff:
        session.out(f"{difference.path}: {difference.kind}, not text", "error")
        return
    for line in difference.diff.splitlines():
        style = "add" if line.startswith("+") else "remove" if line.startswith("-") else ""
        session.out(line, style)


def _exit(built, no: bool = False) -> None:
    """2 for wrong params or templates, else 1 for findings of error level or for `no`, else 0."""
    if any(problem.severity == "error" for one in built for problem in one.problems):
        sys.exit(2)
    if no or any(one.errors for one in built):
        sys.exit(1)


COMMANDS = (render, check, lint, explain, new, schema)
