"""What a step from one Keycloak version to another changes in what the server understands.

Pure: two catalogs in, values out. What the classes don't tell comes from `facts`, what to do from `advice`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass

from generator.keycloak import advice, facts
from generator.keycloak.catalog import Catalog, Feature, Option

KINDS = {
    "server": "Server",
    "option removed": "Options removed",
    "option added": "Options added",
    "option deprecated": "Options newly deprecated",
    "option no longer deprecated": "Options no longer deprecated",
    "build time to run time": "Options moved from build time to run time",
    "run time to build time": "Options moved from run time to build time",
    "default": "Defaults changed",
    "values": "Values added or removed",
    "values deprecated": "Values newly deprecated",
    "type": "Types changed",
    "condition": "Conditions changed",
    "feature removed": "Features removed",
    "feature added": "Features added",
    "feature state": "Features in another state",
    "stack": "Cache stacks",
}
"""Kind of a change -> its heading, in the order of reading."""


@dataclass(frozen=True)
class Change:
    """One thing that is otherwise in the other version."""

    kind: str
    """One of `KINDS`."""
    name: str
    """Key of the option, name of the feature or stack, or what of the server it is."""
    text: str
    """How it is there, without a full stop; empty where kind and name say it all."""
    variable: str = ""
    """Variable of the option; empty for anything else."""
    hidden: bool = False
    """Whether Keycloak's own help keeps quiet about the option."""
    advice: str = ""
    """What to do, as a sentence; empty if there is nothing to say."""
    source: str = ""
    """Where it is from; empty where it is Keycloak's own classes."""


@dataclass(frozen=True)
class Differences:
    """All that a step changes."""

    before: str
    after: str
    notes: tuple[str, ...]
    """Where a version's catalog is that of another one; a sentence each."""
    changes: tuple[Change, ...]
    """In the order of KINDS, then by name."""

    def of(self, kind: str) -> tuple[Change, ...]:
        """Those of one kind."""
        return tuple(change for change in self.changes if change.kind == kind)


def compare(before: Catalog, after: Catalog) -> Differences:
    """What is otherwise in `after`; it may be the older one of the two."""
    changes = [
        *_server(before, after),
        *_options(before, after),
        *_features(before, after),
        *_stacks(before, after),
    ]
    order = list(KINDS)
    changes.sort(key=lambda change: (order.index(change.kind), change.name))
    notes = tuple(dict.fromkeys(one.note for one in (before, after) if one.note))
    return Differences(before.version, after.version, notes, tuple(changes))


@dataclass(frozen=True)
class Fact:
    """Something that a version does and no option says."""

    name: str
    value: str
    source: str


_SERVER: tuple[tuple[str, Callable[[str], object], str], ...] = (
    (
        "port of health and metrics",
        lambda version: facts.management_port(version) or "the main port",
        "upgrading guide 25.0.0 (Management port)",
    ),
    (
        "Java",
        lambda version: _span(facts.java_majors(version)),
        "release notes 25.0.0 and 26.6.0; the classes",
    ),
    (
        "PostgreSQL",
        lambda version: _span(facts.postgresql_majors(version)),
        "server guide, db.adoc; upgrading guide 26.4.0; parent POMs",
    ),
    (
        "public paths",
        lambda version: " ".join(facts.public_paths(version)),
        "server guide, reverseproxy.adoc; upgrading guides 26.1.0 and 26.4.0; measured",
    ),
    ("default cache stack", facts.default_stack, "release notes 26.1.0; conf/cache-ispn.xml"),
    ("encryption between nodes", lambda version: _encryption(version), "upgrading guide 26.2.0; the classes"),
    ("host name options", lambda version: f"v{facts.hostname_model(version)}", "upgrading guide 25.0.0"),
    (
        "first administrator",
        lambda version: " and ".join(facts.bootstrap_admin_variables(version)),
        "upgrading guide 26.0.0; measured",
    ),
    (
        "prefix of literal values",
        lambda version: facts.raw_prefix(version) or "none",
        "measured with show-config",
    ),
    (
        "provider options",
        lambda version: facts.spi_variable(version, "<spi>", "<provider>", "<name>"),
        "upgrading guide 26.3.0; measured",
    ),
    (
        "rolling to a later patch",
        lambda version: "possible" if facts.patches_roll(version) else "not possible",
        "upgrading guide 26.6.0; server guide, update-compatibility.adoc",
    ),
)


def server(version: str) -> tuple[Fact, ...]:
    """What a version does that no option says: ports, ranges of Java and PostgreSQL, public paths and so on.

    Every version has the same names in the same order. Raises CatalogError for a malformed version.
    """
    return tuple(Fact(name, str(ask(version)), source) for name, ask, source in _SERVER)


def _span(majors: tuple[int, int]) -> str:
    first, last = majors
    return f"{first} to {last}" if first != last else str(first)


def _encryption(version: str) -> str:
    if not facts.cluster_encryption_available(version):
        return "not available"
    return "on by default" if facts.cluster_encrypted_by_default(version) else "off by default"


def _server(before: Catalog, after: Catalog) -> Iterator[Change]:
    for old, new in zip(server(before.version), server(after.version)):
        if old.value != new.value:
            yield Change("server", new.name, f"{old.value} -> {new.value}", source=new.source)


def _options(before: Catalog, after: Catalog) -> Iterator[Change]:
    old = {option.key: option for option in before.options}
    new = {option.key: option for option in after.options}
    for key in sorted(old.keys() | new.keys()):
        if key not in new:
            instead = advice.replacement(key, after.version)
            yield _change(
                "option removed", old[key], _use(instead), _say(instead), instead.source if instead else ""
            )
        elif key not in old:
            kind = "build time" if new[key].build else "run time"
            yield _change("option added", new[key], f"{kind}; {new[key].about}" if new[key].about else kind)
        else:
            yield from _option(old[key], new[key], after)


def _option(old: Option, new: Option, after: Catalog) -> Iterator[Change]:
    if new.deprecated and not old.deprecated:
        instead = advice.replacement(new.key, after.version)
        yield _change(
            "option deprecated",
            new,
            "",
            " ".join(filter(None, (new.deprecated, _say(instead)))),
            instead.source if instead else "",
        )
    if old.deprecated and not new.deprecated:
        yield _change("option no longer deprecated", new, "")
    if old.build and not new.build:
        yield _change(
            "build time to run time", new, "", "Take it out of the image's build and set it on the task."
        )
    if new.build and not old.build:
        yield _change(
            "run time to build time",
            new,
            "",
            "Build it into the image; an optimized server ignores or refuses it on the task.",
        )
    if old.default != new.default:
        yield _change("default", new, f"{_default(old)} -> {_default(new)}")
    gone, come = (
        ", ".join(sorted(set(one) - set(other)))
        for one, other in ((old.values, new.values), (new.values, old.values))
    )
    # A list that is gone, or new, says nothing about single values: the server takes them unlisted, too.
    if old.values and new.values and (gone or come):
        yield _change(
            "values", new, "; ".join(filter(None, (f"+ {come}" if come else "", f"- {gone}" if gone else "")))
        )
    deprecated = sorted(set(new.deprecated_values) - set(old.deprecated_values))
    if deprecated:
        found = [advice.replacement(new.key, after.version, value) for value in deprecated]
        says = dict.fromkeys(one.say for one in found if one)
        sources = dict.fromkeys(one.source for one in found if one)
        note = new.deprecated_note.rstrip(".") + "." if new.deprecated_note else ""
        yield _change(
            "values deprecated",
            new,
            ", ".join(deprecated),
            " ".join(filter(None, (note, *says))),
            "; ".join(sources),
        )
    if old.type != new.type:
        yield _change("type", new, f"{old.type} -> {new.type}")
    # Versions before 25 name no conditions at all, so that a first one is no news.
    if old.when and old.when != new.when:
        yield _change("condition", new, f"{old.when} -> {new.when or 'always available'}")


def _change(kind: str, option: Option, text: str, say: str = "", source: str = "") -> Change:
    return Change(kind, option.key, text, option.env, option.hidden, say, source)


def _default(option: Option) -> str:
    return "none" if option.default is None else option.default


def _use(instead: advice.Replacement | None) -> str:
    return f"use {' and '.join(instead.use)}" if instead and instead.use else ""


def _say(instead: advice.Replacement | None) -> str:
    return instead.say if instead else ""


def _features(before: Catalog, after: Catalog) -> Iterator[Change]:
    # A feature without a version (before 24) is the one that later has its first version.
    old = {_feature_key(feature): feature for feature in before.features}
    new = {_feature_key(feature): feature for feature in after.features}
    for key in sorted(old.keys() | new.keys()):
        if key not in new:
            yield Change("feature removed", old[key].versioned, f"was {_state(old[key])}; {old[key].label}")
        elif key not in old:
            yield Change("feature added", new[key].versioned, f"{_state(new[key])}; {new[key].label}")
        elif _state(old[key]) != _state(new[key]):
            yield Change("feature state", new[key].versioned, f"{_state(old[key])} -> {_state(new[key])}")


def _feature_key(feature: Feature) -> tuple[str, int]:
    return feature.name, feature.version or 1


def _state(feature: Feature) -> str:
    return (
        f"{feature.state}, deprecated"
        if feature.deprecated and feature.state != "deprecated"
        else feature.state
    )


def _stacks(before: Catalog, after: Catalog) -> Iterator[Change]:
    old = {stack.name: stack for stack in before.stacks}
    new = {stack.name: stack for stack in after.stacks}
    for name in sorted(old.keys() | new.keys()):
        if name not in new:
            yield Change("stack", name, "removed")
        elif name not in old:
            yield Change("stack", name, "added" + (", deprecated" if new[name].deprecated else ""))
        elif old[name].deprecated != new[name].deprecated:
            instead = advice.replacement("cache-stack", after.version, name)
            word = "deprecated" if new[name].deprecated else "no longer deprecated"
            yield Change("stack", name, word, advice=_say(instead), source=instead.source if instead else "")
