"""A stack is deleted: what goes, what stays, what is lost with it, and what would keep it from going."""

from __future__ import annotations

import secrets
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field

from generator.aws import Connection
from generator.deploying import executing, stacks
from generator.deploying.events import Event
from generator.deploying.progress import Planned
from generator.deploying.stacks import Resource, Stack
from generator.deploying.target import Target
from generator.document import Document, parse
from generator.document import Resource as Declared
from generator.errors import AwsError, DocumentError, RefusedError
from generator.resolving import scalar_text
from generator.reviewing import effects
from generator.reviewing.facts import DATABASES

DELETE, RETAIN, SNAPSHOT = "Delete", "Retain", "Snapshot"
_GONE = ("DELETE_COMPLETE", "DELETE_SKIPPED")
_MADE_AGAIN = ("certificate", "namespace", "names of the tasks")
"""What resources hold that is as good when it is made anew."""


@dataclass(frozen=True)
class Part:
    """What becomes of one resource."""

    logical_id: str
    physical_id: str
    type: str
    policy: str
    """`Delete`, `Retain` or `Snapshot`."""
    holds: str
    """What it holds that would be gone with it (`database`, `secret`, `log`, …); empty if nothing."""
    backups: str = ""
    """What becomes of its automatic backups: `go` or `stay`; empty where it has none, or stays itself."""

    @property
    def lost(self) -> bool:
        """Whether something is gone that no later deployment makes again."""
        return self.policy == DELETE and bool(self.holds) and self.holds not in _MADE_AGAIN


@dataclass(frozen=True)
class Deletion:
    """What deleting a stack does."""

    target: Target = field(repr=False)
    stack: Stack = field(repr=False)
    parts: tuple[Part, ...]
    """What the stack has, in the order of its template."""
    obstacles: tuple[str, ...]
    """Why it would fail half way, as sentences without a full stop."""
    retain: tuple[str, ...] = ()
    """Logical ids of resources that failed to go and are to stay."""
    notes: tuple[str, ...] = ()
    """What couldn't be asked."""

    @property
    def goes(self) -> tuple[Part, ...]:
        """What is deleted."""
        return tuple(one for one in self.parts if one.policy != RETAIN)

    @property
    def stays(self) -> tuple[Part, ...]:
        """What is left in the account, outside any stack."""
        return tuple(one for one in self.parts if one.policy == RETAIN)

    @property
    def planned(self) -> list[Planned]:
        """Its steps: what stays is passed over, which is one, too."""
        return [Planned(one.logical_id, one.type, "Remove") for one in self.parts]


def prepare(connection: Connection, target: Target, stack: Stack, retain: Sequence[str] = ()) -> Deletion:
    """What deleting a stack would do; asks, and changes nothing.

    Raises RefusedError for a stack that is protected, here or on AWS, that is busy, or of which something is
    to be retained that didn't fail to go; AwsError or CredentialsError.
    """
    _guard(target, stack)
    there = [
        one for one in stacks.resources(connection, stack.id) if one.physical_id and one.status not in _GONE
    ]
    _retainable(stack, there, retain)
    document = _document(stacks.template(connection, stack)) if stack.status != stacks.REVIEW else None
    declared = document.resources if document is not None else {}
    order = {name: number for number, name in enumerate(declared)}
    there.sort(key=lambda one: order.get(one.logical_id, len(order)))
    parts = tuple(_part(one, declared.get(one.logical_id), document, retain) for one in there)
    obstacles: list[str] = []
    notes: list[str] = []
    for one in parts:
        if one.policy != RETAIN:
            try:
                obstacles += _obstacles(connection, one)
            except AwsError as error:
                notes.append(f"whether {one.logical_id} is protected can't be asked: {error}")
    if document is None and parts:
        notes.append(
            "AWS doesn't give the template, so DeletionPolicy isn't known: more may stay than is said here"
        )
    return Deletion(target, stack, parts, tuple(obstacles), tuple(retain), tuple(notes))


def begin(connection: Connection, deletion: Deletion) -> executing.Following:
    """Has AWS delete the stack, and nothing by force. Raises RefusedError where something would make it fail
    half way, AwsError or CredentialsError."""
    if deletion.obstacles:
        raise RefusedError(
            f"nothing was deleted: {'; '.join(deletion.obstacles)} (the deletion would stop half way)"
        )
    stack = deletion.stack
    since = executing.last_event(connection, stack.id)
    token = f"cloakform-{secrets.token_hex(16)}"
    # By its id: a stack that somebody makes anew under the name isn't meant. The token makes a second try of
    # the same call the same request.
    arguments = {"StackName": stack.id, "ClientRequestToken": token}
    if deletion.retain:
        arguments["RetainResources"] = list(deletion.retain)
    connection.ask("cloudformation", "delete_stack", **arguments)
    return executing.Following(connection, stack.id, token, since)


@dataclass(frozen=True)
class Left:
    """What is still there after a deletion."""

    kept: tuple[tuple[str, str, str], ...]
    """(logical id, type, physical id) of resources that left the stack and stay in the account."""
    snapshots: tuple[tuple[str, str], ...]
    """(logical id, identifier of a snapshot) of databases that are gone."""
    failed: tuple[tuple[str, str, str], ...]
    """(logical id, physical id, reason) of resources that the stack still has."""
    notes: tuple[str, ...] = ()


def left(
    connection: Connection, deletion: Deletion, events: Iterable[Event], now: Sequence[Resource]
) -> Left:
    """What a deletion left, from its events and from what the stack has `now`; nothing where it is gone.
    Raises nothing that AWS says: what can't be asked becomes a note."""
    kept, gone, reasons = {}, set(), {}
    for one in events:
        if one.status == "DELETE_SKIPPED":
            kept[one.logical_id] = (one.logical_id, one.type, one.physical_id)
        elif one.status == "DELETE_FAILED":
            reasons[one.logical_id] = one.reason
        elif one.status == "DELETE_COMPLETE" and not one.about_stack:
            gone.add(one.logical_id)
    snapshots, notes = [], []
    for part in deletion.parts:
        if part.policy == SNAPSHOT and part.logical_id in gone:
            try:
                snapshots += [(part.logical_id, name) for name in _snapshots(connection, part)]
            except AwsError as error:
                notes.append(
                    f"the snapshot of {part.logical_id} ({part.physical_id}) can't be looked for: {error}"
                )
    failed = tuple(
        (one.logical_id, one.physical_id, reasons.get(one.logical_id) or one.reason)
        for one in now
        if one.status == "DELETE_FAILED"
    )
    return Left(tuple(kept.values()), tuple(snapshots), failed, tuple(notes))


def _guard(target: Target, stack: Stack) -> None:
    if target.protected:
        raise RefusedError(
            f"{target.name} is protected, nothing was deleted (to delete it all the same: stack.protected: "
            f"false in its params, render, have it reviewed, `cloakform deploy {target.name}`, then this)"
        )
    if stack.protected:
        raise RefusedError(
            f"the stack {stack.name} has termination protection, which rendered/{target.name} doesn't ask "
            f"for; nothing was deleted (somebody turned it on for a reason; `cloakform deploy {target.name}` "
            f"turns it off)"
        )
    if stack.busy:
        raise RefusedError(
            f"the stack {stack.name} is busy ({stack.status}): wait for it, see `cloakform events "
            f"{target.name} --follow`"
        )


def _retainable(stack: Stack, there: Sequence[Resource], retain: Sequence[str]) -> None:
    """RetainResources is only for what failed to be deleted (API reference, DeleteStack)."""
    if not retain:
        return
    failed = [one.logical_id for one in there if one.status == "DELETE_FAILED"]
    if stack.status != "DELETE_FAILED":
        raise RefusedError(
            f"--retain is for a stack whose deletion failed; {stack.name} is {stack.status} (what is to stay "
            f"from the start needs DeletionPolicy: Retain in the template, deployed)"
        )
    wrong = [one for one in retain if one not in failed]
    if wrong:
        raise RefusedError(
            f"--retain takes what failed to be deleted ({', '.join(failed) or 'nothing did'}), not "
            f"{', '.join(wrong)}"
        )


def _part(one: Resource, declared: Declared | None, document: Document | None, retain: Sequence[str]) -> Part:
    policy = RETAIN if one.logical_id in retain else _policy(one, declared, document)
    # The default is to delete them with the database (template reference, DeleteAutomatedBackups).
    kept = declared is not None and scalar_text(declared.properties.get("DeleteAutomatedBackups")) == "false"
    backups = ("stay" if kept else "go") if one.type in DATABASES and policy != RETAIN else ""
    return Part(one.logical_id, one.physical_id, one.type, policy, effects.holds_data(one.type), backups)


def _policy(one: Resource, declared: Declared | None, document: Document | None) -> str:
    if declared is not None:
        found = effects.deletion_policy(declared)
        return found if found in (RETAIN, SNAPSHOT) else DELETE
    if document is None and effects.holds_data(one.type) == "database":
        return SNAPSHOT
    return DELETE


def _obstacles(connection: Connection, part: Part) -> list[str]:
    """What AWS will not delete. Raises AwsError or CredentialsError."""
    how = "{}.deletion_protection: false in params, render, deploy, then delete"
    if part.type in DATABASES:
        cluster = part.type.endswith("Cluster")
        ask, key, name = (
            ("describe_db_clusters", "DBClusters", "DBClusterIdentifier")
            if cluster
            else ("describe_db_instances", "DBInstances", "DBInstanceIdentifier")
        )
        told = _unless_gone(lambda: connection.ask("rds", ask, **{name: part.physical_id})[key])
        if told and told[0].get("DeletionProtection") is True:
            return [
                f"the database {part.logical_id} ({part.physical_id}) is protected against deletion: "
                + how.format("database.create")
            ]
    elif part.type == "AWS::ElasticLoadBalancingV2::LoadBalancer":
        told = _unless_gone(
            lambda: connection.ask(
                "elbv2", "describe_load_balancer_attributes", LoadBalancerArn=part.physical_id
            )["Attributes"]
        )
        if any(one["Key"] == "deletion_protection.enabled" and one["Value"] == "true" for one in told or ()):
            return [
                f"the balancer {part.logical_id} is protected against deletion: "
                + how.format("load_balancer")
            ]
    return []


def _unless_gone(ask: Callable[[], list[dict]]) -> list[dict] | None:
    """An answer; None where what is asked for isn't there any more."""
    try:
        return ask()
    except AwsError as error:
        if "NotFound" in error.code:
            return None
        raise


def _snapshots(connection: Connection, part: Part) -> list[str]:
    """Manual snapshots of a database, the newest first."""
    if part.type == "AWS::RDS::DBInstance":
        ask, key, name, own = (
            "describe_db_snapshots",
            "DBSnapshots",
            "DBInstanceIdentifier",
            "DBSnapshotIdentifier",
        )
    elif part.type == "AWS::RDS::DBCluster":
        ask, key, name, own = (
            "describe_db_cluster_snapshots",
            "DBClusterSnapshots",
            "DBClusterIdentifier",
            "DBClusterSnapshotIdentifier",
        )
    else:
        return []
    found = list(connection.every("rds", ask, key, **{name: part.physical_id, "SnapshotType": "manual"}))
    found.sort(key=lambda one: str(one.get("SnapshotCreateTime", "")), reverse=True)
    return [str(one[own]) for one in found]


def _document(text: str) -> Document | None:
    try:
        return parse(text)
    except DocumentError:
        return None
