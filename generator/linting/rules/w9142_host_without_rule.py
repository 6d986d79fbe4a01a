"""W9142: a host that no rule names."""

from __future__ import annotations

from collections.abc import Iterator

from generator.linting.rule import Hit, KeycloakRule
from generator.linting.rules._balancer import alias_of, all_known, forwards, hostnames, may_take, other_fronts
from generator.linting.view import Keycloak


class HostWithoutRule(KeycloakRule):
    """Keycloak's links lead to a host that no rule of the balancer forwards.

    Every rule that forwards to Keycloak asks for other hosts, so whoever follows a link, say from the login
    page to the next one or from the welcome page to the console, meets the listener's default action. Only a
    proxy in front of the balancer that changes the Host header, or another way to the host, would mend that.

    Bad:

        TaskDefinition:
          Properties:
            ContainerDefinitions:
              - Name: keycloak
                Environment:
                  - {Name: KC_HOSTNAME_ADMIN, Value: "https://sso-admin.example.com"}

    Bad (the public host):

        TaskDefinition:
          Properties:
            ContainerDefinitions:
              - Name: keycloak
                Environment:
                  - {Name: KC_HOSTNAME, Value: "https://login.example.com"}

    Good:

        TaskDefinition:
          Properties:
            ContainerDefinitions:
              - Name: keycloak
                Environment:
                  - {Name: KC_HOSTNAME_ADMIN, Value: "https://sso-admin.example.com"}
        AdminRule:
          Properties:
            Conditions:
              - {Field: host-header, HostHeaderConfig: {Values: [sso-admin.example.com]}}
    """

    id = "W9142"
    shortdesc = "The hosts in Keycloak's links are forwarded by a rule"
    source_url = "https://www.keycloak.org/server/hostname"

    def judge(self, keycloak: Keycloak) -> Iterator[Hit]:
        if not all_known(keycloak) or other_fronts(keycloak.view):
            return
        found = forwards(keycloak)
        for setting, host, what in hostnames(keycloak):
            if any(may_take(one, None, host) for one in found):
                continue
            if alias_of(keycloak.view, host) in keycloak.load_balancers:
                continue  # E9057
            named = sorted({text for one in found for condition in one.of("host-header") for text in condition.texts})
            yield Hit.at(
                setting.place,
                f"links to {what} lead to {host}, which no rule forwards to Keycloak: they are for {', '.join(named)}",
                f"write {host} into the host-header condition of a rule that forwards to Keycloak",
            )
