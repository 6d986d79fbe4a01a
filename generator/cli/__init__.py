"""The command line. This package alone prints, prompts or exits."""

from __future__ import annotations

import gc
import os
import sys

import click

from generator import __version__
from generator.cli import adopting, catalogs, deploying, rehearsing, rendering, reviewing, sandbox, stacks
from generator.cli.session import Group, Session, global_options, print_lines
from generator.errors import CloakformError, ParamsError, TemplateError


@click.group(cls=Group, context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100})
@click.version_option(__version__, prog_name="cloakform")
@global_options
@click.pass_context
def cli(context, folder, colour, quiet):
    """Keycloak, highly available, on AWS ECS Fargate, as CloudFormation you can read.

    params/ENV.yaml and templates/ become rendered/ENV/: a template to review and deploy, a runbook, an image to build.

    \b
    cloakform new ENV           start an environment (adopt FILE: from what runs already)
    cloakform render            render, lint and write every environment
    cloakform check             is rendered/ what params and templates give? (for CI)
    cloakform review            what the change under rendered/ does to what is deployed (diff: any two)
    cloakform rehearse up ENV   the same cluster on this machine (drill ENV: break it)
    cloakform deploy ENV        through a change set, watched to the end (sandbox: try that without AWS)
    cloakform status            how the stacks are (events, outputs, drift, delete, quick-create)
    cloakform explain KEY ENV   what a key means, and who set it
    cloakform upgrade ENV       what a newer Keycloak means for it (catalog: what versions understand)

    \b
    Exit codes: 0 fine, 1 the answer is no (findings, stale files), 2 wrong usage or params,
    3 refused for safety, 4 AWS said no or rolled back, 5 the stack is stuck, 130 interrupted.
    """
    if "NO_COLOR" in os.environ and colour is None:
        colour = False
    context.obj = Session(folder, colour, quiet)


for command in (*rendering.COMMANDS, *rehearsing.COMMANDS, *catalogs.COMMANDS, *adopting.COMMANDS, *reviewing.COMMANDS,
                *deploying.COMMANDS, *stacks.COMMANDS, *sandbox.COMMANDS):
    cli.add_command(command)


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

        print_lines(session, problem_lines(error.problems))
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
