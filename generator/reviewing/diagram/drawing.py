"""What there is to see of a review: the parts on a request's way, how they are tied together, and the rest by
group.

What doesn't change is drawn once on a request's way and counted elsewhere; each resource that changes is
drawn by itself, alike ones together where they are many.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable
from dataclasses import dataclass

from generator.reviewing.artefact import Artefact
from generator.reviewing.diagram import naming
from generator.reviewing.diagram.parts import (
    ELSEWHERE,
    INTERNET,
    NAMED,
    NETWORK,
    OTHERS,
    RECORDS,
    RULE,
    SECRETS,
    TYPES,
    Graph,
    Part,
    graph,
)
from generator.reviewing.facts import (
    CONDITIONAL,
    CREATE,
    DELETE,
    IN_PLACE,
    INTERRUPTION,
    NONE,
    REFUSED,
    REPLACEMENT,
)
from generator.reviewing.meaning.base import Reading, plural
from generator.reviewing.report.words import heading
from generator.reviewing.review import Review

SAME, NEW, OPENED, GONE = "same", "new", "opened", "gone"
"""Of a way between two parts; `opened` is a new one from the internet."""

STYLES = {
    DELETE: "deleted",
    REPLACEMENT: "replaced",
    CONDITIONAL: "replaced",
    REFUSED: "refused",
    INTERRUPTION: "interruption",
    IN_PLACE: "place",
    CREATE: "new",
    NONE: "noted",
}
"""Effect -> how its mark looks; a new revision of a task definition looks like a change in place."""

_PLURALS = {("differs", True): "differ"}
_OUTSIDE = (INTERNET, NETWORK, NAMED, OTHERS, ELSEWHERE)
_FOLDED = frozenset({RULE, *SECRETS, *RECORDS})
_MOST_ALIKE, _MOST_ABREAST = 3, 2
"""Changed ones of a kind that are drawn one by one, in a group and on the way of a request."""
_MOST_PARTS = 40
"""On the way of a request; with more of them all alike ones are drawn together."""


@dataclass(frozen=True)
class Mark:
    """What becomes of a resource."""

    style: str
    """One of STYLES' values."""
    text: str
    """`made anew`, `only in prod`."""


@dataclass(frozen=True)
class Node:
    """A box: one resource, several that are alike, or somebody outside."""

    key: str
    """Unique in a diagram, letters and digits."""
    title: str
    detail: str
    mark: Mark | None
    """None where nothing changes."""
    note: str
    """What of it changes: names of properties."""
    ids: tuple[str, ...]
    """The logical ids it stands for; none for somebody outside."""
    among: tuple[Label, ...] = ()
    """What its own tasks may ask each other."""


@dataclass(frozen=True)
class Label:
    """A few words at a line, a port for instance."""

    text: str
    state: str
    """same, new, opened or gone."""


@dataclass(frozen=True)
class Edge:
    """A way from one box to another."""

    source: str
    target: str
    labels: tuple[Label, ...]
    state: str
    """same, new, opened or gone."""

    @property
    def look(self) -> str:
        """Its state, or what is opened by it beside what stays."""
        if self.state != SAME or not self.labels:
            return self.state
        states = {label.state for label in self.labels}
        if states == {GONE}:
            return GONE
        return next((one for one in (OPENED, NEW) if one in states), SAME)


@dataclass(frozen=True)
class Group:
    """What isn't on a request's way: what of it changes, and how much there is besides."""

    title: str
    nodes: tuple[Node, ...]
    unchanged: tuple[str, ...]
    """`VPC`, `9 subnets`."""


@dataclass(frozen=True)
class Diagram:
    """A picture of one environment, before and after a change in one."""

    name: str
    flow: tuple[Node, ...]
    edges: tuple[Edge, ...]
    """Between boxes of `flow`."""
    groups: tuple[Group, ...]

    @property
    def nodes(self) -> tuple[Node, ...]:
        """All boxes."""
        return (*self.flow, *(node for group in self.groups for node in group.nodes))

    @property
    def marks(self) -> tuple[Mark, ...]:
        """The marks that occur, the gravest first."""
        order = list(dict.fromkeys(STYLES.values()))
        found = dict.fromkeys(node.mark for node in self.nodes if node.mark is not None)
        return tuple(sorted(found, key=lambda mark: order.index(mark.style)))

    @property
    def summary(self) -> str:
        """What is to be seen, for who doesn't see it."""
        counts = Counter(node.mark.text for node in self.nodes for _ in node.ids if node.mark is not None)
        texts = dict.fromkeys(mark.text for mark in self.marks)
        told = ", ".join(f"{counts[text]} {_PLURALS.get((text, counts[text] > 1), text)}" for text in texts)
        ways = Counter(label.state for edge in self.edges for label in edge.labels)
        ways += Counter(edge.state for edge in self.edges if not edge.labels)
        ways += Counter(label.state for node in self.nodes for label in node.among)
        words = ((OPENED, "opened to the internet"), (NEW, "new"), (GONE, "gone"))
        lines = [f"{plural(ways[state], 'way')} {word}" for state, word in words if ways[state]]
        return ", ".join(filter(None, (told, *lines))) or "nothing changes"


@dataclass(frozen=True)
class _Item:
    """A part with what becomes of it."""

    part: Part
    mark: Mark | None
    note: str
    among: tuple[Label, ...] = ()


def draw(review: Review) -> Diagram | None:
    """The picture of a review; None for an environment that is gone. Raises as `review` does."""
    if review.after is None:
        return None
    old = graph(_reading(review.before)) if review.before is not None else Graph({}, {})
    new = graph(_reading(review.after))
    marks = _marks(review)
    items = {}
    for key in (*new.parts, *(key for key in old.parts if key not in new.parts)):
        now, was = new.parts.get(key), old.parts.get(key)
        among = _labels(was.among if was else (), now.among if now else (), known=was is not None)
        items[key] = _Item(now or was, *marks.get(key, (None, "")), among)
    links = _links(old, new)
    flow = _on_the_way(items, links)
    links = {ends: edge for ends, edge in links.items() if set(ends) <= flow}
    boxes = _together([items[key] for key in items if key in flow], links)
    numbers = {key: f"n{number}" for number, several in enumerate(boxes) for key in several}
    nodes = [_node(f"n{number}", [items[key] for key in several]) for number, several in enumerate(boxes)]
    groups = _groups([items[key] for key in items if key not in flow], len(nodes))
    return Diagram(review.name, tuple(nodes), _edges(links, numbers), groups)


def _reading(artefact: Artefact) -> Reading:
    return Reading.of(artefact)


def _marks(review: Review) -> dict[str, tuple[Mark, str]]:
    """Logical id -> (mark, what changes) of all that changes."""
    found = {}
    if review.judged:
        for one in review.effects:
            text = heading(one)
            style = "place" if text == "new revision" else STYLES[one.effect]
            names = dict.fromkeys(
                name for each in one.causes if each.effect == one.effect for name in [each.name] if name
            )
            changed = [each.name for each in one.change.changes] if one.change else []
            found[one.logical_id] = Mark(style, text), ", ".join([*names] or changed)
        return found
    sides = {"added": ("new", review.after), "removed": ("deleted", review.before)}
    for one in review.changes.resources:
        style, side = sides.get(one.kind, ("place", None))
        mark = Mark(style, f"only in {side.name}" if side else "differs")
        found[one.logical_id] = mark, ", ".join(each.name for each in one.changes if side is None)
    return found


def _labels(was: Iterable[str], now: Iterable[str], known: bool, new: str = NEW) -> tuple[Label, ...]:
    """What is said at a line, with what of it is new; `known` is whether the line was there before."""
    was, now = tuple(was), tuple(now)
    return (
        *(Label(text, SAME if text in was or not known else new) for text in now),
        *(Label(text, GONE) for text in was if text not in now),
    )


def _links(old: Graph, new: Graph) -> dict[tuple[str, str], Edge]:
    """Every way of both sides, between keys of parts. Where there was nothing before, nothing is called
    new."""
    found = {}
    for ends in (*new.links, *(ends for ends in old.links if ends not in new.links)):
        fresh = OPENED if ends[0] == INTERNET else NEW
        was, now = old.links.get(ends, ()), new.links.get(ends, ())
        if not old.parts or ends in old.links and ends in new.links:
            found[ends] = Edge(*ends, _labels(was, now, bool(old.parts), fresh), SAME)
        else:
            state = fresh if ends in new.links else GONE
            found[ends] = Edge(*ends, tuple(Label(one, state) for one in now or was), state)
    return found


def _on_the_way(items: dict[str, _Item], links: dict[tuple[str, str], Edge]) -> set[str]:
    """The keys of what is drawn with lines: outside, or of a type that a request meets, and tied to another.
    Rules of listeners only where they change."""
    able = {
        key
        for key, item in items.items()
        if not item.part.type or item.part.type in TYPES and (item.part.type != RULE or item.mark)
    }
    return {key for ends in links if set(ends) <= able for key in ends}


def _together(items: list[_Item], links: dict[tuple[str, str], Edge]) -> list[list[str]]:
    """The keys of what is drawn as one box, box by box."""
    around: dict[str, set[tuple[bool, str, str]]] = {}
    for (source, target), edge in links.items():
        around.setdefault(source, set()).add((True, target, edge.state))
        around.setdefault(target, set()).add((False, source, edge.state))

    def alike(item: _Item) -> tuple:
        return item.part.type, item.mark, frozenset(around.get(item.part.key, ()))

    crowded = len(items) > _MOST_PARTS

    def may(item: _Item) -> bool:
        return bool(item.part.type) and (crowded or item.part.type in _FOLDED)

    return _folded(items, alike, may, _MOST_ABREAST)


def _folded(
    items: list[_Item], alike: Callable[[_Item], tuple], may: Callable[[_Item], bool], most: int
) -> list[list[str]]:
    """Keys by box, in the order of the items: those that are alike and may be together in one, where nothing
    changes or they are more than `most`."""
    found: dict[tuple, list[_Item]] = {}
    for item in items:
        found.setdefault(alike(item) if may(item) else (item.part.key,), []).append(item)
    boxes: list[list[str]] = []
    for several in found.values():
        keys = [item.part.key for item in several]
        apart = several[0].mark is not None and len(several) <= most
        boxes += [[key] for key in keys] if apart else [keys]
    return boxes


def _node(key: str, items: list[_Item]) -> Node:
    first = items[0]
    if len(items) == 1:
        ids = (first.part.key,) if first.part.key not in _OUTSIDE else ()
        return Node(key, first.part.title, first.part.detail, first.mark, first.note, ids, first.among)
    ids = tuple(item.part.key for item in items)
    notes = {item.note for item in items}
    return Node(
        key,
        naming.words(first.part.type, len(items)) if first.part.type else f"{len(items)} without a type",
        ", ".join(ids),
        first.mark,
        first.note if len(notes) == 1 else "",
        ids,
    )


def _edges(links: dict[tuple[str, str], Edge], numbers: dict[str, str]) -> tuple[Edge, ...]:
    """The ways between boxes; those between the same two are one."""
    found: dict[tuple[str, str], list[Edge]] = {}
    for (source, target), edge in links.items():
        ends = numbers[source], numbers[target]
        if ends[0] != ends[1]:
            found.setdefault(ends, []).append(edge)
    made = []
    for ends, several in found.items():
        states = {edge.state for edge in several}
        labels = tuple(dict.fromkeys(label for edge in several for label in edge.labels))
        made.append(Edge(*ends, labels, states.pop() if len(states) == 1 else SAME))
    return tuple(made)


def _groups(items: list[_Item], first: int) -> tuple[Group, ...]:
    found: dict[str, list[_Item]] = {title: [] for title in naming.GROUPS}
    for item in items:
        if item.part.type or item.mark or item.part.key not in _OUTSIDE:
            found[naming.group(item.part.type)].append(item)
    made = []
    for title, several in found.items():
        changed = [item for item in several if item.mark]
        boxes = _folded(changed, lambda item: (item.part.type, item.mark), lambda item: True, _MOST_ALIKE)
        by_key = {item.part.key: item for item in changed}
        nodes = []
        for keys in boxes:
            nodes.append(_node(f"n{first}", [by_key[key] for key in keys]))
            first += 1
        counts = Counter(item.part.type for item in several if not item.mark)
        unchanged = tuple(naming.words(type_, count) for type_, count in counts.items())
        if nodes or unchanged:
            made.append(Group(title, tuple(nodes), unchanged))
    return tuple(made)
