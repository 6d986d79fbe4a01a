"""E9016: words of the command that hold several."""

from __future__ import annotations

from collections.abc import Iterator

from generator.linting.rule import Hit, KeycloakRule
from generator.linting.view import Keycloak
from generator.linting.view.command import COMMANDS
from generator.resolving import Place


class CommandWords(KeycloakRule):
    """A word of the command holds a blank, which makes it one word that nobody understands.

    ECS hands each item of `Command` to kc.sh as one argument, and no shell takes it apart. `["--verbose
    start"]` is a single option of that name: the server ends with `Option: '--verbose start' is not expected
    to contain whitespace`, in all versions.

    Bad:

        TaskDefinition:
          Properties:
            ContainerDefinitions:
              - Name: keycloak
                Image: quay.io/keycloak/keycloak:26.7.4
                Command: ["--verbose start"]

    Bad (an option with its value):

        TaskDefinition:
          Properties:
            ContainerDefinitions:
              - Name: keycloak
                EntryPoint: [/opt/keycloak/bin/kc.sh]
                Command: [start, "--log-level debug"]

    Good:

        TaskDefinition:
          Properties:
            ContainerDefinitions:
              - Name: keycloak
                Image: quay.io/keycloak/keycloak:26.7.4
                Command: ["--verbose", start]
    """

    id = "E9016"
    shortdesc = "Each word of the command is an item of its own"
    source_url = "https://docs.aws.amazon.com/AmazonECS/latest/APIReference/API_ContainerDefinition.html"

    def judge(self, keycloak: Keycloak) -> Iterator[Hit]:
        if (
            keycloak.image.stock
            and not keycloak.container["EntryPoint"]
            or _is_script(keycloak.container["EntryPoint"])
        ):
            for word, place in joined_words(keycloak):
                yield Hit.at(
                    place,
                    f"no task ever starts: {word!r} reaches Keycloak as one word, and it knows no option of"
                    " that name",
                    f"write its words as items: [{', '.join(word.split())}]",
                )


def joined_words(keycloak: Keycloak) -> Iterator[tuple[str, Place]]:
    """Items of Command that should be several: a command or an option with a blank before its value. A shell takes
    its script apart, and so may a script of the image's."""
    if keycloak.command.script is not None or keycloak.command.program:
        return
    for place in keycloak.container["Command"]:
        word = place.text or ""
        name = word.partition("=")[0]
        first = name.split()[0] if name.split() else ""
        if len(name.split()) > 1 and (first.startswith("-") or first in COMMANDS):
            yield word, place


def _is_script(entry_point: Place) -> bool:
    """Whether an entry point is kc.sh and nothing around it."""
    words = [one.text or "" for one in entry_point]
    return len(words) == 1 and words[0].rpartition("/")[2] == "kc.sh"
