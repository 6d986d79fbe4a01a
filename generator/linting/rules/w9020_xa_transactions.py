"""W9020: transactions that want a disk."""

from __future__ import annotations

from collections.abc import Iterator

from generator.linting.rule import Hit, KeycloakRule
from generator.linting.rules import _options as ask
from generator.linting.view import Keycloak


class XaTransactions(KeycloakRule):
    """XA transactions are on, where no disk outlives a task.

    To mend what a crash interrupted, XA transactions need a log on stable storage. A Fargate task loses its
    disk with itself: a transaction that was prepared when the task died stays so in the database and keeps
    its locks, until somebody ends it by hand. Keycloak needs XA only with several databases in one
    transaction.

    Bad:

        TaskDefinition:
          Properties:
            ContainerDefinitions:
              - Name: keycloak
                Image: quay.io/keycloak/keycloak:26.7.4
                Command: [start]
                Environment:
                  - {Name: KC_TRANSACTION_XA_ENABLED, Value: "true"}

    Good:

        TaskDefinition:
          Properties:
            ContainerDefinitions:
              - Name: keycloak
                Image: quay.io/keycloak/keycloak:26.7.4
                Command: [start]
                Environment:
                  - {Name: KC_TRANSACTION_XA_ENABLED, Value: "false"}
    """

    id = "W9020"
    shortdesc = "XA transactions are off where no disk outlives a task"
    source_url = "https://www.keycloak.org/server/db"

    def judge(self, keycloak: Keycloak) -> Iterator[Hit]:
        one = keycloak.options.get("transaction-xa-enabled")
        if one is not None and one.flag is True and ask.on_fargate(keycloak):
            yield Hit.at(
                one.place,
                "what a lost task was about to commit stays locked in the database: XA needs a log on a disk"
                " that outlives the task",
                f"write {ask.entry('transaction-xa-enabled', 'false', one)}",
            )
