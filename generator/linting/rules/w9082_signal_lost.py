"""W9082: shells between ECS and Keycloak."""

from __future__ import annotations

import re
from collections.abc import Iterator

from generator.linting.rule import Hit, KeycloakRule
from generator.linting.view import Keycloak

_SHELLS = ("sh", "bash", "ash", "dash")
_EXEC = re.compile(r"(^|[\s;&|(])exec\s+(\S+=\S*\s+)*$")
_MORE = re.compile(r"(?<![<>&])[|;&\n](?!>)")
_INSIDE = re.compile(r"(^|[\s;&|])(if|then|else|do|while|until|\{|\()\s[^;]*$|\($")


class SignalLost(KeycloakRule):
    """A shell script starts Keycloak and stays in front of it.

    ECS sends SIGTERM to the container's first process. A shell that waits for kc.sh doesn't pass it on, so
    Keycloak goes on as if nothing had happened until StopTimeout is over and SIGKILL ends it: no goodbye to
    the cluster, requests cut in the middle, and every deployment waits that long for each task. `exec` makes
    Keycloak the first process.

    The rule speaks where something comes behind kc.sh, a pipe or another command; the last command of a
    script is taken over by bash itself.

    Bad:

        TaskDefinition:
          Properties:
            ContainerDefinitions:
              - Name: keycloak
                EntryPoint: [sh, -c]
                Command: ["/opt/keycloak/bin/kc.sh start --optimized | tee /tmp/keycloak.log"]

    Good:

        TaskDefinition:
          Properties:
            ContainerDefinitions:
              - Name: keycloak
                EntryPoint: [sh, -c]
                Command: ["export KC_DB_SCHEMA=keycloak; exec /opt/keycloak/bin/kc.sh start --optimized"]
    """

    id = "W9082"
    shortdesc = "A start script hands over to Keycloak with exec"
    source_url = "https://www.keycloak.org/server/containers"

    def judge(self, keycloak: Keycloak) -> Iterator[Hit]:
        places = [one for key in ("EntryPoint", "Command") for one in keycloak.container[key]]
        words = [one.text for one in places]
        if not words or (words[0] or "").rpartition("/")[2] not in _SHELLS or "-c" not in words[:-1]:
            return
        number = words.index("-c") + 1
        script = re.sub(r"'[^']*'|\"[^\"]*\"", "''", words[number] or "")
        match = re.search(r"\S*\bkc\.sh\b", script)
        if match is None or _EXEC.search(script[: match.start()]):
            return
        behind = script[match.end() :].strip()
        if _MORE.search(behind.rstrip(";")) or _INSIDE.search(script[: match.start()]):
            yield Hit.at(
                places[number],
                "Keycloak never hears that it is to stop: the shell in front of kc.sh gets SIGTERM, and "
                "SIGKILL ends "
                "Keycloak in the middle of its requests",
                f"write exec {match[0]} ..., as the last command of the script",
            )
