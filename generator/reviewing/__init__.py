"""What a change to a template does, before anybody deploys it. Offline, and nothing here prints.

review(before, after) -> Review     one environment's artefact, now and earlier
differences(a, b)     -> Review     two environments beside each other
report                              a Review as text, Markdown or JSON
sources                             artefacts from folders, files and git
"""

from __future__ import annotations

from generator.reviewing.artefact import Artefact, ReviewError
from generator.reviewing.review import Review, differences, review

__all__ = ["Artefact", "Review", "ReviewError", "differences", "review"]
