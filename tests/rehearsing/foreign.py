"""Templates that this project didn't make, read for tests; and its own by name."""

from __future__ import annotations

import json
from functools import cache
from pathlib import Path
from typing import Any

import pytest

from generator.document import Document, parse
from generator.errors import RehearsalError
from generator.rehearsing.reading import NotRehearsable, read
from generator.rehearsing.topology import Topology
from tests.cases import PROJECT

TEMPLATES = Path(__file__).with_name("templates")
FOREIGN = tuple(sorted(path.name for path in TEMPLATES.iterdir()))
OWN = ("dev", "prod", "staging")
PARAMETERS = {"imports.yaml": {"db-host": "pg.example.net"}}


@cache
def document(name: str) -> Document:
    """A foreign template, or the rendered one of an environment."""
    path = TEMPLATES / name if name in FOREIGN else PROJECT / "rendered" / name / "template.yaml"
    return parse(path.read_text("utf-8"), name)


def load(name: str, **parameters: str) -> Topology:
    """The topology of a template by name."""
    if name in OWN:
        stack = json.loads((PROJECT / "rendered" / name / "stack.json").read_text("utf-8"))
        return read(
            document(name), name, stack=stack, file=f"rendered/{name}/template.yaml", parameters=parameters
        )
    given = {**PARAMETERS.get(name, {}), **parameters}
    return read(document(name), name.split(".")[0], file=name, parameters=given)


def changed(name: str, old: str, new: str, count: int = -1) -> Document:
    """A foreign template with a text replaced."""
    text = document(name).text
    assert old in text
    return parse(text.replace(old, new, count), name)


def problems(found: Document, **options: Any) -> list[str]:
    """Why a template can't be rehearsed, a line each."""
    with pytest.raises(NotRehearsable) as caught:
        read(found, "x", file=found.name, **options)
    assert isinstance(caught.value, RehearsalError)
    assert str(caught.value).splitlines() == [str(one) for one in caught.value.problems]
    return str(caught.value).splitlines()


def line(found: Document | str, text: str) -> int:
    """Number of the first line in which `text` is."""
    found = document(found) if isinstance(found, str) else found
    return next(number for number, one in enumerate(found.text.splitlines(), 1) if text in one)


def ways(topology: Topology, group: str) -> set[tuple[str, str, tuple[int, int], str]]:
    """(direction, protocol, ports, peer) of a group's permissions."""
    return {
        (one.direction, one.protocol, one.ports, one.peer_group or one.peer_network)
        for one in topology.permissions
        if one.group == group
    }


def mentions(topology: Topology, text: str) -> bool:
    """Whether a note says so."""
    return any(text in note for note in topology.notes)
