"""Commands for what is deployed: status, events, outputs, drift, delete, quick-create."""

from __future__ import annotations

import datetime
import json
import re
import sys
import time

import click

from generator.cli.environments import ENDPOINT, ENVIRONMENT, goes_on, rendered
from generator.cli.session import ENVIRONMENTS, FORMAT
from generator.errors import AwsError, CredentialsError, ProjectError, RefusedError

_UNITS = {"s": 1, "m": 60, "h": 3600, "d": 86400}


class _Since(click.ParamType):
    """A moment: so long ago, or a date. In seconds since the epoch."""

    name = "when"

    def convert(self, value, param, ctx):
        if isinstance(value, float):
            return value
        ago = re.fullmatch(r"(\d{1,6})([smhd])", value)
        if ago:
            return time.time() - int(ago[1]) * _UNITS[ago[2]]
        try:
            moment = datetime.datetime.fromisoformat(value.replace("Z", "+00:00"))
        except ValueError:
            self.fail(
                f"{value!r} is neither so long ago (30m, 2h, 3d) nor a date (2026-11-22T10:00)", param, ctx
            )
        return (moment if moment.tzinfo else moment.replace(tzinfo=datetime.timezone.utc)).timestamp()


# --- status ---


@click.command()
@ENVIRONMENTS
@FORMAT
@ENDPOINT
@click.pass_obj
def status(session, environments, form, endpoint_url):
    """Say how what is deployed is: every environment under rendered/, or those named.

    The stack, whether it is what is rendered, the tasks of its service, their health, the database,
    protection, and drift as last checked. Without names, environments of other accounts than the credentials'
    are passed over.
    """
    from generator.cli import stack_lines as lines
    from generator.deploying import operating
    from generator.showing.escaping import plain

    names = environments or _all(session)
    found, refused, failed = [], [], []
    tell, stop = session.progress()
    try:
        for name in dict.fromkeys(names):
            _, target = _target(session, name)
            tell(f"asking for {target.stack_name}")
            try:
                found.append(operating.status(_connection(target, endpoint_url), target))
            except RefusedError as error:
                if environments:
                    raise
                refused.append((target, error))
            except AwsError as error:
                failed.append((target, error))
    finally:
        stop()
    if refused and not found and not failed:
        raise refused[0][1]
    if form == "json":
        told = [lines.status_data(one) for one in found]
        told += [
            {"environment": target.name, "error": plain(str(error))} for target, error in refused + failed
        ]
        session.out(json.dumps({"environments": told}, indent=2))
    else:
        for number, one in enumerate(found):
            if number:
                session.out()
            for style, text in lines.status_lines(one):
                session.out(text, style)
        for target, error in refused:
            session.note(f"{target.name}: not asked: {plain(str(error))}", "dim")
    for target, error in failed:
        session.err(f"cloakform: {target.name}: {plain(str(error))}")
    if failed:
        sys.exit(AwsError.exit_code)


# --- events ---


@click.command()
@ENVIRONMENT
@click.option(
    "--last",
    type=click.IntRange(min=1),
    metavar="N",
    help="The last N operations.  [default: 1]",
    default=None,
)
@click.option(
    "--since", type=_Since(), metavar="WHEN", help="Everything since then: 30m, 2h, 3d, or a date in UTC."
)
@click.option("--failed", is_flag=True, help="Only what failed.")
@click.option("--follow", "-f", is_flag=True, help="Go on until the stack rests.")
@FORMAT
@ENDPOINT
@click.pass_obj
def events(session, environment, last, since, failed, follow, form, endpoint_url):
    """Say what CloudFormation did with ENV's stack, oldest first: the newest operation, or more.

    A rollback belongs to the operation that it undoes. Of a stack that was deleted, the events are there for
    90 days. With --format json one event a line.
    """
    from generator.cli import stack_lines as lines
    from generator.deploying import events as log
    from generator.deploying import masking, operating

    if last and since:
        raise click.UsageError("--last and --since both say where to begin: choose")
    _, target = _target(session, environment)
    connection = _connection(target, endpoint_url)
    stack = operating.find(connection, target)
    listed = log.read(connection, stack.id)
    telling, hidden = operating.Telling(), masking.of(target)

    def show(new, before=frozenset()) -> int:
        """Prints events but for those whose ids are in `before`: durations need them. Returns how many."""
        shown = [
            told
            for told in telling.tell(new)
            if told.event.id not in before and (not failed or told.event.status.endswith("_FAILED"))
        ]
        for told in shown:
            reason = hidden.hide(told.event.reason)
            if form == "json":
                session.out(json.dumps(lines.event_data(told, reason)))
            else:
                style, text = lines.event_line(told, reason)
                session.out(text, style)
        return len(shown)

    if since is not None:
        wanted = [one for one in listed if one.time >= since]
    else:
        wanted = [one for part in operating.operations(listed)[-(last or 1) :] for one in part]
    chosen = {one.id for one in wanted}
    shown = show(listed, frozenset(one.id for one in listed if one.id not in chosen))
    if not follow:
        if not shown:
            what = "failed" if failed else "happened"
            session.note(f"nothing {what}" if since is None else f"nothing {what} since then", "dim")
        return
    try:
        for now, new in operating.follow(
            connection, stack.id, listed[-1].id if listed else "", lambda text: session.note(text, "warning")
        ):
            stack = now
            show(new)
    except KeyboardInterrupt:
        session.err(f"interrupted. {goes_on(target)}")
        sys.exit(130)
    session.note(f"{stack.name} rests: {operating.words(stack.status)} ({stack.status})")


# --- outputs ---


@click.command()
@ENVIRONMENT
@FORMAT
@ENDPOINT
@click.pass_obj
def outputs(session, environment, form, endpoint_url):
    """Print what ENV's stack gives to others: key, value, description.

    What is made from a NoEcho parameter is hidden, although CloudFormation shows it.
    """
    from generator.deploying import operating
    from generator.showing.escaping import plain

    _, target = _target(session, environment)
    stack, found = operating.outputs(_connection(target, endpoint_url), target)
    if form == "json":
        told = [
            {
                "key": one.key,
                "value": None if one.hidden else one.value,
                "description": one.description,
                "hidden": one.hidden or None,
            }
            for one in found
        ]
        session.out(json.dumps({"stack": stack.name, "status": stack.status, "outputs": told}, indent=2))
        return
    width = max((len(one.key) for one in found), default=0)
    for one in found:
        value = f"{one.value}: {one.hidden}" if one.hidden else plain(one.value)
        session.out(f"{plain(one.key):<{width}}  {value}")
        if one.description:
            session.out(f"{'':<{width}}  {plain(one.description)}", "dim")
    if not found:
        session.note(f"{stack.name} has no outputs", "dim")


# --- drift ---


@click.command()
@ENVIRONMENT
@FORMAT
@ENDPOINT
@click.pass_obj
def drift(session, environment, form, endpoint_url):
    """Have AWS look whether ENV's resources are still as CloudFormation made them, and print what differs.

    That changes nothing. A deployment doesn't put back what drifted: CloudFormation compares templates, not
    what is there. Exit code 1 where something differs or is gone, 4 where AWS couldn't look at everything.
    """
    from dataclasses import asdict

    from generator.cli import stack_lines as lines
    from generator.deploying import drift as drifting
    from generator.deploying import operating

    _, target = _target(session, environment)
    connection = _connection(target, endpoint_url)
    stack = operating.existing(connection, target)
    tell, stop = session.progress()
    try:
        tell(f"AWS looks at the resources of {stack.name}")
        found = drifting.detect(connection, target, stack, tell)
    except KeyboardInterrupt:
        stop()
        session.err(
            f"interrupted: AWS goes on looking, and changes nothing; `cloakform status {target.name}` says "
            f"what it found"
        )
        sys.exit(130)
    finally:
        stop()
    if form == "json":
        told = {
            "stack": stack.name,
            "drifted": bool(found.drifted),
            "complete": found.complete,
            "reason": found.reason or None,
            "resources": [asdict(one) for one in (*found.drifted, *found.failed)],
            "in_sync": [one.logical_id for one in found.resources if one.status == drifting.IN_SYNC],
            "unsupported": [{"logical_id": name, "type": kind} for name, kind in found.unsupported],
        }
        session.out(json.dumps(told, indent=2))
    else:
        for style, text in lines.drift_lines(found):
            session.out(text, style)
    if found.drifted:
        sys.exit(1)
    if not found.complete or found.failed:
        sys.exit(AwsError.exit_code)


# --- delete ---


@click.command()
@ENVIRONMENT
@click.option("--yes", is_flag=True, help="Don't ask; needs --confirm.")
@click.option("--confirm", metavar="NAME", help="The stack's name, for --yes.")
@click.option(
    "--retain",
    multiple=True,
    metavar="LOGICAL_ID",
    help="Leave that resource in the account: only what failed to be deleted before.",
)
@FORMAT
@ENDPOINT
@click.pass_obj
def delete(session, environment, yes, confirm, retain, form, endpoint_url):
    """Delete ENV's stack, after saying what goes, what stays and what is lost.

    Asks for the stack's name. Nothing is forced: what is protected is refused, and stays so until a
    deployment takes the protection away.

    \b
    cloakform delete dev                                      look, agree, watch
    cloakform delete dev --yes --confirm keycloak-dev         where nobody can be asked

    \b
    Exit codes: 0 it is gone; 2 wrong usage; 3 refused: protected, busy, another account, another name; 4 AWS
    said no; 5 something couldn't be deleted and needs you; 130 interrupted (AWS goes on).
    """
    from generator.cli import stack_lines as lines
    from generator.deploying import deletion as deleting
    from generator.deploying import stacks

    if yes != bool(confirm):
        raise click.UsageError("--yes and --confirm NAME go together")
    if not yes and not sys.stdin.isatty():
        raise click.UsageError("nobody is here to agree: say --yes --confirm with the stack's name")
    _, target = _target(session, environment)
    if confirm and confirm != target.stack_name:
        raise RefusedError(f"nothing was deleted: --confirm says {confirm}, the stack is {target.stack_name}")
    connection = _connection(target, endpoint_url)
    stack = stacks.look(connection, target.stack_name)
    if stack is None or stack.status == stacks.GONE:
        if form == "json":
            session.out(
                json.dumps({"environment": target.name, "stack": target.stack_name, "outcome": "not there"})
            )
        else:
            session.out(f"there is no stack {target.stack_name}: nothing to delete")
        return
    deletion = deleting.prepare(connection, target, stack, retain)
    if form == "text":
        for style, text in lines.deletion_lines(deletion):
            if not session.quiet or style in ("error", "warning"):
                session.out(text, style)
    if not yes and not deletion.obstacles:
        _agree(target)
    _delete(session, connection, target, deletion, form)


def _agree(target) -> None:
    said = click.prompt(
        f"Type {target.stack_name} to delete it", default="", show_default=False, err=True, type=str
    )
    if said.strip() != target.stack_name:
        raise RefusedError("nothing was deleted: that isn't the stack's name")


def _delete(session, connection, target, deletion, form) -> None:
    from generator.cli import stack_lines as lines
    from generator.deploying import deletion as deleting
    from generator.deploying import events as log
    from generator.deploying import executing, stacks
    from generator.deploying.progress import Progress

    past = log.read(connection, deletion.stack.id)
    following = deleting.begin(connection, deletion)
    _watch(session, target, following, Progress.begin(deletion.planned, past, time.time()))
    gone = following.outcome == executing.DONE
    there = () if gone else stacks.resources(connection, deletion.stack.id)
    left = deleting.left(connection, deletion, following.events, there)
    if form == "json":
        session.out(json.dumps(lines.deletion_data(target, deletion, following, left), indent=2))
    else:
        for style, text in lines.left_lines(target, following, left, gone):
            session.out(text, style)
    if not gone:
        sys.exit(5)


def _watch(session, target, following, progress) -> None:
    """Shows a deletion until it ends. Ctrl-C leaves it to AWS, with 130."""
    from generator.cli import live
    from generator.deploying import masking

    try:
        with live.view(session, progress, hide=masking.of(target).hide) as view:
            while not following.outcome:
                view.update(following.look(lambda text: view.say(text, "warning")), time.time())
                if not following.outcome:
                    time.sleep(following.pause)
    except KeyboardInterrupt:
        session.err(f"interrupted. {goes_on(target)} A deletion can't be called back.")
        sys.exit(130)
    except CredentialsError as error:
        raise CredentialsError(f"{error}\n{goes_on(target)}") from error


# --- quick-create ---


@click.command(name="quick-create")
@ENVIRONMENT
@click.option("--template-url", metavar="URL", help="Where the template is in S3, over HTTPS.")
@click.option(
    "--bucket", metavar="NAME", help="A bucket that it is put into; by default the environment's own."
)
@FORMAT
@click.pass_obj
def quick_create(session, environment, template_url, bucket, form):
    """Print a link that opens the console's page for a new stack of ENV, filled in. Asks AWS nothing.

    CloudFormation reads the template from S3, so it has to be there. What the link can't do: tags, the stack
    policy, termination protection, a NoEcho parameter; `cloakform deploy` does the first three.
    """
    import shlex

    from generator.deploying import links, places
    from generator.deploying.target import DeployError

    _, target = _target(session, environment)
    if template_url and bucket:
        raise click.UsageError("--template-url says where the template is, --bucket where it will be: choose")
    upload = ""
    if not template_url:
        bucket = bucket or target.bucket
        if not bucket:
            raise DeployError(
                "CloudFormation reads a template for a link from S3: name a bucket with --bucket (or "
                "stack.template_bucket in params), or say where the template is with --template-url"
            )
        template_url = places.template_url(target, bucket)
        upload = (
            f"aws s3 cp {shlex.quote(f'rendered/{target.name}/template.yaml')} "
            f"{shlex.quote(f's3://{bucket}/{places.key(target)}')} --region {shlex.quote(target.region)}"
        )
    made = links.quick_create(target, template_url)
    if form == "json":
        told = {
            "url": made.url,
            "template_url": template_url,
            "upload": upload or None,
            "type_yourself": list(made.asked),
        }
        session.out(json.dumps(told, indent=2))
        return
    session.out(made.url)
    if upload:
        session.note(f"the template has to be there first: {upload}", "info")
    if made.asked:
        session.note(f"to be typed by hand: {', '.join(made.asked)} (NoEcho, so never in a link)", "info")
    session.note("the link sets no tags, no stack policy and no termination protection", "dim")


# --- What they share ---


def _all(session) -> tuple[str, ...]:
    from generator.reviewing import sources

    found = sources.environments(session.root)
    if not found:
        raise ProjectError("rendered/ has no environment (render one first: cloakform render)")
    return found


def _target(session, name: str):
    """(artefact, target) of a rendered environment. Raises CloakformError."""
    from generator.deploying import target as targets

    artefact = rendered(session, name)
    return artefact, targets.of(artefact)


def _connection(target, endpoint_url: str | None):
    from generator.aws import Connection

    return Connection(target.region, target.account, endpoint_url)


COMMANDS = (status, events, outputs, drift, delete, quick_create)
