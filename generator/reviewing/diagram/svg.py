"""A diagram as SVG inside a page: no script, no link, no style of its own; the page brings STYLE."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from generator.reviewing.diagram.drawing import Diagram
from generator.reviewing.diagram.layout import LINE, SMALL, TITLE, Box, Frame, Line, Text, lay_out, said
from generator.showing.escaping import html

_COLOURS = {
    "deleted": "bad",
    "replaced": "bad",
    "refused": "bad",
    "interruption": "warn",
    "place": "calm",
    "new": "good",
    "noted": "dim",
}

STYLE = f"""
.diagram {{ font: {SMALL}px system-ui, sans-serif; }}
.diagram text {{ fill: var(--ink); }}
.diagram .title {{ font-size: {TITLE}px; font-weight: 600; }}
.diagram .detail, .diagram .unchanged {{ fill: var(--dim); }}
.diagram .box {{ fill: var(--soft); stroke: var(--line); }}
.diagram .outside .box {{ fill: none; stroke-dasharray: 4 3; }}
.diagram .frame {{ fill: none; stroke: var(--edge); }}
.diagram .head {{ font-weight: 600; fill: var(--dim); }}
.diagram .way {{ fill: none; stroke: var(--line); stroke-width: 1.4; }}
.diagram .tip {{ fill: var(--line); stroke: none; }}
.diagram .behind {{ fill: var(--paper); stroke: none; }}
.diagram .words {{ text-anchor: middle; }} .diagram .words .same {{ fill: var(--dim); }}
.diagram .mark, .diagram tspan:not(.same), .diagram text.new, .diagram text.opened, .diagram text.gone {{
  font-weight: 600; }}
.diagram tspan.new, .diagram text.new {{ fill: var(--good); }}
.diagram tspan.opened, .diagram text.opened {{ fill: var(--bad); }}
.diagram tspan.gone, .diagram text.gone {{ fill: var(--dim); text-decoration: line-through; }}
.diagram .way.new {{ stroke: var(--good); stroke-width: 2.2; }} .diagram .tip.new {{ fill: var(--good); }}
.diagram .way.opened {{ stroke: var(--bad); stroke-width: 2.6; }} .diagram .tip.opened {{ fill: var(--bad); }}
.diagram .way.gone {{ stroke-dasharray: 3 4; }}
.diagram .bar {{ stroke: none; }}
.diagram .deleted > .box {{ stroke-dasharray: 5 4; }}
.diagram .deleted > .title {{ text-decoration: line-through; }}
""" + "".join(
    f".diagram .{style} > .box {{ stroke: var(--{colour}); }}\n"
    f".diagram .{style} > .bar, .diagram .{style} > .mark {{ fill: var(--{colour}); }}\n"
    for style, colour in _COLOURS.items()
)
"""Needs the page's colours: --ink, --dim, --paper, --soft, --line, --edge, --good, --bad, --warn, --calm."""

_BAR = 5


def text(diagram: Diagram, name: str) -> str:
    """The picture as an `<svg>` element; `name` makes its ids unique in the page, letters and digits."""
    return "\n".join(_picture(diagram, name))


def _picture(diagram: Diagram, name: str) -> Iterator[str]:
    laid = lay_out(diagram)
    wide, high = _number(laid.width), _number(laid.height)
    yield (
        f'<svg class="diagram" xmlns="http://www.w3.org/2000/svg" width="{wide}" height="{high}" '
        f'viewBox="0 0 {wide} {high}" role="img" aria-labelledby="{name}-title {name}-desc">'
    )
    yield f'<title id="{name}-title">{html(f"Diagram of {diagram.name}")}</title>'
    yield f'<desc id="{name}-desc">{html(f"{diagram.summary}. The tables below name every change.")}</desc>'
    for line in laid.lines:
        yield from _way(line)
    for line in laid.lines:
        yield from _words(line)
    for box in laid.boxes:
        yield from _box(box)
    for frame in laid.frames:
        yield from _frame(frame)
    yield from _texts(laid.texts)
    yield "</svg>"


def _number(value: float) -> str:
    return f"{value:.1f}".removesuffix(".0")


def _way(line: Line) -> Iterator[str]:
    points = line.points
    parts = [f"M{_number(points[0][0])} {_number(points[0][1])}"]
    for (x, y), (to_x, to_y) in zip(points, points[1:]):
        if abs(x - to_x) < 0.05:
            parts.append(f"V{_number(to_y)}")
        else:
            middle = _number((y + to_y) / 2)
            parts.append(f"C{_number(x)} {middle} {_number(to_x)} {middle} {_number(to_x)} {_number(to_y)}")
    yield f'<path class="way {line.edge.look}" d="{" ".join(parts)}"/>'
    x, y = points[-1]
    back = -7 if y > points[-2][1] else 7
    tip = " ".join(
        f"{_number(px)},{_number(py)}" for px, py in ((x, y), (x - 4, y + back), (x + 4, y + back))
    )
    yield f'<polygon class="tip {line.edge.look}" points="{tip}"/>'


def _words(line: Line) -> Iterator[str]:
    tag = line.tag
    if tag is None:
        return
    yield (
        f'<rect class="behind" x="{_number(tag.x - tag.width / 2)}" y="{_number(tag.y)}" '
        f'width="{_number(tag.width)}" height="15"/>'
    )
    spans = ", ".join(f'<tspan class="{label.state}">{html(said(label))}</tspan>' for label in tag.labels)
    yield f'<text class="words" x="{_number(tag.x)}" y="{_number(tag.y + 11.5)}">{spans}</text>'


def _box(box: Box) -> Iterator[str]:
    node = box.node
    look = node.mark.style if node.mark else "" if node.ids else "outside"
    yield f'<g class="node {look}">'
    whole = (node.title, node.detail, ": ".join(filter(None, (node.mark and node.mark.text, node.note))))
    yield f"<title>{html('; '.join(filter(None, whole)))}</title>"
    corner = f'x="{_number(box.x)}" y="{_number(box.y)}"'
    yield (
        f'<rect class="box" {corner} width="{_number(box.width)}" height="{_number(box.height)}" '
        f'rx="{4 if node.ids else 14}"/>'
    )
    if node.mark:
        yield f'<rect class="bar" {corner} width="{_BAR}" height="{_number(box.height)}"/>'
    for number, row in enumerate(box.rows):
        y = box.y + 8 + LINE * number + 12
        yield f'<text class="{row.look}" x="{_number(box.x + 14)}" y="{_number(y)}">{html(row.text)}</text>'
    yield "</g>"


def _frame(frame: Frame) -> Iterator[str]:
    yield (
        f'<rect class="frame" x="{_number(frame.x)}" y="{_number(frame.y)}" width="{_number(frame.width)}" '
        f'height="{_number(frame.height)}" rx="6"/>'
    )
    at = f'x="{_number(frame.x + 14)}" y="{_number(frame.y + 20)}"'
    yield f'<text class="head" {at}>{html(frame.group.title)}</text>'
    for box in frame.boxes:
        yield from _box(box)
    yield from _texts(frame.texts)


def _texts(texts: Iterable[Text]) -> Iterator[str]:
    for x, y, line in texts:
        yield f'<text class="unchanged" x="{_number(x)}" y="{_number(y)}">{html(line)}</text>'
