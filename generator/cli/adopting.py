"""The command from what runs already to params: adopt."""

from __future__ import annotations

import contextlib
import json
import os
import tempfile
from pathlib import Path

import click

from generator.cli.session import FORMAT, print_lines
from generator.errors import ProjectError


@click.command()
@click.argument("files", metavar="FILE...", nargs=-1, required=True)
@click.option("--env", "environment", metavar="NAME", help="Write params/NAME.yaml of the project.")
@click.option(
    "--output", type=click.Path(path_type=Path, dir_okay=False), help="Write the params to this file."
)
@click.option("--force", is_flag=True, help="Write over a file that is there.")
@click.option(
    "--keycloak-version",
    metavar="VERSION",
    default="",
    help="Of the Keycloak that runs. Default: what the image's tag says.",
)
@click.option("--region", metavar="REGION", default="", help="That it runs in. Default: what the files say.")
@FORMAT
@click.pass_obj
def adopt(session, files, environment, output, force, keycloak_version, region, form):
    """Judge a Keycloak that runs already, and write params for the same without its faults.

    FILE is the CloudFormation template of a stack, or what describe calls print, in any order: the task
    definition (`aws ecs describe-task-definition`) and, if you have them, service, target group and its
    attributes, load balancer, listener and rules. Nothing is asked of AWS. Without --env or --output the
    params go to standard output, findings to standard error. Values of secrets are neither shown nor copied.
    """
    from generator.adopting import adopt as adopted

    if environment and output:
        raise click.UsageError("--env and --output both name the file to write")
    target = _target(session, environment, output)
    if target is not None and target.exists() and not force:
        raise ProjectError(
            f"{_shown(target)} is there already (name another one, or write over it with --force)"
        )
    found = adopted(
        [(name, _text(name)) for name in dict.fromkeys(files)],
        region=region,
        keycloak_version=keycloak_version,
        templates=_templates(session),
    )
    if target is not None:
        _write(target, found.params, force)
    if form == "json":
        session.out(json.dumps(_as_json(found, target), indent=2))
        return
    _report(session, found)
    if target is None:
        session.out(found.params.rstrip("\n"))
    else:
        wait = len(found.unset)
        next_step = (
            f"fill in the {wait} line{'s' if wait > 1 else ''} with `set this`, then run `cloakform render`"
            if wait
            else "run `cloakform render`"
        )
        session.out(f"{_shown(target)}: {next_step}")


def _target(session, environment: str | None, output: Path | None) -> Path | None:
    if environment is None:
        return output
    from generator.params import project

    if not project.NAME.fullmatch(environment):
        raise ProjectError(
            f"{environment!r} can't name an environment (write small letters, digits and dashes, 31 at "
            "most, the first a letter)"
        )
    return session.root / "params" / f"{environment}.yaml"


def _templates(session) -> Path | None:
    """The project's templates; None outside of one."""
    with contextlib.suppress(ProjectError):
        return session.root / "templates"
    return None


def _shown(file: Path) -> str:
    """A path as the user would type it here."""
    with contextlib.suppress(ValueError, OSError):
        return str(Path(os.path.abspath(file)).relative_to(Path.cwd()))
    return str(file)


def _text(name: str) -> str:
    try:
        return Path(name).read_text("utf-8")
    except UnicodeDecodeError:
        raise ProjectError(f"{name} isn't text in UTF-8 (name a JSON or YAML file)") from None
    except (OSError, ValueError) as error:
        reason = error.strerror if isinstance(error, OSError) else error
        raise ProjectError(f"{name} can't be read: {reason} (name a JSON or YAML file)") from error


def _write(file: Path, text: str, force: bool) -> None:
    """The whole file or none of it, and over another one only with `force`. Raises ProjectError."""
    stage = ""
    try:
        handle, stage = tempfile.mkstemp(prefix=f".{file.name}-", dir=file.parent)
        with open(handle, "w", encoding="utf-8") as stream:
            stream.write(text)
        os.chmod(stage, 0o666 & ~_umask())
        if force:
            os.replace(stage, file)
        else:
            _link(stage, file)
    except FileExistsError:
        raise ProjectError(
            f"{_shown(file)} is there already (name another one, or write over it with --force)"
        ) from None
    except OSError as error:
        raise ProjectError(f"{_shown(file)} can't be written: {error.strerror}") from error
    finally:
        if stage:
            with contextlib.suppress(OSError):
                os.unlink(stage)


def _link(stage: str, file: Path) -> None:
    """Gives a file its name, unless one came in the meantime. Raises FileExistsError where it did."""
    try:
        os.link(stage, file)
    except FileExistsError:
        raise
    except OSError:  # a file system without hard links
        if file.exists():
            raise FileExistsError(file) from None
        os.replace(stage, file)


def _umask() -> int:
    mask = os.umask(0)
    os.umask(mask)
    return mask


def _report(session, found) -> None:
    from generator.linting.formats import text_lines

    for one in found.findings:
        if session.quiet and one.finding.severity != "error":
            continue
        (kind, first), *rest = text_lines([one.finding])
        print_lines(session, [(kind, f"{first} [{one.pointer or '/'}]"), *rest])
    for file, line, pointer, what in found.secrets:
        session.err(
            f"{file}:{line} holds {what} in plain text [{pointer}]: move it to Secrets Manager and change it",
            "error",
        )
    for one in found.corrected:
        session.note(f"corrected {one.key}: {one.why}")
    for one in found.left:
        session.note(f"not carried: {one.what}: {one.why}")
    for one in found.notes:
        session.note(f"note: {one}", "warning")
    for one in found.kept:
        style = "" if one.verdict == "kept" else "warning"
        session.note(f"{one.theirs} ({one.type}): {one.verdict}", style)
    errors = sum(one.finding.severity == "error" for one in found.findings)
    session.note(
        f"{len(found.findings)} findings, {errors} of them errors; {len(found.corrected)} lines corrected, "
        f"{len(found.unset)} to be set, {len(found.left)} things not carried"
    )


def _as_json(found, target: Path | None) -> dict:
    return {
        "findings": [
            {
                "rule": one.finding.rule,
                "severity": one.finding.severity,
                "message": one.finding.message,
                "fix": one.finding.fix,
                "file": one.finding.file,
                "line": one.finding.line,
                "pointer": one.pointer,
                "source_url": one.finding.source_url,
            }
            for one in found.findings
        ],
        "secrets": [dict(zip(("file", "line", "pointer", "what"), one)) for one in found.secrets],
        "corrected": [vars(one) for one in found.corrected],
        "set_this": [vars(one) for one in found.unset],
        "not_carried": [vars(one) for one in found.left],
        "stack": [{**vars(one), "verdict": one.verdict} for one in found.kept],
        "notes": list(found.notes),
        "file": str(target) if target is not None else None,
        "params": found.params,
    }


COMMANDS = (adopt,)
