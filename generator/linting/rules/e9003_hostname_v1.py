"""E9003: host name options of the first model that say what is lost."""

from __future__ import annotations

from collections.abc import Iterator

from generator.linting.rule import Hit, KeycloakRule
from generator.linting.rules import _options as ask
from generator.linting.view import Keycloak, Setting

V1_KEYS = (
    "hostname-url",
    "hostname-admin-url",
    "hostname-path",
    "hostname-port",
    "hostname-strict-https",
    "hostname-strict-backchannel",
)
"""Options that only the first model of host names has (upgrading guide 25.0.0, "New Hostname options")."""

_HEIRS = {
    "hostname-url": "hostname",
    "hostname-path": "hostname",
    "hostname-port": "hostname",
    "hostname-admin-url": "hostname-admin",
}


class HostnameV1(KeycloakRule):
    """The public URL is given by options that the version no longer has.

    Keycloak 25 has a new model for host names (`hostname` takes a host or a full URL, `hostname-admin` a full
    URL) and keeps the old one behind the feature `hostname:v1`; 26 has the new one alone. `hostname-url`,
    `-admin-url`, `-path` and `-port` are ignored then. With `hostname-url` alone the server doesn't start:
    `hostname is not configured; either configure hostname, or set hostname-strict to false`. Any of the old
    options on the command line stops the start, too.

    Bad:

        TaskDefinition:
          Properties:
            ContainerDefinitions:
              - Name: keycloak
                Environment:
                  - {Name: KC_HOSTNAME, Value: ~}
                  - {Name: KC_HOSTNAME_URL, Value: "https://sso.example.com"}

    Bad (on the command line):

        TaskDefinition:
          Properties:
            ContainerDefinitions:
              - Name: keycloak
                Command: [start, --optimized, --hostname-strict-https=true]

    Good:

        TaskDefinition:
          Properties:
            ContainerDefinitions:
              - Name: keycloak
                Environment:
                  - {Name: KC_HOSTNAME, Value: "https://sso.example.com"}
    """

    id = "E9003"
    shortdesc = "The public URL is given by options that the version has"
    source_url = "https://www.keycloak.org/docs/latest/upgrading/#new-hostname-options"
    since = (25, 0)

    def judge(self, keycloak: Keycloak) -> Iterator[Hit]:
        if ask.hostname_v1(keycloak) is not False:
            return
        for key in V1_KEYS:
            one = keycloak.options.get(key)
            if one is None or ask.empty(one) or not is_lost(keycloak, one):
                continue
            heir = _HEIRS.get(key)
            if one.argument:
                effect = f"the server doesn't start: Keycloak {keycloak.release} doesn't take {one.name}"
            elif key == "hostname-url":
                effect = (
                    "the server doesn't start or builds its links from what requests say: Keycloak"
                    f" {keycloak.release} ignores {one.name}"
                )
            else:
                effect = f"links and redirects go elsewhere: Keycloak {keycloak.release} ignores {one.name}"
            yield Hit.at(
                one.name_place,
                effect,
                (
                    f"write the full URL into {'--' + heir if one.argument else ask.variable(heir)}"
                    if heir
                    else "take it away"
                ),
            )


def is_lost(keycloak: Keycloak, one: Setting) -> bool:
    """Whether an option of the first model stops the start, or says what nothing else says in the second."""
    if one.argument:
        return True
    heir = _HEIRS.get(one.key)
    if heir is None:
        return False
    found = keycloak.options.get(heir)
    if found is None:
        return keycloak.options.unset(heir)
    return found.value is not None and not ask.is_url(found.value)
