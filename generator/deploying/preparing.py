"""From a committed artefact to a change set that can be executed, and what it will do."""

from __future__ import annotations

import datetime
import json
import secrets
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field, replace

from generator.aws import Connection
from generator.deploying import changesets, protection, readiness, stacks
from generator.deploying.changesets import ChangeSet, Validation
from generator.deploying.comparing import Surprise, hazards, surprises
from generator.deploying.stacks import Stack
from generator.deploying.target import TEMPLATE, DeployError, Target, of
from generator.errors import AwsError
from generator.reviewing import Allowance, Artefact, Hazard, Review, review

_PATIENCE = 900.0
"""Seconds for AWS to make a change set: with early validation some minutes, never hours."""


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
    sleep: Callable[[float], None] = time.sleep,
) -> Prepared:
    """Makes a change set of an artefact and compares it with the review. What is begun is put away again where
    that fails.

    Raises DeployError, RejectedError where AWS refuses it, StuckError, RefusedError, AwsError, CredentialsError.
    """
    target = of(artefact)
    stack = readiness.ready(connection, target, patience, tell, sleep)
    prepared = _reviewed(connection, target, artefact, stack, allowances, today)
    if same_as_deployed(prepared):
        return prepared
    arn = ""
    try:
        # Nobody else's name, and the same one again where the call is tried again.
        name = f"cloakform-{datetime.datetime.now(datetime.timezone.utc):%Y%m%d-%H%M%S}-{secrets.token_hex(4)}"
        arn = changesets.create(connection, target, stack, name, _url(connection, target))
        found = changesets.wait(connection, arn, _PATIENCE, tell, sleep)
        if found.empty:
            discard(connection, target, arn)
            return prepared
        if found.status != "CREATE_COMPLETE":
            raise RejectedError(found)
    except RejectedError:
        raise
    except BaseException:
        if arn:
            discard(connection, target, arn)
        raise
    return _compared(connection, prepared, found, list(allowances), today)


def resume(
    connection: Connection,
    artefact: Artefact,
    change_set: str,
    allowances: Iterable[Allowance],
    today: datetime.date,
) -> tuple[Prepared, ChangeSet | None]:
    """(what a change set that was made earlier would do, the change set as it is now; None where it is gone).

    Raises DeployError, StuckError, RefusedError, AwsError or CredentialsError.
    """
    target = of(artefact)
    stack = readiness.ready(connection, target)
    prepared = _reviewed(connection, target, artefact, stack, allowances, today)
    if changesets.state(connection, change_set) is None:
        return prepared, None
    found = changesets.describe(connection, change_set)
    return _compared(connection, prepared, found, list(allowances), today), found


def discard(connection: Connection, target: Target, change_set: str) -> None:
    """Puts a change set away, and the empty stack that AWS made for it where nothing else is in it. Errors of AWS
    are left alone: there is something more important to say."""
    try:
        changesets.delete(connection, change_set)
        stack = stacks.look(connection, target.stack_name)
        if stack is None or stack.status != stacks.REVIEW:
            return
        others = connection.every("cloudformation", "list_change_sets", "Summaries", StackName=stack.id)
        if all(one.get("ChangeSetId") == change_set for one in others):
            readiness.remove(connection, stack)
    except AwsError:
        return


def same_as_deployed(prepared: Prepared) -> bool:
    """Whether CloudFormation would have nothing to do: the same text, parameters and tags are deployed."""
    before = prepared.review.before
    if before is None or prepared.stack is None:
        return False
    target = prepared.target
    return (
        before.text(TEMPLATE) == target.template
        and dict(prepared.stack.tags) == dict(target.tags)
        and dict(prepared.stack.parameters) == dict(target.parameters)
        and set(prepared.stack.notifications) == set(target.notifications)
    )


def _reviewed(connection, target, artefact, stack, allowances, today) -> Prepared:
    """What is deployed and what is to be, reviewed."""
    before, policy = None, None
    if stack is not None and stack.exists:
        policy = protection.policy(connection, stack.id)
        before = _deployed(connection, stack, artefact, policy)
    found = review(before, artefact, tuple(allowances), today)
    return Prepared(target, stack, found, None, hazards=found.hazards, policy=policy)


def _deployed(connection, stack, artefact, policy) -> Artefact:
    """The artefact that a stack was made from, as far as AWS tells."""
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
            [{"ParameterKey": key, "ParameterValue": value} for key, value in stack.parameters.items()]
        ).encode(),
    }
    # What AWS has no idea of is no difference.
    files |= {path: content for path, content in artefact.files.items() if path not in files}
    return Artefact(artefact.name, f"the stack {stack.name}", files)


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


def _url(connection: Connection, target: Target) -> str | None:
    """Where AWS finds a template that is too large for a call; None where it isn't. Raises DeployError where
    there is no bucket for it."""
    if not target.large:
        return None
    if target.bucket is None:
        raise DeployError(
            f"the template of {target.name} has {len(target.template.encode()):,} bytes, more than a call "
            "takes (51,200): name a bucket in params as stack.template_bucket and render"
        )
    key = f"cloakform/{target.stack_name}/{target.digests[TEMPLATE]}.yaml"
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
    if connection.endpoint_url:
        return f"{connection.endpoint_url}/{target.bucket}/{key}"
    suffix = "amazonaws.com.cn" if target.region.startswith("cn-") else "amazonaws.com"
    return f"https://{target.bucket}.s3.{target.region}.{suffix}/{key}"
