"""Keeps secrets out of what is shown."""

from __future__ import annotations

import re

HIDDEN = "[hidden]"

# A JSON Web Token, whoever made it; the shortest value worth hiding; parameters that are as good as a
# password.
_TOKEN = re.compile(r"eyJ[A-Za-z0-9_-]{8,}(?:\.[A-Za-z0-9_-]+)*")
_SHORTEST = 4
_NAMES = (
    r"(?:session_code|code|code_verifier|client_secret|password|access_token|refresh_token|id_token"
    r"|id_token_hint|token|tab_id|client_data|execution|session_state|state)"
)
_PARAMETER = re.compile(rf'(\b{_NAMES}=)([^\s&"\',;<>]+)|("{_NAMES}"\s*:\s*")((?:[^"\\]|\\.)+)', re.IGNORECASE)
_COOKIE = re.compile(
    r"\b((?:AUTH_SESSION_ID|KEYCLOAK_SESSION|KEYCLOAK_IDENTITY|KC_RESTART|KC_AUTH_SESSION_HASH|"
    r"KC_STATE_CHECKER|AWSALB[A-Z0-9-]*)(?:_LEGACY)?=)([^\s;,]+)"
)


def clean(text: str) -> str:
    """The text without characters that move a terminal's cursor or that XML can't hold: a server's answer is
    no more to be trusted than its secrets are to be shown."""
    return "".join(character if character.isprintable() else "\ufffd" for character in text)


class Secrets:
    """Values that are never to be shown, and the text without them."""

    def __init__(self) -> None:
        self._values: set[str] = set()

    def add(self, *values: str | None) -> None:
        """Hides these from now on. Values too short to be a secret would blank out ordinary words; they are
        left."""
        self._values.update(value for value in values if value and len(value) >= _SHORTEST)

    def hide(self, text: str) -> str:
        """The text with every known secret, every token and every parameter that stands for one replaced."""
        for value in sorted(self._values, key=len, reverse=True):
            text = text.replace(value, HIDDEN)
        text = _TOKEN.sub(HIDDEN, text)
        text = _COOKIE.sub(rf"\g<1>{HIDDEN}", text)
        return _PARAMETER.sub(lambda found: f"{found[1] or found[3]}{HIDDEN}", text)
