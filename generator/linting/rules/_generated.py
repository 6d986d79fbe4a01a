"""Passwords that Secrets Manager makes up."""

from __future__ import annotations

import string

from generator.document import Resource
from generator.linting.view import View
from generator.resolving import Place


def wanted(view: View, secret: Resource) -> Place:
    """What a secret is to be made of; falsy if it isn't made up."""
    return view.resolver.properties(secret)["GenerateSecretString"]


def characters(wish: Place) -> str | None:
    """The characters that may be in the password; None where that can't be told."""
    excluded = wish["ExcludeCharacters"]
    if wish.unknown is not None or excluded and excluded.text is None:
        return None
    classes = {
        "ExcludeLowercase": string.ascii_lowercase, "ExcludeUppercase": string.ascii_uppercase,
        "ExcludeNumbers": string.digits, "ExcludePunctuation": string.punctuation,
    }
    found = " " if wish["IncludeSpace"].flag else ""
    for key, chars in classes.items():
        if wish[key] and wish[key].flag is None:
            return None
        found += "" if wish[key].flag else chars
    return "".join(one for one in found if one not in (excluded.text or ""))


def length(wish: Place) -> int | None:
    """How long the password will be, 32 where nothing is said; None where that can't be told."""
    place = wish["PasswordLength"]
    return place.integer if place else 32
