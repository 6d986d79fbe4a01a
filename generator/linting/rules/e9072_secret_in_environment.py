"""E9072: secrets in plain sight."""

from __future__ import annotations

import re
from collections.abc import Iterator

from generator.keycloak import catalog
from generator.linting.rule import Hit, KeycloakRule
from generator.linting.rules._secrets import SECRET
from generator.linting.view import Keycloak, Setting
from generator.params.secrets import parts, secret_name
from generator.resolving import Reference, Text, Unknown

# A path, a URL or an ARN of the secret's home or a switch is none, whatever the variable is called.
_NO_SECRET = re.compile(r"(/.*|[a-z0-9.+-]+:/?/.*|arn:aws.*:.*|true|false|\d+|)", re.DOTALL | re.IGNORECASE)
# What programs of one's own look up by its name: `prod/keycloak/database`.
_LOOKED_UP = re.compile(r".*(SECRET|TOKEN|KEY)")
_NAME_OF_SECRET = re.compile(r"[a-z][a-z0-9_.-]*(/[a-z0-9_.-]+)+")


class SecretInEnvironment(KeycloakRule):
    """A password stands in the template, or is given to the container as a plain variable.

    Whoever may read the template, the stack, the task definition (`ecs:DescribeTaskDefinition`) or the
    console sees the value, and it stays in every old revision for ever. Containers get secrets by `Secrets`:
    ECS fetches the value when the task starts, and the template holds its address alone. A dynamic reference
    (`{{resolve:secretsmanager:...}}`) or a NoEcho parameter keeps the value out of the template, but not out
    of the task definition.

    An ARN is no secret, and neither is the name under which a program of yours looks one up
    (`DB_SECRET: prod/keycloak/database`).

    Bad:

        TaskDefinition:
          Properties:
            ContainerDefinitions:
              - Name: keycloak
                Environment:
                  - {Name: KC_DB_PASSWORD, Value: correct-horse-battery}

    Bad (resolved into the task definition):

        TaskDefinition:
          Properties:
            ContainerDefinitions:
              - Name: keycloak
                Environment:
                  - Name: KC_DB_PASSWORD
                    Value: !Sub "{{resolve:secretsmanager:${DatabaseSecret}:SecretString:password}}"

    Good:

        TaskDefinition:
          Properties:
            ContainerDefinitions:
              - Name: keycloak
                Secrets:
                  - {Name: KC_DB_PASSWORD, ValueFrom: !Sub "${DatabaseSecret}:password::"}
    """

    id = "E9072"
    shortdesc = "Secrets come from Secrets, not from Environment"
    source_url = "https://docs.aws.amazon.com/AmazonECS/latest/developerguide/specifying-sensitive-data.html"

    def judge(self, keycloak: Keycloak) -> Iterator[Hit]:
        said = set()
        for one in keycloak.options.settings:
            if one.secret or (one.path, one.place.about) in said or not _is_secret(one):
                continue
            if not _is_given(one) or _names_secret(keycloak, one):
                continue
            said.add((one.path, one.place.about))
            where = "Environment" if "Environment" in one.path else "the command"
            name = one.name if not one.argument else "KC_" + one.key.upper().replace("-", "_")
            # Never the value: findings are printed and logged.
            yield Hit.at(
                one.place,
                f"everybody who may read the task definition reads the secret in {one.name}: it is given "
                f"as plain text in {where}",
                f"move it to Secrets: {{Name: {name}, ValueFrom: <ARN of the secret>}}, and change the "
                "secret, which is known by now",
            )


def _is_secret(setting: Setting) -> bool:
    """Whether a variable or option is for a secret, by Keycloak's own word or its name."""
    if setting.argument:
        return bool(setting.key) and catalog.masked("KC_" + setting.key.upper().replace("-", "_"))
    return catalog.masked(setting.name) or secret_name(setting.name)


def _is_given(setting: Setting) -> bool:
    """Whether the value reaches the task definition: text, a parameter, a dynamic reference. A resource's
    name or ARN (`!Ref Secret`) is none, only an address."""
    value = setting.place.value
    if setting.argument and setting.value is None and isinstance(value, str):
        return _stands_in(value, setting.name)
    if isinstance(value, Unknown):
        return bool(value.parameter)
    if isinstance(value, Text):
        return "{{resolve:" in "".join(part for part in value.parts if isinstance(part, str))
    if isinstance(value, Reference) or not isinstance(value, str):
        return False
    said = setting.value if setting.value is not None else value
    return _NO_SECRET.fullmatch(said) is None


def _stands_in(text: str, option: str) -> bool:
    """Whether an option's value stands in a word or a shell's line, as plain text or as a dynamic reference."""
    match = re.search(rf"{re.escape(option)}(=|\s+)", text)
    start = match.end() if match else 0
    return text[start:].lstrip("'\"").startswith("{{resolve:") or any(
        part.start == start for part in parts(text, shell=True)
    )


def _names_secret(keycloak: Keycloak, setting: Setting) -> bool:
    """Whether a value is the name of a secret, for a variable that isn't Keycloak's: that one takes it as it is."""
    value = setting.value
    if value is None or setting.argument or catalog.masked(setting.name):
        return False
    if _LOOKED_UP.fullmatch(setting.name.upper()) and _NAME_OF_SECRET.fullmatch(value):
        return True
    resolver = keycloak.view.resolver
    return any(resolver.properties(one)["Name"].text == value for one in resolver.resources(SECRET))
