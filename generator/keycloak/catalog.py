"""What each Keycloak version understands: its options, features and cache stacks.

One file per version in `catalogs/`, read out of the real distribution (`extract.py`), loaded when asked for.
What no class of Keycloak tells is in `facts.py`.
"""

from __future__ import annotations

import difflib
import json
import os
import re
import tempfile
from bisect import bisect_right
from dataclasses import dataclass
from functools import cached_property, lru_cache
from pathlib import Path

from generator.errors import CatalogError
from generator.keycloak import advice, facts, values
from generator.keycloak.version import Version, parse

_FOLDER = Path(__file__).with_name("catalogs")

# Older ones are only linted: host name, proxy and cache work otherwise there, and nobody should start them.
_OLDEST_RENDERED = (24, 0)

# Categories of options that only the commands `import` and `export` take.
_NOT_OF_A_SERVER = frozenset({"Export", "Import"})

# Words that people write for one another; used to guess what was meant, never to accept it.
_SYNONYMS = {"ADDR": "HOST", "ADDRESS": "HOST", "PASS": "PASSWORD", "PWD": "PASSWORD", "USER": "USERNAME"}

# Ends of the names of provider options that hold a secret; providers don't say so themselves.
_SECRET_ENDS = ("PASSWORD", "SECRET")


@dataclass(frozen=True)
class Option:
    """An option as one version knows it."""

    key: str
    """Name on the command line and in keycloak.conf (`db-url`); `log-level-<category>` stands for many."""
    env: str
    """Name of the variable; for a wildcard the one that was asked for, else `KC_LOG_LEVEL_<CATEGORY>`."""
    argument: str = ""
    """What was asked for in the place of a wildcard's `<...>`, as it was spelled; else empty."""
    type: str = "string"
    """boolean, duration, integer, list (comma-separated), number, path or string."""
    build: bool = False
    """Whether it is fixed when the image is built: at run time, an optimized server ignores or refuses it."""
    default: str | None = None
    """None where Keycloak names none, or one that depends on other options."""
    values: tuple[str, ...] = ()
    """Values known to Keycloak; empty where anything goes, and for booleans and the lists of features."""
    open: bool = False
    """Whether values beside the known ones are accepted (a cache stack of one's own)."""
    ignore_case: bool = False
    """Whether values are accepted in any case."""
    deprecated: str = ""
    """What to do instead, as a sentence; empty if the option isn't deprecated."""
    deprecated_values: tuple[str, ...] = ()
    deprecated_note: str = ""
    """What to do instead of using a deprecated value."""
    hidden: bool = False
    """Whether `kc.sh start --help` keeps quiet about it."""
    secret: bool = False
    """Whether Keycloak masks the value when it shows its configuration."""
    feature: str = ""
    """Feature that has to be switched on for it (`hostname:v1`); empty if none."""
    when: str = ""
    """Condition in Keycloak's words (`Available only when ...`); else it is ignored or refused."""
    category: str = ""
    """Heading in Keycloak's help."""
    about: str = ""
    """First sentence of the help text."""

    @property
    def wildcard(self) -> bool:
        """Whether it stands for many options (`log-level-<category>`)."""
        return self.key.endswith(">")


@dataclass(frozen=True)
class Feature:
    """One version of a feature."""

    name: str
    """`account`; what features-disabled takes."""
    version: int
    """0 before 24, where features have no versions."""
    state: str
    """on, off (supported, but to be switched on), preview, experimental or deprecated (off)."""
    label: str
    deprecated: bool = False
    """Also features that are on can be deprecated (from 26.6 on)."""
    needs: tuple[str, ...] = ()
    """Features it needs, versioned (`account-api:v1`)."""
    update: str = ""
    """How it may change in a running cluster: rolling, rolling-no-upgrade, shutdown; empty before 26.4."""
    fixed: bool = False
    """Whether it can't be switched off."""

    @property
    def versioned(self) -> str:
        """`account:v3`, as KC_FEATURES takes it beside the bare name; that name if there are no versions."""
        return f"{self.name}:v{self.version}" if self.version else self.name


@dataclass(frozen=True)
class Stack:
    """A cache stack that comes with Keycloak."""

    name: str
    deprecated: bool = False


@dataclass(frozen=True)
class Catalog:
    """Everything a version understands; made by `load`."""

    version: str
    """The version that was asked for."""
    source: str
    """The version whose distribution was read for it."""
    note: str = ""
    """One sentence if they differ, else empty."""

    @property
    def minor(self) -> tuple[int, int]:
        """`(26, 7)`."""
        return parse(self.version).line

    def at_least(self, major: int, minor: int = 0, patch: int = 0) -> bool:
        """Whether the version asked for is the given one or newer."""
        return parse(self.version) >= (major, minor, patch)

    @cached_property
    def options(self) -> tuple[Option, ...]:
        """Every option, hidden ones too, sorted by key."""
        return tuple(_option(key, entry) for key, entry in self._file.options.items())

    @property
    def features(self) -> tuple[Feature, ...]:
        """Every version of every feature, sorted by name and version."""
        return self._file.features

    @property
    def stacks(self) -> tuple[Stack, ...]:
        """The cache stacks that come with it, sorted by name. They alone work without a cache-config-file."""
        return self._file.stacks

    def option(self, name: str) -> Option | None:
        """The option of a variable (`KC_DB_URL`) or key (`db-url`); None if the version doesn't know it.

        A wildcard answers for all it stands for: `KC_LOG_LEVEL_ORG_KEYCLOAK`, `log-level-org.keycloak`.
        Options of providers (`is_spi`) are in no catalog.
        """
        prefix = facts.raw_prefix(self.version)
        if prefix and name.startswith(prefix):
            name = "KC_" + name.removeprefix(prefix)
        return self._file.option(name)

    @staticmethod
    def is_spi(env: str) -> bool:
        """Whether it is an option of a provider; their names are free, so no catalog can know them."""
        return env.startswith(("KC_SPI_", "KCRAW_SPI_", "spi-"))

    def nearest(self, env: str) -> str | None:
        """The variable that was probably meant by one that isn't known; None if there is nothing alike."""
        known = self.option(env)
        if known:
            return known.env
        candidates = self._suggestions
        instead = advice.replacement(env, self.version)
        heirs = [name for name in instead.use if name in candidates] if instead else []
        if heirs or known_in(env, known_versions()):
            # An option of other versions was no slip of the pen: what looks like it may do something else.
            return heirs[0] if heirs else None
        meant = _same_words(env, candidates) or _with_more_words(env, candidates)
        close = difflib.get_close_matches(env, candidates, n=1, cutoff=0.85)
        return meant or (close[0] if close else None)

    def feature(self, name: str) -> Feature | None:
        """The feature that KC_FEATURES calls `account` or `account:v3`; None if the version has none.

        The bare name means the version that Keycloak prefers: the best supported one, then the newest.
        `preview`, which stands for all of them, is no feature.
        """
        return self._file.feature(name)

    def nearest_feature(self, name: str) -> str | None:
        """The feature that was probably meant, as KC_FEATURES takes it; None if there is nothing alike."""
        if name in self._file.feature_keys:
            return self._file.feature_keys[name]
        known = {feature.name for feature in self.features} | {feature.versioned for feature in self.features}
        wanted = name.strip().lower().replace("_", "-")
        close = difflib.get_close_matches(wanted, sorted(known), n=1, cutoff=0.7)
        return close[0] if close else None

    def check_value(self, option: Option, value: str) -> str | None:
        """What is wrong with a value, or None if nothing is or nobody can tell; see `values.problem`."""
        return values.problem(self, option, value)

    @property
    def _file(self) -> _File:
        return _read(self.source)

    @cached_property
    def _suggestions(self) -> tuple[str, ...]:
        visible = [
            option.env
            for option in self.options
            if not (option.hidden or option.wildcard or option.feature or option.category in _NOT_OF_A_SERVER)
        ]
        return tuple(dict.fromkeys((*visible, *facts.bootstrap_admin_variables(self.version))))


class _File:
    """One catalog file, with the ways into it. Entries become Options only when somebody asks for them."""

    def __init__(self, data: dict):
        self.options: dict[str, dict] = data["options"]
        self._keys = {entry["env"]: key for key, entry in self.options.items()}
        # Longest first: `db-url-full-<datasource>` before a shorter one that would swallow it.
        wildcards = [key for key in self.options if key.endswith(">")]
        self._wildcards = sorted(wildcards, key=lambda key: (-key.index("<"), key))
        self.stacks = tuple(Stack(name, **entry) for name, entry in data["stacks"].items())
        self._features = data["features"]

    def option(self, name: str) -> Option | None:
        key = self._keys.get(name, name)
        if key in self.options:
            return _option(key, self.options[key])
        for wildcard in self._wildcards:
            entry = self.options[wildcard]
            spelled = entry["env"] if name.startswith("KC_") else wildcard
            prefix = spelled[: spelled.index("<")]
            if name.startswith(prefix) and len(name) > len(prefix):
                return _option(wildcard, entry, name.removeprefix(prefix))
        return None

    @cached_property
    def features(self) -> tuple[Feature, ...]:
        found = []
        for versioned, entry in self._features.items():
            name, _, number = versioned.partition(":v")
            fields = {key: value for key, value in entry.items() if key not in ("key", "needs")}
            needs = tuple(entry.get("needs", ()))
            found.append(Feature(name=name, version=int(number or 0), needs=needs, **fields))
        return tuple(found)

    @cached_property
    def feature_keys(self) -> dict[str, str]:
        """What messages call a feature -> what KC_FEATURES takes (`account-v3` -> `account:v3`)."""
        return {entry["key"]: versioned for versioned, entry in self._features.items() if "key" in entry}

    def feature(self, name: str) -> Feature | None:
        found = [feature for feature in self.features if name in (feature.name, feature.versioned)]
        states = ("on", "off", "deprecated", "preview", "experimental")
        return min(found, key=lambda feature: (states.index(feature.state), -feature.version), default=None)


def _option(key: str, entry: dict, argument: str = "") -> Option:
    fields = dict(entry)
    if argument:
        fields["env"] = entry["env"][: entry["env"].index("<")] + re.sub("[^A-Z0-9]", "_", argument.upper())
    advice = fields.pop("advice", "Keycloak names nothing that takes its place.")
    fields["deprecated"] = advice if entry.get("deprecated") else ""
    for name in ("values", "deprecated_values"):
        fields[name] = tuple(fields.get(name, ()))
    return Option(key=key, argument=argument, **fields)


@lru_cache(maxsize=None)
def known_versions() -> tuple[str, ...]:
    """Versions that have a catalog, oldest first: from 22.0 on."""
    return tuple(str(version) for version in sorted(parse(path.stem) for path in _FOLDER.glob("*.json")))


@lru_cache(maxsize=None)
def versions() -> tuple[str, ...]:
    """Those of `known_versions` that an environment can be rendered for: from 24.0 on."""
    return tuple(version for version in known_versions() if parse(version) >= _OLDEST_RENDERED)


@lru_cache(maxsize=None)
def load(version: str) -> Catalog:
    """The catalog of a version such as `26.7.4` that an environment can be rendered for; see `load_known`.

    Raises CatalogError if the version is malformed, or older than every minor line of `versions`.
    """
    return _load(version, versions())


@lru_cache(maxsize=None)
def load_known(version: str) -> Catalog:
    """The catalog of a version such as `22.0.5` that anybody may run.

    A version without a catalog of its own gets the nearest one of its minor line, the lower one if there are
    two; a line without any gets the nearest lower one. `note` says so. Raises CatalogError if the version is
    malformed, or older than every minor line of `known_versions`.
    """
    return _load(version, known_versions())


def _load(version: str, among: tuple[str, ...]) -> Catalog:
    asked = parse(version)
    known = [parse(other) for other in among]
    if asked in known:
        return Catalog(version, version)
    if asked.line < known[0].line:
        oldest = f"{known[0].major}.{known[0].minor}.0"
        raise CatalogError(f"Keycloak {version} is too old: write one from {oldest} to {known[-1]}, or newer")
    same_line = [other for other in known if other.line == asked.line]
    source = _nearest_lower(asked, same_line) or (same_line or [_nearest_lower(asked, known)])[0]
    return Catalog(version, str(source), _note(asked, source, known))


def path(version: str) -> Path:
    """Where the catalog of a version is kept."""
    return _FOLDER / f"{parse(version)}.json"


def store(version: str, text: str) -> None:
    """Keep `text`, which `extract.compact` made, as the catalog of a version.

    The file is replaced as a whole or not at all. Raises CatalogError if the text is no catalog of that
    version, OSError if the folder can't be written.
    """
    file = path(version)
    _check(version, text)
    made, name = tempfile.mkstemp(dir=file.parent, prefix=".", suffix=".part")
    try:
        with os.fdopen(made, "w", encoding="utf-8") as stream:
            stream.write(text)
        os.chmod(name, 0o644)  # mkstemp's files are for their owner alone
        os.replace(name, file)
    except BaseException:
        os.unlink(name)
        raise
    for cached in (known_versions, versions, load, load_known, masked_names, _secrets, _read):
        cached.cache_clear()


def _check(version: str, text: str) -> None:
    """Raises CatalogError unless all of a catalog's text can be read and none of its parts is empty."""
    try:
        data = json.loads(text)
        file = _File(data)
        options = [_option(key, entry) for key, entry in file.options.items()]
        if data["version"] != str(parse(version)) or not (options and file.features and file.stacks):
            raise ValueError(f"it is of {data['version']}" if options else "it has no options")
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise CatalogError(f"this is no whole catalog of {version}: {error}") from error


def _nearest_lower(asked: Version, known: list[Version]) -> Version | None:
    position = bisect_right(known, asked)
    return known[position - 1] if position else None


def _note(asked: Version, source: Version, known: list[Version]) -> str:
    if asked > known[-1]:
        relation = f"is newer than the newest known {known[-1]}"
    elif asked.line == source.line:
        relation = f"is {'newer' if asked > source else 'older'} than the known {source} of its line"
    else:
        relation = "is of a line that isn't known"
    return f"{asked} {relation}: its options are taken from {source}"


def known_in(env: str, among: tuple[str, ...] | None = None) -> tuple[str, ...]:
    """Versions that know a variable or key, oldest first; empty if none does.

    Of `versions`, unless others are named: what an environment can't run is no way out for it.
    """
    return tuple(version for version in (versions() if among is None else among)
                 if load_known(version).option(env))


@lru_cache(maxsize=None)
def masked_names() -> frozenset[str]:
    """Variables that hold a secret in any version. Wildcards and providers' options are in `masked` only."""
    secret = {env for env in _secrets() if "<" not in env}
    return frozenset(secret | {facts.bootstrap_admin_variables(version)[1] for version in known_versions()})


def masked(env: str) -> bool:
    """Whether a variable holds a secret in any version."""
    env = re.sub("^KCRAW_", "KC_", env)
    if Catalog.is_spi(env):
        return env.endswith(_SECRET_ENDS)
    prefixes = tuple(name[: name.index("<")] for name in _secrets() if "<" in name)
    return env in masked_names() or env.startswith(prefixes)


@lru_cache(maxsize=None)
def _secrets() -> frozenset[str]:
    entries = (entry for version in known_versions() for entry in _read(version).options.values())
    return frozenset(entry["env"] for entry in entries if entry.get("secret"))


@lru_cache(maxsize=None)
def _read(version: str) -> _File:
    path = _FOLDER / f"{version}.json"
    try:
        return _File(json.loads(path.read_text(encoding="utf-8")))
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise CatalogError(f"the catalog {path.name} can't be read: {error!r}") from error


def _words(env: str) -> list[str]:
    return [_SYNONYMS.get(word, word) for word in env.removeprefix("KC_").split("_")]


def _same_words(env: str, candidates: tuple[str, ...]) -> str | None:
    """A name of the same words in another order: KC_ADMIN_HOSTNAME is KC_HOSTNAME_ADMIN."""
    words = sorted(_words(env))
    return next((candidate for candidate in candidates if sorted(_words(candidate)) == words), None)


def _with_more_words(env: str, candidates: tuple[str, ...]) -> str | None:
    """A name with one or two words more that starts or ends alike: KC_DB_HOST is KC_DB_URL_HOST."""
    words = _words(env)
    longer = []
    for candidate in candidates:
        more = _words(candidate)
        alike = (more[0] == words[0] and set(words) <= set(more)) or more[-len(words) :] == words
        if len(words) > 1 and alike and len(more) - len(words) <= 2:
            longer.append((len(more), candidate))
    return min(longer)[1] if longer else None
