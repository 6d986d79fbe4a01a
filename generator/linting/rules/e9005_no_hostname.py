"""E9005: a server that doesn't know its own name."""

from __future__ import annotations

from collections.abc import Iterator

from generator.linting.rule import Hit, KeycloakRule
from generator.linting.rules import _options as ask
from generator.linting.view import Keycloak


class NoHostname(KeycloakRule):
    """Neither `hostname` nor `hostname-strict=false` is set, and `start` wants one of them.

    The server ends with `hostname is not configured; either configure hostname, or set hostname-strict to
    false` (before 25: `Strict hostname resolution configured but no hostname setting provided`), ECS starts
    the next task, and that one ends, too. An empty value counts as none.

    The rule speaks about Keycloak's own image alone, since an image of one's own may bring the name.

    Bad:

        TaskDefinition:
          Properties:
            ContainerDefinitions:
              - Name: keycloak
                Image: quay.io/keycloak/keycloak:26.7.4
                Environment:
                  - {Name: KC_HOSTNAME, Value: ~}

    Good:

        TaskDefinition:
          Properties:
            ContainerDefinitions:
              - Name: keycloak
                Image: quay.io/keycloak/keycloak:26.7.4
                Environment:
                  - {Name: KC_HOSTNAME, Value: "https://sso.example.com"}
    """

    id = "E9005"
    shortdesc = "The server knows its public host name"
    source_url = "https://www.keycloak.org/server/hostname"

    def judge(self, keycloak: Keycloak) -> Iterator[Hit]:
        if keycloak.command.verb != "start" or not ask.absent(keycloak, "hostname"):
            return
        # The old name of the URL counts before 25; later, another rule says what is wrong with it.
        if ask.given(keycloak, "hostname-url") or any(
            "SPI_HOSTNAME" in _plain(one.name) for one in keycloak.options
        ):
            return
        strict = ask.given(keycloak, "hostname-strict")
        if strict is not None and strict.flag is not True:
            return
        found = keycloak.options.get("hostname")
        yield Hit.at(
            found.place if found is not None else keycloak.environment_place,
            "no task ever starts: the server ends with 'hostname is not configured'",
            f"write {ask.entry('hostname', 'https://<public host>')}",
        )


def _plain(name: str) -> str:
    return name.upper().replace("-", "_")
