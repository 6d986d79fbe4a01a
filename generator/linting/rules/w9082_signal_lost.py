"""W9082: shells between ECS and Keycloak."""

from __future__ import annotations

from collections.abc import Iterator

from generator.linting.rule import Hit, KeycloakRule
from generator.linting.view import Keycloak, shell


class SignalLost(KeycloakRule):
    """A shell script starts Keycloak and stays in front of it.

    ECS sends SIGTERM to the container's first process. A shell that waits for kc.sh doesn't pass it on, so
    Keycloak goes on as if nothing had happened until StopTimeout is over and SIGKILL ends it: no goodbye to
    the cluster, requests cut in the middle, and every deployment waits that long for each task. `exec` makes
    Keycloak the first process.

    The rule speaks where something comes behind the server's kc.sh, a pipe or another command; the last command
    of a script is taken over by bash itself, and a `trap` may pass the signal on.

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
        first = next((one for key in ("EntryPoint", "Command") for one in keycloak.container[key]), None)
        stays, script = keycloak.command.stays, keycloak.command.script
        if first is None or stays is None or script is None or shell.name(first.text or "") not in shell.SHELLS:
            return
        # A trap may pass the signal on.
        if stays.executed or stays.last or any(one.program == "trap" for one in keycloak.command.calls):
            return
        called = next(word for word in stays.words if shell.name(word) == "kc.sh")
        yield Hit.at(
            script,
            "Keycloak never hears that it is to stop: the shell in front of kc.sh gets SIGTERM, and SIGKILL ends"
            " Keycloak in the middle of its requests",
            f"write exec {called} ..., as the last command of the script",
        )
