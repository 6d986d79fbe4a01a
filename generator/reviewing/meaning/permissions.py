"""What IAM allows that it didn't allow before."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from generator.resolving import Place
from generator.reviewing.meaning.base import (
    DANGER,
    NOTE,
    WARNING,
    Consequence,
    Reading,
    listed,
)

_ROLE = "AWS::IAM::Role"
_POLICIES = ("AWS::IAM::Policy", "AWS::IAM::ManagedPolicy", "AWS::IAM::RolePolicy")
_RESOURCE_POLICIES = {
    "AWS::S3::BucketPolicy": ("PolicyDocument",),
    "AWS::SecretsManager::ResourcePolicy": ("ResourcePolicy",),
    "AWS::KMS::Key": ("KeyPolicy",),
    "AWS::ECR::Repository": ("RepositoryPolicyText",),
    "AWS::SNS::TopicPolicy": ("PolicyDocument",),
    "AWS::SQS::QueuePolicy": ("PolicyDocument",),
    "AWS::EFS::FileSystem": ("FileSystemPolicy",),
    "AWS::Logs::ResourcePolicy": ("PolicyDocument",),
}


@dataclass(frozen=True)
class Grant:
    """One thing that one policy allows."""

    who: str
    """Logical id of the role or of what has the policy."""
    may: str
    """An action, as it is written."""
    on: str
    """A resource, as it is written."""
    principal: str
    """Who is allowed; empty where it is the role itself."""
    condition: str
    """Under which condition, as text; empty if under none."""


def grants(reading: Reading) -> set[Grant]:
    """What the policies of a template allow, and which managed policies it gives (`may` is empty then)."""
    found: set[Grant] = set()
    for role in reading.resources(_ROLE):
        place, name = reading.properties(role), role.logical_id
        for policy in place["Policies"]:
            found |= set(_document(name, policy["PolicyDocument"], ""))
        for one in place["ManagedPolicyArns"]:
            found.add(Grant(name, "", str(one.value), "", ""))
        found |= set(_document(name, place["AssumeRolePolicyDocument"], "?"))
    for policy in reading.resources(*_POLICIES):
        place = reading.properties(policy)
        roles = [one.resource(_ROLE) for one in (*place["Roles"], *place["RoleName"])]
        for role in [one.logical_id for one in roles if one is not None] or [policy.logical_id]:
            found |= set(_document(role, place["PolicyDocument"], ""))
    for type_, keys in _RESOURCE_POLICIES.items():
        for one in reading.resources(type_):
            for key in keys:
                found |= set(_document(one.logical_id, reading.properties(one)[key], "?"))
    return found


def _document(who: str, document: Place, principal: str) -> Iterator[Grant]:
    for one in document["Statement"]:
        if one["Effect"].text == "Deny":
            continue
        except_ = "anything but " if one["NotAction"] else ""
        actions = one["NotAction"] if except_ else one["Action"]
        beside = "anything but " if one["NotResource"] else ""
        resources = one["NotResource"] if beside else one["Resource"]
        condition = str(one["Condition"].value) if one["Condition"] else ""
        for action in actions:
            for resource in list(resources) or [None]:
                on = beside + str(resource.value) if resource is not None else ""
                for given in _principals(one["Principal"]) if principal else [""]:
                    yield Grant(who, except_ + str(action.value), on, given, condition)


def _principals(place: Place) -> list[str]:
    if not place.keys():
        return [str(one.value) for one in place] or ["*"]
    return [str(one.value) for key in place.keys() for one in place[key]]


def _denials(reading: Reading) -> set[tuple[str, str]]:
    found = set()
    for type_ in (_ROLE, *_POLICIES):
        for one in reading.resources(type_):
            place = reading.properties(one)
            documents = [*(each["PolicyDocument"] for each in place["Policies"]), place["PolicyDocument"]]
            for document in documents:
                for statement in document["Statement"]:
                    if statement["Effect"].text == "Deny":
                        found.add((one.logical_id, str(statement.value)))
    return found


def permissions(before: Reading, after: Reading) -> Iterator[Consequence]:
    """What is allowed now and wasn't; what isn't any more is a note."""
    old, new = grants(before), grants(after)
    fresh = not before.document.resources
    everything = {(one.who, one.may, one.on, one.principal) for one in old}
    added: dict[tuple[str, str, str, str], list[str]] = {}
    for one in sorted(new - old, key=lambda grant: (grant.who, grant.may, grant.on, grant.condition)):
        same = (one.who, one.may, one.on, one.principal)
        how = ""
        if same in everything:
            conditions = {
                each.condition for each in old if (each.who, each.may, each.on, each.principal) == same
            }
            if "" in conditions:
                continue  # narrower now
            how = "under another condition" if one.condition else "without the condition it had"
        added.setdefault((one.who, one.on, one.principal, how), []).append(one.may)
    for (who, on, principal, how), actions in added.items():
        yield _broadened(who, on, principal, how, actions, fresh)
    for who, _ in sorted(_denials(before) - _denials(after)):
        if who in after.document.resources:
            yield Consequence("Permissions", WARNING, f"{who} loses a Deny", who)
    taken: dict[tuple[str, str], list[str]] = {}
    kept = {(one.who, one.may, one.on) for one in new}
    for one in sorted(old - new, key=lambda grant: (grant.who, grant.may, grant.on)):
        if (one.who, one.may, one.on) not in kept and one.who in after.document.resources:
            taken.setdefault((one.who, one.on), []).append(one.may or "a managed policy")
    for (who, on), actions in taken.items():
        yield Consequence(
            "Permissions", NOTE, f"{who} may no longer do {listed(actions)}{f' on {on}' if on else ''}", who
        )


def _broadened(who: str, on: str, principal: str, how: str, actions: list[str], fresh: bool) -> Consequence:
    under = f" {how}" if how else ""
    where = "" if not on else " on everything" if on == "*" else f" on {on}"
    world = principal == "*" and not how.startswith("under")
    if principal and principal != "?":
        whom = "anybody" if principal == "*" else principal
        text = f"{whom} may now {_verbs(actions)}{where or f' on {who}'}{under}"
    elif actions == [""]:
        text, where = f"{who} gets the managed policy {on}", ""
    else:
        text = f"{who} may now do {listed(actions)}{where}{under}"
    wide = any("*" in action or "anything but" in action for action in actions) or on == "*" or world
    admin = any(action in ("*", "*:*") for action in actions) or on.endswith("AdministratorAccess")
    weight = DANGER if admin or world else WARNING if wide or how else NOTE
    return Consequence(
        "Permissions",
        NOTE if fresh and not (admin or world) else weight,
        text,
        who,
        opens=who if world else "",
    )


def _verbs(actions: list[str]) -> str:
    return "assume the role" if actions == ["sts:AssumeRole"] else f"do {listed(actions)}"
