"""What a rehearsal was started with: kept beside it, so that every later command sees the same."""

from __future__ import annotations

import ipaddress
import json
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path

from generator.document import parse
from generator.errors import RehearsalError
from generator.rehearsing.compose import Choices
from generator.rehearsing.place import Place
from generator.rehearsing.reading import read, renumbered
from generator.rehearsing.topology import Topology

LINGER = 30.0
"""Seconds a dead task stays in DNS."""


@dataclass(frozen=True)
class Started:
    """A topology and how it is run."""

    topology: Topology
    choices: Choices
    linger: float = LINGER
    drain: float = float("inf")
    """Seconds that a task is drained at most, where the template's delay is longer."""

    def choices_with(self, changes: Mapping[str, Mapping[str, str]]) -> Choices:
        """The choices with what a deployment changes, by slot."""
        return replace(self.choices, changes=changes)


def keep(place: Place, started: Started, text: str, stack: dict | None, parameters: Mapping[str, str],
         service: str = "") -> None:
    """Writes down what `kept` reads."""
    (place.source / "template").write_text(text, encoding="utf-8")
    place.write("started.json", {
        "file": started.topology.file, "stack": stack, "parameters": dict(parameters), "service": service,
        "vpc": str(started.topology.vpc), "images": dict(started.choices.images),
        "image_folder": str(started.choices.image_folder) if started.choices.image_folder else None,
        "firewall": started.choices.firewall, "nofile": started.choices.nofile, "linger": started.linger,
        "drain": None if started.drain == float("inf") else started.drain})


def kept(place: Place) -> Started:
    """What `keep` wrote down. Raises RehearsalError where nothing was started."""
    stored = place.read("started.json")
    if stored is None:
        raise RehearsalError(f"no rehearsal of {place.name} runs here (start one with `cloakform rehearse up "
                             f"{place.name}`)")
    try:
        text = (place.source / "template").read_text(encoding="utf-8")
        topology = read(parse(text, stored["file"]), place.name, stack=stored["stack"], file=stored["file"],
                        parameters=stored["parameters"], service=stored["service"])
        topology = replace(topology, name=place.name)
        vpc = ipaddress.IPv4Network(stored["vpc"])
        if vpc != topology.vpc:
            topology = renumbered(topology, vpc)
        folder = Path(stored["image_folder"]) if stored["image_folder"] else None
        choices = Choices(stored["images"], folder, stored["firewall"], stored["nofile"])
        return Started(topology, choices, stored["linger"],
                       float("inf") if stored["drain"] is None else stored["drain"])
    except (OSError, KeyError, json.JSONDecodeError) as error:
        raise RehearsalError(f"what the rehearsal was started with can't be read ({error}); "
                             f"`cloakform rehearse down {place.name}` clears it") from error
