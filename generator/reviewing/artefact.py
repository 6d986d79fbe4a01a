"""What is reviewed: the files of one environment as they are committed, or a template of anybody's."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

from generator.document import Document, parse
from generator.errors import CloakformError
from generator.resolving import scalar_text
from generator.reviewing.changes import Side

TEMPLATE = "template.yaml"
_DEVICE = r"/dev/(?:fd|full|null|random|shm|std(?:err|in|out)|tcp|tty|udp|urandom|zero)\b"
"""A path of the system's (those of Linux, and bash's two for sockets), in commands; never the environment `dev`."""


class ReviewError(CloakformError):
    """Something that can't be compared: a file, an environment or a revision that isn't there or can't be
    read.
    """


@dataclass(frozen=True, eq=False)
class Artefact:
    """The files of an environment, or one template."""

    name: str
    """The environment; the path of a file."""
    where: str
    """Where it is from, as a reader knows it: `rendered/prod`, `HEAD~1:rendered/prod`, `template.json`."""
    files: Mapping[str, bytes] = field(repr=False)
    """Path below the environment's folder -> content."""
    lone: bool = False
    """Whether it is one template and no environment."""

    @cached_property
    def document(self) -> Document:
        """The template. Raises MalformedDocument where it is none, ReviewError where there is none."""
        if TEMPLATE not in self.files:
            raise ReviewError(f"{self.where} has no {TEMPLATE} (render the environment)")
        where = self.where if self.lone else f"{self.where}/{TEMPLATE}"
        return parse(self._text(TEMPLATE), where)

    @cached_property
    def stack(self) -> dict[str, Any]:
        """stack.json; empty where there is none."""
        found = self._json("stack.json")
        return found if isinstance(found, dict) else {}

    @cached_property
    def parameters(self) -> dict[str, str]:
        """Values of parameters by name."""
        return _pairs(self._json("parameters.json"), "ParameterKey", "ParameterValue")

    @cached_property
    def tags(self) -> dict[str, str]:
        """The stack's tags."""
        return _pairs(self._json("tags.json"), "Key", "Value")

    @property
    def region(self) -> str:
        """Empty where it isn't known."""
        return self._setting("region")

    @property
    def account(self) -> str:
        """Empty where it isn't known."""
        return self._setting("account")

    @property
    def stack_name(self) -> str:
        """Empty where it isn't known."""
        return self._setting("stack_name")

    def text(self, path: str) -> str | None:
        """A file as text; None where there is none or it isn't text."""
        try:
            return self.files[path].decode("utf-8")
        except (KeyError, UnicodeDecodeError):
            return None

    def side(self, common: Artefact | None = None) -> Side:
        """The template, ready to be compared. With `common`, another environment, what comes from the
        environment's own name counts as the same on both sides."""
        return Side.of(
            self.document,
            self.parameters,
            region=self.region,
            account=self.account,
            stack_name=self.stack_name,
            rewrite=self._without_name(common) if common is not None else None,
        )

    def _without_name(self, other: Artefact):
        """A function that puts a place holder for the environment's own stack, name, account and region."""
        own = [("stack", "stack_name"), ("account", "account"), ("region", "region")]
        words = {getattr(self, key): f"<{label}>" for label, key in own if getattr(self, key)}
        if not self.lone and not other.lone and self.name != other.name:
            words[self.name] = "<environment>"
        if not words:
            return None
        pattern = re.compile(
            f"{_DEVICE}|(?<![A-Za-z0-9])("
            + "|".join(re.escape(word) for word in sorted(words, key=len, reverse=True))
            + ")(?![A-Za-z0-9])"
        )
        return lambda text: pattern.sub(lambda match: words.get(match[1], match[0]), text)

    def _setting(self, key: str) -> str:
        value = self.stack.get(key)
        return scalar_text(value) or ""

    def _text(self, path: str) -> str:
        try:
            return self.files[path].decode("utf-8")
        except UnicodeDecodeError:
            raise ReviewError(f"{self.where}: {path} isn't text in UTF-8") from None

    def _json(self, path: str) -> Any:
        if path not in self.files:
            return None
        try:
            return json.loads(self._text(path))
        except (ValueError, RecursionError) as error:
            raise ReviewError(
                f"{self.where}/{path} is no JSON: {error} (render the environment again)"
            ) from None


def _pairs(listed: Any, key: str, value: str) -> dict[str, str]:
    found = {}
    for one in listed if isinstance(listed, list) else ():
        if isinstance(one, dict) and isinstance(one.get(key), str):
            text = scalar_text(one.get(value))
            if text is not None:
                found[one[key]] = text
    return found
