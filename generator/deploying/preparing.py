"""From a committed artefact to a change set that can be executed, and what it will do."""

from __future__ import annotations

import datetime
import json
import secrets
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field, replace

from generator.aws import Connection, ExpiredError
from generator.deploying import changesets, places, plans, protection, readiness, stacks
from generator.deploying.changesets import ChangeSet, Validation
from generator.deploying.comparing import Surprise, hazards, surprises
from generator.deploying.plans import Plan
from generator.deploying.stacks import Stack
from generator.deploying.target import LIMIT, TEMPLATE, DeployError, Target, of
from generator.document import parse
from generator.errors import AwsError, CredentialsError, DocumentError, RefusedError, StuckError
from generator.resolving import scalar_text
from generator.reviewing import Allowance, Artefact, Hazard, Review, review

_PATIENCE = 900.0
"""Seconds for AWS to make a change set: with early validation some minutes, never hours."""
# How S3 refuses a bucket.
_UNUSABLE = ("AccessDenied", "NoSuchBucket", "PermanentRedirect", "403", "AllAccessDisabled")
_STARS = "****"
"""What AWS gives for the value of a NoEcho parameter (CloudFormation user guide, "Parameters")."""
# What makes CloudFormation look something up at each deployment.
_LOOKED_UP = ("AWS::SSM::Parameter::", "Transform")


class PlanError(RefusedError):
    """Something isn't as it was when a plan was made; the text says what, nothing was touched."""


class RejectedError(AwsError):
    """AWS refused the change set, which is still there: to be asked why, and to be discarded."""

    def __init__(self, found: ChangeSet):
        super().__init__(f"AWS refuses the change set: {found.reason or found.status}")
        self.found = found


@dataclass(frozen=True)
class Prepared:
    """What a deployment would do."""

    target: Target
    stack: Stack | None
    """As it is before; None where there is none."""
    review: Review
    """Of what is deployed and what is to be."""
    change_set: ChangeSet | None
    """None where there is nothing to do for CloudFormation."""
    surprises: tuple[Surprise, ...] = ()
    hazards: tuple[Hazard, ...] = ()
    """All that needs leave, the review's and AWS'; each with the allowance that gives it."""
    warnings: tuple[Validation, ...] = ()
    policy: dict | None = field(default=None, repr=False)
    """The stack policy before."""

    @property
    def refused(self) -> tuple[Hazard, ...]:
        """What nobody allowed."""
        return tuple(one for one in self.hazards if one.allowed_by is None)

    @property
    def protections(self) -> tuple[str, ...]:
        """What is set beside the change set, as sentences without a full stop."""
        found = []
        if self.target.protected != (self.stack is not None and self.stack.exists and self.stack.protected):
            found.append(f"termination protection is turned {'on' if self.target.protected else 'off'}")
        if not protection.same(self.policy, self.target.stack_policy):
            found.append("the stack gets another policy" if self.policy else "the stack gets a policy")
        return tuple(found)


def prepare(
    connection: Connection,
    artefact: Artefact,
    allowances: Iterable[Allowance],
    today: datetime.date,
    *,
    patience: float = 0.0,
    tell: Callable[[str], None] = lambda _: None,
    say: Callable[[str], None] = lambda _: None,
    sleep: Callable[[float], None] = time.sleep,
) -> Prepared:
    """Makes a change set of an artefact and compares it with the review. What is begun is put away again where
    that fails. `tell` hears what is waited for; `say` what was deleted, and what couldn't be.

    Raises DeployError, RejectedError where AWS refuses it, StuckError, RefusedError, AwsError, CredentialsError.
    """
    target = of(artefact)
    stack = readiness.ready(connection, target, patience, tell, sleep, say)
    prepared = _reviewed(connection, target, artefact, stack, allowances, today)
    if same_as_deployed(prepared):
        return prepared
    url = _url(connection, target, tell)
    # Nobody else's name, and the same one again where the call is tried again.
    name = f"cloakform-{datetime.datetime.now(datetime.timezone.utc):%Y%m%d-%H%M%S}-{secrets.token_hex(4)}"
    arn = ""
    try:
        arn = changesets.create(connection, target, stack, name, url)
        found = changesets.wait(connection, arn, _PATIENCE, tell, sleep)
        if not found.empty:
            if found.status != "CREATE_COMPLETE":
                raise RejectedError(found)
            return _compared(connection, prepared, found, list(allowances), today)
    except RejectedError:
        raise
    except BaseException as error:
        if not arn and isinstance(error, ExpiredError) and error.first:
            raise
        # By its name where the answer that had its ARN was lost: it may be there all the same.
        discard(connection, target, arn or name, say, sleep)
        raise
    discard(connection, target, arn, say, sleep)
    return prepared


def resume(
    connection: Connection,
    artefact: Artefact,
    plan: Plan,
    allowances: Iterable[Allowance],
    today: datetime.date,
    *,
    patience: float = 0.0,
    tell: Callable[[str], None] = lambda _: None,
    sleep: Callable[[float], None] = time.sleep,
) -> Prepared:
    """What the change set of a plan would do now.

    Raises PlanError where something isn't as it was when the plan was made, and then nothing was touched;
    DeployError, StuckError, RefusedError, AwsError or CredentialsError.
    """
    target = of(artefact)
    wrong = plans.mismatches(plan, target)
    if wrong:
        raise PlanError("; ".join(wrong))
    found = changesets.state(connection, plan.change_set)
    if found is not None:
        found = changesets.describe(connection, plan.change_set)
    wrong = plans.unlike(plan, found)
    if found is None or wrong:
        raise PlanError("; ".join(wrong))
    stack = readiness.rested(connection, target, patience, tell, sleep)
    if stack is None or stack.id != plan.stack_id:
        raise PlanError("the stack was deleted since, or is another one")
    if stack.status not in stacks.READY and stack.status != stacks.REVIEW:
        raise PlanError(f"the stack is {stack.status}")
    prepared = _reviewed(connection, target, artefact, stack, allowances, today)
    return _compared(connection, prepared, found, list(allowances), today)


def discard(
    connection: Connection,
    target: Target,
    change_set: str,
    say: Callable[[str], None] = lambda _: None,
    sleep: Callable[[float], None] = time.sleep,
) -> None:
    """Puts a change set away, and the empty stack that AWS made for it where nothing else is in it. `change_set` is
    its ARN or its name. Never raises an error of AWS', since there is something more important to say; `say` hears
    what is left and what removes it, and of a stack that was deleted.
    """
    ours = change_set.startswith("arn:")
    aws = f"--region {target.region}"
    try:
        changesets.delete(connection, change_set, None if ours else target.stack_name, sleep)
    except (AwsError, CredentialsError) as error:
        whose = "" if ours else f" --stack-name {target.stack_name}"
        say(
            f"the change set may be left; nothing executes it by itself. Remove it with `aws cloudformation "
            f"delete-change-set {aws}{whose} --change-set-name {change_set}` ({error})"
        )
        return
    try:
        stack = stacks.look(connection, target.stack_name)
        if stack is None or stack.status != stacks.REVIEW:
            return
        others = connection.every("cloudformation", "list_change_sets", "Summaries", StackName=stack.name)
        if any(change_set not in (one.get("ChangeSetId"), one.get("ChangeSetName")) for one in others):
            return
        if stacks.resources(connection, stack.id):
            return
        readiness.remove(connection, stack, sleep=sleep)
        say(f"{stack.name} was only there for the change set: it is deleted")
    except (AwsError, CredentialsError, StuckError) as error:
        say(
            f"the stack {target.stack_name} may be left in REVIEW_IN_PROGRESS with nothing in it, which costs nothing: "
            f"the next deployment uses it ({error})"
        )


def same_as_deployed(prepared: Prepared) -> bool:
    """Whether CloudFormation would have nothing to do: the same text, parameters and tags are deployed, and the text
    leaves nothing to be looked up elsewhere when it is deployed again (a macro, a parameter in SSM)."""
    before = prepared.review.before
    if before is None or prepared.stack is None:
        return False
    target = prepared.target
    return (
        before.text(TEMPLATE) == target.template
        and not any(word in target.template for word in _LOOKED_UP)
        and _STARS not in prepared.stack.parameters.values()
        and _parameters(prepared.stack, target) == dict(target.parameters)
        and dict(prepared.stack.tags) == dict(target.tags)
        and set(prepared.stack.notifications) == set(target.notifications)
    )


def _reviewed(connection, target, artefact, stack, allowances, today) -> Prepared:
    """What is deployed and what is to be, reviewed."""
    before, policy = None, None
    if stack is not None and stack.exists:
        policy = protection.policy(connection, stack.id)
        before = _deployed(connection, target, stack, artefact, policy)
    found = review(before, artefact, tuple(allowances), today)
    return Prepared(target, stack, found, None, hazards=found.hazards, policy=policy)


def _deployed(connection, target, stack, artefact, policy) -> Artefact:
    """The artefact that a stack was made from, as far as AWS tells."""
    parameters = _parameters(stack, target)
    about = {
        **artefact.stack,
        "termination_protection": stack.protected,
        "stack_policy": policy,
        "notifications": sorted(stack.notifications),
        "service_role": stack.role,
    }
    files = {
        TEMPLATE: stacks.template(connection, stack).encode(),
        "stack.json": json.dumps(about, indent=2).encode(),
        "tags.json": json.dumps([{"Key": key, "Value": value} for key, value in stack.tags.items()]).encode(),
        "parameters.json": json.dumps(
            [{"ParameterKey": key, "ParameterValue": value} for key, value in parameters.items()]
        ).encode(),
    }
    # What AWS has no idea of is no difference.
    files |= {path: content for path, content in artefact.files.items() if path not in files}
    return Artefact(artefact.name, f"the stack {stack.name}", files)


def _parameters(stack: Stack, target: Target) -> dict[str, str]:
    """The values that a stack has, as parameters.json would name them: without defaults, which AWS tells as well, and
    with the rendered value where AWS gives stars for it."""
    try:
        declared = parse(target.template).data.get("Parameters")
    except DocumentError:
        declared = None
    declared = declared if isinstance(declared, dict) else {}
    found = {}
    for key, value in stack.parameters.items():
        one = declared.get(key)
        default = scalar_text(one.get("Default")) if isinstance(one, dict) else None
        if key in target.parameters:
            found[key] = target.parameters[key] if value == _STARS else value
        elif value not in (_STARS, default):
            found[key] = value
    return found


def _compared(connection, prepared, found, allowances, today) -> Prepared:
    valid = [one for one in allowances if one.expires is None or one.expires >= today]
    mine = [one for one in valid if one.environment in ("", prepared.target.name)]
    # A stack that doesn't exist yet has nothing to lose, and nothing to be surprised at.
    told = hazards(prepared.review, found.changes) if prepared.review.before is not None else ()
    seen = tuple(
        replace(one, allowed_by=next((each for each in mine if each.covers(one.path)), None)) for one in told
    )
    warnings = tuple(one for one in changesets.validations(connection, found.arn) if not one.fails)
    return replace(
        prepared,
        change_set=found,
        surprises=surprises(prepared.review, found.changes) if prepared.review.before is not None else (),
        hazards=(*prepared.review.hazards, *seen),
        warnings=warnings,
    )


def _url(connection: Connection, target: Target, tell: Callable[[str], None]) -> str | None:
    """Where AWS finds a template that is too large for a call; None where it isn't. Raises DeployError where
    there is no bucket for it, or none that can be used."""
    if not target.large:
        return None
    size = len(target.template.encode())
    if target.bucket is None:
        raise DeployError(
            f"the template of {target.name} has {size:,} bytes, more than a call takes ({LIMIT:,}): name a bucket of "
            "the account's in params as stack.template_bucket and render"
        )
    key = places.key(target)
    tell(f"the template goes through s3://{target.bucket}/{key}")
    try:
        connection.ask(
            "s3",
            "put_object",
            Bucket=target.bucket,
            Key=key,
            Body=target.template.encode(),
            ContentType="text/yaml",
            # A bucket of that name may be somebody else's by now.
            ExpectedBucketOwner=target.account,
        )
    except AwsError as error:
        if error.code not in _UNUSABLE:
            raise
        raise AwsError(
            f"the template of {target.name} ({size:,} bytes) can't be put into the bucket {target.bucket}: it has to "
            f"be account {target.account}'s, in {target.region}, and yours to write to ({error})",
            error.code,
            error.said,
        ) from error
    if connection.endpoint_url:
        return f"{connection.endpoint_url}/{target.bucket}/{key}"
    return places.template_url(target, target.bucket)
