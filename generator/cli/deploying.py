"""The command that changes AWS: deploy."""

from __future__ import annotations

import datetime
import itertools
import json
import sys
import time
from pathlib import Path

import click

from generator.cli.session import print_lines
from generator.errors import ProjectError, RefusedError

_TASKS_EVERY = 10.0
"""Seconds between two looks at ECS."""

ENDPOINT = click.option(
    "--endpoint-url", metavar="URL", help="Send every call there instead of to AWS, say to `cloakform sandbox`."
)


@click.command()
@click.argument("environment", metavar="ENV")
@click.option(
    "--save-plan",
    type=click.Path(path_type=Path, dir_okay=False),
    metavar="FILE",
    help="Make the change set, show what it does, keep it in a plan; execute nothing.",
)
@click.option(
    "--use-plan",
    type=click.Path(path_type=Path, dir_okay=False),
    metavar="FILE",
    help="Execute that plan's change set, if everything is still as it was.",
)
@click.option(
    "--yes",
    is_flag=True,
    help="Don't ask. Without a plan only what the review knows is deployed: where AWS sees more, it is refused.",
)
@click.option(
    "--allow",
    "allowed",
    metavar="LOGICAL_ID",
    multiple=True,
    help="Let that resource (or a path such as Database.DeletionProtection) lose data or protection.",
)
@click.option(
    "--wait", type=click.FloatRange(min=0), metavar="MINUTES", default=0, help="Wait for a stack that is busy."
)
@click.option("--continue-rollback", is_flag=True, help="Free a stack whose rollback failed; deploy nothing.")
@click.option(
    "--skip",
    multiple=True,
    metavar="LOGICAL_ID",
    help="With --continue-rollback: leave that resource as it is, whatever that is.",
)
@click.option(
    "--format",
    "form",
    type=click.Choice(["text", "json", "markdown"]),
    default="text",
    show_default=True,
    help="How to print what was done, and why it failed.",
)
@ENDPOINT
@click.pass_obj
def deploy(
    session, environment, save_plan, use_plan, yes, allowed, wait, continue_rollback, skip, form, endpoint_url
):
    """Deploy rendered/ENV as it is committed, through a change set that does what was reviewed.

    The credentials are those that the AWS CLI would use; they have to be the environment's account's. What the
    change set does is shown beside the review, and needs your yes; what loses data or protection needs --allow or
    allowances.yaml, as in `cloakform review`. Then it is watched to the end.

    \b
    cloakform deploy dev                                    look, agree, watch
    cloakform deploy prod --save-plan prod.plan             look now,
    cloakform deploy prod --use-plan prod.plan --yes        execute exactly that later

    \b
    Exit codes: 0 deployed, or nothing to do; 2 wrong usage; 3 refused: data would be lost, another account,
    rendered/ isn't committed or isn't what params give, a plan that no longer matches; 4 AWS said no or the
    stack was rolled back; 5 it is stuck and needs you; 130 interrupted.
    """
    from generator.aws import Connection
    from generator.deploying import target as targets

    _usage(save_plan, use_plan, yes, continue_rollback, skip)
    artefact, commit = _committed(session, environment, quick=continue_rollback)
    target = targets.of(artefact)
    connection = Connection(target.region, target.account, endpoint_url)
    if continue_rollback:
        _continue_rollback(session, connection, target, skip, form)
        return
    run = _Run(session, connection, target, artefact, commit, form)
    if use_plan:
        run.with_plan(use_plan, yes, allowed)
    else:
        run.anew(allowed, wait * 60, save_plan, yes)


def _usage(save_plan, use_plan, yes, continue_rollback, skip) -> None:
    if save_plan and use_plan:
        raise click.UsageError("--save-plan makes a plan, --use-plan executes one: choose")
    if save_plan and yes:
        raise click.UsageError("--save-plan executes nothing: leave --yes out, or --save-plan")
    if skip and not continue_rollback:
        raise click.UsageError("--skip goes with --continue-rollback")
    if continue_rollback and (save_plan or use_plan):
        raise click.UsageError("--continue-rollback deploys nothing: no plan goes with it")
    asks = not (yes or save_plan or continue_rollback)
    if asks and not sys.stdin.isatty():
        raise click.UsageError("nobody is here to agree: say --yes, or make a plan with --save-plan FILE")


def _committed(session, name: str, quick: bool = False):
    """(artefact, commit) of an environment. Raises RefusedError where it isn't committed as it is, or isn't what
    params and templates give."""
    from generator.reviewing import sources

    root = session.root
    artefact = sources.committed(root, name)
    if artefact is None:
        import difflib

        known = sources.environments(root)
        near = difflib.get_close_matches(name, known, 1)
        raise ProjectError(
            f"rendered/ has no environment {name} "
            f"({f'did you mean {near[0]}?' if near else 'render one first: cloakform render'})"
        )
    repository = sources.Repository(root)
    dirty = repository.uncommitted(f"rendered/{name}", "allowances.yaml")
    if dirty:
        raise RefusedError(
            f"{', '.join(dirty[:5])}{', …' if len(dirty) > 5 else ''} isn't committed: what is deployed is what was "
            f"reviewed (commit it, have it reviewed, then deploy)"
        )
    if not quick:
        _fresh(session, root, name)
    return artefact, repository.commit("HEAD")


def _fresh(session, root: Path, name: str) -> None:
    from generator import build

    tell, stop = session.progress()
    try:
        tell(f"is rendered/{name} what params and templates give?")
        (built,) = build.build(root, (name,))
    finally:
        stop()
    if built.errors:
        raise RefusedError(f"{name} can't be rendered any more: see `cloakform check {name}`")
    if built.differences:
        raise RefusedError(
            f"{', '.join(sorted({one.path for one in built.differences})[:5])} isn't what params and templates give "
            f"(run `cloakform render {name}`, have it reviewed, commit it)"
        )


class _Run:
    """One deployment."""

    def __init__(self, session, connection, target, artefact, commit, form):
        self.session, self.connection, self.target = session, connection, target
        self.artefact, self.commit, self.form = artefact, commit, form
        self.today = datetime.date.today()

    def anew(self, allowed, patience, save_plan, yes) -> None:
        """Makes a change set, and executes or keeps it."""
        from generator.deploying import plans, preparing

        leave = self._leave(allowed)
        tell, stop = self.session.progress()
        try:
            prepared = preparing.prepare(
                self.connection,
                self.artefact,
                leave,
                self.today,
                patience=patience,
                tell=tell if sys.stderr.isatty() else self._once(),
            )
        except preparing.RejectedError as error:
            stop()
            self._rejected(error.found)
        finally:
            stop()
        kept = False
        try:
            self._show(prepared)
            if prepared.refused:
                self._refuse(prepared)
            if prepared.change_set is None:
                self._nothing(prepared, save_plan, yes)
                return
            if save_plan:
                made = datetime.datetime.now(datetime.timezone.utc).isoformat(timespec="seconds")
                plan = plans.of(self.target, prepared.change_set, self.commit, allowed, made)
                plans.save(save_plan, plan)
                kept = True
                self.session.note(
                    f"{save_plan} written: `cloakform deploy {self.target.name} --use-plan {save_plan} --yes` "
                    f"executes it"
                )
                self._result(prepared, "planned")
                return
            if yes:
                self._unexpected(prepared)
            else:
                self._agree(prepared)
            kept = True
        finally:
            if not kept and prepared.change_set is not None:
                preparing.discard(self.connection, self.target, prepared.change_set.arn)
        self._execute(prepared)

    def with_plan(self, path: Path, yes: bool, allowed) -> None:
        """Executes the change set of a plan."""
        from generator.deploying import plans, preparing

        plan = plans.load(path)
        wrong = plans.mismatches(plan, self.target)
        if wrong:
            raise RefusedError(_plan_is_old(path, wrong))
        leave = self._leave((*plan.allowed, *allowed))
        prepared, found = preparing.resume(self.connection, self.artefact, plan.change_set, leave, self.today)
        wrong = plans.unlike(plan, found)
        if wrong:
            raise RefusedError(_plan_is_old(path, wrong))
        self._show(prepared)
        if prepared.refused:
            self._refuse(prepared)
        if not yes:
            self._agree(prepared)
        self._execute(prepared)

    def _rejected(self, found) -> None:
        """Says why AWS refused a change set, and ends with 4."""
        from generator.deploying import diagnosis, preparing, report

        told = diagnosis.refused(self.connection, self.target, found.arn, found.reason)
        preparing.discard(self.connection, self.target, found.arn)
        if self.form == "json":
            self.session.out(json.dumps({"outcome": "refused by AWS", "diagnosis": report.as_data(told)}, indent=2))
        elif self.form == "markdown":
            self.session.out(report.markdown(told).rstrip("\n"))
        else:
            print_lines(self.session, report.text_lines(told), out=True)
        sys.exit(4)

    def _leave(self, allowed):
        from generator.cli.reviewing import written
        from generator.reviewing import allowances

        return (*allowances.given(allowed), *written(self.session.root, (self.target.name,)))

    def _once(self):
        said: list[str] = []

        def tell(text: str) -> None:
            step = text.split(" (")[0]
            if step not in said:
                said.append(step)
                self.session.note(text)

        return tell

    def _show(self, prepared) -> None:
        from generator.deploying import describing
        from generator.reviewing import report

        if self.form != "text":
            return
        if prepared.review.before is not None and not prepared.review.changed:
            self.session.out(f"{self.target.name}: rendered/{self.target.name} is what {self.target.stack_name} has")
        else:
            lines = report.text_lines(prepared.review)
            if prepared.review.before is None:
                # Every resource is new: nobody looks for a difference among them.
                lines = itertools.takewhile(lambda line: not line[1].startswith("Resources "), lines)
            print_lines(self.session, lines, out=True)
        print_lines(self.session, describing.text_lines(prepared), out=True)

    def _refuse(self, prepared) -> None:
        if self.form != "text":
            self._result(prepared, "refused")
        names = " ".join(f"--allow {one}" for one in dict.fromkeys(each.path for each in prepared.refused))
        raise RefusedError(
            f"nothing was executed: {len(prepared.refused)} thing(s) above need leave ({names}, or "
            f"allowances.yaml with a reason)"
        )

    def _unexpected(self, prepared) -> None:
        from generator.deploying.comparing import LESS

        more = [one for one in prepared.surprises if one.kind != LESS]
        if more:
            raise RefusedError(
                "nothing was executed: AWS would do more than the review says, and nobody looked at it: "
                + "; ".join(one.text for one in more[:5])
                + " (look at it without --yes, or make a plan with --save-plan)"
            )

    def _agree(self, prepared) -> None:
        count = len(prepared.change_set.changes)
        place = f"account {self.target.account}, {self.target.region}"
        if not click.confirm(
            f"Deploy {count} change(s) to {self.target.stack_name} ({place})?", default=False, err=True
        ):
            raise click.Abort

    def _nothing(self, prepared, save_plan, yes) -> None:
        """Nothing for CloudFormation; what protects the stack may be to do."""
        from generator.deploying import carrying

        if prepared.protections and not save_plan:
            if not yes and not click.confirm("; ".join(prepared.protections).capitalize() + "?", err=True):
                raise click.Abort
            carrying.settle(self.connection, prepared, self.session.note)
        if self.form == "text":
            self.session.out(f"{self.target.stack_name}: nothing to deploy")
        self._result(prepared, "nothing to do")

    def _execute(self, prepared) -> None:
        from generator.deploying import carrying, describing, executing

        past = self._past(prepared)
        since, token = carrying.begin(self.connection, prepared, self.session.note)
        following = executing.Following(self.connection, prepared.change_set.stack_id, token, since)
        planned = describing.planned(prepared)
        try:
            stopped = watch(self.session, self.connection, self.target, following, planned, past)
        finally:
            # Whatever became of it: what was let go of for this deployment is protected again, as soon as it may.
            self._settle(prepared, following)
        outcome = following.outcome
        if outcome == executing.DONE:
            if self.form == "text":
                self.session.out(f"{self.target.stack_name}: {following.stack.status}", "add")
                for key, value, _ in following.stack.outputs:
                    self.session.out(f"  {key}  {value}")
            self._result(prepared, "deployed", following)
            return
        self._failed(prepared, following, stopped)

    def _settle(self, prepared, following) -> None:
        from generator.deploying import carrying, executing
        from generator.errors import AwsError, CredentialsError

        left = carrying.yielding(prepared) if self.target.stack_policy else ()
        if following.outcome in (executing.DONE, executing.ROLLED_BACK) and following.stack.status != "ROLLBACK_COMPLETE":
            try:
                carrying.settle(self.connection, prepared, self.session.note, now=following.stack)
                return
            except (AwsError, CredentialsError) as error:
                self.session.err(f"the stack's protection couldn't be set: {error}", "warning")
        elif not left:
            return
        self.session.err(
            f"protection isn't as rendered ({', '.join(left) or 'termination protection'}): run `cloakform deploy "
            f"{self.target.name}` again when the stack rests",
            "warning",
        )

    def _past(self, prepared):
        from generator.deploying import events

        if prepared.stack is None or not prepared.stack.exists:
            return []
        return events.read(self.connection, prepared.stack.id)

    def _failed(self, prepared, following, stopped) -> None:
        from generator.deploying import diagnosis, executing, report

        found = diagnosis.diagnose(self.connection, following.stack, following.events, self.target, stopped)
        code = 5 if following.outcome == executing.STUCK else 4
        if self.form == "json":
            self._result(prepared, following.outcome, following, report.as_data(found))
        elif self.form == "markdown":
            self.session.out(report.markdown(found).rstrip("\n"))
        else:
            print_lines(self.session, report.text_lines(found), out=True)
        sys.exit(code)

    def _result(self, prepared, outcome: str, following=None, diagnosis=None) -> None:
        """The whole as JSON, where that is asked for."""
        from generator.deploying import describing

        if self.form == "json":
            told = describing.as_data(prepared, outcome, following, self.commit)
            self.session.out(json.dumps({**told, "diagnosis": diagnosis}, indent=2))
        elif self.form == "markdown":
            self.session.out(describing.markdown(prepared, outcome).rstrip("\n"))


def _plan_is_old(path: Path, wrong: list[str]) -> str:
    return f"{path} no longer matches, nothing was executed: {'; '.join(wrong)} (make another with --save-plan)"


def watch(session, connection, target, following, planned=(), past=()):
    """Shows an operation until it ends; returns the ECS tasks that stopped meanwhile. Ctrl-C asks what to do, and
    ends with 130 where the operation is left, or was cancelled."""
    from generator.cli import live
    from generator.deploying import report, stacks, tasks
    from generator.deploying.progress import Progress
    from generator.errors import CredentialsError

    progress = Progress.begin(planned, past, time.time())
    there = stacks.resources(connection, following.stack_id)
    watcher = tasks.Watcher(connection, lambda: (*there, *following.events), since=time.time())
    stopped, asked, cancelled = [], 0.0, False
    while not following.outcome:
        try:
            with live.view(session, progress) as view:
                while not following.outcome:
                    view.update(following.look(lambda text: view.say(text, "warning")), time.time())
                    if time.monotonic() - asked >= _TASKS_EVERY:
                        asked = time.monotonic()
                        for ended in watcher.look():
                            stopped.append(ended)
                            for style, text in report.task_lines(ended):
                                view.say(text, style)
                    if not following.outcome:
                        time.sleep(following.pause)
        except KeyboardInterrupt:
            cancelled = _interrupted(session, connection, target, following) or cancelled
        except CredentialsError as error:
            raise CredentialsError(f"{error}\n{_goes_on(target)}") from error
    if cancelled:
        session.err(f"{target.stack_name}: {following.stack.status}")
        sys.exit(130)
    return stopped


def _interrupted(session, connection, target, following) -> bool:
    """Asks what is to become of the operation; ends with 130 where it is left. Returns whether it was
    cancelled."""
    from generator.deploying import executing
    from generator.errors import AwsError

    if not sys.stdin.isatty():
        session.err(f"interrupted. {_goes_on(target)}")
        sys.exit(130)
    updating = following.stack is not None and following.stack.status == "UPDATE_IN_PROGRESS"
    choices = {"w": "watch on", "l": "leave it (AWS goes on)"}
    if updating:
        choices["c"] = "cancel the update (AWS rolls it back)"
    session.err(f"{target.stack_name} is being changed. " + ", ".join(f"{key}: {say}" for key, say in choices.items()))
    try:
        answer = click.prompt("What now", type=click.Choice(list(choices)), default="w", err=True)
    except click.Abort:
        answer = "l"
    if answer == "l":
        session.err(_goes_on(target))
        sys.exit(130)
    if answer == "c":
        try:
            executing.cancel(connection, following.stack_id)
        except AwsError as error:
            session.err(f"it can't be cancelled any more: {error}", "warning")
            return False
        session.err("cancelled: AWS rolls back, which is watched (Ctrl-C again leaves it)")
        return True
    return False


def _goes_on(target) -> str:
    name = target.name
    return (
        f"AWS goes on with {target.stack_name}: `cloakform events {name} --follow` watches it, `cloakform status "
        f"{name}` says how it ended; `cloakform deploy {name}` again puts its protection right."
    )


def _continue_rollback(session, connection, target, skip, form) -> None:
    from generator.deploying import diagnosis, executing, report, stacks

    stack = stacks.look(connection, target.stack_name)
    if stack is None or stack.status not in ("UPDATE_ROLLBACK_FAILED", "IMPORT_ROLLBACK_FAILED"):
        status = "isn't there" if stack is None else f"is {stack.status}"
        raise RefusedError(f"{target.stack_name} {status}: only a rollback that failed can be continued")
    since = executing.last_event(connection, stack.id)
    token = executing.continue_rollback(connection, stack.id, skip)
    following = executing.Following(connection, stack.id, token, since)
    stopped = watch(session, connection, target, following)
    now = following.stack
    if form == "json":
        session.out(json.dumps({"stack": target.stack_name, "status": now.status}, indent=2))
    elif following.outcome == executing.ROLLED_BACK:
        session.out(f"{target.stack_name}: {now.status}: it is as it was before the update", "add")
    if following.outcome != executing.ROLLED_BACK:
        found = diagnosis.diagnose(connection, now, following.events, target, stopped)
        print_lines(session, report.text_lines(found), out=form == "text")
        sys.exit(5)


COMMANDS = (deploy,)
