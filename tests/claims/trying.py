"""Trying claims: one server for all that share its settings, and a verdict for each."""

from __future__ import annotations

import datetime
import json
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import asdict, dataclass
from pathlib import Path

from generator.document import parse
from generator.linting import pack
from generator.linting.view import View
from tests.claims import environment as environments
from tests.claims import page, server
from tests.claims import place as places
from tests.claims.claim import Claim
from tests.claims.environment import Environment
from tests.claims.expecting import StopsWithin, WithoutDatabase
from tests.claims.place import Place
from tests.cluster.steps import ClusterError, say

VERDICTS = page.PAGE.with_suffix(".json")
"""What came of each claim, beside the page that is made of it: a run goes on where another one ended, on
whatever machine that was."""

_LATE = {WithoutDatabase: 1, StopsWithin: 2}

_ORDER = ("26.7.4", "24.0.5", "26.0.8", "25.0.6", "26.4.7", "26.2.5")
"""Newest and oldest first: where a run is cut short, most is known."""


@dataclass(frozen=True)
class Verdict:
    """What came of one claim on one version."""

    holds: bool
    did: str
    date: str
    digest: str
    """Of the claim and of what was rendered when it was tried."""


def known() -> dict[str, Verdict]:
    """What was tried so far, by the claim's name."""
    if not VERDICTS.is_file():
        return {}
    return {name: Verdict(**told) for name, told in json.loads(VERDICTS.read_text("utf-8")).items()}


def lock() -> Path:
    """What one run holds at a time."""
    return places.folder() / "lock"


def _note(verdicts: Mapping[str, Verdict], claims: list[Claim]) -> None:
    names = {claim.name(version) for claim in claims for version in claim.versions}
    every = {name: one for name, one in {**known(), **verdicts}.items() if name in names}
    VERDICTS.write_text(
        json.dumps({name: asdict(one) for name, one in every.items()}, indent=1, sort_keys=True) + "\n",
        "utf-8",
    )
    page.PAGE.write_text(page.page(claims, every), "utf-8")


def attempt(wanted: Iterable[tuple[Claim, str]], every: Iterable[Claim], again: bool = False) -> int:
    """Tries claims on versions, writes the page after each server, and returns how many don't hold.

    What held before, with the same settings, isn't tried again unless `again` says so.
    Raises ClusterError.
    """
    every = list(every)
    rendered: dict[tuple[str, str], Environment] = {}
    wrong = 0
    with places.opened() as place:
        for version, base, group in _grouped(wanted):
            key = version, base
            if key not in rendered:
                rendered[key] = environments.rendered(version, base)
            environment = rendered[key]
            tried = known()
            left = [
                one
                for one in group
                if again
                or one.name(version) not in tried
                or not tried[one.name(version)].holds
                or tried[one.name(version)].digest != _digest(one, environment)
            ]
            if not left:
                wrong += sum(not tried[one.name(version)].holds for one in group)
                continue
            try:
                found = _tried(place, environment, left)
            except ClusterError as error:
                say(f"{left[0].name(version)}: {error}")
                wrong += len(left)
                continue
            _note(found, every)
            for name, one in found.items():
                say(f"{'  ' if one.holds else '✗ '}{name}: {one.did}")
            wrong += sum(not one.holds for one in found.values())
    return wrong


def _digest(claim: Claim, environment: Environment) -> str:
    return f"{claim.digest} {environment.digest}"


def _grouped(wanted: Iterable[tuple[Claim, str]]) -> Iterator[tuple[str, str, list[Claim]]]:
    """Version, base, and the claims that share a server: what was never tried comes first, and what ends at
    once before what is built."""
    groups: dict[tuple[str, str], list[Claim]] = {}
    for claim, version in wanted:
        key = version, claim.settings
        if claim.mixes:
            key = next((one for one in groups if one[0] == version and _mix(groups[one], claim)), key)
        groups.setdefault(key, []).append(claim)

    tried = known()

    def place_of(key: tuple[str, str]) -> tuple[bool, bool, int]:
        new = any(claim.name(key[0]) not in tried for claim in groups[key])
        return not new, not groups[key][0].is_quick, _ORDER.index(key[0]) if key[0] in _ORDER else len(_ORDER)

    for key in sorted(groups, key=place_of):
        yield key[0], groups[key][0].base, groups[key]


def _mix(claims: list[Claim], other: Claim) -> bool:
    """Whether a claim may be tried on the server of others: none of them meddles with another's variables."""
    names = {name for claim in claims if claim.settings != other.settings for name in claim.variables}
    return all(one.mixes and one.base == other.base for one in claims) and not names & set(other.variables)


def _tried(place: Place, environment: Environment, claims: list[Claim]) -> dict[str, Verdict]:
    one, version = claims[0], environment.version
    variables = {name: value for claim in claims for name, value in claim.variables.items()}
    changed = bool(variables) or one.command is not None
    lower = None
    if one.build:
        lower = [server.built(place, environment, one.build), server.distributed(version)]
    elif one.unbuilt:
        lower = [server.distributed(version)]
    name = environment.variables["KC_DB_URL_DATABASE"]
    if one.database == "empty" or one.is_quick:
        place.database(name)
    else:
        place.database(name, _migrated(place, environment))
    if variables.get("KC_DB_URL_DATABASE") == places.PLAIN:
        place.database(places.PLAIN)
    with server.started(
        place,
        environment,
        one.name(version),
        variables=variables,
        command=one.command,
        lower=lower,
        read_only=one.read_only,
        writable=one.writable,
        files={path: places.folder() / "certificates" / source for path, source in one.files.items()},
        keep_built=environment.base == "stock" and not changed,
    ) as running:
        running.wait(one.ready or server.health(version))
        # Whoever takes the database away comes late, and whoever ends the server has the last word.
        in_order = sorted(claims, key=lambda claim: max(_LATE.get(type(one), 0) for one in claim.expects))
        verdicts = {claim.name(version): _verdict(claim, environment, running) for claim in in_order}
        fresh = one.database == "empty" and not changed and running.code is None
        if fresh:
            running.stop()
    if fresh and _template(version) not in place.databases():
        place.database(_template(version), name)
    return verdicts


def _verdict(claim: Claim, environment: Environment, running: server.Server) -> Verdict:
    seen = [expect.look(running) for expect in claim.expects]
    holds = all(one.holds for one in seen)
    # What doesn't hold is what a reader looks for.
    told = seen if holds else [one for one in seen if not one.holds]
    did = [one.did for one in told if one.did != "starts" or len(told) == 1]
    if claim.rule and claim.found and claim.rule not in _findings(claim, environment):
        holds = False
        did.append(f"and {claim.rule} finds nothing in the template")
    return Verdict(
        holds, "; ".join(dict.fromkeys(did)), datetime.date.today().isoformat(), _digest(claim, environment)
    )


def _findings(claim: Claim, environment: Environment) -> set[str]:
    """The rules that object to the rendered template with the claim's settings."""
    text = environment.changed_template(claim.variables, claim.command)
    return {one.rule for one in pack.run_all(View(parse(text), region="eu-central-1"))}


def _template(version: str) -> str:
    return f"kc {version}"


def _migrated(place: Place, environment: Environment) -> str:
    """A database of the version with its first administrator, to be copied."""
    name = _template(environment.version)
    if name not in place.databases():
        whole = environments.rendered(environment.version, "optimized")
        own = whole.variables["KC_DB_URL_DATABASE"]
        place.database(own)
        with server.started(place, whole, f"{environment.version} migration", variables={}) as running:
            running.wait(server.health(environment.version))
            if running.ready is None:
                raise ClusterError(f"{environment.version} doesn't start: {running.lines[-1].text}")
            running.stop()
        place.database(name, own)
    return name


def named(claims: Iterable[Claim], names: Iterable[str]) -> list[tuple[Claim, str]]:
    """The claims of these names, on these versions, or of these rules; all where nothing is named.

    Raises ClusterError for a name that fits nothing.
    """
    every = [(claim, version) for claim in claims for version in claim.versions]
    found: list[tuple[Claim, str]] = []
    for name in names:
        fitting = [
            (claim, version)
            for claim, version in every
            if name in (version, claim.area, claim.name(version), f"{version} {claim.area}")
        ]
        if not fitting:
            raise ClusterError(
                f"no claim is called {name!r} (`--list` names all; a version or a rule will do, too)"
            )
        found += [one for one in fitting if one not in found]
    return found if list(names) else every


def outdated(claim: Claim, verdict: Verdict) -> bool:
    """Whether the claim is another one than when it was tried."""
    return not verdict.digest.startswith(claim.digest)


def check(claims: Iterable[Claim]) -> None:
    """Raises ClusterError where a claim isn't in a rule's words any more."""
    if strange := [f"{claim.rule} ({claim.says})" for claim in claims if not claim.is_quoted()]:
        raise ClusterError(f"these rules' pages don't say so: {'; '.join(strange)}")
