"""W9016: words of the command that hold several, before an entry point that isn't known."""

from __future__ import annotations

from collections.abc import Iterator

from generator.linting.rule import Hit, KeycloakRule
from generator.linting.rules.e9016_command_words import joined_words
from generator.linting.view import Keycloak


class CommandWordsOfOwnImage(KeycloakRule):
    """A word of the command holds a blank, and nobody but a script of the image could take it apart.

    ECS hands each item of `Command` to the image's entry point as one argument. Where that is kc.sh, as in
    Keycloak's own image and those made from it, the server ends with `Option: '--verbose start' is not
    expected to contain whitespace`.

    Bad:

        TaskDefinition:
          Properties:
            ContainerDefinitions:
              - Name: keycloak
                Command: ["start --optimized"]

    Good:

        TaskDefinition:
          Properties:
            ContainerDefinitions:
              - Name: keycloak
                Command: [start, --optimized]
    """

    id = "W9016"
    shortdesc = "Each word of the command is an item of its own, whatever the image"
    source_url = "https://docs.aws.amazon.com/AmazonECS/latest/APIReference/API_ContainerDefinition.html"

    def judge(self, keycloak: Keycloak) -> Iterator[Hit]:
        if keycloak.image.stock or keycloak.container["EntryPoint"]:
            return
        for word, place in joined_words(keycloak):
            yield Hit.at(
                place,
                f"no task starts unless the image has a script that takes {word!r} apart: ECS hands it over"
                " as one word",
                f"write its words as items: [{', '.join(word.split())}]",
            )
