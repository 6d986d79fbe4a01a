"""Reviews as text for a terminal, as Markdown for a pull request, as a page, as JSON."""

from __future__ import annotations

from collections.abc import Sequence

from generator.reviewing.report.data import as_data
from generator.reviewing.report.markdown import markdown
from generator.reviewing.report.text import text_lines
from generator.reviewing.review import Review

__all__ = ["as_data", "figures", "html", "markdown", "text_lines"]


def figures(reviews: Sequence[Review]) -> dict[str, str]:
    """Environment -> its diagram as Markdown; without those where nothing changes or that are too large."""
    from generator.reviewing.diagram import draw, mermaid

    drawn = {one.name: draw(one) for one in reviews if one.changed}
    made = {name: mermaid.fenced(diagram) for name, diagram in drawn.items() if diagram is not None}
    return {name: text for name, text in made.items() if text}


def html(reviews: Sequence[Review]) -> str:
    """All reviews as one page that stands by itself."""
    from generator.reviewing.report.page import page

    return page(reviews)
