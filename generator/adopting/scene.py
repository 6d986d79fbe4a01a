"""What is adopted, while it is: the Keycloak in its view, the findings, and the params that come of it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from generator.adopting import mending
from generator.adopting.draft import UNSET, Draft, default, fits
from generator.document import Path
from generator.keycloak import catalog as catalogs
from generator.keycloak.catalog import Catalog
from generator.linting.findings import Finding
from generator.linting.view import Keycloak, Listener, LoadBalancer, Service, View
from generator.resolving import Place


@dataclass(frozen=True)
class Left:
    """Something that params can't say, with what becomes of it."""

    what: str
    why: str


@dataclass
class Scene:
    """Handed from one part of params to the next."""

    view: View
    keycloak: Keycloak
    findings: list[Finding]
    where: Callable[[Path], str]
    """A path of the document -> `file:line`."""
    target: Catalog | None
    """Of the version that params get; None where that has to be written first."""
    template: bool
    """Whether it is a template, which shows the resources around Keycloak."""
    facts: dict[str, Any] = field(default_factory=dict)
    """What files tell beside the document: `account`, `region`, `vpc`, `database`."""
    draft: Draft = field(default_factory=Draft)
    left: list[Left] = field(default_factory=list)
    told: set[tuple[str, Path, str]] = field(default_factory=set)
    """Findings that a line of params names: (rule, path, option)."""

    @property
    def service(self) -> Service | None:
        """The service that runs Keycloak."""
        return self.keycloak.services[0] if self.keycloak.services else None

    @property
    def listener(self) -> Listener | None:
        """The HTTPS listener that the public address leads to: that of an internet-facing balancer, if there
        is one.
        """
        secure = [one for one in self.keycloak.listeners if one.protocol == "HTTPS"]
        facing = [one for one in secure if one.balancer is not None and one.balancer.public]
        return next(iter(facing or secure), None)

    @property
    def balancer(self) -> LoadBalancer | None:
        """The balancer of that listener, else any that sends requests to Keycloak."""
        if self.listener is not None and self.listener.balancer is not None:
            return self.listener.balancer
        return next(iter(self.keycloak.load_balancers), None)

    @property
    def catalog(self) -> Catalog:
        """What options are judged by: that of the target, else the newest."""
        return self.target or catalogs.load(catalogs.versions()[-1])

    @property
    def hosts(self) -> frozenset[str]:
        """The hosts that params name: Keycloak's, and the admin console's own."""
        written = (self.draft.value(key) for key in ("keycloak.hostname", "keycloak.admin.hostname"))
        return frozenset(str(one).removeprefix("https://") for one in written if one)

    def at(self, place: Place | Path) -> str:
        """`file:line` of a place."""
        return self.where(place.path if isinstance(place, Place) else place)

    def faults(self, place: Place | Path) -> list[Finding]:
        """Errors and warnings at a place or below it; of an option in a shell's line, those about it alone."""
        path = tuple(place.path if isinstance(place, Place) else place)
        about = place.about if isinstance(place, Place) else ""
        return [
            one
            for one in self.findings
            if one.severity != "info"
            and tuple(one.path)[: len(path)] == path
            and path
            and (not about or one.about == about)
        ]

    def reason(self, found: list[Finding]) -> str:
        """Findings as the end of a comment; they count as told."""
        self.told |= {(one.rule, tuple(one.path), one.about) for one in found}
        return ", ".join(dict.fromkeys(f"{one.rule}: {one.title}" for one in found))

    def drafted(self, key: str) -> Any:
        """What params say at a key: what is written there, else the default."""
        written = self.draft.value(key)
        return default(key) if written in (None, UNSET) else written

    def carry(self, key: str, value: Any, place: Place, *, faults: bool = True) -> None:
        """Write a value that stands at `place`, unless it is the default anyway.

        Where a rule objects to it, or params don't take it, `mending` says what is written, with what stood there and
        why.
        """
        if value is None and key in mending.NEEDED:
            self.draft.ask(key, mending.NEEDED[key] + (f"; it isn't known from {self.at(place)}" if place else ""))
        if not place or value is None:
            return
        found = self.faults(place) if faults else []
        settled = mending.settled(self, key, value, found)
        if settled.value != value:
            reason = self.reason(list(settled.mended)) or settled.why
            self.correct(key, settled.value, f"was {_shown(value)} at {self.at(place)}; {reason}")
        elif not fits(key, value):
            self.left.append(Left(f"{key}: {_shown(value)} at {self.at(place)}", "params take no such value"))
        elif value != default(key):
            self.draft.set(key, value)

    def correct(self, key: str, value: Any, why: str) -> None:
        """Write a value that isn't the one that stood there."""
        self.draft.set(key, value, why, corrected=True)

    def leave(self, what: str, why: str) -> None:
        """Say what params can't carry."""
        self.left.append(Left(what, why))


def _shown(value: Any) -> str:
    return ", ".join(map(str, value)) if isinstance(value, list) else str(value)
