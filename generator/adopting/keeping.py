"""What becomes of a stack that is there when it is updated with what the draft renders: what is kept, what is
replaced or deleted, and what makes the update fail.

CloudFormation knows a resource by its logical id. Where the new template uses the same one, the resource is
updated, else a second one is made and the first deleted - in this order, so that both are there for a while and
what AWS has one of only stands in the way. The verdicts are those of the project's own review of the change.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path

from generator.adopting import pairing
from generator.adopting.draft import fits
from generator.adopting.naming import stack_name
from generator.adopting.pairing import (
    DISCOVERY,
    LOG_GROUP,
    RECORD,
    RECORD_GROUP,
    RULE,
    SCALING_POLICY,
    SECRET,
    SUBNET,
    VPC,
    Pairs,
)
from generator.adopting.preview import STACK, Preview
from generator.adopting.scene import Scene
from generator.document import Resource
from generator.params import describe
from generator.params.types import RETENTION_DAYS
from generator.rendering.renaming import renamed_data
from generator.reviewing.changes import Change, Changes, ResourceChange, Side, compare
from generator.reviewing.effects import (
    CONDITIONAL,
    CREATE,
    REFUSED,
    REPLACEMENT,
    Cause,
    Effect,
    deletion_policy,
    effect_of,
    judge,
)
from generator.reviewing.facts import NAMES, fact

_ELB = "AWS::ElasticLoadBalancingV2::"
_TASK_DEFINITION = "AWS::ECS::TaskDefinition"
_NAMESPACE = "AWS::ServiceDiscovery::PrivateDnsNamespace"

_NAMED = {**NAMES, _NAMESPACE: "Name", SCALING_POLICY: "PolicyName"}
"""Type -> the property that names a thing; for some of them params say it in `stack.physical_names`."""

_WAYS_OUT = {
    "StorageEncrypted": " (copy a snapshot with a key before, and write the copy as database.create.snapshot)"
}
"""Property -> how what it holds comes along all the same."""

_DATA = (
    "AWS::RDS::DBInstance",
    "AWS::RDS::DBCluster",
    SECRET,
    "AWS::KMS::Key",
    LOG_GROUP,
    _NAMESPACE,
    DISCOVERY,
    _ELB + "TargetGroup",
    _ELB + "LoadBalancer",
    "AWS::ECS::Service",
    "AWS::EFS::FileSystem",
    "AWS::S3::Bucket",
    "AWS::DynamoDB::Table",
    VPC,
)
"""What holds data, or is known to others by its address."""

_TOLD = (
    SUBNET,
    RECORD,
    pairing.WAF,
    _ELB + "ListenerCertificate",
    "AWS::EC2::NatGateway",
    "AWS::EC2::EIP",
    "AWS::EC2::VPCPeeringConnection",
    "AWS::Route53::HostedZone",
    RECORD_GROUP,
)
"""What is no data, but missed where it is deleted or another one."""

_WHOLE = (LOG_GROUP, SECRET, "AWS::RDS::DBInstance")
"""What loses a property only with a word about it."""

_NETWORK = (
    VPC,
    SUBNET,
    pairing.ROUTE,
    pairing.ASSOCIATION,
    "AWS::EC2::RouteTable",
    "AWS::EC2::InternetGateway",
    "AWS::EC2::VPCGatewayAttachment",
    "AWS::EC2::NatGateway",
    "AWS::EC2::EIP",
    "AWS::EC2::VPCEndpoint",
)

_IN_THE_WAY = {
    SUBNET: (
        "EC2 takes no second subnet of the same addresses",
        "write DeletionPolicy: Retain into the whole network and update the stack with that before, then use it as "
        "network.existing",
    ),
    **dict.fromkeys(
        (RECORD, RECORD_GROUP),
        (
            "Route 53 takes no second record of the same name",
            "write DeletionPolicy: Retain into it and update the stack with that before, then leave "
            "load_balancer.dns_records out",
        ),
    ),
    pairing.SCALABLE_TARGET: (
        "the end of the old one takes the new one away",
        "write its ResourceId with !Ref and !GetAtt of the cluster and the service, and update the stack with that "
        "before",
    ),
    pairing.WAF: (
        "the end of the old one takes the new one away",
        "update the stack without it before",
    ),
}
"""Type -> (why the second one can't be made while the first is there, what to do before)."""

_GIVES_WAY = {"AWS::EC2::FlowLog": "LogGroupName", "AWS::EC2::NatGateway": "AllocationId"}
"""Type -> the property whose resource is made anew where a second one stands in the way of the first."""


@dataclass(frozen=True)
class Kept:
    """What becomes of one resource when the new template updates the stack."""

    theirs: str
    """Its logical id."""
    type: str
    ours: str
    """What this project calls it; empty where it renders no such thing."""
    replaced: tuple[str, ...] = ()
    """Why it is replaced all the same; empty where it is kept."""
    deleted: str = ""
    """What its removal does, where it is removed."""
    fails: str = ""
    """Why the update breaks at it, with what to do before; empty where it doesn't."""
    changed: tuple[str, ...] = ()
    """What a kept one loses, and what it is kept on."""

    @property
    def kept(self) -> bool:
        """Whether it is the same one afterwards."""
        return not (self.replaced or self.deleted or self.fails)

    @property
    def verdict(self) -> str:
        """In a few words."""
        if self.kept:
            return "; ".join(("kept", *self.changed))
        return self.fails or self.deleted or f"replaced: {'; '.join(self.replaced)}"


@dataclass(frozen=True)
class _Outcome:
    """One way to update the stack."""

    pairs: Mapping[str, str]
    """Our id -> theirs."""
    names: Mapping[str, str]
    """Our id -> that in the updated stack."""
    after: Side
    effects: Mapping[str, Effect]
    clashes: Mapping[str, str]
    """Id of theirs -> id of what it stands in the way of."""

    def is_anew(self, logical_id: str) -> bool:
        """Whether something is made, or made anew."""
        effect = self.effects.get(logical_id)
        return effect is not None and _anew(effect)


def keep(scene: Scene, templates: Path | None = None) -> list[Kept]:
    """Writes `stack.logical_ids` and `stack.physical_names`, and says what becomes of each resource that matters.

    What the draft renders with the templates of that folder, the project's own by default, is compared with
    what is there.
    """
    _retention(scene)
    _zone(scene)
    return _Keeper(scene, templates).keep()


class _Keeper:
    """Tries ways to update the stack until one of them breaks as little as can be."""

    def __init__(self, scene: Scene, templates: Path | None):
        self._scene = scene
        self._document = scene.view.document
        self._preview = Preview(scene.draft, scene.catalog, templates)
        self._roles = {ours: one.logical_id for ours, one in pairing.roles(scene) if one is not None}
        self._nameless: set[str] = set()
        self._waiting: dict[str, list[str]] = {}
        """Their id -> what it is kept on: on what a line that waits gets, on the order of the account's zones."""

    def keep(self) -> list[Kept]:
        stack = stack_name(self._document, self._preview)
        facts = self._scene.facts
        before = Side.of(
            self._document,
            region=facts.get("region") or "",
            account=facts.get("account") or "",
            stack_name=stack,
        )
        pairs = Pairs(before, self._preview.stand_ins())
        # Each round takes a pair or a name away, of which there are as many as resources.
        while (outcome := self._outcome(pairs, stack)) is not None and self._better(pairs, outcome):
            pass
        if outcome is None:
            return self._unjudged()
        for ours, theirs in outcome.names.items():
            if ours != theirs:
                self._scene.draft.set(f"stack.logical_ids.{ours}", theirs)
        return [*self._going_on(outcome), *self._leaving(pairs, outcome)]

    def _unjudged(self) -> list[Kept]:
        """What can be said where nothing is rendered: outside of a project, or with templates that can't be."""
        for ours, theirs in self._roles.items():
            if ours != theirs and self._document.resources[theirs].type != SECRET:
                self._scene.draft.set(f"stack.logical_ids.{ours}", theirs)
        said = "nobody can tell what becomes of it, as the templates at hand render nothing"
        return [Kept(one.logical_id, one.type, "", (), said) for one in self._document.of_type(*_DATA)]

    def _outcome(self, pairs: Pairs, stack: str) -> _Outcome | None:
        ours = self._preview.document(stack)
        if ours is None:
            return None
        found = pairs.of(ours, self._roles)
        if self._named(found):
            ours = self._preview.document(stack) or ours
        ids = pairs.ids(ours, found)
        after = pairing.like(pairs.theirs, replace(ours, data=renamed_data(ours.data, ids)))
        changes = self._told(compare(pairs.theirs, after), pairs.stand_ins)
        judged = judge(changes, self._document, after.document, pairs.theirs.resolver.region)
        effects = {one.logical_id: one for one in judged}
        clashes = pairs.clashes(after, {name for name, one in effects.items() if _anew(one)})
        names = {name: ids.get(name, name) for name in ours.resources}
        return _Outcome(found, names, after, effects, clashes)

    def _named(self, found: Mapping[str, str]) -> bool:
        """Gives each thing the name that it has. Returns whether any name is new."""
        before = len(self._scene.draft.entries)
        for ours, theirs in found.items():
            resource = self._document.resources[theirs]
            name = self._scene.view.resolver.properties(resource)[_NAMED.get(resource.type, "")]
            key = f"stack.physical_names.{ours}"
            if ours not in self._nameless and name.text and fits(key, name.text):
                self._scene.draft.set(key, name.text)
        return len(self._scene.draft.entries) > before

    def _told(self, changes: Changes, stand_ins: frozenset[str]) -> Changes:
        """The changes without those that come of a line that waits, and of a zone written in two ways."""
        self._waiting = {}

        def counts(each: ResourceChange, one: Change) -> bool:
            if any(text in (one.after or "") for text in stand_ins):
                if effect_of(each.type, one.properties, one.before, one.after)[0] in (REPLACEMENT, CONDITIONAL):
                    self._waiting.setdefault(each.logical_id, []).append(f"if you write what {one.name} is now")
                return False
            if each.type == SUBNET and _same_zone(one):
                self._waiting.setdefault(each.logical_id, []).append(f"if {one.after} is {one.before}")
                return False
            return True

        return replace(
            changes,
            resources=tuple(
                replace(each, changes=tuple(one for one in each.changes if counts(each, one)))
                for each in changes.resources
            ),
        )

    def _better(self, pairs: Pairs, outcome: _Outcome) -> bool:
        """Takes away what breaks something. Returns whether there was anything."""
        count = len(pairs.refused), len(self._nameless)
        for ours, theirs in outcome.pairs.items():
            resource = self._document.resources[theirs]
            if resource.type == SECRET and not _made_alike(pairs.theirs, outcome, ours, theirs):
                # Under its old id it would get a new password that the database doesn't know: CloudFormation
                # sees no change in a dynamic reference. Under a new id the reference changes, and the database
                # gets the password.
                pairs.refused.add(ours)
                pairs.lost.add(theirs)
                self._forget(ours)
            elif outcome.is_anew(theirs) and ours not in self._nameless and resource.type in _NAMED:
                # What is replaced can't take its old name along: the new one is made before the old one goes.
                self._nameless.add(ours)
                self._forget(ours)
        for name in outcome.clashes.values():
            self._give_way(pairs, outcome, name)
        return (len(pairs.refused), len(self._nameless)) != count

    def _forget(self, ours: str) -> None:
        self._scene.draft.entries.pop(("stack", "physical_names", ours), None)

    def _give_way(self, pairs: Pairs, outcome: _Outcome, name: str) -> None:
        """Makes room for a second resource where the first stands in its way."""
        resource = outcome.after.document.resources[name]
        ours = next(one for one, there in outcome.names.items() if there == name)
        key = f"stack.physical_names.{ours}"
        if resource.type == DISCOVERY:
            wanted = f"{resource.properties.get('Name')}-2"
            if fits(key, wanted):
                self._scene.draft.set(key, wanted)
                self._nameless |= {ours, wanted}
        elif around := _GIVES_WAY.get(resource.type):
            there = pairing.target(outcome.after.values(pairs.theirs), resource, around)
            pairs.refused |= {one for one, known in outcome.pairs.items() if known == there}

    # --- what is said of it ---

    def _going_on(self, outcome: _Outcome) -> Iterator[Kept]:
        inverse = {theirs: ours for ours, theirs in outcome.pairs.items()}
        main = [theirs for ours in self._roles if (theirs := outcome.pairs.get(ours))]
        rest = [one for one in self._document.resources if one in inverse or one in outcome.clashes]
        for theirs in dict.fromkeys([*main, *rest]):
            resource, ours = self._document.resources[theirs], inverse.get(theirs, "")
            found = Kept(theirs, resource.type, ours)
            effect = outcome.effects.get(theirs)
            if theirs in outcome.clashes and resource.type != pairing.ASSOCIATION:
                found = replace(found, fails=_in_the_way(resource.type))
            elif resource.type == RULE:
                found = replace(found, changed=tuple(self._another_rule(resource, ours, outcome)))
            elif effect is not None and resource.type != _TASK_DEFINITION:
                found = self._judged(found, effect)
            if theirs in self._waiting and found.kept and resource.type != _TASK_DEFINITION:
                found = replace(found, changed=(*self._waiting[theirs], *found.changed))
            known = theirs in main or resource.type in _DATA or resource.type in _TOLD and not found.kept
            if known or found.fails or found.changed:
                yield found

    def _another_rule(self, rule: Resource, ours: str, outcome: _Outcome) -> Iterator[str]:
        """What is said of a rule that led elsewhere than to Keycloak."""
        effect = outcome.effects.get(rule.logical_id)
        changed = {one.name.partition("[")[0] for one in effect.causes} if effect is not None else set()
        if self._elsewhere(rule) and changed & {"Actions", "Conditions"}:
            yield f"{ours} takes its priority, and where it led nothing leads"

    def _elsewhere(self, rule: Resource) -> bool:
        """Whether a rule leads somewhere, and not to Keycloak."""
        groups = {one.resource.logical_id for one in self._scene.keycloak.target_groups}
        actions = self._scene.view.resolver.properties(rule)["Actions"]
        answers = all(one["Type"].text == "fixed-response" for one in actions)
        return not answers and not self._document.references(rule.properties.get("Actions")) & groups

    def _judged(self, found: Kept, effect: Effect) -> Kept:
        refused = [one.say for one in effect.causes if one.effect == REFUSED]
        if refused:
            return replace(found, fails=f"the update fails: {refused[0]}")
        if _anew(effect):
            causes = [one for one in effect.causes if one.effect in (REPLACEMENT, CONDITIONAL)]
            return replace(found, replaced=tuple(dict.fromkeys(self._why(found, one) for one in causes)))
        return replace(found, changed=tuple(dict.fromkeys(_losses(found.type, effect))))

    def _why(self, found: Kept, cause: Cause) -> str:
        """Why something is replaced."""
        if cause.carried_from:
            return f"it belongs to {cause.carried_from}, which is replaced"
        change = cause.change
        if change is None:
            return cause.say
        if change.name == _NAMED.get(found.type):
            key = f"stack.physical_names.{found.ours}"
            properties = self._scene.view.resolver.properties(self._document.resources[found.theirs])
            written = properties[change.name].text
            known = describe.field_at(tuple(key.split("."))) is not None
            if known and written is None and change.before is not None:
                return f"{change.name} can't be read from the template alone: write it as {key}"
            if known and written is not None and not fits(key, written):
                return f"{change.name} can't be {written}"
        if change.after is None:
            return f"{change.name} is written, and rendering writes none"
        isnt = "" if change.before is not None else "isn't written, and "
        after = change.after.replace(STACK, "STACK") + _WAYS_OUT.get(change.name, "")
        return f"{change.name} {isnt}becomes {after}"

    def _leaving(self, pairs: Pairs, outcome: _Outcome) -> Iterator[Kept]:
        stays = {*outcome.pairs.values(), *outcome.clashes}
        away = [one for one in self._document.resources.values() if one.logical_id not in stays]
        network = [one for one in away if one.type in _NETWORK]
        whole = any(one.type == VPC for one in network)
        for one in away:
            said = ""
            if one.type == SECRET and one.logical_id in pairs.lost:
                said = self._new_secret(one)
            elif one.type == VPC:
                said = _without_network(network)
            elif one.type in _NETWORK and whole:
                continue
            elif one.type in _DATA or one.type in _TOLD or self._missed(pairs, outcome, one):
                said = _gone(one)
            if said:
                yield Kept(one.logical_id, one.type, "", (), said)

    def _missed(self, pairs: Pairs, outcome: _Outcome, resource: Resource) -> bool:
        """Whether a route or a rule goes, while what it belongs to stays."""
        of = {pairing.ROUTE: "RouteTableId", RULE: "ListenerArn"}.get(resource.type)
        if of is None or resource.type == RULE and not self._elsewhere(resource):
            return False
        return pairing.target(pairs.theirs.values(outcome.after), resource, of) in outcome.pairs.values()

    def _new_secret(self, secret: Resource) -> str:
        return "a new secret with a new password takes its place" + (
            ", which the database gets in the same update"
            if self._roles.get("DatabaseSecret") == secret.logical_id
            else "; the administrator's own stays as it is, write it down"
        )


def _anew(effect: Effect) -> bool:
    return effect.effect in (CREATE, REPLACEMENT, CONDITIONAL)


def _made_alike(theirs: Side, outcome: _Outcome, ours: str, there: str) -> bool:
    """Whether a secret is made as the rendered one is, so that an update leaves its value alone."""
    key = ("GenerateSecretString",)
    (was,) = pairing.value(theirs.values(outcome.after), theirs.document.resources[there], key)
    (now,) = pairing.value(
        outcome.after.values(theirs), outcome.after.document.resources[outcome.names[ours]], key
    )
    return was is not None and now is not None and was.value == now.value


def _same_zone(change: Change) -> bool:
    """Whether a zone is written by its letter before and by its number now: the account's first is most often a."""
    letter = re.fullmatch(r'(?:[a-z]{2}(?:-[a-z]+)+-[0-9]|!Sub "\$\{AWS::Region\})([abc])"?', change.before or "")
    return bool(letter) and change.name == "AvailabilityZone" and (
        change.after == f"!Select [{'abc'.index(letter[1])}, !GetAZs ]"
    )


def _losses(type_: str, effect: Effect) -> Iterator[str]:
    """What something that stays loses: data, or a property that nobody would miss in time."""
    if type_ not in _WHOLE:
        return
    changes = [one.change for one in effect.causes if one.change and not one.change.attribute]
    for one in changes:
        told = fact(type_, one.properties, one.before, one.after)
        if type_ == LOG_GROUP and told is not None:
            yield f"{one.name} becomes {one.after}: {told.say}"
    gone = [one.name for one in changes if one.after is None and len(one.path) == 1 and one.name != "Tags"]
    if gone:
        yield f"without {', '.join(gone)}, which rendering doesn't write"


def _in_the_way(type_: str) -> str:
    why, before = _IN_THE_WAY.get(
        type_, ("AWS takes no second one like it", "update the stack without it before")
    )
    return f"in the way of the new one: {why} ({before})"


def _gone(resource: Resource) -> str:
    policy = deletion_policy(resource)
    if policy == "Retain":
        return "leaves the stack and stays"
    if resource.type in (RECORD, RECORD_GROUP):
        return (
            "deleted, and its name leads nowhere: write load_balancer.hosted_zone and dns_records, or DeletionPolicy: "
            "Retain into it and update the stack with that before"
        )
    return "deleted, with a last snapshot" if policy == "Snapshot" else "deleted"


def _without_network(network: list[Resource]) -> str:
    """What becomes of a network that isn't rendered."""
    mortal = [one.logical_id for one in network if deletion_policy(one) != "Retain"]
    if not mortal:
        return "leaves the stack and stays: use it as network.existing"
    return (
        "deleted, with all that Keycloak and its database stand in: write DeletionPolicy: Retain into "
        f"{', '.join(mortal)}, update the stack with that before, and use the network as network.existing"
    )


def _retention(scene: Scene) -> None:
    """Writes the longest time that params know for a log that has no end: a shorter one would delete lines."""
    options = scene.keycloak.container["LogConfiguration"]["Options"]
    _without_end(scene, options["awslogs-group"].resource(LOG_GROUP), "keycloak.log.retention_days")
    if scene.draft.has("network.create"):
        for one in scene.view.document.of_type("AWS::EC2::FlowLog"):
            group = scene.view.resolver.properties(one)["LogGroupName"].resource(LOG_GROUP)
            _without_end(scene, group, "network.create.flow_logs.retention_days")


def _zone(scene: Scene) -> None:
    """Asks for the zone of records that lead to Keycloak, where the template names it by something that AWS
    makes or a parameter: without it they would be deleted."""
    for one in scene.view.document.of_type(RECORD):
        properties = scene.view.resolver.properties(one)
        name, zone = properties["Name"].text or "", properties["HostedZoneId"]
        if name.rstrip(".") in scene.hosts and zone and zone.text is None:
            scene.draft.ask("load_balancer.hosted_zone", f"the zone of {one.logical_id}")
            scene.draft.set("load_balancer.dns_records", True)


def _without_end(scene: Scene, group: Resource | None, key: str) -> None:
    if group is None:
        return
    days = scene.view.resolver.properties(group)["RetentionInDays"]
    if days.integer is None:
        scene.correct(
            key,
            RETENTION_DAYS[-1],
            f"{group.logical_id} at {scene.at(group.path)} "
            + ("has an end that the template doesn't tell" if days else "has no end")
            + ": what is older than this is deleted",
        )
