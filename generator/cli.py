"""The command line. The only module that prints, prompts, reads the clock or exits."""

from __future__ import annotations

import gc
import json
import os
import sys
from pathlib import Path

import click

from generator import __version__
from generator import folder as project_folder
from generator import stamp
from generator.errors import CloakformError, ParamsError, ProjectError, TemplateError

STYLES = {"error": {"fg": "red"}, "warning": {"fg": "yellow"}, "info": {"fg": "cyan"}, "dim": {"dim": True},
          "bold": {"bold": True}, "add": {"fg": "green"}, "remove": {"fg": "red"}, "": {}}


class Session:
    """What every command needs: the project folder and how to print."""

    def __init__(self, folder: Path | None, colour: bool | None, quiet: bool):
        self._folder = folder
        self.colour = colour
        self.quiet = quiet

    @property
    def root(self) -> Path:
        """The project folder. Raises ProjectError where there is none."""
        try:
            return project_folder.given(self._folder) if self._folder else project_folder.find(Path.cwd())
        except FileNotFoundError:
            raise ProjectError("the folder that this runs in was deleted (change into a project)") from None

    def out(self, text: str = "", style: str = "") -> None:
        """A result, on standard output."""
        click.echo(click.style(text, **STYLES[style]) if STYLES[style] else text, color=self.colour)

    def err(self, text: str, style: str = "") -> None:
        """Anything else, on standard error."""
        click.echo(click.style(text, **STYLES[style]) if STYLES[style] else text, err=True, color=self.colour)

    def note(self, text: str, style: str = "") -> None:
        """Something a quiet run leaves out."""
        if not self.quiet:
            self.err(text, style)

    def progress(self):
        """A function that shows what is going on, on a terminal only, and a function that ends it."""
        if self.quiet or not sys.stderr.isatty():
            return (lambda text: None), (lambda: None)
        from rich.console import Console

        status = Console(stderr=True, no_color=self.colour is False).status("")
        status.start()
        return (lambda text: status.update(text)), status.stop

    def table(self, rows: list[dict]) -> None:
        """The summary of environments."""
        from rich.console import Console

        from generator.report import table

        # Never wrapped: a narrow pipe would break the columns that other programs read.
        width = None if sys.stdout.isatty() else 200
        table(rows, Console(color_system=None if self.colour is False else "auto", width=width))


class Group(click.Group):
    """Takes the options of every command before and after its name, and names the nearest command."""

    def parse_args(self, ctx, args):
        return super().parse_args(ctx, _options_first(args))

    def resolve_command(self, ctx, args):
        try:
            return super().resolve_command(ctx, args)
        except click.UsageError as error:
            import difflib

            near = difflib.get_close_matches(args[0], self.list_commands(ctx), 1)
            if near:
                error.message = f"No such command {args[0]!r}. Did you mean {near[0]!r}?"
            raise


def _options_first(args: list[str]) -> list[str]:
    """The arguments with those of `_global_options` in front: `render -q` is what people type."""
    first, rest = [], []
    waiting = iter(args)
    for arg in waiting:
        if arg == "--":
            rest += [arg, *waiting]
        elif arg == "--project":
            value = next(waiting, None)
            if value is None:
                return [arg]  # click says what is missing
            first += [arg, value]
        elif arg in ("-q", "--quiet", "--color", "--no-color") or arg.startswith("--project="):
            first.append(arg)
        else:
            rest.append(arg)
    return first + rest


def _global_options(command):
    command = click.option("--quiet", "-q", is_flag=True, help="Errors and results only.")(command)
    command = click.option("--color/--no-color", "colour", default=None,
                           help="Colour; by default on a terminal, and never with NO_COLOR.")(command)
    return click.option("--project", "folder", type=click.Path(path_type=Path, file_okay=False),
                        help="Project folder; by default the nearest one upwards with params/ and templates/.")(command)


@click.group(cls=Group, context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100})
@click.version_option(__version__, prog_name="cloakform")
@_global_options
@click.pass_context
def cli(context, folder, colour, quiet):
    """Keycloak, highly available, on AWS ECS Fargate, as CloudFormation you can read.

    params/ENV.yaml and templates/ become rendered/ENV/: a template to review and deploy, a runbook, an image to build.

    \b
    cloakform render            render, lint and write every environment
    cloakform check             is rendered/ what params and templates give? (for CI)
    cloakform explain KEY ENV   what a key means, and who set it
    cloakform new ENV           start an environment

    \b
    Exit codes: 0 fine, 1 the answer is no (findings, stale files), 2 wrong usage or params,
    130 interrupted.
    """
    if "NO_COLOR" in os.environ and colour is None:
        colour = False
    context.obj = Session(folder, colour, quiet)


FORMAT = click.option("--format", "form", type=click.Choice(["text", "json"]), default="text", show_default=True,
                      help="How to print the result.")
NO_CACHE = click.option("--no-cache", is_flag=True, help="Render and lint again what did not change.")
ENVIRONMENTS = click.argument("environments", metavar="[ENV]...", nargs=-1)


@cli.command()
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


@cli.command()
@ENVIRONMENTS
@FORMAT
@NO_CACHE
@click.pass_obj
def check(session, environments, form, no_cache):
    """Say whether rendered/ is what params and templates give; write nothing.

    Exit code 1 with a unified diff where a file is stale, missing or edited by hand.
    """
    from generator import report
    from generator.rendering.write import orphans

    root = session.root
    built = _build(session, root, environments, not no_cache)
    _print_problems(session, built)
    stale = [difference for one in built if not one.errors for difference in one.differences]
    gone = [] if environments else orphans(root, [one.name for one in built])
    if form == "json":
        session.out(json.dumps({"environments": [report.row(one, report.changed_cell(one, False)) for one in built],
                                "stale": [vars(one) for one in stale], "orphans": gone}, indent=2))
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
    _exit(built, no=bool(stale or gone))


@cli.command()
@ENVIRONMENTS
@click.option("--format", "form", type=click.Choice(["text", "json", "sarif", "junit", "github"]), default="text",
              show_default=True, help="sarif for code scanning, junit for CI systems, github for annotations.")
@NO_CACHE
@click.pass_obj
def lint(session, environments, form, no_cache):
    """Lint what params and templates give, with cfn-lint and checks of our own; write nothing.

    Each finding names the rendered line, the template line and the params key it came from.
    """
    from generator.linting import formats

    root = session.root
    built = _build(session, root, environments, not no_cache)
    findings = [finding for one in built for finding in one.findings]
    for one in built:
        _print_lines(session, _problem_lines(one))
    if form == "text":
        _print_lines(session, _finding_lines(findings), out=True)
        session.note(f"{len(built)} environment{'s' if len(built) != 1 else ''} linted, "
                     f"{len(findings)} finding{'s' if len(findings) != 1 else ''}")
    else:
        session.out(getattr(formats, f"as_{form}")(findings).rstrip("\n"))
    _exit(built)


@cli.command()
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
        _print_lines(session, report.explanation_lines(found), out=True)


@cli.command()
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


@cli.command()
@click.option("--check", "only_check", is_flag=True, help="Write nothing; exit 1 where a file is stale.")
@click.pass_obj
def schema(session, only_check):
    """Write params/schema.json, which editors use, and docs/params.md, both from the model."""
    from generator.params.reference import page
    from generator.params.schema import schema_text

    root = session.root
    stale = []
    for name, text in (("params/schema.json", schema_text()), ("docs/params.md", page())):
        file = root / name
        if not file.is_file() or file.read_text("utf-8") != text:
            stale.append(name)
            if not only_check:
                file.parent.mkdir(exist_ok=True)
                file.write_text(text, "utf-8")
    for name in stale:
        session.out(f"{name} is stale: run `cloakform schema`" if only_check else f"{name} written")
    if stale and only_check:
        sys.exit(1)


def _environment(session, name: str):
    """One environment by name. Raises ParamsError with its problems, ProjectError for an unknown name."""
    from generator import build

    outcome = build.outcomes(session.root, (name,))[0]
    if outcome.environment is None:
        raise ParamsError(list(outcome.problems))
    return outcome.environment


def _build(session, root: Path, environments, use_cache: bool):
    from generator import build

    show, stop = session.progress()
    try:
        return build.build(root, tuple(environments), use_cache=use_cache, progress=show)
    finally:
        stop()


def _extra_inputs(built) -> set[str]:
    return {name for one in built if one.hand_over for name in one.hand_over.inputs}


def _problem_lines(one):
    from generator.report import problem_lines

    return problem_lines(one.problems)


def _finding_lines(findings):
    from generator.linting.formats import text_lines

    return text_lines(findings)


def _print_lines(session, lines, out: bool = False) -> None:
    for style, text in lines:
        (session.out if out else session.err)(text, style if style in STYLES else "")


def _print_problems(session, built) -> None:
    """Problems of each file once, then findings; a quiet run shows errors only."""
    seen = set()
    for one in built:
        problems = [problem for problem in one.problems if problem not in seen
                    and (not session.quiet or problem.severity == "error")]
        seen.update(problems)
        from generator.report import problem_lines

        _print_lines(session, problem_lines(problems))
        _print_lines(session, _finding_lines(
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


def main() -> None:
    """Runs the command line and exits with its code."""
    gc.disable()  # a short life: looking for garbage takes a tenth of the time and finds next to none
    _prepare_streams()
    try:
        code = cli.main(standalone_mode=False)
    except click.exceptions.Abort:
        _fail("interrupted; nothing was left half written", 130)
    except click.ClickException as error:
        error.show()
        sys.exit(2)
    except (ParamsError, TemplateError) as error:
        session = Session(None, False if "NO_COLOR" in os.environ else None, False)
        from generator.report import problem_lines

        _print_lines(session, problem_lines(error.problems))
        sys.exit(error.exit_code)
    except CloakformError as error:
        _fail(str(error), error.exit_code)
    except KeyboardInterrupt:
        _fail("interrupted; nothing was left half written", 130)
    except OSError as error:
        # What a room doesn't expect: a standard output that is full or gone, a folder that was deleted meanwhile.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        if isinstance(error, BrokenPipeError):
            sys.exit(1)
        _fail(": ".join(str(part) for part in (error.filename, error.strerror or error) if part), 2)
    sys.exit(code if isinstance(code, int) else 0)


def _prepare_streams() -> None:
    """Output goes somewhere, and no character stops it: names and texts may hold what an encoding doesn't have."""
    for name in ("stdout", "stderr"):
        if getattr(sys, name) is None:  # closed by whoever started this
            setattr(sys, name, open(os.devnull, "w", encoding="utf-8"))
        elif hasattr(getattr(sys, name), "reconfigure"):
            getattr(sys, name).reconfigure(errors="backslashreplace")


def _fail(text: str, code: int) -> None:
    click.echo(f"cloakform: {text}", err=True)
    sys.exit(code)
