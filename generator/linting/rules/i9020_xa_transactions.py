"""I9020: transactions that want a disk, by default."""

from __future__ import annotations

from collections.abc import Iterator

from generator.linting.rule import Hit, KeycloakRule
from generator.linting.rules import _options as ask
from generator.linting.view import Keycloak


class XaByDefault(KeycloakRule):
    """XA transactions are on by default, where no disk outlives a task.

    Up to 24, `transaction-xa-enabled` is true unless it is set; from 25 on it is false. XA needs a log on
    stable storage to mend what a crash interrupted, and a Fargate task has none.

    Bad:

        TaskDefinition:
          Properties:
            ContainerDefinitions:
              - Name: keycloak
                Image: quay.io/keycloak/keycloak:24.0.5
                Command: [start]

    Good:

        TaskDefinition:
          Properties:
            ContainerDefinitions:
              - Name: keycloak
                Image: quay.io/keycloak/keycloak:24.0.5
                Command: [start]
                Environment:
                  - {Name: KC_TRANSACTION_XA_ENABLED, Value: "false"}
    """

    id = "I9020"
    shortdesc = "XA transactions are off on Fargate, also where they are the default"
    source_url = "https://www.keycloak.org/docs/latest/upgrading/#default-value-for-xa-transactions-changed"
    before = (25, 0)

    def judge(self, keycloak: Keycloak) -> Iterator[Hit]:
        if ask.absent(keycloak, "transaction-xa-enabled") and ask.on_fargate(keycloak):
            yield Hit.at(
                keycloak.environment_place,
                f"XA transactions are on by default in Keycloak {keycloak.release}, and a Fargate task has no"
                " disk for their log",
                f"write {ask.entry('transaction-xa-enabled', 'false')}",
            )
