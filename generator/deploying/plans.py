"""What somebody looked at and agreed to, kept in a file, so that exactly that is executed later."""

from __future__ import annotations

import hashlib
import json
import os
import tempfile
from collections.abc import Iterable, Mapping
from contextlib import suppress
from dataclasses import asdict, dataclass, fields
from pathlib import Path

from generator.deploying.changesets import AwsChange, ChangeSet
from generator.deploying.target import DeployError, Target

_FORM = "cloakform-plan-1"


@dataclass(frozen=True)
class Plan:
    """A change set, and everything that it was made from."""

    environment: str
    account: str
    region: str
    stack_name: str
    stack_id: str
    change_set: str
    """ARN; empty where there was nothing to do."""
    commit: str
    digests: Mapping[str, str]
    """SHA-256 by file name, see `Target.digests`."""
    changes: str
    """SHA-256 of the changes as AWS described them, without values."""
    allowed: tuple[str, ...]
    """What `--allow` named when the plan was made."""
    made: str
    """When, in UTC, as ISO 8601."""


def of(target: Target, found: ChangeSet | None, commit: str, allowed: Iterable[str], made: str) -> Plan:
    """The plan that a change set is; without one the plan to do nothing."""
    return Plan(
        target.name,
        target.account,
        target.region,
        target.stack_name,
        found.stack_id if found else "",
        found.arn if found else "",
        commit,
        dict(target.digests),
        digest(found.changes if found else ()),
        tuple(sorted(set(allowed))),
        made,
    )


def digest(changes: Iterable[AwsChange]) -> str:
    """What changes come to, whatever order AWS lists them in. Values don't count: AWS doesn't always give them,
    and the template's own digest covers them."""
    told = sorted(
        [one.logical_id, one.action, one.type, one.replacement, one.policy_action, one.physical_id]
        for one in changes
    )
    return hashlib.sha256(json.dumps(told).encode()).hexdigest()


def save(path: Path, plan: Plan) -> None:
    """Writes a plan, whole or not at all. Raises DeployError where that can't be."""
    text = json.dumps({"form": _FORM, **asdict(plan)}, indent=2) + "\n"
    beside = ""
    try:
        handle, beside = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
        with os.fdopen(handle, "w", encoding="utf-8") as file:
            file.write(text)
        os.replace(beside, path)
    except OSError as error:
        if beside:
            with suppress(OSError):
                os.unlink(beside)
        raise DeployError(f"the plan {path} can't be written: {error.strerror}") from error


def load(path: Path) -> Plan:
    """A plan from its file. Raises DeployError for one that can't be read or is of another form."""
    try:
        told = json.loads(path.read_text("utf-8"))
    except OSError as error:
        raise DeployError(f"the plan {path} can't be read: {error.strerror}") from error
    except (ValueError, RecursionError) as error:
        raise DeployError(f"{path} is no plan: {error} (make one with --save-plan)") from error
    if not isinstance(told, dict) or told.get("form") != _FORM:
        raise DeployError(f"{path} is no plan of this version (make one with --save-plan)")
    texts = {one.name: told.get(one.name) for one in fields(Plan) if one.name not in ("digests", "allowed")}
    digests, allowed = told.get("digests"), told.get("allowed")
    sound = (
        all(isinstance(one, str) for one in texts.values())
        and isinstance(digests, dict)
        and all(isinstance(one, str) for one in digests.values())
        and isinstance(allowed, list)
        and all(isinstance(one, str) for one in allowed)
    )
    if not sound:
        raise DeployError(f"{path} is a plan with something missing (make one with --save-plan)")
    return Plan(**texts, digests=digests, allowed=tuple(allowed))


def mismatches(plan: Plan, target: Target) -> list[str]:
    """What no longer is as it was when the plan was made, as sentences without a full stop; AWS isn't asked."""
    found = []
    for key in ("account", "region", "stack_name"):
        was, now = getattr(plan, key), getattr(target, key)
        if was != now:
            found.append(f"the plan is for {key.replace('_', ' ')} {was}, the environment for {now}")
    if plan.environment != target.name:
        found.append(f"the plan is {plan.environment}'s, not {target.name}'s")
    for name in sorted({*plan.digests, *target.digests}):
        if plan.digests.get(name) != target.digests.get(name):
            found.append(f"rendered/{target.name}/{name} is not what it was when the plan was made")
    return found


def unlike(plan: Plan, found: ChangeSet | None) -> list[str]:
    """What AWS says otherwise than when the plan was made."""
    if found is None or found.execution == "OBSOLETE":
        return ["the change set is gone: the stack was deployed or deleted since"]
    if found.execution in ("EXECUTE_COMPLETE", "EXECUTE_IN_PROGRESS", "EXECUTE_FAILED"):
        return ["the change set was executed already"]
    problems = []
    if found.status != "CREATE_COMPLETE" or found.execution != "AVAILABLE":
        problems.append(f"the change set can't be executed ({found.status}, {found.execution})")
    if found.stack_id != plan.stack_id:
        problems.append("the change set is for another stack of that name")
    if digest(found.changes) != plan.changes:
        problems.append("AWS describes other changes than when the plan was made")
    return problems
