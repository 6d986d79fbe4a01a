"""The command that changes AWS: deploy."""

from __future__ import annotations

import datetime
import itertools
import json
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import NoReturn

import click

from generator.cli.environments import ALLOW, ENDPOINT, ENVIRONMENT, rendered
from generator.cli.session import print_lines
from generator.cli.watching import Interrupted, deferred, left_alone, watch
from generator.errors import AwsError, CloakformError, CredentialsError, RefusedError


@click.command()
@ENVIRONMENT
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
@ALLOW
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
    rendered/ isn't committed or isn't what params give, a plan that no longer matches, you said no; 4 AWS said no
    or the stack was rolled back; 5 it is stuck and needs you; 130 interrupted. With --format json there is one
    document on standard output, whatever the outcome; wrong usage prints none.
    """
    _usage(save_plan, use_plan, yes, continue_rollback, skip)
    run = _Run(session, environment, form)
    with run.told():
        run.find(quick=continue_rollback)
        run.connect(endpoint_url)
        if continue_rollback:
            run.free(skip)
        elif use_plan:
            run.with_plan(use_plan, yes, allowed, wait * 60)
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
    """(artefact, commit) of an environment, as git has it. Raises RefusedError where it isn't committed as it is,
    or isn't what params and templates give."""
    from generator.reviewing import sources

    root = session.root
    here = rendered(session, name)
    repository = sources.Repository(root)
    commit = repository.commit("HEAD")
    artefact = repository.artefact(commit, name)
    there = artefact.files if artefact is not None else {}
    # git's own word first; what it was told to overlook is found by its content.
    dirty = repository.uncommitted(f"rendered/{name}", "allowances.yaml") or tuple(
        sorted(
            f"rendered/{name}/{path}"
            for path in {*here.files, *there}
            if here.files.get(path) != there.get(path)
        )
    )
    if dirty or artefact is None:
        raise RefusedError(
            f"{_files(dirty)} committed: what is deployed is what was reviewed (commit it, have it reviewed, then "
            f"deploy)"
        )
    if not quick:
        _fresh(session, root, name)
    return artefact, commit


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
            f"{_files(sorted({one.path for one in built.differences}))} what params and templates give (run "
            f"`cloakform render {name}`, have it reviewed, commit it)"
        )


def _files(paths: Sequence[str]) -> str:
    """`a, b aren't`: some files and what is said of all of them."""
    more = ", …" if len(paths) > 5 else ""
    verb = "aren't" if len(paths) > 1 else "isn't"
    return f"{', '.join(paths[:5])}{more} {verb}"


class _Run:
    """One deployment."""

    def __init__(self, session, name: str, form: str, sleep: Callable[[float], None] = time.sleep):
        self.session, self.name, self.form, self.sleep = session, name, form, sleep
        self.today = datetime.date.today()
        self.target = self.connection = self.artefact = None
        self.commit = ""
        self.prepared = self.following = None
        self.begun = False
        """Whether AWS was told to begin: from then on it goes on without us."""
        self._said = False

    # --- Before anything is done ---

    def find(self, quick: bool = False) -> None:
        """Finds out what is to be deployed. Raises RefusedError, DeployError."""
        from generator.deploying import target as targets

        self.artefact, self.commit = _committed(self.session, self.name, quick)
        self.target = targets.of(self.artefact)

    def connect(self, endpoint_url: str | None) -> None:
        """Asks AWS who is calling. Raises RefusedError, CredentialsError, AwsError."""
        from generator.aws import Connection

        self.connection = Connection(self.target.region, self.target.account, endpoint_url)

    @contextmanager
    def told(self) -> Iterator[None]:
        """Whatever ends this block is told, once and in the form that was asked for."""
        try:
            yield
        except Interrupted as ended:
            self._document(ended.outcome)
            raise
        except (KeyboardInterrupt, click.Abort):
            outcome = "interrupted"
            if not self.begun:
                self.session.err("interrupted: nothing was executed")
            elif self.following and self.following.outcome:
                self.session.err(f"interrupted: {self.target.stack_name} is {self.following.stack.status}")
            else:
                outcome = "left"
                self.session.err(f"interrupted. {left_alone(self.target)}")
            self._document(outcome)
            sys.exit(130)
        except CloakformError as error:
            if self.begun and not (self.following and self.following.outcome):
                error.args = (f"{error}\n{left_alone(self.target)}",)
            outcome = "refused" if isinstance(error, RefusedError) else "unclear" if self.begun else "failed"
            problems = getattr(error, "problems", None)
            self._document(outcome, "; ".join(map(str, problems)) if problems else str(error))
            raise

    def anew(self, allowed, patience: float, save_plan: Path | None, yes: bool) -> None:
        """Makes a change set, and executes or keeps it."""
        from generator.deploying import preparing

        leave = self._leave(allowed)
        prepared = self.prepared = self._prepare(leave, patience)
        kept = False
        try:
            self._show(prepared)
            if prepared.refused:
                self._refuse(prepared)
            if save_plan:
                self._save(prepared, save_plan, allowed)
                kept = True
                return
            if prepared.change_set is None:
                self._nothing(prepared, yes)
                return
            if yes:
                self._unexpected(prepared)
            else:
                self._agree(prepared)
            self._begin(prepared)
        finally:
            if not kept and not self.begun and prepared.change_set is not None:
                arn = prepared.change_set.arn
                preparing.discard(self.connection, self.target, arn, self._warn, self.sleep)
        self._watch(prepared)

    def with_plan(self, path: Path, yes: bool, allowed, patience: float = 0.0) -> None:
        """Executes the change set of a plan."""
        from generator.deploying import plans, preparing

        plan = plans.load(path)
        wrong = plans.mismatches(plan, self.target)
        if wrong:
            raise RefusedError(_plan_is_old(path, "; ".join(wrong)))
        leave = self._leave((*plan.allowed, *allowed))
        if not plan.change_set:
            self._still_nothing(path, leave, patience, yes)
            return
        tell, stop = self.session.progress()
        try:
            prepared = self.prepared = preparing.resume(
                self.connection,
                self.artefact,
                plan,
                leave,
                self.today,
                patience=patience,
                tell=tell if sys.stderr.isatty() else self._once(),
                sleep=self.sleep,
            )
        except preparing.PlanError as error:
            raise RefusedError(_plan_is_old(path, str(error))) from error
        finally:
            stop()
        self._show(prepared)
        if prepared.refused:
            self._refuse(prepared)
        if not yes:
            self._agree(prepared)
        self._begin(prepared)
        self._watch(prepared)

    def _still_nothing(self, path: Path, leave, patience: float, yes: bool) -> None:
        """The plan was to do nothing; that there is nothing to do has to be so still."""
        from generator.deploying import preparing

        prepared = self.prepared = self._prepare(leave, patience)
        if prepared.change_set is not None:
            preparing.discard(self.connection, self.target, prepared.change_set.arn, self._warn, self.sleep)
            raise RefusedError(_plan_is_old(path, "it says that there is nothing to do, and now there is"))
        self._nothing(prepared, yes)

    def _prepare(self, leave, patience: float):
        from generator.deploying import preparing

        tell, stop = self.session.progress()
        try:
            return preparing.prepare(
                self.connection,
                self.artefact,
                leave,
                self.today,
                patience=patience,
                tell=tell if sys.stderr.isatty() else self._once(),
                say=self._warn,
                sleep=self.sleep,
            )
        except preparing.RejectedError as error:
            stop()
            self._rejected(error)
        finally:
            stop()

    def _rejected(self, error) -> NoReturn:
        """Says why AWS refused a change set, and ends with 4."""
        from generator.deploying import diagnosis, preparing, report

        try:
            told = diagnosis.refused(self.connection, self.target, error.found.arn, error.found.reason)
        finally:
            preparing.discard(self.connection, self.target, error.found.arn, self._warn, self.sleep)
        if self.form == "markdown":
            self.session.out(report.markdown(told).rstrip("\n"))
        elif self.form == "text":
            print_lines(self.session, report.text_lines(told), out=True)
        self._document("refused by AWS", str(error), diagnosis=report.as_data(told))
        sys.exit(4)

    def _save(self, prepared, path: Path, allowed) -> None:
        from generator.deploying import plans

        made = datetime.datetime.now(datetime.timezone.utc).isoformat(timespec="seconds")
        plans.save(path, plans.of(self.target, prepared.change_set, self.commit, allowed, made))
        if prepared.change_set is None and self.form == "text":
            self.session.out(f"{self.target.stack_name}: nothing to deploy")
        self.session.note(f"{path} written: `cloakform deploy {self.name} --use-plan {path} --yes` executes it")
        self._document("planned")

    def _leave(self, allowed):
        from generator.cli.reviewing import written
        from generator.reviewing import allowances

        return (*allowances.given(allowed), *written(self.session.root, (self.name,)))

    def _once(self):
        said: list[str] = []

        def tell(text: str) -> None:
            step = text.split(" (")[0]
            if step not in said:
                said.append(step)
                self.session.note(text)

        return tell

    def _warn(self, text: str) -> None:
        """What was done or left that nobody asked for is said in a quiet run, too."""
        self.session.err(text, "warning")

    def _show(self, prepared) -> None:
        from generator.deploying import describing
        from generator.reviewing import report

        if self.form != "text":
            return
        if prepared.review.before is not None and not prepared.review.changed:
            self.session.out(f"{self.name}: rendered/{self.name} is what {self.target.stack_name} has")
        else:
            lines = report.text_lines(prepared.review)
            if prepared.review.before is None:
                # Every resource is new: nobody looks for a difference among them.
                lines = itertools.takewhile(lambda line: not line[1].startswith("Resources "), lines)
            print_lines(self.session, lines, out=True)
        print_lines(self.session, describing.text_lines(prepared), out=True)

    def _refuse(self, prepared) -> NoReturn:
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
        self._ask(f"Deploy {count} change(s) to {self.target.stack_name} ({place})?")

    def _ask(self, question: str) -> None:
        """A no is a refusal like any other: whoever said it knows what it is about."""
        if not click.confirm(question, default=False, err=True):
            raise RefusedError("nothing was executed: you said no")

    def _nothing(self, prepared, yes: bool) -> None:
        """Nothing for CloudFormation; what protects the stack may be to do."""
        from generator.deploying import carrying

        if prepared.protections:
            if not yes:
                self._ask("; ".join(prepared.protections).capitalize() + "?")
            carrying.settle(self.connection, prepared, self.session.note)
        if self.form == "text":
            self.session.out(f"{self.target.stack_name}: nothing to deploy")
        self._document("nothing to do")

    # --- Execution ---

    def _begin(self, prepared) -> None:
        """Has AWS execute the change set; from then on `following` follows it."""
        from generator.deploying import carrying, executing

        self._past = self._before(prepared)
        with deferred(lambda: self.session.err("AWS is being told to execute the change set: one moment")) as ctrl_c:
            try:
                since, token = carrying.begin(self.connection, prepared, self.session.note, self.sleep)
            except executing.UnclearError as error:
                self.begun = True
                error.args = (f"whether AWS executes the change set isn't known: {error}",)
                raise
            self.begun = True
            self.following = executing.Following(self.connection, prepared.change_set.stack_id, token, since)
        self._ctrl_c = bool(ctrl_c)

    def _before(self, prepared):
        """What happened to the stack earlier: from it comes how long things take."""
        from generator.deploying import events

        if prepared.stack is None or not prepared.stack.exists:
            return []
        return events.read(self.connection, prepared.stack.id)

    def _watch(self, prepared) -> None:
        """Watches the execution to its end, and says how it ended."""
        from generator.deploying import describing, executing

        following = self.following
        safe = ""
        try:
            stopped, cancelled = watch(
                self.session,
                self.connection,
                self.target,
                following,
                describing.planned(prepared),
                self._past,
                sleep=self.sleep,
                interrupted=self._ctrl_c,
            )
        finally:
            # Whatever became of it: what was let go of for this deployment is protected again, as soon as it may.
            safe = self._settle(prepared, following)
        if following.outcome == executing.DONE:
            if self.form == "text":
                self.session.out(f"{self.target.stack_name}: {following.stack.status}", "add")
                for key, value in describing.outputs(self.target, following.stack):
                    self.session.out(f"  {key}  {value}")
            self._document("deployed", safe)
            if safe:
                sys.exit(4)
            return
        if cancelled and following.outcome == executing.ROLLED_BACK:
            self.session.err(f"{self.target.stack_name}: {following.stack.status}: cancelled")
            raise Interrupted("cancelled")
        self._failed(following, stopped)

    def _settle(self, prepared, following) -> str:
        """Protects the stack as rendered. Returns what isn't so, which was said; empty where it is."""
        from generator.deploying import carrying, executing

        left = carrying.yielding(prepared) if self.target.stack_policy else ()
        why = ""
        if following.outcome in (executing.DONE, executing.ROLLED_BACK):
            if following.stack.status == "ROLLBACK_COMPLETE":
                return ""
            try:
                carrying.settle(self.connection, prepared, self.session.note, now=following.stack)
                return ""
            except (AwsError, CredentialsError) as error:
                why = f": {error}"
        elif not left:
            return ""
        text = (
            f"the stack's protection isn't as rendered ({', '.join(left) or 'termination protection, stack policy'})"
            f"{why}; run `cloakform deploy {self.name}` again when the stack rests"
        )
        self._warn(text)
        return text

    def _failed(self, following, stopped) -> NoReturn:
        from generator.deploying import diagnosis, executing, report

        code = 5 if following.outcome == executing.STUCK else AwsError.exit_code
        try:
            found = diagnosis.diagnose(self.connection, following.stack, following.events, self.target, stopped)
        except (AwsError, CredentialsError) as error:
            # How it ended is known all the same.
            text = f"{self.target.stack_name} is {following.stack.status}; why can't be asked: {error}"
            self.session.err(f"cloakform: {text}")
            self._document(following.outcome, text)
            sys.exit(code)
        if self.form == "markdown":
            self.session.out(report.markdown(found).rstrip("\n"))
            self._said = True
        elif self.form == "text":
            print_lines(self.session, report.text_lines(found), out=True)
        self._document(following.outcome, diagnosis=report.as_data(found))
        sys.exit(code)

    # --- A stack that is stuck ---

    def free(self, skip) -> None:
        """Continues a rollback that failed. The rest of what isn't as rendered is left alone."""
        from generator.deploying import executing, protection, stacks

        stack = stacks.look(self.connection, self.target.stack_name)
        if stack is None or stack.status not in ("UPDATE_ROLLBACK_FAILED", "IMPORT_ROLLBACK_FAILED"):
            status = "isn't there" if stack is None else f"is {stack.status}"
            raise RefusedError(f"{self.target.stack_name} {status}: only a rollback that failed can be continued")
        since = executing.last_event(self.connection, stack.id)
        with deferred(lambda: self.session.err("AWS is being told to continue the rollback: one moment")) as ctrl_c:
            token = self._continue(stack, skip)
            self.begun = True
        following = self.following = executing.Following(self.connection, stack.id, token, since)
        stopped, _ = watch(
            self.session, self.connection, self.target, following, sleep=self.sleep, interrupted=bool(ctrl_c)
        )
        if following.outcome != executing.ROLLED_BACK:
            self._failed(following, stopped)
        if self.form == "text":
            text = f"{self.target.stack_name}: {following.stack.status}: it is as it was before the update"
            self.session.out(text, "add")
        self._document("rolled back")
        try:
            policy = protection.policy(self.connection, stack.id)
        except (AwsError, CredentialsError):
            return
        if not protection.same(policy, self.target.stack_policy):
            self._warn(f"its stack policy isn't as rendered: `cloakform deploy {self.name}` sets it")

    def _continue(self, stack, skip) -> str:
        from generator.deploying import executing, stacks

        try:
            return executing.continue_rollback(self.connection, stack.id, skip)
        except AwsError:
            # The answer may be what was lost.
            now = stacks.look(self.connection, stack.id)
            if now is None or not now.busy:
                raise
            return ""

    # --- The end ---

    def _document(self, outcome: str, message: str = "", diagnosis=None) -> None:
        """The whole as JSON or Markdown, where that is asked for; only the first one counts."""
        if self.form == "text" or self._said:
            return
        from generator.deploying import describing

        self._said = True
        if self.form == "markdown" and diagnosis is None:
            if self.prepared is not None:
                self.session.out(describing.markdown(self.prepared, outcome, message).rstrip("\n"))
            else:
                self.session.out(f"**{self.name}: {outcome}**" + (f"\n\n{message}" if message else ""))
        elif self.form == "json":
            if self.prepared is not None:
                told = describing.as_data(self.prepared, outcome, self.following, self.commit, message)
            elif self.target is not None:
                told = describing.about(self.target, outcome, message)
                told["status"] = self.following.stack.status if self.following and self.following.stack else None
            else:
                told = {"environment": self.name, "outcome": outcome, "message": message or None}
            self.session.out(json.dumps({**told, "diagnosis": diagnosis}, indent=2))


def _plan_is_old(path: Path, wrong: str) -> str:
    return f"{path} no longer matches, nothing was executed: {wrong} (make another with --save-plan)"


COMMANDS = (deploy,)
