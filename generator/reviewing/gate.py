"""What may not happen unless somebody allowed it: data lost, protection taken away, something opened to the
world.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any

from generator.reviewing.allowances import Allowance
from generator.reviewing.artefact import Artefact
from generator.reviewing.changes import Change
from generator.reviewing.effects import Effect, deletion_policy, holds_data
from generator.reviewing.facts import (
    CONDITIONAL,
    DATABASES,
    DELETE,
    REPLACEMENT,
    is_true,
    lower,
    number,
)
from generator.reviewing.meaning import Consequence

STACK = "stack"
"""What the stack itself is called in an allowance: `stack.termination_protection`."""

_POLICIES = ("Delete", "Snapshot", "Retain")


@dataclass(frozen=True)
class Hazard:
    """One thing that needs somebody's leave."""

    logical_id: str
    path: str
    """`Database.DeletionProtection`; the logical id where it is about the resource as a whole."""
    kind: str
    """deleted, replaced, shrunk, overwritten, unprotected, opened, moved."""
    text: str
    """What will be, without a full stop."""
    allowed_by: Allowance | None = None


def hazards(
    before: Artefact, after: Artefact, effects: Iterable[Effect], consequences: Iterable[Consequence]
) -> tuple[Hazard, ...]:
    """What needs leave in a change, without asking whether it has it."""
    found = [
        *_stack(before, after),
        *(hazard for effect in effects for hazard in _resource(effect)),
        *(
            Hazard(one.opens.partition(".")[0], one.opens, "opened", one.text)
            for one in consequences
            if one.opens
        ),
    ]
    return tuple(dict.fromkeys(found))


def _resource(effect: Effect) -> Iterator[Hazard]:
    name = effect.logical_id
    if effect.loses:
        kind = "deleted" if effect.effect == DELETE else "replaced"
        verb = {DELETE: "is deleted", REPLACEMENT: "is made anew", CONDITIONAL: "may be made anew"}[
            effect.effect
        ]
        why = next((one.name for one in effect.causes if one.effect == effect.effect and one.name), "")
        several = effect.holds in ("data", "files", "images", "names of the tasks")
        text = f"{name} holds {'' if several else 'a '}{effect.holds} and {verb}"
        text += f" because of {why}" if why else ""
        # What is deleted needn't be told twice.
        fate = "" if (effect.effect, effect.fate) == (DELETE, "it is deleted") else effect.fate
        yield Hazard(name, name, kind, f"{text}: {fate}" if fate else text)
    change = effect.change
    if change is None or change.before is None or change.after is None:
        return
    for one in change.changes:
        kind, text = _of_change(effect.type, one)
        if text:
            yield Hazard(name, f"{name}.{one.name}", kind, f"{name}: {text}")
    if holds_data(effect.type):
        policies = {
            "DeletionPolicy": [deletion_policy(side) for side in (change.before, change.after)],
            "UpdateReplacePolicy": [
                str(side.attributes.get("UpdateReplacePolicy", "Delete"))
                for side in (change.before, change.after)
            ],
        }
        for key, (was, now) in policies.items():
            ranks = [_POLICIES.index(one) if one in _POLICIES else 0 for one in (was, now)]
            if ranks[1] < ranks[0]:
                yield Hazard(name, f"{name}.{key}", "unprotected", f"{name}: {key} {was} -> {now}")


def _of_change(type_: str, change: Change) -> tuple[str, str]:
    """(kind, text) of what a change of one property takes away; empty texts if nothing."""
    path, was, now = change.properties, change.before, change.after
    told = f"{change.name} {_or_none(was)} -> {_or_none(now)}"
    if change.attribute:
        return "", ""
    if path[:1] == ("DeletionProtection",) or path[:1] == ("DeletionProtectionEnabled",):
        return ("unprotected", told) if is_true(was) else ("", "")
    if change.name == "LoadBalancerAttributes[deletion_protection.enabled]":
        return ("unprotected", told) if is_true(was) else ("", "")
    if type_ in DATABASES:
        if path == ("BackupRetentionPeriod",) and (now is None and (number(was) or 0) > 1 or lower(was, now)):
            return "unprotected", f"{told}: older backups are deleted"
        if path == ("DeleteAutomatedBackups",) and was == "false":
            return "unprotected", told
        if path == ("AllocatedStorage",) and lower(was, now):
            return "shrunk", told
    if type_ == "AWS::Logs::LogGroup" and path == ("RetentionInDays",) and now is not None:
        if was is None or lower(was, now):
            return "shrunk", f"{told}: what is older is deleted"
    if type_ == "AWS::SecretsManager::Secret" and path[:1] in (("GenerateSecretString",), ("SecretString",)):
        return "overwritten", f"{told}: it gets a new value, which nobody who uses the old one knows"
    if type_ == "AWS::EFS::FileSystem" and path[:1] == ("BackupPolicy",) and now != "ENABLED":
        return "unprotected", told
    return "", ""


def _or_none(text: str | None) -> str:
    return "(none)" if text is None else text


def _stack(before: Artefact, after: Artefact) -> Iterator[Hazard]:
    old, new = before.stack, after.stack
    if not old:
        return
    for key, word in (("stack_name", "stack"), ("account", "account"), ("region", "region")):
        if old.get(key) != new.get(key) and old.get(key) is not None:
            yield Hazard(
                STACK,
                f"{STACK}.{key}",
                "moved",
                f"another {word} ({old[key]} -> {new.get(key) or 'none'}): everything is made there, and "
                "what there is stays where it is with its data",
            )
    if old.get("termination_protection") is True and new.get("termination_protection") is not True:
        yield Hazard(
            STACK, f"{STACK}.termination_protection", "unprotected", "the stack may be deleted from now on"
        )
    was, now = _denied(old.get("stack_policy")), _denied(new.get("stack_policy"))
    open_now = sorted(one for one in was - now if one == "*" or one in after.document.resources)
    if open_now:
        yield Hazard(
            STACK,
            f"{STACK}.stack_policy",
            "unprotected",
            f"the stack policy no longer keeps {', '.join(open_now)} from being replaced or deleted",
        )


def _denied(policy: Any) -> set[str]:
    """The logical ids that a stack policy keeps from being replaced or deleted."""
    statements = policy.get("Statement") if isinstance(policy, dict) else None
    found: set[str] = set()
    for one in statements if isinstance(statements, list) else ():
        if isinstance(one, dict) and one.get("Effect") == "Deny":
            resources = one.get("Resource")
            for name in resources if isinstance(resources, list) else [resources]:
                if isinstance(name, str):
                    found.add(name.removeprefix("LogicalResourceId/"))
    return found
