"""E9056: rules and http-relative-path."""

from __future__ import annotations

import re
from collections.abc import Iterator

from generator.linting.rule import Hit, KeycloakRule
from generator.linting.rules._balancer import forwards, paths, sure_relative_path
from generator.linting.view import Keycloak

_AT_ROOT = ("/.well-known/", "/robots.txt")
_OWN = re.compile(r"(?P<prefix>(/[^/*?]+)*?)/(realms|resources|admin|js)(/.*|\*)?")


class RelativePath(KeycloakRule):
    """A rule forwards paths that Keycloak doesn't have, because `http-relative-path` is another.

    With `http-relative-path=/auth` everything is below /auth, and Keycloak answers /realms/ with 404; without
    the option it is the other way round: /auth is of Keycloak's WildFly time, up to 16. A balancer passes a
    path on as it is unless the rule has `Transforms`, of which this rule says nothing. Every login ends in
    404.

    Bad:

        TaskDefinition:
          Properties:
            ContainerDefinitions:
              - Name: keycloak
                Environment:
                  - {Name: KC_HTTP_RELATIVE_PATH, Value: /auth}

    Bad (no prefix any more):

        TaskDefinition:
          Properties:
            ContainerDefinitions:
              - Name: keycloak
                Image: quay.io/keycloak/keycloak:26.7.4
        PublicRule:
          Properties:
            Conditions:
              - {Field: path-pattern, PathPatternConfig: {Values: ["/auth/realms/*", "/auth/resources/*"]}}

    Good:

        TaskDefinition:
          Properties:
            ContainerDefinitions:
              - Name: keycloak
                Environment:
                  - {Name: KC_HTTP_RELATIVE_PATH, Value: /auth}
        AdminRule:
          Properties:
            Conditions:
              - {Field: path-pattern, PathPatternConfig: {Values: ["/auth/admin/*"]}}
        PublicRule:
          Properties:
            Conditions:
              - {Field: path-pattern, PathPatternConfig: {Values: ["/auth/realms/*", "/auth/resources/*"]}}
    """

    id = "E9056"
    shortdesc = "Rules forward the paths that http-relative-path gives"
    source_url = "https://www.keycloak.org/server/reverseproxy"

    def judge(self, keycloak: Keycloak) -> Iterator[Hit]:
        prefix = sure_relative_path(keycloak)
        if prefix is None:
            return
        prefix = f"/{prefix.lstrip('/')}" if prefix else ""
        setting = keycloak.options.get("http-relative-path")
        why = f"{setting.name} is {setting.value}" if setting and prefix else "http-relative-path is /"
        for decision in forwards(keycloak):
            wrong = []
            for place in paths(decision) or ():
                match = _OWN.fullmatch(place.text or "")
                if (place.text or "").startswith(_AT_ROOT):
                    continue
                if match is None or match["prefix"] == prefix:
                    wrong = []
                    break
                wrong.append(place)
            if wrong:
                match = _OWN.fullmatch(wrong[0].text or "")
                right = prefix + (wrong[0].text or "")[len(match["prefix"]) if match else 0:]
                yield Hit.at(
                    wrong[0],
                    f"every request by {decision.name} ends in 404: it forwards {wrong[0].text}, and {why}",
                    f"write {right}",
                )
