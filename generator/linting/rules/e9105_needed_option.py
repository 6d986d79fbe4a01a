"""E9105: options that stop the start without another one."""

from __future__ import annotations

from collections.abc import Iterator

from generator.linting.rule import Hit, KeycloakRule
from generator.linting.rules import _options as ask
from generator.linting.rules.e9003_hostname_v1 import V1_KEYS
from generator.linting.rules.w9104_unmet_condition import condition
from generator.linting.view import Keycloak

_NEEDS = {
    "proxy-trusted-addresses": "proxy-headers",
    "bootstrap-admin-username": "bootstrap-admin-password",
    "bootstrap-admin-client-id": "bootstrap-admin-client-secret",
}
"""Measured on 26.0.8 and 26.7.4: `... available only when ... is set`, exit code 2; the third one is in the same
class."""


class NeededOption(KeycloakRule):
    """An option is set without the one that it needs, and Keycloak refuses to start.

    Most options that need another one are ignored without it. These end the server: `proxy-trusted-addresses`
    without `proxy-headers`, `bootstrap-admin-username` without `bootstrap-admin-password` (`available only
    when bootstrap admin password is set`), also on a database that has its administrator long since; and any
    option of the command line whose condition isn't met (`Disabled option`).

    Where the other option may be built into an image of one's own, the rule says nothing.

    Bad:

        TaskDefinition:
          Properties:
            ContainerDefinitions:
              - Name: keycloak
                Image: quay.io/keycloak/keycloak:26.7.4
                Command: [start]
                Secrets:
                  - {Name: KC_BOOTSTRAP_ADMIN_PASSWORD, ValueFrom: ~}

    Bad (on the command line):

        TaskDefinition:
          Properties:
            ContainerDefinitions:
              - Name: keycloak
                Image: quay.io/keycloak/keycloak:26.7.4
                Command: [start, "--log-syslog-endpoint=syslog.example.com:514"]

    Good:

        TaskDefinition:
          Properties:
            ContainerDefinitions:
              - Name: keycloak
                Image: quay.io/keycloak/keycloak:26.7.4
                Command: [start]
                Environment:
                  - {Name: KC_BOOTSTRAP_ADMIN_USERNAME, Value: temp-admin}
                Secrets:
                  - {Name: KC_BOOTSTRAP_ADMIN_PASSWORD, ValueFrom: !Sub "${AdminSecret}:password::"}
    """

    id = "E9105"
    shortdesc = "No option stands without the one that it can't do without"
    source_url = "https://www.keycloak.org/server/all-config"
    since = (25, 0)

    def judge(self, keycloak: Keycloak) -> Iterator[Hit]:
        for key, other in _NEEDS.items():
            one = ask.given(keycloak, key)
            if one is None or not keycloak.at_least(26) or not ask.absent(keycloak, other):
                continue
            if keycloak.options.variable("KEYCLOAK_ADMIN_PASSWORD") is None:
                yield Hit.at(
                    one.name_place,
                    f"no task ever starts: Keycloak refuses {one.name} without {other}",
                    f"set {ask.variable(other)}, or take {one.name} away",
                )
        for one in keycloak.options:
            option = ask.option_of(keycloak.catalog, one) if one.argument and keycloak.catalog else None
            if option is not None and option.key not in V1_KEYS and ask.met(keycloak, option) is False:
                yield Hit.at(
                    one.name_place,
                    f"no task ever starts: {one.name} is refused, since {condition(option.when)}",
                    f"see to that, or take {one.name} away",
                )
