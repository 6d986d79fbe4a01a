"""`sandbox`: a first deployment without an AWS account."""

from __future__ import annotations

import shlex
import sys
import time

import click


@click.command()
@click.argument("environment", metavar="[ENV]", default="dev")
@click.option("--keep", is_flag=True, help="Leave the local AWS running afterwards, until Ctrl-C.")
@click.option("--fast", is_flag=True, help="Don't take as long as one can watch.")
@click.pass_obj
def sandbox(session, environment, keep, fast):
    """Deploy rendered/ENV (dev) to a local AWS: no account, no credentials, no Docker.

    Runs the real commands on a copy of the project and prints them as you would type them: a first
    deployment, a change, a replacement that is refused, a failure with its cause, and the deletion. Nothing
    is left afterwards.

    What works there proves that the deployment goes as it should, not that AWS accepts the template: the
    local AWS takes more than the real one. `cloakform lint` knows what AWS refuses.

    \b
    Exit codes: 0 every stop was as it should be; 1 one wasn't; 2 the local AWS can't be started; 130
    interrupted. """
    from generator.sandbox.tour import Tour

    root = session.root
    with Tour(root, environment, fast, keep, session.note) as tour:
        session.note(
            f"local AWS at {tour.aws.url}, account {tour.account}; the project's copy is in {tour.folder}"
        )
        for number, stage in enumerate(tour.stages(), 1):
            session.out()
            session.out(f"{number}. {stage.title}", "bold")
            session.out(stage.text)
            if stage.edit:
                session.out(f"\n# {stage.edit}", "dim")
            for command in stage.commands:
                session.out(f"\n$ {shlex.join(command)}", "info")
                _flush()
                code = tour.run(command)
                wanted = stage.ends if command is stage.commands[-1] else 0
                if code == 130:
                    raise KeyboardInterrupt
                if code != wanted:
                    session.err(f"cloakform: this was to end with {wanted} and ended with {code}", "error")
                    sys.exit(1)
            if stage.ends:
                session.out(f"(exit code {stage.ends}, as it should be)", "dim")
        session.out()
        if keep:
            _wait(session, tour)
    session.out("Nothing is left: the local AWS is gone, and the project is as it was.")


def _wait(session, tour) -> None:
    """Tells how to look into the local AWS, and waits for Ctrl-C."""
    session.out("The local AWS runs on until Ctrl-C. In another terminal:")
    session.out(f"cd {shlex.quote(str(tour.folder))}")
    for line in tour.exports():
        session.out(line)
    _flush()
    try:
        while tour.aws.alive:
            time.sleep(0.5)
        session.err("cloakform: the local AWS has ended", "error")
        sys.exit(1)
    except KeyboardInterrupt:
        session.out()


def _flush() -> None:
    # What a command prints comes after what is said about it.
    sys.stdout.flush()
    sys.stderr.flush()


COMMANDS = (sandbox,)
