"""Secrets that Secrets Manager makes up."""

from __future__ import annotations

import json
import string
from collections.abc import Iterator
from typing import Any

from generator.linting.checks.base import flag, integer, is_given, mapping, text
from generator.linting.rule import Hit, Rule
from generator.linting.view import View

_CLASSES = {
    "ExcludeLowercase": string.ascii_lowercase,
    "ExcludeUppercase": string.ascii_uppercase,
    "ExcludeNumbers": string.digits,
    "ExcludePunctuation": string.punctuation,
}


class GeneratedSecret(Rule):
    """Secrets Manager makes the password when the stack is deployed, and only then reads what
    it was asked for.

    The template and the key go together ("If you specify this parameter, then you must also specify
    SecretStringTemplate"), the template is a JSON structure, and a password has to have room for every type
    of character it must contain ("Password length is too short based on the required types").
    """

    id = "E9571"
    shortdesc = "A generated secret can be generated"
    source_url = (
        "https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/"
        "aws-properties-secretsmanager-secret-generatesecretstring.html"
    )

    def hits(self, view: View) -> Iterator[Hit]:
        for secret in view.document.of_type("AWS::SecretsManager::Secret"):
            wanted = mapping(secret.properties, "GenerateSecretString")
            path = (*secret.path, "Properties", "GenerateSecretString")
            both = ("GenerateSecretString", "SecretString")
            if all(is_given(secret.properties.get(key)) for key in both):
                yield Hit((*path[:-1], "SecretString"), "not possible together with GenerateSecretString")
            for one, other in (
                ("SecretStringTemplate", "GenerateStringKey"),
                ("GenerateStringKey", "SecretStringTemplate"),
            ):
                if is_given(wanted.get(one)) and other not in wanted:
                    yield Hit((*path, one), f"{one} without {other}", f"add {other}")
            template = text(wanted.get("SecretStringTemplate"))
            if template is not None and not _is_structure(template):
                yield Hit((*path, "SecretStringTemplate"), "no JSON structure of keys and values")
            yield from self._length(wanted, path)

    def _length(self, wanted: dict[str, Any], path: tuple) -> Iterator[Hit]:
        length = integer(wanted.get("PasswordLength", 32))
        excluded = wanted.get("ExcludeCharacters", "")
        if length is None or not isinstance(excluded, str):
            return
        left = [
            chars
            for key, chars in _CLASSES.items()
            if not flag(wanted.get(key)) and set(chars) - set(excluded)
        ]
        if not 1 <= length <= 4096:
            yield Hit((*path, "PasswordLength"), f"{length} characters: Secrets Manager takes 1 to 4096")
        elif not left and not flag(wanted.get("IncludeSpace")):
            yield Hit(path, "every character is excluded")
        elif flag(wanted.get("RequireEachIncludedType", True)) and length < len(left):
            message = f"{length} characters have no room for one of each of {len(left)} types"
            yield Hit((*path, "PasswordLength"), message, "write a longer length")


def _is_structure(template: str) -> bool:
    try:
        return isinstance(json.loads(template), dict)
    except ValueError:
        return False
