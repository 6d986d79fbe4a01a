"""Which literals and parameters of a template a report doesn't show."""

from __future__ import annotations

import re
from typing import Any

from generator.params.secrets import secret_name

_NAMES = re.compile(r"(SECRET_?STRING|CREDENTIALS?|PRIVATE_?KEY|API_?KEY|ACCESS_?KEY)$", re.IGNORECASE)
"""Names of properties, beside those that params know."""
_VALUES = re.compile(
    r"(?i)-----BEGIN [A-Z ]*PRIVATE KEY|\b(AKIA|ASIA)[A-Z0-9]{16}\b|://[^/@\s:]+:[^/@\s]+@"
    r"|(password|passwd|secret|token)\s*[=:]\s*[^\s;&,}'\"]"
)
_HARMLESS = re.compile(r"(?i)\{\{resolve:[^{}]*\}\}|arn:[\w-]+:[^\s]*|true|false|[0-9]{0,4}|\$\{[^}]*\}")


def hides(path: tuple[str, ...], text: str) -> bool:
    """Whether the literal `text`, written at `path` (names of properties, `[KC_DB]` for an item's), is to be
    hidden: it looks like a secret, or its name says that it is one.

    A dynamic reference or an ARN says where a secret is, not what it is.
    """
    if "Secrets" in path:  # an ECS container's: where its secrets are
        return False
    rest = _HARMLESS.sub("", text) if "{{" in text or text.startswith("arn:") else text
    if not rest.strip() or _HARMLESS.fullmatch(text):
        return False
    if _VALUES.search(rest):
        return True
    name = next((step for step in reversed(path) if step.strip("[]") not in ("Value", "Default")), "")
    name = name.strip("[]")
    if name == "SecretStringTemplate":
        return False
    if _NAMES.search(name) or secret_name(name):
        return True
    if name.startswith(("KC_", "KCRAW_", "KEYCLOAK_")):
        from generator.keycloak import catalog

        return catalog.masked(name)
    return False


def no_echo(parameter: Any) -> bool:
    """Whether a declared parameter is a NoEcho one."""
    return isinstance(parameter, dict) and str(parameter.get("NoEcho")).lower() == "true"
