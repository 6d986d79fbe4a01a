"""What a rule is: one class for what AWS refuses (`checks/`) and for what Keycloak can't live with
(`rules/`).

A rule's docstring is its page: `cloakform lint --explain ID` prints it and docs/rules/ID.md is made from it.
Its first line says what is wrong, then come why it matters, what will happen, and examples (see
`rules/__init__`).
"""

from __future__ import annotations

import inspect
import re
from collections.abc import Iterable, Iterator
from typing import NamedTuple

from generator.document import Path
from generator.linting.findings import Finding, severity_of
from generator.linting.view import Keycloak, View
from generator.resolving import Place


class Hit(NamedTuple):
    """One place that a rule objects to."""

    path: Path
    message: str
    """What is wrong and what will happen, in the user's terms, without a full stop."""
    fix: str = ""
    """What to write, as an instruction or as the very line."""
    about: str = ""
    """The option that it speaks of, where the place holds several."""

    @classmethod
    def at(cls, place: Place, message: str, fix: str = "") -> Hit:
        """A hit at a place of the view, which knows its path behind Fn::If and Fn::FindInMap."""
        return cls(place.path, message, fix, place.about)


class Rule:
    """A rule: subclasses set the texts, say why in their docstring and yield hits."""

    id = ""
    """E for what can't work or is dangerous, W for what will bite later, I for what is good to know, and a
    number that never changes its meaning. 95xx is what AWS refuses."""
    shortdesc = ""
    """What is right, as a short sentence without a full stop: `The health check asks the management port`."""
    source_url = ""
    """The page of the outside world that it stands on."""
    versions = "all"
    """Which Keycloak versions it holds for, as text."""

    making = False
    """Whether it is about the order in which CloudFormation makes things, which what runs has behind it."""

    kinds: list[type[Rule]] = []
    """Every rule with an id, in the order they were imported."""

    def __init_subclass__(cls) -> None:
        if cls.id:
            Rule.kinds.append(cls)

    def hits(self, view: View) -> Iterable[Hit]:
        """The places of a template that are wrong."""
        raise NotImplementedError

    def findings(self, view: View) -> Iterator[Finding]:
        """The hits as findings, each with its place in the text."""
        if self.making and view.running:
            return
        for hit in self.hits(view):
            yield Finding(
                self.id,
                severity_of(self.id),
                hit.message,
                hit.path,
                *view.document.span(hit.path),
                title=self.shortdesc,
                fix=hit.fix,
                source_url=self.source_url,
                about=hit.about,
            )

    @classmethod
    def text(cls) -> str:
        """The docstring without its indentation."""
        return inspect.cleandoc(cls.__doc__ or "")

    @classmethod
    def examples(cls) -> list[Example]:
        """The YAML blocks below `Bad:` and `Good:` lines of the docstring, in their order."""
        found = []
        lines = cls.text().splitlines()
        for number, line in enumerate(lines):
            if match := _EXAMPLE.fullmatch(line):
                block = []
                for one in lines[number + 1 :]:
                    if one.strip() and not one.startswith("    "):
                        break
                    block.append(one[4:])
                found.append(Example(match[1] == "Bad", match[2] or "", "\n".join(block).strip("\n") + "\n"))
        return found


class KeycloakRule(Rule):
    """A rule about each Keycloak container of a template, in the versions that it holds for.

    A rule that doesn't hold for all versions says nothing about a container whose version isn't known, and where the
    tag tells the major version alone, it has to hold for all of that.
    """

    since: tuple[int, ...] = ()
    """The first version that it holds for, `(26, 4)`; empty for all."""
    before: tuple[int, ...] = ()
    """The first version that it doesn't hold for any more; empty for none."""

    def __init_subclass__(cls) -> None:
        super().__init_subclass__()
        if "versions" not in vars(cls) and (cls.since or cls.before):
            since, before = (".".join(map(str, one)) for one in (cls.since, cls.before))
            cls.versions = (
                f"{since} up to, not including, {before}"
                if since and before
                else (f"{since} and newer" if since else f"before {before}")
            )

    def hits(self, view: View) -> Iterator[Hit]:
        for one in view.keycloaks:
            if self.holds_for(one):
                yield from self.judge(one)

    def holds_for(self, keycloak: Keycloak) -> bool:
        """Whether the rule speaks about the container's version."""
        if self.since and keycloak.at_least(*self.since) is not True:
            return False
        return not self.before or keycloak.at_least(*self.before) is False

    def judge(self, keycloak: Keycloak) -> Iterable[Hit]:
        """What is wrong with one container and what stands around it."""
        raise NotImplementedError


class Example(NamedTuple):
    """An example of a rule's page."""

    bad: bool
    title: str
    """What stands in brackets behind `Bad` or `Good`."""
    text: str
    """Resources, as in a template's `Resources`, with what matters here alone."""


_EXAMPLE = re.compile(r"(Bad|Good)(?: \((.+)\))?:")
