"""W9104: options that have no effect as long as another one is as it is."""

from __future__ import annotations

from collections.abc import Iterator

from generator.linting.rule import Hit, KeycloakRule
from generator.linting.rules import _options as ask
from generator.linting.rules.e9003_hostname_v1 import V1_KEYS
from generator.linting.view import Keycloak


class UnmetCondition(KeycloakRule):
    """An option has no effect, since what it is about is switched off.

    Many options count only where another one is on: `log-syslog-endpoint` with `log=syslog`,
    `tracing-endpoint` with `tracing-enabled=true`. Otherwise Keycloak ignores them; from 25 on it mostly says
    so in the log (`The following used run time options are UNAVAILABLE and will be ignored`).

    Where the other option may be built into an image of one's own, the rule says nothing.

    Bad:

        TaskDefinition:
          Properties:
            ContainerDefinitions:
              - Name: keycloak
                Image: quay.io/keycloak/keycloak:26.7.4
                Command: [start]
                Environment:
                  - {Name: KC_LOG_SYSLOG_ENDPOINT, Value: "syslog.example.com:514"}

    Good:

        TaskDefinition:
          Properties:
            ContainerDefinitions:
              - Name: keycloak
                Image: quay.io/keycloak/keycloak:26.7.4
                Command: [start]
                Environment:
                  - {Name: KC_LOG, Value: "console,syslog"}
                  - {Name: KC_LOG_SYSLOG_ENDPOINT, Value: "syslog.example.com:514"}
    """

    id = "W9104"
    shortdesc = "What an option is about is switched on"
    source_url = "https://www.keycloak.org/server/all-config"
    since = (25, 0)

    def judge(self, keycloak: Keycloak) -> Iterator[Hit]:
        for one in keycloak.options:
            option = ask.option_of(keycloak.catalog, one) if keycloak.catalog else None
            if option is None or not option.when or one.argument or ask.empty(one) or option.key in V1_KEYS:
                continue
            # Switched off, and what it is about is off, too: nothing is lost.
            if one.flag is False or one.value == option.default or ask.met(keycloak, option) is not False:
                continue
            yield Hit.at(
                one.name_place,
                f"{one.name} is ignored: {condition(option.when)}",
                f"see to that, or take {one.name} away",
            )


def condition(when: str) -> str:
    """Keycloak's words for a condition, inside a sentence."""
    return "it is a" + when.removeprefix("A") if when.startswith("Available") else when
