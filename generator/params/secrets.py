"""Literal secrets in params: recognised by the name of the option or by the shape of the value."""

from __future__ import annotations

import re
from collections.abc import Set

_SECRET_NAME = re.compile(r"(^|[_.-])(\w*PASSWORD|PASSWD|PASSPHRASE|\w*SECRET|\w*TOKEN|CREDENTIALS?|(API|ACCESS|PRIVATE|"
                          r"SIGNING|ENCRYPTION|LICENSE)_?KEY|KEY)$", re.IGNORECASE)
"""Suffixes, since `KC_SPI_PASSWORD_HASHING__PROVIDER` or `KC_HTTPS_KEY_STORE_FILE` name no secret."""

_PUBLIC_VALUES = re.compile(r"|true|false|\d{1,6}|arn:aws[a-z-]*:(kms|secretsmanager|ssm):.+", re.IGNORECASE)

_SHAPES = (
    (re.compile(r"-----BEGIN [A-Z ]*PRIVATE KEY-----"), "a private key"),
    (re.compile(r"\b(AKIA|ASIA)[A-Z2-7]{16}\b"), "an AWS access key id"),
    (re.compile(r"(?i)aws.{0,20}(secret|sk).{0,20}[=:]\s*[A-Za-z0-9/+]{40}\b"), "an AWS secret access key"),
    (re.compile(r"(?i)\bjdbc:[a-z0-9:-]+://[^/\s?]*:[^/\s?@]+@"), "a JDBC URL with credentials"),
    (re.compile(r"(?i)\bjdbc:\S*[?&;](password|passwd|sslpassword)=[^&;\s]"), "a JDBC URL with credentials"),
    (re.compile(r"(?i)\b[a-z][a-z0-9+.-]*://[^/\s:@]+:[^/\s@]+@"), "a URL with credentials"),
    (re.compile(r"(?i)(?<![\w-])-D[\w.]*(password|passphrase|secret|token)=[^\s]"), "a password in a JVM option"),
    (re.compile(r"\beyJ[A-Za-z0-9_-]{10,}\.eyJ[A-Za-z0-9_-]{10,}\.[A-Za-z0-9_-]+"), "a JSON web token"),
    (re.compile(r"\b(ghp|gho|ghs|ghr)_[A-Za-z0-9]{36}\b|\bgithub_pat_[A-Za-z0-9_]{40,}"), "a GitHub token"),
)


def secret_in(name: str, value: str, masked: Set[str] = frozenset()) -> str | None:
    """What secret `value`, written under the option or key `name`, is; None if it is none.

    `masked` holds the KC_* names that Keycloak itself masks in its logs. A reference to a secret or to
    a KMS key is no secret, nor is an empty value, a boolean or a small number.
    """
    for shape, what in _SHAPES:
        if shape.search(value):
            return what
    if _PUBLIC_VALUES.fullmatch(value):
        return None
    if name in masked:
        return f"{name}, which Keycloak masks as a secret"
    if _SECRET_NAME.search(name):
        return f"{name}, which by its name is a secret"
    return None
