"""W9102: options and values that will be gone."""

from __future__ import annotations

from collections.abc import Iterator

from generator.keycloak import advice
from generator.keycloak.catalog import Option
from generator.linting.rule import Hit, KeycloakRule
from generator.linting.rules import _options as ask
from generator.linting.rules.e9003_hostname_v1 import V1_KEYS
from generator.linting.view import Keycloak, Setting

# Other rules say more about these.
_OTHER_RULES = ("proxy", "cache-stack", "http-accept-non-normalized-paths")


class DeprecatedOption(KeycloakRule):
    """An option, or the value that it has, is deprecated in this version.

    It works today, with a warning at each start (`The following used options or option values are DEPRECATED
    and will be removed`). In the version that removes it a variable is ignored without a word, and an option
    of the command or an unknown value stops the start.

    Bad:

        TaskDefinition:
          Properties:
            ContainerDefinitions:
              - Name: keycloak
                Environment:
                  - {Name: KC_TRACING_SERVICE_NAME, Value: sso}

    Bad (one value of it):

        TaskDefinition:
          Properties:
            ContainerDefinitions:
              - Name: keycloak
                Environment:
                  - {Name: KC_TLS_HOSTNAME_VERIFIER, Value: WILDCARD}

    Good:

        TaskDefinition:
          Properties:
            ContainerDefinitions:
              - Name: keycloak
                Environment:
                  - {Name: KC_TELEMETRY_SERVICE_NAME, Value: sso}
                  - {Name: KC_TLS_HOSTNAME_VERIFIER, Value: DEFAULT}
    """

    id = "W9102"
    shortdesc = "No option and no value is deprecated"
    source_url = "https://www.keycloak.org/server/all-config"

    def judge(self, keycloak: Keycloak) -> Iterator[Hit]:
        if keycloak.catalog is None:
            return
        for one in keycloak.options:
            option = ask.option_of(keycloak.catalog, one)
            if option is None or ask.empty(one) or option.key in _OTHER_RULES:
                continue
            if option.key in V1_KEYS and ask.hostname_v1(keycloak) is not True:
                continue
            if option.deprecated:
                yield Hit.at(
                    one.name_place,
                    f"{one.name} is deprecated in Keycloak {keycloak.version}: a later version ignores it, or"
                    " refuses to start",
                    _fix(keycloak, option, one, "", option.deprecated),
                )
                continue
            for value in (one.value or "").split(","):
                if value.strip() in option.deprecated_values:
                    yield Hit.at(
                        one.place,
                        f"the value {value.strip()} of {one.name} is deprecated in Keycloak"
                        f" {keycloak.version}: a later version refuses to start with it",
                        _fix(keycloak, option, one, value.strip(), option.deprecated_note),
                    )


def _fix(keycloak: Keycloak, option: Option, one: Setting, value: str, said: str) -> str:
    found = advice.replacement(option.key, keycloak.version, value) if keycloak.version else None
    nothing = said.startswith("Keycloak names nothing")
    text = found.say if found is not None else "" if nothing else said
    if found is not None and found.use and not text.startswith("Use "):
        name = advice.variable(found.use[0])
        text = f"use {name} instead. {text}" if name not in text else text
    text = text or f"do without {value or one.name}"
    return (text[0].lower() + text[1:]).strip().rstrip(".").replace("\n", " ")
