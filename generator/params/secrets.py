"""Literal secrets in params: recognised by the name of the option or by the shape of the value."""

from __future__ import annotations

import re
from collections.abc import Callable

_SECRET_NAME = re.compile(r"(^|[_.-])(\w*PASSWORD|PASS|PASSWD|PASSPHRASE|\w*SECRET|\w*TOKEN|CREDENTIALS?|"
                          r"(API|ACCESS|PRIVATE|SIGNING|ENCRYPTION|LICENSE)_?KEY)$", re.IGNORECASE)
"""Suffixes, since `KC_SPI_PASSWORD_HASHING__PROVIDER` or `KC_HTTPS_KEY_STORE_FILE` name no secret."""

_CATEGORY_NAME = "KC_LOG_LEVEL_"
"""What follows is the name of a log category, such as ORG_KEYCLOAK_TOKEN."""

_KEY_NAME = re.compile(r"(?<!PUBLIC)(?<!SITE)_KEY$", re.IGNORECASE)
_RANDOM = re.compile(r"(?=[^0-9]*[0-9])(?=[^A-Za-z]*[A-Za-z])[A-Za-z0-9+/=_-]{16,}")
"""A key of some sort is a secret only where its value looks drawn by lot: `KC_SPI_…_KEY` can be the key of a map."""

_PUBLIC_VALUES = re.compile(r"|true|false|\d{1,6}|arn:aws[a-z-]*:\S+|\$\{[\w.-]+\}", re.IGNORECASE)

_NO_REFERENCE = r"(?!\$\{|(?:true|false|\d{1,6})(?:[&;\s]|$))"
_SHAPES = tuple((re.compile(shape), what) for shape, what in (
    (r"-----BEGIN [A-Z ]*PRIVATE KEY( BLOCK)?-----", "a private key"),
    (r"\b(AKIA|ASIA)[A-Z2-7]{16}\b", "an AWS access key id"),
    (r"(?i)aws.{0,20}(secret|sk).{0,20}[=:]\s*[A-Za-z0-9/+]{40}\b", "an AWS secret access key"),
    (r"(?i)\bjdbc:[a-z0-9:-]+://[^/\s?:]*:(?!\$\{)[^/\s?@]+@", "a JDBC URL with credentials"),
    (rf"(?i)[?&;](password|passwd|pwd|\w*storepassword|sslpassword)={_NO_REFERENCE}[^&;\s]",
     "a password in connection properties"),
    (r"(?i)\b[a-z][a-z0-9+.-]*://[^/\s:@?#]*:(?!\$\{)[^/\s@?#]+@", "a URL with credentials"),
    (rf"(?i)(?<![\w-])-D[\w.-]*(password|passphrase|secret|token|api[_.-]?key)={_NO_REFERENCE}\S",
     "a password in a JVM option"),
    (r"\beyJ[A-Za-z0-9_-]{10,}\.eyJ[A-Za-z0-9_-]{10,}\.[A-Za-z0-9_-]+", "a JSON web token"),
    (r"\bgh[opsur]_[A-Za-z0-9]{36}\b|\bgithub_pat_[A-Za-z0-9_]{40,}", "a GitHub token"),
    (r"\bglpat-[A-Za-z0-9_-]{20,}", "a GitLab token"),
    (r"\bxox[abeoprs]-[A-Za-z0-9-]{20,}", "a Slack token"),
))


def secret_in(name: str, value: str, masked: Callable[[str], bool] = lambda name: False) -> str | None:
    """What secret `value`, written under the option or key `name`, is; None if it is none.

    `masked` tells the KC_* names that Keycloak itself masks in its logs. A reference to a secret is no secret, nor is
    an empty value, a boolean or a small number. An empty `name` leaves the judgement to the shape of the value.
    """
    for shape, what in _SHAPES:
        if shape.search(value):
            return what
    if _PUBLIC_VALUES.fullmatch(value) or name.startswith(_CATEGORY_NAME):
        return None
    if name.startswith("KC") and masked(name):  # asked late: answering takes every version's catalog
        return f"{name}, which Keycloak masks as a secret"
    if _SECRET_NAME.search(name) or (_KEY_NAME.search(name) and _RANDOM.fullmatch(value)):
        return f"{name}, which by its name is a secret"
    return None
