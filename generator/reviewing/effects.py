"""What CloudFormation does for each change: nothing, in place, with an interruption, by making the resource
anew.

A resource that is made anew takes with it those whose fixed properties refer to it.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from types import MappingProxyType
from typing import Any

from generator.document import Document, Resource
from generator.reviewing import schemas
from generator.reviewing.changes import Change, Changes, ResourceChange
from generator.reviewing.facts import (
    CONDITIONAL,
    CREATE,
    DELETE,
    EFFECTS,
    HOLDS,
    IN_PLACE,
    INTERRUPTION,
    MOVED,
    NAMES,
    NONE,
    REFUSED,
    REPLACEMENT,
    SNAPSHOT_BY_DEFAULT,
    fact,
    is_true,
)

_SCHEMAS = "resource schema"
_TASK_DEFINITION = "AWS::ECS::TaskDefinition"


@dataclass(frozen=True)
class Cause:
    """Why a resource is changed as it is."""

    effect: str
    """One of `facts.EFFECTS`."""
    name: str
    """The property or attribute, `ContainerDefinitions[keycloak].Image`; empty for the resource as a
    whole.
    """
    say: str
    """Why, or what happens, without a full stop; may be empty."""
    source: str = ""
    change: Change | None = None
    carried_from: str = ""
    """The resource whose replacement carries over to this one."""


@dataclass(frozen=True)
class Effect:
    """What becomes of one resource."""

    logical_id: str
    type: str
    effect: str
    """The gravest of its causes'."""
    causes: tuple[Cause, ...]
    """The gravest first."""
    holds: str
    """What it holds that would be gone with it: `database`, `secret`; empty if nothing."""
    policy: str
    """What CloudFormation does with the old one where it is deleted or replaced: Delete, Retain, Snapshot;
    empty where neither happens."""
    fate: str
    """What becomes of the old one and its data, as a sentence without a full stop; empty if there is nothing
    to tell."""
    notes: tuple[str, ...]
    """What else to know, sentences without a full stop."""
    change: ResourceChange | None
    """None where it changes only because another resource does."""
    line: int
    """In the text after; in the one before for what is gone."""

    @property
    def loses(self) -> bool:
        """Whether what it holds is deleted, left behind or put into a snapshot."""
        return bool(self.holds) and self.effect in (DELETE, REPLACEMENT, CONDITIONAL)


def judge(changes: Changes, before: Document, after: Document, region: str = "") -> tuple[Effect, ...]:
    """What becomes of each resource that changes, of those too that do so because of another one. The gravest
    come first, what holds data before the rest."""
    causes = {one.logical_id: [*_own(one, before, region)] for one in changes.resources}
    _carry(causes, before, after, region)
    _move(causes, after)
    found = [
        _effect(logical_id, told, changes.of(logical_id), before, after)
        for logical_id, told in causes.items()
        if told
    ]
    return tuple(sorted(found, key=_gravity))


def _gravity(one: Effect) -> tuple:
    return not one.loses, -EFFECTS.index(one.effect), one.line


def _own(change: ResourceChange, before: Document, region: str) -> Iterator[Cause]:
    if change.kind == "added":
        yield Cause(CREATE, "", f"looks like {change.renamed} under another name" if change.renamed else "")
    elif change.kind == "removed":
        yield Cause(DELETE, "", f"looks like {change.renamed} now" if change.renamed else "")
    elif change.kind == "type":
        yield Cause(
            REFUSED,
            "Type",
            f"{change.before.type} -> {change.after.type}: CloudFormation changes no type "
            "under one logical id; give the new one another",
            "CloudFormation User Guide, template anatomy",
        )
    else:
        for one in change.changes:
            yield _of_change(change, one, region)


def _of_change(change: ResourceChange, one: Change, region: str) -> Cause:
    if one.attribute:
        return Cause(NONE, one.name, "", change=one)
    effect, say, source = effect_of(
        change.type, one.properties, one.before, one.after, region, change.after.properties
    )
    return Cause(effect, one.name, say, source, one)


def effect_of(
    type_: str,
    path: tuple[str, ...],
    before: str | None,
    after: str | None,
    region: str = "",
    properties: Mapping[str, Any] = MappingProxyType({}),
) -> tuple[str, str, str]:
    """(effect, what happens, source) of changing what is at `path` of a resource of that type, which will have
    `properties`."""
    fixed = schemas.fixed(type_, region)
    create_only = fixed is not None and _touches(path, fixed.create_only)
    told = fact(type_, path, before, after, properties)
    # A fact about everything (an empty path) says how, not whether.
    if told is not None and told.path:
        return told.effect, told.say, told.source
    if create_only:
        return REPLACEMENT, told.say if told else "", _SCHEMAS
    if fixed is not None and _touches(path, fixed.conditional):
        return CONDITIONAL, "whether it is made anew depends on what there is in AWS", _SCHEMAS
    if fixed is None:
        own = type_.startswith("Custom::") or type_ == "AWS::CloudFormation::CustomResource"
        return CONDITIONAL, "its own code decides" if own else "no schema tells about this type", ""
    return IN_PLACE, "", _SCHEMAS


def _touches(path: tuple[str, ...], fixed: frozenset[tuple[str, ...]]) -> bool:
    return any(path[: len(one)] == one or one[: len(path)] == path for one in fixed)


def _carry(causes: dict[str, list[Cause]], before: Document, after: Document, region: str) -> None:
    """Adds what follows from resources that are made anew: for those whose properties refer to them."""
    stay = [name for name in after.resources if name in before.resources]
    users: dict[str, list[tuple[str, str, Any]]] = {}
    for name in stay:
        for key, value in after.resources[name].properties.items():
            for target in after.references(value):
                users.setdefault(target, []).append((name, key, value))
    waiting = [name for name, told in causes.items() if name in after.resources and _anew(told)]
    done: dict[str, str] = {}
    while waiting:
        name = waiting.pop(0)
        anew = _anew(causes[name])
        if done.get(name) in (anew, REPLACEMENT):
            continue
        done[name] = anew
        for user, key, value in users.get(name, ()):
            if user == name:
                continue
            told = causes.setdefault(user, [])
            if any(one.effect in (CREATE, REFUSED) and not one.name for one in told):
                continue
            effect, say = _follows(after.resources[user], key, value, name, after, region)
            if anew == CONDITIONAL and effect == REPLACEMENT:
                effect = CONDITIONAL
            cause = Cause(
                effect, key, say or f"refers to {name}, which is made anew", _SCHEMAS, carried_from=name
            )
            if anew == CONDITIONAL:
                cause = replace(cause, say=f"refers to {name}, which may be made anew")
            same = [one for one in told if one.carried_from == name and one.name == key]
            for one in same:
                told.remove(one)
            told.append(cause)
            if _anew(told):
                waiting.append(user)


def _move(causes: dict[str, list[Cause]], after: Document) -> None:
    """Says of what stays and can't follow its subnets that AWS refuses it, where these come to lie in another
    VPC."""
    moved = {
        name
        for name, told in causes.items()
        if name in after.resources
        and after.resources[name].type == "AWS::EC2::Subnet"
        and any(one.name == "VpcId" and one.effect == REPLACEMENT for one in told)
    }
    for name, told in causes.items():
        follows = MOVED.get(after.resources[name].type) if name in after.resources else None
        if follows is None or _anew(told) or all(one.carried_from not in moved for one in told):
            continue
        told.append(Cause(follows.effect, follows.path[0], follows.say, follows.source))


def _anew(told: list[Cause]) -> str:
    """REPLACEMENT, CONDITIONAL, or empty where the resource stays the one it is."""
    effects = {one.effect for one in told}
    return REPLACEMENT if REPLACEMENT in effects else CONDITIONAL if CONDITIONAL in effects else ""


def _follows(
    user: Resource, key: str, value: Any, target: str, document: Document, region: str
) -> tuple[str, str]:
    """What a reference to a resource that is made anew does to the one that refers to it."""
    fixed = schemas.fixed(user.type, region)
    for one in fixed.create_only if fixed else ():
        if one[0] == key and target in document.references(_below(value, one[1:])):
            return REPLACEMENT, ""
    effect, say, _ = effect_of(user.type, (key,), "", "", region)
    nested = fixed is not None and effect == REPLACEMENT and (key,) not in fixed.create_only
    for path in _paths_to(value, target, document):
        told = fact(user.type, (key, *path), "", "")
        if told is not None and told.path:
            return told.effect, told.say
    return (IN_PLACE, "") if nested else (effect, say if effect != REPLACEMENT else "")


def _below(value: Any, path: tuple[str, ...]) -> Any:
    for step in path:
        if isinstance(value, list):
            value = [_below(one, (step,)) for one in value]
        else:
            value = value.get(step) if isinstance(value, dict) else None
    return value


def _paths_to(
    value: Any, target: str, document: Document, path: tuple[str, ...] = ()
) -> Iterator[tuple[str, ...]]:
    """Names of properties on the way to each place that refers to `target`."""
    if isinstance(value, dict) and not any(key == "Ref" or str(key).startswith("Fn::") for key in value):
        for key, inner in value.items():
            yield from _paths_to(inner, target, document, (*path, str(key)))
    elif isinstance(value, list):
        for inner in value:
            yield from _paths_to(inner, target, document, path)
    elif target in document.references(value):
        yield path


# --- what becomes of it ---


def _effect(
    logical_id: str, told: list[Cause], change: ResourceChange | None, before: Document, after: Document
) -> Effect:
    told = sorted(told, key=lambda one: (-EFFECTS.index(one.effect), bool(one.carried_from), one.name))
    was, now = before.resources.get(logical_id), after.resources.get(logical_id)
    resource = now or was
    effect = told[0].effect
    holds = "" if effect == CREATE else holds_data(resource.type)
    gone = effect in (DELETE, REPLACEMENT, CONDITIONAL)
    policy = (
        ""
        if not gone or was is None
        else (deletion_policy(was) if effect == DELETE else _replace_policy(was, now))
    )
    # Inside something that is made anew as well, a name is free.
    moves = resource.type == "AWS::ServiceDiscovery::Service" and any(one.carried_from for one in told)
    return Effect(
        logical_id,
        resource.type,
        effect,
        tuple(told),
        holds,
        policy,
        _fate(effect, resource.type, holds, policy),
        tuple(_notes(effect, change, was, now, policy, moves)),
        change,
        resource.line,
    )


def holds_data(type_: str) -> str:
    """What a resource of that type holds that would be gone with it; empty if nothing."""
    return HOLDS.get(type_) or ("data" if type_ in schemas.stateful() else "")


def deletion_policy(resource: Resource) -> str:
    """What CloudFormation does with a resource that leaves its stack: Delete, Retain or Snapshot."""
    written = resource.attributes.get("DeletionPolicy")
    if isinstance(written, str):
        return "Retain" if written == "RetainExceptOnCreate" else written
    member = resource.type == "AWS::RDS::DBInstance" and "DBClusterIdentifier" in resource.properties
    return "Snapshot" if resource.type in SNAPSHOT_BY_DEFAULT and not member else "Delete"


def _replace_policy(was: Resource, now: Resource | None) -> str:
    """The less careful one of the UpdateReplacePolicy before and after: which of the two acts isn't
    documented.
    """
    order = ("Delete", "Snapshot", "Retain")
    found = []
    for one in (was, now or was):
        written = one.attributes.get("UpdateReplacePolicy", "Delete")
        found.append(written if written in order else "Delete")
    return min(found, key=order.index)


_NEW = {
    "certificate": "has to be validated before it is used",
    "key": "opens nothing that the old one locked",
    "secret": "holds another value",
    "parameter": "holds what the template says",
}
"""What is to be known of the one that comes in its place, where it isn't that it starts empty."""


def _fate(effect: str, type_: str, holds: str, policy: str) -> str:
    if effect not in (DELETE, REPLACEMENT, CONDITIONAL) or type_ == _TASK_DEFINITION:
        return ""
    what = f"its {holds}" if holds in ("files", "images", "data", "log") else "it"
    maybe = "if it is made anew, " if effect == CONDITIONAL else ""
    if policy == "Retain":
        text = "the old one stays in the account, outside the stack"
    elif policy == "Snapshot":
        text = "a snapshot of it stays"
    elif not holds:
        return ""
    else:
        text = f"{what} is deleted" if what == "it" or what == "its log" else f"it and {what} are deleted"
    if holds and effect != DELETE:
        text += f"; the new one {_NEW.get(holds, 'starts empty')}"
    return maybe + text


def _notes(
    effect: str,
    change: ResourceChange | None,
    was: Resource | None,
    now: Resource | None,
    policy: str,
    moves: bool,
) -> Iterator[str]:
    resource = now or was
    name = NAMES.get(resource.type)
    if effect in (REPLACEMENT, CONDITIONAL) and was and now and name in now.properties and not moves:
        if was.properties.get(name) == now.properties.get(name):
            yield (
                f"it has a fixed {name}, so the new one can't be made while the old one is there: "
                "change the name"
            )
    if change is not None and change.kind == "added" and change.renamed:
        yield (
            f"a renamed resource is another one to CloudFormation: {change.renamed} is deleted, "
            f"{change.logical_id} is made"
        )
    protected = was is not None and is_true(was.properties.get("DeletionProtection"))
    if protected and policy in ("Delete", "Snapshot") and effect in (DELETE, REPLACEMENT):
        yield (
            "AWS refuses to delete it while its DeletionProtection is on; it is left behind then, "
            "outside the stack"
        )
    if effect == INTERRUPTION and resource.type == "AWS::RDS::DBInstance":
        yield "Keycloak answers with errors meanwhile"
