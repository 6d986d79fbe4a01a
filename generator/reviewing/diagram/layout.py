"""Where the boxes and lines of a diagram lie: layers from top to bottom, then the groups below each other.

Lines go through the gaps between layers; through a layer only where a place is kept for them, so that none
crosses a box.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

from generator.reviewing.diagram.drawing import Diagram, Edge, Group, Label, Node
from generator.reviewing.diagram.widths import cut, width, wrapped
from generator.showing.escaping import plain

TITLE, SMALL = 13.0, 11.5
"""Font sizes in pixels."""
LINE = 16.0
_PAD, _LEAST = 14.0, 130.0
_USUAL, _MOST = 230.0, 290.0
"""Pixels of text in a box: before a line breaks, and of a long title."""
_MOST_ROWS = 2
_AMONG = {"same": "among themselves", "gone": "no longer among themselves"}
_BETWEEN = 22.0
"""Pixels between boxes of a layer."""
_CURVE, _ARROW, _BARE = 34.0, 14.0, 8.0
"""Heights in the gap between two layers: where lines cross, where they end, a gap's least beside these."""
_LABEL = 17.0
_LANE = 10.0
"""Width that is kept for a line on its way through a layer."""
_MARGIN = 8.0
_PASSES = 24


Text = tuple[float, float, str]
"""(x, y of the base line, text)."""


@dataclass(frozen=True)
class Row:
    """One line of text in a box."""

    text: str
    look: str
    """title, detail, mark, or a state of a way."""


@dataclass(frozen=True)
class Box:
    """A node with its place; pixels from the upper left."""

    node: Node
    x: float
    y: float
    width: float
    height: float
    rows: tuple[Row, ...]


@dataclass(frozen=True)
class Tag:
    """Words at a line."""

    x: float
    """Of its middle."""
    y: float
    """Of its upper edge."""
    width: float
    labels: tuple[Label, ...]
    """In one line, with commas between."""


@dataclass(frozen=True)
class Line:
    """A way drawn from box to box."""

    edge: Edge
    points: tuple[tuple[float, float], ...]
    """Where it turns, from its source to its target."""
    tag: Tag | None


@dataclass(frozen=True)
class Frame:
    """A group with its place."""

    group: Group
    x: float
    y: float
    width: float
    height: float
    boxes: tuple[Box, ...]
    texts: tuple[Text, ...]
    """What of it doesn't change."""


@dataclass(frozen=True)
class Layout:
    """A whole picture."""

    width: float
    height: float
    boxes: tuple[Box, ...]
    lines: tuple[Line, ...]
    frames: tuple[Frame, ...]
    texts: tuple[Text, ...]
    """Of groups in which nothing changes."""


def lay_out(diagram: Diagram, least: float = 720.0) -> Layout:
    """Where everything lies; `least` is the least width in pixels."""
    boxes, lines, wide, high = _flow(diagram)
    full = max(wide, least)
    shift = (full - wide) / 2
    boxes = tuple(_moved(box, shift) for box in boxes)
    lines = tuple(_line_moved(line, shift) for line in lines)
    frames = []
    top = high + (18 if boxes else 0)
    for group in diagram.groups:
        if group.nodes:
            frame = _frame(group, top, full)
            frames.append(frame)
            top = frame.y + frame.height + 10
    texts: list[Text] = []
    for group in diagram.groups:
        if not group.nodes:
            texts += _unchanged(group, _MARGIN, top + LINE * len(texts), full)
    top += LINE * len(texts)
    return Layout(full + 2 * _MARGIN, top + _MARGIN, boxes, lines, tuple(frames), tuple(texts))


# --- boxes ---


def _rows(node: Node, room: float) -> list[Row]:
    """The lines of a box, each no wider than `room`; long ones break once, at a comma."""
    rows = [Row(cut(plain(node.title), room, TITLE, True), "title"), *_broken(node.detail, "detail", room)]
    for state in dict.fromkeys(label.state for label in node.among):
        word = _AMONG.get(state, "new among themselves")
        ports = ", ".join(label.text for label in node.among if label.state == state)
        rows += _broken(f"{word}: {ports}", "detail" if state == "same" else state, room)
    if node.mark is not None:
        both = plain(f"{node.mark.text}: {node.note}" if node.note else node.mark.text)
        fits = width(both, SMALL, True) <= room
        parts = [both] if fits else list(map(plain, filter(None, (node.mark.text, node.note))))
        rows += [Row(cut(part, room, SMALL, True), "mark") for part in parts]
    return rows


def _broken(text: str, look: str, room: float) -> list[Row]:
    size, bold = _size(Row(text, look))
    lines = wrapped(plain(text).split(", "), room, size, bold=bold) if text else []
    if len(lines) > _MOST_ROWS:
        lines = [*lines[: _MOST_ROWS - 1], cut(" ".join(lines[_MOST_ROWS - 1 :]), room, size, bold)]
    return [Row(line, look) for line in lines]


def _size(row: Row) -> tuple[float, bool]:
    return (TITLE, True) if row.look == "title" else (SMALL, row.look != "detail")


def _box(node: Node) -> Box:
    room = min(_MOST, max(_USUAL, width(plain(node.title), TITLE, True)))
    rows = tuple(_rows(node, room))
    wide = max(width(row.text, *_size(row)) for row in rows) + 2 * _PAD
    return Box(node, 0, 0, max(_LEAST, wide), len(rows) * LINE + 16, rows)


def _moved(box: Box, x: float, y: float = 0.0) -> Box:
    return Box(box.node, box.x + x, box.y + y, box.width, box.height, box.rows)


def _line_moved(line: Line, x: float) -> Line:
    tag = line.tag and Tag(line.tag.x + x, line.tag.y, line.tag.width, line.tag.labels)
    return Line(line.edge, tuple((px + x, py) for px, py in line.points), tag)


# --- layers ---


@dataclass
class _Slot:
    """A place in a layer: a box's, or a line's on its way through."""

    wide: float
    box: Box | None
    above: list[_Slot] = field(default_factory=list)
    below: list[_Slot] = field(default_factory=list)
    x: float = 0.0
    """Of its middle."""


def _flow(diagram: Diagram) -> tuple[tuple[Box, ...], tuple[Line, ...], float, float]:
    """(boxes, lines, width, height) of what is tied together."""
    if not diagram.flow:
        return (), (), 0.0, _MARGIN
    level = levels([node.key for node in diagram.flow], diagram.edges)
    layers: list[list[_Slot]] = [[] for _ in range(max(level.values()) + 1)]
    slots = {}
    for node in diagram.flow:
        box = _box(node)
        slots[node.key] = _Slot(box.width, box)
        layers[level[node.key]].append(slots[node.key])
    chains = []
    for edge in diagram.edges:
        upwards = level[edge.source] > level[edge.target]
        first, last = (edge.target, edge.source) if upwards else (edge.source, edge.target)
        chain = [slots[first]]
        for between in range(level[first] + 1, level[last]):
            chain.append(_Slot(_LANE, None))
            layers[between].append(chain[-1])
        chain.append(slots[last])
        for one, other in zip(chain, chain[1:]):
            one.below.append(other)
            other.above.append(one)
        chains.append((edge, upwards, chain))
    _order(layers)
    _place(layers)
    return _drawn(layers, chains)


def levels(keys: Sequence[str], edges: Sequence[Edge]) -> dict[str, int]:
    """Key -> layer, each below all that lead to it; ways that close a circle don't count."""
    forward: dict[str, list[str]] = {key: [] for key in keys}
    for edge in edges:
        forward[edge.source].append(edge.target)
    state: dict[str, int] = {}
    order: list[str] = []
    kept: dict[str, list[str]] = {key: [] for key in keys}
    for root in keys:
        if root in state:
            continue
        state[root] = 1
        stack = [(root, iter(forward[root]))]
        while stack:
            key, rest = stack[-1]
            following = next(rest, None)
            if following is None:
                stack.pop()
                state[key] = 2
                order.append(key)
            elif state.get(following) != 1:
                kept[key].append(following)
                if following not in state:
                    state[following] = 1
                    stack.append((following, iter(forward[following])))
    found = dict.fromkeys(keys, 0)
    for key in reversed(order):
        for following in kept[key]:
            found[following] = max(found[following], found[key] + 1)
    entered = {following for several in kept.values() for following in several}
    for key in keys:  # what nothing leads to stands right above what it leads to
        if key not in entered and kept[key]:
            found[key] = min(found[following] for following in kept[key]) - 1
    return found


def _order(layers: list[list[_Slot]]) -> None:
    """Puts each layer into an order in which few lines cross: by the middle of the neighbours' places."""
    best, fewest = [list(layer) for layer in layers], _crossings(layers)
    for turn in range(_PASSES):
        down = turn % 2 == 0
        for layer in layers[1:] if down else layers[-2::-1]:
            places = {id(slot): place for near in layers for place, slot in enumerate(near)}
            means = {}
            for slot in layer:
                near = [places[id(one)] for one in (slot.above if down else slot.below)]
                means[id(slot)] = sum(near) / len(near) if near else places[id(slot)]
            layer.sort(key=lambda slot: means[id(slot)])
        crossings = _crossings(layers)
        if crossings < fewest:
            best, fewest = [list(layer) for layer in layers], crossings
    layers[:] = best


def _crossings(layers: list[list[_Slot]]) -> int:
    count = 0
    for one, other in zip(layers, layers[1:]):
        places = {id(slot): place for place, slot in enumerate(other)}
        ends = [place for slot in one for place in sorted(places[id(below)] for below in slot.below)]
        count += sum(first > later for place, first in enumerate(ends) for later in ends[place + 1 :])
    return count


def _place(layers: list[list[_Slot]]) -> None:
    """Gives each slot its x: near its neighbours, no two of a layer closer than they may be."""
    for layer in layers:
        left = 0.0
        for slot in layer:
            slot.x = left + slot.wide / 2
            left += slot.wide + _BETWEEN
        for slot in layer:
            slot.x -= (left - _BETWEEN) / 2
    for turn in range(_PASSES):
        for layer in layers if turn % 2 == 0 else layers[::-1]:
            wished = []
            for slot in layer:
                near = [one.x for one in (*slot.above, *slot.below)]
                wished.append(sum(near) / len(near) if near else slot.x)
            _spread(layer, wished)


def _spread(layer: list[_Slot], wished: list[float]) -> None:
    """Puts slots as near as can be to where they wish to be, in their order (pooled averages)."""
    offsets, offset = [], 0.0
    for place, slot in enumerate(layer):
        if place:
            offset += (layer[place - 1].wide + slot.wide) / 2 + _BETWEEN
        offsets.append(offset)
    pools: list[list[float]] = []  # [sum, count]
    for wish, offset in zip(wished, offsets):
        pools.append([wish - offset, 1])
        while len(pools) > 1 and pools[-2][0] / pools[-2][1] > pools[-1][0] / pools[-1][1]:
            total, count = pools.pop()
            pools[-1][0] += total
            pools[-1][1] += count
    places = (total / count for total, count in pools for _ in range(int(count)))
    for slot, place, offset in zip(layer, places, offsets):
        slot.x = place + offset


# --- lines ---


def _drawn(layers, chains) -> tuple[tuple[Box, ...], tuple[Line, ...], float, float]:
    ports = _ports(layers)
    tags = []
    rows: list[list[list[tuple[float, float]]]] = [[] for _ in layers]
    level_of = {id(slot): level for level, layer in enumerate(layers) for slot in layer}
    for edge, upwards, chain in chains:
        # Words stand where the line ends below: there it goes straight down.
        lower = chain[-1]
        x = ports[id(chain[-2]), id(lower)][1]
        tags.append(_tag(edge, x, rows[level_of[id(lower)]]))
    left = min(slot.x - slot.wide / 2 for layer in layers for slot in layer)
    right = max(slot.x + slot.wide / 2 for layer in layers for slot in layer)
    for tag in tags:
        if tag is not None:
            left, right = min(left, tag[0] - tag[1] / 2), max(right, tag[0] + tag[1] / 2)
    move = _MARGIN - left
    tops, bottoms, top = [], [], _MARGIN
    for level, layer in enumerate(layers):
        if level:
            top += _CURVE + len(rows[level]) * _LABEL + _ARROW + _BARE
        tops.append(top)
        top += max((slot.box.height for slot in layer if slot.box), default=0.0)
        bottoms.append(top)
    boxes = tuple(
        _moved(slot.box, slot.x - slot.wide / 2 + move, tops[level])
        for level, layer in enumerate(layers)
        for slot in layer
        if slot.box
    )
    lines = []
    for (edge, upwards, chain), tag in zip(chains, tags):
        points: list[tuple[float, float]] = []
        for one, other in zip(chain, chain[1:]):
            start, end = ports[id(one), id(other)]
            level = level_of[id(one)]
            height = tops[level] + one.box.height if one.box else tops[level]
            points += [(start + move, height), (start + move, bottoms[level])]
            bend = tops[level + 1] - _ARROW - _BARE - len(rows[level + 1]) * _LABEL
            points += [(end + move, bend), (end + move, tops[level + 1])]
        placed = None
        if tag is not None:
            x, wide, row = tag
            level = level_of[id(chain[-1])]
            y = tops[level] - _ARROW - (len(rows[level]) - row) * _LABEL
            placed = Tag(x + move, y, wide, edge.labels)
        lines.append(Line(edge, tuple(reversed(points) if upwards else points), placed))
    return boxes, tuple(lines), right - left, bottoms[-1]


def _tag(edge: Edge, x: float, rows: list[list[tuple[float, float]]]) -> tuple[float, float, int] | None:
    """(middle, width, row) of a line's words, in the first row where there is room; None without any."""
    if not edge.labels:
        return None
    wide = width(", ".join(said(label) for label in edge.labels), SMALL, True) + 8
    mine = (x - wide / 2 - 4, x + wide / 2 + 4)
    for number, row in enumerate(rows):
        if all(mine[1] <= taken[0] or mine[0] >= taken[1] for taken in row):
            row.append(mine)
            return x, wide, number
    rows.append([mine])
    return x, wide, len(rows) - 1


def said(label: Label) -> str:
    """The words of a label with what became of the way: colour alone doesn't tell everybody."""
    return {"new": "new: ", "opened": "opened: ", "gone": "gone: "}.get(label.state, "") + plain(label.text)


def _ports(layers: list[list[_Slot]]) -> dict[tuple[int, int], tuple[float, float]]:
    """(slot above, slot below) -> x where the line leaves and where it arrives."""
    ends: dict[tuple[int, int], list[float]] = {}
    for layer in layers:
        for slot in layer:
            for near, side in ((slot.below, 0), (slot.above, 1)):
                ordered = sorted(near, key=lambda one: one.x)
                for place, one in enumerate(ordered):
                    step = min(46.0, slot.wide * 0.8 / len(ordered)) if slot.box else 0.0
                    x = slot.x + (place - (len(ordered) - 1) / 2) * step
                    key = (id(slot), id(one)) if side == 0 else (id(one), id(slot))
                    ends.setdefault(key, [slot.x, one.x])[side] = x
    return {key: (found[0], found[1]) for key, found in ends.items()}


# --- groups ---


def _frame(group: Group, top: float, full: float) -> Frame:
    x, y = _MARGIN + _PAD, top + 30
    right = _MARGIN + full - _PAD
    boxes: list[Box] = []
    for row in _filled([_box(node) for node in group.nodes], right - x):
        left = x
        for box in row:
            boxes.append(_moved(box, left, y))
            left += box.width + 10
        y += max(box.height for box in row) + 10
    texts = _unchanged(group, x, y - 4, right - x)
    y += LINE * len(texts) + (4 if texts else 0)
    return Frame(group, _MARGIN, top, full, y - top, tuple(boxes), tuple(texts))


def _unchanged(group: Group, x: float, top: float, room: float) -> list[Text]:
    """The lines that say what of a group doesn't change, below `top`."""
    if not group.unchanged:
        return []
    head = "unchanged" if group.nodes else f"{group.title}, unchanged"
    said_of_it = [f"{head}: {group.unchanged[0]}", *group.unchanged[1:]]
    lines = wrapped(list(map(plain, said_of_it)), room, SMALL)
    return [(x, top + LINE * number + 12, line) for number, line in enumerate(lines)]


def _filled(boxes: Iterable[Box], room: float) -> list[list[Box]]:
    rows: list[list[Box]] = []
    for box in boxes:
        if not rows or sum(one.width + 10 for one in rows[-1]) + box.width > room:
            rows.append([])
        rows[-1].append(box)
    return rows
