"""Where secrets come from: Secrets Manager, the Parameter Store, parameters that nobody may see."""

from __future__ import annotations

import json
import re
from typing import Any

from generator.document import Resource
from generator.rehearsing.reading.madeup import CLUSTER, INSTANCE, POSTGRES_PORT, MadeUp
from generator.rehearsing.reading.scene import Scene, plain
from generator.rehearsing.topology import SecretField
from generator.resolving import NO_VALUE, Place, Reference, Text, Unknown, scalar_text

SECRET = "AWS::SecretsManager::Secret"
ATTACHMENT = "AWS::SecretsManager::SecretTargetAttachment"
STORED = "AWS::SSM::Parameter"

_DYNAMIC = re.compile(r"\{\{resolve:(secretsmanager|ssm-secure):([^{}]+)\}\}")

# What RDS adds to a secret that is attached to a database (Secrets Manager user guide, JSON structure of
# secrets).
_ATTACHED = (
    "engine",
    "host",
    "port",
    "dbname",
    "dbInstanceIdentifier",
    "dbClusterIdentifier",
    "username",
    "password",
)


class Secrets:
    """Follows what a template says about a secret to where its value comes from."""

    def __init__(self, scene: Scene, made_up: MadeUp):
        self._scene = scene
        self._made_up = made_up

    def value_from(self, place: Place) -> SecretField | None:
        """What a container's `ValueFrom` names; None, with a problem, where it can't be told.

        Its forms: ARN or name of a parameter, ARN of a secret with `:json-key:version-stage:version-id`
        behind it (ECS developer guide, "Pass sensitive data").
        """
        place = place.seen_by(self._scene.resolver)
        parts = _parts(place.value)
        if not parts:
            self._scene.unknown(place, "where the secret comes from")
            return None
        head, tail = parts[0], parts[1:]
        if isinstance(head, str):
            last = parts[-1]
            if isinstance(last, Reference) and self._type(last) == STORED:
                return self._owned(last, "", place)
            return self._outside(
                "".join(part if isinstance(part, str) else plain(str(part)) for part in parts), place
            )
        rest = "".join(part if isinstance(part, str) else "" for part in tail)
        fields = rest.split(":")
        field = fields[1] if len(fields) > 1 else ""
        if isinstance(head, Unknown):
            return SecretField(
                plain(head.name) if head.name else f"secret-{place.line}", self._field(field, place)
            )
        return self._owned(head, field, place)

    def dynamic(self, place: Place) -> SecretField | None:
        """The secret that a value which is one dynamic reference as a whole, or a parameter that nobody sees,
        stands for; None for any other value."""
        place = place.seen_by(self._scene.resolver)
        value = place.value
        if isinstance(value, Unknown) and value.parameter and self._is_hidden(value.parameter):
            return SecretField(value.parameter)
        parts = _parts(value)
        if not parts or not isinstance(parts[0], str) or not parts[0].startswith("{{resolve:"):
            return None
        marks = {f"\x00{i}\x00": part for i, part in enumerate(parts) if not isinstance(part, str)}
        names = {id(part): mark for mark, part in marks.items()}
        match = _DYNAMIC.fullmatch(
            "".join(part if isinstance(part, str) else names[id(part)] for part in parts)
        )
        if match is None:
            return None
        if match[1] == "ssm-secure":
            return SecretField(self._readable(match[2], marks))
        secret, _, rest = match[2].partition(":SecretString")
        fields = rest.split(":")
        field = fields[1] if len(fields) > 1 else ""
        target = marks.get(secret)
        if isinstance(target, Reference):
            return self._owned(target, field, place)
        return SecretField(self._readable(secret, marks), self._field(field, place))

    def literal(self, place: Place, name: str) -> SecretField | None:
        """The user or password that a database's own property gives: known text, a secret, a parameter."""
        if not place:
            return None
        found = self.dynamic(place)
        if found is not None:
            return found
        text = place.text
        if text is not None:
            return SecretField(name, literal=self._scene.clean(place, name, text))
        value = place.value
        if isinstance(value, Unknown) and value.name:
            return SecretField(plain(value.name))
        if isinstance(value, Reference):
            return self._owned(value, "", place)
        return SecretField(name)

    def managed(self, database: Resource, field: str) -> SecretField:
        """A field of the secret that RDS itself keeps for a database with ManageMasterUserPassword."""
        literal = None
        if field == "username":
            literal = self._scene.resolver.properties(database)["MasterUsername"].text
        return SecretField(f"{database.logical_id}.MasterUserSecret", field, literal)

    # --- secrets of the template ---

    def _owned(self, reference: Reference, field: str, place: Place) -> SecretField | None:
        scene = self._scene
        resource = scene.document.resources[reference.logical_id]
        field = self._field(field, place)
        if resource.type == STORED:
            value = scene.resolver.properties(resource)["Value"].value
            return self._piece(value, SecretField(resource.logical_id))
        if resource.type in (INSTANCE, CLUSTER) and reference.attribute.startswith("MasterUserSecret"):
            if field not in ("", "username", "password"):
                scene.problem(
                    place,
                    f"the secret that RDS keeps for {resource.logical_id} has no key {field!r}",
                    "its keys are username and password",
                )
            return self.managed(resource, field)
        if resource.type == ATTACHMENT:
            secret = scene.resolver.properties(resource)["SecretId"].resource(SECRET)
            if secret is not None:
                resource = secret
        if resource.type != SECRET:
            return SecretField(str(reference), field)
        return self._in_secret(resource, field, place)

    def _in_secret(self, secret: Resource, field: str, place: Place) -> SecretField | None:
        scene = self._scene
        here = SecretField(secret.logical_id, field)
        attached = self._attached(secret)
        if field in attached:
            return SecretField(secret.logical_id, field, attached[field])
        keys = self._keys(secret)
        if keys is None or not field:
            whole = scene.resolver.properties(secret)["SecretString"].value
            return here if field or whole is NO_VALUE else self._piece(whole, here)
        known = sorted({*keys, *attached})
        if field not in keys:
            message = f"the secret {secret.logical_id} has no key {field!r}, so ECS can't start the task"
            scene.problem(place, message, f"its keys are {', '.join(known)}" if known else "it isn't JSON")
            return here
        return self._piece(keys[field], here)

    def _keys(self, secret: Resource) -> dict[str, Any] | None:
        """Keys of the secret's JSON to their values, NO_VALUE for the generated one; None where nobody can
        tell."""
        properties = self._scene.resolver.properties(secret)
        generated = properties["GenerateSecretString"]
        if generated:
            template = generated["SecretStringTemplate"]
            if not template:
                return {}
            keys = _json_keys(template.value)
            if keys is None:
                return None
            key = generated["GenerateStringKey"].text
            return {**keys, key: NO_VALUE} if key else keys
        return _json_keys(properties["SecretString"].value)

    def _attached(self, secret: Resource) -> dict[str, str | None]:
        """What an attachment to a database adds to the secret, with the values that are known."""
        resolver = self._scene.resolver
        for attachment in resolver.resources(ATTACHMENT):
            properties = resolver.properties(attachment)
            database = properties["TargetId"].resource(INSTANCE, CLUSTER)
            if properties["SecretId"].resource(SECRET) is not secret or database is None:
                continue
            settings = resolver.properties(database)
            kind = "dbInstanceIdentifier" if database.type == INSTANCE else "dbClusterIdentifier"
            found = {
                "engine": "postgres",
                "host": self._made_up(Reference(database.logical_id, "Endpoint.Address")),
                "port": str(settings["Port"].integer or POSTGRES_PORT),
                "dbname": settings["DBName"].text or settings["DatabaseName"].text or "postgres",
                kind: self._made_up(Reference(database.logical_id, "Endpoint.Address")).split(".")[0],
            }
            return {key: found[key] for key in _ATTACHED if key in found}
        return {}

    def _piece(self, value: Any, here: SecretField) -> SecretField:
        """`here` with the value that the template shows, or the parameter that the value comes from."""
        if isinstance(value, Unknown) and value.parameter:
            return SecretField(value.parameter)
        text = scalar_text(value)
        return here if text is None or "{{resolve:" in text else SecretField(here.secret, here.field, text)

    # --- names ---

    def _outside(self, text: str, place: Place) -> SecretField:
        """A secret or parameter that exists already, by ARN or name."""
        self._scene.clean(place, "the name of the secret", text)
        parts = text.split(":")
        if text.startswith("arn:") and len(parts) > 6 and parts[2] == "secretsmanager":
            field = parts[7] if len(parts) > 7 else ""
            return SecretField(":".join(parts[:7]), self._field(field, place))
        return SecretField(text)

    def _field(self, field: str, place: Place) -> str:
        return self._scene.clean(place, "the key of the secret", field)

    def _type(self, reference: Reference) -> str:
        return self._scene.document.resources[reference.logical_id].type

    def _is_hidden(self, parameter: str) -> bool:
        return self._scene.resolver.place(("Parameters", parameter, "NoEcho")).flag is True

    @staticmethod
    def _readable(text: str, marks: dict[str, Any]) -> str:
        for mark, part in marks.items():
            text = text.replace(mark, plain(str(part)))
        return text


def _parts(value: Any) -> list[Any]:
    if isinstance(value, Text):
        return list(value.parts)
    return [value] if isinstance(value, (str, Reference, Unknown)) and value != "" else []


def _json_keys(value: Any) -> dict[str, Any] | None:
    """The mapping in a JSON text, in which parts that aren't known stand as values; None where there is
    none."""
    marks: dict[str, Any] = {}
    text = ""
    for i, part in enumerate(_parts(value)):
        if not isinstance(part, str):
            marks[f"\ue000{i}"] = part
            part = f"\ue000{i}"
        text += part
    try:
        found = json.loads(text)
    except (ValueError, RecursionError):
        return None
    if not isinstance(found, dict):
        return None
    return {
        str(key): marks.get(inner, inner) if isinstance(inner, str) else inner for key, inner in found.items()
    }
