"""E9100: values that an option doesn't take."""

from __future__ import annotations

import difflib
import ipaddress
from collections.abc import Iterator

from generator.keycloak.catalog import Option
from generator.linting.rule import Hit, KeycloakRule
from generator.linting.rules import _options as ask
from generator.linting.view import Keycloak, Setting

FEATURES = ("features", "features-disabled", "feature-<name>")
_TRUE, _FALSE = ("true", "yes", "on", "1", "enabled"), ("false", "no", "off", "0", "disabled")


class InvalidValue(KeycloakRule):
    """An option has a value that it doesn't take.

    Keycloak checks values when it starts and ends with `Invalid value for option 'KC_DB': postgresql.
    Expected values are: ...`: no task ever starts. Booleans are `true` and `false`, in lower case; most other
    values are taken in their exact case, too.

    The values come from the distribution of the very version. Where the image's tag doesn't tell it, only
    values are objected to that no version takes. Names of features are another rule's affair.

    Bad:

        TaskDefinition:
          Properties:
            ContainerDefinitions:
              - Name: keycloak
                Environment:
                  - {Name: KC_HTTP_ENABLED, Value: "yes"}

    Bad (no such database):

        TaskDefinition:
          Properties:
            ContainerDefinitions:
              - Name: keycloak
                Image: quay.io/keycloak/keycloak:26.7.4
                Command: [start, --db=postgresql]

    Good:

        TaskDefinition:
          Properties:
            ContainerDefinitions:
              - Name: keycloak
                Environment:
                  - {Name: KC_HTTP_ENABLED, Value: "true"}
    """

    id = "E9100"
    shortdesc = "Every option has a value that the version takes"
    source_url = "https://www.keycloak.org/server/all-config"

    def judge(self, keycloak: Keycloak) -> Iterator[Hit]:
        for one in keycloak.options:
            if one.key == "proxy-trusted-addresses":
                yield from _addresses(keycloak, one)
                continue
            found = ask.problem(keycloak, one)
            if found is None or found[1].key in FEATURES or ask.in_the_image(keycloak, one):
                continue
            _, option, said = found
            # jdbc-ping where it isn't there is another rule's affair; Keycloak doesn't check what it ignores.
            if (
                one.key == "cache-stack"
                and (one.value or "").startswith("jdbc-ping")
                or ask.met(keycloak, option) is False
            ):
                continue
            yield Hit.at(
                one.place, f"no task ever starts: {said.replace(option.env, one.name)}", _fix(option, one)
            )


def _fix(option: Option, one: Setting) -> str:
    value = (one.value or "").strip()
    if option.type == "boolean":
        right = "true" if value.lower() in _TRUE else "false" if value.lower() in _FALSE else "true or false"
        return f"write {right}" if " or " in right else f"write {ask.entry(option.key, right, one)}"
    near = difflib.get_close_matches(value.lower(), option.values, 1, 0.6)
    if near and option.type != "list":
        return f"write {near[0]}"
    if option.values:
        return f"write one of {', '.join(option.values)}"
    return f"write {_KINDS.get(option.type, 'a value that it takes')}"


_KINDS = {"integer": "a whole number", "number": "a number", "duration": "a time such as 30s or 5m"}


def _addresses(keycloak: Keycloak, one: Setting) -> Iterator[Hit]:
    """The addresses of proxies, of which the catalogs know no values (measured: it ends with exit code 2)."""
    if (
        keycloak.catalog is None
        or keycloak.catalog.option(one.key) is None
        or one.value is None
        or "${" in one.value
    ):
        return
    for text in one.value.split(","):
        try:
            ipaddress.ip_network(text.strip(), strict=False)
        except ValueError:
            if text.strip():
                yield Hit.at(
                    one.place,
                    f"no task ever starts: {text.strip()} in {one.name} is neither an address nor a network",
                    "write addresses and networks in CIDR notation, 10.0.0.0/24, with commas between them",
                )
