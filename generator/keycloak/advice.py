"""What no class of Keycloak tells: an option's replacement, known bugs, what a step between versions means.

Lookups over `advice.yaml`, where each entry names its source; the file is read when somebody first asks.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

from generator.errors import CatalogError
from generator.keycloak.version import Version, parse

_FILE = Path(__file__).with_name("advice.yaml")


@dataclass(frozen=True)
class Needs:
    """Whom an entry concerns; everything that isn't empty must hold."""

    option: str = ""
    """Variable that is set; with a `*` at its end, all that start so."""
    value: str = ""
    """Its value, which may be one of a list."""
    unset: tuple[str, ...] = ()
    """Variables that are all not set."""
    discovery: str = ""
    """dns or database."""
    jvm: str = ""
    """Text among the options of the JVM."""
    feature: str = ""
    """Feature that is on, with its version (`token-exchange:v1`) or in any."""


@dataclass(frozen=True)
class Replacement:
    """What to use instead of an option or of one of its values."""

    option: str
    """Variable, such as `KC_PROXY`; with a `*` at its end, all that start so."""
    value: str
    """The value in question; empty if it is the option itself."""
    use: tuple[str, ...]
    """Variables that take its place, the first one before the others; empty if nothing does."""
    say: str
    """How to move over, as a sentence."""
    source: str
    deprecated: str = ""
    """The version it is deprecated from; empty if it isn't."""
    removed: str = ""
    """The version that no longer has it; empty if it is still there."""


@dataclass(frozen=True)
class KnownBug:
    """A bug of some versions."""

    say: str
    """What goes wrong, without a full stop."""
    do: str
    """What to do while it is there; empty if nothing but a newer version helps."""
    since: str
    fixed: tuple[str, ...]
    """The first version of each line that doesn't have it."""
    source: str
    needs: Needs = Needs()


@dataclass(frozen=True)
class Step:
    """What crossing a version means."""

    version: str
    """What holds from here on."""
    kind: str
    """cluster: old and new nodes can't share one; lost: what is thrown away; schema: what the migration of
    the database does; check: look before; behaviour: what is otherwise afterwards."""
    say: str
    do: str
    source: str
    needs: Needs = Needs()


def replacement(option: str, version: str | Version, value: str = "") -> Replacement | None:
    """What to use in `version` instead of an option, or instead of one value of it.

    `option` is a key (`db-url`), a variable (`KC_DB_URL`) or a name of other times, with KC_ or without
    (`DB_ADDR`). None if there is nothing to say, also where the option is as it should be. Raises
    CatalogError for a malformed version.
    """
    asked = parse(version)
    bare = _bare(option)
    for since, until, found in (*_read().options.get((bare, value), ()), *_read().patterns):
        fits = found.value == value and (
            not found.option.endswith("*") or bare.startswith(_bare(found.option)[:-1])
        )
        if fits and since <= asked and (until is None or asked < until):
            return found
    return None


def known_bugs(version: str | Version) -> tuple[KnownBug, ...]:
    """Bugs that a version has, whomever they concern. Raises CatalogError for a malformed version."""
    asked = parse(version)
    return tuple(bug for bug in _read().bugs if parse(bug.since) <= asked and not _is_fixed(bug, asked))


def steps(before: str | Version, after: str | Version) -> tuple[Step, ...]:
    """What going up from `before` to `after` crosses, oldest first.

    Raises CatalogError for a malformed version.
    """
    first, last = parse(before), parse(after)
    return tuple(step for step in _read().steps if first < parse(step.version) <= last)


def variable(name: str) -> str:
    """The variable of a key (`db-url` is KC_DB_URL); a variable stays what it is."""
    return name if name.isupper() else "KC_" + re.sub("[^A-Z0-9*<>]", "_", name.upper())


def _is_fixed(bug: KnownBug, asked: Version) -> bool:
    """A line has its own fix, or comes after all that have one."""
    fixed = [parse(version) for version in bug.fixed]
    own = [version for version in fixed if version.line == asked.line]
    return asked >= own[0] if own else asked > max(fixed)


def _bare(name: str) -> str:
    """KC_DB_URL, DB_URL and db-url are one; so are the two spellings of a provider's option."""
    bare = variable(name).removeprefix("KC_")
    return re.sub("_+", "_", bare) if bare.startswith("SPI_") else bare


@dataclass(frozen=True)
class _Advice:
    options: dict[tuple[str, str], list[tuple[Version, Version | None, Replacement]]]
    """(option as `_bare` spells it, value) -> since, until, what to use."""
    patterns: tuple[tuple[Version, Version | None, Replacement], ...]
    """Those that end in `*`."""
    bugs: tuple[KnownBug, ...]
    steps: tuple[Step, ...]


@lru_cache(maxsize=None)
def _read() -> _Advice:
    import yaml

    loader = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
    try:
        data = yaml.load(_FILE.read_text("utf-8"), Loader=loader)
        options: dict[tuple[str, str], list] = {}
        for entry in data["options"]:
            since, until, found = _option(**entry)
            options.setdefault((_bare(found.option), found.value), []).append((since, until, found))
        found_steps = sorted(
            (_step(**entry) for entry in data["steps"]), key=lambda step: parse(step.version)
        )
        patterns = [one for (name, _), found in options.items() if name.endswith("*") for one in found]
        return _Advice(
            options, tuple(patterns), tuple(_bug(**entry) for entry in data["known_bugs"]), tuple(found_steps)
        )
    except (OSError, yaml.YAMLError, KeyError, TypeError, AttributeError) as error:
        raise CatalogError(f"{_FILE.name} can't be read: {error}") from error


def _option(
    option: str,
    use: Iterable[str],
    say: str,
    source: str,
    value: str = "",
    since: str = "0.0.0",
    until: str = "",
    deprecated: str = "",
    removed: str = "",
):
    found = Replacement(variable(option), value, tuple(map(variable, use)), say, source, deprecated, removed)
    return parse(since), parse(until) if until else None, found


def _bug(
    say: str, since: str, fixed: Iterable[str], source: str, do: str = "", needs: dict | None = None
) -> KnownBug:
    return KnownBug(say, do, since, tuple(fixed), source, _needs(**(needs or {})))


def _step(version: str, kind: str, say: str, source: str, do: str = "", needs: dict | None = None) -> Step:
    return Step(str(parse(version)), kind, say, do, source, _needs(**(needs or {})))


def _needs(
    option: str = "",
    value: str = "",
    unset: Iterable[str] = (),
    discovery: str = "",
    jvm: str = "",
    feature: str = "",
) -> Needs:
    return Needs(variable(option) if option else "", value, tuple(map(variable, unset)), discovery, jvm, feature)
