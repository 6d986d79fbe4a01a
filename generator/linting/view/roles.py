"""IAM roles: what a task may do, as far as the template tells."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

from generator.document import Resource
from generator.linting.view.balancers import matches
from generator.resolving import Place, Reference

if TYPE_CHECKING:
    from generator.linting.view.template import View

ROLE = "AWS::IAM::Role"
SECRET = "AWS::SecretsManager::Secret"
ATTACHMENT = "AWS::SecretsManager::SecretTargetAttachment"
POLICIES = ("AWS::IAM::Policy", "AWS::IAM::ManagedPolicy", "AWS::IAM::RolePolicy")


@dataclass(frozen=True)
class Statement:
    """One statement of a policy."""

    place: Place
    effect: str | None
    actions: tuple[str | None, ...]
    """Lower case; None for one that isn't known."""
    resources: tuple[Place, ...]
    conditional: bool
    """Whether it has a Condition."""


@dataclass(frozen=True, eq=False)
class Role:
    """A role of the template."""

    resource: Resource
    properties: Place
    _view: View

    @property
    def name(self) -> str:
        """Its logical id."""
        return self.resource.logical_id

    @property
    def managed_policies(self) -> tuple[Place, ...]:
        """Its managed policies."""
        return tuple(self.properties["ManagedPolicyArns"])

    @cached_property
    def documents(self) -> tuple[Place, ...]:
        """The policy documents that the template gives it: inline ones and those of policies that name it."""
        found = [one["PolicyDocument"] for one in self.properties["Policies"]]
        for policy in self._view.resolver.resources(*POLICIES):
            properties = self._view.resolver.properties(policy)
            given = any(
                one.reference is not None and one.reference.logical_id == policy.logical_id
                for one in self.managed_policies
            )
            if given or self._named_in(properties) is True:
                found.append(properties["PolicyDocument"])
        return tuple(found)

    @property
    def complete(self) -> bool:
        """Whether the template tells all its policies: no managed policy of elsewhere but AWS's own for
        starting tasks, no part that isn't known, no macro that may bring one."""
        resources = self._view.document.resources
        for one in self.managed_policies:
            known = one.reference is not None and one.reference.logical_id in resources
            text = str(one.value)
            if not known and not text.endswith("service-role/AmazonECSTaskExecutionRolePolicy"):
                return False
        policies = map(self._view.resolver.properties, self._view.resolver.resources(*POLICIES))
        if not self._view.whole or any(self._named_in(one) is None for one in policies):
            return False
        parts = (self.properties["ManagedPolicyArns"], self.properties["Policies"])
        listed = (one["Statement"] for one in self.documents)
        return all(one.unknown is None for one in (*parts, *self.documents, *listed))

    def _named_in(self, policy: Place) -> bool | None:
        """Whether a policy names it as one of its roles, by reference or by the name that it is given; None where
        that can't be told."""
        listed = policy["Roles"]
        names = [one for one in (*listed, policy["RoleName"]) if one]
        answers = [self._is_called(one) for one in names]
        if True in answers:
            return True
        return None if None in answers or listed.unknown is not None else False

    def _is_called(self, named: Place) -> bool | None:
        if named.reference is not None:
            return named.resource(ROLE) is self.resource
        own = self.properties["RoleName"]
        # A name that CloudFormation makes up can't be written anywhere.
        if not own:
            return False if named.text is not None and own.unknown is None else None
        if named.value == own.value:
            return True
        return False if named.text is not None and own.text is not None else None

    @cached_property
    def statements(self) -> tuple[Statement, ...]:
        """The statements of its documents."""
        return tuple(_statements(self.documents))

    def allows(self, action: str, resource: Place | None = None) -> bool | None:
        """Whether it may do `action` (`secretsmanager:GetSecretValue`) with what is written at `resource`, of
        which the logical id or the literal ARN is compared; None where that can't be told."""
        unsure = not self.complete
        for one in self.statements:
            if one.effect != "Allow":
                unsure = True
                continue
            answer = _all((_action(one, action), True if resource is None else _covers(one, resource)))
            if answer and not one.conditional:
                return True
            unsure = unsure or answer is not False
        return None if unsure else False


def _all(answers: tuple[bool | None, ...]) -> bool | None:
    return False if False in answers else None if None in answers else True


def _statements(documents: tuple[Place, ...]) -> Iterator[Statement]:
    for document in documents:
        for place in document["Statement"]:
            listed = place["Action"]
            actions = (None,) if listed.unknown else tuple(one.text.lower() if one.text else None for one in listed)
            negated = bool(place["NotAction"]) or bool(place["NotResource"])
            yield Statement(
                place,
                place["Effect"].text,
                actions,
                tuple(place["Resource"]),
                bool(place["Condition"]) or negated,
            )


def _action(statement: Statement, action: str) -> bool | None:
    for one in statement.actions:
        if one is not None and matches(one, action.lower()):
            return True
    return None if None in statement.actions or statement.conditional and not statement.actions else False


def _covers(statement: Statement, resource: Place) -> bool | None:
    """Whether a statement is about what is written at `resource`; a JSON key behind a secret's ARN doesn't
    count, and neither does whether a literal ARN has the six characters that Secrets Manager adds."""
    wanted = resource.value
    answer: bool | None = None if statement.place["Resource"].unknown else False
    for one in statement.resources:
        value = one.value
        if value == "*":
            return True
        mine, its = _ids(one), _ids(resource)
        if mine and its:
            if mine & its:
                return True
            continue
        if isinstance(value, str) and isinstance(wanted, str):
            bare = _without_key(wanted)
            if matches(value, wanted) or matches(value, bare) or wanted.startswith(value.rstrip("*")):
                return True
            if not matches(value, f"{bare}-??????"):
                continue
        answer = None
    return answer


def _without_key(text: str) -> str:
    """A literal ARN of a secret without the JSON key, stage and version behind it; other text as it is."""
    parts = text.split(":")
    return ":".join(parts[:7]) if parts[2:3] == ["secretsmanager"] else text


def _ids(place: Place) -> set[str]:
    """The logical ids in what is written at `place`; a secret's own for what attaches it to a database, which
    gives the same ARN (AWS::SecretsManager::SecretTargetAttachment, "Return values")."""
    return {_secret_behind(place, one) for one in place.references}


def _secret_behind(place: Place, reference: Reference) -> str:
    found = place.resolver.document.resources.get(reference.logical_id)
    if found is None or found.type != ATTACHMENT or reference.attribute:
        return reference.logical_id
    secret = place.resolver.properties(found)["SecretId"].resource(SECRET)
    return secret.logical_id if secret else reference.logical_id


def role(view: View, place: Place) -> Role | None:
    """The role that is named at `place`, if the template holds it."""
    found = place.resource(ROLE)
    return Role(found, view.resolver.properties(found), view) if found is not None else None
