"""A diagram as Mermaid text, as GitHub, GitLab and many editors draw it inside Markdown.

GitHub draws no more than 50,000 characters and 500 lines between boxes (Mermaid's `maxTextSize` and
`maxEdges`, 11.17).
"""

from __future__ import annotations

from collections.abc import Iterator

from generator.reviewing.diagram.drawing import Diagram, Edge, Group, Node
from generator.reviewing.diagram.layout import levels, said
from generator.showing.escaping import mermaid as escaped

_MOST_CHARACTERS, _MOST_LINES = 45_000, 450
_MOST_LETTERS = 80
"""Of one line in a box."""
_ACROSS = 3
"""Boxes of a group beside each other."""
_CLASSES = {
    "deleted": "stroke:#c8322b,stroke-width:3px,stroke-dasharray:6 4",
    "replaced": "stroke:#c8322b,stroke-width:3px",
    "refused": "stroke:#c8322b,stroke-width:3px,stroke-dasharray:2 3",
    "interruption": "stroke:#b7791f,stroke-width:3px",
    "place": "stroke:#2f6fbf,stroke-width:2px",
    "new": "stroke:#2e7d4f,stroke-width:3px",
    "noted": "stroke:#667085,stroke-width:2px",
}
_LINES = {"same": "-->", "new": "==>", "opened": "==>", "gone": "-.->"}
_COLOURS = {"new": "#2e7d4f", "opened": "#c8322b"}


def text(diagram: Diagram) -> str:
    """The diagram's source; empty where it is too large for anybody to draw."""
    made = "\n".join(_lines(diagram))
    return "" if len(made) > _MOST_CHARACTERS or len(diagram.edges) > _MOST_LINES else made


def fenced(diagram: Diagram) -> str:
    """The same as a block of Markdown, with what isn't drawn; empty where it is too large."""
    made = text(diagram)
    return f"```mermaid\n{made}\n```" if made else ""


def _lines(diagram: Diagram) -> Iterator[str]:
    yield "flowchart TB"
    yield f"accTitle: {escaped(f'Diagram of {diagram.name}'[:_MOST_LETTERS])}"
    yield f"accDescr: {escaped(diagram.summary)}"
    for node in diagram.flow:
        yield _node(node)
    for edge in diagram.edges:
        yield _edge(edge)
    drawn = [group for group in diagram.groups if group.nodes]
    for number, group in enumerate(drawn):
        yield from _group(f"g{number}", group)
    # Lines that aren't seen put the groups below the rest and below each other; beside each other all would
    # get too small to read.
    depth = levels([node.key for node in diagram.flow], diagram.edges)
    above = [key for key, level in depth.items() if level == max(depth.values())]
    for number in range(len(drawn)):
        yield from (f"{one} ~~~ g{number}" for one in above)
        above = [f"g{number}"]
    for style in dict.fromkeys(mark.style for mark in diagram.marks):
        yield f"classDef {style} {_CLASSES[style]}"
    for number, edge in enumerate(diagram.edges):
        if edge.look in _COLOURS:
            yield f"linkStyle {number} stroke:{_COLOURS[edge.look]}"


def _node(node: Node) -> str:
    said_of_it = [node.title, node.detail, *_among(node)]
    if node.mark is not None:
        said_of_it.append(f"{node.mark.text}: {node.note}" if node.note else node.mark.text)
    label = "<br/>".join(escaped(_cut(line)) for line in said_of_it if line)
    shape = f'["{label}"]' if node.ids else f'(["{label}"])'
    return f"{node.key}{shape}{f':::{node.mark.style}' if node.mark is not None else ''}"


def _among(node: Node) -> list[str]:
    return [f"among themselves {', '.join(map(said, node.among))}"] if node.among else []


def _cut(line: str) -> str:
    return line if len(line) <= _MOST_LETTERS else f"{line[: _MOST_LETTERS - 1]}…"


def _edge(edge: Edge) -> str:
    words = ", ".join(said(label) for label in edge.labels)
    label = f'|"{escaped(_cut(words))}"|' if words else ""
    return f"{edge.source} {_LINES[edge.look]}{label} {edge.target}"


def _group(key: str, group: Group) -> Iterator[str]:
    yield f'subgraph {key}["{escaped(group.title)}"]'
    yield "direction TB"
    for node in group.nodes:
        yield _node(node)
    for one, other in zip(group.nodes, group.nodes[_ACROSS:]):
        yield f"{one.key} ~~~ {other.key}"
    yield "end"
