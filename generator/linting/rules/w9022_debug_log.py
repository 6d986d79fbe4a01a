"""W9022: everything in the log."""

from __future__ import annotations

from collections.abc import Iterator

from generator.linting.rule import Hit, KeycloakRule
from generator.linting.rules import _options as ask
from generator.linting.view import Keycloak

_TALKATIVE = ("debug", "trace", "all", "fine", "finer", "finest")


class DebugLog(KeycloakRule):
    """Everything is logged in detail, whatever part of the server it comes from.

    A root level of `debug` or `trace` also logs what the server's HTTP client sends and gets
    (`org.apache.http.wire`), with all parameters, passwords among them, and many lines for each login, which
    CloudWatch bills. To look into one matter, set the level of one category:
    `info,org.keycloak.events:debug`.

    Bad:

        TaskDefinition:
          Properties:
            ContainerDefinitions:
              - Name: keycloak
                Environment:
                  - {Name: KC_LOG_LEVEL, Value: debug}

    Good:

        TaskDefinition:
          Properties:
            ContainerDefinitions:
              - Name: keycloak
                Environment:
                  - {Name: KC_LOG_LEVEL, Value: "info,org.keycloak.events:debug"}
    """

    id = "W9022"
    shortdesc = "The root log level is info or above"
    source_url = "https://github.com/keycloak/keycloak/issues/27752"

    def judge(self, keycloak: Keycloak) -> Iterator[Hit]:
        one = keycloak.options.get("log-level")
        # The console may have a level of its own, above the root's.
        if one is None or one.value is None or keycloak.options.get("log-console-level"):
            return
        roots = [level.strip().lower() for level in one.value.split(",") if ":" not in level]
        if roots and roots[-1] in _TALKATIVE:
            yield Hit.at(
                one.place,
                "what goes over the wire is logged, passwords too, and every line costs: the root level is "
                f"{roots[-1]}",
                f"write {ask.entry('log-level', 'info', one)}, and a category behind a comma for what is"
                " looked into",
            )
