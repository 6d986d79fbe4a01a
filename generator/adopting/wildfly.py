"""Keycloak's WildFly distribution: what its container was told, in the words of the one on Quarkus.

Source: README of keycloak/keycloak-containers, server; guide "Migrating to the Quarkus distribution".
"""

from __future__ import annotations

import copy
import re
from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Any

from generator.adopting.scene import Left
from generator.adopting.sources import Source
from generator.document import Path

STOCK = "quay.io/keycloak/keycloak"
_LAST = "16.1.1"
"""The last version of jboss/keycloak."""
_IMAGE = re.compile(
    r"(?:[\w.:/-]*/)?(?P<last>[\w.-]*keycloak[\w.-]*)(?::(?P<tag>[\w.-]+))?(?:@\S+)?", re.IGNORECASE
)
_JBOSS = re.compile(r"(?:docker\.io/|index\.docker\.io/)?jboss/")
_OFFICIAL = re.compile(r"(?:quay\.io/|docker\.io/|index\.docker\.io/)?(?:jboss|keycloak)/")
_TAG = re.compile(r"v?(\d{1,2})\.(\d{1,2})(?:\.(\d{1,3}))?(?P<legacy>.*-legacy)?(?:[-_.].*)?")
_NEIGHBOURS = re.compile(r"gatekeeper|operator|proxy|config|postgres|mysql|exporter|theme|-x$", re.IGNORECASE)

_HEIRS = {
    "DB_ADDR": "KC_DB_URL_HOST",
    "DB_DATABASE": "KC_DB_URL_DATABASE",
    "DB_PASSWORD": "KC_DB_PASSWORD",
    "DB_PORT": "KC_DB_URL_PORT",
    "DB_SCHEMA": "KC_DB_SCHEMA",
    "DB_USER": "KC_DB_USERNAME",
    "DB_VENDOR": "KC_DB",
    "JDBC_PARAMS": "KC_DB_URL_PROPERTIES",
    "KEYCLOAK_ADMIN_URL": "KC_HOSTNAME_ADMIN",
    "KEYCLOAK_FRONTEND_URL": "KC_HOSTNAME",
    "KEYCLOAK_HOSTNAME": "KC_HOSTNAME",
    "KEYCLOAK_LOGLEVEL": "KC_LOG_LEVEL",
    "KEYCLOAK_PASSWORD": "KEYCLOAK_ADMIN_PASSWORD",
    "KEYCLOAK_USER": "KEYCLOAK_ADMIN",
    "PROXY_ADDRESS_FORWARDING": "KC_PROXY_HEADERS",
    "ROOT_LOGLEVEL": "KC_LOG_LEVEL",
}
_SIGNS = {"DB_ADDR", "DB_VENDOR", "KEYCLOAK_FRONTEND_URL", "KEYCLOAK_USER", "PROXY_ADDRESS_FORWARDING"}
_OWN_PROPERTIES = ("-Dkeycloak.", "-Djboss.", "-Dwildfly.", "-Djgroups.")
_BOUND = ("-b", "-bmanagement", "0.0.0.0")
"""What WildFly had to be told to be reached, which Keycloak on Quarkus isn't."""
_PATH = "/auth"
"""Where it was served unless a file of WildFly's said otherwise."""


@dataclass(frozen=True)
class Translated:
    """A source in today's words."""

    source: Source
    version: str = ""
    """What runs; empty where none of its containers is a Keycloak on WildFly."""
    left: tuple[Left, ...] = ()
    notes: tuple[str, ...] = ()


def translated(source: Source) -> Translated:
    """The same source, with the variables of Keycloaks on WildFly under their heirs' names.

    Places stay: what is renamed is where it was. A source without such a container is handed back as it is.
    """
    data = copy.deepcopy(source.document.data)
    found = [_Container(source, path, one) for path, one in _containers(data, ()) if version_of(one)]
    if not found:
        return Translated(source)
    for one in found:
        one.translate()
    document = replace(source.document, data=data)
    items = tuple((path, _at(data, path)) for path, _ in source.items)
    return Translated(
        replace(source, document=document, items=items),
        found[0].version,
        tuple(left for one in found for left in one.left),
        tuple(one.note for one in found),
    )


def version_of(container: dict[str, Any]) -> str:
    """The version of a container's Keycloak on WildFly; empty for any other container."""
    image = _image(container)
    match = _IMAGE.fullmatch(image)
    if match is None or _NEIGHBOURS.search(match["last"]):
        return ""
    tag = _TAG.fullmatch(match["tag"] or "")
    if not _OFFICIAL.match(image) and not _looks_like_it(container):
        return ""  # the number may be one of their own
    if tag is not None and (int(tag[1]) < 17 or tag["legacy"]):
        return f"{int(tag[1])}.{int(tag[2])}.{int(tag[3] or 0)}"
    return _LAST if _JBOSS.match(image) and tag is None else ""


def _looks_like_it(container: dict[str, Any]) -> bool:
    """Whether a container has variables of that time and none of today's."""
    listed = container.get("environment", container.get("Environment"))
    named = [one.get("name", one.get("Name")) for one in listed or () if isinstance(one, dict)]
    names = {one for one in named if isinstance(one, str)}
    return bool(names & _SIGNS) and not any(one.startswith(("KC_", "KCRAW_")) for one in names)


def _image(container: dict[str, Any]) -> str:
    image = container.get("image", container.get("Image"))
    if isinstance(image, dict) and isinstance(image.get("Fn::Sub"), str):
        image = re.sub(r":?\$\{[^}]*\}", "", image["Fn::Sub"])
    return image if isinstance(image, str) else ""


def _containers(value: Any, path: Path) -> Iterator[tuple[Path, dict[str, Any]]]:
    if isinstance(value, dict):
        for key, inner in value.items():
            if str(key).lower() == "containerdefinitions" and isinstance(inner, list):
                found = (((*path, key, number), one) for number, one in enumerate(inner))
                yield from (one for one in found if isinstance(one[1], dict))
            else:
                yield from _containers(inner, (*path, key))
    elif isinstance(value, list):
        for number, inner in enumerate(value):
            yield from _containers(inner, (*path, number))


def _at(data: Any, path: Path) -> Any:
    for step in path:
        data = data[step]
    return data


class _Container:
    """A container that runs Keycloak on WildFly, which becomes one on Quarkus."""

    def __init__(self, source: Source, path: Path, container: dict[str, Any]):
        self.left: list[Left] = []
        self.version = version_of(container)
        self._source, self._path, self._container = source, path, container
        self._small = "image" in container
        self._said = _image(container)
        self._renamed: dict[str, str] = {}
        """Name -> its heir's."""

    @property
    def note(self) -> str:
        """What became of it, as a sentence."""
        names = ", ".join(f"{old} as {new}" for old, new in sorted(self._renamed.items()))
        return (
            f"{self._where('image')}: {self._said} is Keycloak's WildFly distribution, which ended with version "
            f"16: its variables are read as their heirs ({names or 'there are none'}), and rules about Keycloak's "
            "options weren't asked. "
            "What standalone.xml, CLI scripts, themes and providers set isn't in these files: see "
            "https://www.keycloak.org/migration/migrating-to-quarkus"
        )

    def translate(self) -> None:
        """Change the container."""
        self._rename(self._list("environment"), self._list("secrets"))
        self._command()
        if not _JBOSS.match(self._said) and not self._said.startswith(STOCK):
            self.left.append(
                Left(
                    f"the image {self._said} at {self._where('image')}",
                    "it holds Keycloak on WildFly: build one from today's image, with providers and themes for it",
                )
            )
        # Without the tag, which would name an image that is no server of today's; `adopt` knows the version.
        self._container[self._key("image")] = STOCK

    def _rename(self, variables: list[Any], secrets: list[Any]) -> None:
        name_key, value_key = self._key("name"), self._key("value")
        plain = {one.get(name_key): one.get(value_key) for one in variables if isinstance(one, dict)}
        for index, one in enumerate(variables):
            name = one.get(name_key) if isinstance(one, dict) else None
            if isinstance(name, str) and isinstance(one.get(value_key), str):
                one[value_key] = self._value(name, one[value_key], plain)
                if name.startswith("JAVA_OPTS"):
                    one[value_key] = self._java(name, one[value_key], index)
        for one in (*variables, *secrets):
            name = one.get(name_key) if isinstance(one, dict) else None
            # The URL won over the host.
            if name in _HEIRS and not (name == "KEYCLOAK_HOSTNAME" and "KEYCLOAK_FRONTEND_URL" in plain):
                self._renamed[name] = one[name_key] = _HEIRS[name]
        if variables and "KEYCLOAK_FRONTEND_URL" not in plain:
            variables.append({name_key: "KC_HTTP_RELATIVE_PATH", value_key: _PATH})

    @staticmethod
    def _value(name: str, value: str, plain: dict[Any, Any]) -> str:
        """What the heir of a variable is set to; `plain` are all of them."""
        if name in ("ROOT_LOGLEVEL", "KEYCLOAK_LOGLEVEL"):
            root, own = (plain.get(one) for one in ("ROOT_LOGLEVEL", "KEYCLOAK_LOGLEVEL"))
            return str(root or "info").lower() + (f",org.keycloak:{str(own).lower()}" if own else "")
        if name == "KEYCLOAK_HOSTNAME" and "://" not in value:
            return f"https://{value}"
        if name == "PROXY_ADDRESS_FORWARDING":
            return "xforwarded"
        if name == "DB_VENDOR":
            return "dev-file" if value.lower() == "h2" else value.lower()
        return value

    def _java(self, name: str, value: str, index: int) -> str:
        kept = []
        for word in value.split():
            if word.startswith(_OWN_PROPERTIES):
                where = self._where("environment", index, self._key("value"))
                self.left.append(Left(f"{word} of {name} at {where}", "it is a property of WildFly's"))
            else:
                kept.append(word)
        return " ".join(kept)

    def _command(self) -> None:
        for part in ("entryPoint", "command"):
            words = self._container.get(self._key(part))
            for index, word in enumerate(words if isinstance(words, list) else ()):
                if isinstance(word, str) and word not in _BOUND:
                    where = self._where(part, index)
                    self.left.append(Left(f"{word} of the command at {where}", "it is told to WildFly"))
        self._container.pop(self._key("entryPoint"), None)
        self._container[self._key("command")] = ["start"]

    def _list(self, name: str) -> list[Any]:
        found = self._container.get(self._key(name))
        return found if isinstance(found, list) else []

    def _key(self, name: str) -> str:
        return name if self._small else name[:1].upper() + name[1:]

    def _where(self, name: str, *more: Any) -> str:
        path = (*self._path, self._key(name), *more)
        return f"{self._source.name}:{self._source.document.line(path)}"
