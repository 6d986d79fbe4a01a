"""E9106: a container that is told nothing."""

from __future__ import annotations

from collections.abc import Iterator

from generator.linting.rule import Hit, KeycloakRule
from generator.linting.view import Keycloak, shell


class NothingStarted(KeycloakRule):
    """Keycloak's own image is given no command, so it starts no server.

    The image runs kc.sh, which wants `start`. Without it kc.sh prints its help and ends, ECS starts the next
    task, and that one ends, too. Options alone are no command either.

    Nor is another program: the image's entry point is kc.sh, and what stands in `Command` is handed to it. With
    `[sh, -c, ...]` it runs `kc.sh sh -c ...` and ends with `Unknown option: 'sh'` (measured on 24.0.5 and
    26.7.4). A shell has to be the `EntryPoint`.

    Bad:

        TaskDefinition:
          Properties:
            ContainerDefinitions:
              - Name: keycloak
                Image: quay.io/keycloak/keycloak:26.7.4
                Command: []

    Bad (a shell that is no entry point):

        TaskDefinition:
          Properties:
            ContainerDefinitions:
              - Name: keycloak
                Image: quay.io/keycloak/keycloak:26.7.4
                Command: [sh, -c, "exec /opt/keycloak/bin/kc.sh start"]

    Good (with a shell):

        TaskDefinition:
          Properties:
            ContainerDefinitions:
              - Name: keycloak
                Image: quay.io/keycloak/keycloak:26.7.4
                EntryPoint: [sh, -c]
                Command: ["exec /opt/keycloak/bin/kc.sh start"]

    Good:

        TaskDefinition:
          Properties:
            ContainerDefinitions:
              - Name: keycloak
                Image: quay.io/keycloak/keycloak:26.7.4
                Command: [start]
    """

    id = "E9106"
    shortdesc = "The container is told to start a server"
    source_url = "https://www.keycloak.org/server/containers"
    since = (17, 0)

    def judge(self, keycloak: Keycloak) -> Iterator[Hit]:
        command = keycloak.command
        if not keycloak.image.stock or keycloak.container["EntryPoint"]:
            return
        if command.script is not None or command.program or command.names_kc:
            yield from _other_program(keycloak)
            return
        if not command.complete or command.verb:
            return
        words = [word for word, _ in command.words]
        # Words with blanks are another rule's affair; kc.sh knows more commands than the view.
        if any(" " in word or not word.startswith("-") for word in words):
            return
        yield Hit.at(
            command.place if command.place else keycloak.container,
            "every task ends at once: kc.sh is given no command, so it starts no server",
            f"write Command: [{', '.join(['start', *words])}]",
        )


def _other_program(keycloak: Keycloak) -> Iterator[Hit]:
    first, *others = keycloak.container["Command"]
    if not first.text or "${" in first.text:
        return
    if shell.name(first.text) == "kc.sh":
        fix = "take its name away: Command has what kc.sh is given, such as [start]"
    else:
        number = shell.script([one.text or "" for one in (first, *others)])
        flags = [first.text, *(one.text or "" for one in others[:number])]
        script = number is not None and shell.name(first.text) in shell.SHELLS
        words = flags[:number] if script else [first.text]
        fix = f"write EntryPoint: [{', '.join(words)}], and leave in Command what comes behind"
    yield Hit.at(
        first,
        f"every task ends at once: the image's entry point is kc.sh, which takes {first.text} for an option that"
        " it doesn't know",
        fix,
    )
