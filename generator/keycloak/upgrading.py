"""What a step to a newer Keycloak means for a deployment: what changes, if it can roll, what can't be undone.

Pure: what runs before and what would run after in, a report as a frozen value out.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from generator.errors import CloakformError
from generator.keycloak import advice, facts
from generator.keycloak.catalog import Catalog, Feature, Option, load_known
from generator.keycloak.differences import server
from generator.keycloak.version import parse

_ROLLING_GUIDE = "server guide, update-compatibility.adoc"
_PREPARING = "upgrading guide, prep_migration.adoc"

_CONFIGURATION = re.compile("KC_|KCRAW_|KEYCLOAK_")


class UpgradeError(CloakformError):
    """A step that Keycloak doesn't have: to an older version."""


@dataclass(frozen=True)
class Deployment:
    """What is known of a Keycloak that runs, or would run."""

    version: str
    options: Mapping[str, str]
    """Variables of the container and of the image's build (`KC_DB`) -> value; an empty one where nobody may
    know it. A secret's value is never looked at."""
    discovery: str = ""
    """dns, database, or empty where it isn't known."""
    encrypted: bool | None = None
    """Whether nodes speak TLS to each other; None where it isn't known."""
    optimized: bool = False
    """Whether the image was built beforehand."""
    jvm_options: str = ""
    """JAVA_OPTS_APPEND."""
    postgresql: str = ""
    """Version of the database's engine (`16.4`); empty where it isn't known."""


@dataclass(frozen=True)
class Item:
    """One line of a report."""

    kind: str
    """What it is about; see where it stands."""
    name: str
    """Variable, option, port or whatever else it is about; may be empty."""
    text: str
    """What will be, without a full stop."""
    do: str = ""
    """What to do, as a sentence; empty if nothing."""
    source: str = ""


@dataclass(frozen=True)
class Upgrade:
    """What a step means for a deployment."""

    before: str
    after: str
    notes: tuple[str, ...]
    """Where a version's catalog is that of another one."""
    strategy: str
    """rolling: one node at a time; recreate: all nodes stop before the first new one starts."""
    reasons: tuple[Item, ...]
    """Why it can't roll, or why it can; kinds: version, cluster, option, feature."""
    rewritten: tuple[Item, ...]
    """Variables that are set otherwise afterwards; kinds: set, unset, changed."""
    options: tuple[Item, ...]
    """What the step does to options in use; kinds: removed, unknown, value, deprecated, build time, run time,
    feature (one that is named), default (of one that isn't set, before and after)."""
    server: tuple[Item, ...]
    """What is otherwise whatever is set; kinds: server, behaviour, check."""
    irreversible: tuple[Item, ...]
    """What can't be undone; kinds: schema, lost."""
    order: tuple[str, ...]
    """What to do, one sentence after the other."""
    fixed: tuple[Item, ...]
    """Known bugs that concern the deployment now and no more afterwards; kind: bug."""
    bugs: tuple[Item, ...]
    """Known bugs that it will have; kind: bug."""


def upgrade(before: Deployment, after: Deployment) -> Upgrade:
    """The report of a step from `before` to `after`, the same deployment on a newer version.

    Raises UpgradeError if the version is an older one, CatalogError if nothing is known of a version.
    """
    old, new = load_known(before.version), load_known(after.version)
    if parse(after.version) < parse(before.version):
        raise UpgradeError(
            f"{after.version} is older than {before.version}, and Keycloak can't go back: the database's"
            " schema has moved on (restore a backup of the database together with the old version)"
        )
    reasons = tuple(_reasons(before, after, old, new))
    strategy = "recreate" if reasons else "rolling"
    lines_differ = old.minor != new.minor
    irreversible = tuple(_irreversible(before, after, strategy, lines_differ))
    old_bugs, new_bugs = (tuple(_bugs(deployment)) for deployment in (before, after))
    return Upgrade(
        before=before.version,
        after=after.version,
        notes=tuple(dict.fromkeys(one.note for one in (old, new) if one.note)),
        strategy=strategy,
        reasons=reasons or _why_rolling(before, after),
        rewritten=tuple(_rewritten(before, after, new)),
        options=tuple(_options(before, after, old, new)),
        server=tuple(_server(before, after)),
        irreversible=irreversible,
        order=tuple(_order(before, after, strategy, lines_differ)),
        fixed=tuple(bug for bug in old_bugs if bug not in new_bugs),
        bugs=new_bugs,
    )


def _reasons(before: Deployment, after: Deployment, old: Catalog, new: Catalog) -> Iterator[Item]:
    """Why nodes of the two can't share a cluster; none if they can."""
    if old.minor != new.minor:
        yield Item(
            "version",
            "",
            f"{before.version} and {after.version} are of two lines, and only patch releases of one "
            "line may share a cluster",
            source=_ROLLING_GUIDE,
        )
    elif before.version != after.version and not facts.patches_roll(before.version, _asks_to_roll(after, new)):
        yield Item(
            "version",
            "",
            f"{before.version} can't share a cluster with a later patch release; from 26.6 on that works",
            "26.4 and 26.5 have it as a preview, the feature rolling-updates:v2, which isn't meant for production."
            if facts.patches_roll(before.version, preview=True)
            else "",
            source=f"{_ROLLING_GUIDE}; upgrading guide 26.6.0",
        )
    for step in _steps(before, after):
        if step.kind == "cluster":
            yield Item("cluster", step.version, step.say, step.do, step.source)
    mtls = "KC_CACHE_EMBEDDED_MTLS_ENABLED"
    for key in facts.RECREATE:
        name = advice.variable(key)
        one, other = before.options.get(name), after.options.get(name)
        if one != other:
            yield Item(
                "option",
                name,
                f"{_shown(one, old, name)} -> {_shown(other, new, name)}: nodes that differ in it "
                "form no cluster, or use two databases",
                source=_ROLLING_GUIDE,
            )
    told = before.options.get(mtls) != after.options.get(mtls)
    if None not in (before.encrypted, after.encrypted) and before.encrypted != after.encrypted and not told:
        yield Item(
            "option",
            mtls,
            "one half of the nodes would speak TLS and the other wouldn't",
            source=_ROLLING_GUIDE,
        )
    if before.discovery and after.discovery and before.discovery != after.discovery:
        yield Item(
            "option",
            "",
            f"nodes look for each other in another place ({before.discovery} -> {after.discovery})",
            source=_ROLLING_GUIDE,
        )
    if old.minor == new.minor:
        yield from _features(before, after, old, new)


def _features(before: Deployment, after: Deployment, old: Catalog, new: Catalog) -> Iterator[Item]:
    """Features whose switch nodes of one cluster must agree about, and the one that lets patches roll."""
    one, other = _enabled(before, old), _enabled(after, new)
    for name in sorted(one.keys() | other.keys()):
        mine, theirs = one.get(name), other.get(name)
        policy = (theirs or mine).update
        both = mine and theirs
        if policy == "shutdown" and not both:
            yield Item(
                "feature",
                name,
                f"is switched {'off' if mine else 'on'}, and nodes must agree about it",
                source=_ROLLING_GUIDE,
            )
        elif policy == "rolling-no-upgrade" and both and mine.version != theirs.version:
            yield Item(
                "feature",
                name,
                f"v{mine.version} -> v{theirs.version}: nodes must agree about its version",
                source=_ROLLING_GUIDE,
            )
    off = (name for _, name, on in _named(after.options) if not on)
    if before.version != after.version and "rolling-updates" in off:
        yield Item("feature", "rolling-updates", "is switched off", source=_ROLLING_GUIDE)


def _asks_to_roll(after: Deployment, new: Catalog) -> bool:
    """Whether the feature is on that lets patch releases share a cluster.

    Keycloak's own check asks the new version alone; it does so from the first version that has the feature.
    """
    feature = _enabled(after, new).get("rolling-updates")
    return feature is not None and feature.version >= 2


def _enabled(deployment: Deployment, catalog: Catalog) -> dict[str, Feature]:
    """Features that are on, by name."""
    found: dict[str, Feature] = {}
    for feature in catalog.features:
        if feature.state == "on":
            found[feature.name] = max(feature, found.get(feature.name, feature), key=lambda one: one.version)
    named = list(_named(deployment.options))
    if any(name == "preview" for _, name, on in named if on):
        for feature in catalog.features:
            if feature.state == "preview":
                found.setdefault(feature.name, feature)
    for _, name, on in named:
        named_one = catalog.feature(name) if on else None
        if named_one:
            found[named_one.name] = named_one
    for _, name, on in named:
        if not on:
            found.pop(name, None)
    return found


_SWITCH = "KC_FEATURE_"


def _named(options: Mapping[str, str]) -> Iterator[tuple[str, str, bool]]:
    """Features that options name: (variable, name as KC_FEATURES takes it, whether it is switched on).

    The variables are KC_FEATURES, KC_FEATURES_DISABLED and, from 26.5 on, one for each feature.
    """
    for variable, value in options.items():
        if variable in ("KC_FEATURES", "KC_FEATURES_DISABLED"):
            for item in value.split(","):
                if item.strip():
                    yield variable, item.strip(), variable == "KC_FEATURES"
        elif variable.startswith(_SWITCH) and value:
            name = variable.removeprefix(_SWITCH).lower().replace("_", "-")
            yield variable, name if value in ("enabled", "disabled") else f"{name}:{value}", value != "disabled"


def _why_rolling(before: Deployment, after: Deployment) -> tuple[Item, ...]:
    if before.version == after.version:
        return (
            Item(
                "version",
                "",
                "the version stays, and nothing changes that nodes must agree about",
                source=_ROLLING_GUIDE,
            ),
        )
    if not facts.patches_roll(before.version):
        return (
            Item(
                "version",
                "",
                f"{before.version} and {after.version} are patch releases of one line, which may share a cluster "
                "with the feature rolling-updates:v2; it is a preview, not meant for production",
                "Let the new version say so itself before: kc.sh update-compatibility. It refuses where the two "
                "hold different versions of Infinispan.",
                source=f"{_ROLLING_GUIDE} of 26.4 (Rolling updates for patch releases)",
            ),
        )
    return (
        Item(
            "version",
            "",
            f"{before.version} and {after.version} are patch releases of one line, which may share a "
            "cluster from 26.6 on",
            source="upgrading guide 26.6.0 (Zero-downtime patch releases)",
        ),
    )


def _rewritten(before: Deployment, after: Deployment, new: Catalog) -> Iterator[Item]:
    for name in sorted(before.options.keys() | after.options.keys()):
        one, other = before.options.get(name), after.options.get(name)
        if one == other or not _CONFIGURATION.match(name):
            continue
        instead = advice.replacement(name, after.version)
        if other is None:
            use = f"{' and '.join(instead.use)} instead" if instead and instead.use else ""
            option = new.option(name)
            if not use and one and option is not None and option.default is not None:
                by_now = f"{one} is the default by now"
                use = by_now if one == option.default else f"{_shown(one, new, name)} -> {option.default}, the default"
            yield Item("unset", name, use, source=instead.source if instead else "")
        elif one is None:
            yield Item("set", name, _shown(other, new, name))
        else:
            yield Item("changed", name, f"{_shown(one, new, name)} -> {_shown(other, new, name)}")


def _shown(value: str | None, catalog: Catalog, name: str) -> str:
    """A value as a report may show it."""
    if value is None:
        return "(not set)"
    option = catalog.option(name)
    return "(secret)" if _is_secret(option, name) else value or "(known to the template only)"


def _is_secret(option: Option | None, name: str) -> bool:
    return bool(option and option.secret) or name.endswith(("PASSWORD", "SECRET"))


def _options(before: Deployment, after: Deployment, old: Catalog, new: Catalog) -> Iterator[Item]:
    for name, value in sorted(after.options.items()):
        if _CONFIGURATION.match(name):
            yield from _option(name, value, old, new)
            yield from _named_features(name, value, old, new)
    variables = {option.env: option for option in old.options}
    # What is set before and no more afterwards stands among what is rewritten.
    told = {re.sub("^KCRAW_", "KC_", name) for name in (*before.options, *after.options)}
    for option in new.options:
        earlier = variables.get(option.env)
        if earlier is None or option.hidden or option.wildcard or option.env in told:
            continue
        # Where the classes name no default, it may still be the same: it then depends on other options.
        if None not in (earlier.default, option.default) and earlier.default != option.default:
            yield Item(
                "default",
                option.env,
                f"isn't set, and its default changes: {earlier.default} -> {option.default}",
                source=f"the classes of {old.source} and {new.source}",
            )


def _option(name: str, value: str, old: Catalog, new: Catalog) -> Iterator[Item]:
    was, is_now = old.option(name), new.option(name)
    instead = advice.replacement(name, new.version)
    say, source = (instead.say, instead.source) if instead else ("", "")
    classes = f"the classes of {new.source}"
    if is_now is None:
        if instead and (instead.removed or not instead.deprecated) and not new.is_spi(name):
            yield Item("removed", name, f"{new.version} doesn't know it and ignores it", _do(instead), source)
        elif instead:
            word = "is gone" if instead.removed else "is deprecated"
            yield Item("removed" if instead.removed else "deprecated", name, word, _do(instead), source)
        elif was:
            yield Item(
                "removed", name, f"{new.version} doesn't know it and ignores it", "Take it out.", classes
            )
        elif not new.is_spi(name) and name.startswith(("KC_", "KCRAW_")):
            near = new.nearest(name)
            yield Item(
                "unknown",
                name,
                "neither version knows it",
                f"Did you mean {near}?" if near else "Take it out.",
                classes,
            )
        return
    # Each feature has its own story; of another list, one item that is wrong says enough.
    for part in value.split(",") if is_now.key in ("features", "features-disabled") else (value,):
        problem = new.check_value(is_now, part) if part else None
        if problem and not (was and old.check_value(was, part)):
            yield Item("value", name, problem, source=classes)
    if is_now.deprecated:
        yield Item(
            "deprecated",
            name,
            f"is deprecated{'' if was and was.deprecated else ' now'}",
            " ".join(filter(None, (is_now.deprecated, say))),
            source or classes,
        )
    for item in value.split(",") if is_now.deprecated_values else ():
        if item in is_now.deprecated_values:
            of_value = advice.replacement(name, new.version, item)
            yield Item(
                "deprecated",
                name,
                f"its value {item} is deprecated",
                of_value.say if of_value else f"{is_now.deprecated_note.rstrip('.')}.",
                of_value.source if of_value else classes,
            )
    if was and was.build != is_now.build:
        if is_now.build:
            yield Item(
                "build time",
                name,
                "is fixed when the image is built from now on",
                "Build it into the image.",
                classes,
            )
        else:
            yield Item(
                "run time",
                name,
                "is read when the server starts from now on",
                "Set it on the task, not in the image's build.",
                classes,
            )


_STATES = {
    "on": "supported and on by default",
    "off": "supported, though not on by default",
    "preview": "a preview",
    "experimental": "an experiment",
    "deprecated": "deprecated and off by default",
}


def _named_features(variable: str, value: str, old: Catalog, new: Catalog) -> Iterator[Item]:
    """What becomes of features that a variable names and both versions have."""
    source = f"the classes of {old.source} and {new.source}"
    for _, name, on in _named({variable: value}):
        was, is_now = old.feature(name), new.feature(name)
        if name == "preview" and on:
            yield from _preview(variable, old, new, source)
        elif was is None or is_now is None:
            continue
        elif on and _number(was) != _number(is_now):
            yield _other_version(variable, name, (old, was), (new, is_now), source)
        elif on and is_now.deprecated:
            state = _STATES[is_now.state] if was.deprecated else f"deprecated now, and {_STATES[was.state]} before"
            yield Item("deprecated", variable, f"{name} is {state}", source=source)
        elif was.state != is_now.state and (on or "on" in (was.state, is_now.state)):
            stays = "It needn't be named any more." if on else f"It stays off as long as {variable} says so."
            yield Item(
                "feature",
                variable,
                f"{name} was {_STATES[was.state]} and is {_STATES[is_now.state]} now",
                stays if is_now.state == "on" else "",
                source,
            )


def _other_version(
    variable: str, name: str, before: tuple[Catalog, Feature], after: tuple[Catalog, Feature], source: str
) -> Item:
    """A name without a version means the one that Keycloak prefers, and that may become another one."""
    (old, was), (new, is_now) = before, after
    meant = f"{was.name}:v{_number(was)}"
    still = new.feature(meant)
    return Item(
        "feature",
        variable,
        f"{name} means v{_number(was)} in {old.version} and v{_number(is_now)} in {new.version}, which is "
        f"{_STATES[is_now.state]}",
        (
            f"Name {meant} to keep what it was; in {new.version} that is {_STATES[still.state]}."
            if still
            else f"{new.version} has no {meant}: try out what it did."
        ),
        source,
    )


def _number(feature: Feature) -> int:
    """The version of a feature; before 24, where they have none, what 24 calls the first."""
    return max(feature.version, 1)


def _preview(variable: str, old: Catalog, new: Catalog, source: str) -> Iterator[Item]:
    """Other features that the word `preview` stands for."""
    mine, theirs = (_enabled(Deployment(one.version, {"KC_FEATURES": "preview"}), one) for one in (old, new))
    more = [name for name, one in theirs.items() if one.state == "preview" and name not in mine]
    less = [name for name, one in mine.items() if one.state == "preview" and name not in theirs]
    other = [
        f"{theirs[name].versioned} instead of v{_number(one)}"
        for name, one in mine.items()
        if one.state == "preview" and name in theirs and _number(one) != _number(theirs[name])
    ]
    parts = [
        f"{word} {', '.join(sorted(names))}"
        for word, names in (("it also switches on", more), ("there is", other), ("it no longer switches on", less))
        if names
    ]
    if parts:
        yield Item("feature", variable, f"preview stands for other features: {'; '.join(parts)}", source=source)


def _do(instead: advice.Replacement) -> str:
    use = f"Use {' and '.join(instead.use)}. " if instead.use else ""
    return use + instead.say


def _server(before: Deployment, after: Deployment) -> Iterator[Item]:
    for old, new in zip(server(before.version), server(after.version)):
        if old.value != new.value:
            yield Item(
                "server", new.name, f"{old.value} -> {new.value}", _SERVER_DO.get(new.name, ""), new.source
            )
    for step in _steps(before, after):
        if step.kind in ("behaviour", "check"):
            yield Item(step.kind, step.version, step.say, f"{step.do}." if step.do else "", step.source)


_SERVER_DO = {
    "port of health and metrics": "Target group, security groups and the container's health check follow it.",
    "public paths": "The listener's rules follow them.",
    "Java": "It matters for an image or providers of your own.",
}


def _irreversible(before: Deployment, after: Deployment, strategy: str, lines_differ: bool) -> Iterator[Item]:
    if lines_differ:
        yield Item(
            "schema",
            "",
            f"the first node of {after.version} migrates the database's schema, and {before.version} "
            "no longer fits it",
            "Going back means the old version and a backup of the database together.",
            _PREPARING,
        )
    elif before.version != after.version:
        yield Item(
            "schema",
            "",
            "a patch release may migrate the database's schema, too; Keycloak can't undo that",
            "Take a backup of the database before.",
            _PREPARING,
        )
    for step in _steps(before, after):
        if step.kind in ("schema", "lost"):
            yield Item(step.kind, step.version, step.say, f"{step.do}." if step.do else "", step.source)
    if strategy == "recreate":
        if "persistent-user-sessions" not in _enabled(before, load_known(before.version)):
            yield Item(
                "lost", "", "all user sessions but the offline ones: users log in again", source=_PREPARING
            )
        yield Item("lost", "", "logins in progress and the counts of failed logins", source=_PREPARING)


def _order(before: Deployment, after: Deployment, strategy: str, lines_differ: bool) -> Iterator[str]:
    yield from _postgresql_first(before, after)
    yield "Take a snapshot of the database and try the step on a copy of it."
    keys = [f'keycloak.version: "{after.version}"']
    if strategy == "recreate":
        keys.append("service.deployment: recreate")
    if lines_differ:
        # ECS would start the old version on a schema that it doesn't know.
        keys.append("service.rollback: false")
    yield f"Write {' and '.join(filter(None, (', '.join(keys[:-1]), keys[-1])))} into the params; render, review."
    if after.optimized:
        yield f"Build the image of {after.version} from the rendered image/ and push it."
    if strategy == "recreate":
        yield (
            "Deploy: ECS stops all tasks before it starts the first new one (minimumHealthyPercent 0, "
            "maximumPercent 100). Nobody can log in meanwhile."
        )
    else:
        yield "Deploy: ECS replaces one task at a time."
    if lines_differ:
        yield (
            "Wait: the first new task migrates the database while the others wait for it. Its log has the SQL "
            "statements for indexes that it left out because a table is large; run those by hand."
        )
    yield "Look: all targets healthy, one cluster view with all tasks in the log, a login."
    if len(keys) > 1:
        taken = " and ".join(key.partition(":")[0] for key in keys[1:])
        yield f"Take {taken} out of the params again, render and deploy that."


def _postgresql_first(before: Deployment, after: Deployment) -> Iterator[str]:
    first, last = facts.postgresql_majors(after.version)
    told = re.match(r"\d+", after.postgresql)
    if told is None or first <= int(told[0]) <= last:
        return
    if int(told[0]) > last:
        yield f"Mind that PostgreSQL {told[0]} is newer than {after.version} supports ({first} to {last})."
        return
    newest = facts.postgresql_majors(before.version)[1]
    both = f"{first} to {min(newest, last)}" if first < min(newest, last) else str(first)
    yield f"Upgrade PostgreSQL {told[0]}, which {after.version} doesn't support: " + (
        f"{before.version} and {after.version} both support {both}."
        if first <= newest
        else f"no version is supported by both, so go by a Keycloak between {before.version} and {after.version}."
    )


def _bugs(deployment: Deployment) -> Iterator[Item]:
    for bug in advice.known_bugs(deployment.version):
        if concerns(bug.needs, deployment):
            yield Item("bug", bug.needs.option, bug.say, f"{bug.do}." if bug.do else "", bug.source)


def _steps(before: Deployment, after: Deployment) -> list[advice.Step]:
    """Those that concern the deployment as it is or as it will be."""
    return [
        step
        for step in advice.steps(before.version, after.version)
        if concerns(step.needs, before) or concerns(step.needs, after)
    ]


def concerns(needs: advice.Needs, deployment: Deployment) -> bool:
    """Whether an entry of the advice is about a deployment; where something isn't known, it isn't."""
    options = deployment.options
    if needs.option:
        stem = needs.option.rstrip("*")
        values = [
            value
            for name, value in options.items()
            if name == needs.option or (stem != needs.option and name.startswith(stem))
        ]
        if not values or (needs.value and not any(needs.value in value.split(",") for value in values)):
            return False
    if needs.feature:
        name, _, number = needs.feature.partition(":v")
        feature = _enabled(deployment, load_known(deployment.version)).get(name)
        if feature is None or (number and _number(feature) != int(number)):
            return False
    return (
        not any(name in options for name in needs.unset)
        and needs.discovery in ("", deployment.discovery)
        and needs.jvm in deployment.jvm_options
    )
