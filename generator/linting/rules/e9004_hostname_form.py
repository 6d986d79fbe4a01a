"""E9004: host names and URLs where the other one belongs."""

from __future__ import annotations

import re
from collections.abc import Iterator

from generator.linting.rule import Hit, KeycloakRule
from generator.linting.rules import _options as ask
from generator.linting.view import Keycloak

_HOST = re.compile(r"[A-Za-z0-9.-]+|\[[0-9A-Fa-f:.]+\]")


class HostnameForm(KeycloakRule):
    """A host name stands where a URL belongs, or a URL where a host name belongs.

    From 25 on, `hostname` is a bare host or a full URL, and `hostname-admin` a full URL; a port or a path
    without `https://` is neither. With `hostname-admin` (from 26 on) and with
    `hostname-backchannel-dynamic=true`, `hostname` has to be a full URL. Anything else stops the start:
    `Provided hostname-admin is not a valid URL`.

    Before 25 it is the other way round: `hostname` is a bare host, and the URL belongs into `hostname-url`.
    With a URL in it the server starts, but its issuer is `https://https//sso.example.com:8443/...`, and no
    login works.

    Bad:

        TaskDefinition:
          Properties:
            ContainerDefinitions:
              - Name: keycloak
                Environment:
                  - {Name: KC_HOSTNAME_ADMIN, Value: sso-admin.example.com}

    Bad (the public name is no URL):

        TaskDefinition:
          Properties:
            ContainerDefinitions:
              - Name: keycloak
                Environment:
                  - {Name: KC_HOSTNAME, Value: sso.example.com}
                  - {Name: KC_HOSTNAME_ADMIN, Value: "https://sso-admin.example.com"}

    Bad (on 24):

        TaskDefinition:
          Properties:
            ContainerDefinitions:
              - Name: keycloak
                Image: 123456789012.dkr.ecr.eu-central-1.amazonaws.com/keycloak:24.0.5
                Environment:
                  - {Name: KC_HOSTNAME, Value: "https://sso.example.com"}

    Good:

        TaskDefinition:
          Properties:
            ContainerDefinitions:
              - Name: keycloak
                Environment:
                  - {Name: KC_HOSTNAME, Value: "https://sso.example.com"}
                  - {Name: KC_HOSTNAME_ADMIN, Value: "https://sso-admin.example.com"}
    """

    id = "E9004"
    shortdesc = "Host names and URLs have the form that the version takes"
    source_url = "https://www.keycloak.org/server/hostname"

    def judge(self, keycloak: Keycloak) -> Iterator[Hit]:
        first = ask.hostname_v1(keycloak)
        if first is True:
            yield from self._before_25(keycloak)
        elif first is False:
            yield from self._from_25(keycloak)

    def _before_25(self, keycloak: Keycloak) -> Iterator[Hit]:
        one = ask.given(keycloak, "hostname")
        if one is not None and one.value is not None and (ask.is_url(one.value) or "/" in one.value):
            url = one.value if ask.is_url(one.value) else f"https://{one.value}"
            yield Hit.at(
                one.place,
                f"no login works: Keycloak {keycloak.release} takes {one.value} for a bare host, so its"
                " issuer is no URL",
                f"write {ask.entry('hostname-url', url, one)} instead of {one.name}",
            )

    def _from_25(self, keycloak: Keycloak) -> Iterator[Hit]:
        one, admin = ask.given(keycloak, "hostname"), ask.given(keycloak, "hostname-admin")
        value = one.value if one is not None else None
        if one is not None and value is not None and not ask.is_url(value) and not _HOST.fullmatch(value):
            yield Hit.at(
                one.place,
                f"the server doesn't start: {value} is neither a bare host nor a full URL",
                f"write https://{value} as the value of {one.name}",
            )
            return
        if admin is not None and admin.value is not None and not ask.is_url(admin.value):
            yield Hit.at(
                admin.place,
                f"the server doesn't start: {admin.name} takes a full URL, not {admin.value}",
                f"write https://{admin.value} as the value of {admin.name}",
            )
        no_url = (
            ask.absent(keycloak, "hostname") if one is None else value is not None and not ask.is_url(value)
        )
        dynamic = keycloak.options.get("hostname-backchannel-dynamic")
        if not no_url:
            return
        asking = [admin] if admin is not None and keycloak.at_least(26) else []
        asking += [dynamic] if dynamic is not None and dynamic.flag is True else []
        for other in asking[:1]:
            yield Hit.at(
                one.place if one is not None else other.place,
                f"the server doesn't start: with {other.name} Keycloak wants a full URL in "
                f"{ask.variable('hostname')}{f', not {value}' if value else ''}",
                f"write https://{value or '<public host>'} into"
                f" {one.name if one else ask.variable('hostname')}",
            )
