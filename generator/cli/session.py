"""What every command needs: how to print, the options that all of them take."""

from __future__ import annotations

import sys
from pathlib import Path

import click

from generator import folder as project_folder
from generator.errors import ProjectError

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
        from generator.report import table

        table(rows, self._console())

    def grid(self, rows: list[dict[str, str]]) -> None:
        """Rows of texts under the names of their columns."""
        from generator.report import grid

        grid(rows, self._console())

    def _console(self):
        from rich.console import Console

        # Never wrapped: a narrow pipe would break the columns that other programs read.
        width = None if sys.stdout.isatty() else 200
        return Console(color_system=None if self.colour is False else "auto", width=width)


class Group(click.Group):
    """Takes the options of every command before and after its name."""

    def parse_args(self, ctx, args):
        return super().parse_args(ctx, _options_first(args))


def _options_first(args: list[str]) -> list[str]:
    """The arguments with those of `global_options` in front: `render -q` is what people type."""
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


def global_options(command):
    command = click.option("--quiet", "-q", is_flag=True, help="Errors and results only.")(command)
    command = click.option("--color/--no-color", "colour", default=None,
                           help="Colour; by default on a terminal, and never with NO_COLOR.")(command)
    return click.option("--project", "folder", type=click.Path(path_type=Path, file_okay=False),
                        help="Project folder; by default the nearest one upwards with params/ and templates/.")(command)


FORMAT = click.option("--format", "form", type=click.Choice(["text", "json"]), default="text", show_default=True,
                      help="How to print the result.")
NO_CACHE = click.option("--no-cache", is_flag=True, help="Render and lint again what did not change.")
ENVIRONMENTS = click.argument("environments", metavar="[ENV]...", nargs=-1)


def print_lines(session, lines, out: bool = False) -> None:
    for style, text in lines:
        (session.out if out else session.err)(text, style if style in STYLES else "")
