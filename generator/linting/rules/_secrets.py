"""What several rules about secrets and who reads them ask."""

from __future__ import annotations

import json
import re
from typing import Any, NamedTuple

from generator.document import Resource
from generator.linting.view import Keycloak, View
from generator.resolving import Place, Reference, Text

SECRET = "AWS::SecretsManager::Secret"
ATTACHMENT = "AWS::SecretsManager::SecretTargetAttachment"
_DATABASES = ("AWS::RDS::DBInstance", "AWS::RDS::DBCluster")
_MANAGED = "MasterUserSecret.SecretArn"
_LITERAL = re.compile(r"(arn:aws[a-z-]*:secretsmanager:[^:]*:[^:]*:secret:[^:]+)(.*)", re.DOTALL)
_ADDED = ("engine", "host", "port", "dbname", "dbInstanceIdentifier", "dbClusterIdentifier", "masterarn")
"""What Secrets Manager writes into a secret that is attached to a database (Secrets Manager User Guide, "JSON
structure of AWS Secrets Manager database credential secrets")."""


class Address(NamedTuple):
    """What a ValueFrom names."""

    resource: Resource | None
    """The secret of the template, or the database whose master secret it is; None for one elsewhere."""
    rest: str
    """What stands behind the secret's ARN: `:password::`; empty for the whole secret."""

    @property
    def key(self) -> str:
        """The JSON key that is asked for; empty for the whole secret."""
        parts = self.rest.split(":")
        return parts[1] if len(parts) == 4 else ""


def address(place: Place) -> Address | None:
    """Which secret is named, and what of it; None where it is another thing or can't be told."""
    value = place.value
    if isinstance(value, str):
        match = _LITERAL.fullmatch(value)
        return Address(None, match[2]) if match and "{{" not in value else None
    parts = value.parts if isinstance(value, Text) else (value,)
    if not isinstance(parts[0], Reference) or not all(isinstance(one, str) for one in parts[1:]):
        return None
    resource = secret_of(place.resolver.document.resources, parts[0])
    return Address(resource, "".join(map(str, parts[1:]))) if resource is not None else None


def secret_of(resources: dict[str, Resource], reference: Reference) -> Resource | None:
    """The secret that a reference gives the ARN of, or the database whose master secret it is."""
    resource = resources.get(reference.logical_id)
    if resource is None:
        return None
    if resource.type == SECRET and reference.attribute in ("", "Id"):
        return resource
    if resource.type == ATTACHMENT and not reference.attribute:
        named = resource.properties.get("SecretId")
        name = named.get("Ref") if isinstance(named, dict) else None
        found = resources.get(name) if isinstance(name, str) else None
        return found if found is not None and found.type == SECRET else None
    return resource if resource.type in _DATABASES and reference.attribute == _MANAGED else None


def attachments(view: View, secret: Resource) -> list[Resource]:
    """What attaches a secret to a database."""
    return [
        one
        for one in view.resolver.resources(ATTACHMENT)
        if view.resolver.properties(one)["SecretId"].resource(SECRET) is secret
    ]


def keys(view: View, secret: Resource) -> tuple[str, ...] | None:
    """The JSON keys of a secret, none for one that is plain text; None where they can't be told."""
    if secret.type in _DATABASES:
        return ("username", "password")
    properties = view.resolver.properties(secret)
    wanted, written = properties["GenerateSecretString"], properties["SecretString"]
    if written or wanted.unknown is not None:
        found = _object(written)
        names = None if found is None else tuple(found)
    elif not wanted:
        # Somebody writes it later.
        return None
    elif not wanted["SecretStringTemplate"]:
        names = ()
    else:
        found = _object(wanted["SecretStringTemplate"])
        made = wanted["GenerateStringKey"].text
        names = None if found is None or made is None else (*found, made)
    return (*names, *_ADDED) if names and attachments(view, secret) else names


def template_value(view: View, secret: Resource, key: str) -> str | None:
    """What the template writes under a key of a secret, such as the username; None where it doesn't."""
    properties = view.resolver.properties(secret)
    for place in (properties["SecretString"], properties["GenerateSecretString"]["SecretStringTemplate"]):
        value = (_object(place) or {}).get(key)
        if isinstance(value, str):
            return value
    return None


def _object(place: Place) -> dict[str, Any] | None:
    try:
        found = json.loads(place.text) if place.text is not None else None
    except (ValueError, RecursionError):
        return None
    return found if isinstance(found, dict) else None


def dynamic(place: Place) -> Resource | None:
    """The secret that a dynamic reference reads: `{{resolve:secretsmanager:${Secret}:...}}`."""
    value = place.value
    if not isinstance(value, Text) or not str(value).startswith("{{resolve:secretsmanager:"):
        return None
    resources = place.resolver.document.resources
    return next((found for one in value.references if (found := secret_of(resources, one))), None)


def granted_elsewhere(keycloak: Keycloak, secret: Resource | None) -> bool:
    """Whether a policy on the secret itself may let the role read it."""
    view = keycloak.view
    for policy in view.resolver.resources("AWS::SecretsManager::ResourcePolicy"):
        named = view.resolver.properties(policy)["SecretId"].resource(SECRET)
        if secret is None or named is None or named is secret:
            return True
    return False


