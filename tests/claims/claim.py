"""A claim: what a rule says that Keycloak does with a setting, and how that is seen."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Mapping
from dataclasses import dataclass, field

from generator.linting import pack
from tests.claims.expecting import Ends, Expect


@dataclass(frozen=True)
class Claim:
    """What a rule's page says, the settings it speaks of, and what a server does with them if it is true."""

    rule: str
    """Its id; empty for what the project promises of the environment it renders."""
    variant: str
    """The settings in short, as the table names them."""
    says: str
    """The page's own words, or how it goes on from them."""
    versions: tuple[str, ...]
    expects: tuple[Expect, ...]
    base: str = "stock"
    variables: Mapping[str, str | None] = field(default_factory=dict)
    """What differs in the container's environment; None takes a variable away."""
    command: tuple[str, ...] | None = None
    build: Mapping[str, str | None] = field(default_factory=dict)
    """What differs in the build of the optimized image."""
    unbuilt: bool = False
    """Whether the image is as the distribution has it, never built."""
    builds: bool = False
    """Whether the stock image gets as far as to build itself before it ends."""
    database: str = "migrated"
    """`migrated` is of this version with the first administrator; `empty` has nothing."""
    ready: str = ""
    """Where the server is ready, if not at its health page: `SCHEME:PORT/PATH`, or `SCHEME:HOST:PORT/PATH`."""
    files: Mapping[str, str] = field(default_factory=dict)
    """More files of the image, by their path below /opt/keycloak: names among the certificates."""
    read_only: bool = False
    writable: tuple[str, ...] = ()
    """Folders that can be written nevertheless: each a file system of its own, empty."""
    mixes: bool = False
    """Whether it may share a server with other such claims, as no other variable has to do with it."""
    found: bool = True
    """Whether the rule has to find something in the rendered template with these settings."""

    def name(self, version: str) -> str:
        """`26.7.4 E9005 no host name`."""
        return f"{version} {self.area} {self.variant}"

    @property
    def area(self) -> str:
        """The rule's id, or `rendered`."""
        return self.rule or "rendered"

    @property
    def settings(self) -> str:
        """Of everything that the server is started with: claims that share it share a server."""
        return repr(
            (
                self.base,
                sorted(self.variables.items(), key=str),
                self.command,
                sorted(self.build.items(), key=str),
                self.unbuilt,
                self.database,
                self.ready,
                sorted(self.files.items()),
                self.read_only,
                *((self.writable,) if self.writable else ()),
            )
        )

    @property
    def is_quick(self) -> bool:
        """Whether the server ends before it builds anything, as it reads its settings."""
        return self.base == "stock" and not self.builds and all(isinstance(one, Ends) for one in self.expects)

    @property
    def digest(self) -> str:
        """Of everything that decides the verdict, less the rendered environment."""
        return hashlib.sha256(repr((self.settings, self.expects)).encode()).hexdigest()[:12]

    def is_quoted(self) -> bool:
        """Whether the rule's page says it, in these words."""
        rule = pack.rule(self.rule) if self.rule else None
        return not self.rule or (rule is not None and _flat(self.says) in _flat(rule.text()))


def _flat(text: str) -> str:
    return re.sub(r"\s+", " ", text)
