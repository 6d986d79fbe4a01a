"""What a Keycloak container is told: options, other variables, Java's system properties."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from functools import cached_property

from generator.document import Path
from generator.keycloak.catalog import Catalog
from generator.linting.view.command import Command
from generator.resolving import NO_VALUE, Place, Text, Unknown, whole_number

_FLAGS = ("--optimized", "--verbose", "-v", "--help", "-h", "--help-all", "--import-realm", "--version", "-V")
_FILES = ("config-file", "config-keystore")
"""Options that name a file with more options."""
_PROPERTY = re.compile(r"""-D(?P<name>[^\s=]+)(?:=(?P<value>"[^"]*"|'[^']*'|\S*))?""")
_VARIABLE = re.compile(r"\$\{([A-Za-z_]\w*)\}")
"""What a shell puts in, as `shell` writes it."""

JAVA_BEFORE = ("JAVA_TOOL_OPTIONS", "JDK_JAVA_OPTIONS")
JAVA_BEHIND = ("_JAVA_OPTIONS",)
"""Variables that Java itself reads, before what kc.sh gives it and behind that; of two that disagree the later one
wins (JVM Tool Interface, "JAVA_TOOL_OPTIONS"; the java command, "JDK_JAVA_OPTIONS"; measured on OpenJDK 17)."""


@dataclass(frozen=True)
class Setting:
    """A variable, an option of the command line or a system property, as it is written."""

    name: str
    """As it is written: `KC_DB_URL`, `--db-url`, `jgroups.dns.query`, `JAVA_OPTS_APPEND`."""
    key: str
    """Keycloak's key (`db-url`), empty for what is no option of Keycloak's."""
    value: str | None
    """None where it isn't known: a secret, or something that AWS makes."""
    place: Place
    """Where the value is written: the variable's Value or ValueFrom, or a word of the command."""
    name_place: Place
    """Where the name is written."""
    secret: bool = False
    """Whether it comes from the container's Secrets."""
    argument: bool = False
    """Whether it is on the command line, where it wins over variables."""

    @property
    def path(self) -> Path:
        """Where the value is written."""
        return self.place.path

    @property
    def line(self) -> int:
        """The line of the value."""
        return self.place.line

    @property
    def flag(self) -> bool | None:
        """True or False as Keycloak reads it; None for anything else or what isn't known."""
        return {"true": True, "false": False}.get((self.value or "").strip().lower())


@dataclass(frozen=True)
class Options:
    """Everything that a container is told, and how much of it the template tells."""

    settings: tuple[Setting, ...]
    """Every variable, then every option of the command line, in their order, whatever they are."""
    complete: bool
    """Whether the template tells all that it gives: no environment files, no part that only AWS knows, no
    shell script as the command, no file of options that config-file or config-keystore names. What the image
    has built in or in its keycloak.conf is another thing: `stock`."""
    stock: bool
    """Whether the image is Keycloak's own, which brings no settings."""
    catalog: Catalog | None = field(repr=False, default=None)

    def __iter__(self) -> Iterator[Setting]:
        """The options of Keycloak."""
        return (one for one in self.settings if one.key)

    @cached_property
    def _by_key(self) -> dict[str, Setting]:
        found: dict[str, Setting] = {}
        for one in self:
            if one.argument or one.key not in found or not found[one.key].argument:
                found[one.key] = one
        return found

    @cached_property
    def _by_name(self) -> dict[str, Setting]:
        return {one.name: one for one in self.settings if not one.argument}

    def get(self, key: str) -> Setting | None:
        """The setting of an option by its key (`db-url`) that counts: the command line wins. None if the
        template sets it nowhere that can be seen."""
        return self._by_key.get(key)

    def first(self, *keys: str) -> Setting | None:
        """The setting of the first of these options that is set."""
        return next((self._by_key[key] for key in keys if key in self._by_key), None)

    def variable(self, name: str) -> Setting | None:
        """The setting of any environment variable by its name, `JAVA_OPTS_APPEND`."""
        return self._by_name.get(name)

    def value(self, key: str) -> str | None:
        """The value of an option that is set and known; None otherwise."""
        found = self.get(key)
        return found.value if found else None

    def unset(self, key: str) -> bool:
        """Whether the template surely doesn't set an option. An image of the user's own still may: see
        `missing`."""
        return self.complete and self.get(key) is None

    def missing(self, key: str) -> bool:
        """Whether nothing sets an option: not the template, and the image is Keycloak's own."""
        return self.stock and self.unset(key)

    def effective(self, key: str) -> str | None | Unknown:
        """What an option comes to: its value, else the version's default; None where it is surely unset and
        has no default, Unknown where that can't be told."""
        found = self.get(key)
        if found is not None:
            return Unknown(f"{found.name} isn't known") if found.value is None else found.value
        if not self.missing(key):
            return Unknown("the image or something that isn't known may set it")
        if self.catalog is None:
            return Unknown("the default depends on the version")
        option = self.catalog.option(key)
        return option.default if option else None

    def flag(self, key: str) -> bool | None:
        """Whether a boolean option is on, by its value or the version's default; None where that can't be
        told."""
        value = self.effective(key)
        if isinstance(value, Unknown):
            return None
        return {"true": True, "false": False, "": False}.get((value or "").strip().lower())

    def number(self, key: str, default: int | None = None) -> int | None:
        """A whole number by its value, the version's default, or `default` where neither tells; None where a
        value is set that isn't known or is no number."""
        found = self.get(key)
        if found is not None:
            return whole_number((found.value or "").strip())
        value = self.effective(key)
        known = whole_number(value) if isinstance(value, str) else None
        return default if known is None else known

    def system_property(self, name: str) -> Setting | None:
        """A system property of Java (`jgroups.dns.query`), from the variables that kc.sh and Java itself read or a
        `-D` word of the command; the last one wins. The value is None where it isn't known."""
        return self._properties.get(name)

    @property
    def java_options(self) -> tuple[Setting, ...]:
        """JAVA_OPTS, JAVA_OPTS_APPEND and JAVA_OPTS_KC_HEAP as far as they are set."""
        return self._variables("JAVA_OPTS", "JAVA_OPTS_KC_HEAP", "JAVA_OPTS_APPEND", "JAVA_ADD_OPTS")

    def _variables(self, *names: str) -> tuple[Setting, ...]:
        return tuple(found for name in names if (found := self.variable(name)))

    @property
    def java_complete(self) -> bool:
        """Whether all of Java's options are known: none of the variables holds a part that isn't."""
        read = (*self._variables(*JAVA_BEFORE, *JAVA_BEHIND), *self.java_options)
        return self.complete and all(one.value is not None for one in read)

    @cached_property
    def _properties(self) -> dict[str, Setting]:
        found = {}
        words = [one for one in self.settings if one.argument and one.name.startswith("-D")]
        before, behind = self._variables(*JAVA_BEFORE), self._variables(*JAVA_BEHIND)
        for holder in (*before, *self.java_options, *words, *behind):
            value = holder.place.value if not holder.argument else holder.name
            text = value if isinstance(value, str) else str(value) if isinstance(value, Text) else ""
            for match in _PROPERTY.finditer(text):
                said = (match["value"] or "").strip("\"'")
                known = "${" not in said and "{{resolve:" not in said
                found[match["name"]] = Setting(
                    match["name"],
                    "",
                    said if known else None,
                    holder.place,
                    holder.name_place,
                    holder.secret,
                    holder.argument,
                )
        return found


def read(container: Place, ran: Command, stock: bool, catalog: Catalog | None) -> Options:
    """Everything that the container is told."""
    settings: list[Setting] = []
    complete = ran.complete and not any(True for _ in container["EnvironmentFiles"])
    complete = complete and container["EnvironmentFiles"].unknown is None
    for part, value_key in (("Environment", "Value"), ("Secrets", "ValueFrom")):
        listed = container[part]
        if listed.unknown is not None:
            complete = False
        for entry in listed:
            name = entry["Name"].text
            if name is None:
                complete = False
                continue
            value = entry[value_key]
            secret = part == "Secrets"
            text = value.text if value else "" if value.value is NO_VALUE else None
            settings.append(
                Setting(
                    name,
                    _key(name, catalog),
                    None if secret else text,
                    value if value else entry,
                    entry["Name"],
                    secret,
                )
            )
    settings += _arguments(ran, catalog, {one.name: one for one in settings})
    complete = complete and not any(one.key in _FILES for one in settings)
    complete = complete and not any(word == "-cf" or word.startswith("-cf=") for word, _ in ran.words)
    return Options(tuple(settings), complete, stock, catalog)


def _arguments(
    ran: Command, catalog: Catalog | None, variables: Mapping[str, Setting]
) -> Iterator[Setting]:
    """The options of the command line; `variables` are those that a shell knows."""
    words = list(ran.words)
    number = 0
    while number < len(words):
        word, place = words[number]
        number += 1
        if ran.script is not None and word.startswith("-"):
            place = place.of(word.partition("=")[0])
        if word.startswith("-D"):
            yield Setting(word, "", word if "${" not in word else None, place, place, argument=True)
            continue
        if not word.startswith("--") or word in _FLAGS or len(word) == 2:
            continue
        name, given, value = word.partition("=")
        value_place = place
        if not given and number < len(words) and not words[number][0].startswith("-"):
            value, value_place = words[number]
            value_place = value_place if ran.script is None else value_place.of(name)
            number += 1
        option = catalog.option(name[2:]) if catalog else None
        key = option.key if option and not option.wildcard else name[2:]
        key = "" if " " in name or "${" in name else key
        if ran.script is not None and "${" in value:
            yield _expanded(Setting(name, key, value, value_place, place, argument=True), variables)
            continue
        known = "${" not in value and "{{resolve:" not in value
        yield Setting(name, key, value if known else None, value_place, place, argument=True)


def _expanded(setting: Setting, variables: Mapping[str, Setting]) -> Setting:
    """A setting into which a shell puts variables: that of the variable where it is nothing else, its secret
    too."""
    text, known = setting.value or "", isinstance(setting.place.value, str)
    names = _VARIABLE.findall(text)
    alone = variables.get(names[0]) if known and len(names) == 1 and _VARIABLE.fullmatch(text) else None
    if alone is not None:
        return replace(setting, value=alone.value, place=alone.place, secret=alone.secret)
    values = {name: variables[name].value if name in variables else None for name in names}
    if not known or None in values.values() or "${" in _VARIABLE.sub("", text):
        return replace(setting, value=None)
    return replace(setting, value=_VARIABLE.sub(lambda match: values[match[1]] or "", text))


def _key(name: str, catalog: Catalog | None) -> str:
    """The key of a variable; empty for one that is no option of Keycloak's."""
    bare = name.removeprefix("KCRAW_") if name.startswith("KCRAW_") else name.removeprefix("KC_")
    if bare == name or not bare:
        return ""
    option = catalog.option(name) if catalog else None
    return option.key if option and not option.wildcard else bare.lower().replace("_", "-")
