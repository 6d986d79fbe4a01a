"""I9022: logs as plain text in CloudWatch."""

from __future__ import annotations

from collections.abc import Iterator

from generator.linting.rule import Hit, KeycloakRule
from generator.linting.rules import _options as ask
from generator.linting.view import Keycloak


class PlainLog(KeycloakRule):
    """The log goes to CloudWatch as plain text, line by line.

    The `awslogs` driver makes an event of each line, so a stack trace is dozens of events that belong to
    nobody, and queries and metric filters have to guess where a field begins. With `log-console-output=json`
    each message is one event with fields, also with its stack trace; `awslogs-datetime-format` or
    `awslogs-multiline-pattern` at least keeps the lines of a message together.

    Bad:

        TaskDefinition:
          Properties:
            ContainerDefinitions:
              - Name: keycloak
                Environment:
                  - {Name: KC_LOG_CONSOLE_OUTPUT, Value: default}

    Good:

        TaskDefinition:
          Properties:
            ContainerDefinitions:
              - Name: keycloak
                Environment:
                  - {Name: KC_LOG_CONSOLE_OUTPUT, Value: json}
    """

    id = "I9022"
    shortdesc = "What CloudWatch gets is one event for each message"
    source_url = "https://docs.aws.amazon.com/AmazonECS/latest/developerguide/using_awslogs.html"

    def judge(self, keycloak: Keycloak) -> Iterator[Hit]:
        log, one = keycloak.container["LogConfiguration"], keycloak.options.get("log-console-output")
        handlers = keycloak.options.get("log")
        if log["LogDriver"].text != "awslogs" or log["Options"].unknown is not None:
            return
        if any(log["Options"][name] for name in ("awslogs-datetime-format", "awslogs-multiline-pattern")):
            return
        if handlers is not None and "console" not in (handlers.value or "").split(","):
            return
        if one is not None and one.value == "default" or ask.absent(keycloak, "log-console-output"):
            yield Hit.at(
                one.place if one is not None else log["LogDriver"],
                "each line of a stack trace becomes an event of its own in CloudWatch: the log is plain text",
                f"write {ask.entry('log-console-output', 'json', one)}",
            )
