"""Reviews as text for a terminal, as Markdown for a pull request, as JSON."""

from generator.reviewing.report.data import as_data
from generator.reviewing.report.markdown import markdown
from generator.reviewing.report.text import text_lines

__all__ = ["as_data", "markdown", "text_lines"]
