"""E9106: a container that is told nothing."""

from __future__ import annotations

from collections.abc import Iterator

from generator.linting.rule import Hit, KeycloakRule
from generator.linting.view import Keycloak


class NothingStarted(KeycloakRule):
    """Keycloak's own image is given no command, so it starts no server.

    The image runs kc.sh, which wants `start`. Without it kc.sh prints its help and ends, ECS starts the next
    task, and that one ends, too. Options alone are no command either.

    Bad:

        TaskDefinition:
          Properties:
            ContainerDefinitions:
              - Name: keycloak
                Image: quay.io/keycloak/keycloak:26.7.4
                Command: []

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
        if (
            not keycloak.image.stock
            or not command.complete
            or command.verb
            or keycloak.container["EntryPoint"]
        ):
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
