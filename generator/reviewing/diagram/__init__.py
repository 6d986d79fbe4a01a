"""An environment as a picture, with what changes marked; plain values first, then Mermaid or SVG.

draw(review) -> Diagram      what there is to see: parts, ways between them, and the rest by group
mermaid.text, svg.text       the picture
"""

from __future__ import annotations

from generator.reviewing.diagram.drawing import Diagram, Edge, Group, Label, Node, draw

__all__ = ["Diagram", "Edge", "Group", "Label", "Node", "draw"]
